// Depth maps to triangles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cloud/camera.h"
#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

// As kMostDepthSide and kMostDepthPixels of depth maps.
constexpr int kMostGridSide = 16384;
constexpr size_t kMostGridPixels = size_t{64} << 20;

// A depth map that somebody else owns; see DepthMap.
struct DepthGrid {
  int width = 0, height = 0;
  Camera camera;
  const float* depth = nullptr;       // NaN, infinite and numbers up to zero: nothing is known
  const float* confidence = nullptr;  // or null
  const uint8_t* colours = nullptr;   // RGB of each pixel, or null
};

struct GridMeshOptions {
  int step = 1;  // every step-th pixel of every step-th row becomes a vertex
  // Neighbours are parted where their depths differ by more than this part of the nearer depth, and the surface between
  // them would at the same time be seen at a greater angle to its normal than `angle`.
  double jump = 0.02;
  double angle = 75;          // degrees, below 90
  double sliver = 0.02;       // least height of a triangle over its longest side
  double min_confidence = 0;  // pixels below it are left out
  bool normals = true;
};

struct GridMesh {
  TriangleMesh mesh;             // camera frame, millimetres; counterclockwise seen from the camera
  std::vector<uint32_t> pixels;  // of each vertex: row · width + column
};

// Two triangles for each square of four neighbours, parted by the shorter diagonal; one where a corner is missing.
// Vertices are in the order of their pixels, triangles in the order of theirs; no vertex is without a triangle. Texture
// coordinates are the pixel's centre over the size of the picture; normals are weighted by area. Gives kInvalidArgument
// for options or a camera that cannot be, kNoSurface where no triangle is left. The same bytes for any executor.
Result<GridMesh> grid_mesh(const DepthGrid& grid, const GridMeshOptions& options, Executor& executor,
                           const CancelToken* token);

}  // namespace lineament
