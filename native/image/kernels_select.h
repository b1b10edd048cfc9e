// Choosing kernels by hand, for tests and benchmarks.
#pragma once

#include "core/cpu.h"
#include "image/kernels.h"

namespace lineament {

// The kernels of one level; those of the next lower one where this build has none for it.
const ImageKernels& image_kernels_for(Simd level);

// From now on image_kernels() gives this level's kernels in the whole process. Levels above detected_simd() are refused
// (false). Not meant for use while other threads sample.
bool force_image_simd(Simd level);

}  // namespace lineament
