// Fewer triangles for the same surface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/mesh_view.h"

namespace lineament {

struct SimplifyOptions {
  size_t triangles = 0;  // stop at so many; 0: go on as long as `error` allows
  double error = -1;     // millimetres that the surface may move; below 0: no limit
  // What a difference of texture coordinates counts, where 1 takes a texel's width to be as bad as the same distance on
  // the surface; and of colours, in millimetres for the difference of black and full in a channel. 0: not at all.
  double uv_weight = 0, colour_weight = 0;
  bool keep_border = false;  // vertices of the border stay
};

struct SimplifiedMesh {
  TriangleMesh mesh;
  std::vector<uint32_t> sources;  // vertex of the original that each vertex is
  // Distances of the original's vertices from the new surface, in millimetres: the greatest and their quadratic mean.
  double error = 0, rms = 0;
};

// kInvalidArgument for weights that cannot be.
Status check_weights(double uv, double colour);

// Millimetres of the surface for 1 of a texture coordinate, on average; 0 where there are none.
float uv_scale(const MeshView& mesh);

// Quadric error metrics (Garland & Heckbert 1997) with edge collapses to one of both vertices: each vertex that stays
// is one of the original with all that is known of it. No triangle turns over, the surface stays as connected as it was
// (link condition), borders and seams (vertices at one place) keep their shape; points around which triangles are not
// one fan stay. Triangles that use a place twice are left out. With `error` no vertex of the original, and no place of
// either surface but for sampling, is farther than that from the other surface. Fewer triangles than asked for where
// one collapse takes two; more where nothing more can be collapsed. kInvalidArgument: no target, numbers out of range,
// a damaged mesh; kNoSurface: no triangles. Deterministic, the same bytes for any executor.
Result<SimplifiedMesh> simplify(const MeshView& mesh, const SimplifyOptions& options, Executor& executor,
                                const CancelToken* token);

}  // namespace lineament
