// Normals of vertices.
#pragma once

#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/mesh_view.h"

namespace lineament {

// 3 n numbers: the normals of the triangles around each vertex, weighted by their angles there (Thürmer & Wüthrich
// 1998), of length 1; 0 0 0 where no triangle with an area meets. Vertices at one place share theirs, so that seams
// stay unseen. kInvalidArgument: a damaged mesh. The same bytes for any executor.
Result<std::vector<float>> vertex_normals(const MeshView& mesh, Executor& executor, const CancelToken* token);

}  // namespace lineament
