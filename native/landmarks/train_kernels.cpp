#include "landmarks/train_kernels.h"

#include "core/cpu.h"

namespace lineament {
namespace {

void test(const uint8_t* first, const uint8_t* second, const uint8_t* inside, int least, uint8_t bit, size_t count,
          uint8_t* codes) {
  if (least > 255) return;
  if (least > 0) {
    const auto limit = static_cast<uint8_t>(least);
    for (size_t i = 0; i < count; ++i) {
      const uint8_t a = first[i], b = second[i];
      const auto above = static_cast<uint8_t>((a > b ? a : b) - b);
      codes[i] = static_cast<uint8_t>(codes[i] | ((above >= limit ? bit : 0) & inside[i]));
    }
  } else {
    const auto limit = static_cast<uint8_t>(-least);
    for (size_t i = 0; i < count; ++i) {
      const uint8_t a = first[i], b = second[i];
      const auto below = static_cast<uint8_t>((b > a ? b : a) - a);
      codes[i] = static_cast<uint8_t>(codes[i] | ((below <= limit ? bit : 0) & inside[i]));
    }
  }
}

// Rows never overlap, and the loop must reach the vectoriser as a loop: otherwise GCC adds one float at a time.
inline void add_row(float* __restrict to, const float* __restrict row) {
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC unroll 1
#endif
  for (size_t k = 0; k < kTrainLanes; ++k) to[k] += row[k];
}

void add(const float* rows, const uint16_t* const* words, float* const* cells, size_t groups, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    for (size_t g = 0; g < groups; ++g) add_row(cells[g] + words[g][i] * kTrainLanes, rows + i * kTrainLanes);
  }
}

void fold(float* cells, size_t bits, float* left, float* total) {
  for (size_t bit = bits; bit-- > 0;) {
    const size_t half = (size_t{1} << bit) * kTrainLanes;
    float* sum = left + bit * kTrainLanes;
    for (size_t k = 0; k < kTrainLanes; ++k) sum[k] = 0;
    for (size_t at = 0; at < half; at += kTrainLanes) {
      add_row(sum, cells + half + at);
      add_row(cells + at, cells + half + at);
    }
  }
  for (size_t k = 0; k < kTrainLanes; ++k) total[k] = cells[k];
}

void subtract(float* rows, const uint16_t* words, const float* leaves, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    float* __restrict row = rows + i * kTrainLanes;
    const float* __restrict leaf = leaves + words[i] * kTrainLanes;
    for (size_t k = 0; k < kTrainLanes; ++k) row[k] -= leaf[k];
  }
}

}  // namespace

const TrainKernels kTrainKernelsScalar = {test, add, fold, subtract};

const TrainKernels& train_kernels() {
  static const TrainKernels table = [] {
    TrainKernels made = kTrainKernelsScalar;
#if defined(__x86_64__) || defined(_M_X64)
    const Simd level = active_simd();
    if (level == Simd::kAvx2 || level == Simd::kAvx512) train_kernels_avx2(&made);
#elif defined(__aarch64__) || defined(_M_ARM64)
    if (active_simd() == Simd::kNeon) train_kernels_neon(&made);
#endif
    return made;
  }();
  return table;
}

}  // namespace lineament
