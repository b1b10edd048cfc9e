// Galleries of made-up vectors for search_bench.cpp.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/huge_pages.h"
#include "search/scan.h"

namespace lineament::bench {

inline constexpr size_t kBlock = 8192;

inline double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A small generator (splitmix64) whose normal deviates are sums of twelve uniform ones.
struct Random {
  uint64_t state;
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  float normal() {
    int sum = 0;
    for (int part = 0; part < 3; ++part) {
      const uint64_t bits = next();
      sum += static_cast<int>(bits & 0xffff) + static_cast<int>(bits >> 16 & 0xffff) +
             static_cast<int>(bits >> 32 & 0xffff) + static_cast<int>(bits >> 48);
    }
    return static_cast<float>(sum - 12 * 32768 + 6) * (1 / 65536.0f);
  }
};

// Vector `row` of a gallery; queries are rows from 2^40 on. Clusters are the same for both.
inline void make_vector(const std::string& kind, uint64_t row, size_t rows, size_t dims, float* out) {
  Random own{row * 0x2545f4914f6cdd1du + 12345};
  if (kind == "clustered") {
    const uint64_t clusters = std::max<uint64_t>(1, rows / 20);
    const uint64_t cluster = row < uint64_t{1} << 40 ? row % clusters : own.next() % clusters;
    Random centre{cluster * 0x9e6c63d0876a9a35u + 777};
    for (size_t i = 0; i < dims; ++i) out[i] = centre.normal() + 0.8f * own.normal();
  } else {
    const size_t alive = kind == "impostors" ? std::min<size_t>(dims, 278) : dims;
    for (size_t i = 0; i < dims; ++i) out[i] = i < alive ? own.normal() : 0;
  }
  normalise(out, dims, out);
}

inline void in_threads(size_t threads, size_t count, const std::function<void(size_t, size_t)>& part) {
  std::vector<std::thread> team;
  for (size_t t = 0; t < threads; ++t) {
    team.emplace_back([&, t] { part(count * t / threads, count * (t + 1) / threads); });
  }
  for (std::thread& thread : team) thread.join();
}

class Gallery : public BlockSource {
 public:
  Gallery(const std::string& kind, size_t row_count, size_t dims, size_t threads)
      : rows(row_count),
        coder(dims),
        floats(rows * dims),
        high_(rows * coder.stride()),
        low_(rows * coder.stride()),
        coarse_(rows),
        middle_(rows),
        fine_(rows),
        keys_(rows) {
    in_threads(threads, rows, [&](size_t begin, size_t end) {
      for (size_t r = begin; r < end; ++r) make_vector(kind, r, rows, dims, floats.data() + r * dims);
    });
    const double began = now_ms();
    const size_t stride = coder.stride();
    in_threads(threads, rows, [&](size_t begin, size_t end) {
      std::vector<float> scratch(2 * stride);
      for (size_t r = begin; r < end; ++r) {
        keys_[r] = static_cast<int64_t>(r);
        coder.encode(floats.data() + r * dims, CodeTruth::kVector, high_.data() + r * stride, low_.data() + r * stride,
                     &coarse_[r], &middle_[r], &fine_[r], scratch.data());
      }
    });
    encode_ms = now_ms() - began;
  }

  size_t blocks() const override { return (rows + kBlock - 1) / kBlock; }
  bool open(size_t block, BlockView* view) override {
    const size_t begin = block * kBlock, stride = coder.stride();
    *view = {std::min(kBlock, rows - begin),
             high_.data() + begin * stride,
             low_.data() + begin * stride,
             coarse_.data() + begin,
             middle_.data() + begin,
             fine_.data() + begin,
             floats.data() + begin * coder.dims(),
             StoredVectors::kFloat32,
             keys_.data() + begin,
             nullptr};
    return true;
  }

  const size_t rows;
  const VectorCoder coder;
  Table<float> floats;
  double encode_ms = 0;

 private:
  Table<uint8_t> high_, low_;
  Table<CodeBound> coarse_, middle_, fine_;
  Table<int64_t> keys_;
};

}  // namespace lineament::bench
