// How sharp, bright and contrasty a part of an image is.
#pragma once

#include "core/cancel.h"
#include "core/status.h"
#include "image/image.h"

namespace lineament {

// The numbers of one box in the order that STATISTICS in lib/native/addon.ts names them.
enum Statistic { kLaplacianVariance, kMean, kContrast, kUnderexposedShare, kOverexposedShare, kStatisticCount };

// Writes kStatisticCount doubles per box to `out`. A box is [x, y, w, h] in source pixels; it covers the pixels whose centres
// lie in [x, x + w) × [y, y + h), clipped to the image. Luma is that of convert() to grey. The Laplacian (4-neighbour,
// Pech-Pacheco et al. 2000) is taken where all its neighbours are covered. Sums are exact integers, so results are equal at
// every SIMD level. All five are NaN where a box covers fewer than 3 × 3 pixels. Non-finite boxes give kInvalidArgument.
Status statistics(const ImageView& image, const double* boxes, size_t count, double* out, const CancelToken* cancel);

}  // namespace lineament
