// Compiled for AVX2; see image/kernels_avx2.h for what may stand here.
#include "landmarks/shape_kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include "image/kernels_avx2.h"

namespace lineament {
namespace {

constexpr size_t kAhead = 8;  // rows between asking for one and adding it
constexpr size_t kLine = 64;

ALWAYS_INLINE void ask_for(const void* row, size_t bytes) {
  const char* p = static_cast<const char*>(row);
  for (size_t i = 0; i < bytes; i += kLine) _mm_prefetch(p + i, _MM_HINT_T0);
  _mm_prefetch(p + bytes - 1, _MM_HINT_T0);
}

ALWAYS_INLINE __m256 four(__m256 s, const float* a, const float* b, const float* c, const float* d, size_t k) {
  s = _mm256_add_ps(s, _mm256_loadu_ps(a + k));
  s = _mm256_add_ps(s, _mm256_loadu_ps(b + k));
  s = _mm256_add_ps(s, _mm256_loadu_ps(c + k));
  return _mm256_add_ps(s, _mm256_loadu_ps(d + k));
}

void add_f32(const float* const* rows, size_t count, size_t values, float* sums) {
  const size_t bytes = values * sizeof(float);
  for (size_t r = 0; r < count && r < kAhead; ++r) ask_for(rows[r], bytes);
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    for (size_t i = r + kAhead; i < r + kAhead + 4 && i < count; ++i) ask_for(rows[i], bytes);
    const float *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
    size_t k = 0;
    for (; k + 16 <= values; k += 16) {
      const __m256 s = four(_mm256_loadu_ps(sums + k), a, b, c, d, k);
      const __m256 t = four(_mm256_loadu_ps(sums + k + 8), a, b, c, d, k + 8);
      _mm256_storeu_ps(sums + k, s);
      _mm256_storeu_ps(sums + k + 8, t);
    }
    for (; k + 8 <= values; k += 8) _mm256_storeu_ps(sums + k, four(_mm256_loadu_ps(sums + k), a, b, c, d, k));
    for (; k < values; ++k) sums[k] = sums[k] + a[k] + b[k] + c[k] + d[k];
  }
  for (; r < count; ++r) {
    const float* a = rows[r];
    size_t k = 0;
    for (; k + 8 <= values; k += 8) {
      _mm256_storeu_ps(sums + k, _mm256_add_ps(_mm256_loadu_ps(sums + k), _mm256_loadu_ps(a + k)));
    }
    for (; k < values; ++k) sums[k] += a[k];
  }
}

ALWAYS_INLINE __m256i shifted(const int16_t* p, __m128i shift) {
  return _mm256_sll_epi32(_mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))), shift);
}

ALWAYS_INLINE __m256i load(const int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
ALWAYS_INLINE void store(int32_t* p, __m256i v) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), v); }

void add_i16(const int16_t* const* rows, const uint8_t* shifts, size_t count, size_t values, int32_t* sums) {
  const size_t bytes = values * sizeof(int16_t);
  for (size_t r = 0; r < count && r < kAhead; ++r) ask_for(rows[r], bytes);
  for (size_t k = 0; k < values; ++k) sums[k] = 0;
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    for (size_t i = r + kAhead; i < r + kAhead + 4 && i < count; ++i) ask_for(rows[i], bytes);
    const int16_t *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
    const __m128i sa = _mm_cvtsi32_si128(shifts[r]), sb = _mm_cvtsi32_si128(shifts[r + 1]);
    const __m128i sc = _mm_cvtsi32_si128(shifts[r + 2]), sd = _mm_cvtsi32_si128(shifts[r + 3]);
    size_t k = 0;
    for (; k + 8 <= values; k += 8) {
      const __m256i ab = _mm256_add_epi32(shifted(a + k, sa), shifted(b + k, sb));
      const __m256i cd = _mm256_add_epi32(shifted(c + k, sc), shifted(d + k, sd));
      store(sums + k, _mm256_add_epi32(load(sums + k), _mm256_add_epi32(ab, cd)));
    }
    for (; k < values; ++k) {
      sums[k] += a[k] * (1 << shifts[r]) + b[k] * (1 << shifts[r + 1]) + c[k] * (1 << shifts[r + 2]) +
                 d[k] * (1 << shifts[r + 3]);
    }
  }
  for (; r < count; ++r) {
    const int16_t* a = rows[r];
    const __m128i sa = _mm_cvtsi32_si128(shifts[r]);
    size_t k = 0;
    for (; k + 8 <= values; k += 8) store(sums + k, _mm256_add_epi32(load(sums + k), shifted(a + k, sa)));
    for (; k < values; ++k) sums[k] += a[k] * (1 << shifts[r]);
  }
}

}  // namespace

void shape_kernels_avx2(ShapeKernels* table) {
  table->add_f32 = add_f32;
  table->add_i16 = add_i16;
}

}  // namespace lineament

#endif
