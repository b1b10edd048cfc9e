// A pinhole camera without distortion.
#pragma once

#include "core/status.h"

namespace lineament {

// Pixels. A point (X, Y, Z) in front of the camera (X to the picture's right, Y down, Z away from it) is seen at
// (fx X/Z + cx, fy Y/Z + cy), where the centre of pixel (i, j) is (i + 0.5, j + 0.5).
struct Camera {
  double fx = 0, fy = 0, cx = 0, cy = 0;
};

// kInvalidArgument where a number is not finite or a focal length is not above zero.
Status check_camera(const Camera& camera);

}  // namespace lineament
