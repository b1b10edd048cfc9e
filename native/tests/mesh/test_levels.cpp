// Levels of detail, cache order, normals, distances between surfaces.
#include <array>
#include <limits>

#include "mesh/distance.h"
#include "mesh/lod.h"
#include "mesh/normals.h"
#include "mesh/vertex_cache.h"
#include "tests/check.h"
#include "tests/mesh/shapes.h"

using namespace lineament;

namespace {

Result<std::vector<Level>> levels(const TriangleMesh& mesh, std::vector<size_t> triangles, size_t threads = 2) {
  Executor executor(threads);
  LevelsOptions options;
  options.triangles = std::move(triangles);
  return levels_of_detail(view_of(mesh), options, executor, nullptr);
}

MeshDistances between(const TriangleMesh& a, const TriangleMesh& b, size_t samples = 20000) {
  Executor executor(2);
  const Result<MeshDistances> found = compare_meshes(view_of(a), view_of(b), samples, executor, nullptr);
  CHECK(found.ok());
  return found.ok() ? found.value() : MeshDistances{};
}

// Triangles as sets of places, in an order of their own.
std::vector<std::array<float, 9>> triangles_of(const TriangleMesh& mesh) {
  std::vector<std::array<float, 9>> out;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    std::array<float, 9> best{};
    for (size_t first = 0; first < 3; ++first) {  // any corner may come first, not any order
      std::array<float, 9> one{};
      for (size_t k = 0; k < 3; ++k)
        for (size_t axis = 0; axis < 3; ++axis)
          one[3 * k + axis] = mesh.positions[3 * mesh.indices[3 * t + (first + k) % 3] + axis];
      if (first == 0 || one < best) best = one;
    }
    out.push_back(best);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<float> normals_of(const TriangleMesh& mesh) {
  Executor executor(2);
  Result<std::vector<float>> made = vertex_normals(view_of(mesh), executor, nullptr);
  CHECK(made.ok());
  return made.ok() ? made.value() : std::vector<float>(3 * mesh.vertices());
}

}  // namespace

TEST(levels_get_coarser_and_say_how_far_they_are) {
  const TriangleMesh mesh = shapes::plane(80, 0.2);
  const Result<std::vector<Level>> made = levels(mesh, {100000, 3000, 750, 180});
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK_EQ(made.value().size(), 4u);
  CHECK_EQ(made.value()[0].mesh.triangles(), mesh.triangles());
  CHECK_EQ(made.value()[0].error, 0.0);
  CHECK(triangles_of(made.value()[0].mesh) == triangles_of(mesh));
  size_t before = mesh.triangles() + 1;
  double error = -1;
  for (const Level& level : made.value()) {
    CHECK(check_mesh(level.mesh).ok());
    CHECK(level.mesh.triangles() < before);
    CHECK(level.rms >= error);
    before = level.mesh.triangles();
    error = level.rms;
    CHECK_EQ(shapes::topology_of(level.mesh).bad, 0u);
    CHECK_EQ(shapes::topology_of(level.mesh).euler, 1);
    std::vector<bool> used(level.mesh.vertices());
    for (const uint32_t v : level.mesh.indices) used[v] = true;
    CHECK(std::all_of(used.begin(), used.end(), [](bool u) { return u; }));
    for (size_t v = 0; v < level.sources.size(); ++v)
      for (size_t k = 0; k < 3; ++k)
        CHECK_EQ(level.mesh.positions[3 * v + k], mesh.positions[3 * level.sources[v] + k]);
    // The claim, against vertices of the original only: the nearest triangle is never farther than claimed.
    CHECK(between(mesh, level.mesh, 0).forth.most <= level.error * 1.0001 + 1e-6);
    const MeshDistances found = between(mesh, level.mesh);
    std::printf("    %zu triangles: claimed %.4f, Hausdorff %.4f, RMS %.4f mm, ACMR %.3f\n", level.mesh.triangles(),
                level.error, found.hausdorff(), found.forth.rms, level.cache_miss_ratio);
  }
}

TEST(any_number_of_threads_gives_the_same_levels) {
  const TriangleMesh mesh = shapes::torus(40, 12, 120, 60);
  const Result<std::vector<Level>> a = levels(mesh, {14400, 4000, 900, 200}, 1);
  for (const size_t threads : {2u, 3u, 8u}) {
    const Result<std::vector<Level>> b = levels(mesh, {14400, 4000, 900, 200}, threads);
    CHECK(a.ok() && b.ok());
    if (!a.ok() || !b.ok()) return;
    for (size_t i = 0; i < 4; ++i) {
      CHECK(a.value()[i].mesh.indices == b.value()[i].mesh.indices);
      CHECK(a.value()[i].mesh.positions == b.value()[i].mesh.positions);
      CHECK_EQ(a.value()[i].error, b.value()[i].error);
      CHECK_EQ(a.value()[i].rms, b.value()[i].rms);
    }
  }
}

TEST(levels_that_cannot_be_are_refused) {
  const TriangleMesh mesh = shapes::plane(5, 0);
  const auto code = [&](std::vector<size_t> wanted) { return levels(mesh, std::move(wanted)).status().code(); };
  CHECK(code({}) == Code::kInvalidArgument);
  CHECK(code({10, 0}) == Code::kInvalidArgument);
  CHECK(code({10, 20}) == Code::kInvalidArgument);
  CHECK(code(std::vector<size_t>(17, 5)) == Code::kInvalidArgument);
  CHECK(levels({}, {5}).status().code() == Code::kNoSurface);
  Executor executor(2);
  CancelToken token;
  token.cancel();
  LevelsOptions options;
  options.triangles = {10, 5};
  CHECK(levels_of_detail(view_of(mesh), options, executor, &token).status().code() == Code::kAborted);
  TriangleMesh broken = mesh;
  broken.indices[0] = 25;
  CHECK(levels(broken, {5}).status().code() == Code::kInvalidArgument);
}

TEST(cache_order_keeps_the_triangles_and_is_never_worse) {
  TriangleMesh shuffled = shapes::plane(60, 0.3);
  std::vector<size_t> order(shuffled.triangles());
  for (size_t t = 0; t < order.size(); ++t) order[t] = t;
  std::mt19937 random(5);
  std::shuffle(order.begin(), order.end(), random);
  const std::vector<uint32_t> indices = shuffled.indices;
  for (size_t t = 0; t < order.size(); ++t) std::copy_n(&indices[3 * order[t]], 3, &shuffled.indices[3 * t]);
  for (const TriangleMesh& mesh : {shuffled, shapes::plane(60, 0.3), shapes::sphere(50, 12), shapes::plane(2, 0)}) {
    const Result<OptimisedMesh> made = optimise(view_of(mesh));
    CHECK(made.ok());
    if (!made.ok()) return;
    CHECK(made.value().after <= made.value().before);
    CHECK_NEAR(made.value().after,
               cache_miss_ratio(made.value().mesh.indices.data(), mesh.triangles(), made.value().mesh.vertices()),
               1e-12);
    CHECK(triangles_of(made.value().mesh) == triangles_of(mesh));
    std::printf("    %zu triangles: ACMR %.3f, was %.3f\n", mesh.triangles(), made.value().after, made.value().before);
    if (mesh.triangles() > 1000) CHECK(made.value().after < 0.85);
    // An optimised mesh is not made worse either.
    const Result<OptimisedMesh> again = optimise(view_of(made.value().mesh));
    CHECK(again.ok());
    if (again.ok()) CHECK(again.value().after <= made.value().after);
  }
}

TEST(the_miss_ratio_counts_what_enters_the_cache) {
  const std::vector<uint32_t> strip = {0, 1, 2, 2, 1, 3, 2, 3, 4};
  CHECK_NEAR(cache_miss_ratio(strip.data(), 3, 5), 5.0 / 3, 1e-12);
  std::vector<uint32_t> apart;
  for (uint32_t round = 0; round < 2; ++round)
    for (uint32_t v = 0; v < 18; ++v) apart.push_back(v);  // 18 vertices do not fit a cache of 16
  CHECK_NEAR(cache_miss_ratio(apart.data(), 12, 18), 3.0, 1e-12);
  CHECK_EQ(cache_miss_ratio(nullptr, 0, 0), 0.0);
}

TEST(normals_of_a_sphere_point_outwards) {
  const TriangleMesh mesh = shapes::sphere(50, 16);
  const std::vector<float> normals = normals_of(mesh);
  double worst = 1;
  for (size_t v = 0; v < mesh.vertices(); ++v)
    worst = std::min(worst, dot(vec3_at(normals.data(), v), vec3_at(mesh.positions.data(), v)) / 50.0);
  CHECK(worst > 0.999);
}

TEST(angles_weigh_the_sides_of_a_cube_alike) {
  // Two triangles on two sides, one on the third: by angle each side counts the same at the corner.
  TriangleMesh mesh;
  for (const auto& p : {std::array<double, 3>{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 0}, {9, 9, 9}})
    shapes::add_vertex(&mesh, p[0], p[1], p[2]);
  shapes::add_triangle(&mesh, 0, 4, 1);
  shapes::add_triangle(&mesh, 0, 2, 4);
  shapes::add_triangle(&mesh, 0, 1, 3);
  shapes::add_triangle(&mesh, 0, 3, 2);
  shapes::add_triangle(&mesh, 5, 5, 5);
  const std::vector<float> normals = normals_of(mesh);
  for (size_t k = 0; k < 3; ++k) CHECK_NEAR(normals[k], -1 / std::sqrt(3.0), 1e-6);
  for (size_t k = 15; k < 18; ++k) CHECK_EQ(normals[k], 0.0F);
}

TEST(normals_meet_at_seams) {
  TriangleMesh mesh = shapes::grid(41, 5, false, false, [](double u, double v) {
    const double a = 2 * std::numbers::pi * (u >= 1 ? 0 : u);
    return shapes::vec(30 * std::cos(a), 30 * std::sin(a), 50 * v);
  });
  const std::vector<float> normals = normals_of(mesh);
  for (size_t row = 0; row < 5; ++row)
    for (size_t k = 0; k < 3; ++k) CHECK_EQ(normals[3 * (41 * row) + k], normals[3 * (41 * row + 40) + k]);
}

TEST(distances_are_those_of_the_surfaces) {
  const TriangleMesh one = shapes::plane(20, 0);
  TriangleMesh two = shapes::plane(7, 0);
  for (size_t v = 0; v < two.vertices(); ++v) two.positions[3 * v + 2] += 3;
  MeshDistances found = between(one, two);
  CHECK_NEAR(found.hausdorff(), 3, 1e-4);
  CHECK_NEAR(found.forth.rms, 3, 1e-4);
  CHECK_NEAR(found.forth.mean, 3, 1e-4);
  // Half of a plane: 50 mm from the other half's far edge, and nothing the other way.
  TriangleMesh half = one;
  half.indices.clear();
  for (size_t t = 0; t < one.triangles(); ++t)
    if (one.positions[3 * one.indices[3 * t]] < -0.01)
      half.indices.insert(half.indices.end(), &one.indices[3 * t], &one.indices[3 * t] + 3);
  found = between(one, half);
  CHECK(found.forth.most > 45 && found.forth.most < 53);
  CHECK(found.back.most < 1e-4);
  // Spheres of 50 and 51 mm.
  found = between(shapes::sphere(50, 40), shapes::sphere(51, 40));
  CHECK_NEAR(found.forth.rms, 1, 0.02);
  CHECK_NEAR(found.hausdorff(), 1, 0.05);
}

TEST(the_tree_finds_what_looking_everywhere_finds) {
  std::mt19937 random(9);
  std::uniform_real_distribution<float> at(-10, 10);
  TriangleMesh mesh;
  for (int i = 0; i < 900; ++i) mesh.positions.push_back(at(random));
  for (uint32_t i = 0; i < 300; ++i) mesh.indices.push_back(i);
  Executor executor(1);
  const MeshView view = view_of(mesh);
  const TriangleTree tree(view);
  for (int i = 0; i < 300; ++i) {
    const Vec3 p{at(random), at(random), at(random)};
    float best = std::numeric_limits<float>::infinity();
    for (size_t t = 0; t < mesh.triangles(); ++t) {
      // By brute force: on a fine grid of places of the triangle.
      const auto c = [&](size_t k) { return vec3_at(mesh.positions.data(), 3 * t + k); };
      for (int u = 0; u <= 40; ++u) {
        for (int v = 0; u + v <= 40; ++v) {
          const Vec3 q = c(0) + static_cast<float>(u) / 40 * (c(1) - c(0)) + static_cast<float>(v) / 40 * (c(2) - c(0));
          best = std::min(best, dot(p - q, p - q));
        }
      }
    }
    const float found = std::sqrt(tree.nearest(p, 0).squared);
    CHECK(found <= std::sqrt(best) + 1e-4F);
    CHECK(found >= std::sqrt(best) - 0.5F);
  }
}

TEST(comparing_nothing_is_refused) {
  Executor executor(1);
  const TriangleMesh mesh = shapes::plane(3, 0), nothing;
  const auto code = [&](const TriangleMesh& a, const TriangleMesh& b, size_t samples) {
    return compare_meshes(view_of(a), view_of(b), samples, executor, nullptr).status().code();
  };
  CHECK(code(mesh, nothing, 10) == Code::kNoSurface);
  CHECK(code(nothing, mesh, 10) == Code::kNoSurface);
  CHECK(code(mesh, mesh, kMostSamples + 1) == Code::kInvalidArgument);
  CHECK(code(mesh, mesh, 0) == Code::kOk);
}

TEST_MAIN()
