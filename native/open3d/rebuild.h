// Surfaces of point clouds by Open3D: screened Poisson and ball pivoting; and what Open3D says of a mesh's topology.
//
// Open3D's Poisson keeps its threads in one place of the process, so calls take turns. What it computes cannot be
// stopped: tokens are looked at between steps. Open3D's own messages go
// nowhere, but for warnings of its Poisson code, which it writes to stderr itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament::rebuild {

// Borrowed. Three numbers for each point; colours may be null.
struct Cloud {
  const float* positions = nullptr;
  const float* normals = nullptr;
  const uint8_t* colours = nullptr;
  size_t size = 0;
};

// Points beyond this number are refused: Open3D's triangles have 32-bit signed indices.
constexpr size_t kMostPoints = size_t{1} << 28;
constexpr int kLeastDepth = 2, kMostDepth = 12;

struct PoissonRule {
  int depth = 8;            // of the octree: cells are 2^-depth of its side
  double scale = 1.1;       // side of the octree's cube, as a multiple of the cloud's largest extent
  bool linear_fit = false;  // vertices by linear interpolation
  double density_trim = 0;  // share of the vertices, those with the fewest points around them, that is taken away
  int threads = 1;
};

// M. Kazhdan, H. Hoppe, "Screened Poisson Surface Reconstruction", ACM Transactions on Graphics 32 (2013). Points whose
// normal is 0 0 0 are left out. The mesh has normals, and colours where the cloud has. kInvalidArgument (numbers that
// are not finite), kNoSurface (fewer than three points with normals, all in one place, or nothing came of them),
// kAborted.
Status poisson(const Cloud& cloud, const PoissonRule& rule, const CancelToken* token, TriangleMesh* mesh);

// F. Bernardini et al., "The Ball-Pivoting Algorithm for Surface Reconstruction", IEEE TVCG 5 (1999): triangles between
// points that a ball of one of these radii (millimetres, above zero) touches. No radii: 1.5 and 3 times the mean
// distance of a point to its nearest neighbour. Vertices are points of the cloud. Failures as poisson().
Status ball_pivoting(const Cloud& cloud, std::vector<double> radii, const CancelToken* token, TriangleMesh* mesh);

struct Topology {
  bool edge_manifold = false;    // no edge has more than two triangles
  bool closed = false;           // and every edge has two
  bool vertex_manifold = false;  // the triangles of each vertex hang together by edges
  bool orientable = false;
  bool self_intersecting = false;
  bool watertight = false;  // closed, vertex-manifold, not self-intersecting
  int64_t euler = 0;        // vertices − edges + triangles
  size_t components = 0;    // that hang together by edges
};

// Open3D compares every triangle with every other: for some ten thousand triangles. kInvalidArgument as check_mesh().
Status topology(const TriangleMesh& mesh, const CancelToken* token, Topology* out);

}  // namespace lineament::rebuild
