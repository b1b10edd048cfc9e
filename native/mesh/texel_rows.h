// Which centres of a raster a triangle covers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace lineament {

// A triangle's corner on a raster whose cell (i, j) has its centre at (i + 0.5, j + 0.5), rounded to 1/256 cell.
struct RasterPoint {
  int64_t x = 0, y = 0;

  static constexpr int kUnit = 256;
  // Coordinates beyond this must not be asked for.
  static constexpr double kFarthest = 1 << 20;
  static RasterPoint at(double x, double y) {
    return {static_cast<int64_t>(std::floor(x * kUnit + 0.5)), static_cast<int64_t>(std::floor(y * kUnit + 0.5))};
  }
};

// The rows whose centres lie between the corners: [first, end), cut to [0, height).
struct RowRange {
  int first = 0, end = 0;
};

inline int first_centre(int64_t v) {
  return static_cast<int>((v - RasterPoint::kUnit / 2 + RasterPoint::kUnit - 1) >> 8);
}

inline RowRange rows_of(const RasterPoint* p, int height) {
  const int64_t low = std::min({p[0].y, p[1].y, p[2].y}), high = std::max({p[0].y, p[1].y, p[2].y});
  const auto cut = [height](int row) { return std::clamp(row, 0, height); };
  return {cut(first_centre(low)), cut(first_centre(high))};
}

// Where the edge a–b, which spans the row, meets it: the first cell whose centre is not left of it. Exact, and the same
// for b–a, so that two triangles on the two sides of an edge share out the centres and none is taken twice.
inline int edge_cell(RasterPoint a, RasterPoint b, int64_t row_centre) {
  if (a.y > b.y) std::swap(a, b);
  const int64_t dy = b.y - a.y;
  const int64_t top = (a.x - RasterPoint::kUnit / 2) * dy + (row_centre - a.y) * (b.x - a.x);
  const int64_t bottom = RasterPoint::kUnit * dy;
  const int64_t cell = top >= 0 ? (top + bottom - 1) / bottom : -(-top / bottom);
  return static_cast<int>(cell);
}

// Calls span(row, first, end) for the cells of rows [row_begin, row_end) whose centres the triangle covers, whichever
// way it turns; cells are cut to [0, width).
template <typename Span>
void texel_rows(const RasterPoint* p, int width, int row_begin, int row_end, Span span) {
  const RowRange rows = rows_of(p, row_end);
  for (int row = std::max(rows.first, row_begin); row < rows.end; ++row) {
    const int64_t centre = int64_t{row} * RasterPoint::kUnit + RasterPoint::kUnit / 2;
    int cells[3];
    int met = 0;
    for (int e = 0; e < 3; ++e) {
      const RasterPoint& a = p[e];
      const RasterPoint& b = p[e == 2 ? 0 : e + 1];
      if ((a.y <= centre) == (b.y <= centre)) continue;
      cells[met++] = edge_cell(a, b, centre);
    }
    if (met != 2) continue;
    const int first = std::max(std::min(cells[0], cells[1]), 0), end = std::min(std::max(cells[0], cells[1]), width);
    if (first < end) span(row, first, end);
  }
}

// A quantity that is linear over a triangle of the raster, given at its corners: at(x, y) of a point in cells.
class Gradient {
 public:
  Gradient() = default;
  Gradient(const RasterPoint* p, double a, double b, double c) {
    const double bx = static_cast<double>(p[1].x - p[0].x), by = static_cast<double>(p[1].y - p[0].y);
    const double cx = static_cast<double>(p[2].x - p[0].x), cy = static_cast<double>(p[2].y - p[0].y);
    const double scale = RasterPoint::kUnit / (bx * cy - by * cx);
    right = ((b - a) * cy - (c - a) * by) * scale;
    down = ((c - a) * bx - (b - a) * cx) * scale;
    start = a - (right * static_cast<double>(p[0].x) + down * static_cast<double>(p[0].y)) / RasterPoint::kUnit;
  }
  double at(double x, double y) const { return start + right * x + down * y; }

  double start = 0, right = 0, down = 0;
};

// Whether the corners span an area; others cover no centre, or have no gradients.
inline bool spans_area(const RasterPoint* p) {
  return (p[1].x - p[0].x) * (p[2].y - p[0].y) != (p[1].y - p[0].y) * (p[2].x - p[0].x);
}

// Triangles by the bands of rows that they reach into, in their own order within each.
class RowBands {
 public:
  // `corners`: three for each of `triangles`.
  RowBands(const RasterPoint* corners, size_t triangles, int height, int rows_in_band);

  size_t bands() const { return starts_.size() - 1; }
  int first_row(size_t band) const { return static_cast<int>(band) * rows_; }
  int end_row(size_t band) const { return std::min(height_, first_row(band) + rows_); }
  const uint32_t* begin(size_t band) const { return list_.data() + starts_[band]; }
  const uint32_t* end(size_t band) const { return list_.data() + starts_[band + 1]; }

 private:
  int height_, rows_;
  std::vector<size_t> starts_;
  std::vector<uint32_t> list_;
};

}  // namespace lineament
