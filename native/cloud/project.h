// From a depth map to points.
#pragma once

#include <cstdint>
#include <vector>

#include "cloud/camera.h"
#include "cloud/point_cloud.h"

namespace lineament {

// A depth map that somebody else owns: millimetres along the optical axis row by row, NaN where nothing is known.
struct DepthView {
  int width = 0, height = 0;
  const float* depth = nullptr;
  const float* confidence = nullptr;  // 0 … 1, or null
  Camera camera;
};

// Where points take their colours from: tight rows of RGB. A point p of the depth camera's frame is at
// rotation·p + translation in the frame of the picture's camera.
struct ColourView {
  int width = 0, height = 0;
  const uint8_t* pixels = nullptr;
  Camera camera;
  double rotation[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  double translation[3] = {};
  bool same = false;  // the depth map's own pixels: same size, same camera
};

constexpr int kMostNormalRadius = 16;
struct NormalWindow {
  int radius = 2;  // pixels to each side, 1 … 16
  double most_step =
      0.02;  // a pixel belongs to the surface when its depth differs by less than this share for each pixel of the way
};

// kInvalidArgument for sizes or a camera that are none, for a radius or a step out of range.
Status check_map(const DepthView& map);
Status check_window(const NormalWindow& window);

struct Projected {
  PointCloud cloud;
  std::vector<uint32_t> pixels;  // of each point: row × width + column, ascending
};

// A point for each pixel whose depth is known and whose confidence is at least `least_confidence`, with colours where
// `colours` is not null (black where the picture does not show the point) and normals where `window` is not null.
// kInvalidArgument for a camera or sizes that are none, kAborted.
Result<Projected> project_depth(const DepthView& map, float least_confidence, const ColourView* colours,
                                const NormalWindow* window, Executor& executor, const CancelToken* token);

// Normals of the surface that a depth map shows, 3 × width × height, towards the camera; 0 0 0 where depth is not known
// or too few pixels about it belong to the same surface. A plane is fitted to the inverse depths of a window.
Result<std::vector<float>> depth_normals(const DepthView& map, float least_confidence, const NormalWindow& window,
                                         Executor& executor, const CancelToken* token);

}  // namespace lineament
