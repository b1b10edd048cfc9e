// Taking out of a mesh what does not belong to a surface.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancel.h"
#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

struct CleanOptions {
  // Pieces with fewer triangles go, and those with less than this share of the largest piece's area.
  size_t min_triangles = 0;
  double min_area_share = 0;
  bool orient =
      true;  // neighbours made to turn the same way; closed pieces outwards, open ones as most of their triangles do
  bool split = true;  // a vertex where several fans of triangles meet becomes several
};

struct CleanReport {
  size_t degenerate = 0;       // triangles without area or with a corner twice, removed
  size_t duplicate = 0;        // triangles with the corners of another, removed
  size_t small_pieces = 0;     // removed
  size_t small_triangles = 0;  // that they had
  size_t flipped = 0;          // triangles turned round
  size_t split_vertices = 0;   // vertices added
  size_t unused_vertices = 0;  // removed
};

// In this order: degenerate and duplicate triangles, small pieces, orientation (a piece that has but
// one side cannot be oriented: it stays inconsistent along a line, where splitting parts it), vertices that pinch,
// vertices that nothing uses. Attributes go with their vertices. The mesh must have passed check_mesh. kAborted,
// kOutOfMemory.
Status clean_mesh(const CleanOptions& options, const CancelToken* token, TriangleMesh* mesh, CleanReport* report);

// Gives how many there were. The others keep their order.
size_t drop_unused_vertices(TriangleMesh* mesh);

// Normals at vertices: mean of the triangles' around, by the angle at the vertex (G. Thürmer, C. Wüthrich, "Computing
// Vertex Normals from Polygonal Facets", J. Graph. Tools 3, 1998). A vertex without triangles gets (0, 0, −1).
void compute_normals(TriangleMesh* mesh);

}  // namespace lineament
