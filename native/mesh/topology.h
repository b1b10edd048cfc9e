// What a triangle mesh is made of: edges, sheets, borders.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

// Half-edge 3 t + k runs from corner k of triangle t to the next corner.
inline uint32_t next_half(uint32_t half) { return half % 3 == 2 ? half - 2 : half + 1; }

// The half-edge on the other side of an edge.
constexpr uint32_t kBorder = 0xffffffff;     // there is none: the surface ends here
constexpr uint32_t kIrregular = 0xfffffffe;  // there are several, or it runs the same way, or the edge is a point

struct EdgeCounts {
  size_t edges = 0;
  size_t border = 0;        // one triangle
  size_t non_manifold = 0;  // three or more
  size_t inconsistent = 0;  // two that turn different ways
};

// `twins`: one for each corner. `pieces`, where asked for: for each triangle the number of its piece (triangles that
// hang together by edges), numbered in the order of their first triangles; gives their count in `piece_count`.
Status find_twins(const TriangleMesh& mesh, const CancelToken* token, std::vector<uint32_t>* twins, EdgeCounts* counts,
                  std::vector<uint32_t>* pieces = nullptr, size_t* piece_count = nullptr);

// The half-edges along each border, one after the other as they run; a border that meets an irregular edge is left out.
std::vector<std::vector<uint32_t>> border_loops(const TriangleMesh& mesh, const std::vector<uint32_t>& twins);

struct MeshReport {
  size_t vertices = 0, triangles = 0;
  size_t unused_vertices = 0;
  EdgeCounts edges;
  size_t components = 0;  // pieces that hang together by edges
  size_t border_loops = 0;
  size_t non_manifold_vertices = 0;  // whose triangles make more than one fan
  size_t degenerate_triangles = 0;   // a corner twice, or no area (corners on a line, in double precision)
  size_t duplicate_triangles = 0;    // same corners as an earlier one
  bool watertight = false;           // there are triangles, and every edge has exactly two
  bool oriented = false;             // no two neighbours turn different ways
  int64_t euler = 0;                 // used vertices − edges + triangles
  double area = 0;                   // square millimetres
  double volume = 0;  // cubic millimetres, above 0 where triangles face outwards; only where watertight and oriented
};

// The mesh must have passed check_mesh. kAborted, kOutOfMemory.
Status inspect_mesh(const TriangleMesh& mesh, const CancelToken* token, MeshReport* report);

// Twice the area vector of a triangle, (b − a) × (c − a).
void area_vector(const TriangleMesh& mesh, size_t triangle, double out[3]);
// No area: shorter than rounding of its longest side's square could make it.
bool is_degenerate(const TriangleMesh& mesh, size_t triangle);
// Triangles that have the same three corners as an earlier one: one byte each.
std::vector<uint8_t> find_duplicates(const TriangleMesh& mesh);

}  // namespace lineament
