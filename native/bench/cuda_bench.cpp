// The index on a CUDA device beside the one on the processor, over the same vectors: times, and whether they agree.
//   cuda_bench LIBRARY [ROWS] [DIMS] [ROUNDS]       prints JSON; {"skipped": why} where there is no device
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/cpu.h"
#include "core/spread.h"
#include "search/cuda_index.h"
#include "search/index.h"

using namespace lineament;

namespace {

double now() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Nearly normal: the sum of four bytes. The same numbers for the same row (splitmix64: G. Steele et al., Fast
// splittable pseudorandom number generators, 2014).
void fill(float* row, size_t dims, uint64_t seed) {
  uint64_t state = seed * 0x9e3779b97f4a7c15u;
  for (size_t d = 0; d < dims; ++d) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    row[d] = static_cast<float>((z & 255) + (z >> 8 & 255) + (z >> 16 & 255) + (z >> 24 & 255)) - 510.0f;
  }
}

[[noreturn]] void fail(const Status& status) {
  std::fprintf(stderr, "%s\n", status.message().c_str());
  std::exit(1);
}

void check(const Status& status) {
  if (!status.ok()) fail(status);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string library = argc > 1 ? argv[1] : "build/Release/liblineament_cuda.so";
  const auto number = [&](int at, size_t otherwise) {
    return argc > at ? std::strtoull(argv[at], nullptr, 10) : otherwise;
  };
  const size_t rows = number(2, 1000000), dims = number(3, 512), rounds = number(4, 9);
  const CudaReport report = cuda_report(library);
  if (report.state != CudaState::kReady || report.reference) {
    const std::string why = report.reference ? "the reference has no device" : report.problem;
    std::printf("{\"skipped\": \"no device: %s\"}\n", why.c_str());
    return 0;
  }
  Executor executor(static_cast<size_t>(usable_cores()));
  auto made = CudaIndex::make(library, 0, dims, 0);
  if (!made.ok()) fail(made.status());
  CudaIndex& device = *made.value();
  VectorIndex host(dims, IndexPrecision::kExact);

  constexpr size_t kPart = 50000;
  std::vector<float> part(std::min(rows, kPart) * dims);
  double adding_device = 0, adding_host = 0;
  for (size_t begin = 0; begin < rows; begin += kPart) {
    const size_t count = std::min(kPart, rows - begin);
    std::vector<int64_t> keys(count);
    for (size_t i = 0; i < count; ++i) keys[i] = static_cast<int64_t>(begin + i);
    check(spread(executor, executor.threads(), [&](size_t p) {
      const size_t parts = executor.threads();
      for (size_t i = count * p / parts; i < count * (p + 1) / parts; ++i) fill(&part[i * dims], dims, begin + i + 1);
      return Status();
    }));
    double started = now();
    check(device.put(keys.data(), part.data(), nullptr, count, false, executor, nullptr));
    adding_device += now() - started;
    started = now();
    check(host.put(keys.data(), part.data(), nullptr, count, false, executor, nullptr));
    adding_host += now() - started;
  }
  std::printf("{\"device\": \"%s\", \"rows\": %zu, \"dims\": %zu, \"threads\": %zu, \"deviceBytes\": %zu,\n",
              report.devices[0].name.c_str(), rows, dims, executor.threads(), device.device_bytes());
  std::printf(" \"addDevicePerSecond\": %.0f, \"addHostPerSecond\": %.0f, \"searches\": [",
              static_cast<double>(rows) / adding_device * 1000, static_cast<double>(rows) / adding_host * 1000);
  bool first = true;
  for (const size_t count : {size_t{1}, size_t{16}, size_t{256}}) {
    for (const double threshold : {-2.0, 0.4}) {
      IndexSearch search;
      search.threshold = threshold;
      std::vector<float> queries(count * dims);
      std::vector<double> on_device, on_host;
      size_t differences = 0;
      const SearchWork before = device.work();
      for (size_t round = 0; round <= rounds; ++round) {  // the first one warms up
        for (size_t q = 0; q < count; ++q) fill(&queries[q * dims], dims, (round * count + q + 1) << 40);
        std::vector<std::vector<Hit>> a, b;
        double started = now();
        check(device.search(queries.data(), count, search, executor, nullptr, &a));
        if (round > 0) on_device.push_back(now() - started);
        started = now();
        check(host.search(queries.data(), count, search, executor, nullptr, &b));
        if (round > 0) on_host.push_back(now() - started);
        for (size_t q = 0; q < count; ++q) {
          bool same = a[q].size() == b[q].size();
          for (size_t i = 0; same && i < a[q].size(); ++i) {
            same = a[q][i].key == b[q][i].key && a[q][i].score == b[q][i].score;
          }
          differences += same ? 0 : 1;
        }
      }
      const double asked = static_cast<double>(count * (rounds + 1));
      std::printf(
          "%s\n  {\"queries\": %zu, \"threshold\": %g, \"deviceMs\": %.4f, \"hostMs\": %.4f, "
          "\"scoredPerQuery\": %.1f, \"differences\": %zu}",
          first ? "" : ",", count, threshold, median(on_device), median(on_host),
          static_cast<double>(device.work().scored - before.scored) / asked, differences);
      first = false;
    }
  }
  std::printf("\n]}\n");
  return 0;
}
