// Kernels for x86-64 with AVX2, FMA and F16C. Compiled with the flags for these; see native/sources.json.
#include <immintrin.h>

#include <cstring>

#include "search/kernels.h"
#include "search/kernels_x86.h"

namespace lineament {
namespace {

constexpr size_t kStep = 32;
constexpr size_t kAhead = 2048;  // bytes between asking for a line and reading it

inline __m256i broadcast(const int8_t* p) {
  int value;
  std::memcpy(&value, p, sizeof(value));
  return _mm256_set1_epi32(value);
}

// The nibbles of 32 bytes times their queries: 16 sums of four products, each of at most 2 × 2 × 15 × 127 = 7 620.
inline __m256i nibbles(__m256i v, __m256i low_query, __m256i high_query) {
  const __m256i mask = _mm256_set1_epi8(15);
  const __m256i low = _mm256_and_si256(v, mask);
  const __m256i high = _mm256_and_si256(_mm256_srli_epi16(v, 4), mask);
  return _mm256_add_epi16(_mm256_maddubs_epi16(low, low_query), _mm256_maddubs_epi16(high, high_query));
}

inline __m256i widen(__m256i sums) { return _mm256_madd_epi16(sums, _mm256_set1_epi16(1)); }

int32_t dot_row(const uint8_t* plane, size_t stride, const int8_t* query) {
  const int8_t* upper = query + stride;
  __m256i sum = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 4 * kStep <= stride; i += 4 * kStep) {  // 4 × 7 620 < 2^15
    const __m256i a = nibbles(load(plane + i), load(query + i), load(upper + i));
    const __m256i b = nibbles(load(plane + i + 32), load(query + i + 32), load(upper + i + 32));
    const __m256i c = nibbles(load(plane + i + 64), load(query + i + 64), load(upper + i + 64));
    const __m256i d = nibbles(load(plane + i + 96), load(query + i + 96), load(upper + i + 96));
    sum = _mm256_add_epi32(sum, widen(_mm256_add_epi16(_mm256_add_epi16(a, b), _mm256_add_epi16(c, d))));
  }
  for (; i < stride; i += kStep) {
    sum = _mm256_add_epi32(sum, widen(nibbles(load(plane + i), load(query + i), load(upper + i))));
  }
  return fold(sum);
}

void dot_high(const uint8_t* high, size_t stride, size_t rows, const int8_t* query, int32_t* dots) {
  const int8_t* upper = query + stride;
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const uint8_t* row = high + r * stride;
    __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
    for (size_t i = 0; i < stride;) {
      __m256i part[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(),
                         _mm256_setzero_si256()};
      const size_t end = i + 4 * kStep <= stride ? i + 4 * kStep : stride;
      for (; i < end; i += kStep) {
        const __m256i q0 = load(query + i), q1 = load(upper + i);
        for (size_t k = 0; k < 4; ++k) {
          part[k] = _mm256_add_epi16(part[k], nibbles(load(row + k * stride + i), q0, q1));
        }
        // As many bytes as this step reads, one step of four rows for one line or two.
        _mm_prefetch(reinterpret_cast<const char*>(row + 4 * i + kAhead), _MM_HINT_T0);
        _mm_prefetch(reinterpret_cast<const char*>(row + 4 * i + kAhead + 64), _MM_HINT_T0);
      }
      for (size_t k = 0; k < 4; ++k) sums[k] = _mm256_add_epi32(sums[k], widen(part[k]));
    }
    store_folded(sums[0], sums[1], sums[2], sums[3], dots + r);
  }
  for (; r < rows; ++r) dots[r] = dot_row(high + r * stride, stride, query);
}

size_t keep(const int32_t* dots, const CodeBound* bounds, size_t rows, const KeepRule& rule, uint32_t* out) {
  const __m256 scale = _mm256_set1_ps(rule.scale), offset = _mm256_set1_ps(rule.offset);
  const __m256 length = _mm256_set1_ps(rule.length), needed = _mm256_set1_ps(rule.needed);
  size_t count = 0, r = 0;
  for (; r + 8 <= rows; r += 8) {
    // Scales and errors come apart in the order of rows 0, 1, 4, 5, 2, 3, 6, 7: the sums are brought into it too.
    const float* pairs = &bounds[r].scale;
    const __m256 a = _mm256_loadu_ps(pairs), b = _mm256_loadu_ps(pairs + 8);
    const __m256 s = _mm256_shuffle_ps(a, b, 0x88), e = _mm256_shuffle_ps(a, b, 0xdd);
    const __m256 sums = _mm256_cvtepi32_ps(_mm256_permute4x64_epi64(load(dots + r), 0xd8));
    const __m256 upper =
        _mm256_fmadd_ps(_mm256_mul_ps(s, scale), _mm256_sub_ps(sums, offset), _mm256_mul_ps(e, length));
    const unsigned bits = static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(upper, needed, _CMP_GE_OQ)));
    if (bits == 0) continue;
    constexpr unsigned kPlace[8] = {0, 1, 4, 5, 2, 3, 6, 7};
    for (unsigned k = 0; k < 8; ++k) {
      out[count] = static_cast<uint32_t>(r) + k;
      count += bits >> kPlace[k] & 1;
    }
  }
  for (; r < rows; ++r) {
    const float value = bounds[r].scale * rule.scale * (static_cast<float>(dots[r]) - rule.offset);
    if (value + bounds[r].error * rule.length >= rule.needed) out[count++] = static_cast<uint32_t>(r);
  }
  return count;
}

// Sums of eight rows for each of so many queries.
template <int kQueries>
inline void tile_block(const uint8_t* tile, size_t width, const int8_t* queries, int32_t* dots, size_t pitch) {
  __m256i sums[kQueries];
  for (int q = 0; q < kQueries; ++q) sums[q] = _mm256_setzero_si256();
  for (size_t i = 0; i < width; i += 16) {
    const uint8_t* codes = tile + i * 8;
    const __m256i c0 = load(codes), c1 = load(codes + 32), c2 = load(codes + 64), c3 = load(codes + 96);
    for (int q = 0; q < kQueries; ++q) {
      const int8_t* query = queries + static_cast<size_t>(q) * width + i;
      const __m256i b0 = broadcast(query), b1 = broadcast(query + 4);
      const __m256i b2 = broadcast(query + 8), b3 = broadcast(query + 12);
      const __m256i a = _mm256_add_epi16(_mm256_maddubs_epi16(c0, b0), _mm256_maddubs_epi16(c1, b1));
      const __m256i b = _mm256_add_epi16(_mm256_maddubs_epi16(c2, b2), _mm256_maddubs_epi16(c3, b3));
      sums[q] = _mm256_add_epi32(sums[q], widen(_mm256_add_epi16(a, b)));  // 4 × 2 × 31 × 127 < 2^15
    }
  }
  for (int q = 0; q < kQueries; ++q) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(dots + static_cast<size_t>(q) * pitch), sums[q]);
  }
}

void dot_tile(const uint8_t* tile, size_t groups, size_t stride, const int8_t* queries, size_t count, int32_t* dots,
              size_t pitch) {
  const size_t width = 2 * stride;
  for (size_t g = 0; g < groups; ++g, tile += width * 8, dots += 8) {
    size_t q = 0;
    for (; q + 4 <= count; q += 4) tile_block<4>(tile, width, queries + q * width, dots + q * pitch, pitch);
    for (; q < count; ++q) tile_block<1>(tile, width, queries + q * width, dots + q * pitch, pitch);
  }
}

double dot_f32(const float* a, const float* b, size_t count) {
  __m256d s[4] = {_mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd(), _mm256_setzero_pd()};
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (size_t k = 0; k < 4; ++k) {  // the product is exact, so that FMA rounds as the scalar sum does
      s[k] = _mm256_fmadd_pd(_mm256_cvtps_pd(_mm_loadu_ps(a + i + 4 * k)), _mm256_cvtps_pd(_mm_loadu_ps(b + i + 4 * k)),
                             s[k]);
    }
  }
  if (i < count) {
    alignas(32) double sums[16];
    for (size_t k = 0; k < 4; ++k) _mm256_store_pd(sums + 4 * k, s[k]);
    for (size_t k = 0; i + k < count; ++k) sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
    for (size_t k = 0; k < 4; ++k) s[k] = _mm256_load_pd(sums + 4 * k);
  }
  const __m256d four = _mm256_add_pd(_mm256_add_pd(s[0], s[2]), _mm256_add_pd(s[1], s[3]));
  const __m128d two = _mm_add_pd(_mm256_castpd256_pd128(four), _mm256_extractf128_pd(four, 1));
  return _mm_cvtsd_f64(_mm_add_sd(two, _mm_unpackhi_pd(two, two)));
}

void to_half(const float* values, size_t count, uint16_t* out) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i), _mm256_cvtps_ph(_mm256_loadu_ps(values + i), 0));
  }
  if (i < count) kSearchKernelsScalar.to_half(values + i, count - i, out + i);
}

void from_half(const uint16_t* values, size_t count, float* out) {
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    _mm256_storeu_ps(out + i, _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values + i))));
  }
  if (i < count) kSearchKernelsScalar.from_half(values + i, count - i, out + i);
}

}  // namespace

void search_kernels_avx2(SearchKernels* table) {
  *table = {8, 5, dot_high, dot_row, keep, pack_codes<8, 5>, dot_tile, dot_f32, to_half, from_half};
}

}  // namespace lineament
