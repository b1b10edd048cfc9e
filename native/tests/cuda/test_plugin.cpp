// Loading the plugin, its limits, and what goes wrong.
#include <dlfcn.h>

#include <atomic>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>
#include <thread>

#include "tests/cuda/suite.h"

using namespace lineament;
using cuda_suite::keys_from;

namespace {

std::string real_plugin() {
  const char* named = std::getenv("LINEAMENT_CUDA");
  return named != nullptr && *named != '\0' ? named : "build/Release/liblineament_cuda.so";
}

// Writes and compiles a library. False where there is no compiler.
bool compile(const std::string& source, const std::string& out) {
  std::ofstream(out + ".c") << source;
  const std::string command = "cc -shared -fPIC -o '" + out + "' '" + out + ".c' 2>/dev/null";
  return std::system(command.c_str()) == 0;
}

}  // namespace

TEST(reports_a_missing_library) {
  const CudaReport report = cuda_report("/nonexistent/liblineament_cuda.so");
  CHECK_EQ(cuda_state_name(report.state), std::string("no library"));
  CHECK(report.problem.find("/nonexistent/") != std::string::npos);
  CHECK(!report.fix.empty());
  const auto made = CudaIndex::make("/nonexistent/liblineament_cuda.so", 0, 64, 0);
  CHECK(made.status().code() == Code::kProviderUnavailable);
  CHECK(made.status().message().find(report.fix) != std::string::npos);
}

TEST(reports_what_is_no_library) {
  const index_model::Folder folder;
  for (const char* content : {"", "#!/bin/sh\n", "\177ELF"}) {
    const std::string path = folder / "text.so";
    std::ofstream(path) << content;
    const CudaReport report = cuda_report(path);
    CHECK_EQ(cuda_state_name(report.state), std::string("unloadable"));
    CHECK(report.problem.find("onnxruntime") == std::string::npos);
    CHECK(CudaIndex::make(path, 0, 64, 0).status().code() == Code::kProviderUnavailable);
  }
  CHECK(cuda_report(folder.path.string()).state == CudaState::kNoLibrary);  // a folder
}

TEST(refuses_a_truncated_library) {
  const index_model::Folder folder;
  std::ifstream whole(cuda_suite::reference().path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  for (const double part : {0.1, 0.5, 0.9}) {
    const std::string path = folder / ("cut" + std::to_string(part) + ".so").c_str();
    std::ofstream(path, std::ios::binary)
        << bytes.substr(0, static_cast<size_t>(part * static_cast<double>(bytes.size())));
    CHECK(cuda_report(path).state == CudaState::kUnloadable);
  }
}

TEST(refuses_other_libraries_and_versions) {
  const index_model::Folder folder;
  const std::string foreign = folder / "foreign.so";
  if (!compile("int something(void) { return 1; }", foreign)) SKIP("no C compiler (cc)");
  CHECK(cuda_report(foreign).state == CudaState::kUnloadable);
  CHECK(cuda_report(foreign).problem.find("not a CUDA plugin") != std::string::npos);

  struct Stub {
    const char* name;
    std::string abi;
    CudaState state;
  };
  const std::string size = std::to_string(sizeof(lineament_cuda_functions));
  const Stub stubs[] = {
      {"later.so", std::to_string(LINEAMENT_CUDA_ABI + 1) + ", " + size, CudaState::kWrongVersion},
      {"short.so", std::to_string(LINEAMENT_CUDA_ABI) + ", 16", CudaState::kWrongVersion},
      {"sizes.so", std::to_string(LINEAMENT_CUDA_ABI) + ", " + size + ", 1, 2, 3, 4, 5, 6", CudaState::kWrongVersion}};
  for (const Stub& stub : stubs) {
    const std::string path = folder / stub.name;
    CHECK(compile("static const unsigned table[64] = {" + stub.abi +
                      "};\nconst void* lineament_cuda_table(void) { return table; }",
                  path));
    const CudaReport report = cuda_report(path);
    CHECK(report.state == stub.state);
    CHECK(report.problem.find("cannot be used") != std::string::npos);
    const Status status = CudaIndex::make(path, 0, 64, 0).status();
    CHECK(status.code() == Code::kProviderUnavailable);
  }
  const std::string empty = folder / "empty.so";
  CHECK(compile("const void* lineament_cuda_table(void) { return 0; }", empty));
  CHECK(cuda_report(empty).state == CudaState::kWrongVersion);
  CHECK(cuda_report(cuda_suite::reference().path).state == CudaState::kReady);
}

TEST(the_real_library_says_what_is_missing) {
  std::ifstream file(real_plugin());
  if (!file) SKIP("no liblineament_cuda.so: node scripts/build-cuda.mjs");
  const CudaReport report = cuda_report(real_plugin());
  if (report.reference) SKIP("LINEAMENT_CUDA names the reference");
  CHECK(report.state == CudaState::kReady || report.state == CudaState::kNoDriver ||
        report.state == CudaState::kNoDevice);
  CHECK(report.runtime_version >= 12000);
  if (report.state == CudaState::kReady) {
    CHECK(!report.devices.empty());
    for (const CudaDeviceInfo& device : report.devices) {
      CHECK(!device.name.empty());
      if (device.usable) CHECK(device.memory > 0 && device.major >= 7);
    }
    return;
  }
  CHECK(report.devices.empty());
  CHECK(!report.problem.empty() && !report.fix.empty());
  const Status status = CudaIndex::make(real_plugin(), 0, 64, 0).status();
  CHECK(status.code() == Code::kProviderUnavailable);
  CHECK(status.message().find(report.problem) != std::string::npos);
}

TEST(the_real_library_keeps_its_symbols_to_itself) {
  std::ifstream file(real_plugin());
  if (!file) SKIP("no liblineament_cuda.so: node scripts/build-cuda.mjs");
  void* const library = dlopen(real_plugin().c_str(), RTLD_NOW | RTLD_LOCAL);
  CHECK(library != nullptr);
  if (library == nullptr) return;
  CHECK(dlsym(library, "lineament_cuda_table") != nullptr);
  CHECK(dlsym(library, "cudaGetDeviceCount") == nullptr);
  CHECK(dlsym(RTLD_DEFAULT, "lineament_cuda_table") == nullptr);
}

TEST(there_is_no_second_device_of_the_reference) {
  const CudaReport report = cuda_report(cuda_suite::reference().path);
  CHECK(report.reference);
  CHECK_EQ(report.devices.size(), 1u);
  CHECK(report.devices[0].name.find("no GPU") != std::string::npos);
  for (const int device : {-1, 1, 100}) {
    const Status status = CudaIndex::make(cuda_suite::reference().path, device, 64, 0).status();
    CHECK(status.code() == Code::kProviderUnavailable);
  }
}

ON_BOTH(stays_usable_when_memory_runs_out) {
  constexpr size_t kDims = 64;
  // One allocation of 65536 rows (22 MB) fits, a second does not.
  const auto index = cuda_suite::open(library, kDims, 40u << 20);
  if (!index) return;
  Executor executor(2);
  std::mt19937 random(11);
  const std::vector<float> gallery = index_model::vectors(1000, kDims, random);
  const std::vector<int64_t> keys = keys_from(0, 1000);
  CHECK(index->put(keys.data(), gallery.data(), nullptr, 1000, false, executor, nullptr).ok());
  const std::vector<int64_t> many = keys_from(1000, 70000);
  const std::vector<float> more = index_model::vectors(70000, kDims, random);
  const uint64_t before = index->device_bytes();
  for (int i = 0; i < 2; ++i) {
    const Status status = index->put(many.data(), more.data(), nullptr, many.size(), false, executor, nullptr);
    CHECK(status.code() == Code::kOutOfMemory);
    CHECK_EQ(index->size(), 1000u);
    CHECK_EQ(index->revision(), 1u);
    CHECK_EQ(index->device_bytes(), before);
  }
  IndexSearch search;
  std::vector<std::vector<Hit>> hits;
  CHECK(index->search(gallery.data(), 300, search, executor, nullptr, &hits).ok());
  for (size_t q = 0; q < 300; ++q) CHECK_EQ(hits[q].at(0).key, static_cast<int64_t>(q));
  CHECK(index->put(many.data(), more.data(), nullptr, 500, false, executor, nullptr).ok());
  CHECK_EQ(index->size(), 1500u);
  CHECK(CudaIndex::make(library, 0, kDims, 1000).ok());  // nothing is taken before it is needed
  const auto tiny = cuda_suite::open(library, kDims, 1000);
  CHECK(tiny->put(keys.data(), gallery.data(), nullptr, 1, false, executor, nullptr).code() == Code::kOutOfMemory);
}

ON_BOTH(takes_fewer_queries_at_a_time_when_memory_is_short) {
  constexpr size_t kDims = 64;
  std::mt19937 random(12);
  Executor executor(2);
  const std::vector<float> gallery = index_model::vectors(3000, kDims, random);
  const std::vector<int64_t> keys = keys_from(0, 3000);
  const auto roomy = cuda_suite::open(library, kDims);
  if (!roomy) return;
  CHECK(roomy->put(keys.data(), gallery.data(), nullptr, 3000, false, executor, nullptr).ok());
  const auto tight = cuda_suite::open(library, kDims, roomy->device_bytes() + (3u << 20));
  CHECK(tight->put(keys.data(), gallery.data(), nullptr, 3000, false, executor, nullptr).ok());
  IndexSearch search;
  std::vector<std::vector<Hit>> wanted, found;
  const std::vector<float> queries = index_model::vectors(250, kDims, random);
  CHECK(roomy->search(queries.data(), 250, search, executor, nullptr, &wanted).ok());
  const Status status = tight->search(queries.data(), 250, search, executor, nullptr, &found);
  CHECK_EQ(status.message(), "");
  for (size_t q = 0; q < 250; ++q) {
    CHECK_EQ(found[q].size(), wanted[q].size());
    for (size_t i = 0; i < found[q].size(); ++i) CHECK_EQ(found[q][i].key, wanted[q][i].key);
  }
}

ON_BOTH(refuses_what_is_wrong_and_changes_nothing) {
  constexpr size_t kDims = 16;
  const auto index = cuda_suite::open(library, kDims);
  if (!index) return;
  Executor executor(2);
  std::mt19937 random(13);
  std::vector<float> vectors = index_model::vectors(600, kDims, random);
  const std::vector<int64_t> keys = keys_from(0, 600);
  const auto put = [&](const std::vector<int64_t>& k, bool replace) {
    return index->put(k.data(), vectors.data(), nullptr, k.size(), replace, executor, nullptr).code();
  };
  CHECK(put({1, 2, 1}, false) == Code::kDuplicateId);
  CHECK(put({1, 2, 1}, true) == Code::kDuplicateId);
  CHECK(put({-1}, false) == Code::kInvalidArgument);
  CHECK(put({kMostKey + 1}, false) == Code::kInvalidArgument);
  CHECK(put({kMostKey}, false) == Code::kOk);
  CHECK(put({5, kMostKey}, false) == Code::kDuplicateId);
  CHECK_EQ(index->size(), 1u);
  CHECK_EQ(index->revision(), 1u);
  for (const float bad : {NAN, INFINITY, -INFINITY}) {
    std::vector<float> broken = vectors;
    broken[577 * kDims + 3] = bad;
    const Status status = index->put(keys.data(), broken.data(), nullptr, 600, true, executor, nullptr);
    CHECK(status.code() == Code::kInvalidArgument);
    CHECK(status.message().find("577") != std::string::npos);
  }
  std::fill(vectors.begin(), vectors.begin() + kDims, 0.0f);
  CHECK(put({3}, true) == Code::kInvalidArgument);
  std::vector<std::vector<Hit>> hits;
  IndexSearch search;
  CHECK(index->search(vectors.data(), 2, search, executor, nullptr, &hits).code() == Code::kInvalidArgument);
  search.k = 0;
  CHECK(index->search(vectors.data() + kDims, 1, search, executor, nullptr, &hits).code() == Code::kInvalidArgument);
  CHECK_EQ(index->size(), 1u);
  CHECK_EQ(index->revision(), 1u);
}

ON_BOTH(stops_when_it_is_cancelled) {
  constexpr size_t kDims = 64;
  const auto index = cuda_suite::open(library, kDims);
  if (!index) return;
  Executor executor(2);
  std::mt19937 random(14);
  const std::vector<float> vectors = index_model::vectors(2000, kDims, random);
  const std::vector<int64_t> keys = keys_from(0, 2000);
  CancelToken cancelled;
  cancelled.cancel();
  CHECK(index->put(keys.data(), vectors.data(), nullptr, 2000, false, executor, &cancelled).code() == Code::kAborted);
  CHECK_EQ(index->size(), 0u);
  CHECK(index->put(keys.data(), vectors.data(), nullptr, 2000, false, executor, nullptr).ok());
  std::vector<std::vector<Hit>> hits;
  IndexSearch search;
  CHECK(index->search(vectors.data(), 8, search, executor, &cancelled, &hits).code() == Code::kAborted);
  CHECK(index->search(vectors.data(), 8, search, executor, nullptr, &hits).ok());
  CHECK_EQ(hits[3].at(0).key, 3);

  // In the midst of a search: the plugin asks between steps.
  struct Countdown {
    int left;
  } countdown{3};
  const auto ask = [](void* context) { return --static_cast<Countdown*>(context)->left < 0 ? 1 : 0; };
  const auto plugin = CudaPlugin::load(library);
  const lineament_cuda_functions& call = plugin.value()->functions();
  lineament_cuda_store* store = nullptr;
  lineament_cuda_error error{};
  CHECK_EQ(call.create(0, 64, 64, 0, &store, &error), 0);
  CHECK_EQ(call.reserve(store, 60000, &error), 0);
  const std::vector<uint64_t> mask(60000 / 64 + 1, ~uint64_t{0});
  const std::vector<float> unit(64, 0.125f);
  const std::vector<int8_t> codes(64, 1);
  const lineament_cuda_rule rule = {0.125f, 32, 1, 0.1f};
  lineament_cuda_search asked{};
  asked.count = 1;
  asked.vectors = unit.data();
  asked.codes = codes.data();
  asked.rules = &rule;
  asked.k = 5;
  asked.threshold = 0.5;
  asked.slots = 60000;
  asked.mask = mask.data();
  asked.cancelled = ask;
  asked.context = &countdown;
  lineament_cuda_hit found[5];
  uint32_t counts[1];
  CHECK_EQ(call.search(store, &asked, found, counts, nullptr, &error), int32_t{LINEAMENT_CUDA_ABORTED});
  CHECK_EQ(countdown.left, -1);
  countdown.left = 1000;
  CHECK_EQ(call.search(store, &asked, found, counts, nullptr, &error), 0);
  CHECK_EQ(counts[0], 0u);
  asked.slots = 70000;  // beyond what was reserved
  CHECK_EQ(call.search(store, &asked, found, counts, nullptr, &error), int32_t{LINEAMENT_CUDA_INVALID});
  call.destroy(store);
  call.destroy(nullptr);
}

// By hand: rows of score 0.5 and, late, one of 0.9 whose codes say 0. Its bound decides whether it is scored.
ON_BOTH(looks_at_a_row_exactly_where_its_bound_allows_it) {
  constexpr uint32_t kDims = 64, kRows = 4000, kLate = 3900;
  const auto plugin = CudaPlugin::load(library);
  const lineament_cuda_functions& call = plugin.value()->functions();
  for (const float error : {0.501f, 0.499f}) {
    lineament_cuda_store* store = nullptr;
    lineament_cuda_error failure{};
    CHECK_EQ(call.create(0, kDims, kDims, 0, &store, &failure), 0);
    CHECK_EQ(call.reserve(store, kRows, &failure), 0);
    std::vector<uint32_t> slots(kRows);
    std::vector<int64_t> keys(kRows);
    std::vector<float> vectors(kRows * kDims);
    std::vector<int8_t> codes(kRows * kDims);
    std::vector<lineament_cuda_bound> bounds(kRows);
    for (uint32_t i = 0; i < kRows; ++i) {
      slots[i] = i;
      keys[i] = 10 + i;
      vectors[i * kDims] = i == kLate ? 0.9f : 0.5f;
      codes[i * kDims] = i == kLate ? 0 : 49;
      // 100 × 49 + 50 at a scale of 0.01 is 49.5.
      bounds[i] = i == kLate ? lineament_cuda_bound{1e-9f, error} : lineament_cuda_bound{0.5f / 49.5f, 1e-6f};
    }
    const lineament_cuda_rows rows = {kRows, slots.data(), keys.data(), vectors.data(), codes.data(), bounds.data()};
    CHECK_EQ(call.write(store, &rows, &failure), 0);
    std::vector<float> query(kDims);
    std::vector<int8_t> query_codes(kDims);
    query[0] = 1;
    query_codes[0] = 100;
    const lineament_cuda_rule rule = {0.01f, 50, 1, 0};
    const std::vector<uint64_t> mask(kRows / 64 + 1, ~uint64_t{0});
    lineament_cuda_search asked{};
    asked.count = 1;
    asked.vectors = query.data();
    asked.codes = query_codes.data();
    asked.rules = &rule;
    asked.k = 1;
    asked.threshold = -2;
    asked.slots = kRows;
    asked.mask = mask.data();
    lineament_cuda_hit hit{};
    uint32_t count = 0;
    CHECK_EQ(call.search(store, &asked, &hit, &count, nullptr, &failure), 0);
    CHECK_EQ(count, 1u);
    CHECK_EQ(hit.key, error > 0.5f ? 10 + kLate : 10);
    CHECK_EQ(hit.score, error > 0.5f ? static_cast<double>(0.9f) : 0.5);
    call.destroy(store);
  }
}

ON_BOTH(takes_calls_from_several_threads) {
  constexpr size_t kDims = 32;
  const auto index = cuda_suite::open(library, kDims);
  if (!index) return;
  Executor executor(2);
  std::mt19937 random(15);
  const std::vector<float> vectors = index_model::vectors(400, kDims, random);
  const std::vector<int64_t> keys = keys_from(0, 400);
  CHECK(index->put(keys.data(), vectors.data(), nullptr, 200, false, executor, nullptr).ok());
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0}, searches{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      std::vector<std::vector<Hit>> hits;
      while (!stop) {
        const size_t q = static_cast<size_t>(t) * 60;
        wrong += index->search(&vectors[q * kDims], 2, {}, executor, nullptr, &hits).ok() ? 0 : 1;
        wrong += hits[0].empty() || hits[0][0].key != static_cast<int64_t>(q) ? 1 : 0;
        ++searches;
      }
    });
  }
  for (int round = 0; round < 30; ++round) {
    CHECK(index->put(&keys[200], &vectors[200 * kDims], nullptr, 200, true, executor, nullptr).ok());
    CHECK(index->remove(&keys[200], 200).ok());
  }
  while (searches < 20) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(wrong.load(), 0);
}

ON_BOTH(writes_and_reads_the_snapshots_of_the_processor) {
  constexpr size_t kDims = 33;
  const index_model::Folder folder;
  const std::string path = folder / "device.index", other = folder / "host.index";
  std::mt19937 random(16);
  cuda_suite::Twins twins(library, kDims);
  if (!twins.device) return;
  std::vector<int64_t> keys = keys_from(0, 700);
  std::shuffle(keys.begin(), keys.end(), random);
  std::vector<uint32_t> groups(700);
  for (uint32_t& group : groups) group = random() % 3;
  twins.put(keys, index_model::vectors(700, kDims, random), &groups);
  keys.resize(90);
  CHECK(twins.host.remove(keys.data(), keys.size()).ok() && twins.device->remove(keys.data(), keys.size()).ok());
  CHECK(twins.device->save(path, twins.executor, nullptr).ok());
  CHECK(twins.host.save(other, nullptr).ok());
  std::ifstream a(path, std::ios::binary), b(other, std::ios::binary);
  CHECK(std::string(std::istreambuf_iterator<char>(a), {}) == std::string(std::istreambuf_iterator<char>(b), {}));

  const auto again = cuda_suite::open(library, kDims);
  const Status loaded = again->load(other, twins.executor, nullptr);
  CHECK_EQ(loaded.message(), "");
  CHECK_EQ(again->size(), 610u);
  CHECK_EQ(again->revision(), twins.host.revision());
  const std::vector<float> queries = index_model::vectors(5, kDims, random);
  std::vector<std::vector<Hit>> wanted, found;
  CHECK(twins.host.search(queries.data(), 5, {}, twins.executor, nullptr, &wanted).ok());
  CHECK(again->search(queries.data(), 5, {}, twins.executor, nullptr, &found).ok());
  for (size_t q = 0; q < 5; ++q) {
    CHECK_EQ(found[q].size(), wanted[q].size());
    for (size_t i = 0; i < found[q].size(); ++i) {
      CHECK_EQ(found[q][i].key, wanted[q][i].key);
      CHECK_EQ(found[q][i].score, wanted[q][i].score);
    }
  }
  CHECK(again->load(other, twins.executor, nullptr).code() == Code::kInvalidArgument);  // not empty
  const auto longer = cuda_suite::open(library, kDims + 1);
  CHECK(longer->load(other, twins.executor, nullptr).code() == Code::kInvalidArgument);
  CHECK(again->save("/nonexistent/folder/x.index", twins.executor, nullptr).code() == Code::kStoreFailed);
  // A damaged one leaves the index empty and usable.
  std::fstream damaged(other, std::ios::binary | std::ios::in | std::ios::out);
  damaged.seekp(30000);
  damaged.put('\x5a');
  damaged.put('\x5b');
  damaged.close();
  const auto empty = cuda_suite::open(library, kDims);
  CHECK(empty->load(other, twins.executor, nullptr).code() == Code::kStoreCorrupt);
  CHECK_EQ(empty->size(), 0u);
  CHECK(empty->load(path, twins.executor, nullptr).ok());
}

TEST_MAIN()
