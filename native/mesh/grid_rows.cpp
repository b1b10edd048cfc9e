#include "mesh/grid_rows.h"

#include <algorithm>
#include <limits>

// The arrays of rows never overlap; compilers count too many of them to see that.
#if defined(__GNUC__) && !defined(__clang__)
#define LINEAMENT_APART _Pragma("GCC ivdep")
#else
#define LINEAMENT_APART
#endif

namespace lineament {

void place_row(const float* ray_x, float ray_y, size_t columns, GridRow* row) {
  float* x = row->x.data();
  float* y = row->y.data();
  float* z = row->z.data();
  constexpr float kMost = std::numeric_limits<float>::max();
  for (size_t i = 0; i < columns; ++i) {
    const bool known = z[i] > 0 && z[i] <= kMost;
    z[i] = known ? z[i] : std::numeric_limits<float>::quiet_NaN();
  }
  for (size_t i = 0; i < columns; ++i) x[i] = ray_x[i] * z[i];
  for (size_t i = 0; i < columns; ++i) y[i] = ray_y * z[i];
}

namespace {

struct Point {
  float x, y, z;
};
inline Point minus(Point p, Point q) { return {p.x - q.x, p.y - q.y, p.z - q.z}; }
inline Point select(uint32_t first, Point p, Point q) {
  return {first != 0 ? p.x : q.x, first != 0 ? p.y : q.y, first != 0 ? p.z : q.z};
}
inline float square(Point p) { return p.x * p.x + p.y * p.y + p.z * p.z; }
inline Point normal(Point u, Point v) { return {u.y * v.z - u.z * v.y, u.z * v.x - u.x * v.z, u.x * v.y - u.y * v.x}; }
inline float least(float p, float q) { return q < p ? q : p; }
inline float most(float p, float q) { return p < q ? q : p; }
// 1 or 0; 0 where a depth is NaN.
inline uint32_t near(float p, float q, float part) { return std::fabs(p - q) <= part * least(p, q) ? 1 : 0; }

// Of two sides and the third.
inline uint32_t thick(Point n, Point u, Point v, float sliver) {
  const float longest = most(most(square(u), square(v)), square(minus(u, v)));
  const float area = square(n);
  return (area >= sliver * longest * longest ? 1u : 0u) & (area > 0 ? 1u : 0u);
}

}  // namespace

void judge_squares(const GridRow& above, const GridRow& below, const GridRules& given, size_t count, GridSquares* out) {
  const GridRules rules = given;
  const float *ax = above.x.data(), *ay = above.y.data(), *az = above.z.data();
  const float *cx = below.x.data(), *cy = below.y.data(), *cz = below.z.data();
  uint32_t* code = out->code.data();
  float *x1 = out->x1.data(), *y1 = out->y1.data(), *z1 = out->z1.data();
  float *x2 = out->x2.data(), *y2 = out->y2.data(), *z2 = out->z2.data();
  LINEAMENT_APART
  for (size_t i = 0; i < count; ++i) {
    const Point a{ax[i], ay[i], az[i]}, b{ax[i + 1], ay[i + 1], az[i + 1]};
    const Point c{cx[i], cy[i], cz[i]}, d{cx[i + 1], cy[i + 1], cz[i + 1]};
    const uint32_t ab = near(a.z, b.z, rules.across), cd = near(c.z, d.z, rules.across);
    const uint32_t ac = near(a.z, c.z, rules.down), bd = near(b.z, d.z, rules.down);
    const uint32_t ad = near(a.z, d.z, rules.diagonal), cb = near(c.z, b.z, rules.diagonal);
    const uint32_t shorter = square(minus(c, b)) < square(minus(a, d)) ? 1 : 0;
    const uint32_t rising = cb & (shorter | (ad ^ 1));
    const Point third = select(rising, b, d), other = select(rising, c, a);
    const Point n1 = normal(minus(c, a), minus(third, a)), n2 = normal(minus(other, b), minus(d, b));
    const uint32_t sides1 = (rising & ab) | ((rising ^ 1) & cd), sides2 = (rising & cd) | ((rising ^ 1) & ab);
    const uint32_t first = (ad | cb) & ac & sides1 & thick(n1, minus(c, a), minus(third, a), rules.sliver);
    const uint32_t second = (ad | cb) & bd & sides2 & thick(n2, minus(other, b), minus(d, b), rules.sliver);
    code[i] = first | second << 1 | (rising & (first | second)) << 2;
    x1[i] = first != 0 ? n1.x : 0.0F;
    y1[i] = first != 0 ? n1.y : 0.0F;
    z1[i] = first != 0 ? n1.z : 0.0F;
    x2[i] = second != 0 ? n2.x : 0.0F;
    y2[i] = second != 0 ? n2.y : 0.0F;
    z2[i] = second != 0 ? n2.z : 0.0F;
  }
}

void GridNormals::clear(size_t columns) {
  std::fill_n(x.data(), columns, 0.0F);
  std::fill_n(y.data(), columns, 0.0F);
  std::fill_n(z.data(), columns, 0.0F);
}

void GridNormals::normalise(size_t columns) {
  float *px = x.data(), *py = y.data(), *pz = z.data();
  for (size_t i = 0; i < columns; ++i) {
    const float size = std::sqrt(px[i] * px[i] + py[i] * py[i] + pz[i] * pz[i]);
    const float scale = size > 0 ? 1.0F / size : 0.0F;
    px[i] *= scale;
    py[i] *= scale;
    pz[i] *= scale;
  }
}

void spread_normals(const GridSquares& squares, size_t count, GridNormals* above, GridNormals* below) {
  const uint32_t* code = squares.code.data();
  const auto spread_one = [&](const std::vector<float>& one, const std::vector<float>& two, std::vector<float>* top,
                              std::vector<float>* bottom) {
    const float *p = one.data(), *q = two.data();
    float *t = top->data(), *u = bottom->data();
    LINEAMENT_APART
    for (size_t i = 0; i < count; ++i) {
      const float whole = p[i], part = q[i];
      t[i] += whole + ((code[i] & kRising) == 0 ? part : 0.0F);
    }
    LINEAMENT_APART
    for (size_t i = 0; i < count; ++i) {
      const float whole = q[i], part = p[i];
      t[i + 1] += whole + ((code[i] & kRising) != 0 ? part : 0.0F);
    }
    LINEAMENT_APART
    for (size_t i = 0; i < count; ++i) {
      const float whole = p[i], part = q[i];
      u[i] += whole + ((code[i] & kRising) != 0 ? part : 0.0F);
    }
    LINEAMENT_APART
    for (size_t i = 0; i < count; ++i) {
      const float whole = q[i], part = p[i];
      u[i + 1] += whole + ((code[i] & kRising) == 0 ? part : 0.0F);
    }
  };
  spread_one(squares.x1, squares.x2, &above->x, &below->x);
  spread_one(squares.y1, squares.y2, &above->y, &below->y);
  spread_one(squares.z1, squares.z2, &above->z, &below->z);
}

}  // namespace lineament
