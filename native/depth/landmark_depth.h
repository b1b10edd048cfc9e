// From the points of a dense face mesh to a depth for each pixel.
#pragma once

#include <cstddef>
#include <cstdint>

#include "depth/depth_map.h"
#include "depth/rasterise.h"

namespace lineament {

// Points of a face in pixels of the picture: x right, y down, z away from the camera in the unit of x, from a plane
// through the head. Triangles turn counterclockwise seen from in front of the face; points that none names are not
// looked at.
struct LandmarkSurface {
  const float* points = nullptr;  // 3 × count
  size_t count = 0;
  const uint32_t* triangles = nullptr;  // 3 × triangle_count
  size_t triangle_count = 0;
};

struct LandmarkDepthOptions {
  Camera camera;            // of the whole picture
  double mm_per_pixel = 0;  // where z is 0
  Window window;            // what to write; its size is the answer's
  bool curved = true;       // curved patches, or flat triangles
};

// The most points and triangles of a surface.
constexpr size_t kMostLandmarks = 100000;

// The plane where z is 0 lies f · mm_per_pixel from the camera (f: geometric mean of the focal lengths), a point z
// pixels behind it at Z = (f + z) · mm_per_pixel, on the ray through its pixel. The surface through the points is made
// of curved patches (depth/patches.h), cut finely enough that its pieces are some four pixels long, and seen by the
// camera (depth/rasterise.h). The answer's camera has its centre moved by the window's corner; its confidence is left
// empty.
//
// kInvalidArgument: numbers that are not finite, an index that names no point, a window of no or too many pixels, a
// point that lies behind the camera; kNoSurface: no pixel of the window sees the front of the face; kAborted.
Result<DepthMap> depth_from_landmarks(const LandmarkSurface& surface, const LandmarkDepthOptions& options,
                                      Executor& executor, const CancelToken* token);

}  // namespace lineament
