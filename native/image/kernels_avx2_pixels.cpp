// Pixel formats and statistics. Compiled for AVX2 and FMA; see kernels_avx2.h for what may stand here.
#include "image/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include "image/kernels_avx2.h"

namespace lineament {
namespace {

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

// Four times the centre less its neighbours, of 16 pixels whose centre is spread over 16 bits; the neighbours come as
// bytes side by side.
ALWAYS_INLINE __m256i laplacian16(__m256i centre, __m256i sides, __m256i ends) {
  const __m256i one = _mm256_set1_epi8(1);
  const __m256i around = _mm256_add_epi16(_mm256_maddubs_epi16(sides, one), _mm256_maddubs_epi16(ends, one));
  return _mm256_sub_epi16(_mm256_slli_epi16(centre, 2), around);
}

void laplacian_sums(const uint8_t* above, const uint8_t* row, const uint8_t* below, int count, LaplacianSums* sums) {
  const __m256i zero = _mm256_setzero_si256(), ones = _mm256_set1_epi16(1);
  __m256i sum = zero, squares = zero;
  int i = 0;
  while (i + 32 <= count) {
    __m256i some = zero, some_squares = zero;
    // Squares fit 32 bits for 256 rounds.
    for (int n = 0; n < 256 && i + 32 <= count; ++n, i += 32) {
      const __m256i c = load32(row + i + 1), l = load32(row + i), r = load32(row + i + 2);
      const __m256i u = load32(above + i + 1), d = load32(below + i + 1);
      const __m256i a =
          laplacian16(_mm256_unpacklo_epi8(c, zero), _mm256_unpacklo_epi8(l, r), _mm256_unpacklo_epi8(u, d));
      const __m256i b =
          laplacian16(_mm256_unpackhi_epi8(c, zero), _mm256_unpackhi_epi8(l, r), _mm256_unpackhi_epi8(u, d));
      some = _mm256_add_epi32(some, _mm256_madd_epi16(_mm256_add_epi16(a, b), ones));
      some_squares = _mm256_add_epi32(some_squares, _mm256_add_epi32(_mm256_madd_epi16(a, a), _mm256_madd_epi16(b, b)));
    }
    sum = _mm256_add_epi64(sum, widen(some));
    squares = _mm256_add_epi64(squares, widen(some_squares));
  }
  sums->sum += static_cast<int64_t>(sum64(sum));
  sums->squares += sum64(squares);
  if (i < count) kImageKernelsScalar.laplacian_sums(above + i, row + i, below + i, count - i, sums);
}

}  // namespace

void avx2_pixels(ImageKernels* table) {
  table->yuv = yuv;
  table->expand_luma = expand_luma;
  table->shuffle = shuffle;
  table->gray = gray;
  table->luma_sums = luma_sums;
  table->laplacian_sums = laplacian_sums;
}

}  // namespace lineament

#endif
