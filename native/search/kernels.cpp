#include "search/kernels.h"

#include <atomic>
#include <bit>
#include <cstring>
#include <string>

#include "core/cpu.h"

namespace lineament {
namespace {

constexpr int kLanes = 8;

void dot_high(const uint8_t* high, size_t stride, size_t rows, const int8_t* query, int32_t* dots) {
  const int8_t* upper = query + stride;
  for (size_t r = 0; r < rows; ++r, high += stride) {
    int32_t sum = 0;
    for (size_t i = 0; i < stride; ++i) sum += (high[i] & 15) * query[i] + (high[i] >> 4) * upper[i];
    dots[r] = sum;
  }
}

int32_t dot_row(const uint8_t* plane, size_t stride, const int8_t* query) {
  int32_t sum = 0;
  dot_high(plane, stride, 1, query, &sum);
  return sum;
}

size_t keep(const int32_t* dots, const CodeBound* bounds, size_t rows, const KeepRule& rule, uint32_t* out) {
  size_t count = 0;
  for (size_t r = 0; r < rows; ++r) {
    const float value = bounds[r].scale * rule.scale * (static_cast<float>(dots[r]) - rule.offset);
    out[count] = static_cast<uint32_t>(r);
    count += value + bounds[r].error * rule.length >= rule.needed ? 1 : 0;
  }
  return count;
}

void pack_tile(const uint8_t* high, const uint8_t* low, size_t stride, size_t rows, uint8_t* out) {
  if (rows < kLanes) std::memset(out, 0, kLanes * 2 * stride);
  for (size_t r = 0; r < rows; ++r, high += stride, low += stride) {
    for (size_t i = 0; i < stride; ++i) {
      const size_t j = stride + i;
      out[(i / 4 * kLanes + r) * 4 + i % 4] = static_cast<uint8_t>(high[i] << 4 | (low[i] & 15));
      out[(j / 4 * kLanes + r) * 4 + j % 4] = static_cast<uint8_t>((high[i] & 0xf0) | low[i] >> 4);
    }
  }
}

void dot_tile(const uint8_t* tile, size_t groups, size_t stride, const int8_t* queries, size_t count, int32_t* dots,
              size_t pitch) {
  const size_t width = 2 * stride;
  for (size_t g = 0; g < groups; ++g, tile += width * kLanes, dots += kLanes) {
    for (size_t q = 0; q < count; ++q) {
      const int8_t* query = queries + q * width;
      int32_t sums[kLanes] = {};
      for (size_t i = 0; i < width; i += 4) {
        for (int r = 0; r < kLanes; ++r) {
          const uint8_t* code = tile + (i / 4 * kLanes + static_cast<size_t>(r)) * 4;
          sums[r] += code[0] * query[i] + code[1] * query[i + 1] + code[2] * query[i + 2] + code[3] * query[i + 3];
        }
      }
      std::memcpy(dots + q * pitch, sums, sizeof(sums));
    }
  }
}

double dot_f32(const float* a, const float* b, size_t count) {
  double sums[16] = {};
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    for (size_t k = 0; k < 16; ++k) sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
  }
  for (size_t k = 0; i + k < count; ++k) sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
  for (size_t half = 8; half > 0; half /= 2) {
    for (size_t k = 0; k < half; ++k) sums[k] += sums[k + half];
  }
  return sums[0];
}

uint16_t half_of(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00 | (magnitude >> 13 & 0x3ff));
  if (magnitude >= 0x477ff000) return static_cast<uint16_t>(sign | 0x7c00);  // 65520 and more round to infinity
  if (magnitude >= 0x38800000) {                                             // normal in binary16
    const uint32_t rounded = magnitude + 0xfff + (magnitude >> 13 & 1);
    return static_cast<uint16_t>(sign | ((rounded >> 13) - (112u << 10)));
  }
  // Below 2^-14 the last place is worth 2^-24: adding 0.5 lets the sum's own rounding do the work.
  const float sum = std::bit_cast<float>(magnitude) + 0.5f;
  return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(sum) - 0x3f000000u));
}

float from_half_bits(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t magnitude = half & 0x7fff;
  if (magnitude >= 0x7c00) {  // infinity and NaN, which becomes quiet
    const uint32_t quiet = magnitude > 0x7c00 ? 0x400000 : 0;
    return std::bit_cast<float>(sign | 0x7f800000 | quiet | (magnitude & 0x3ff) << 13);
  }
  if (magnitude >= 0x400) return std::bit_cast<float>(sign | ((magnitude << 13) + (112u << 23)));
  return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(static_cast<float>(magnitude) * 0x1p-24f));
}

void to_half(const float* values, size_t count, uint16_t* out) {
  for (size_t i = 0; i < count; ++i) out[i] = half_of(values[i]);
}

void from_half(const uint16_t* values, size_t count, float* out) {
  for (size_t i = 0; i < count; ++i) out[i] = from_half_bits(values[i]);
}

}  // namespace

const SearchKernels kSearchKernelsScalar = {kLanes,    8,        dot_high, dot_row, keep,
                                            pack_tile, dot_tile, dot_f32,  to_half, from_half};

namespace {

struct Tables {
  SearchKernels tables[5];
  const char* names[5];
  int count = 0;

  Tables() {
    add("scalar", nullptr);
    [[maybe_unused]] const Simd level = active_simd();
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Simd::kAvx2 || level == Simd::kAvx512) add("avx2", search_kernels_avx2);
    if (level == Simd::kAvx512) {
      add("avx512", search_kernels_avx512);
      bool vnni = false;
      for (const std::string& feature : cpu_features()) vnni = vnni || feature == "avx512vnni";
      if (vnni) add("avx512vnni", search_kernels_vnni);
    }
#elif defined(__aarch64__) || defined(_M_ARM64)
    if (level == Simd::kNeon) add("neon", search_kernels_neon);
#endif
  }

  // Each table begins as the one below it.
  void add(const char* name, void (*improve)(SearchKernels*)) {
    tables[count] = count == 0 ? kSearchKernelsScalar : tables[count - 1];
    if (improve != nullptr) improve(&tables[count]);
    names[count++] = name;
  }
};

const Tables& tables() {
  static const Tables all;
  return all;
}

std::atomic<const SearchKernels*>& forced() {
  static std::atomic<const SearchKernels*> table{nullptr};
  return table;
}

}  // namespace

const SearchKernels& search_kernels() {
  const SearchKernels* table = forced().load(std::memory_order_acquire);
  return table != nullptr ? *table : tables().tables[tables().count - 1];
}

int available_search_kernels(NamedSearchKernels out[5]) {
  for (int i = 0; i < tables().count; ++i) out[i] = {tables().names[i], &tables().tables[i]};
  return tables().count;
}

void force_search_kernels(const SearchKernels* kernels) { forced().store(kernels, std::memory_order_release); }

}  // namespace lineament
