// Smoothing that keeps a surface's size: G. Taubin, "A Signal Processing Approach to Fair Surface Design", SIGGRAPH
// 1995.
#pragma once

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

// What becomes of the vertices along borders.
enum class BorderRule {
  kFixed,  // they stay
  kAlong,  // they follow their neighbours on the border only
  kFree,   // as all others: the border shrinks
};

struct TaubinOptions {
  int iterations = 10;     // pairs of steps, 0 to 1000
  double lambda = 0.5;     // the smoothing step, above 0, at most 1
  double pass_band = 0.1;  // frequencies below it are kept: the other step is 1 / (pass_band − 1 / lambda)
  BorderRule border = BorderRule::kAlong;
};

// Moves vertices towards the mean of their neighbours, then away from it. Normals, where there are any, are made anew.
// The mesh must have passed check_mesh. kInvalidArgument, kAborted, kOutOfMemory. The same bytes for any number of
// threads.
Status smooth_taubin(const TaubinOptions& options, Executor& executor, const CancelToken* token, TriangleMesh* mesh);

}  // namespace lineament
