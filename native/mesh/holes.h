// Closing holes: P. Liepa, "Filling Holes in Meshes", Symposium on Geometry Processing 2003.
#pragma once

#include <cstddef>

#include "core/cancel.h"
#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

struct HoleOptions {
  size_t max_edges = 200;      // longer borders stay open; 3 to 4096
  double max_perimeter = 1e9;  // millimetres
  bool refine = true;          // triangles as large as those around, and the patch bent to go on smoothly
};

struct HoleReport {
  size_t found = 0;  // borders that close
  size_t filled = 0;
  size_t vertices = 0, triangles = 0;  // that were added
};

// Triangulates each border's polygon with the least area (longer ones are first cut in two at their narrowest), splits
// what is larger than the edges around, and bends the patch (thin plate). Old vertices and triangles keep their places;
// the new ones come after them, colours and texture coordinates mixed of their corners'. A polygon that cannot be
// triangulated without an edge that the mesh has already stays open. The mesh must have passed check_mesh.
// kInvalidArgument, kAborted, kOutOfMemory.
Status fill_holes(const HoleOptions& options, const CancelToken* token, TriangleMesh* mesh, HoleReport* report);

}  // namespace lineament
