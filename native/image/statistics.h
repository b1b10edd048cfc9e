// How sharp, bright and contrasty a part of an image is.
#pragma once

#include "core/cancel.h"
#include "core/status.h"
#include "image/image.h"

namespace lineament {

// What is measured over one box; the order is that of STATISTICS in lib/native/addon.ts.
struct Statistics {
  double laplacian_variance = 0;  // of the 4-neighbour Laplacian of luma (Pech-Pacheco et al. 2000): higher is sharper
  double mean = 0;                // of luma, 0-255
  double contrast = 0;            // standard deviation of luma
  double underexposed = 0;        // share of pixels with luma <= 10
  double overexposed = 0;         // share of pixels with luma >= 245
};

// Measures the pixels whose centres lie in [x, x + width) × [y, y + height), clipped to the image. Luma is that of
// convert() to grey. The Laplacian is taken where all its neighbours are covered too. Sums are exact integers, so
// results are the same at every SIMD level. All five are NaN where the box covers fewer than 3 × 3 pixels. A box with
// numbers that are not finite gives kInvalidArgument. Thread-safe. Polls `cancel` every few rows.
Status statistics(const ImageView& image, double x, double y, double width, double height, Statistics* out,
                  const CancelToken* cancel);

}  // namespace lineament
