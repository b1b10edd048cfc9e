// Compiled for AVX2: may include nothing that brings inline functions of others.
#include "depth/bilateral_kernel.h"

#if defined(__x86_64__) || defined(_M_X64)

#include <immintrin.h>

#include "depth/bilateral_body.h"

namespace lineament {

// The order of additions is the plain version's; fused multiply-add makes the last digits differ.
void bilateral_row_avx2(const BilateralRow& row) {
  const __m256 one = _mm256_set1_ps(1.0F), zero = _mm256_setzero_ps(), inverse = _mm256_set1_ps(row.inverse_range);
  size_t i = 0;
  for (; i + 8 <= row.count; i += 8) {
    const __m256 p = _mm256_loadu_ps(row.pixels + i);
    __m256 weights = _mm256_loadu_ps(row.weights + i), differences = _mm256_loadu_ps(row.differences + i);
    for (size_t k = 0; k < row.taps; ++k) {
      const __m256 difference = _mm256_sub_ps(_mm256_loadu_ps(row.beside + i + k), p);
      const __m256 rest = _mm256_fnmadd_ps(_mm256_mul_ps(difference, difference), inverse, one);
      const __m256 counts = _mm256_cmp_ps(rest, zero, _CMP_GT_OQ);
      const __m256 weight =
          _mm256_and_ps(counts, _mm256_mul_ps(_mm256_set1_ps(row.spatial[k]), _mm256_mul_ps(rest, rest)));
      weights = _mm256_add_ps(weights, weight);
      differences = _mm256_fmadd_ps(weight, _mm256_and_ps(counts, difference), differences);
    }
    _mm256_storeu_ps(row.weights + i, weights);
    _mm256_storeu_ps(row.differences + i, differences);
  }
  for (; i < row.count; ++i) {
    for (size_t k = 0; k < row.taps; ++k) {
      bilateral_tap(row.pixels[i], row.beside[i + k], row.spatial[k], row.inverse_range, row.weights + i,
                    row.differences + i);
    }
  }
}

}  // namespace lineament

#endif
