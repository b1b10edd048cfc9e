// The loops of the search that have one version for each instruction set.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament {

// What a row's code gives of it at one precision: code × scale, and a bound on the length of the rest, rounded up.
struct CodeBound {
  float scale;
  float error;
};

// Row r is kept where  bounds[r].scale × scale × (dots[r] − offset) + bounds[r].error × length ≥ needed.
struct KeepRule {
  float scale;
  float offset;
  float length;
  float needed;
};

// Integer sums are exact and floats are added in a stated order: all levels give the same bits, except that keep() may
// differ in the last one (its callers' bounds allow for that). Planes: search/codes.h.
struct SearchKernels {
  // Rows that one group of `tile` codes holds, and the bits of a code there: 5 or 8.
  int lanes;
  int tile_bits;

  // dots[r] = Σ upper four bits × query. stride: a multiple of 32.
  void (*dot_high)(const uint8_t* high, size_t stride, size_t rows, const int8_t* query, int32_t* dots);
  // Σ low-plane bits × query, for one row; the caller knows the upper plane's part.
  int32_t (*dot_row)(const uint8_t* plane, size_t stride, const int8_t* query);
  // Writes the kept rows' numbers in ascending order (room for `rows`), gives how many.
  size_t (*keep)(const int32_t* dots, const CodeBound* bounds, size_t rows, const KeepRule& rule, uint32_t* out);
  // The upper tile_bits of up to `lanes` rows, four coordinates of each row side by side:
  // out[(i / 4 × lanes + r) × 4 + i % 4] = coordinate i of row r, 0 for rows from `rows` on. lanes × 2 × stride bytes.
  void (*pack_tile)(const uint8_t* high, const uint8_t* low, size_t stride, size_t rows, uint8_t* out);
  // dots[q × pitch + r] = Σ tile code of row r × query q, for `groups` tiles (r < groups × lanes) and all queries,
  // which lie 2 × stride apart. 8-bit codes: sums stay below 2^31 for the dimensions the search takes.
  void (*dot_tile)(const uint8_t* tile, size_t groups, size_t stride, const int8_t* queries, size_t count,
                   int32_t* dots, size_t pitch);
  // Σ a[i]·b[i] in double: products are exact, term i is added to sum i % 16, and the 16 sums are folded in halves.
  double (*dot_f32)(const float* a, const float* b, size_t count);
  // IEEE 754 binary16, to nearest even; NaN stays NaN.
  void (*to_half)(const float* values, size_t count, uint16_t* out);
  void (*from_half)(const uint16_t* values, size_t count, float* out);
};

extern const SearchKernels kSearchKernelsScalar;
void search_kernels_avx2(SearchKernels* table);
void search_kernels_avx512(SearchKernels* table);
void search_kernels_vnni(SearchKernels* table);
void search_kernels_neon(SearchKernels* table);

// The table in use (core/cpu.h: active_simd(); VNNI where AVX-512 is used and the processor has it).
const SearchKernels& search_kernels();

// The tables that this build and processor can run, scalar first, each with its name; gives their number (at most 5).
// Those above the level of LINEAMENT_SIMD are left out.
struct NamedSearchKernels {
  const char* name;
  const SearchKernels* kernels;
};
int available_search_kernels(NamedSearchKernels out[5]);

// From now on search_kernels() gives this table, one of those above, in the whole process; null: the best again. For
// tests and benches; not meant for use while other threads search.
void force_search_kernels(const SearchKernels* kernels);

}  // namespace lineament
