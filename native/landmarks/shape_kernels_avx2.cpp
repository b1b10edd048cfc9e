// Compiled for AVX2; see image/kernels_avx2.h for what may stand here.
#include "landmarks/shape_kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include "image/kernels_avx2.h"

namespace lineament {
namespace {

constexpr size_t kAhead = 16;  // rows between asking for one and adding it

ALWAYS_INLINE void ask_for(const void* memory) { _mm_prefetch(static_cast<const char*>(memory), _MM_HINT_T0); }

// The four rows that are asked for while four others are added, a line of each at a time: a processor drops requests
// beyond the two dozen or so that it keeps track of.
template <typename T>
struct Ahead {
  const T* rows[4];
};

template <typename T>
ALWAYS_INLINE Ahead<T> rows_ahead(const T* const* rows, size_t count, size_t first) {
  const size_t last = count - 1;
  const auto row = [=](size_t i) { return rows[i < last ? i : last]; };
  return {{row(first), row(first + 1), row(first + 2), row(first + 3)}};
}

template <typename T>
ALWAYS_INLINE void ask_for(const Ahead<T>& ahead, size_t k) {
  for (const T* row : ahead.rows) ask_for(row + k);
}

ALWAYS_INLINE __m256 four(__m256 s, const float* a, const float* b, const float* c, const float* d, size_t k) {
  s = _mm256_add_ps(s, _mm256_loadu_ps(a + k));
  s = _mm256_add_ps(s, _mm256_loadu_ps(b + k));
  s = _mm256_add_ps(s, _mm256_loadu_ps(c + k));
  return _mm256_add_ps(s, _mm256_loadu_ps(d + k));
}

void add_f32(const float* const* rows, size_t count, size_t values, float* sums) {
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const Ahead<float> ahead = rows_ahead(rows, count, r + kAhead);
    const float *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
    size_t k = 0;
    for (; k + 16 <= values; k += 16) {
      ask_for(ahead, k);
      const __m256 s = four(_mm256_loadu_ps(sums + k), a, b, c, d, k);
      const __m256 t = four(_mm256_loadu_ps(sums + k + 8), a, b, c, d, k + 8);
      _mm256_storeu_ps(sums + k, s);
      _mm256_storeu_ps(sums + k + 8, t);
    }
    ask_for(ahead, values - 1);
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
  for (size_t k = 0; k < values; ++k) sums[k] = 0;
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const Ahead<int16_t> ahead = rows_ahead(rows, count, r + kAhead);
    const int16_t *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
    const __m128i sa = _mm_cvtsi32_si128(shifts[r]), sb = _mm_cvtsi32_si128(shifts[r + 1]);
    const __m128i sc = _mm_cvtsi32_si128(shifts[r + 2]), sd = _mm_cvtsi32_si128(shifts[r + 3]);
    const auto eight = [&](size_t k) {
      const __m256i ab = _mm256_add_epi32(shifted(a + k, sa), shifted(b + k, sb));
      const __m256i cd = _mm256_add_epi32(shifted(c + k, sc), shifted(d + k, sd));
      store(sums + k, _mm256_add_epi32(load(sums + k), _mm256_add_epi32(ab, cd)));
    };
    size_t k = 0;
    for (; k + 32 <= values; k += 32) {
      ask_for(ahead, k);
      eight(k), eight(k + 8), eight(k + 16), eight(k + 24);
    }
    ask_for(ahead, values - 1);
    for (; k + 8 <= values; k += 8) eight(k);
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
