// Axis-aligned resizing. Compiled for AVX2 and FMA; see kernels_avx2.h for what may stand here.
#include "image/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include "image/kernels_avx2.h"

namespace lineament {
namespace {

// ---- vertical ----

ALWAYS_INLINE __m256 load8(const uint8_t* p) {
  return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
}

ALWAYS_INLINE void vertical_taps(const uint8_t* const* rows, const float* weights, const int taps, const int accumulate,
                                 size_t count, float* out) {
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m256 a = accumulate ? _mm256_loadu_ps(out + i) : _mm256_setzero_ps();
    __m256 b = accumulate ? _mm256_loadu_ps(out + i + 8) : _mm256_setzero_ps();
    for (int k = 0; k < taps; ++k) {
      const __m256 w = _mm256_broadcast_ss(weights + k);
      a = _mm256_fmadd_ps(w, load8(rows[k] + i), a);
      b = _mm256_fmadd_ps(w, load8(rows[k] + i + 8), b);
    }
    _mm256_storeu_ps(out + i, a);
    _mm256_storeu_ps(out + i + 8, b);
  }
  for (; i < count; ++i) {
    float s = accumulate ? out[i] : 0.0f;
    for (int k = 0; k < taps; ++k) s += weights[k] * static_cast<float>(rows[k][i]);
    out[i] = s;
  }
}

void vertical(const uint8_t* const* rows, const float* weights, int taps, int accumulate, size_t count, float* out) {
  if (accumulate) {
    vertical_taps(rows, weights, taps, 1, count, out);
  } else if (taps == 1) {
    vertical_taps(rows, weights, 1, 0, count, out);
  } else if (taps == 2) {
    vertical_taps(rows, weights, 2, 0, count, out);
  } else if (taps == 3) {
    vertical_taps(rows, weights, 3, 0, count, out);
  } else if (taps == 4) {
    vertical_taps(rows, weights, 4, 0, count, out);
  } else {
    vertical_taps(rows, weights, taps, 0, count, out);
  }
}

// ---- horizontal ----

ALWAYS_INLINE void horizontal_taps(const float* row, const int pixel, const int32_t* start, const float* weights,
                                   const int taps, int count, float* out) {
  for (int x = 0; x < count; ++x) {
    const float* p = row + start[x];
    __m128 s = _mm_mul_ps(_mm_loadu_ps(p), _mm_broadcast_ss(weights));
    for (int k = 1; k < taps; ++k) s = _mm_fmadd_ps(_mm_loadu_ps(p + k * pixel), _mm_broadcast_ss(weights + k), s);
    _mm_storeu_ps(out + 4 * static_cast<size_t>(x), s);
    weights += taps;
  }
}

ALWAYS_INLINE void horizontal_pixel(const float* row, const int pixel, const int32_t* start, const float* weights,
                                    int taps, int count, float* out) {
  switch (taps) {
    case 1:
      return horizontal_taps(row, pixel, start, weights, 1, count, out);
    case 2:
      return horizontal_taps(row, pixel, start, weights, 2, count, out);
    case 3:
      return horizontal_taps(row, pixel, start, weights, 3, count, out);
    case 4:
      return horizontal_taps(row, pixel, start, weights, 4, count, out);
    default:
      return horizontal_taps(row, pixel, start, weights, taps, count, out);
  }
}

void horizontal(const float* row, int pixel, const int32_t* start, const float* weights, int taps, int count,
                float* out) {
  if (pixel == 3) {
    horizontal_pixel(row, 3, start, weights, taps, count, out);
  } else {
    horizontal_pixel(row, 4, start, weights, taps, count, out);
  }
}

// ---- both passes in 16-bit numbers ----

ALWAYS_INLINE void vertical16_taps(const uint8_t* const* rows, const int32_t* weights, const int taps, size_t count,
                                   int16_t* out) {
  __m256i w[kFixedTaps];
  for (int k = 0; k < taps; ++k)
    w[k] = _mm256_set1_epi16(static_cast<int16_t>(weights[k] > 32767 ? 32767 : weights[k]));
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    __m256i s = _mm256_setzero_si256();
    for (int k = 0; k < taps; ++k) {
      const __m256i v =
          _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[k] + i))), 7);
      s = _mm256_add_epi16(s, _mm256_mulhrs_epi16(v, w[k]));
    }
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), s);
  }
  for (; i < count; ++i) {
    int s = 0;
    for (int k = 0; k < taps; ++k) s += (rows[k][i] * 128 * (weights[k] > 32767 ? 32767 : weights[k]) + 0x4000) >> 15;
    out[i] = static_cast<int16_t>(s);
  }
}

void vertical16(const uint8_t* const* rows, const int32_t* weights, int taps, size_t count, int16_t* out) {
  switch (taps) {
    case 1: {
      if (weights[0] < 32768) return vertical16_taps(rows, weights, 1, count, out);
      size_t i = 0;
      for (; i + 16 <= count; i += 16) {
        const __m256i v = _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[0] + i)));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), _mm256_slli_epi16(v, 7));
      }
      for (; i < count; ++i) out[i] = static_cast<int16_t>(rows[0][i] * 128);
      return;
    }
    case 2:
      return vertical16_taps(rows, weights, 2, count, out);
    case 3:
      return vertical16_taps(rows, weights, 3, count, out);
    case 4:
      return vertical16_taps(rows, weights, 4, count, out);
    case 5:
      return vertical16_taps(rows, weights, 5, count, out);
    default:
      return vertical16_taps(rows, weights, taps, count, out);
  }
}

// Byte order that puts the same channel of two neighbouring pixels side by side.
ALWAYS_INLINE __m256i pair_order(const int pixel) {
  return pixel == 3
             ? _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11, -1, -1, -1, -1))
             : _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, -1, -1, -1, -1));
}

struct Eight {
  __m256 v[4];  // pixels j and j + 4, in units of 2^-21 levels
};

ALWAYS_INLINE Eight eight_pixels(const int16_t* row, const int pixel, const int32_t* start, const int32_t* weights,
                                 int weight_stride, const int pairs, __m256i order) {
  __m256i s[4];
  for (int k = 0; k < pairs; ++k) {
    const __m256i w = _mm256_loadu_si256(
        reinterpret_cast<const __m256i*>(weights + static_cast<size_t>(k) * static_cast<size_t>(weight_stride)));
    const int16_t* r = row + 2 * k * pixel;
    const __m256i by[4] = {_mm256_shuffle_epi32(w, 0x00), _mm256_shuffle_epi32(w, 0x55), _mm256_shuffle_epi32(w, 0xaa),
                           _mm256_shuffle_epi32(w, 0xff)};
    for (int j = 0; j < 4; ++j) {
      const __m256i two = _mm256_inserti128_si256(
          _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(r + start[j]))),
          _mm_loadu_si128(reinterpret_cast<const __m128i*>(r + start[j + 4])), 1);
      const __m256i product = _mm256_madd_epi16(_mm256_shuffle_epi8(two, order), by[j]);
      s[j] = k == 0 ? product : _mm256_add_epi32(s[j], product);
    }
  }
  Eight out;
  for (int j = 0; j < 4; ++j) out.v[j] = _mm256_cvtepi32_ps(s[j]);
  return out;
}

constexpr float kFixedUnit = 1.0f / 2097152.0f;

ALWAYS_INLINE void horizontal16_pairs(const int16_t* row, const int pixel, const int32_t* start, const int32_t* weights,
                                      int weight_stride, const int pairs, int count, float* out) {
  const __m256i order = pair_order(pixel);
  const __m256 unit = _mm256_set1_ps(kFixedUnit);
  for (int x = 0; x < count; x += 8) {
    alignas(32) float tail[32];
    float* to = count - x >= 8 ? out + 4 * static_cast<size_t>(x) : tail;
    const Eight e = eight_pixels(row, pixel, start + x, weights + x, weight_stride, pairs, order);
    for (int j = 0; j < 4; ++j) {
      const __m256 v = _mm256_mul_ps(e.v[j], unit);
      _mm_storeu_ps(to + 4 * j, _mm256_castps256_ps128(v));
      _mm_storeu_ps(to + 4 * j + 16, _mm256_extractf128_ps(v, 1));
    }
    if (to == tail) {
      for (int i = 0; i < 4 * (count - x); ++i) out[4 * static_cast<size_t>(x) + static_cast<size_t>(i)] = tail[i];
    }
  }
}

ALWAYS_INLINE void planar16_pairs(const int16_t* row, const int pixel, const int32_t* start, const int32_t* weights,
                                  int weight_stride, const int pairs, int count, const PackTarget& t) {
  const __m256i order = pair_order(pixel);
  float* const out[3] = {static_cast<float*>(t.plane[0]), static_cast<float*>(t.plane[1]),
                         static_cast<float*>(t.plane[2])};
  const __m256 k0 = _mm256_set1_ps(t.scale[0] * kFixedUnit), k1 = _mm256_set1_ps(t.scale[1] * kFixedUnit),
               k2 = _mm256_set1_ps(t.scale[2] * kFixedUnit);
  const __m256 o0 = _mm256_set1_ps(t.offset[0]), o1 = _mm256_set1_ps(t.offset[1]), o2 = _mm256_set1_ps(t.offset[2]);
  for (int x = 0; x < count; x += 8) {
    const Eight e = eight_pixels(row, pixel, start + x, weights + x, weight_stride, pairs, order);
    const __m256 a = _mm256_unpacklo_ps(e.v[0], e.v[1]), b = _mm256_unpackhi_ps(e.v[0], e.v[1]);
    const __m256 c = _mm256_unpacklo_ps(e.v[2], e.v[3]), d = _mm256_unpackhi_ps(e.v[2], e.v[3]);
    const __m256 r0 = _mm256_fmadd_ps(_mm256_shuffle_ps(a, c, 0x44), k0, o0);
    const __m256 r1 = _mm256_fmadd_ps(_mm256_shuffle_ps(a, c, 0xee), k1, o1);
    const __m256 r2 = _mm256_fmadd_ps(_mm256_shuffle_ps(b, d, 0x44), k2, o2);
    if (count - x >= 8) {
      _mm256_storeu_ps(out[0] + x, r0);
      _mm256_storeu_ps(out[1] + x, r1);
      _mm256_storeu_ps(out[2] + x, r2);
    } else {
      const __m256i some = _mm256_cmpgt_epi32(_mm256_set1_epi32(count - x), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
      _mm256_maskstore_ps(out[0] + x, some, r0);
      _mm256_maskstore_ps(out[1] + x, some, r1);
      _mm256_maskstore_ps(out[2] + x, some, r2);
    }
  }
}

#define FOR_PIXEL_AND_PAIRS(function, last)                                   \
  switch (pixel * 8 + pairs) {                                                \
    case 25:                                                                  \
      return function(row, 3, start, weights, weight_stride, 1, count, last); \
    case 26:                                                                  \
      return function(row, 3, start, weights, weight_stride, 2, count, last); \
    case 27:                                                                  \
      return function(row, 3, start, weights, weight_stride, 3, count, last); \
    case 28:                                                                  \
      return function(row, 3, start, weights, weight_stride, 4, count, last); \
    case 33:                                                                  \
      return function(row, 4, start, weights, weight_stride, 1, count, last); \
    case 34:                                                                  \
      return function(row, 4, start, weights, weight_stride, 2, count, last); \
    case 35:                                                                  \
      return function(row, 4, start, weights, weight_stride, 3, count, last); \
    default:                                                                  \
      return function(row, 4, start, weights, weight_stride, 4, count, last); \
  }

void horizontal16(const int16_t* row, int pixel, const int32_t* start, const int32_t* weights, int weight_stride,
                  int pairs, int count, float* out) {
  FOR_PIXEL_AND_PAIRS(horizontal16_pairs, out)
}

void horizontal16_planar_f32(const int16_t* row, int pixel, const int32_t* start, const int32_t* weights,
                             int weight_stride, int pairs, int count, const PackTarget& t) {
  FOR_PIXEL_AND_PAIRS(planar16_pairs, t)
}

}  // namespace

void image_kernels_avx2(ImageKernels* table) {
  avx2_sampling(table);
  avx2_pixels(table);
  table->vertical = vertical;
  table->horizontal = horizontal;
  table->vertical16 = vertical16;
  table->horizontal16 = horizontal16;
  table->horizontal16_planar_f32 = horizontal16_planar_f32;
}

}  // namespace lineament

#endif
