// Shortest ways over a surface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/mesh_view.h"

namespace lineament {

// Length of the shortest way over the triangles, in and across them, from each source to each vertex: one row of
// `vertices` for each source, infinity where there is no way. Exact for the surface that the triangles are, up to
// rounding in double precision: windows of straight ways are carried over edges, nearest first, with new ones at
// vertices that ways bend around (J. Mitchell, D. Mount, C. Papadimitriou, "The Discrete Geodesic Problem", SIAM J.
// Computing 16(4), 1987, without trimming; what cannot be shortest is left out as S. Xin, G. Wang, "Improving Chen and
// Han's Algorithm on the Discrete Geodesic Problem", ACM TOG 28(4), 2009, show). For meshes of up to some ten thousand
// vertices: time grows faster than their number.
//
// Edges of three triangles and more, and those whose triangles turn against each other, are followed but not crossed.
// Sources spread over the executor. kInvalidArgument: no sources, one that is no vertex, positions that are not finite,
// indices that name no vertex; kNoSurface: no triangles; kAborted; kOutOfMemory.
Status geodesic_distances(const MeshView& mesh, const uint32_t* sources, size_t count, Executor& executor,
                          const CancelToken* token, std::vector<double>* distances);

}  // namespace lineament
