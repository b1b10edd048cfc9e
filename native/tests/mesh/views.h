// Depth maps of analytic surfaces, by sphere tracing.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "mesh/tsdf.h"
#include "tests/mesh/surfaces.h"

namespace surfaces {

struct View {
  int width = 0, height = 0;
  double focal = 0;
  lineament::Pose pose = lineament::kIdentityPose;
  std::vector<float> depth;
  std::vector<uint8_t> rgb;

  lineament::FusionFrame frame(bool coloured = false) const {
    lineament::FusionFrame out;
    out.depth = depth.data();
    out.rgb = coloured ? rgb.data() : nullptr;
    out.width = width;
    out.height = height;
    out.fx = out.fy = focal;
    out.cx = width / 2.0;
    out.cy = height / 2.0;
    out.pose = pose;
    return out;
  }
};

// A camera `away` millimetres from the origin that looks at it, turned about the y axis and then raised, in radians.
inline lineament::Pose look_at_origin(double away, double turn, double raise = 0) {
  const double c = std::cos(turn), s = std::sin(turn), d = std::cos(raise), e = std::sin(raise);
  return {c, 0, s, 0, s * e, d, -c * e, 0, -s * d, e, c * d, away, 0, 0, 0, 1};
}

// Colours say where a point lies: 128 + coordinate.
inline View look(const Distance& distance, const lineament::Pose& pose, int width, int height, double focal) {
  View out{width, height, focal, pose, {}, {}};
  out.depth.assign(static_cast<size_t>(width * height), std::numeric_limits<float>::quiet_NaN());
  out.rgb.assign(static_cast<size_t>(width * height) * 3, 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double ray[3] = {(x + 0.5 - width / 2.0) / focal, (y + 0.5 - height / 2.0) / focal, 1};
      const double length = std::sqrt(ray[0] * ray[0] + ray[1] * ray[1] + 1);
      double depth = 1;
      for (int step = 0; step < 200 && depth < 5000; ++step) {
        double world[3] = {};
        for (size_t k = 0; k < 3; ++k) {
          for (size_t row = 0; row < 3; ++row) world[k] += pose[4 * row + k] * (ray[row] * depth - pose[4 * row + 3]);
        }
        const double away = distance(world[0], world[1], world[2]);
        depth += away / length;
        if (std::abs(away) > 1e-5) continue;
        const size_t i = static_cast<size_t>(y * width + x);
        out.depth[i] = static_cast<float>(depth);
        for (size_t k = 0; k < 3; ++k)
          out.rgb[3 * i + k] = static_cast<uint8_t>(std::clamp(world[k] + 128.5, 0.0, 255.0));
        break;
      }
    }
  }
  return out;
}

// All around: in the plane, from above and from below.
inline std::vector<View> look_around(const Distance& distance, int views, int size, double away, double focal) {
  std::vector<View> out;
  constexpr double kTurn = 6.283185307179586;
  for (int i = 0; i < views; ++i)
    out.push_back(look(distance, look_at_origin(away, kTurn * i / views), size, size, focal));
  for (const double raise : {-0.8, -1.5707963, 0.8, 1.5707963}) {
    for (int i = 0; i < (std::abs(raise) > 1 ? 1 : views); ++i) {
      out.push_back(look(distance, look_at_origin(away, kTurn * i / views, raise), size, size, focal));
    }
  }
  return out;
}

}  // namespace surfaces
