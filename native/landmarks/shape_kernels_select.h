// Choosing kernels by hand, for tests and benchmarks; see image/kernels_select.h.
#pragma once

#include "core/cpu.h"
#include "landmarks/shape_kernels.h"

namespace lineament {

// The table for the level in use (core/cpu.h: active_simd()), or the one forced by force_shape_simd().
const ShapeKernels& shape_kernels();

// The kernels of one level; those of the next lower one where this build has none for it.
const ShapeKernels& shape_kernels_for(Simd level);

// From now on shape_kernels() gives this level's kernels in the whole process. Levels above detected_simd() are refused
// (false). Not meant for use while other threads predict.
bool force_shape_simd(Simd level);

}  // namespace lineament
