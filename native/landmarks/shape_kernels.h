// The loops of the shape predictor that have one version for each SIMD level.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament {

// Rows are read to their end and not beyond, in the order in which they are given, and asked for ahead of their turn.
// All levels give the same bits: floats are added row by row, integers are exact.
struct ShapeKernels {
  // sums[k] += rows[0][k] + rows[1][k] + …, from left to right.
  void (*add_f32)(const float* const* rows, size_t count, size_t values, float* sums);
  // sums[k] = rows[0][k] × 2^shifts[0] + rows[1][k] × 2^shifts[1] + …, which the caller knows to fit.
  void (*add_i16)(const int16_t* const* rows, const uint8_t* shifts, size_t count, size_t values, int32_t* sums);
};

extern const ShapeKernels kShapeKernelsScalar;
void shape_kernels_avx2(ShapeKernels* table);
void shape_kernels_neon(ShapeKernels* table);

}  // namespace lineament
