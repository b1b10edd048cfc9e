// Levels of detail: one surface with ever fewer triangles.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/mesh_view.h"

namespace lineament {

struct LevelsOptions {
  std::vector<size_t> triangles;            // of each level, descending; as many as the mesh has, or more: all of them
  double uv_weight = 0, colour_weight = 0;  // as in SimplifyOptions
  bool keep_border = false;
};

struct Level {
  TriangleMesh mesh;              // of its own vertices, ordered as optimise() orders them
  std::vector<uint32_t> sources;  // vertex of the original that each vertex is
  double error = 0, rms = 0;      // distances of the original's vertices, in millimetres
  double cache_miss_ratio = 0;
};

constexpr size_t kMostLevels = 16;

// One chain of collapses (see simplify): each level goes on from the one before. Errors are those against `mesh`.
// kInvalidArgument: no level, too many, targets that rise or are 0, a damaged mesh; kNoSurface: no triangles.
// Deterministic, the same bytes for any executor.
Result<std::vector<Level>> levels_of_detail(const MeshView& mesh, const LevelsOptions& options, Executor& executor,
                                            const CancelToken* token);

}  // namespace lineament
