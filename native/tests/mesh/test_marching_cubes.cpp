#include "mesh/marching_cubes.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <utility>

#include "tests/check.h"
#include "tests/mesh/surfaces.h"

using namespace lineament;
using surfaces::CubeField;

namespace {

TriangleMesh march_field(const BlockField& field, const GridFrame& frame, size_t threads = 2) {
  Executor executor(threads);
  TriangleMesh mesh;
  CHECK(march(field, frame, executor, nullptr, &mesh).ok());
  return mesh;
}

// Samples of a distance, `side` blocks wide, around the origin.
TriangleMesh march_distance(const surfaces::Distance& distance, int side, double spacing, size_t threads = 2) {
  GridFrame frame;
  frame.spacing = spacing;
  frame.origin.fill(-spacing * (side * 8 - 1) / 2);
  const double low = frame.origin[0];
  return march_field(
      CubeField(side,
                [&](int x, int y, int z) {
                  return static_cast<float>(distance(low + x * spacing, low + y * spacing, low + z * spacing));
                }),
      frame, threads);
}

// The corners that an edge of a cell joins.
std::pair<int, int> ends(int edge) { return {edge % 8, edge % 8 | 1 << edge / 8}; }

bool in_one_face(int a, int b) {
  const auto [a0, a1] = ends(a);
  const auto [b0, b1] = ends(b);
  for (int axis = 0; axis < 3; ++axis) {
    const int bit = 1 << axis;
    if ((a0 & bit) == (a1 & bit) && (b0 & bit) == (b1 & bit) && (a0 & bit) == (b0 & bit)) return true;
  }
  return false;
}

}  // namespace

TEST(every_case_uses_the_crossed_edges_and_no_diagonal_lies_in_a_face) {
  for (int inside = 0; inside < 256; ++inside) {
    const MarchCase& cut = march_case(static_cast<uint8_t>(inside));
    std::map<std::pair<int, int>, int> sides;
    std::array<bool, kCellEdges> used{};
    for (int t = 0; t < cut.triangles; ++t) {
      for (int k = 0; k < 3; ++k) {
        const int a = cut.edges[static_cast<size_t>(3 * t + k)],
                  b = cut.edges[static_cast<size_t>(3 * t + (k + 1) % 3)];
        used[static_cast<size_t>(a)] = true;
        ++sides[{a, b}];
      }
    }
    for (int corner = 0; corner < 8; ++corner) {
      for (int axis = 0; axis < 3; ++axis) {
        if ((corner >> axis & 1) != 0) continue;
        const bool crossed = (inside >> corner & 1) != (inside >> (corner | 1 << axis) & 1);
        CHECK_EQ(used[static_cast<size_t>(axis * 8 + corner)], crossed);
      }
    }
    for (const auto& [side, count] : sides) {
      CHECK_EQ(count, 1);
      // A diagonal has a triangle on both sides; what has one is a line in a face.
      const bool diagonal = sides.count({side.second, side.first}) > 0;
      CHECK_EQ(diagonal, !in_one_face(side.first, side.second));
    }
  }
}

TEST(a_sphere_is_closed_and_near) {
  const auto distance = surfaces::sphere(40);
  const TriangleMesh mesh = march_distance(distance, 6, 2);
  const MeshReport report = surfaces::inspect(mesh);
  CHECK(report.watertight);
  CHECK(report.oriented);
  CHECK_EQ(report.euler, 2);
  CHECK_EQ(report.components, size_t{1});
  CHECK_EQ(report.non_manifold_vertices, size_t{0});
  CHECK_EQ(report.degenerate_triangles, size_t{0});
  CHECK_EQ(report.unused_vertices, size_t{0});
  // Linear between samples 2 mm apart on a curve of radius 40 mm: at most h² / (8 r) = 0.0125 mm.
  CHECK(surfaces::rms(mesh, distance) < 0.008);
  CHECK(surfaces::farthest(mesh, distance) < 0.0130);
  CHECK_NEAR(report.volume, 4.0 / 3 * 3.14159265 * 64000, 0.004 * report.volume);
  for (size_t i = 0; i < mesh.vertices(); ++i) {
    double dot = 0;
    for (size_t k = 0; k < 3; ++k) dot += static_cast<double>(mesh.normals[3 * i + k] * mesh.positions[3 * i + k]) / 40;
    CHECK(dot > 0.9995);
  }
}

TEST(a_torus_has_a_hole) {
  const auto distance = surfaces::torus(40, 15);
  const TriangleMesh mesh = march_distance(distance, 8, 2);
  const MeshReport report = surfaces::inspect(mesh);
  CHECK(report.watertight);
  CHECK(report.oriented);
  CHECK_EQ(report.euler, 0);
  CHECK_EQ(report.components, size_t{1});
  CHECK_EQ(report.non_manifold_vertices, size_t{0});
  CHECK(surfaces::rms(mesh, distance) < 0.018);
  CHECK(surfaces::farthest(mesh, distance) < 0.035);
}

// Noise meets every case of cells beside every other.
TEST(noise_is_closed_and_manifold) {
  for (unsigned seed = 1; seed <= 3; ++seed) {
    std::mt19937 random(seed);
    std::vector<float> values(32 * 32 * 32);
    for (float& value : values) {
      const unsigned r = random();
      value = r % 7 == 0 ? 0.0f : static_cast<float>(r / 4294967296.0 - 0.5);
    }
    // Outside all around, so that nothing ends at the sides.
    const CubeField field(4, [&](int x, int y, int z) {
      const bool rim = x == 0 || y == 0 || z == 0 || x == 31 || y == 31 || z == 31;
      return rim ? 1.0f : values[static_cast<size_t>((z * 32 + y) * 32 + x)];
    });
    const TriangleMesh mesh = march_field(field, {});
    const MeshReport report = surfaces::inspect(mesh);
    CHECK(report.triangles > 50000);
    CHECK(report.watertight);
    CHECK(report.oriented);
    CHECK_EQ(report.edges.non_manifold, size_t{0});
    CHECK_EQ(report.non_manifold_vertices, size_t{0});
    CHECK_EQ(report.degenerate_triangles, size_t{0});
    CHECK_EQ(report.duplicate_triangles, size_t{0});
    CHECK(report.volume > 0);
  }
}

TEST(unknown_samples_leave_a_border) {
  const auto distance = surfaces::sphere(20);
  const TriangleMesh mesh =
      march_distance([&](double x, double y,
                         double z) { return x > 10 ? std::numeric_limits<double>::quiet_NaN() : distance(x, y, z); },
                     4, 2);
  const MeshReport report = surfaces::inspect(mesh);
  CHECK(!report.watertight);
  CHECK(report.oriented);
  CHECK_EQ(report.border_loops, size_t{1});
  CHECK_EQ(report.euler, 1);
  CHECK_EQ(report.unused_vertices, size_t{0});
  CHECK(surfaces::rms(mesh, distance) < 0.02);
  for (const float normal : mesh.normals) CHECK(std::isfinite(normal));
}

TEST(a_constant_field_has_no_surface) {
  for (const float value : {-1.0f, 0.0f, 1.0f, std::numeric_limits<float>::quiet_NaN()}) {
    const TriangleMesh mesh = march_field(CubeField(2, [=](int, int, int) { return value; }), {});
    CHECK_EQ(mesh.vertices(), size_t{0});
    CHECK_EQ(mesh.triangles(), size_t{0});
  }
}

TEST(any_number_of_threads_gives_the_same_bytes) {
  const auto distance = surfaces::torus(30, 12);
  const TriangleMesh one = march_distance(distance, 6, 2, 1), many = march_distance(distance, 6, 2, 5);
  CHECK(one.positions == many.positions);
  CHECK(one.normals == many.normals);
  CHECK(one.indices == many.indices);
}

TEST(a_cancelled_token_stops_it) {
  Executor executor(2);
  CancelToken token;
  token.cancel();
  TriangleMesh mesh;
  const Status done = march(CubeField(2, [](int x, int, int) { return x - 3.5f; }), {}, executor, &token, &mesh);
  CHECK(done.code() == Code::kAborted);
}

TEST_MAIN()
