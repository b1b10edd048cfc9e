// What the kernels of geometry do for one pixel and one voxel: the bodies that the processor's own code runs too.
#pragma once

#include <cmath>
#include <cstdint>

#include "cloud/project_body.h"
#include "cuda/bodies.h"
#include "depth/bilateral_body.h"
#include "mesh/tsdf_body.h"

namespace lineament::cuda {

constexpr uint32_t kBlockEdge = 8;
constexpr uint32_t kBlockVoxels = kBlockEdge * kBlockEdge * kBlockEdge;

struct ProjectTask {
  cloud::Rays rays;
  uint32_t width, height;
  const float* depth;
  const float* confidence;  // or null
  float least_confidence;
  int32_t radius;
  float most_step;
  float* points;
  float* normals;  // where the radius is not 0
};

LINEAMENT_BODY bool counts(const ProjectTask& task, uint64_t pixel) {
  return cloud::counts(task.depth[pixel], task.confidence == nullptr ? 1.0f : task.confidence[pixel],
                       task.least_confidence);
}

// As cloud/project.cpp goes over a window.
LINEAMENT_BODY void window_normal(const ProjectTask& task, uint32_t i, uint32_t j, float out[3]) {
  const auto x0 = static_cast<int32_t>(i), y0 = static_cast<int32_t>(j);
  const float depth = task.depth[static_cast<uint64_t>(j) * task.width + i];
  const float step = task.most_step * depth;
  cloud::PlaneSums sums;
  for (int32_t dy = -task.radius; dy <= task.radius; ++dy) {
    const int32_t y = y0 + dy;
    if (y < 0 || y >= static_cast<int32_t>(task.height)) continue;
    for (int32_t dx = -task.radius; dx <= task.radius; ++dx) {
      const int32_t x = x0 + dx;
      if (x < 0 || x >= static_cast<int32_t>(task.width)) continue;
      const uint64_t pixel = static_cast<uint64_t>(y) * task.width + static_cast<uint32_t>(x);
      const int32_t ax = dx < 0 ? -dx : dx, ay = dy < 0 ? -dy : dy, far = ax > ay ? ax : ay, way = far > 1 ? far : 1;
      if (!counts(task, pixel) || !(fabsf(task.depth[pixel] - depth) <= step * static_cast<float>(way))) continue;
      cloud::add_pixel(sums, dx, dy, task.depth[pixel]);
    }
  }
  out[0] = out[1] = out[2] = 0;
  cloud::plane_normal(sums, task.rays, i, j, out);
}

LINEAMENT_BODY void project_pixel(const ProjectTask& task, uint64_t pixel) {
  const auto i = static_cast<uint32_t>(pixel % task.width), j = static_cast<uint32_t>(pixel / task.width);
  float* const point = task.points + 3 * pixel;
  const bool good = counts(task, pixel);
  if (good) {
    cloud::point_of_pixel(task.rays, i, j, task.depth[pixel], point);
  } else {
    point[0] = point[1] = point[2] = NAN;
  }
  if (task.radius == 0) return;
  float* const normal = task.normals + 3 * pixel;
  normal[0] = normal[1] = normal[2] = 0;
  if (good) window_normal(task, i, j, normal);
}

struct SmoothTask {
  uint32_t width, height;
  const float* depth;
  int32_t radius;
  const float* spatial;
  float inverse_range;
  float* out;
};

LINEAMENT_BODY void smooth_pixel(const SmoothTask& task, uint64_t pixel) {
  task.out[pixel] = bilateral_pixel(task.depth, static_cast<int>(task.width), static_cast<int>(task.height),
                                    static_cast<int>(pixel % task.width), static_cast<int>(pixel / task.width),
                                    task.radius, task.spatial, task.inverse_range);
}

struct FuseTask {
  FusionView view;
  FusionRule rule;
  float voxel;           // its side
  const float* starts;   // of the blocks
  Voxel* voxels;         // kBlockVoxels each
  VoxelColour* colours;  // the same, or null
  uint32_t* changed;     // for each block
};

// Voxel i of a block; as TsdfVolume goes over a block (mesh/tsdf.cpp). True where it was changed.
LINEAMENT_BODY bool fuse_one(const FuseTask& task, uint64_t block, uint32_t i) {
  const auto x = static_cast<float>(i % kBlockEdge), y = static_cast<float>(i / kBlockEdge % kBlockEdge),
             z = static_cast<float>(i / (kBlockEdge * kBlockEdge));
  const float* const start = task.starts + 3 * block;
  const float along = x * task.voxel;
  float at[3];
  for (int k = 0; k < 3; ++k) {
    const float* r = task.view.rotation + 3 * k;
    at[k] = start[k] + (r[1] * y + r[2] * z) * task.voxel + r[0] * along;
  }
  const uint64_t voxel = block * kBlockVoxels + i;
  return fuse_voxel(task.view, task.rule, at[0], at[1], at[2], task.voxels + voxel,
                    task.colours == nullptr ? nullptr : task.colours + voxel);
}

}  // namespace lineament::cuda
