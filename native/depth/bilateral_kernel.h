// The loop of the edge-preserving filter that has one version for each instruction set.
#pragma once

#include <cstddef>

namespace lineament {

// Adds to the sums of `count` pixels what one row of the window brings them: for each offset k in 0 … taps − 1 the
// neighbour beside[i + k] with the weight spatial[k]. `weights` and `differences` are as many as the pixels.
struct BilateralRow {
  const float* pixels;
  const float* beside;
  size_t count;
  const float* spatial;
  size_t taps;
  float inverse_range;
  float* weights;
  float* differences;
};

using BilateralKernel = void (*)(const BilateralRow& row);

void bilateral_row_plain(const BilateralRow& row);
void bilateral_row_avx2(const BilateralRow& row);  // x86-64 only

}  // namespace lineament
