// The inner loops of neighbour search, one table of function pointers per SIMD level. Every level gives the same bits.
// This header is read by the files compiled for one instruction set: C-like declarations only, nothing from the STL.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace lineament {

// Counts below are multiples of this, and arrays are aligned to as many floats.
constexpr size_t kCloudLanes = 8;

struct CloudKernels {
  // out[i] = ((x[i] − q[0])² + (y[i] − q[1])²) + (z[i] − q[2])², each operation rounded on its own.
  void (*squared)(const float* x, const float* y, const float* z, size_t count, const float* q, float* out);
  // How many values are at most `limit`.
  size_t (*at_most)(const float* values, size_t count, float limit);
  // Where these are, ascending; gives how many. Room for count + kCloudLanes numbers.
  size_t (*pick)(const float* values, size_t count, float limit, uint32_t* out);
};

extern const CloudKernels kCloudKernelsScalar;
void cloud_kernels_avx2(CloudKernels* table);

// The table for the level in use (core/cpu.h: active_simd()).
const CloudKernels& cloud_kernels();
// The scalar table, and the one of the best level of this build and processor: for tests.
const CloudKernels& cloud_kernels_best();

}  // namespace lineament
