// The linear system of screened Poisson reconstruction on regular grids.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"

namespace lineament {

// Where surface was seen: position in cells of the finest grid, mean normal, area in square cells of it.
struct PoissonSample {
  float position[3];
  float normal[3];
  float area;
};

// Cells along each side of the coarsest grid; each of the others halves them.
struct PoissonGrid {
  std::array<int, 3> cells{};
  int levels = 1;

  // Nodes of level l (0: coarsest) along side k.
  int nodes(int level, size_t k) const { return (cells[k] << level) + 1; }
  size_t size(int level) const;
};

// The function f with ∇f nearest to the field of normals (its jump at the surface is 1) that is also near 0 at the
// samples:
//   min ∫|∇f − V|² + screening · Σ area · f(sample)²,
// f = ½ on the box: negative inside. Lengths are cells of the finest grid. Cascade of grids, from the coarsest on, each
// solved by conjugate gradients from the last one's answer (F. Bornemann, P. Deuflhard, "The cascadic multigrid method
// for elliptic problems", Numer. Math. 75, 1996). `values`: size(levels − 1), x runs fastest. The same bytes for any
// number of threads. kAborted.
Status solve_poisson(const PoissonGrid& grid, const std::vector<PoissonSample>& samples, float screening,
                     int iterations, Executor& executor, const CancelToken* token, std::vector<float>* values);

// A node's weight in trilinear interpolation at (x, y, z): eight nodes, and the first one's number.
struct Trilinear {
  size_t first = 0;
  float weight[8] = {};
};
Trilinear trilinear(const std::array<int, 3>& nodes, float x, float y, float z);
// Numbers of the eight nodes, relative to the first.
std::array<size_t, 8> cell_corners(const std::array<int, 3>& nodes);

}  // namespace lineament
