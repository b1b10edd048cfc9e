// What collapses have left of a mesh at one moment.
#pragma once

#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/collapse.h"
#include "mesh/mesh_view.h"

namespace lineament {

struct Remnant {
  std::vector<uint32_t> points;   // corners of triangles as points
  std::vector<uint32_t> corners;  // and as vertices; empty where they are the same
  std::vector<uint32_t> parents;  // as Collapser::parents at that moment

  const std::vector<uint32_t>& vertex_corners() const { return corners.empty() ? points : corners; }
};

Remnant remnant_of(const Collapser& collapser);

struct Deviation {
  double most = 0, rms = 0;  // millimetres
};

// Distances of the original's places from the triangles that are left: found by going from where each place was
// collapsed to towards the nearest triangle, so that none is understated.
Result<Deviation> deviation_of(const MeshView& original, const Remnant& remnant, Executor& executor,
                               const CancelToken* token);

// The triangles with the vertices that they use, these in the original's order; `sources` their names there.
TriangleMesh mesh_of(const MeshView& original, const Remnant& remnant, std::vector<uint32_t>* sources);

}  // namespace lineament
