// Kernels for AArch64, where NEON is part of the baseline. Elsewhere this file is empty.
#include "landmarks/shape_kernels.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

namespace lineament {
namespace {

constexpr size_t kAhead = 8;  // rows between asking for one and adding it
constexpr size_t kLine = 64;

void ask_for(const void* row, size_t bytes) {
#if defined(__GNUC__)
  const char* p = static_cast<const char*>(row);
  for (size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(p + i);
#else
  (void)row, (void)bytes, (void)kLine;
#endif
}

void add_f32(const float* const* rows, size_t count, size_t values, float* sums) {
  const size_t bytes = values * sizeof(float);
  for (size_t r = 0; r < count && r < kAhead; ++r) ask_for(rows[r], bytes);
  for (size_t r = 0; r < count; ++r) {
    if (r + kAhead < count) ask_for(rows[r + kAhead], bytes);
    const float* a = rows[r];
    size_t k = 0;
    for (; k + 4 <= values; k += 4) vst1q_f32(sums + k, vaddq_f32(vld1q_f32(sums + k), vld1q_f32(a + k)));
    for (; k < values; ++k) sums[k] += a[k];
  }
}

void add_i16(const int16_t* const* rows, const uint8_t* shifts, size_t count, size_t values, int32_t* sums) {
  const size_t bytes = values * sizeof(int16_t);
  for (size_t r = 0; r < count && r < kAhead; ++r) ask_for(rows[r], bytes);
  for (size_t k = 0; k < values; ++k) sums[k] = 0;
  for (size_t r = 0; r < count; ++r) {
    if (r + kAhead < count) ask_for(rows[r + kAhead], bytes);
    const int16_t* a = rows[r];
    size_t k = 0;
    const int32_t factor = 1 << shifts[r];
    const int32x4_t shift = vdupq_n_s32(shifts[r]);
    for (; k + 8 <= values; k += 8) {
      const int16x8_t v = vld1q_s16(a + k);
      vst1q_s32(sums + k, vaddq_s32(vld1q_s32(sums + k), vshlq_s32(vmovl_s16(vget_low_s16(v)), shift)));
      vst1q_s32(sums + k + 4, vaddq_s32(vld1q_s32(sums + k + 4), vshlq_s32(vmovl_high_s16(v), shift)));
    }
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
