// Vectors as 8-bit codes in two planes, with bounds on what the codes leave out.
//
// A unit vector x is first turned by a fixed orthogonal transform R (VectorCoder::rotate), which spreads its energy
// evenly over the coordinates and changes no inner product. Each coordinate becomes a code of 0…255; its upper four
// bits go into the plane `high`, its lower four into the plane `low`. Either plane alone is read through memory once
// per query, and the lower one only for the rows that the upper one cannot exclude.
//
// Row layout of a plane: `stride` bytes; byte i has coordinate i in its low nibble and coordinate stride + i in its
// high nibble. Coordinates from `dims` on are 0.
//
// Bounds (derivation at VectorCoder::encode). Each row has three CodeBounds: `coarse` for the upper four bits, `middle`
// for the upper five (what batches are compared by), `fine` for all eight. With a = (code >> (8 − bits)) − (2^bits − 1)
// / 2, coordinate by coordinate,  Rx = scale·a + e,  |e| ≤ error,  so that for every y:  |⟨x, y⟩ − scale·⟨a, Ry⟩| ≤
// error·|y|.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/aligned.h"
#include "core/status.h"
#include "search/kernels.h"
#include "search/vectors.h"

namespace lineament {

// Whether the inner product of the vectors themselves is wanted, or that of the codes (vectors that are not kept): then
// the bounds speak of the vector that the fine code stands for, and fine.error only covers rounding.
enum class CodeTruth { kVector, kFineCode };

// Bytes of one row in one plane: half of `dims`, up to a multiple of 32.
constexpr size_t plane_stride(size_t dims) { return (dims + 63) / 64 * 32; }

// A query as the kernels read it. Made by VectorCoder::prepare; constant afterwards, so that threads may share it.
struct CodedQuery {
  AlignedBuffer<int8_t> code;    // 2 × stride values −127…127; coordinate i of Ry is about scale × code[i]
  AlignedBuffer<float> rotated;  // 2 × stride values: Ry
  AlignedBuffer<float> vector;   // dims values: y itself
  int32_t sum = 0;               // of the codes
  float scale = 0;
  float length = 0;  // |y|, rounded up
  float error = 0;   // bound on what this code and the kernels' rounding add to the error of any row of unit length
};

// Codes vectors of one dimension. Constant, thread-safe.
class VectorCoder {
 public:
  // dims: kMinDims … kMaxDims. The transform is the same for the same dimension in every version that reads the same
  // files.
  explicit VectorCoder(size_t dims);

  size_t dims() const { return dims_; }
  size_t stride() const { return stride_; }

  // Codes one vector of length 1 ± 0.001: `stride` bytes into each plane. `scratch`: 2 × stride floats.
  void encode(const float* unit, CodeTruth truth, uint8_t* high, uint8_t* low, CodeBound* coarse, CodeBound* middle,
              CodeBound* fine, float* scratch) const;

  // Codes one query of length 1 ± 0.001. False when memory ran out.
  bool prepare(const float* unit, CodedQuery* out) const;

  // out[0 … 2 × stride) = R·vector, then zeros. Its rounding error is at most kRotationError × |vector|.
  void rotate(const float* vector, float* out) const;
  static constexpr double kRotationError = 6e-6;

 private:
  size_t dims_;
  size_t stride_;
  size_t power_;                 // largest power of two ≤ dims
  std::vector<uint32_t> signs_;  // one bit for each coordinate and round
};

}  // namespace lineament
