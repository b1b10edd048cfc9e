// Kernels for AArch64, where NEON is part of the baseline. Elsewhere this file is empty.
#include "landmarks/train_kernels.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

namespace lineament {
namespace {

// One outcome; for the ends of rows.
uint8_t passes(uint8_t a, uint8_t b, int least) { return a - b >= least ? 255 : 0; }

void test(const uint8_t* first, const uint8_t* second, const uint8_t* inside, int least, uint8_t bit, size_t count,
          uint8_t* codes) {
  if (least > 255) return;
  const uint8x16_t mark = vdupq_n_u8(bit);
  const uint8x16_t limit = vdupq_n_u8(static_cast<uint8_t>(least > 0 ? least : -least));
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    const uint8x16_t a = vld1q_u8(first + i), b = vld1q_u8(second + i);
    const uint8x16_t hit = least > 0 ? vcgeq_u8(vqsubq_u8(a, b), limit) : vcleq_u8(vqsubq_u8(b, a), limit);
    const uint8x16_t set = vandq_u8(hit, vandq_u8(mark, vld1q_u8(inside + i)));
    vst1q_u8(codes + i, vorrq_u8(vld1q_u8(codes + i), set));
  }
  for (; i < count; ++i) {
    codes[i] = static_cast<uint8_t>(codes[i] | (passes(first[i], second[i], least) & bit & inside[i]));
  }
}

struct Row {
  float32x4_t a, b, c, d;
};
Row load(const float* p) { return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)}; }
void store(float* p, const Row& row) {
  vst1q_f32(p, row.a);
  vst1q_f32(p + 4, row.b);
  vst1q_f32(p + 8, row.c);
  vst1q_f32(p + 12, row.d);
}
Row plus(const Row& x, const Row& y) {
  return {vaddq_f32(x.a, y.a), vaddq_f32(x.b, y.b), vaddq_f32(x.c, y.c), vaddq_f32(x.d, y.d)};
}
Row minus(const Row& x, const Row& y) {
  return {vsubq_f32(x.a, y.a), vsubq_f32(x.b, y.b), vsubq_f32(x.c, y.c), vsubq_f32(x.d, y.d)};
}

void add(const float* rows, const uint16_t* const* words, float* const* cells, size_t groups, size_t count) {
  const uint16_t* word[kTrainGroups];
  float* cell[kTrainGroups];
  for (size_t g = 0; g < groups; ++g) {
    word[g] = words[g];
    cell[g] = cells[g];
  }
  for (size_t i = 0; i < count; ++i) {
    const Row row = load(rows + i * kTrainLanes);
    for (size_t g = 0; g < groups; ++g) {
      float* to = cell[g] + word[g][i] * kTrainLanes;
      store(to, plus(load(to), row));
    }
  }
}

void fold(float* cells, size_t bits, float* left, float* total) {
  for (size_t bit = bits; bit-- > 0;) {
    const size_t half = (size_t{1} << bit) * kTrainLanes;
    const float32x4_t zero = vdupq_n_f32(0);
    Row sum = {zero, zero, zero, zero};
    for (size_t at = 0; at < half; at += kTrainLanes) {
      const Row upper = load(cells + half + at);
      sum = plus(sum, upper);
      store(cells + at, plus(load(cells + at), upper));
    }
    store(left + bit * kTrainLanes, sum);
  }
  store(total, load(cells));
}

void subtract(float* rows, const uint16_t* words, const float* leaves, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    float* row = rows + i * kTrainLanes;
    store(row, minus(load(row), load(leaves + words[i] * kTrainLanes)));
  }
}

}  // namespace

void train_kernels_neon(TrainKernels* table) { *table = {test, add, fold, subtract}; }

}  // namespace lineament

#endif
