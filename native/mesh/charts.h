// A mesh in pieces that lie flat.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "mesh/mesh_view.h"

namespace lineament {

// Triangles that look along one axis, 0 to 5: +X, −X, +Y, −Y, +Z, −Z. Connected, unless something took it apart.
struct Chart {
  int axis = 0;
  std::vector<uint32_t> triangles;
};

// Where a place is seen along the axis: right and down, of the outside.
struct Flat {
  double x = 0, y = 0;
};
Flat flatten(const float* position, int axis);

// The triangle across each edge; UINT32_MAX at borders, and beyond the first two at an edge of more.
struct Neighbours {
  explicit Neighbours(const MeshView& mesh);
  std::vector<std::array<uint32_t, 3>> of;
};

// Every triangle with an area is in one chart; all of a chart's triangles look towards its axis by 0.1 at least. Small
// charts are joined to their neighbours where that allows it. `out` is in the order of the charts' first triangles.
Status cut_charts(const MeshView& mesh, const Neighbours& neighbours, const CancelToken* token,
                  std::vector<Chart>* out);

struct ChartBox {
  double x = 0, y = 0, width = 0, height = 0;  // millimetres, of the flat chart
  int left = 0, top = 0;                       // texels, where it was put
};

// Puts the boxes, each `padding` texels wider and higher, on shelves of a square of `size` texels at the largest scale
// that is found; gives texels to a millimetre, 0 where they do not fit at any.
double pack_boxes(std::vector<ChartBox>* boxes, int size, int padding);

struct TexelUv {
  float u = 0, v = 0;
};

// How flat charts lie in the texture.
struct Placement {
  double scale = 1;  // texels to a millimetre
  double inset = 0;  // texels from the corner of a box to its chart
  int size = 1;      // texels

  TexelUv uv(const float* position, int axis, const ChartBox& box) const;
};

// Takes charts that cover a texel twice apart, where they were put; `moved` is the number of triangles that had to go.
Status take_apart(const MeshView& mesh, const Neighbours& neighbours, const std::vector<ChartBox>& boxes,
                  const Placement& placement, const CancelToken* token, std::vector<Chart>* charts, size_t* moved);

}  // namespace lineament
