// Snapshots: what is written is found again, in place and loaded; what is damaged is refused; a writer that fails or
// dies leaves the old file as it was.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <iterator>
#include <thread>

#include "search/snapshot.h"
#include "search/snapshot_sum.h"
#include "tests/search/index_model.h"

using namespace lineament;
using namespace index_model;

namespace {

constexpr SnapshotMode kModes[] = {SnapshotMode::kMap, SnapshotMode::kLoad};

std::vector<uint8_t> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
}

void write(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
}

// Sets the check sum at the end of the page that begins at `page`.
void sign(std::vector<uint8_t>* bytes, size_t page) {
  const uint64_t sum = xxh64(bytes->data() + page, kSnapshotPage - 8);
  std::memcpy(bytes->data() + page + kSnapshotPage - 8, &sum, 8);
}

template <typename T>
void put(std::vector<uint8_t>* bytes, size_t at, T value) {
  std::memcpy(bytes->data() + at, &value, sizeof(value));
}

// A file of 700 vectors in one segment.
std::vector<uint8_t> small_file(const Folder& folder, IndexPrecision precision = IndexPrecision::kExact) {
  Executor executor(1);
  VectorIndex index(20, precision);
  Model model;
  Pair both{index, model, executor};
  std::mt19937 random(8);
  std::vector<int64_t> keys;
  for (int64_t i = 0; i < 700; ++i) keys.push_back(5 * i + 3);
  CHECK(both.put(keys, vectors(700, 20, random), nullptr, false).ok());
  CHECK(index.save(folder / "small", nullptr).ok());
  return bytes_of(folder / "small");
}

// What opening these bytes says.
Code opened(const Folder& folder, const std::vector<uint8_t>& bytes, SnapshotMode mode = SnapshotMode::kMap) {
  Executor executor(1);
  write(folder / "changed", bytes);
  return VectorIndex::open(folder / "changed", mode, executor, nullptr).status().code();
}

}  // namespace

TEST(check_sums_have_their_published_values) {
  CHECK_EQ(xxh64("", 0), uint64_t{0xEF46DB3751D8E999});
  CHECK_EQ(xxh64("a", 1), uint64_t{0xD24EC4F1A98C6E5B});
  CHECK_EQ(xxh64("abc", 3), uint64_t{0x44BC2CF5AD770999});
  const std::string text = "Nobody inspects the spammish repetition";
  CHECK_EQ(xxh64(text.data(), text.size()), uint64_t{0xFBCEA83C8A378BF1});
}

TEST(snapshots_come_back_and_go_on_changing) {
  for (const IndexPrecision precision : kPrecisions) {
    for (const SnapshotMode mode : kModes) {
      const Folder folder;
      const std::string path = folder / "index";
      std::mt19937 random(static_cast<unsigned>(precision));
      Executor executor(2);
      const size_t dims = 48;
      Model model;
      const auto queries = vectors(5, dims, random);
      IndexFilter filter;
      filter.some_groups = true;
      filter.groups = {1};
      {
        VectorIndex index(dims, precision);
        Pair both{index, model, executor};
        for (int round = 0; round < 30; ++round) {
          std::set<int64_t> chosen;
          for (int i = 0; i < 1500; ++i) chosen.insert(random() % 60000);
          const std::vector<int64_t> keys(chosen.begin(), chosen.end());
          std::vector<uint32_t> groups(keys.size(), static_cast<uint32_t>(round % 3));
          CHECK(both.put(keys, vectors(keys.size(), dims, random), &groups, true).ok());
        }
        CHECK(index.save(path, nullptr).ok());
        CHECK_EQ(folder.files(), size_t{1});
      }
      for (int generation = 0; generation < 3; ++generation) {
        auto reopened = VectorIndex::open(path, mode, executor, nullptr);
        CHECK_EQ(reopened.status().message(), "");
        if (!reopened.ok()) return;
        VectorIndex& index = *reopened.value();
        CHECK_EQ(index.dims(), dims);
        CHECK(index.precision() == precision);
        CHECK_EQ(index.size(), model.size());
        CHECK((index.mapped_bytes() > 0) == (mode == SnapshotMode::kMap));
        CHECK(index.verify(nullptr).ok());
        Pair both{index, model, executor};
        both.check(queries, {});
        both.check(queries, {20, -2, filter});
        const uint64_t revision = index.revision();
        CHECK(revision > 0);
        // Some are taken away, some replaced (in their group), some added; keys of the file must be known.
        std::vector<int64_t> gone, changed, fresh;
        for (const auto& [key, entry] : model) {
          if (key % 11 == generation) gone.push_back(key);
          if (key % 11 == generation + 4) changed.push_back(key);
        }
        for (int64_t key = 0; key < 60000 && fresh.size() < 900; ++key) {
          if (!model.contains(key)) fresh.push_back(key);
        }
        CHECK(both.put({fresh[0], changed[0]}, vectors(2, dims, random), nullptr, false).code() == Code::kDuplicateId);
        CHECK_EQ(both.remove(gone), gone.size());
        CHECK(both.put(changed, vectors(changed.size(), dims, random), nullptr, true).ok());
        CHECK(both.put(fresh, vectors(fresh.size(), dims, random), nullptr, false).ok());
        CHECK_EQ(both.remove(gone), size_t{0});
        CHECK_EQ(index.revision(), revision + 3);
        both.check(queries, {});
        both.check(queries, {20, -2, filter});
        IndexFilter few;
        few.some_keys = true;
        few.only = {gone[0], changed[0], changed[1], fresh[0], fresh[1], 59999};
        both.check(queries, {20, -2, few});
        CHECK(index.save(path, nullptr).ok());  // over the file that is mapped
        both.check(queries, {});
        if (generation == 2) {
          std::vector<int64_t> all;
          for (const auto& [key, entry] : model) all.push_back(key);
          CHECK_EQ(both.remove(all), all.size());
          both.check(queries, {});
          CHECK(both.put({1, 2}, vectors(2, dims, random), nullptr, false).ok());
          both.check(queries, {});
          CHECK(index.save(path, nullptr).ok());
        }
      }
    }
  }
}

TEST(an_empty_index_has_a_snapshot) {
  const Folder folder;
  Executor executor(1);
  VectorIndex index(2, IndexPrecision::kHalf);
  CHECK(index.save(folder / "empty", nullptr).ok());
  for (const SnapshotMode mode : kModes) {
    const auto again = VectorIndex::open(folder / "empty", mode, executor, nullptr);
    CHECK(again.ok());
    if (again.ok()) CHECK_EQ(again.value()->size(), size_t{0});
  }
}

TEST(snapshots_have_known_bytes) {
  const Folder folder;
  Executor executor(1);
  VectorIndex index(2, IndexPrecision::kExact);
  const int64_t keys[] = {9, 4};
  const float values[] = {3, 4, 0, -2};
  const uint32_t groups[] = {7, 1};
  CHECK(index.put(keys, values, groups, 2, false, executor, nullptr).ok());
  CHECK(index.save(folder / "file", nullptr).ok());
  const std::vector<uint8_t> bytes = bytes_of(folder / "file");
  CHECK_EQ(bytes.size(), size_t{5 * 4096});
  const std::vector<uint8_t> header = {'L', 'N', 'M', 'T', 'I', 'D', 'X', '\n', 1, 0, 0, 0,
                                       13,  12,  11,  10,  2,   0,   0,   0,    1, 0, 0, 0};
  CHECK(std::equal(header.begin(), header.end(), bytes.begin()));
  const std::vector<uint8_t> two_keys = {4, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0};
  CHECK(std::equal(two_keys.begin(), two_keys.end(), bytes.begin() + 4096));
  const std::vector<uint8_t> two_groups = {1, 0, 0, 0, 7, 0, 0, 0};
  CHECK(std::equal(two_groups.begin(), two_groups.end(), bytes.begin() + 4096 + 64));
  const size_t at = 8192 + SegmentLayout(2, IndexPrecision::kExact, 2).vectors - 4096;
  const float stored[] = {0, -1, 0.6F, 0.8F};
  CHECK(std::memcmp(stored, bytes.data() + at, sizeof(stored)) == 0);
  CHECK(std::memcmp("LNMTEND\n", bytes.data() + 4 * 4096, 8) == 0);
  // The same vectors give the same file, whatever way they came.
  VectorIndex other(2, IndexPrecision::kExact);
  CHECK(other.put(keys, values + 2, groups, 1, false, executor, nullptr).ok());
  CHECK(other.put(keys, values, groups, 2, true, executor, nullptr).ok());
  CHECK(other.save(folder / "other", nullptr).ok());
  std::vector<uint8_t> again = bytes_of(folder / "other");
  put<uint64_t>(&again, 4 * 4096 + 16, 1);  // its revision is another
  sign(&again, 4 * 4096);
  CHECK(again == bytes);
}

TEST(what_is_cut_short_is_refused) {
  const Folder folder;
  const std::vector<uint8_t> good = small_file(folder);
  CHECK(opened(folder, good) == Code::kOk);
  for (size_t size = 0; size < good.size(); size += size < 300 ? 1 : size % 4096 == 0 ? 37 : 4096 - size % 4096) {
    for (const SnapshotMode mode : kModes) {
      CHECK(opened(folder, {good.begin(), good.begin() + static_cast<long>(size)}, mode) == Code::kStoreCorrupt);
    }
  }
  std::vector<uint8_t> longer = good;
  longer.push_back(0);
  CHECK(opened(folder, longer) == Code::kStoreCorrupt);
  longer.resize(good.size() + 4096);
  CHECK(opened(folder, longer) == Code::kStoreCorrupt);
}

TEST(every_changed_byte_is_found_out) {
  const Folder folder;
  const std::vector<uint8_t> good = small_file(folder);
  const SegmentLayout layout(20, IndexPrecision::kExact, 700);
  const size_t rest = 4096 + layout.head, rest_end = 4096 + layout.bytes;
  std::mt19937 random(4);
  for (int i = 0; i < 1000; ++i) {
    const size_t at = i < 64 ? static_cast<size_t>(i) : random() % good.size();
    std::vector<uint8_t> bad = good;
    bad[at] = static_cast<uint8_t>(bad[at] ^ (1 << random() % 8));
    if (at >= rest && at < rest_end) {
      if (i % 10 > 0) continue;
      CHECK(opened(folder, bad, SnapshotMode::kMap) == Code::kOk);  // not looked at yet
      Executor executor(1);
      const auto index = VectorIndex::open(folder / "changed", SnapshotMode::kMap, executor, nullptr);
      CHECK(index.value()->verify(nullptr).code() == Code::kStoreCorrupt);
    } else {
      CHECK(opened(folder, bad, SnapshotMode::kMap) == Code::kStoreCorrupt);
    }
    CHECK(opened(folder, bad, SnapshotMode::kLoad) == Code::kStoreCorrupt);
  }
}

TEST(what_is_not_ours_is_refused) {
  const Folder folder;
  const std::vector<uint8_t> good = small_file(folder);
  const size_t trailer = good.size() - 4096, table = trailer - 4096;
  CHECK(opened(folder, std::vector<uint8_t>(20000, 'x')) == Code::kStoreCorrupt);
  std::vector<uint8_t> bad = good;
  put<uint32_t>(&bad, 8, 2);
  sign(&bad, 0);
  CHECK(opened(folder, bad) == Code::kStoreVersion);
  put<uint32_t>(&bad, 8, 0);
  sign(&bad, 0);
  CHECK(opened(folder, bad) == Code::kStoreVersion);
  bad = good;
  put<uint32_t>(&bad, 12, 0x0D0C0B0A);
  sign(&bad, 0);
  CHECK(opened(folder, bad) == Code::kStoreCorrupt);
  // Impossible counts with check sums that fit.
  for (const auto& [at, value] : std::vector<std::pair<size_t, uint32_t>>{
           {16, 0}, {16, 1}, {16, 4097}, {16, 0xffffffff}, {16, 21}, {16, 2000}, {20, 0}, {20, 2}, {20, 4}, {20, 77}}) {
    bad = good;
    put<uint32_t>(&bad, at, value);
    sign(&bad, 0);
    CHECK(opened(folder, bad) == Code::kStoreCorrupt);
  }
  for (size_t field = 1; field < 8; ++field) {
    if (field == 2) continue;  // any revision will do
    for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{41}, uint64_t{1} << 20, uint64_t{1} << 40,
                                 uint64_t{1} << 63, ~uint64_t{0}, ~uint64_t{0} - 4095, uint64_t{0} - 4096}) {
      bad = good;
      uint64_t now;
      std::memcpy(&now, bad.data() + trailer + 8 * field, 8);
      if (now == value) continue;
      put<uint64_t>(&bad, trailer + 8 * field, value);
      sign(&bad, trailer);
      CHECK(opened(folder, bad) == Code::kStoreCorrupt);
    }
  }
  for (size_t field = 0; field < 4; ++field) {
    for (const uint64_t value : {uint64_t{0}, uint64_t{1}, uint64_t{699}, uint64_t{701}, uint64_t{1} << 20,
                                 uint64_t{1} << 62, uint64_t{1} << 63, ~uint64_t{0}}) {
      bad = good;
      put<uint64_t>(&bad, table + 8 * field, value);
      put<uint64_t>(&bad, trailer + 48, xxh64(bad.data() + table, 4096));
      sign(&bad, trailer);
      CHECK(opened(folder, bad) == Code::kStoreCorrupt);
    }
  }
  // Keys that fall, come twice, or are impossible, with check sums that fit.
  const SegmentLayout layout(20, IndexPrecision::kExact, 700);
  for (const auto& [row, key] : std::vector<std::pair<size_t, int64_t>>{
           {0, 4}, {0, -1}, {5, 1000000}, {5, -5}, {6, 28}, {699, int64_t{1} << 53}, {699, INT64_MAX}}) {
    bad = good;
    put<int64_t>(&bad, 4096 + 8 * row, key);
    put<uint64_t>(&bad, table + 24, xxh64(bad.data() + 4096, layout.head));
    put<uint64_t>(&bad, trailer + 48, xxh64(bad.data() + table, 4096));
    sign(&bad, trailer);
    CHECK(opened(folder, bad) == Code::kStoreCorrupt);
  }
  Executor executor(1);
  const auto code = [&](const std::string& path) {
    return VectorIndex::open(path, SnapshotMode::kMap, executor, nullptr).status().code();
  };
  CHECK(code(folder / "is-not-there") == Code::kStoreCorrupt);
  CHECK(code(folder.path.string()) == Code::kStoreCorrupt);
  write(folder / "nothing", {});
  CHECK(code(folder / "nothing") == Code::kStoreCorrupt);
}

TEST(a_writer_that_fails_leaves_the_old_file) {
  const Folder folder;
  const std::vector<uint8_t> good = small_file(folder);
  Executor executor(2);
  std::mt19937 random(9);
  VectorIndex index(64, IndexPrecision::kInt8);
  std::vector<int64_t> keys(40000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  const std::vector<float> values = vectors(keys.size(), 64, random);
  CHECK(index.put(keys.data(), values.data(), nullptr, keys.size(), false, executor, nullptr).ok());
  CHECK(index.save(folder / "no/such/folder", nullptr).code() == Code::kStoreFailed);
  CHECK(index.save(folder.path.string(), nullptr).code() == Code::kStoreFailed);
  CancelToken cancelled;
  cancelled.cancel();
  CHECK(index.save(folder / "small", &cancelled).code() == Code::kAborted);
  // A disk that is full after a megabyte: to this process a limit on the length of files looks the same.
  rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit before = limit;
  std::signal(SIGXFSZ, SIG_IGN);
  limit.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_FSIZE, &limit);
  const Status full = index.save(folder / "small", nullptr);
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK(full.code() == Code::kStoreFull);
  CHECK(bytes_of(folder / "small") == good);
  CHECK_EQ(folder.files(), size_t{1});
  CHECK(index.save(folder / "small", nullptr).ok());
  const auto again = VectorIndex::open(folder / "small", SnapshotMode::kLoad, executor, nullptr);
  CHECK(again.ok());
  if (again.ok()) CHECK_EQ(again.value()->size(), keys.size());
}

TEST(a_writer_that_is_killed_leaves_a_whole_file) {
  const Folder folder;
  const std::string path = folder / "index";
  std::mt19937 random(10);
  std::vector<int64_t> keys(3000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  const std::vector<float> values = vectors(keys.size(), 64, random);
  std::set<uint64_t> seen;
  for (int kill_at = 0; kill_at < 25; ++kill_at) {
    const pid_t child = fork();
    if (child == 0) {
      Executor executor(1);
      VectorIndex index(64, IndexPrecision::kHalf);
      for (size_t n = 1;; n = n % 100 + 1) {
        if (!index.put(keys.data(), values.data(), nullptr, 30 * n, true, executor, nullptr).ok()) _exit(2);
        if (!index.save(path, nullptr).ok()) _exit(3);
      }
    }
    usleep(static_cast<useconds_t>(3000 + random() % 40000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
    if (!std::filesystem::exists(path)) continue;
    Executor executor(1);
    const auto index = VectorIndex::open(path, SnapshotMode::kLoad, executor, nullptr);
    CHECK_EQ(index.status().message(), "");
    if (index.ok()) seen.insert(index.value()->revision());
  }
  CHECK(!seen.empty());
}

TEST(saving_holds_one_revision_while_others_change) {
  const Folder folder;
  Executor executor(2);
  std::mt19937 random(12);
  VectorIndex index(32, IndexPrecision::kExact);
  std::atomic<bool> stop{false};
  // Key 2i and 2i + 1 have one vector; pairs are changed together.
  std::thread writer([&] {
    std::mt19937 mine(13);
    while (!stop) {
      const int64_t pair = mine() % 2000;
      const int64_t keys[] = {2 * pair, 2 * pair + 1};
      std::vector<float> values = vectors(1, 32, mine);
      values.resize(64);
      std::copy_n(values.begin(), 32, values.begin() + 32);
      if (mine() % 4 == 0) {
        if (!index.remove(keys, 2).ok()) std::abort();
      } else if (!index.put(keys, values.data(), nullptr, 2, true, executor, nullptr).ok()) {
        std::abort();
      }
    }
  });
  for (int i = 0; i < 20; ++i) {
    CHECK(index.save(folder / "index", nullptr).ok());
    const auto copy = VectorIndex::open(folder / "index", SnapshotMode::kLoad, executor, nullptr);
    CHECK(copy.ok());
    if (!copy.ok()) continue;
    const std::vector<float> query = vectors(1, 32, random);
    std::vector<std::vector<Hit>> hits;
    CHECK(copy.value()->search(query.data(), 1, {kMostHits, -2, {}}, executor, nullptr, &hits).ok());
    std::map<int64_t, double> scores;
    for (const Hit& hit : hits[0]) scores.emplace(hit.key, hit.score);
    CHECK_EQ(scores.size(), copy.value()->size());
    for (const auto& [key, score] : scores) CHECK(scores.contains(key ^ 1) && scores[key ^ 1] == score);
  }
  stop = true;
  writer.join();
}

TEST_MAIN()
