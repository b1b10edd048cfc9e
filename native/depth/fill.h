// Closing small holes in a depth map.
#pragma once

#include "core/cancel.h"
#include "core/executor.h"
#include "depth/depth_map.h"

namespace lineament {

struct FillOptions {
  // Larger holes stay open.
  size_t most_pixels = 2500;
  // Holes whose rim spans more millimetres lie between two surfaces and stay open.
  double most_span = 40;
};

// Fills holes: areas without depth, connected by sides, that do not touch the border of the map. The reciprocals of
// depth inside are the membrane through those of the rim (the discrete Laplace equation, by conjugate gradients to a
// relative residual of 1e-10): a plane in space, whose reciprocal depth is linear in the picture, is continued as a
// plane. The confidence of what is filled is half the mean of the rim's; an empty confidence stays empty. Holes spread
// over the executor; the same bytes for any number of threads. `filled`: how many pixels. kInvalidArgument, kAborted.
Status fill_depth(DepthMap* map, const FillOptions& options, Executor& executor, const CancelToken* token,
                  size_t* filled);

}  // namespace lineament
