// A surface through points with normals: M. Kazhdan, H. Hoppe, "Screened Poisson Surface Reconstruction", ACM Trans.
// Graph. 32, 2013; here on a regular grid around the points.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cloud/point_cloud.h"
#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

struct PoissonOptions {
  int resolution =
      128;  // cells along the longest side of the grid, 16 to 512; fewer where the points are too few for them
  double screening = 4;  // how closely points are followed: 0 leaves only normals
  int iterations = 10;   // of the solver on the finest grid
  // Triangles are left out where fewer cells around hold points than this share of the median; at a straight border it
  // is one half. 0: none are, the surface is closed.
  double trim = 0;
  uint64_t max_bytes = uint64_t{1} << 30;
};

struct PoissonReport {
  int resolution = 0;  // that was used
  double spacing = 0;  // of the grid, millimetres
  size_t samples = 0;  // cells that have points
};

// Normals point out of the surface. Points without one (0 0 0) are passed over. Where trim is 0 the surface is
// watertight and manifold. Colours are those of the points near by. kInvalidArgument (a cloud without normals,
// positions that are not finite, a grid beyond max_bytes: the message has the bytes), kNoSurface (fewer than 16 points,
// or all in one place), kAborted, kOutOfMemory. The same bytes for any number of threads.
Status poisson_surface(const PointCloud& cloud, const PoissonOptions& options, Executor& executor,
                       const CancelToken* token, TriangleMesh* mesh, PoissonReport* report);

}  // namespace lineament
