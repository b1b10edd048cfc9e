// The patch that closes one hole, before it becomes part of the mesh.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace lineament {

using Point3 = std::array<double, 3>;

// Vertices 0 … border − 1 are the hole's, in the patch's counterclockwise order; the others are new.
struct Patch {
  size_t border = 0;
  std::vector<Point3> points;
  std::vector<std::array<size_t, 3>> triangles;
  std::vector<std::array<size_t, 3>> parents;  // of new vertex border + i: the corners it lies between
  // Whether the mesh has an edge between two border vertices already, and so must get no other.
  std::function<bool(size_t, size_t)> taken;
  // The mesh's own vertices around a border vertex.
  std::vector<std::vector<Point3>> around;
};

// Triangles of least total area. False where every triangulation has an edge that is taken.
bool triangulate_patch(Patch* patch);
// Splits triangles until they are as large as the edges around the border ask for, and flips edges (Delaunay).
void refine_patch(Patch* patch);
// Moves the new vertices to where the patch bends least: Σ |mean of the neighbours − vertex|² over all its vertices
// (the umbrella operator of L. Kobbelt et al., "Interactive Multi-Resolution Modeling on Arbitrary Meshes", SIGGRAPH
// 1998).
void fair_patch(Patch* patch);

}  // namespace lineament
