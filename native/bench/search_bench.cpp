// The search beside its peers, driven line by line, so that a caller can let several programs take turns: each line on
// stdin is a command, each answer one line of JSON on stdout. Everything that can be is measured over one gallery in
// memory.
//
// Usage: search_bench KIND ROWS DIMS QUERIES THREADS [VECTORS]
//   KIND     random     normal deviates
//            clustered  ROWS / 20 centres, 20 vectors around each, about 0.6 apart in cosine
//            impostors  normal deviates in 278 dimensions: cosines of 0 ± 0.06
//   VECTORS  path: the floats are written there (for peers in other processes), the queries to VECTORS.queries
// Commands (COUNT: queries from the start, one after the other; times are medians in ms per query):
//   stream             reads the float gallery once        topk COUNT       10 best, one query at a time
//   above COUNT TAU    all above a threshold               top1 COUNT TAU   the best above it
//   batch COUNT        10 best, all queries at once        oracle COUNT     compares with sums in double
//   peak               int8 multiply-adds per second       faiss COUNT BATCH THREADS
// Or: search_bench --mapped FILE ROWS DIMS QUERIES THREADS   a gallery of codes alone, made block by block and then
// mapped.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#if defined(__unix__)
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>
#endif

#include "bench/search_gallery.h"
#include "core/cpu.h"
#include "core/mapped_file.h"
#include "search/scan.h"
#ifdef LINEAMENT_WITH_FAISS
#include "bench/faiss_peer.h"
#endif

using namespace lineament;
using namespace lineament::bench;

namespace {

constexpr size_t kBest = 10;

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Reads floats as fast as the machine gives them: sums of 64-bit words in eight independent chains for each thread.
double stream_once(const float* floats, size_t count, size_t threads) {
  const double began = now_ms();
  std::atomic<uint64_t> total{0};
  in_threads(threads, count / 1024, [&](size_t begin, size_t end) {
    const char* p = reinterpret_cast<const char*>(floats) + begin * 4096;
    uint64_t sums[16] = {};
    for (const char* last = p + (end - begin) * 4096; p < last; p += 128) {
      uint64_t words[16];
      std::memcpy(words, p, 128);
      for (int k = 0; k < 16; ++k) sums[k] += words[k];
    }
    uint64_t sum = 0;
    for (const uint64_t part : sums) sum += part;
    total += sum;
  });
  const double spent = now_ms() - began;
  return total == 0 ? spent + 1e-9 : spent;  // the sum is used
}

#if defined(__x86_64__) && defined(__GNUC__)
#define LINEAMENT_PEAK 1
#define LINEAMENT_STEP(n)                    \
  "vpmaddubsw %%ymm14, %%ymm15, %%ymm13\n\t" \
  "vpaddw %%ymm13, %%ymm" #n ", %%ymm" #n "\n\t"
#define LINEAMENT_DOT(n) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #n "\n\t"
// Multiply-adds of bytes in one thousand million a second, over registers alone: VNNI's where the search uses it,
// otherwise the pair of instructions that its tiles are made of.
double peak_of(bool vnni, double ms) {
  const double began = now_ms();
  double spent = 0;
  uint64_t turns = 0;
  do {
    for (int i = 0; i < 2000; ++i) {
      if (vnni) {
        asm volatile(LINEAMENT_DOT(0) LINEAMENT_DOT(1) LINEAMENT_DOT(2) LINEAMENT_DOT(3) LINEAMENT_DOT(4)
                         LINEAMENT_DOT(5) LINEAMENT_DOT(6) LINEAMENT_DOT(7) LINEAMENT_DOT(8) LINEAMENT_DOT(9)
                             LINEAMENT_DOT(10) LINEAMENT_DOT(11)::
                                 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                                   "xmm10", "xmm11");
      } else {
        asm volatile(LINEAMENT_STEP(0) LINEAMENT_STEP(1) LINEAMENT_STEP(2) LINEAMENT_STEP(3) LINEAMENT_STEP(4)
                         LINEAMENT_STEP(5) LINEAMENT_STEP(6) LINEAMENT_STEP(7) LINEAMENT_STEP(8) LINEAMENT_STEP(9)
                             LINEAMENT_STEP(10) LINEAMENT_STEP(11)::
                                 : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",
                                   "xmm10", "xmm11", "xmm13");
      }
    }
    ++turns;
    spent = now_ms() - began;
  } while (spent < ms);
  asm volatile("vzeroupper");
  return static_cast<double>(turns) * 2000 * 12 * (vnni ? 64 : 32) / spent * 1e-6;
}
#endif

std::string peak(size_t threads) {
  std::ostringstream out;
#ifdef LINEAMENT_PEAK
  bool vnni = false, avx2 = active_simd() == Simd::kAvx2 || active_simd() == Simd::kAvx512;
  for (const std::string& feature : cpu_features()) {
    vnni = vnni || (feature == "avx512vnni" && active_simd() == Simd::kAvx512);
  }
  if (avx2) {
    std::vector<double> each(threads);
    in_threads(threads, threads, [&](size_t begin, size_t) { each[begin] = peak_of(vnni, 150); });
    double sum = 0;
    for (const double one : each) sum += one;
    out << "{\"gmacs\":" << sum << ",\"instruction\":\"" << (vnni ? "vpdpbusd" : "vpmaddubsw + vpaddw") << "\"}";
    return out.str();
  }
#endif
  (void)threads;
  return "{}";
}

// What comparing with every vector finds. A first look in float keeps every row that could belong to the best: a sum of
// n products of unit vectors in float is within n·2^-24·1.01 of the true one. Double sums decide.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx2", "default")))
#endif
void float_scores(const float* rows, size_t count, const float* query, size_t dims, float* out) {
  for (size_t r = 0; r < count; ++r, rows += dims) {
    float sums[32] = {};
    size_t i = 0;
    for (; i + 32 <= dims; i += 32) {
      for (size_t k = 0; k < 32; ++k) sums[k] += rows[i + k] * query[i + k];
    }
    float sum = 0;
    for (; i < dims; ++i) sum += rows[i] * query[i];
    for (const float part : sums) sum += part;
    out[r] = sum;
  }
}

std::vector<Hit> oracle(Gallery& gallery, const float* query) {
  const size_t dims = gallery.coder.dims();
  std::vector<float> scores(gallery.rows);
  float_scores(gallery.floats.data(), gallery.rows, query, dims, scores.data());
  std::vector<float> order = scores;
  const size_t k = std::min(kBest, gallery.rows);
  std::nth_element(order.begin(), order.begin() + static_cast<long>(k - 1), order.end(), std::greater<float>());
  const float least = order[k - 1] - static_cast<float>(2.1 * static_cast<double>(dims) * 0x1p-24);
  std::vector<Hit> hits;
  for (size_t r = 0; r < gallery.rows; ++r) {
    if (scores[r] < least) continue;
    double sum = 0;
    for (size_t i = 0; i < dims; ++i) sum += static_cast<double>(gallery.floats[r * dims + i]) * query[i];
    hits.push_back({static_cast<int64_t>(r), sum});
  }
  std::sort(hits.begin(), hits.end(),
            [](const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.key < b.key; });
  hits.resize(std::min(hits.size(), k));
  return hits;
}

struct Bench {
  Gallery& gallery;
  std::vector<float> queries;
  size_t threads;
  Executor executor;
  void* faiss = nullptr;

  Bench(Gallery& with, std::vector<float> of, size_t team)
      : gallery(with), queries(std::move(of)), threads(team), executor(team) {}

  size_t dims() const { return gallery.coder.dims(); }
  size_t count(size_t wanted) const { return std::min(wanted, queries.size() / dims()); }

  std::vector<std::vector<Hit>> find(size_t from, size_t number, const SearchOptions& options) {
    std::vector<std::vector<Hit>> hits;
    const Status status =
        search_blocks(gallery.coder, gallery, queries.data() + from * dims(), number, options, executor, &hits);
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
    return hits;
  }

  std::string one_by_one(size_t wanted, size_t k, double threshold) {
    SearchWork work;
    SearchOptions options;
    options.k = k;
    options.threshold = threshold;
    options.threads = threads;
    options.work = &work;
    std::vector<double> times;
    size_t hits = 0;
    for (size_t q = 0; q < count(wanted); ++q) {
      const double began = now_ms();
      hits += find(q, 1, options)[0].size();
      times.push_back(now_ms() - began);
    }
    std::ostringstream out;
    const double number = static_cast<double>(times.size());
    out << "{\"ms\":" << median(times) << ",\"refined\":" << static_cast<double>(work.refined) / number
        << ",\"scored\":" << static_cast<double>(work.scored) / number
        << ",\"hits\":" << static_cast<double>(hits) / number << "}";
    return out.str();
  }

  std::string batch(size_t wanted) {
    SearchOptions options;
    options.threads = threads;
    const double began = now_ms();
    find(0, count(wanted), options);
    const double ms = (now_ms() - began) / static_cast<double>(count(wanted));
    std::ostringstream out;
    out << "{\"ms\":" << ms << ",\"gmacs\":" << static_cast<double>(gallery.rows * dims()) / ms * 1e-6 << "}";
    return out.str();
  }

  std::string compare(size_t wanted) {
    SearchOptions options;
    options.threads = threads;
    std::atomic<size_t> same{0};
    std::vector<std::vector<Hit>> ours;  // half of them one by one, half as a batch
    for (size_t q = 0; q < count(wanted) / 2; ++q) ours.push_back(find(q, 1, options)[0]);
    for (auto& hits : find(ours.size(), count(wanted) - ours.size(), options)) ours.push_back(std::move(hits));
    in_threads(threads, ours.size(), [&](size_t begin, size_t end) {
      for (size_t q = begin; q < end; ++q) {
        const std::vector<Hit> truth = oracle(gallery, queries.data() + q * dims());
        bool equal = truth.size() == ours[q].size();
        for (size_t i = 0; equal && i < truth.size(); ++i) {
          equal = truth[i].key == ours[q][i].key && std::abs(truth[i].score - ours[q][i].score) < 1e-12;
        }
        same += equal ? 1 : 0;
      }
    });
    std::ostringstream out;
    out << "{\"queries\":" << ours.size() << ",\"identical\":" << same.load() << "}";
    return out.str();
  }

  std::string peer([[maybe_unused]] size_t wanted, [[maybe_unused]] bool whole, [[maybe_unused]] int team) {
#ifdef LINEAMENT_WITH_FAISS
    if (faiss == nullptr) faiss = faiss_peer_make(gallery.floats.data(), gallery.rows, dims());
    const size_t number = count(wanted);
    std::vector<float> scores(number * kBest);
    std::vector<int64_t> keys(number * kBest);
    std::vector<double> times;
    for (size_t q = 0; q < number; q += whole ? number : 1) {
      const double began = now_ms();
      faiss_peer_search(faiss, queries.data() + q * dims(), whole ? number : 1, kBest, team, scores.data(),
                        keys.data());
      times.push_back((now_ms() - began) / static_cast<double>(whole ? number : 1));
    }
    std::ostringstream out;
    out << "{\"ms\":" << median(times) << "}";
    return out.str();
#else
    return "{}";
#endif
  }

  std::string answer(const std::string& line) {
    std::istringstream in(line);
    std::string command;
    size_t number = 1;
    double threshold = 0;
    in >> command;
    if (command == "stream") {
      return "{\"ms\":" + std::to_string(stream_once(gallery.floats.data(), gallery.rows * dims(), threads)) + "}";
    }
    if (command == "peak") return peak(threads);
    in >> number;
    if (command == "topk") return one_by_one(number, kBest, -2);
    if (command == "batch") return batch(number);
    if (command == "oracle") return compare(number);
    if (command == "faiss") {
      int whole = 0, team = 1;
      in >> whole >> team;
      return peer(number, whole != 0, team);
    }
    in >> threshold;
    if (command == "above") return one_by_one(number, 100000, threshold);
    if (command == "top1") return one_by_one(number, 1, threshold);
    return "{}";
  }
};

// A gallery of codes alone in one file: blocks of kBlock rows, each the arrays of a BlockView one after another.
class Mapped : public BlockSource {
 public:
  Mapped(const uint8_t* data, size_t row_count, size_t dims)
      : data_(data), rows_(row_count), stride_(plane_stride(dims)) {}
  static size_t row_bytes(size_t stride) { return 2 * stride + 3 * sizeof(CodeBound) + sizeof(int64_t); }
  size_t blocks() const override { return rows_ / kBlock; }
  bool open(size_t block, BlockView* view) override {
    const uint8_t* p = data_ + block * kBlock * row_bytes(stride_);
    view->rows = kBlock;
    view->high = p;
    view->low = p += kBlock * stride_;
    p += kBlock * stride_;
    view->coarse = reinterpret_cast<const CodeBound*>(p);
    view->middle = view->coarse + kBlock;
    view->fine = view->middle + kBlock;
    view->keys = reinterpret_cast<const int64_t*>(view->fine + kBlock);
    return true;
  }

 private:
  const uint8_t* data_;
  size_t rows_, stride_;
};

void write_codes(const std::string& path, size_t rows, size_t dims, size_t threads) {
  const VectorCoder coder(dims);
  const size_t stride = coder.stride(), bytes = kBlock * Mapped::row_bytes(stride);
  std::ofstream(path, std::ios::binary | std::ios::trunc);
  std::atomic<size_t> next{0};
  in_threads(threads, threads, [&](size_t, size_t) {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    std::vector<char> block(bytes);
    std::vector<float> vector(dims), scratch(2 * stride);
    for (size_t b = next++; b < rows / kBlock; b = next++) {
      uint8_t* high = reinterpret_cast<uint8_t*>(block.data());
      uint8_t* low = high + kBlock * stride;
      CodeBound* bounds = reinterpret_cast<CodeBound*>(low + kBlock * stride);
      int64_t* keys = reinterpret_cast<int64_t*>(bounds + 3 * kBlock);
      for (size_t r = 0; r < kBlock; ++r) {
        make_vector("random", b * kBlock + r, rows, dims, vector.data());
        coder.encode(vector.data(), CodeTruth::kFineCode, high + r * stride, low + r * stride, bounds + r,
                     bounds + kBlock + r, bounds + 2 * kBlock + r, scratch.data());
        keys[r] = static_cast<int64_t>(b * kBlock + r);
      }
      file.seekp(static_cast<std::streamoff>(b * bytes));
      file.write(block.data(), static_cast<std::streamsize>(bytes));
    }
  });
}

double resident_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::atof(line.c_str() + 6) / 1024;
  }
  return 0;
}

int mapped(const std::string& path, size_t rows, size_t dims, size_t count, size_t threads) {
  rows = rows / kBlock * kBlock;
  double began = now_ms();
  write_codes(path, rows, dims, threads);
  const double write_s = (now_ms() - began) / 1000;
#if defined(__linux__)
  const int fd = ::open(path.c_str(), O_RDONLY);
  fsync(fd);
  posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);  // so that the first query finds the file on the disk
  close(fd);
#endif
  std::vector<float> queries(count * dims);
  for (size_t q = 0; q < count; ++q) make_vector("random", (uint64_t{1} << 40) + q, rows, dims, &queries[q * dims]);
  const VectorCoder coder(dims);
  Executor executor(threads);
  SearchOptions options;
  options.threads = threads;
  std::vector<std::vector<Hit>> hits;
  const double before = resident_mib();

  began = now_ms();
  Result<MappedFile> file = MappedFile::open(path);
  if (!file.ok()) return 1;
  Mapped source(file.value().data(), rows, dims);
  const double open_ms = now_ms() - began;
  std::vector<double> times;
  for (size_t q = 0; q < count; ++q) {
    began = now_ms();
    if (!search_blocks(coder, source, &queries[q * dims], 1, options, executor, &hits).ok()) return 1;
    times.push_back(now_ms() - began);
  }
  const double first = times.front();
  times.erase(times.begin());
  began = now_ms();
  if (!search_blocks(coder, source, queries.data(), count, options, executor, &hits).ok()) return 1;
  const double batch = (now_ms() - began) / static_cast<double>(count);
  std::printf(
      "{\"rows\":%zu,\"fileMib\":%.0f,\"writeSeconds\":%.1f,\"openMs\":%.3f,\"firstMs\":%.1f,\"ms\":%.2f,"
      "\"batchMs\":%.2f,\"residentMib\":%.0f,\"privateMib\":%.0f}\n",
      rows, static_cast<double>(file.value().size()) / 1048576, write_s, open_ms, first, median(times), batch,
      resident_mib(), before);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc >= 7 && std::strcmp(argv[1], "--mapped") == 0) {
    return mapped(argv[2], std::strtoul(argv[3], nullptr, 10), std::strtoul(argv[4], nullptr, 10),
                  std::strtoul(argv[5], nullptr, 10), std::strtoul(argv[6], nullptr, 10));
  }
  if (argc < 6) return 2;
  const std::string kind = argv[1];
  const size_t rows = std::strtoul(argv[2], nullptr, 10), dims = std::strtoul(argv[3], nullptr, 10);
  const size_t count = std::strtoul(argv[4], nullptr, 10), threads = std::strtoul(argv[5], nullptr, 10);
  Gallery gallery(kind, rows, dims, threads);
  std::vector<float> queries(count * dims);
  for (size_t q = 0; q < count; ++q) make_vector(kind, (uint64_t{1} << 40) + q, rows, dims, &queries[q * dims]);
  if (argc > 6) {
    std::ofstream(argv[6], std::ios::binary)
        .write(reinterpret_cast<const char*>(gallery.floats.data()), static_cast<std::streamsize>(rows * dims * 4));
    std::ofstream(std::string(argv[6]) + ".queries", std::ios::binary)
        .write(reinterpret_cast<const char*>(queries.data()), static_cast<std::streamsize>(queries.size() * 4));
  }
  Bench bench(gallery, std::move(queries), threads);
#ifdef LINEAMENT_WITH_FAISS
  const char* faiss = "true";
#else
  const char* faiss = "false";
#endif
  std::cout << "{\"encodeMs\":" << gallery.encode_ms << ",\"simd\":\"" << simd_name(active_simd())
            << "\",\"faiss\":" << faiss << "}" << std::endl;
  for (std::string line; std::getline(std::cin, line);) std::cout << bench.answer(line) << std::endl;
#ifdef LINEAMENT_WITH_FAISS
  if (bench.faiss != nullptr) faiss_peer_free(bench.faiss);
#endif
  return 0;
}
