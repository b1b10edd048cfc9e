#include "mesh/holes_patch.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace lineament {
namespace {

// Polygons above this are cut in two: the table below grows with the square, the time with the cube.
constexpr size_t kLargest = 96;
constexpr size_t kMostPoints = 20000;
constexpr int kRounds = 12, kFlipRounds = 8, kFairSteps = 400;

Point3 minus(const Point3& a, const Point3& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
double dot(const Point3& a, const Point3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
double apart(const Point3& a, const Point3& b) {
  const Point3 d = minus(a, b);
  return std::sqrt(dot(d, d));
}
double area(const Point3& a, const Point3& b, const Point3& c) {
  const Point3 u = minus(b, a), v = minus(c, a);
  const double uu = dot(u, u), vv = dot(v, v), uv = dot(u, v);
  return std::sqrt(std::max(0.0, uu * vv - uv * uv)) / 2;
}

// By dynamic programming over the polygon's stretches (G. Barequet, M. Sharir, "Filling gaps in the boundary of a
// polyhedron", CAGD 12, 1995).
bool triangulate_small(Patch* patch, const std::vector<size_t>& loop) {
  const size_t n = loop.size();
  constexpr double kNever = std::numeric_limits<double>::infinity();
  std::vector<double> cost(n * n, 0);
  std::vector<size_t> middle(n * n, 0);
  for (size_t span = 2; span < n; ++span) {
    for (size_t first = 0; first + span < n; ++first) {
      const size_t last = first + span;
      double best = kNever;
      const bool chord = !(first == 0 && last == n - 1);
      if (!(chord && patch->taken(loop[first], loop[last]))) {
        for (size_t m = first + 1; m < last; ++m) {
          const double parts = cost[first * n + m] + cost[m * n + last];
          if (!(parts < best)) continue;
          const double here =
              parts + area(patch->points[loop[first]], patch->points[loop[m]], patch->points[loop[last]]);
          if (here < best) {
            best = here;
            middle[first * n + last] = m;
          }
        }
      }
      cost[first * n + last] = best;
    }
  }
  if (!(cost[n - 1] < kNever)) return false;
  std::vector<std::pair<size_t, size_t>> open = {{0, n - 1}};
  while (!open.empty()) {
    const auto [first, last] = open.back();
    open.pop_back();
    if (last < first + 2) continue;
    const size_t m = middle[first * n + last];
    patch->triangles.push_back({loop[first], loop[m], loop[last]});
    open.emplace_back(first, m);
    open.emplace_back(m, last);
  }
  return true;
}

bool triangulate(Patch* patch, const std::vector<size_t>& loop) {
  const size_t n = loop.size();
  if (n <= kLargest) return triangulate_small(patch, loop);
  double narrowest = std::numeric_limits<double>::infinity();
  size_t from = 0, to = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = i + n / 4; j < n && j - i <= n - n / 4; ++j) {
      const double across = apart(patch->points[loop[i]], patch->points[loop[j]]);
      if (across < narrowest && !patch->taken(loop[i], loop[j])) {
        narrowest = across;
        from = i;
        to = j;
      }
    }
  }
  if (to == 0) return false;
  const auto at = [&](size_t i) { return loop.begin() + static_cast<std::ptrdiff_t>(i); };
  std::vector<size_t> one(at(from), at(to + 1)), two(at(to), loop.end());
  two.insert(two.end(), loop.begin(), at(from + 1));
  return triangulate(patch, one) && triangulate(patch, two);
}

using Edge = std::pair<size_t, size_t>;
Edge edge_of(size_t a, size_t b) { return {std::min(a, b), std::max(a, b)}; }

struct Side {
  Edge edge;
  size_t triangle, corner;  // the edge's first vertex
  bool operator<(const Side& other) const { return edge != other.edge ? edge < other.edge : triangle < other.triangle; }
};

std::vector<Side> sides_of(const Patch& patch) {
  std::vector<Side> sides;
  sides.reserve(3 * patch.triangles.size());
  for (size_t t = 0; t < patch.triangles.size(); ++t) {
    for (size_t k = 0; k < 3; ++k)
      sides.push_back({edge_of(patch.triangles[t][k], patch.triangles[t][(k + 1) % 3]), t, k});
  }
  std::sort(sides.begin(), sides.end());
  return sides;
}

double angle_at(const Patch& patch, size_t at, size_t a, size_t b) {
  const Point3 u = minus(patch.points[a], patch.points[at]), v = minus(patch.points[b], patch.points[at]);
  const double lengths = std::sqrt(dot(u, u) * dot(v, v));
  return lengths > 0 ? std::acos(std::clamp(dot(u, v) / lengths, -1.0, 1.0)) : 0;
}

// Flips edges whose opposite angles sum up to more than half a turn; each triangle once at most.
bool flip_edges(Patch* patch) {
  const std::vector<Side> sides = sides_of(*patch);
  std::vector<uint8_t> touched(patch->triangles.size(), 0);
  std::vector<Edge> fresh;
  for (size_t i = 0; i + 1 < sides.size(); ++i) {
    if (sides[i].edge != sides[i + 1].edge) continue;
    const Side &one = sides[i], &two = sides[i + 1];
    if (touched[one.triangle] != 0 || touched[two.triangle] != 0) continue;
    std::array<size_t, 3>&s = patch->triangles[one.triangle], &t = patch->triangles[two.triangle];
    const size_t a = s[one.corner], b = s[(one.corner + 1) % 3], c = s[(one.corner + 2) % 3],
                 d = t[(two.corner + 2) % 3];
    if (c == d || angle_at(*patch, c, a, b) + angle_at(*patch, d, a, b) <= 3.14159265358979 + 1e-6) continue;
    const Edge made = edge_of(c, d);
    const auto found = std::lower_bound(sides.begin(), sides.end(), Side{made, 0, 0});
    const bool there = (found != sides.end() && found->edge == made) ||
                       std::find(fresh.begin(), fresh.end(), made) != fresh.end() ||
                       (c < patch->border && d < patch->border && patch->taken(c, d));
    if (there) continue;
    touched[one.triangle] = touched[two.triangle] = 1;
    fresh.push_back(made);
    s = {a, d, c};
    t = {d, b, c};
  }
  return !fresh.empty();
}

}  // namespace

bool triangulate_patch(Patch* patch) {
  std::vector<size_t> loop(patch->border);
  std::iota(loop.begin(), loop.end(), size_t{0});
  patch->triangles.clear();
  return triangulate(patch, loop);
}

void refine_patch(Patch* patch) {
  const size_t n = patch->border;
  // How long edges are to be at each vertex.
  std::vector<double> wanted(n);
  for (size_t i = 0; i < n; ++i) {
    wanted[i] = (apart(patch->points[i], patch->points[(i + 1) % n]) +
                 apart(patch->points[i], patch->points[(i + n - 1) % n])) /
                2;
  }
  for (int round = 0; round < kFlipRounds && flip_edges(patch); ++round) continue;
  for (int round = 0; round < kRounds; ++round) {
    bool split = false;
    const size_t count = patch->triangles.size();
    for (size_t t = 0; t < count && patch->points.size() < kMostPoints; ++t) {
      const std::array<size_t, 3> corner = patch->triangles[t];
      Point3 centre{};
      double here = 0;
      for (const size_t v : corner) {
        for (size_t k = 0; k < 3; ++k) centre[k] += patch->points[v][k] / 3;
        here += wanted[v] / 3;
      }
      const bool large = std::all_of(corner.begin(), corner.end(), [&](size_t v) {
        const double away = std::sqrt(2.0) * apart(centre, patch->points[v]);
        return away > here && away > wanted[v];
      });
      if (!large) continue;
      const size_t fresh = patch->points.size();
      patch->points.push_back(centre);
      patch->parents.push_back(corner);
      wanted.push_back(here);
      patch->triangles[t] = {corner[0], corner[1], fresh};
      patch->triangles.push_back({corner[1], corner[2], fresh});
      patch->triangles.push_back({corner[2], corner[0], fresh});
      split = true;
    }
    if (!split) break;
    for (int flips = 0; flips < kFlipRounds && flip_edges(patch); ++flips) continue;
  }
}

void fair_patch(Patch* patch) {
  const size_t n = patch->border, count = patch->points.size();
  if (count == n) return;
  std::vector<std::vector<size_t>> ring(count);
  const std::vector<Side> sides = sides_of(*patch);
  for (size_t i = 0; i < sides.size(); ++i) {
    if (i > 0 && sides[i].edge == sides[i - 1].edge) continue;
    ring[sides[i].edge.first].push_back(sides[i].edge.second);
    ring[sides[i].edge.second].push_back(sides[i].edge.first);
  }
  // What the mesh's own neighbours add to a border vertex's mean. Edges of the border are among both.
  std::vector<Point3> outer(n, Point3{});
  std::vector<double> degree(count);
  for (size_t v = 0; v < count; ++v) degree[v] = static_cast<double>(ring[v].size());
  for (size_t v = 0; v < n; ++v) {
    for (const Point3& point : patch->around[v]) {
      for (size_t k = 0; k < 3; ++k) outer[v][k] += point[k];
    }
    degree[v] += static_cast<double>(patch->around[v].size());
  }
  std::vector<Point3> bend(count);
  const auto laplacian = [&](const std::vector<Point3>& of, size_t v, bool points) {
    Point3 sum = points && v < n ? outer[v] : Point3{};
    for (const size_t other : ring[v]) {
      for (size_t k = 0; k < 3; ++k) sum[k] += of[other][k];
    }
    for (size_t k = 0; k < 3; ++k) sum[k] = sum[k] / degree[v] - of[v][k];
    return sum;
  };
  double size = 0;
  for (size_t v = 0; v < n; ++v) size = std::max(size, apart(patch->points[v], patch->points[0]));
  const auto moved = [&](size_t v, const Point3& by) {
    for (size_t k = 0; k < 3; ++k) patch->points[v][k] += by[k];
    return std::max({std::abs(by[0]), std::abs(by[1]), std::abs(by[2])});
  };
  // First a soap film, which is a good start, then a thin plate.
  for (int step = 0; step < kFairSteps; ++step) {
    double most = 0;
    for (size_t v = n; v < count; ++v) most = std::max(most, moved(v, laplacian(patch->points, v, true)));
    if (most < 1e-6 * size) break;
  }
  // Σ |mean of the neighbours − vertex|² by conjugate gradients; `of` is 0 on the border.
  std::vector<Point3> residual(count, Point3{}), direction(count, Point3{}), image(count, Point3{});
  const auto transposed = [&](const std::vector<Point3>& of, size_t v) {
    Point3 sum{};
    for (const size_t other : ring[v]) {
      for (size_t k = 0; k < 3; ++k) sum[k] += of[other][k] / degree[other];
    }
    return minus(sum, of[v]);
  };
  const auto sum_of = [&](const std::vector<Point3>& a, const std::vector<Point3>& b) {
    double sum = 0;
    for (size_t v = n; v < count; ++v) sum += dot(a[v], b[v]);
    return sum;
  };
  for (size_t v = 0; v < count; ++v) bend[v] = laplacian(patch->points, v, true);
  for (size_t v = n; v < count; ++v) {
    const Point3 gradient = transposed(bend, v);
    for (size_t k = 0; k < 3; ++k) residual[v][k] = direction[v][k] = -gradient[k];
  }
  double rho = sum_of(residual, residual);
  const double enough = rho * 1e-12;
  for (int step = 0; step < kFairSteps && rho > enough; ++step) {
    for (size_t v = 0; v < count; ++v) bend[v] = laplacian(direction, v, false);
    for (size_t v = n; v < count; ++v) image[v] = transposed(bend, v);
    const double curvature = sum_of(direction, image);
    if (!(curvature > 0)) break;
    const double alpha = rho / curvature;
    for (size_t v = n; v < count; ++v) {
      for (size_t k = 0; k < 3; ++k) {
        patch->points[v][k] += alpha * direction[v][k];
        residual[v][k] -= alpha * image[v][k];
      }
    }
    const double next = sum_of(residual, residual);
    for (size_t v = n; v < count; ++v) {
      for (size_t k = 0; k < 3; ++k) direction[v][k] = residual[v][k] + next / rho * direction[v][k];
    }
    rho = next;
  }
}

}  // namespace lineament
