// The two ways to resample; sample_to_tensor() chooses and has checked everything.
#pragma once

#include "image/kernels.h"
#include "image/sample.h"

namespace lineament {

// b = d = 0: separable, one pass over the source rows.
Status resample_aligned(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling,
                        bool mirror, void* out, const CancelToken* cancel, const ImageKernels& kernels);

// Any affine map. Filter::kArea averages a grid of bilinear samples in each output pixel where the map shrinks by more
// than 1.5; the grid has ceil(hypot(a, d)) × ceil(hypot(b, e)) samples, at most 32 × 32.
Status resample_affine(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling,
                       bool mirror, void* out, const CancelToken* cancel, const ImageKernels& kernels);

}  // namespace lineament
