#include "mesh/geodesic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <queue>
#include <vector>

#include "tests/check.h"
#include "tests/mesh/scene.h"

using lineament::CancelToken;
using lineament::Code;
using lineament::Executor;
using lineament::TriangleMesh;
using scene::Place;

namespace {

std::vector<double> from(const TriangleMesh& mesh, uint32_t source, size_t threads = 1) {
  Executor executor(threads);
  std::vector<double> out;
  const lineament::Status status = geodesic_distances(view_of(mesh), &source, 1, executor, nullptr, &out);
  CHECK_EQ(status.message(), "");
  return out;
}

double apart(const TriangleMesh& mesh, size_t a, size_t b) {
  double sum = 0;
  for (size_t k = 0; k < 3; ++k) {
    const double d = double{mesh.positions[3 * a + k]} - mesh.positions[3 * b + k];
    sum += d * d;
  }
  return std::sqrt(sum);
}

// Along straight lines within triangles between points that cut each edge into `parts`: no shorter than the shortest
// way, and little longer.
std::vector<double> along_chords(const TriangleMesh& mesh, uint32_t source, int parts) {
  std::vector<std::array<double, 3>> places(mesh.vertices());
  for (size_t i = 0; i < mesh.positions.size(); ++i) places[i / 3][i % 3] = mesh.positions[i];
  std::map<std::array<uint32_t, 3>, uint32_t> on_edges;
  const auto point = [&](uint32_t a, uint32_t b, int part) {
    if (part == 0) return a;
    if (part == parts) return b;
    if (a > b) std::swap(a, b), part = parts - part;
    const auto [found, is_new] =
        on_edges.try_emplace({a, b, static_cast<uint32_t>(part)}, static_cast<uint32_t>(places.size()));
    if (is_new) {
      std::array<double, 3> place{};
      const double t = static_cast<double>(part) / parts;
      for (size_t k = 0; k < 3; ++k) place[k] = places[a][k] * (1 - t) + places[b][k] * t;
      places.push_back(place);
    }
    return found->second;
  };
  const auto between = [&](uint32_t a, uint32_t b) {
    return std::hypot(places[a][0] - places[b][0], places[a][1] - places[b][1], places[a][2] - places[b][2]);
  };
  std::vector<std::vector<std::pair<uint32_t, double>>> next;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    std::vector<uint32_t> rim;
    for (size_t k = 0; k < 3; ++k) {
      const uint32_t a = mesh.indices[3 * t + k], b = mesh.indices[3 * t + (k + 1) % 3];
      for (int part = 0; part < parts; ++part) rim.push_back(point(a, b, part));
    }
    next.resize(places.size());
    for (const uint32_t a : rim) {
      for (const uint32_t b : rim) {
        if (a != b) next[a].push_back({b, between(a, b)});
      }
    }
  }
  std::vector<double> out(places.size(), std::numeric_limits<double>::infinity());
  using Item = std::pair<double, uint32_t>;
  std::priority_queue<Item, std::vector<Item>, std::greater<>> queue;
  queue.push({0, source});
  out[source] = 0;
  while (!queue.empty()) {
    const auto [length, v] = queue.top();
    queue.pop();
    if (length > out[v]) continue;
    for (const auto& [w, step] : next[v]) {
      if (length + step < out[w]) out[w] = length + step, queue.push({out[w], w});
    }
  }
  return out;
}

TriangleMesh plane(int columns, int rows) {
  return scene::grid(columns, rows, [](double u, double v) { return Place{100 * u, 70 * v, 10 * u + 5 * v}; });
}

TriangleMesh sphere(double radius, int columns, int rows) {
  TriangleMesh mesh = scene::grid(columns, rows, [=](double u, double v) {
    const double lon = 2 * M_PI * u, lat = M_PI * (v - 0.5);
    return Place{radius * std::sin(lon) * std::cos(lat), radius * std::sin(lat),
                 radius * std::cos(lon) * std::cos(lat)};
  });
  // One seam and two poles: joined, and the triangles that vanish left out.
  const auto joined = [&](uint32_t i) {
    const int c = static_cast<int>(i) % (columns + 1), r = static_cast<int>(i) / (columns + 1);
    if (r == 0) return uint32_t{0};
    if (r == rows) return static_cast<uint32_t>(rows * (columns + 1));
    return static_cast<uint32_t>(r * (columns + 1) + c % columns);
  };
  std::vector<uint32_t> kept;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    const uint32_t a = joined(mesh.indices[3 * t]), b = joined(mesh.indices[3 * t + 1]),
                   c = joined(mesh.indices[3 * t + 2]);
    if (a == b || b == c || c == a) continue;
    kept.insert(kept.end(), {a, b, c});
  }
  mesh.indices = kept;
  return mesh;
}

}  // namespace

TEST(a_plane_gives_euclidean_distances) {
  const TriangleMesh mesh = plane(13, 9);
  for (const uint32_t source : {0u, 37u, 139u}) {
    const std::vector<double> out = from(mesh, source);
    for (size_t i = 0; i < mesh.vertices(); ++i) CHECK_NEAR(out[i], apart(mesh, source, i), 1e-4);
  }
}

TEST(a_sphere_gives_great_circles_up_to_its_facets) {
  const double radius = 100;
  double before = 0;
  for (const int steps : {12, 24, 48}) {
    const TriangleMesh mesh = sphere(radius, 2 * steps, steps);
    const auto source = static_cast<uint32_t>(steps / 3 * (2 * steps + 1));
    const std::vector<double> out = from(mesh, source);
    double square = 0, worst = 0;
    size_t n = 0;
    for (size_t i = 0; i < mesh.vertices(); ++i) {
      if (!std::isfinite(out[i])) continue;  // the doubles of seam and poles
      const double arc = 2 * radius * std::asin(std::min(1.0, apart(mesh, source, i) / 2 / radius));
      // Facets cut corners: never longer than the arc by more than rounding, never shorter than the chord.
      CHECK(out[i] <= arc + 0.01 * radius);
      CHECK(out[i] >= apart(mesh, source, i) - 1e-4);
      square += (out[i] - arc) * (out[i] - arc);
      worst = std::max(worst, std::abs(out[i] - arc));
      ++n;
    }
    const double rms = std::sqrt(square / static_cast<double>(n));
    std::printf("  sphere of radius 100, %d x %d: RMS error %.4f, worst %.4f\n", 2 * steps, steps, rms, worst);
    // Second order in the facets' size: four times less for half the size.
    CHECK(rms < radius * 1.8 / (steps * steps));
    if (before > 0) CHECK(rms < before / 3);
    before = rms;
  }
}

TEST(ways_bend_around_a_notch) {
  // An L of three squares of 50: from one tip to the other around the inner corner.
  TriangleMesh mesh = scene::grid(10, 10, [](double u, double v) { return Place{100 * u, 100 * v, 0}; });
  std::vector<uint32_t> kept;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    double x = 0, y = 0;
    for (size_t k = 0; k < 3; ++k) {
      x += mesh.positions[3 * mesh.indices[3 * t + k]] / 3;
      y += mesh.positions[3 * mesh.indices[3 * t + k] + 1] / 3;
    }
    if (x > 50 && y > 50) continue;
    for (size_t k = 0; k < 3; ++k) kept.push_back(mesh.indices[3 * t + k]);
  }
  mesh.indices = kept;
  const uint32_t source = 10;  // (100, 0)
  const std::vector<double> out = from(mesh, source);
  const auto at = [](int c, int r) { return static_cast<size_t>(11 * r + c); };
  const auto bent = [](double x, double y) { return std::hypot(50, 50) + std::hypot(x - 50, y - 50); };
  CHECK_NEAR(out[at(0, 10)], bent(0, 100), 1e-4);
  CHECK_NEAR(out[at(2, 9)], bent(20, 90), 1e-4);
  CHECK_NEAR(out[at(0, 0)], 100, 1e-4);
  CHECK_NEAR(out[at(1, 4)], std::hypot(90, 40), 1e-4);
  CHECK(std::isinf(out[at(9, 9)]));
}

TEST(a_saddle_is_between_the_chord_and_ways_over_many_points_of_its_edges) {
  const TriangleMesh mesh = scene::grid(7, 6, [](double u, double v) {
    const double x = 2 * u - 1, y = 2 * v - 1;
    return Place{50 * x, 50 * y, 40 * (x * x - y * y) + 15 * std::sin(9 * x * y)};
  });
  double before = 0;
  for (const int parts : {4, 12, 36}) {
    double gap = 0;
    for (const uint32_t source : {9u, 28u}) {
      const std::vector<double> exact = from(mesh, source), chords = along_chords(mesh, source, parts);
      for (size_t i = 0; i < mesh.vertices(); ++i) {
        CHECK(exact[i] >= apart(mesh, source, i) - 1e-4);
        CHECK(exact[i] <= chords[i] + 1e-4);
        gap = std::max(gap, chords[i] - exact[i]);
      }
    }
    std::printf("  saddle of 100: ways over %d points of each edge are up to %.4f longer\n", parts, gap);
    // They come nearer with the points: what is left is theirs.
    if (before > 0) CHECK(gap < before / 3);
    before = gap;
  }
  CHECK(before < 0.15);
}

TEST(distances_are_the_same_both_ways) {
  const TriangleMesh mesh = scene::grid(12, 12, [](double u, double v) {
    return Place{100 * u, 100 * v, 25 * std::sin(7 * u) * std::cos(6 * v)};
  });
  Executor executor(2);
  std::vector<uint32_t> all(mesh.vertices());
  for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  std::vector<double> out;
  CHECK(geodesic_distances(view_of(mesh), all.data(), all.size(), executor, nullptr, &out).ok());
  const size_t n = mesh.vertices();
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < i; ++j) {
      CHECK_NEAR(out[i * n + j], out[j * n + i], 1e-6);
      // The triangle inequality, through one vertex.
      CHECK(out[i * n + j] <= out[i * n + 60] + out[60 * n + j] + 1e-6);
    }
  }
  CHECK(from(mesh, 17, 1) ==
        std::vector<double>(out.begin() + 17 * static_cast<long>(n), out.begin() + 18 * static_cast<long>(n)));
}

TEST(parts_that_hang_together_by_nothing_are_infinitely_far) {
  TriangleMesh mesh = plane(2, 2);
  const TriangleMesh other = plane(1, 1);
  const auto first = static_cast<uint32_t>(mesh.vertices());
  mesh.positions.insert(mesh.positions.end(), other.positions.begin(), other.positions.end());
  for (const uint32_t i : other.indices) mesh.indices.push_back(first + i);
  const std::vector<double> out = from(mesh, 0);
  CHECK(std::isfinite(out[8]));
  for (size_t i = first; i < out.size(); ++i) CHECK(std::isinf(out[i]));
}

TEST(bad_input_is_refused_and_degenerate_triangles_do_no_harm) {
  Executor executor(1);
  std::vector<double> out;
  const auto code = [&](const TriangleMesh& mesh, std::vector<uint32_t> sources) {
    return geodesic_distances(view_of(mesh), sources.data(), sources.size(), executor, nullptr, &out).code();
  };
  const TriangleMesh good = plane(3, 3);
  CHECK(code(good, {0, 15}) == Code::kOk);
  CHECK(code(good, {}) == Code::kInvalidArgument);
  CHECK(code(good, {16}) == Code::kInvalidArgument);
  TriangleMesh mesh = good;
  mesh.positions[0] = std::nanf("");
  CHECK(code(mesh, {0}) == Code::kInvalidArgument);
  mesh = good;
  mesh.indices[0] = 99;
  CHECK(code(mesh, {0}) == Code::kInvalidArgument);
  mesh.indices.clear();
  CHECK(code(mesh, {0}) == Code::kNoSurface);
  mesh = good;
  // A point, a line, two triangles more on one edge, one the wrong way around, all vertices at one place.
  mesh.indices.insert(mesh.indices.end(), {0, 0, 0, 1, 1, 2, 0, 1, 2, 0, 4, 9, 4, 0, 11});
  CHECK(code(mesh, {0}) == Code::kOk);
  for (const double d : out) CHECK(std::isfinite(d));
  mesh = good;
  std::fill(mesh.positions.begin(), mesh.positions.end(), 1.0f);
  CHECK(code(mesh, {0}) == Code::kOk);
  for (const double d : out) CHECK_EQ(d, 0.0);
}

TEST(cancelling_ends_it) {
  Executor executor(1);
  CancelToken token;
  token.cancel();
  std::vector<double> out;
  const uint32_t source = 0;
  CHECK(geodesic_distances(view_of(plane(3, 3)), &source, 1, executor, &token, &out).code() == Code::kAborted);
}

TEST_MAIN()
