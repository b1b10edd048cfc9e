// The surface where a sampled function is zero: W. Lorensen, H. Cline, "Marching Cubes", SIGGRAPH 1987.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

// Samples of a block along each side, and in it; x runs fastest.
constexpr int kBlockSide = 8;
constexpr int kBlockSamples = kBlockSide * kBlockSide * kBlockSide;
// What a block is shown with: its samples and those around it, −1 … 9 along each side.
constexpr int kHaloSide = kBlockSide + 3;
constexpr int kHaloSamples = kHaloSide * kHaloSide * kHaloSide;

// A function on a grid, in blocks. Sample (x, y, z) is in block (⌊x/8⌋, ⌊y/8⌋, ⌊z/8⌋). Calls come from several threads.
class BlockField {
 public:
  virtual ~BlockField() = default;
  virtual size_t blocks() const = 0;
  // Where block i lies, in blocks.
  virtual std::array<int, 3> place(size_t i) const = 0;
  // The number of the block there, or −1.
  virtual ptrdiff_t find(int bx, int by, int bz) const = 0;
  // kHaloSamples values, NaN where nothing is known. False: nothing of this block is near zero, and it may be passed
  // over.
  virtual bool halo(size_t i, float* values) const = 0;
  virtual bool coloured() const { return false; }
  // 0 to 255; false where there is none.
  virtual bool colour(int /*x*/, int /*y*/, int /*z*/, float* /*rgb*/) const { return false; }
};

// Where sample (0, 0, 0) lies, and how far samples are apart, in millimetres.
struct GridFrame {
  std::array<double, 3> origin{};
  double spacing = 1;
};

// The surface between samples below zero (inside) and the others, in cells whose eight corners are known. Vertices lie
// on grid lines and are shared; normals are the function's gradient, towards what is above zero; triangles turn
// counterclockwise seen from there. Where no corner is unknown the surface is watertight and manifold (march_case).
// The same bytes for any number of threads. kAborted, kOutOfMemory.
Status march(const BlockField& field, const GridFrame& frame, Executor& executor, const CancelToken* token,
             TriangleMesh* mesh);

// An edge of a cell: axis × 8 + lower corner; corner: x + 2 y + 4 z.
constexpr int kCellEdges = 24;

// The triangles of a cell; bit i of `inside`: corner i is below zero. Three edges each.
//
// Derived, not listed. On each face of the cell, seen from outside and walked counterclockwise, a line runs from the
// edge where a run of inside corners is entered to the one where it is left. Which lines a face gets depends on its
// four corners alone, and the neighbour, which walks the other way, draws the same: no cracks. Two faces meet at an
// edge, which is entered in one and left in the other: the lines join into closed loops, each crossed edge in one of
// them. Loops are cut into triangles by diagonals that lie in no face, so that no neighbour can have the same one:
// every edge of the surface has two triangles.
struct MarchCase {
  uint8_t triangles = 0;
  std::array<uint8_t, 36> edges{};
};
const MarchCase& march_case(uint8_t inside);

}  // namespace lineament
