// Chips: 8-bit pictures cut out of an image by affine maps.
#pragma once

#include "image/sample.h"

namespace lineament {

// Writes `count` chips of width × height pixels, interleaved, in the channel order `colour`, one after another at
// `out`. The same sampling as sample_to_tensor(), with no normalisation.
Status warp(const ImageView& image, const Region* regions, size_t count, int width, int height, Colour colour,
            const Sampling& sampling, uint8_t* out, const CancelToken* cancel);

}  // namespace lineament
