#include "mesh/topology.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "mesh/repair.h"
#include "tests/check.h"
#include "tests/mesh/surfaces.h"

using namespace lineament;
using surfaces::inspect;

namespace {

TriangleMesh tetrahedron() {
  TriangleMesh mesh;
  mesh.positions = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1};
  mesh.indices = {0, 2, 1, 0, 1, 3, 1, 2, 3, 2, 0, 3};
  return mesh;
}

void append(TriangleMesh* to, const TriangleMesh& from, float shift) {
  const auto first = static_cast<uint32_t>(to->vertices());
  for (size_t i = 0; i < from.positions.size(); ++i)
    to->positions.push_back(from.positions[i] + (i % 3 == 0 ? shift : 0));
  for (const uint32_t index : from.indices) to->indices.push_back(first + index);
}

// A square of n × n quads in the plane z = 0, facing −z.
TriangleMesh square(uint32_t n) {
  TriangleMesh mesh;
  for (uint32_t y = 0; y <= n; ++y) {
    for (uint32_t x = 0; x <= n; ++x) {
      for (const float at : {static_cast<float>(x), static_cast<float>(y), 0.0f}) mesh.positions.push_back(at);
    }
  }
  for (uint32_t y = 0; y < n; ++y) {
    for (uint32_t x = 0; x < n; ++x) {
      const uint32_t a = y * (n + 1) + x, b = a + 1, c = a + n + 1, d = c + 1;
      for (const uint32_t v : {a, c, b, b, c, d}) mesh.indices.push_back(v);
    }
  }
  return mesh;
}

CleanReport clean(TriangleMesh* mesh, const CleanOptions& options = {}) {
  CleanReport report;
  CHECK(clean_mesh(options, nullptr, mesh, &report).ok());
  CHECK(check_mesh(*mesh).ok());
  return report;
}

}  // namespace

TEST(a_tetrahedron) {
  const MeshReport report = inspect(tetrahedron());
  CHECK_EQ(report.vertices, size_t{4});
  CHECK_EQ(report.triangles, size_t{4});
  CHECK_EQ(report.edges.edges, size_t{6});
  CHECK_EQ(report.edges.border, size_t{0});
  CHECK_EQ(report.components, size_t{1});
  CHECK(report.watertight);
  CHECK(report.oriented);
  CHECK_EQ(report.euler, 2);
  CHECK_NEAR(report.volume, 1.0 / 6, 1e-7);
  CHECK_NEAR(report.area, 1.5 + std::sqrt(3.0) / 2, 1e-7);
  TriangleMesh inward = tetrahedron();
  std::reverse(inward.indices.begin(), inward.indices.end());
  CHECK_NEAR(inspect(inward).volume, -1.0 / 6, 1e-7);
}

TEST(a_round_mesh_far_away_has_the_volume_of_a_ball) {
  TriangleMesh mesh = surfaces::round_mesh(100, 6);
  for (size_t i = 0; i < mesh.vertices(); ++i) mesh.positions[3 * i + 2] += 5000;
  const MeshReport report = inspect(mesh);
  CHECK_EQ(report.triangles, size_t{32768});
  CHECK(report.watertight);
  CHECK_EQ(report.euler, 2);
  CHECK_NEAR(report.volume / (4.0 / 3 * 3.14159265358979 * 1e6), 1, 2e-3);
  CHECK_NEAR(report.area / (4 * 3.14159265358979 * 1e4), 1, 1e-3);
}

TEST(a_square_has_a_border) {
  const MeshReport report = inspect(square(10));
  CHECK_EQ(report.edges.border, size_t{40});
  CHECK_EQ(report.border_loops, size_t{1});
  CHECK(!report.watertight);
  CHECK(report.oriented);
  CHECK_EQ(report.euler, 1);
  CHECK_NEAR(report.area, 100, 1e-6);
  CHECK_EQ(report.volume, 0.0);
  // Two quads that touch in a corner taken out of the middle: one border around both, in two loops, and a pinch.
  TriangleMesh holes = square(10);
  const auto drop = [&](uint32_t x, uint32_t y) {
    const size_t at = 6 * (y * 10 + x);
    std::fill(holes.indices.begin() + static_cast<std::ptrdiff_t>(at),
              holes.indices.begin() + static_cast<std::ptrdiff_t>(at + 6), 0xffffu);
  };
  drop(4, 4);
  drop(5, 5);
  holes.indices.erase(std::remove(holes.indices.begin(), holes.indices.end(), 0xffffu), holes.indices.end());
  const MeshReport pinched = inspect(holes);
  CHECK_EQ(pinched.edges.border, size_t{48});
  CHECK_EQ(pinched.non_manifold_vertices, size_t{1});
  CHECK(pinched.border_loops == 2 || pinched.border_loops == 3);
}

TEST(what_is_wrong_is_counted) {
  TriangleMesh mesh = tetrahedron();
  append(&mesh, tetrahedron(), 5);
  CHECK_EQ(inspect(mesh).components, size_t{2});
  CHECK_EQ(inspect(mesh).euler, 4);
  // One corner in common: still two components, and a pinch.
  TriangleMesh touching = mesh;
  for (uint32_t& index : touching.indices) index = index == 4 ? 1 : index;
  const MeshReport pinch = inspect(touching);
  CHECK_EQ(pinch.components, size_t{2});
  CHECK_EQ(pinch.non_manifold_vertices, size_t{1});
  CHECK_EQ(pinch.unused_vertices, size_t{1});
  // A third triangle at an edge.
  TriangleMesh fin = tetrahedron();
  for (const float at : {0.5f, -1.0f, -1.0f}) fin.positions.push_back(at);
  for (const uint32_t index : {0u, 1u, 4u}) fin.indices.push_back(index);
  const MeshReport three = inspect(fin);
  CHECK_EQ(three.edges.non_manifold, size_t{1});
  CHECK_EQ(three.edges.border, size_t{2});
  CHECK(!three.watertight);
  CHECK(!three.oriented);
  // One triangle turned round.
  TriangleMesh turned = tetrahedron();
  std::swap(turned.indices[1], turned.indices[2]);
  const MeshReport round = inspect(turned);
  CHECK_EQ(round.edges.inconsistent, size_t{3});
  CHECK(round.watertight);
  CHECK(!round.oriented);
  CHECK_EQ(round.volume, 0.0);
  // No area, a corner twice, the same corners again.
  TriangleMesh flat = tetrahedron();
  for (const float at : {2.0f, 0.0f, 0.0f, 3.0f, 0.0f, 0.0f}) flat.positions.push_back(at);
  for (const uint32_t index : {0u, 4u, 5u, 2u, 2u, 3u, 3u, 2u, 1u}) flat.indices.push_back(index);
  const MeshReport bad = inspect(flat);
  CHECK_EQ(bad.degenerate_triangles, size_t{2});
  CHECK_EQ(bad.duplicate_triangles, size_t{1});
  CHECK_EQ(inspect(TriangleMesh{}).triangles, size_t{0});
  CHECK(!inspect(TriangleMesh{}).watertight);
}

TEST(a_fan_of_many_triangles_takes_no_longer) {
  // All triangles at one vertex: what sorts each vertex's edges must not take the square.
  TriangleMesh fan;
  const uint32_t n = 200000;
  for (uint32_t i = 0; i <= n; ++i) {
    const double a = 6.283185307179586 * i / n;
    const float ring[3] = {static_cast<float>(1000 * std::cos(a)), static_cast<float>(1000 * std::sin(a)), 0};
    for (const float at : ring) fan.positions.push_back(i == 0 ? 0 : at);
  }
  for (uint32_t i = 1; i <= n; ++i) {
    for (const uint32_t v : {0u, i, i == n ? 1u : i + 1}) fan.indices.push_back(v);
  }
  const MeshReport report = inspect(fan);
  CHECK_EQ(report.edges.border, size_t{n});
  CHECK_EQ(report.border_loops, size_t{1});
  CHECK_EQ(report.non_manifold_vertices, size_t{0});
  CHECK_EQ(report.euler, 1);
}

TEST(cleaning_takes_out_what_is_no_surface) {
  TriangleMesh mesh = surfaces::round_mesh(50, 4);
  const size_t whole = mesh.triangles();
  mesh.colours.assign(mesh.positions.size(), 7);
  append(&mesh, tetrahedron(), 200);
  mesh.colours.resize(mesh.positions.size(), 9);
  for (const uint32_t index : {5u, 5u, 6u, mesh.indices[2], mesh.indices[0], mesh.indices[1]})
    mesh.indices.push_back(index);
  CleanOptions options;
  options.min_triangles = 5;
  const CleanReport report = clean(&mesh, options);
  CHECK_EQ(report.degenerate, size_t{1});
  CHECK_EQ(report.duplicate, size_t{1});
  CHECK_EQ(report.small_pieces, size_t{1});
  CHECK_EQ(report.small_triangles, size_t{4});
  CHECK_EQ(report.unused_vertices, size_t{4});
  CHECK_EQ(report.flipped, size_t{0});
  CHECK_EQ(mesh.triangles(), whole);
  CHECK(std::all_of(mesh.colours.begin(), mesh.colours.end(), [](uint8_t c) { return c == 7; }));
  CHECK(inspect(mesh).watertight);
  TriangleMesh two = surfaces::round_mesh(50, 3);
  append(&two, surfaces::round_mesh(10, 3), 200);
  CleanOptions share;
  share.min_area_share = 0.1;
  CHECK_EQ(clean(&two, share).small_pieces, size_t{1});
  CHECK_EQ(inspect(two).components, size_t{1});
}

TEST(cleaning_turns_triangles_the_same_way) {
  TriangleMesh mesh = surfaces::round_mesh(50, 4);
  const double volume = inspect(mesh).volume;
  for (size_t t = 0; t < mesh.triangles(); t += 3) std::swap(mesh.indices[3 * t], mesh.indices[3 * t + 1]);
  CHECK(!inspect(mesh).oriented);
  const CleanReport report = clean(&mesh);
  CHECK_EQ(report.flipped, (mesh.triangles() + 2) / 3);
  CHECK(inspect(mesh).oriented);
  CHECK_NEAR(inspect(mesh).volume, volume, 1e-6 * volume);
  // Inside out, and far from the origin.
  std::reverse(mesh.indices.begin(), mesh.indices.end());
  for (size_t i = 0; i < mesh.vertices(); ++i) mesh.positions[3 * i] += 1000;
  CHECK(inspect(mesh).volume < 0);
  CHECK_EQ(clean(&mesh).flipped, mesh.triangles());
  CHECK(inspect(mesh).volume > 0);
  // An open surface keeps the side that most of it shows.
  TriangleMesh open = square(6);
  std::swap(open.indices[0], open.indices[1]);
  CHECK_EQ(clean(&open).flipped, size_t{1});
  double twice[3];
  area_vector(open, 0, twice);
  CHECK(twice[2] < 0);
}

TEST(a_moebius_strip_has_one_side) {
  TriangleMesh strip;
  const uint32_t n = 40;
  for (uint32_t i = 0; i < n; ++i) {
    const double a = 6.283185307179586 * i / n;
    for (const double w : {-5.0, 5.0}) {
      const double r = 50 + w * std::cos(a / 2);
      for (const double at : {r * std::cos(a), r * std::sin(a), w * std::sin(a / 2)})
        strip.positions.push_back(static_cast<float>(at));
    }
  }
  for (uint32_t i = 0; i < n; ++i) {
    const uint32_t a = 2 * i, b = a + 1;
    const uint32_t c = i + 1 < n ? a + 2 : 1, d = i + 1 < n ? a + 3 : 0;
    for (const uint32_t v : {a, c, b, b, c, d}) strip.indices.push_back(v);
  }
  CleanOptions whole;
  whole.split = false;
  TriangleMesh kept = strip;
  clean(&kept, whole);
  const MeshReport one_sided = inspect(kept);
  CHECK_EQ(one_sided.components, size_t{1});
  CHECK_EQ(one_sided.edges.inconsistent, size_t{1});
  CHECK_EQ(one_sided.euler, 0);
  // Parted along that line it is a ribbon.
  clean(&strip);
  const MeshReport ribbon = inspect(strip);
  CHECK(ribbon.oriented);
  CHECK_EQ(ribbon.euler, 1);
  CHECK_EQ(ribbon.border_loops, size_t{1});
}

TEST(cleaning_parts_what_pinches) {
  TriangleMesh fin = tetrahedron();
  fin.normals.assign(12, 0.5f);
  for (const float at : {0.5f, -1.0f, -1.0f}) fin.positions.push_back(at);
  fin.normals.resize(15, 0.25f);
  for (const uint32_t index : {0u, 1u, 4u}) fin.indices.push_back(index);
  const CleanReport report = clean(&fin);
  CHECK(report.split_vertices > 0);
  CHECK_EQ(fin.normals.size(), fin.positions.size());
  const MeshReport after = inspect(fin);
  CHECK_EQ(after.edges.non_manifold, size_t{0});
  CHECK_EQ(after.non_manifold_vertices, size_t{0});
  CHECK_EQ(after.triangles, size_t{5});
}

TEST(normals_look_out) {
  TriangleMesh mesh = surfaces::round_mesh(30, 4);
  compute_normals(&mesh);
  for (size_t i = 0; i < mesh.vertices(); ++i) {
    double dot = 0, length = 0;
    for (size_t k = 0; k < 3; ++k) {
      dot += static_cast<double>(mesh.normals[3 * i + k] * mesh.positions[3 * i + k]) / 30;
      length += static_cast<double>(mesh.normals[3 * i + k] * mesh.normals[3 * i + k]);
    }
    CHECK(dot > 0.999);
    CHECK_NEAR(length, 1, 1e-5);
  }
}

TEST(a_cancelled_token_stops_it) {
  CancelToken token;
  token.cancel();
  MeshReport report;
  CHECK(inspect_mesh(tetrahedron(), &token, &report).code() == Code::kAborted);
  TriangleMesh mesh = tetrahedron();
  CleanReport cleaned;
  CHECK(clean_mesh({}, &token, &mesh, &cleaned).code() == Code::kAborted);
}

TEST_MAIN()
