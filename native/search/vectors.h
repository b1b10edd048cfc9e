// Unit vectors: how they are made from what callers bring, and how they are kept in 16 bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament {

// The dimensions that the search takes.
constexpr size_t kMinDims = 2;
constexpr size_t kMaxDims = 4096;

// out = vector / |vector|, the norm taken in double. False, and nothing useful in `out`, for a vector that is zero or
// has a value that is not finite. `out` may be `vector`.
bool normalise(const float* vector, size_t dims, float* out);

// IEEE 754 binary16, rounded to nearest even, and back (exact).
void to_half(const float* values, size_t count, uint16_t* out);
void from_half(const uint16_t* values, size_t count, float* out);

}  // namespace lineament
