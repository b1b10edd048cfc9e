// From pixels to tensors and chips: resize, letterbox, crop and similarity warp are one operation, an affine region
// sampled with a filter, converted and normalised in the same pass.
#pragma once

#include "core/cancel.h"
#include "core/status.h"
#include "image/image.h"

namespace lineament {

// Checks pointers, sizes, stride and that `size` covers the format's planes; kInvalidArgument with a message otherwise.
Status validate(const ImageView& image);

// Writes one region as one batch item at `out` (item_elements(spec) floats or bytes by spec.type; no alignment needed).
// `mirror` flips the output about its vertical axis. uint8 output rounds to nearest and saturates.
// Finite region coefficients only (kInvalidArgument otherwise). Polls `cancel` about every row block (kAborted).
// Thread-safe: touches nothing but its arguments (and thread-local scratch).
Status sample_to_tensor(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling,
                        bool mirror, void* out, const CancelToken* cancel);

}  // namespace lineament
