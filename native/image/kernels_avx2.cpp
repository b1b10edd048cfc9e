// Kernels for x86-64 with AVX2 and FMA. Compiled with those flags: intrinsics and C-like code only, nothing inline from
// elsewhere, or the linker could keep a copy of it that other machines cannot run (native/tests/check-isa-symbols.sh).
#include "image/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#if defined(_MSC_VER)
#define ALWAYS_INLINE static __forceinline
#else
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#endif

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
                             int weight_stride, int pairs, int count,
                             const PackTarget& t){FOR_PIXEL_AND_PAIRS(planar16_pairs, t)}

// ---- bilinear samples along a line ----

// Interpolates two pixels, one per 128-bit lane: bytes of the upper and lower pair of neighbours, weights by lane.
ALWAYS_INLINE __m256i
    blend2(const uint8_t* p, const uint8_t* q, size_t stride, __m256i spread, __m256i top, __m256i bottom) {
  const __m256i a =
      _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))),
                              _mm_loadl_epi64(reinterpret_cast<const __m128i*>(q)), 1);
  const __m256i b =
      _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p + stride))),
                              _mm_loadl_epi64(reinterpret_cast<const __m128i*>(q + stride)), 1);
  return _mm256_add_epi32(_mm256_madd_epi16(_mm256_shuffle_epi8(a, spread), top),
                          _mm256_madd_epi16(_mm256_shuffle_epi8(b, spread), bottom));
}

struct Line {
  __m256i xa, xb, ya, yb, step_x, step_y, spread, stride, pixel;
};

ALWAYS_INLINE Line open_line(const BilinearRow& job) {
  Line l;
  // Pairs of the same channel of neighbouring pixels, as 16-bit numbers; -1 gives zero.
  l.spread = job.pixel == 3
                 ? _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1))
                 : _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, -1, -1, -1, -1));
  l.stride = _mm256_set1_epi32(static_cast<int>(job.stride));
  l.pixel = _mm256_set1_epi32(job.pixel);
  // Pixels 0 1 4 5 and 2 3 6 7, so that the in-lane shuffles of next8() give them in order.
  l.xa = _mm256_setr_epi64x(job.x, job.x + job.step_x, job.x + 4 * job.step_x, job.x + 5 * job.step_x);
  l.ya = _mm256_setr_epi64x(job.y, job.y + job.step_y, job.y + 4 * job.step_y, job.y + 5 * job.step_y);
  l.xb = _mm256_add_epi64(l.xa, _mm256_set1_epi64x(2 * job.step_x));
  l.yb = _mm256_add_epi64(l.ya, _mm256_set1_epi64x(2 * job.step_y));
  l.step_x = _mm256_set1_epi64x(8 * job.step_x);
  l.step_y = _mm256_set1_epi64x(8 * job.step_y);
  return l;
}

// The next eight samples: v[j] holds pixels j and j + 4, in 1/16384 levels.
ALWAYS_INLINE void next8(Line* line, const uint8_t* d, size_t stride, __m256i v[4]) {
  Line& l = *line;
  const __m256i one = _mm256_set1_epi32(16384), round = _mm256_set1_epi32(8192);
  const __m256 fxa = _mm256_castsi256_ps(l.xa), fxb = _mm256_castsi256_ps(l.xb);
  const __m256 fya = _mm256_castsi256_ps(l.ya), fyb = _mm256_castsi256_ps(l.yb);
  const __m256i ix = _mm256_castps_si256(_mm256_shuffle_ps(fxa, fxb, 0xdd)),
                iy = _mm256_castps_si256(_mm256_shuffle_ps(fya, fyb, 0xdd));
  const __m256i fx = _mm256_srli_epi32(_mm256_castps_si256(_mm256_shuffle_ps(fxa, fxb, 0x88)), 18);
  const __m256i fy = _mm256_srli_epi32(_mm256_castps_si256(_mm256_shuffle_ps(fya, fyb, 0x88)), 18);
  const __m256i w11 = _mm256_srli_epi32(_mm256_add_epi32(_mm256_madd_epi16(fx, fy), round), 14);
  const __m256i w01 = _mm256_sub_epi32(fx, w11), w10 = _mm256_sub_epi32(fy, w11);
  const __m256i w00 = _mm256_sub_epi32(_mm256_sub_epi32(one, fx), w10);
  const __m256i top = _mm256_or_si256(w00, _mm256_slli_epi32(w01, 16)),
                bottom = _mm256_or_si256(w10, _mm256_slli_epi32(w11, 16));
  alignas(32) uint32_t at[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(at),
                     _mm256_add_epi32(_mm256_mullo_epi32(iy, l.stride), _mm256_mullo_epi32(ix, l.pixel)));
  v[0] = blend2(d + at[0], d + at[4], stride, l.spread, _mm256_shuffle_epi32(top, 0x00),
                _mm256_shuffle_epi32(bottom, 0x00));
  v[1] = blend2(d + at[1], d + at[5], stride, l.spread, _mm256_shuffle_epi32(top, 0x55),
                _mm256_shuffle_epi32(bottom, 0x55));
  v[2] = blend2(d + at[2], d + at[6], stride, l.spread, _mm256_shuffle_epi32(top, 0xaa),
                _mm256_shuffle_epi32(bottom, 0xaa));
  v[3] = blend2(d + at[3], d + at[7], stride, l.spread, _mm256_shuffle_epi32(top, 0xff),
                _mm256_shuffle_epi32(bottom, 0xff));
  l.xa = _mm256_add_epi64(l.xa, l.step_x);
  l.xb = _mm256_add_epi64(l.xb, l.step_x);
  l.ya = _mm256_add_epi64(l.ya, l.step_y);
  l.yb = _mm256_add_epi64(l.yb, l.step_y);
}

// Offsets are computed in 32 bits; larger images take the plain kernel.
ALWAYS_INLINE int offsets_fit(const BilinearRow& job) {
  const int64_t last_y = job.y + (job.count - 1) * job.step_y;
  const uint64_t most_y = static_cast<uint64_t>((job.y > last_y ? job.y : last_y) >> 32) + 2;
  return job.pixel != 1 && job.count >= 8 && job.stride < 0x7fffffff && most_y * job.stride < 0x7fffffff;
}

ALWAYS_INLINE int bilinear_row(const BilinearRow& job, const int accumulate) {
  const __m256 gain = _mm256_set1_ps(job.gain * (1.0f / 16384.0f));
  Line line = open_line(job);
  float* out = job.out;
  int i = 0;
  for (; i + 8 <= job.count; i += 8, out += 32) {
    __m256i v[4];
    next8(&line, job.data, job.stride, v);
    for (int j = 0; j < 4; ++j) {
      float *p = out + 4 * j, *q = p + 16;
      __m256 f = _mm256_mul_ps(_mm256_cvtepi32_ps(v[j]), gain);
      if (accumulate)
        f = _mm256_add_ps(f, _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(q), 1));
      _mm_storeu_ps(p, _mm256_castps256_ps128(f));
      _mm_storeu_ps(q, _mm256_extractf128_ps(f, 1));
    }
  }
  return i;
}

void bilinear(const BilinearRow& job) {
  BilinearRow rest = job;
  if (offsets_fit(job)) {
    const int done = job.accumulate ? bilinear_row(job, 1) : bilinear_row(job, 0);
    rest.x += done * job.step_x;
    rest.y += done * job.step_y;
    rest.count -= done;
    rest.out += 4 * static_cast<size_t>(done);
  }
  if (rest.count > 0) kImageKernelsScalar.bilinear(rest);
}

int bilinear_planar_f32(const BilinearRow& job, const PackTarget& t) {
  if (!offsets_fit(job)) return 0;
  float* const out[3] = {static_cast<float*>(t.plane[0]), static_cast<float*>(t.plane[1]),
                         static_cast<float*>(t.plane[2])};
  const float unit = 1.0f / 16384.0f;
  const __m256 k0 = _mm256_set1_ps(t.scale[0] * unit), k1 = _mm256_set1_ps(t.scale[1] * unit),
               k2 = _mm256_set1_ps(t.scale[2] * unit);
  const __m256 o0 = _mm256_set1_ps(t.offset[0]), o1 = _mm256_set1_ps(t.offset[1]), o2 = _mm256_set1_ps(t.offset[2]);
  Line line = open_line(job);
  int i = 0;
  for (; i + 8 <= job.count; i += 8) {
    __m256i v[4];
    next8(&line, job.data, job.stride, v);
    const __m256 a = _mm256_castsi256_ps(_mm256_unpacklo_epi32(v[0], v[1])),
                 b = _mm256_castsi256_ps(_mm256_unpackhi_epi32(v[0], v[1]));
    const __m256 c = _mm256_castsi256_ps(_mm256_unpacklo_epi32(v[2], v[3])),
                 d = _mm256_castsi256_ps(_mm256_unpackhi_epi32(v[2], v[3]));
    const __m256i s0 = _mm256_castps_si256(_mm256_shuffle_ps(a, c, 0x44)),
                  s1 = _mm256_castps_si256(_mm256_shuffle_ps(a, c, 0xee));
    const __m256i s2 = _mm256_castps_si256(_mm256_shuffle_ps(b, d, 0x44));
    _mm256_storeu_ps(out[0] + i, _mm256_fmadd_ps(_mm256_cvtepi32_ps(s0), k0, o0));
    _mm256_storeu_ps(out[1] + i, _mm256_fmadd_ps(_mm256_cvtepi32_ps(s1), k1, o1));
    _mm256_storeu_ps(out[2] + i, _mm256_fmadd_ps(_mm256_cvtepi32_ps(s2), k2, o2));
  }
  return i;
}

// Byte order that packs four pixels of four bytes into three each, at the target's positions.
ALWAYS_INLINE __m256i packed_order(const PackTarget& t) {
  alignas(16) int8_t from[16];
  for (int i = 0; i < 16; ++i) from[i] = -1;
  for (int p = 0; p < 4; ++p) {
    for (int s = 0; s < 3; ++s) from[3 * p + t.position[s]] = static_cast<int8_t>(4 * p + s);
  }
  return _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(from)));
}

// Pixels j and j + 4 of v[j], 32-bit numbers, to 24 bytes.
ALWAYS_INLINE void store_packed(uint8_t* out, const __m256i v[4], __m256i order) {
  const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(v[0], v[1]), _mm256_packs_epi32(v[2], v[3]));
  const __m256i packed = _mm256_shuffle_epi8(bytes, order);
  const __m128i upper = _mm256_extracti128_si256(packed, 1);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out), _mm256_castsi256_si128(packed));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(out + 12), upper);
  const uint32_t last = static_cast<uint32_t>(_mm_extract_epi32(upper, 2));
  _mm_storeu_si32(out + 20, _mm_cvtsi32_si128(static_cast<int>(last)));
}

int bilinear_packed_u8(const BilinearRow& job, const PackTarget& t) {
  if (!offsets_fit(job)) return 0;
  uint8_t* out = static_cast<uint8_t*>(t.packed);
  const __m256i order = packed_order(t), round = _mm256_set1_epi32(8192);
  Line line = open_line(job);
  int i = 0;
  for (; i + 8 <= job.count; i += 8, out += 24) {
    __m256i v[4];
    next8(&line, job.data, job.stride, v);
    for (int j = 0; j < 4; ++j) v[j] = _mm256_srli_epi32(_mm256_add_epi32(v[j], round), 14);
    store_packed(out, v, order);
  }
  return i;
}

// ---- pixel rows to tensor rows ----

struct Planes {
  __m256 s[3];
};

// Eight pixels of four lanes into their first three channels.
ALWAYS_INLINE Planes split8(const float* p) {
  const __m256 v0 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + 16), 1);
  const __m256 v1 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 4)), _mm_loadu_ps(p + 20), 1);
  const __m256 v2 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 8)), _mm_loadu_ps(p + 24), 1);
  const __m256 v3 = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 12)), _mm_loadu_ps(p + 28), 1);
  const __m256 a = _mm256_unpacklo_ps(v0, v1), b = _mm256_unpackhi_ps(v0, v1);
  const __m256 c = _mm256_unpacklo_ps(v2, v3), d = _mm256_unpackhi_ps(v2, v3);
  Planes out;
  out.s[0] = _mm256_shuffle_ps(a, c, 0x44);
  out.s[1] = _mm256_shuffle_ps(a, c, 0xee);
  out.s[2] = _mm256_shuffle_ps(b, d, 0x44);
  return out;
}

ALWAYS_INLINE PackTarget advance(PackTarget t, int pixels, int element, int planar) {
  for (int s = 0; s < 3; ++s) {
    if (planar) t.plane[s] = static_cast<uint8_t*>(t.plane[s]) + pixels * element;
  }
  if (!planar) t.packed = static_cast<uint8_t*>(t.packed) + 3 * pixels * element;
  return t;
}

void pack_planar_f32(const float* pixels, int count, const PackTarget& t) {
  float* const out[3] = {static_cast<float*>(t.plane[0]), static_cast<float*>(t.plane[1]),
                         static_cast<float*>(t.plane[2])};
  const __m256 k0 = _mm256_set1_ps(t.scale[0]), k1 = _mm256_set1_ps(t.scale[1]), k2 = _mm256_set1_ps(t.scale[2]);
  const __m256 o0 = _mm256_set1_ps(t.offset[0]), o1 = _mm256_set1_ps(t.offset[1]), o2 = _mm256_set1_ps(t.offset[2]);
  int i = 0;
  for (; i + 8 <= count; i += 8, pixels += 32) {
    const Planes v = split8(pixels);
    _mm256_storeu_ps(out[0] + i, _mm256_fmadd_ps(v.s[0], k0, o0));
    _mm256_storeu_ps(out[1] + i, _mm256_fmadd_ps(v.s[1], k1, o1));
    _mm256_storeu_ps(out[2] + i, _mm256_fmadd_ps(v.s[2], k2, o2));
  }
  if (i < count) kImageKernelsScalar.pack_planar_f32(pixels, count - i, advance(t, i, 4, 1));
}

// Eight floats to eight bytes, rounded and saturated, in the low half.
ALWAYS_INLINE __m128i bytes8(__m256 v) {
  const __m256i i = _mm256_cvtps_epi32(_mm256_min_ps(v, _mm256_set1_ps(255.0f)));
  const __m128i w = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
  return _mm_packus_epi16(w, w);
}

void pack_planar_u8(const float* pixels, int count, const PackTarget& t) {
  uint8_t* const out[3] = {static_cast<uint8_t*>(t.plane[0]), static_cast<uint8_t*>(t.plane[1]),
                           static_cast<uint8_t*>(t.plane[2])};
  int i = 0;
  for (; i + 8 <= count; i += 8, pixels += 32) {
    const Planes v = split8(pixels);
    for (int s = 0; s < 3; ++s) {
      const __m256 n = _mm256_fmadd_ps(v.s[s], _mm256_set1_ps(t.scale[s]), _mm256_set1_ps(t.offset[s]));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(out[s] + i), bytes8(n));
    }
  }
  if (i < count) kImageKernelsScalar.pack_planar_u8(pixels, count - i, advance(t, i, 1, 1));
}

void pack_packed_f32(const float* pixels, int count, const PackTarget& t) {
  float* out = static_cast<float*>(t.packed);
  alignas(16) int32_t from[4] = {0, 0, 0, 3};
  for (int s = 0; s < 3; ++s) from[t.position[s]] = s;
  const __m128i order = _mm_load_si128(reinterpret_cast<const __m128i*>(from));
  const __m128 k = _mm_permutevar_ps(_mm_setr_ps(t.scale[0], t.scale[1], t.scale[2], 0), order);
  const __m128 o = _mm_permutevar_ps(_mm_setr_ps(t.offset[0], t.offset[1], t.offset[2], 0), order);
  int i = 0;
  // Each store writes one float of the next pixel, so the last pixel is left to the plain kernel.
  for (; i + 1 < count; ++i, pixels += 4, out += 3) {
    _mm_storeu_ps(out, _mm_fmadd_ps(_mm_permutevar_ps(_mm_loadu_ps(pixels), order), k, o));
  }
  kImageKernelsScalar.pack_packed_f32(pixels, count - i, advance(t, i, 4, 0));
}

void pack_packed_u8(const float* pixels, int count, const PackTarget& t) {
  uint8_t* out = static_cast<uint8_t*>(t.packed);
  const __m256i order = packed_order(t);
  const __m256 k = _mm256_setr_ps(t.scale[0], t.scale[1], t.scale[2], 0, t.scale[0], t.scale[1], t.scale[2], 0);
  const __m256 o = _mm256_setr_ps(t.offset[0], t.offset[1], t.offset[2], 0, t.offset[0], t.offset[1], t.offset[2], 0);
  const __m256 most = _mm256_set1_ps(255.0f);
  int i = 0;
  for (; i + 8 <= count; i += 8, pixels += 32, out += 24) {
    __m256i v[4];
    for (int j = 0; j < 4; ++j) {
      const __m256 two = _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(pixels + 4 * j)),
                                              _mm_loadu_ps(pixels + 4 * j + 16), 1);
      v[j] = _mm256_cvtps_epi32(_mm256_min_ps(_mm256_fmadd_ps(two, k, o), most));
    }
    store_packed(out, v, order);
  }
  if (i < count) kImageKernelsScalar.pack_packed_u8(pixels, count - i, advance(t, i, 1, 0));
}

void luma(const float* pixels, const float* weights, int count, float* out) {
  const __m256 w0 = _mm256_broadcast_ss(weights), w1 = _mm256_broadcast_ss(weights + 1),
               w2 = _mm256_broadcast_ss(weights + 2);
  int i = 0;
  for (; i + 8 <= count; i += 8, pixels += 32) {
    const Planes v = split8(pixels);
    _mm256_storeu_ps(out + i, _mm256_fmadd_ps(v.s[0], w0, _mm256_fmadd_ps(v.s[1], w1, _mm256_mul_ps(v.s[2], w2))));
  }
  if (i < count) kImageKernelsScalar.luma(pixels, weights, count - i, out + i);
}

void pack_gray_f32(const float* pixels, int count, float scale, float offset, float* out) {
  const __m256 k = _mm256_set1_ps(scale), o = _mm256_set1_ps(offset);
  int i = 0;
  for (; i + 8 <= count; i += 8) _mm256_storeu_ps(out + i, _mm256_fmadd_ps(_mm256_loadu_ps(pixels + i), k, o));
  if (i < count) kImageKernelsScalar.pack_gray_f32(pixels + i, count - i, scale, offset, out + i);
}

void pack_gray_u8(const float* pixels, int count, float scale, float offset, uint8_t* out) {
  const __m256 k = _mm256_set1_ps(scale), o = _mm256_set1_ps(offset);
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm_storel_epi64(reinterpret_cast<__m128i*>(out + i), bytes8(_mm256_fmadd_ps(_mm256_loadu_ps(pixels + i), k, o)));
  }
  if (i < count) kImageKernelsScalar.pack_gray_u8(pixels + i, count - i, scale, offset, out + i);
}

// ---- YUV ----

ALWAYS_INLINE __m256i load32(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
ALWAYS_INLINE __m128i load16(const uint8_t* p) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)); }
ALWAYS_INLINE void store16(uint8_t* p, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), v); }

// Luma in 1/64 units, half a unit added for rounding, of 16 luma values already spread over 16 bits.
ALWAYS_INLINE __m256i luma64(__m256i y16) {
  return _mm256_add_epi16(_mm256_mulhrs_epi16(_mm256_slli_epi16(y16, 7), _mm256_set1_epi16(19077)),
                          _mm256_set1_epi16(32));
}

// Bytes of one channel for 32 pixels from luma halves and the chroma term of 16 pixel pairs.
ALWAYS_INLINE __m256i channel32(__m256i luma_lo, __m256i luma_hi, __m256i chroma) {
  const __m256i lo = _mm256_adds_epi16(luma_lo, _mm256_unpacklo_epi16(chroma, chroma));
  const __m256i hi = _mm256_adds_epi16(luma_hi, _mm256_unpackhi_epi16(chroma, chroma));
  return _mm256_packus_epi16(_mm256_srai_epi16(lo, 6), _mm256_srai_epi16(hi, 6));
}

// Interleaves three channels of 32 pixels.
ALWAYS_INLINE void store_three(uint8_t* out, __m256i a, __m256i b, __m256i c) {
  const __m256i a0 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1, 5));
  const __m256i a1 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10, -1));
  const __m256i a2 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1, -1));
  const __m256i b0 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1, -1));
  const __m256i b1 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1, 10));
  const __m256i b2 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15, -1));
  const __m256i c0 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, -1, 0, -1, -1, 1, -1, -1, 2, -1, -1, 3, -1, -1, 4, -1));
  const __m256i c1 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(-1, 5, -1, -1, 6, -1, -1, 7, -1, -1, 8, -1, -1, 9, -1, -1));
  const __m256i c2 =
      _mm256_broadcastsi128_si256(_mm_setr_epi8(10, -1, -1, 11, -1, -1, 12, -1, -1, 13, -1, -1, 14, -1, -1, 15));
  const __m256i v0 = _mm256_or_si256(_mm256_or_si256(_mm256_shuffle_epi8(a, a0), _mm256_shuffle_epi8(b, b0)),
                                     _mm256_shuffle_epi8(c, c0));
  const __m256i v1 = _mm256_or_si256(_mm256_or_si256(_mm256_shuffle_epi8(a, a1), _mm256_shuffle_epi8(b, b1)),
                                     _mm256_shuffle_epi8(c, c1));
  const __m256i v2 = _mm256_or_si256(_mm256_or_si256(_mm256_shuffle_epi8(a, a2), _mm256_shuffle_epi8(b, b2)),
                                     _mm256_shuffle_epi8(c, c2));
  // Lower lanes are bytes 0-15, 16-31, 32-47; upper lanes the next 48.
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permute2x128_si256(v0, v1, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32), _mm256_permute2x128_si256(v2, v0, 0x30));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 64), _mm256_permute2x128_si256(v1, v2, 0x31));
}

ALWAYS_INLINE void store_four(uint8_t* out, __m256i a, __m256i b, __m256i c) {
  const __m256i full = _mm256_set1_epi8(-1);
  const __m256i ab_lo = _mm256_unpacklo_epi8(a, b), ab_hi = _mm256_unpackhi_epi8(a, b);
  const __m256i cd_lo = _mm256_unpacklo_epi8(c, full), cd_hi = _mm256_unpackhi_epi8(c, full);
  const __m256i p0 = _mm256_unpacklo_epi16(ab_lo, cd_lo), p1 = _mm256_unpackhi_epi16(ab_lo, cd_lo);
  const __m256i p2 = _mm256_unpacklo_epi16(ab_hi, cd_hi), p3 = _mm256_unpackhi_epi16(ab_hi, cd_hi);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permute2x128_si256(p0, p1, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 32), _mm256_permute2x128_si256(p2, p3, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 64), _mm256_permute2x128_si256(p0, p1, 0x31));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 96), _mm256_permute2x128_si256(p2, p3, 0x31));
}

ALWAYS_INLINE int yuv_kind(const YuvRow& job, const YuvKind kind, const int pixel) {
  const __m256i zero = _mm256_setzero_si256(), low = _mm256_set1_epi16(0xff),
                high = _mm256_set1_epi16(static_cast<int16_t>(0xff00));
  const __m256i sign = _mm256_set1_epi16(static_cast<int16_t>(0x8000));
  uint8_t* out = job.out;
  int i = 0;
  for (; i + 32 <= job.count; i += 32, out += 32 * pixel) {
    __m256i y, uv;
    if (kind == YuvKind::kPacked) {
      const __m256i a = load32(job.y + 2 * i), b = load32(job.y + 2 * i + 32);
      y = _mm256_permute4x64_epi64(_mm256_packus_epi16(_mm256_and_si256(a, low), _mm256_and_si256(b, low)), 0xd8);
      uv = _mm256_permute4x64_epi64(_mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8)), 0xd8);
    } else {
      y = load32(job.y + i);
      if (kind == YuvKind::kSemiPlanar) {
        uv = load32(job.u + i);
      } else {
        const __m128i u = load16(job.u + i / 2), v = load16(job.v + i / 2);
        uv = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_unpacklo_epi8(u, v)), _mm_unpackhi_epi8(u, v), 1);
      }
    }
    const __m256i u = _mm256_xor_si256(_mm256_slli_epi16(uv, 8), sign),
                  v = _mm256_xor_si256(_mm256_and_si256(uv, high), sign);
    y = _mm256_subs_epu8(y, _mm256_set1_epi8(16));
    const __m256i lo = luma64(_mm256_unpacklo_epi8(y, zero)), hi = luma64(_mm256_unpackhi_epi8(y, zero));
    const __m256i r = channel32(lo, hi, _mm256_mulhrs_epi16(v, _mm256_set1_epi16(13075)));
    const __m256i g = channel32(lo, hi,
                                _mm256_add_epi16(_mm256_mulhrs_epi16(u, _mm256_set1_epi16(-3209)),
                                                 _mm256_mulhrs_epi16(v, _mm256_set1_epi16(-6660))));
    const __m256i b = channel32(lo, hi, _mm256_mulhrs_epi16(u, _mm256_set1_epi16(16525)));
    const __m256i first = job.bgr ? b : r, third = job.bgr ? r : b;
    if (pixel == 3) {
      store_three(out, first, g, third);
    } else {
      store_four(out, first, g, third);
    }
  }
  return i;
}

void yuv(const YuvRow& job) {
  int done;
  YuvRow rest = job;
  switch (job.kind) {
    case YuvKind::kPlanar:
      done = job.pixel == 3 ? yuv_kind(job, YuvKind::kPlanar, 3) : yuv_kind(job, YuvKind::kPlanar, 4);
      rest.y += done;
      rest.u += done / 2;
      rest.v += done / 2;
      break;
    case YuvKind::kSemiPlanar:
      done = job.pixel == 3 ? yuv_kind(job, YuvKind::kSemiPlanar, 3) : yuv_kind(job, YuvKind::kSemiPlanar, 4);
      rest.y += done;
      rest.u += done;
      break;
    default:
      done = job.pixel == 3 ? yuv_kind(job, YuvKind::kPacked, 3) : yuv_kind(job, YuvKind::kPacked, 4);
      rest.y += 2 * done;
      break;
  }
  rest.count -= done;
  rest.out += static_cast<size_t>(done) * static_cast<size_t>(job.pixel);
  if (rest.count > 0) kImageKernelsScalar.yuv(rest);
}

void expand_luma(const uint8_t* y, int step, int count, uint8_t* out) {
  const __m256i zero = _mm256_setzero_si256(), low = _mm256_set1_epi16(0xff);
  int i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i v;
    if (step == 1) {
      v = load32(y + i);
    } else {
      v = _mm256_packus_epi16(_mm256_and_si256(load32(y + 2 * i), low), _mm256_and_si256(load32(y + 2 * i + 32), low));
      v = _mm256_permute4x64_epi64(v, 0xd8);
    }
    v = _mm256_subs_epu8(v, _mm256_set1_epi8(16));
    const __m256i lo = luma64(_mm256_unpacklo_epi8(v, zero)), hi = luma64(_mm256_unpackhi_epi8(v, zero));
    v = _mm256_packus_epi16(_mm256_srai_epi16(lo, 6), _mm256_srai_epi16(hi, 6));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + i), v);
  }
  if (i < count)
    kImageKernelsScalar.expand_luma(y + static_cast<size_t>(i) * static_cast<size_t>(step), step, count - i, out + i);
}

// ---- interleaved bytes ----

void shuffle(const uint8_t* in, int in_pixel, uint8_t* out, int out_pixel, const int* from, int count) {
  alignas(16) int8_t order[16], fill[16];
  for (int i = 0; i < 16; ++i) {
    const int p = i / out_pixel, c = i % out_pixel;
    const bool inside = p < 4;
    order[i] = static_cast<int8_t>(inside && from[c] >= 0 ? p * in_pixel + from[c] : -1);
    fill[i] = static_cast<int8_t>(inside && from[c] < 0 ? -1 : 0);
  }
  const __m256i o = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(order)));
  const __m256i f = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(fill)));
  const __m256i close =
      out_pixel == 3 ? _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7) : _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  // Eight pixels at a time; 16 bytes are read from the fifth on and 32 bytes are written, so enough pixels must follow.
  const int room_in = 4 + (16 + in_pixel - 1) / in_pixel, room_out = (32 + out_pixel - 1) / out_pixel;
  const int room = room_in > room_out ? room_in : room_out;
  int i = 0;
  for (; i + room <= count; i += 8, in += 8 * in_pixel, out += 8 * out_pixel) {
    const __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(load16(in)), load16(in + 4 * in_pixel), 1);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out),
                        _mm256_permutevar8x32_epi32(_mm256_or_si256(_mm256_shuffle_epi8(v, o), f), close));
  }
  if (i < count) kImageKernelsScalar.shuffle(in, in_pixel, out, out_pixel, from, count - i);
}

void gray(const uint8_t* in, int in_pixel, int red, int count, uint8_t* out) {
  alignas(16) int8_t first[16], second[16];
  for (int p = 0; p < 4; ++p) {
    const int8_t base = static_cast<int8_t>(p * in_pixel), none = -1;
    first[4 * p] = static_cast<int8_t>(base + red);
    first[4 * p + 2] = static_cast<int8_t>(base + 1);
    second[4 * p] = static_cast<int8_t>(base + 2 - red);
    first[4 * p + 1] = first[4 * p + 3] = second[4 * p + 1] = second[4 * p + 2] = second[4 * p + 3] = none;
  }
  const __m256i rg = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(first)));
  const __m256i b1 = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(second)));
  const __m256i one = _mm256_set1_epi32(0x10000), wrg = _mm256_set1_epi32(4899 | 9617 << 16),
                wb = _mm256_set1_epi32(1868 | 8192 << 16);
  int i = 0;
  // 16 pixels at a time; the last load reads 16 bytes from pixel 12 on.
  for (; i + 18 <= count; i += 16, in += 16 * in_pixel) {
    __m256i v[2];
    for (int j = 0; j < 2; ++j) {
      const uint8_t* p = in + 8 * j * in_pixel;
      const __m256i bytes = _mm256_inserti128_si256(_mm256_castsi128_si256(load16(p)), load16(p + 4 * in_pixel), 1);
      const __m256i a = _mm256_madd_epi16(_mm256_shuffle_epi8(bytes, rg), wrg);
      const __m256i b = _mm256_madd_epi16(_mm256_or_si256(_mm256_shuffle_epi8(bytes, b1), one), wb);
      v[j] = _mm256_srli_epi32(_mm256_add_epi32(a, b), 14);
    }
    const __m256i words = _mm256_permute4x64_epi64(_mm256_packs_epi32(v[0], v[1]), 0xd8);
    store16(out + i, _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1)));
  }
  if (i < count) kImageKernelsScalar.gray(in, in_pixel, red, count - i, out + i);
}

// ---- statistics ----

ALWAYS_INLINE uint64_t sum64(__m256i v) {
  alignas(32) uint64_t a[4];
  _mm256_store_si256(reinterpret_cast<__m256i*>(a), v);
  return a[0] + a[1] + a[2] + a[3];
}

// Sum of eight signed 32-bit lanes, as four 64-bit lanes.
ALWAYS_INLINE __m256i widen(__m256i v) {
  return _mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(v)),
                          _mm256_cvtepi32_epi64(_mm256_extracti128_si256(v, 1)));
}

void luma_sums(const uint8_t* row, int count, LumaSums* sums) {
  const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi8(1);
  const __m256i dark = _mm256_set1_epi8(kUnderexposed), bright = _mm256_set1_epi8(static_cast<int8_t>(kOverexposed));
  __m256i sum = zero, under = zero, over = zero, squares = zero;
  int i = 0;
  while (i + 32 <= count) {
    __m256i some = zero;
    // Squares fit 32 bits for 8192 rounds.
    for (int n = 0; n < 8192 && i + 32 <= count; ++n, i += 32) {
      const __m256i v = load32(row + i);
      sum = _mm256_add_epi64(sum, _mm256_sad_epu8(v, zero));
      const __m256i is_dark = _mm256_cmpeq_epi8(_mm256_min_epu8(v, dark), v),
                    is_bright = _mm256_cmpeq_epi8(_mm256_max_epu8(v, bright), v);
      under = _mm256_add_epi64(under, _mm256_sad_epu8(_mm256_and_si256(is_dark, one), zero));
      over = _mm256_add_epi64(over, _mm256_sad_epu8(_mm256_and_si256(is_bright, one), zero));
      const __m256i lo = _mm256_unpacklo_epi8(v, zero), hi = _mm256_unpackhi_epi8(v, zero);
      some = _mm256_add_epi32(some, _mm256_add_epi32(_mm256_madd_epi16(lo, lo), _mm256_madd_epi16(hi, hi)));
    }
    squares = _mm256_add_epi64(squares, widen(some));
  }
  sums->sum += sum64(sum);
  sums->squares += sum64(squares);
  sums->under += sum64(under);
  sums->over += sum64(over);
  if (i < count) kImageKernelsScalar.luma_sums(row + i, count - i, sums);
}

void laplacian_sums(const uint8_t* above, const uint8_t* row, const uint8_t* below, int count, LaplacianSums* sums) {
  const __m256i ones = _mm256_set1_epi16(1);
  __m256i sum = _mm256_setzero_si256(), squares = sum;
  int i = 0;
  while (i + 16 <= count) {
    __m256i some = _mm256_setzero_si256(), some_squares = some;
    // Squares fit 32 bits for 512 rounds.
    for (int n = 0; n < 512 && i + 16 <= count; ++n, i += 16) {
      const __m256i c = _mm256_cvtepu8_epi16(load16(row + i + 1));
      const __m256i sides =
          _mm256_add_epi16(_mm256_cvtepu8_epi16(load16(row + i)), _mm256_cvtepu8_epi16(load16(row + i + 2)));
      const __m256i ends =
          _mm256_add_epi16(_mm256_cvtepu8_epi16(load16(above + i + 1)), _mm256_cvtepu8_epi16(load16(below + i + 1)));
      const __m256i v = _mm256_sub_epi16(_mm256_slli_epi16(c, 2), _mm256_add_epi16(sides, ends));
      some = _mm256_add_epi32(some, _mm256_madd_epi16(v, ones));
      some_squares = _mm256_add_epi32(some_squares, _mm256_madd_epi16(v, v));
    }
    sum = _mm256_add_epi64(sum, widen(some));
    squares = _mm256_add_epi64(squares, widen(some_squares));
  }
  sums->sum += static_cast<int64_t>(sum64(sum));
  sums->squares += sum64(squares);
  if (i < count) kImageKernelsScalar.laplacian_sums(above + i, row + i, below + i, count - i, sums);
}

}  // namespace

void image_kernels_avx2(ImageKernels* table) {
  table->vertical = vertical;
  table->horizontal = horizontal;
  table->vertical16 = vertical16;
  table->horizontal16 = horizontal16;
  table->horizontal16_planar_f32 = horizontal16_planar_f32;
  table->bilinear = bilinear;
  table->bilinear_planar_f32 = bilinear_planar_f32;
  table->bilinear_packed_u8 = bilinear_packed_u8;
  table->luma = luma;
  table->pack_planar_f32 = pack_planar_f32;
  table->pack_packed_f32 = pack_packed_f32;
  table->pack_planar_u8 = pack_planar_u8;
  table->pack_packed_u8 = pack_packed_u8;
  table->pack_gray_f32 = pack_gray_f32;
  table->pack_gray_u8 = pack_gray_u8;
  table->yuv = yuv;
  table->expand_luma = expand_luma;
  table->shuffle = shuffle;
  table->gray = gray;
  table->luma_sums = luma_sums;
  table->laplacian_sums = laplacian_sums;
}

}  // namespace lineament

#endif
