// Rows of a grid of points, their squares and what these say of normals: plain loops that compilers turn into SIMD.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lineament {

struct GridRow {
  explicit GridRow(size_t columns) : x(columns), y(columns), z(columns) {}
  std::vector<float> x, y, z;  // NaN where nothing is known
};

// z to points; what is no depth becomes NaN.
void place_row(const float* ray_x, float ray_y, size_t columns, GridRow* row);

// Two depths belong together where they differ by no more than this part of the nearer one.
struct GridRules {
  float across = 0, down = 0, diagonal = 0;
  float sliver = 0;  // least height over longest side, squared
};

// A square's corners are a (top left), b (top right), c (bottom left) and d (bottom right). Its triangles are
// 1: a, c and the third, 2: b, d and the third; the diagonal runs from a to d or, where kRising is set, from c to b.
constexpr unsigned kRising = 4;
constexpr unsigned kTopLeft = 1, kTopRight = 2, kBottomLeft = 4, kBottomRight = 8;

// The corners that a code's triangles use.
constexpr unsigned corners_of(unsigned code) {
  constexpr unsigned kFalling1 = kTopLeft | kBottomLeft | kBottomRight;
  constexpr unsigned kFalling2 = kTopRight | kBottomRight | kTopLeft;
  constexpr unsigned kRising1 = kTopLeft | kBottomLeft | kTopRight;
  constexpr unsigned kRising2 = kTopRight | kBottomRight | kBottomLeft;
  constexpr unsigned kTable[8] = {
      0, kFalling1, kFalling2, kFalling1 | kFalling2, 0, kRising1, kRising2, kRising1 | kRising2,
  };
  return kTable[code & 7];
}

struct GridSquares {
  explicit GridSquares(size_t columns)
      : code(columns), x1(columns), y1(columns), z1(columns), x2(columns), y2(columns), z2(columns) {}
  std::vector<uint32_t> code;
  std::vector<float> x1, y1, z1, x2, y2, z2;  // triangles' normals, as long as twice the area; 0 where there is none
};

// The first `count` squares between two rows.
void judge_squares(const GridRow& above, const GridRow& below, const GridRules& rules, size_t count, GridSquares* out);

struct GridNormals {
  explicit GridNormals(size_t columns) : x(columns), y(columns), z(columns) {}
  void clear(size_t columns);
  void normalise(size_t columns);  // 0 0 0 stays
  std::vector<float> x, y, z;
};

// Adds the triangles' normals to their vertices above and below.
void spread_normals(const GridSquares& squares, size_t count, GridNormals* above, GridNormals* below);

}  // namespace lineament
