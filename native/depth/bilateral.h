// Noise out of a depth map, edges left where they are.
#pragma once

#include <cstddef>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"

namespace lineament {

struct BilateralOptions {
  int radius = 2;      // pixels, 1 to kMostBilateralRadius
  double spatial = 1;  // standard deviation of the Gaussian, pixels
  double range = 10;   // millimetres from which a neighbour has no say
};

// What depth/bilateral_body.h asks for. kInvalidArgument.
struct BilateralWeights {
  std::vector<float> spatial;
  float inverse_range = 0;
};
Result<BilateralWeights> bilateral_weights(const BilateralOptions& options);

// Bilateral filter (depth/bilateral_body.h) of width × height numbers into `out`, which must not overlap them. A pixel
// without depth keeps none, others keep theirs. Rows spread over the executor; the same bytes for any number of
// threads, the last digits differ between SIMD levels. kInvalidArgument, kAborted.
Status filter_depth(const float* depth, int width, int height, const BilateralOptions& options, Executor& executor,
                    const CancelToken* token, float* out);

}  // namespace lineament
