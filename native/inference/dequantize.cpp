// A product and a sum that the compiler fuses into one instruction would round once instead of twice.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#include "inference/dequantize.h"

#include <bit>
#include <cstring>

namespace lineament {

namespace {

float load(const uint8_t* at) {
  float value;
  std::memcpy(&value, at, sizeof(value));
  return value;
}

void store(uint8_t* at, float value) { std::memcpy(at, &value, sizeof(value)); }

float widen_half(uint16_t half) {
  const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
  const uint32_t exponent = half >> 10 & 0x1f;
  const uint32_t fraction = half & 0x3ff;
  if (exponent == 0) {  // zero and subnormals: fraction × 2^-24, exact in single precision
    const float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  const uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

}  // namespace

void dequantize(const uint8_t* values, size_t count, const uint8_t* scales, size_t scale_count, const uint8_t* minimums,
                size_t minimum_count, uint8_t* out) {
  const size_t groups = scale_count > minimum_count ? scale_count : minimum_count;
  const size_t per_group = count / groups;
  constexpr size_t kWorthTable = 512;
  for (size_t group = 0; group < groups; ++group) {
    const float scale = load(scales + (scale_count == 1 ? 0 : group) * sizeof(float));
    const float minimum = load(minimums + (minimum_count == 1 ? 0 : group) * sizeof(float));
    if (per_group >= kWorthTable) {
      float table[256];
      for (int value = 0; value < 256; ++value) {
        const float product = static_cast<float>(value) * scale;
        table[value] = product + minimum;
      }
      for (size_t i = 0; i < per_group; ++i) store(out + i * sizeof(float), table[values[i]]);
    } else {
      for (size_t i = 0; i < per_group; ++i) {
        const float product = static_cast<float>(values[i]) * scale;
        store(out + i * sizeof(float), product + minimum);
      }
    }
    values += per_group;
    out += per_group * sizeof(float);
  }
}

void widen_halves(const uint8_t* values, size_t count, uint8_t* out) {
  for (size_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, values + i * sizeof(half), sizeof(half));
    store(out + i * sizeof(float), widen_half(half));
  }
}

}  // namespace lineament
