// What the x86 kernels share. Everything has internal linkage: each file that includes this compiles it for its own
// instruction set, which has at least AVX2.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace lineament {
namespace {

inline __m256i load(const void* p) { return _mm256_loadu_si256(static_cast<const __m256i*>(p)); }

inline int32_t fold(__m256i v) {
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

// The sums of four registers, side by side.
inline void store_folded(__m256i a, __m256i b, __m256i c, __m256i d, int32_t* out) {
  const __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(out),
                   _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1)));
}

// Transposes 8 × 8 dwords; row k of the result goes to out + k × pitch bytes.
inline void store_transposed(const __m256i v[8], uint8_t* out, size_t pitch) {
  __m256i a[8], b[8];
  for (int k = 0; k < 8; k += 2) {
    a[k] = _mm256_unpacklo_epi32(v[k], v[k + 1]);
    a[k + 1] = _mm256_unpackhi_epi32(v[k], v[k + 1]);
  }
  for (int k = 0; k < 8; k += 4) {
    b[k] = _mm256_unpacklo_epi64(a[k], a[k + 2]);
    b[k + 1] = _mm256_unpackhi_epi64(a[k], a[k + 2]);
    b[k + 2] = _mm256_unpacklo_epi64(a[k + 1], a[k + 3]);
    b[k + 3] = _mm256_unpackhi_epi64(a[k + 1], a[k + 3]);
  }
  for (size_t k = 0; k < 4; ++k) {
    __m256i* low = reinterpret_cast<__m256i*>(out + k * pitch);
    __m256i* high = reinterpret_cast<__m256i*>(out + (k + 4) * pitch);
    _mm256_storeu_si256(low, _mm256_permute2x128_si256(b[k], b[k + 4], 0x20));
    _mm256_storeu_si256(high, _mm256_permute2x128_si256(b[k], b[k + 4], 0x31));
  }
}

// The upper kBits of the codes of 32 low nibbles and of 32 high ones.
template <int kBits>
inline void upper_bits(__m256i high, __m256i low, __m256i* first, __m256i* second) {
  static_assert(kBits == 5 || kBits == 8);
  constexpr int kExtra = kBits - 4;  // bits of the lower plane
  const __m256i above = _mm256_set1_epi8(static_cast<char>(15 << kExtra));
  const __m256i below = _mm256_set1_epi8((1 << kExtra) - 1);
  *first = _mm256_or_si256(_mm256_and_si256(_mm256_slli_epi16(high, kExtra), above),
                           _mm256_and_si256(_mm256_srli_epi16(low, 4 - kExtra), below));
  *second = _mm256_or_si256(_mm256_and_si256(_mm256_srli_epi16(high, 4 - kExtra), above),
                            _mm256_and_si256(_mm256_srli_epi16(low, 8 - kExtra), below));
}

template <size_t kLanes, int kBits>
void pack_codes(const uint8_t* high, const uint8_t* low, size_t stride, size_t rows, uint8_t* out) {
  for (size_t i = 0; i < stride; i += 32) {
    for (size_t r0 = 0; r0 < kLanes; r0 += 8) {
      __m256i first[8], second[8];  // coordinates i … i + 31 and stride + i … of eight rows
      for (size_t k = 0; k < 8; ++k) {
        const size_t r = r0 + k;
        first[k] = second[k] = _mm256_setzero_si256();
        if (r < rows) upper_bits<kBits>(load(high + r * stride + i), load(low + r * stride + i), &first[k], &second[k]);
      }
      store_transposed(first, out + i * kLanes + r0 * 4, kLanes * 4);
      store_transposed(second, out + (stride + i) * kLanes + r0 * 4, kLanes * 4);
    }
  }
}

#if defined(__AVX512BW__)

// Strides are multiples of 32 bytes: the last step may be half a register.
inline __m512i load_some(const void* p, size_t left) {
  return _mm512_maskz_loadu_epi8(left >= 64 ? ~__mmask64{0} : (__mmask64{1} << left) - 1, p);
}

// By way of memory: GCC 12 warns of its own header where a register is taken apart.
inline __m256i halves(__m512i v) {
  alignas(64) uint8_t bytes[64];
  _mm512_store_si512(bytes, v);
  return _mm256_add_epi32(load(bytes), load(bytes + 32));
}

// Four bytes of a query for all rows of a tile.
inline __m512i broadcast512(const int8_t* p) {
  int value;
  std::memcpy(&value, p, sizeof(value));
  return _mm512_set1_epi32(value);
}

// Plane kernels out of kAdd(sum, bytes, query of the low nibbles, query of the high ones).
template <__m512i (*kAdd)(__m512i, __m512i, __m512i, __m512i)>
int32_t dot_row512(const uint8_t* plane, size_t stride, const int8_t* query) {
  __m512i sum = _mm512_setzero_si512();
  for (size_t i = 0; i < stride; i += 64) {
    const size_t left = stride - i;
    sum = kAdd(sum, load_some(plane + i, left), load_some(query + i, left), load_some(query + stride + i, left));
  }
  return fold(halves(sum));
}

template <__m512i (*kAdd)(__m512i, __m512i, __m512i, __m512i)>
void dot_high512(const uint8_t* high, size_t stride, size_t rows, const int8_t* query, int32_t* dots) {
  constexpr size_t kAheadBytes = 4096;
  size_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const uint8_t* row = high + r * stride;
    __m512i sums[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    for (size_t i = 0; i < stride; i += 64) {
      const size_t left = stride - i;
      const __m512i q0 = load_some(query + i, left), q1 = load_some(query + stride + i, left);
      for (size_t k = 0; k < 4; ++k) {
        sums[k] = kAdd(sums[k], load_some(row + k * stride + i, left), q0, q1);
        _mm_prefetch(reinterpret_cast<const char*>(row + 4 * i + 64 * k + kAheadBytes), _MM_HINT_T0);
      }
    }
    store_folded(halves(sums[0]), halves(sums[1]), halves(sums[2]), halves(sums[3]), dots + r);
  }
  for (; r < rows; ++r) dots[r] = dot_row512<kAdd>(high + r * stride, stride, query);
}

#endif

}  // namespace
}  // namespace lineament
