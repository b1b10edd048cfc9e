// Kernels for x86-64 with AVX-512 and VNNI, whose products of bytes are summed in 32 bits: batches are compared by all
// eight bits of the codes. Compiled with the flags for these; see native/sources.json.
#include <immintrin.h>

#include "search/kernels.h"
#include "search/kernels_x86.h"

namespace lineament {
namespace {

inline __m512i add_nibbles(__m512i sum, __m512i v, __m512i low_query, __m512i high_query) {
  const __m512i mask = _mm512_set1_epi8(15);
  sum = _mm512_dpbusd_epi32(sum, _mm512_and_si512(v, mask), low_query);
  return _mm512_dpbusd_epi32(sum, _mm512_and_si512(_mm512_srli_epi16(v, 4), mask), high_query);
}

// Two groups of 16 rows and so many queries: the sums stay in registers, and enough of them hide the latency.
template <int kGroups, int kQueries>
inline void tile_block(const uint8_t* tile, size_t width, const int8_t* queries, int32_t* dots, size_t pitch) {
  __m512i sums[kGroups][kQueries];
  for (int g = 0; g < kGroups; ++g) {
    for (int q = 0; q < kQueries; ++q) sums[g][q] = _mm512_setzero_si512();
  }
  const uint8_t* other = tile + (kGroups - 1) * width * 16;
  for (size_t i = 0; i < width; i += 4) {
    __m512i codes[kGroups];
    codes[0] = _mm512_loadu_si512(tile + i * 16);
    codes[kGroups - 1] = _mm512_loadu_si512(other + i * 16);
    for (int q = 0; q < kQueries; ++q) {
      const __m512i b = broadcast512(queries + static_cast<size_t>(q) * width + i);
      for (int g = 0; g < kGroups; ++g) sums[g][q] = _mm512_dpbusd_epi32(sums[g][q], codes[g], b);
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
  for (; q + 8 <= count; q += 8) tile_block<kGroups, 8>(tile, width, queries + q * width, dots + q * pitch, pitch);
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

void search_kernels_vnni(SearchKernels* table) {
  table->lanes = 16;
  table->tile_bits = 8;
  table->dot_high = dot_high512<add_nibbles>;
  table->dot_row = dot_row512<add_nibbles>;
  table->pack_tile = pack_codes<16, 8>;
  table->dot_tile = dot_tile;
}

}  // namespace lineament
