// Kernels for AArch64, where NEON is part of the baseline. Elsewhere this file is empty.
#include "search/kernels.h"

#if defined(__aarch64__) || defined(_M_ARM64)

#include <arm_neon.h>

#include <cstring>

namespace lineament {
namespace {

constexpr size_t kLanes = 4;

// Adds the products of the nibbles of 16 bytes: four for each of eight sums, each product of at most 15 × 127 = 1 905.
inline int16x8_t add_nibbles(int16x8_t sum, const uint8_t* plane, const int8_t* low_query, const int8_t* high_query) {
  const uint8x16_t v = vld1q_u8(plane);
  const int8x16_t low = vreinterpretq_s8_u8(vandq_u8(v, vdupq_n_u8(15)));
  const int8x16_t high = vreinterpretq_s8_u8(vshrq_n_u8(v, 4));
  const int8x16_t q0 = vld1q_s8(low_query), q1 = vld1q_s8(high_query);
  sum = vmlal_s8(sum, vget_low_s8(low), vget_low_s8(q0));
  sum = vmlal_high_s8(sum, low, q0);
  sum = vmlal_s8(sum, vget_low_s8(high), vget_low_s8(q1));
  return vmlal_high_s8(sum, high, q1);
}

int32_t dot_row(const uint8_t* plane, size_t stride, const int8_t* query) {
  const int8_t* upper = query + stride;
  int32x4_t sum = vdupq_n_s32(0);
  for (size_t i = 0; i < stride;) {
    int16x8_t part = vdupq_n_s16(0);
    const size_t end = i + 64 <= stride ? i + 64 : stride;  // 16 products < 2^15
    for (; i < end; i += 16) part = add_nibbles(part, plane + i, query + i, upper + i);
    sum = vpadalq_s16(sum, part);
  }
  return vaddvq_s32(sum);
}

void dot_high(const uint8_t* high, size_t stride, size_t rows, const int8_t* query, int32_t* dots) {
  for (size_t r = 0; r < rows; ++r) dots[r] = dot_row(high + r * stride, stride, query);
}

void pack_tile(const uint8_t* high, const uint8_t* low, size_t stride, size_t rows, uint8_t* out) {
  if (rows < kLanes) std::memset(out, 0, kLanes * 2 * stride);
  for (size_t r = 0; r < rows; ++r, high += stride, low += stride) {
    for (size_t i = 0; i < stride; i += 16) {
      const uint8x16_t h = vld1q_u8(high + i), l = vld1q_u8(low + i);
      const uint8x16_t bit = vdupq_n_u8(1);
      uint32_t first[4], second[4];  // the upper five bits of 16 + 16 codes, four in a word
      vst1q_u8(reinterpret_cast<uint8_t*>(first),
               vorrq_u8(vandq_u8(vshlq_n_u8(h, 1), vdupq_n_u8(30)), vandq_u8(vshrq_n_u8(l, 3), bit)));
      vst1q_u8(reinterpret_cast<uint8_t*>(second),
               vorrq_u8(vandq_u8(vshrq_n_u8(h, 3), vdupq_n_u8(30)), vshrq_n_u8(l, 7)));
      for (size_t k = 0; k < 4; ++k) {
        std::memcpy(out + ((i / 4 + k) * kLanes + r) * 4, &first[k], 4);
        std::memcpy(out + (((stride + i) / 4 + k) * kLanes + r) * 4, &second[k], 4);
      }
    }
  }
}

inline int8x16_t broadcast(const int8_t* p) {
  int32_t value;
  std::memcpy(&value, p, sizeof(value));
  return vreinterpretq_s8_s32(vdupq_n_s32(value));
}

// Four rows and kQueries queries.
template <int kQueries>
inline void tile_block(const uint8_t* tile, size_t width, const int8_t* queries, int32_t* dots, size_t pitch) {
  int32x4_t low[kQueries], high[kQueries];  // rows 0, 0, 1, 1 and 2, 2, 3, 3
  for (int q = 0; q < kQueries; ++q) low[q] = high[q] = vdupq_n_s32(0);
  for (size_t i = 0; i < width; i += 32) {
    int16x8_t a[kQueries], b[kQueries];
    for (int q = 0; q < kQueries; ++q) a[q] = b[q] = vdupq_n_s16(0);
    for (size_t k = 0; k < 32; k += 4) {  // 8 products of at most 31 × 127 < 2^15
      const int8x16_t codes = vreinterpretq_s8_u8(vld1q_u8(tile + (i + k) * kLanes));
      for (int q = 0; q < kQueries; ++q) {
        const int8x16_t query = broadcast(queries + static_cast<size_t>(q) * width + i + k);
        a[q] = vmlal_s8(a[q], vget_low_s8(codes), vget_low_s8(query));
        b[q] = vmlal_high_s8(b[q], codes, query);
      }
    }
    for (int q = 0; q < kQueries; ++q) {
      low[q] = vpadalq_s16(low[q], a[q]);
      high[q] = vpadalq_s16(high[q], b[q]);
    }
  }
  for (int q = 0; q < kQueries; ++q) {
    vst1q_s32(dots + static_cast<size_t>(q) * pitch, vpaddq_s32(low[q], high[q]));
  }
}

void dot_tile(const uint8_t* tile, size_t groups, size_t stride, const int8_t* queries, size_t count, int32_t* dots,
              size_t pitch) {
  const size_t width = 2 * stride;
  for (size_t g = 0; g < groups; ++g, tile += width * kLanes, dots += kLanes) {
    size_t q = 0;
    for (; q + 4 <= count; q += 4) tile_block<4>(tile, width, queries + q * width, dots + q * pitch, pitch);
    for (; q < count; ++q) tile_block<1>(tile, width, queries + q * width, dots + q * pitch, pitch);
  }
}

double dot_f32(const float* a, const float* b, size_t count) {
  float64x2_t s[8];
  for (auto& sum : s) sum = vdupq_n_f64(0);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (size_t k = 0; k < 4; ++k) {  // the product is exact, so that FMA rounds as the scalar sum does
      const float32x4_t x = vld1q_f32(a + i + 4 * k), y = vld1q_f32(b + i + 4 * k);
      s[2 * k] = vfmaq_f64(s[2 * k], vcvt_f64_f32(vget_low_f32(x)), vcvt_f64_f32(vget_low_f32(y)));
      s[2 * k + 1] = vfmaq_f64(s[2 * k + 1], vcvt_high_f64_f32(x), vcvt_high_f64_f32(y));
    }
  }
  double sums[16];
  for (size_t k = 0; k < 8; ++k) vst1q_f64(sums + 2 * k, s[k]);
  for (size_t k = 0; i + k < count; ++k) sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
  }
  return sums[0];
}

void to_half(const float* values, size_t count, uint16_t* out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    vst1_u16(out + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(values + i))));
  }
  if (i < count) kSearchKernelsScalar.to_half(values + i, count - i, out + i);
}

void from_half(const uint16_t* values, size_t count, float* out) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    vst1q_f32(out + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(values + i))));
  }
  if (i < count) kSearchKernelsScalar.from_half(values + i, count - i, out + i);
}

}  // namespace

void search_kernels_neon(SearchKernels* table) {
  *table = {4, 5, dot_high, dot_row, kSearchKernelsScalar.keep, pack_tile, dot_tile, dot_f32, to_half, from_half};
}

}  // namespace lineament

#endif
