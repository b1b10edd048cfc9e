// Kernels for AArch64, where NEON is part of the baseline. Elsewhere this file is empty.
#include "landmarks/shape_kernels.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

namespace lineament {
namespace {

constexpr size_t kAhead = 16;  // rows between asking for one and adding it

void ask_for(const void* memory) {
#if defined(__GNUC__)
  __builtin_prefetch(memory);
#else
  (void)memory;
#endif
}

// While a row is added, another is asked for, a line at a time: a processor drops requests beyond those that it keeps
// track of.

void add_f32(const float* const* rows, size_t count, size_t values, float* sums) {
  const auto four = [sums](const float* a, size_t k) {
    vst1q_f32(sums + k, vaddq_f32(vld1q_f32(sums + k), vld1q_f32(a + k)));
  };
  for (size_t r = 0; r < count; ++r) {
    const float *a = rows[r], *ahead = rows[r + kAhead < count ? r + kAhead : count - 1];
    size_t k = 0;
    for (; k + 16 <= values; k += 16) {
      ask_for(ahead + k);
      four(a, k), four(a, k + 4), four(a, k + 8), four(a, k + 12);
    }
    ask_for(ahead + values - 1);
    for (; k + 4 <= values; k += 4) four(a, k);
    for (; k < values; ++k) sums[k] += a[k];
  }
}

void add_i16(const int16_t* const* rows, const uint8_t* shifts, size_t count, size_t values, int32_t* sums) {
  for (size_t k = 0; k < values; ++k) sums[k] = 0;
  for (size_t r = 0; r < count; ++r) {
    const int16_t *a = rows[r], *ahead = rows[r + kAhead < count ? r + kAhead : count - 1];
    const int32_t factor = 1 << shifts[r];
    const int32x4_t shift = vdupq_n_s32(shifts[r]);
    const auto eight = [=](size_t k) {
      const int16x8_t v = vld1q_s16(a + k);
      vst1q_s32(sums + k, vaddq_s32(vld1q_s32(sums + k), vshlq_s32(vmovl_s16(vget_low_s16(v)), shift)));
      vst1q_s32(sums + k + 4, vaddq_s32(vld1q_s32(sums + k + 4), vshlq_s32(vmovl_high_s16(v), shift)));
    };
    size_t k = 0;
    for (; k + 32 <= values; k += 32) {
      ask_for(ahead + k);
      eight(k), eight(k + 8), eight(k + 16), eight(k + 24);
    }
    ask_for(ahead + values - 1);
    for (; k + 8 <= values; k += 8) eight(k);
    for (; k < values; ++k) sums[k] += a[k] * factor;
  }
}

}  // namespace

void shape_kernels_neon(ShapeKernels* table) {
  table->add_f32 = add_f32;
  table->add_i16 = add_i16;
}

}  // namespace lineament

#endif
