// Triangles as a camera sees them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cloud/camera.h"
#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "depth/patches.h"

namespace lineament {

// A part of the picture, in whole pixels.
struct Window {
  int x = 0, y = 0, width = 0, height = 0;
};

// Writes, for each pixel of the window, the distance along the optical axis of the nearest triangle that faces the
// camera and covers the pixel's centre (Pineda's edge functions on coordinates rounded to 1/256 pixel; a centre on an
// edge belongs to the triangle of which it is a top or left edge), NaN where there is none. 1/Z is linear in the
// picture, so flat triangles come out flat. Triangles that are seen from behind or edge-on are passed over. Positions
// are in the camera frame, all in front of the camera. Rows spread over the executor in bands; the answer does not
// depend on its threads.
//
// kInvalidArgument: a position that is not finite, not in front of the camera, or seen more than a million pixels off;
// kAborted.
Status rasterise_depth(const PatchMesh& mesh, const Camera& camera, const Window& window, Executor& executor,
                       const CancelToken* token, float* depth);

}  // namespace lineament
