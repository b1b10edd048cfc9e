// A depth that is known up to scale and shift, fitted to one in millimetres.
#pragma once

#include <cstddef>

#include "core/cancel.h"
#include "core/executor.h"
#include "depth/depth_map.h"

namespace lineament {

enum class RelativeKind {
  kInverse,  // grows as 1/Z does: MiDaS, Depth Anything
  kDepth,    // grows as Z does
};

// Numbers of a network: a grid that is laid over the whole map, whatever their sizes.
struct RelativeDepth {
  const float* values = nullptr;
  int width = 0, height = 0;
  RelativeKind kind = RelativeKind::kInverse;
};

struct AlignOptions {
  double tolerance = 10;          // millimetres of difference from the reference that halve the confidence
  double near = 1, far = 100000;  // millimetres; depth outside is none
};

struct Alignment {
  DepthMap map;
  // 1/Z = scale · value + shift, or Z = scale · value + shift.
  double scale = 0, shift = 0;
  // Pixels with both depths that were looked at, the share of them that the robust fit keeps, and the root mean square
  // of what those differ by in millimetres.
  size_t compared = 0;
  double inliers = 0, rms = 0;
};

// The fewest pixels with both depths that a fit is made from.
constexpr size_t kFewestToAlign = 64;

// The line through (1/Z or Z of the reference, value) by weighted least squares, weights the reference's confidence,
// repeated for the least absolute deviations, then under Huber's loss, then under Tukey's biweight (P. Huber, "Robust
// Statistics", 1981; A. Beaton, J. Tukey, Technometrics 16, 1974), the spread from the median absolute residual. The
// values are taken as what errs: nonsense among them cannot turn the line about. Looks at no more than some 200000
// pixels, evenly taken. The map has the reference's size and camera; values are read linearly between their pixels'
// centres. Its confidence where the reference has depth: 1 / (1 + (difference / tolerance)²); elsewhere half the mean
// of that. Values that are not finite give no depth.
//
// kInvalidArgument: sizes, a bad reference; kNoSurface: fewer than kFewestToAlign common pixels, depths that do not
// vary there, or of which one grows where the other shrinks; kAborted. The same bytes for any number of threads.
Status align_depth(const RelativeDepth& relative, const DepthMap& reference, const AlignOptions& options,
                   Executor& executor, const CancelToken* token, Alignment* out);

}  // namespace lineament
