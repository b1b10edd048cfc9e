// Samples along a line, and pixel rows to tensor rows. Compiled for AVX2 and FMA; see kernels_avx2.h for what may stand
// here.
#include "image/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include "image/kernels_avx2.h"

namespace lineament {
namespace {

// ---- bilinear samples along a line ----

// Interpolates two pixels, one per 128-bit lane: bytes of the upper and lower pair of neighbours, weights by lane.
ALWAYS_INLINE __m256i blend2(const uint8_t* p, const uint8_t* q, size_t stride, __m256i spread, __m256i top,
                             __m256i bottom) {
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

}  // namespace

void avx2_sampling(ImageKernels* table) {
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
}

}  // namespace lineament

#endif
