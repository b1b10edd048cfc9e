// Compiled for AVX2; see image/kernels_avx2.h for what may stand here.
#include "landmarks/train_kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

#include "image/kernels_avx2.h"

namespace lineament {
namespace {

ALWAYS_INLINE __m256i bytes(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }

// One outcome; for the ends of rows.
ALWAYS_INLINE uint8_t passes(uint8_t a, uint8_t b, int least) { return a - b >= least ? 255 : 0; }

void test(const uint8_t* first, const uint8_t* second, const uint8_t* inside, int least, uint8_t bit, size_t count,
          uint8_t* codes) {
  if (least > 255) return;
  const __m256i mark = _mm256_set1_epi8(static_cast<char>(bit));
  const __m256i limit = _mm256_set1_epi8(static_cast<char>(least > 0 ? least : -least));
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m256i a = bytes(first + i), b = bytes(second + i);
    __m256i hit;
    if (least > 0) {
      const __m256i above = _mm256_subs_epu8(a, b);
      hit = _mm256_cmpeq_epi8(_mm256_max_epu8(above, limit), above);
    } else {
      const __m256i below = _mm256_subs_epu8(b, a);
      hit = _mm256_cmpeq_epi8(_mm256_min_epu8(below, limit), below);
    }
    hit = _mm256_and_si256(hit, _mm256_and_si256(mark, bytes(inside + i)));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(codes + i), _mm256_or_si256(bytes(codes + i), hit));
  }
  for (; i < count; ++i) {
    codes[i] = static_cast<uint8_t>(codes[i] | (passes(first[i], second[i], least) & bit & inside[i]));
  }
}

struct Row {
  __m256 a, b;
};
ALWAYS_INLINE Row load(const float* p) { return {_mm256_load_ps(p), _mm256_load_ps(p + 8)}; }
ALWAYS_INLINE void store(float* p, Row row) {
  _mm256_store_ps(p, row.a);
  _mm256_store_ps(p + 8, row.b);
}
ALWAYS_INLINE Row plus(Row x, Row y) { return {_mm256_add_ps(x.a, y.a), _mm256_add_ps(x.b, y.b)}; }
ALWAYS_INLINE Row minus(Row x, Row y) { return {_mm256_sub_ps(x.a, y.a), _mm256_sub_ps(x.b, y.b)}; }

template <size_t kGroups>
ALWAYS_INLINE void add_groups(const float* rows, const uint16_t* const* words, float* const* cells, size_t count) {
  const uint16_t* word[kGroups];
  float* cell[kGroups];
  for (size_t g = 0; g < kGroups; ++g) {
    word[g] = words[g];
    cell[g] = cells[g];
  }
  for (size_t i = 0; i < count; ++i) {
    const Row row = load(rows + i * kTrainLanes);
    for (size_t g = 0; g < kGroups; ++g) {
      float* to = cell[g] + word[g][i] * kTrainLanes;
      store(to, plus(load(to), row));
    }
  }
}

void add(const float* rows, const uint16_t* const* words, float* const* cells, size_t groups, size_t count) {
  switch (groups) {
    case 1:
      return add_groups<1>(rows, words, cells, count);
    case 2:
      return add_groups<2>(rows, words, cells, count);
    case 3:
      return add_groups<3>(rows, words, cells, count);
    case 4:
      return add_groups<4>(rows, words, cells, count);
    case 5:
      return add_groups<5>(rows, words, cells, count);
    case 6:
      return add_groups<6>(rows, words, cells, count);
    case 7:
      return add_groups<7>(rows, words, cells, count);
    default:
      return add_groups<8>(rows, words, cells, count);
  }
}

void fold(float* cells, size_t bits, float* left, float* total) {
  for (size_t bit = bits; bit-- > 0;) {
    const size_t half = (static_cast<size_t>(1) << bit) * kTrainLanes;
    Row sum = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (size_t at = 0; at < half; at += kTrainLanes) {
      const Row upper = load(cells + half + at);
      sum = plus(sum, upper);
      store(cells + at, plus(load(cells + at), upper));
    }
    store(left + bit * kTrainLanes, sum);
  }
  store(total, load(cells));
}

void subtract(float* rows, const uint16_t* words, const float* leaves, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    float* row = rows + i * kTrainLanes;
    store(row, minus(load(row), load(leaves + words[i] * kTrainLanes)));
  }
}

}  // namespace

void train_kernels_avx2(TrainKernels* table) { *table = {test, add, fold, subtract}; }

}  // namespace lineament

#endif
