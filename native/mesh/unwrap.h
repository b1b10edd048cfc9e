// Texture coordinates for meshes that have none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/mesh_view.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

struct UnwrapOptions {
  int size = 1024;  // side of the texture, in texels
  int padding = 4;  // least texels between two charts, and half of that at the border
};

struct Atlas {
  // With UVs and normals; vertices on the borders of charts are there once for each chart. Triangles in their order.
  TriangleMesh mesh;
  std::vector<uint32_t> sources;  // the given mesh's vertex that each vertex is
  size_t charts = 0;
  double filled = 0;  // share of the texture that triangles cover
};

// Cuts the mesh into charts of triangles that look along one of the six axes, each seen along its axis, and puts them
// on shelves of one square at the largest scale at which they fit, the same for all. A millimetre of surface has
// between 0.3 and 1 of the texels that one square to its axis has. Where a chart covers itself it is taken apart, so
// that no texel belongs to two triangles. Deterministic.
//
// kInvalidArgument: sizes out of range (side 1 to kMostTextureSide, padding 0 to 64), a mesh that is none, or more
// charts than the texture can hold; kNoSurface: no triangle has an area; kAborted; kOutOfMemory.
Status unwrap_mesh(const MeshView& mesh, const UnwrapOptions& options, Executor& executor, const CancelToken* token,
                   Atlas* out);

}  // namespace lineament
