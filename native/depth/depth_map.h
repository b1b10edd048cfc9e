// Distance along the optical axis for each pixel.
#pragma once

#include <cstddef>
#include <vector>

#include "cloud/camera.h"
#include "core/status.h"

namespace lineament {

// Row by row. `depth` in millimetres, NaN where nothing is known; `confidence` from 0 to 1, or empty.
struct DepthMap {
  int width = 0, height = 0;
  Camera camera;
  std::vector<float> depth;
  std::vector<float> confidence;

  size_t size() const { return static_cast<size_t>(width) * static_cast<size_t>(height); }
};

// The longest side and the most pixels of a depth map.
constexpr int kMostDepthSide = 16384;
constexpr size_t kMostDepthPixels = size_t{64} << 20;

// kInvalidArgument where sizes do not fit, or the camera is none. NaN is no fault; other numbers must be above zero.
Status check_depth(const DepthMap& map);

}  // namespace lineament
