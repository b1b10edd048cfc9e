// Which triangles meet where.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/aligned.h"
#include "core/status.h"
#include "mesh/mesh_view.h"

namespace lineament {

constexpr uint32_t kNoVertex = 0xffffffffu;

// For each vertex the first one at the same place. Gives whether any two share a place.
bool weld_points(const MeshView& mesh, uint32_t* point);

// For each vertex the first one with the same place, texture coordinate, normal and colour.
void weld_vertices(const MeshView& mesh, uint32_t* vertex);

// Triangles by their vertices, for each vertex those around it: triangles[begin[v]] … triangles[begin[v + 1] - 1],
// ascending. A triangle whose first corner is kNoVertex is none.
struct Stars {
  AlignedBuffer<uint32_t> begin;      // n + 1
  AlignedBuffer<uint32_t> triangles;  // 3 m, and room for `spare` more

  Status build(const uint32_t* corners, size_t m, size_t n, size_t spare = 0);
};

}  // namespace lineament
