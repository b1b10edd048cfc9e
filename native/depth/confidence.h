// How far a depth can be relied upon.
#pragma once

#include "core/cancel.h"
#include "core/executor.h"
#include "depth/depth_map.h"

namespace lineament {

struct ConfidenceOptions {
  // Pixels from a silhouette over which confidence rises to its full value.
  double margin = 4;
  // Neighbours that differ by more millimetres (and by more than three pixels' width there) belong to different
  // surfaces: between them runs a silhouette.
  double step = 10;
  // A second depth for the same pixels, or null: NaN where it says nothing.
  const float* other = nullptr;
  // Millimetres of difference from the second depth that halve the confidence.
  double tolerance = 5;
};

// Fills map->confidence:  visibility × angle × agreement,  0 where there is no depth.
//   visibility = min(1, (d + 1/2) / margin), d the distance in pixels to the nearest pixel on a silhouette (a pixel
//   with
//                a neighbour, to the left, right, above or below, that has no depth or lies on another surface), by
//                chamfer distances (G. Borgefors, "Distance transformations in digital images", CVGIP 34, 1986).
//                The border of the map is no silhouette.
//   angle      = cosine between the normal of the surface and the ray to the camera; the normal from differences with
//                the neighbours on the same surface, 0 where there is none to the side or above and below.
//   agreement  = 1 / (1 + (difference / tolerance)²); 1 where there is no second depth.
// kInvalidArgument: a bad map, or options that are not above zero; kAborted.
Status rate_depth(DepthMap* map, const ConfidenceOptions& options, Executor& executor, const CancelToken* token);

}  // namespace lineament
