// Kernels for x86-64 with AVX2. Compiled with the flags for these; see native/sources.json.
#include <immintrin.h>

#include "cloud/kernels.h"

namespace lineament {
namespace {

// Keeps the compiler from fusing a product with the sum that follows: the scalar kernels round both.
inline __m256 rounded(__m256 v) {
#if defined(__GNUC__)
  __asm__("" : "+x"(v));
#endif
  return v;
}

inline uint32_t lowest_bit(uint32_t mask) {
#if defined(_MSC_VER) && !defined(__clang__)
  unsigned long at;
  _BitScanForward(&at, mask);
  return at;
#else
  return static_cast<uint32_t>(__builtin_ctz(mask));
#endif
}

inline __m256 square(__m256 v) { return rounded(_mm256_mul_ps(v, v)); }

void squared(const float* x, const float* y, const float* z, size_t count, const float* q, float* out) {
  const __m256 qx = _mm256_set1_ps(q[0]), qy = _mm256_set1_ps(q[1]), qz = _mm256_set1_ps(q[2]);
  for (size_t i = 0; i < count; i += kCloudLanes) {
    const __m256 dx = _mm256_sub_ps(_mm256_load_ps(x + i), qx);
    const __m256 dy = _mm256_sub_ps(_mm256_load_ps(y + i), qy);
    const __m256 dz = _mm256_sub_ps(_mm256_load_ps(z + i), qz);
    _mm256_store_ps(out + i, _mm256_add_ps(_mm256_add_ps(square(dx), square(dy)), square(dz)));
  }
}

inline __m256i fits(const float* values, __m256 limit) {
  return _mm256_castps_si256(_mm256_cmp_ps(_mm256_load_ps(values), limit, _CMP_LE_OQ));
}

size_t at_most(const float* values, size_t count, float limit) {
  const __m256 most = _mm256_set1_ps(limit);
  __m256i even = _mm256_setzero_si256(), odd = even;
  size_t i = 0;
  for (; i + 2 * kCloudLanes <= count; i += 2 * kCloudLanes) {
    even = _mm256_sub_epi32(even, fits(values + i, most));
    odd = _mm256_sub_epi32(odd, fits(values + i + kCloudLanes, most));
  }
  if (i < count) even = _mm256_sub_epi32(even, fits(values + i, most));
  const __m256i both = _mm256_add_epi32(even, odd);
  const __m128i half = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
  const __m128i pair = _mm_add_epi32(half, _mm_shuffle_epi32(half, 0x4e));
  return static_cast<uint32_t>(_mm_cvtsi128_si32(_mm_add_epi32(pair, _mm_shuffle_epi32(pair, 0xb1))));
}

size_t pick(const float* values, size_t count, float limit, uint32_t* out) {
  const __m256 most = _mm256_set1_ps(limit);
  size_t found = 0;
  for (size_t i = 0; i < count; i += kCloudLanes) {
    auto mask = static_cast<uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(fits(values + i, most))));
    while (mask != 0) {
      out[found++] = static_cast<uint32_t>(i) + lowest_bit(mask);
      mask &= mask - 1;
    }
  }
  return found;
}

}  // namespace

void cloud_kernels_avx2(CloudKernels* table) { *table = {squared, at_most, pick}; }

}  // namespace lineament
