// Kernels for x86-64 with AVX-512 (F, BW, VL, DQ). Compiled with the flags for these; see native/sources.json.
#include <immintrin.h>

#include "search/kernels.h"
#include "search/kernels_x86.h"

namespace lineament {
namespace {

// The nibbles of 64 bytes times their queries: 32 sums of four products, each of at most 2 × 2 × 15 × 127 = 7 620.
inline __m512i nibbles(__m512i v, __m512i low_query, __m512i high_query) {
  const __m512i mask = _mm512_set1_epi8(15);
  const __m512i low = _mm512_and_si512(v, mask);
  const __m512i high = _mm512_and_si512(_mm512_srli_epi16(v, 4), mask);
  return _mm512_add_epi16(_mm512_maddubs_epi16(low, low_query), _mm512_maddubs_epi16(high, high_query));
}

inline __m512i widen(__m512i sums) { return _mm512_madd_epi16(sums, _mm512_set1_epi16(1)); }

inline __m512i add_nibbles(__m512i sum, __m512i v, __m512i low_query, __m512i high_query) {
  return _mm512_add_epi32(sum, widen(nibbles(v, low_query, high_query)));
}

template <int kGroups, int kQueries>
inline void tile_block(const uint8_t* tile, size_t width, const int8_t* queries, int32_t* dots, size_t pitch) {
  __m512i sums[kGroups][kQueries];
  for (int g = 0; g < kGroups; ++g) {
    for (int q = 0; q < kQueries; ++q) sums[g][q] = _mm512_setzero_si512();
  }
  const uint8_t* other = tile + (kGroups - 1) * width * 16;
  for (size_t i = 0; i < width; i += 16) {
    __m512i codes[kGroups][4];
    for (size_t k = 0; k < 4; ++k) {
      codes[0][k] = _mm512_loadu_si512(tile + i * 16 + k * 64);
      codes[kGroups - 1][k] = _mm512_loadu_si512(other + i * 16 + k * 64);
    }
    for (int q = 0; q < kQueries; ++q) {
      const int8_t* query = queries + static_cast<size_t>(q) * width + i;
      const __m512i b0 = broadcast512(query), b1 = broadcast512(query + 4), b2 = broadcast512(query + 8),
                    b3 = broadcast512(query + 12);
      for (int g = 0; g < kGroups; ++g) {  // 4 × 2 × 31 × 127 < 2^15
        const __m512i a =
            _mm512_add_epi16(_mm512_maddubs_epi16(codes[g][0], b0), _mm512_maddubs_epi16(codes[g][1], b1));
        const __m512i b =
            _mm512_add_epi16(_mm512_maddubs_epi16(codes[g][2], b2), _mm512_maddubs_epi16(codes[g][3], b3));
        sums[g][q] = _mm512_add_epi32(sums[g][q], widen(_mm512_add_epi16(a, b)));
      }
    }
  }
  for (int q = 0; q < kQueries; ++q) {
    for (int g = 0; g < kGroups; ++g) {
      _mm512_storeu_si512(dots + static_cast<size_t>(q) * pitch + g * 16, sums[g][q]);
    }
  }
}

template <int kGroups>
inline void tile_queries(const uint8_t* tile, size_t width, const int8_t* queries, size_t count, int32_t* dots,
                         size_t pitch) {
  size_t q = 0;
  for (; q + 4 <= count; q += 4) tile_block<kGroups, 4>(tile, width, queries + q * width, dots + q * pitch, pitch);
  for (; q < count; ++q) tile_block<kGroups, 1>(tile, width, queries + q * width, dots + q * pitch, pitch);
}

void dot_tile(const uint8_t* tile, size_t groups, size_t stride, const int8_t* queries, size_t count, int32_t* dots,
              size_t pitch) {
  const size_t width = 2 * stride;
  size_t g = 0;
  for (; g + 2 <= groups; g += 2) tile_queries<2>(tile + g * width * 16, width, queries, count, dots + g * 16, pitch);
  if (g < groups) tile_queries<1>(tile + g * width * 16, width, queries, count, dots + g * 16, pitch);
}

}  // namespace

void search_kernels_avx512(SearchKernels* table) {
  table->lanes = 16;
  table->tile_bits = 5;
  table->dot_high = dot_high512<add_nibbles>;
  table->dot_row = dot_row512<add_nibbles>;
  table->pack_tile = pack_codes<16, 5>;
  table->dot_tile = dot_tile;
}

}  // namespace lineament
