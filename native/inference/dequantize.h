// Weights in 8 and 16 bits to floats, rounded exactly as the separate operators of a network would.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament {

// out[i] = float(values[i]) * scale + minimum, rounded after each step. `scales` and `minimums` hold one float, or one
// for each of `count / scale_count` neighbouring values. All memory is raw bytes without alignment; `out` holds count
// floats. `count` is a multiple of both counts.
void dequantize(const uint8_t* values, size_t count, const uint8_t* scales, size_t scale_count, const uint8_t* minimums,
                size_t minimum_count, uint8_t* out);

// IEEE 754 binary16 to binary32, exact; memory as above.
void widen_halves(const uint8_t* values, size_t count, uint8_t* out);

}  // namespace lineament
