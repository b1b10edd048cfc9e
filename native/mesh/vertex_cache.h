// Orders of triangles and vertices that graphics processors like.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "mesh/mesh_view.h"

namespace lineament {

constexpr uint32_t kCacheSize = 16;  // vertices, first in first out

// Average cache miss ratio: vertices that are transformed for each triangle, from 0.5 at best for large meshes to 3.
double cache_miss_ratio(const uint32_t* indices, size_t triangles, size_t vertices);

// The triangles in another order, each with its corners as they were: Tipsify (Sander, Nehab & Barczak 2007), or the
// order that they had where that is no worse. `ratio` becomes its cache_miss_ratio where it is not null.
std::vector<uint32_t> order_triangles(const uint32_t* indices, size_t triangles, size_t vertices, double* ratio);

struct OptimisedMesh {
  TriangleMesh mesh;
  std::vector<uint32_t> sources;  // vertex of the original that each vertex is
  double before = 0, after = 0;   // cache miss ratios
};

// order_triangles, and vertices in the order of their first use; those that no triangle uses are left out.
// kInvalidArgument: a damaged mesh; kNoSurface: no triangles; kAborted, looked at between the steps.
Result<OptimisedMesh> optimise(const MeshView& mesh, const CancelToken* token = nullptr);

// The vertices of `mesh` that `indices` use, in the order of their first use; names in `indices` become theirs.
TriangleMesh order_vertices(const MeshView& mesh, std::vector<uint32_t> indices, std::vector<uint32_t>* sources);

}  // namespace lineament
