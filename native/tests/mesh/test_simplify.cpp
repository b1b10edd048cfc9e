// Simplification: what it promises, measured by a sampler that knows nothing of how the surface was made.
#include "mesh/simplify.h"

#include <limits>

#include "mesh/distance.h"
#include "tests/check.h"
#include "tests/mesh/shapes.h"

using namespace lineament;

namespace {

Result<SimplifiedMesh> reduced(const TriangleMesh& mesh, const SimplifyOptions& options, size_t threads = 2) {
  Executor executor(threads);
  return simplify(view_of(mesh), options, executor, nullptr);
}
SimplifyOptions to_triangles(size_t triangles) {
  SimplifyOptions options;
  options.triangles = triangles;
  return options;
}
SimplifyOptions to_error(double error) {
  SimplifyOptions options;
  options.error = error;
  return options;
}

MeshDistances between(const TriangleMesh& a, const TriangleMesh& b) {
  Executor executor(2);
  const Result<MeshDistances> found = compare_meshes(view_of(a), view_of(b), 20000, executor, nullptr);
  CHECK(found.ok());
  return found.ok() ? found.value() : MeshDistances{};
}

// A closed or open surface stays what it is: its topology, its sides, vertices of the original only.
void check_surface(const TriangleMesh& before, const SimplifiedMesh& after,
                   const std::function<Vec3(Vec3)>& outward = nullptr) {
  CHECK(check_mesh(after.mesh).ok());
  const shapes::Topology was = shapes::topology_of(before), is = shapes::topology_of(after.mesh);
  CHECK_EQ(is.bad, 0u);
  CHECK_EQ(is.degenerate, 0u);
  CHECK_EQ(is.euler, was.euler);
  CHECK_EQ(is.border > 0, was.border > 0);
  if (outward) CHECK_EQ(shapes::turned_over(after.mesh, outward), 0u);
  CHECK_EQ(after.sources.size(), after.mesh.vertices());
  for (size_t v = 0; v < after.sources.size(); ++v)
    for (size_t k = 0; k < 3; ++k)
      CHECK_EQ(after.mesh.positions[3 * v + k], before.positions[3 * after.sources[v] + k]);
}

}  // namespace

TEST(a_sphere_keeps_its_shape) {
  const TriangleMesh mesh = shapes::sphere(50, 24);  // 6912 triangles
  for (const size_t target : {3000u, 800u, 200u}) {
    const Result<SimplifiedMesh> made = reduced(mesh, to_triangles(target));
    CHECK(made.ok());
    if (!made.ok()) return;
    CHECK(made.value().mesh.triangles() <= target && made.value().mesh.triangles() + 1 >= target);
    check_surface(mesh, made.value(), [](Vec3 p) { return p; });
    const MeshDistances found = between(mesh, made.value().mesh);
    // Triangles with equal sides e = √(4A/√3n) lie e²/6r below the sphere; these are longer one way than the other.
    const double sagitta = 16 * std::numbers::pi * 50 / std::sqrt(3.0) / static_cast<double>(target) / 6;
    std::printf("    sphere %zu: claimed %.4f, Hausdorff %.4f, RMS %.4f, bound %.4f mm\n", target, made.value().error,
                found.hausdorff(), found.forth.rms, sagitta);
    CHECK(found.hausdorff() < 5 * sagitta);
    CHECK(found.forth.rms < 1.5 * sagitta);
    CHECK(found.hausdorff() < 1.25 * made.value().error + 1e-4);
  }
}

TEST(a_torus_keeps_its_hole) {
  const TriangleMesh mesh = shapes::torus(40, 12, 120, 48);
  const Result<SimplifiedMesh> made = reduced(mesh, to_triangles(600));
  CHECK(made.ok());
  if (!made.ok()) return;
  check_surface(mesh, made.value(), [](Vec3 p) {
    const float ring = std::hypot(p.x, p.y);
    return p - 40 / ring * Vec3{p.x, p.y, 0};
  });
  CHECK_EQ(shapes::topology_of(made.value().mesh).euler, 0);
  const MeshDistances found = between(mesh, made.value().mesh);
  std::printf("    torus: claimed %.4f, Hausdorff %.4f, RMS %.4f mm\n", made.value().error, found.hausdorff(),
              found.forth.rms);
  CHECK(found.forth.rms < 0.4);
  CHECK(found.hausdorff() < 1.6);
}

TEST(a_flat_plane_becomes_two_triangles_or_nearly) {
  const TriangleMesh mesh = shapes::plane(60, 0);
  const Result<SimplifiedMesh> made = reduced(mesh, to_error(0.001));
  CHECK(made.ok());
  if (!made.ok()) return;
  check_surface(mesh, made.value(), [](Vec3) { return Vec3{0, 0, -1}; });
  CHECK(made.value().mesh.triangles() <= 16);
  CHECK(between(mesh, made.value().mesh).hausdorff() < 0.001);
}

TEST(the_error_asked_for_holds) {
  struct Case {
    const char* name;
    TriangleMesh mesh;
    double error;
  };
  const Case cases[] = {
      {"sphere", shapes::sphere(50, 20), 0.3},        {"sphere", shapes::sphere(50, 20), 1.0},
      {"torus", shapes::torus(40, 12, 100, 40), 0.4}, {"torus", shapes::torus(40, 12, 100, 40), 1.0},
      {"noise 0.3", shapes::plane(60, 0.3), 0.5},     {"noise 0.3", shapes::plane(60, 0.3), 1.5},
      {"noise 1", shapes::plane(60, 1, 7), 2.0},
  };
  for (const Case& one : cases) {
    const Result<SimplifiedMesh> made = reduced(one.mesh, to_error(one.error));
    CHECK(made.ok());
    if (!made.ok()) return;
    check_surface(one.mesh, made.value());
    const MeshDistances found = between(one.mesh, made.value().mesh);
    std::printf("    %s within %.2f mm: %zu of %zu triangles, claimed %.4f, Hausdorff %.4f mm\n", one.name, one.error,
                made.value().mesh.triangles(), one.mesh.triangles(), made.value().error, found.hausdorff());
    CHECK(made.value().error <= one.error);
    CHECK(found.hausdorff() <= one.error);
    CHECK(made.value().mesh.triangles() < 3 * one.mesh.triangles() / 4);
  }
}

TEST(a_border_keeps_its_shape_or_its_vertices) {
  // A disc in a square grid: a border of steps.
  TriangleMesh mesh = shapes::plane(50, 0.05);
  std::vector<uint32_t> kept;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    const Vec3 p = vec3_at(mesh.positions.data(), mesh.indices[3 * t]);
    if (std::hypot(p.x, p.y) < 45) kept.insert(kept.end(), &mesh.indices[3 * t], &mesh.indices[3 * t] + 3);
  }
  mesh.indices = kept;
  SimplifyOptions options = to_triangles(400);
  Result<SimplifiedMesh> made = reduced(mesh, options);
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK(between(mesh, made.value().mesh).hausdorff() < 1.5);
  options.keep_border = true;
  made = reduced(mesh, options);
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK_EQ(shapes::topology_of(made.value().mesh).border, shapes::topology_of(mesh).border);
}

TEST(the_seam_of_a_texture_stays_closed) {
  // A tube whose texture begins and ends along one line: two vertices at each place of it.
  TriangleMesh mesh = shapes::grid(61, 40, false, false, [](double u, double v) {
    const double a = 2 * std::numbers::pi * (u >= 1 ? 0 : u);
    return shapes::vec(30 * std::cos(a), 30 * std::sin(a), 120 * v);
  });
  for (const double weight : {0.0, 0.5}) {
    SimplifyOptions options = to_triangles(500);
    options.uv_weight = weight;
    const Result<SimplifiedMesh> made = reduced(mesh, options);
    CHECK(made.ok());
    if (!made.ok()) return;
    const TriangleMesh& after = made.value().mesh;
    CHECK(after.triangles() <= 500);
    // Each triangle's texture coordinates still say where it is: u of the angle, on either side of the seam.
    double worst = 0;
    for (size_t t = 0; t < after.triangles(); ++t) {
      float low = 1, high = 0;
      for (size_t k = 0; k < 3; ++k) {
        const float u = after.uvs[2 * after.indices[3 * t + k]];
        low = std::min(low, u);
        high = std::max(high, u);
      }
      worst = std::max<double>(worst, high - low);
    }
    CHECK(worst < 0.3);
    // No crack: by place, the surface is a tube.
    TriangleMesh welded = after;
    std::map<std::vector<float>, uint32_t> places;
    for (uint32_t& v : welded.indices) {
      const Vec3 p = vec3_at(after.positions.data(), v);
      v = places.try_emplace({p.x, p.y, p.z}, v).first->second;
    }
    const shapes::Topology topology = shapes::topology_of(welded);
    CHECK_EQ(topology.bad, 0u);
    CHECK_EQ(topology.euler, 0);
    CHECK(between(mesh, after).hausdorff() < 1.5);
  }
}

TEST(attributes_with_a_weight_are_kept) {
  // A flat plane with a sharp edge in its colours.
  TriangleMesh mesh = shapes::plane(41, 0);
  for (size_t v = 0; v < mesh.vertices(); ++v)
    for (int k = 0; k < 3; ++k)
      mesh.colours.push_back(mesh.positions[3 * v] + 0.4F * mesh.positions[3 * v + 1] > 3 ? 255 : 0);
  // Mean difference of the colours between the original's vertices and what the new surface shows there.
  const auto difference = [&](const TriangleMesh& after) {
    double sum = 0;
    for (size_t v = 0; v < mesh.vertices(); ++v) {
      const double x = mesh.positions[3 * v], y = mesh.positions[3 * v + 1];
      for (size_t t = 0; t < after.triangles(); ++t) {
        const auto at = [&](size_t k, size_t axis) {
          return static_cast<double>(after.positions[3 * after.indices[3 * t + k] + axis]);
        };
        const double ux = at(1, 0) - at(0, 0), uy = at(1, 1) - at(0, 1), vx = at(2, 0) - at(0, 0),
                     vy = at(2, 1) - at(0, 1);
        const double area = ux * vy - uy * vx;
        const double b = ((x - at(0, 0)) * vy - (y - at(0, 1)) * vx) / area;
        const double c = (ux * (y - at(0, 1)) - uy * (x - at(0, 0))) / area;
        if (b < -1e-6 || c < -1e-6 || b + c > 1 + 1e-6) continue;
        const auto shade = [&](size_t k) { return static_cast<double>(after.colours[3 * after.indices[3 * t + k]]); };
        sum += std::fabs(shade(0) * (1 - b - c) + shade(1) * b + shade(2) * c - mesh.colours[3 * v]);
        break;
      }
    }
    return sum / static_cast<double>(mesh.vertices());
  };
  SimplifyOptions options = to_triangles(200);
  const Result<SimplifiedMesh> blind = reduced(mesh, options);
  options.colour_weight = 10;
  const Result<SimplifiedMesh> made = reduced(mesh, options);
  CHECK(blind.ok() && made.ok());
  if (!blind.ok() || !made.ok()) return;
  const double without = difference(blind.value().mesh), with = difference(made.value().mesh);
  std::printf("    colours differ by %.2f without a weight, %.2f with\n", without, with);
  CHECK(with < 0.6 * without);
  CHECK(with < 5);
}

TEST(surfaces_that_are_not_manifold_are_handled) {
  // Three sheets that meet along an edge, a bow tie, doubled and degenerate triangles.
  TriangleMesh mesh = shapes::plane(20, 0.1);
  const auto top = static_cast<uint32_t>(mesh.vertices());
  shapes::add_vertex(&mesh, 0, 0, 400);
  shapes::add_vertex(&mesh, 5, 5, 400);
  shapes::add_triangle(&mesh, 210, 211, top);    // a third triangle at an edge
  shapes::add_triangle(&mesh, 0, top, top + 1);  // a bow tie at vertex 0
  shapes::add_triangle(&mesh, 42, 43, 43);       // no area
  shapes::add_triangle(&mesh, 42, 42, 42);
  for (size_t k = 0; k < 3; ++k) mesh.indices.push_back(mesh.indices[k]);  // twice the same
  mesh.uvs.clear();
  const Result<SimplifiedMesh> made = reduced(mesh, to_triangles(100));
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK(check_mesh(made.value().mesh).ok());
  CHECK_EQ(shapes::topology_of(made.value().mesh).degenerate, 0u);
  CHECK(made.value().mesh.triangles() <= 120);
  const std::vector<uint32_t>& sources = made.value().sources;
  for (const uint32_t kept : {210u, 211u, top, 0u})
    CHECK(std::find(sources.begin(), sources.end(), kept) != sources.end());
}

TEST(a_tetrahedron_and_a_pair_of_triangles_stay) {
  TriangleMesh mesh;
  shapes::add_vertex(&mesh, 0, 0, 0);
  shapes::add_vertex(&mesh, 10, 0, 0);
  shapes::add_vertex(&mesh, 0, 10, 0);
  shapes::add_vertex(&mesh, 0, 0, 10);
  shapes::add_triangle(&mesh, 0, 2, 1);
  shapes::add_triangle(&mesh, 0, 1, 3);
  shapes::add_triangle(&mesh, 1, 2, 3);
  shapes::add_triangle(&mesh, 2, 0, 3);
  const Result<SimplifiedMesh> solid = reduced(mesh, to_triangles(1));
  CHECK(solid.ok());
  if (solid.ok()) CHECK_EQ(solid.value().mesh.triangles(), 4u);
  mesh.indices.resize(3);
  const Result<SimplifiedMesh> single = reduced(mesh, to_triangles(1));
  CHECK(single.ok());
  if (single.ok()) CHECK_EQ(single.value().mesh.triangles(), 1u);
  if (single.ok()) CHECK_EQ(single.value().mesh.vertices(), 3u);  // the unused one goes
}

TEST(sizes_and_places_do_not_matter) {
  const TriangleMesh base = shapes::plane(30, 0.4);
  const size_t expected = reduced(base, to_triangles(300)).value().mesh.triangles();
  for (const float scale : {1e-9F, 1e-3F, 1e6F}) {
    TriangleMesh mesh = base;
    for (float& value : mesh.positions) value *= scale;
    const Result<SimplifiedMesh> made = reduced(mesh, to_triangles(300));
    CHECK(made.ok());
    if (!made.ok()) return;
    CHECK_NEAR(static_cast<double>(made.value().mesh.triangles()), static_cast<double>(expected), 1);
    CHECK(std::isfinite(made.value().error));
  }
}

TEST(any_number_of_threads_gives_the_same_bytes) {
  const TriangleMesh mesh = shapes::plane(120, 0.5);
  const Result<SimplifiedMesh> a = reduced(mesh, to_triangles(2000), 1), b = reduced(mesh, to_triangles(2000), 4);
  CHECK(a.ok() && b.ok());
  if (!a.ok() || !b.ok()) return;
  CHECK(a.value().mesh.indices == b.value().mesh.indices);
  CHECK(a.value().mesh.positions == b.value().mesh.positions);
  CHECK_EQ(a.value().error, b.value().error);
  CHECK_EQ(a.value().rms, b.value().rms);
}

TEST(what_cannot_be_simplified_is_said) {
  const auto code = [](const TriangleMesh& mesh, const SimplifyOptions& options) {
    return reduced(mesh, options).status().code();
  };
  const TriangleMesh good = shapes::plane(5, 0);
  CHECK(code(good, {}) == Code::kInvalidArgument);  // no target
  CHECK(code(good, to_error(std::nan(""))) == Code::kInvalidArgument);
  SimplifyOptions options = to_triangles(2);
  options.uv_weight = -1;
  CHECK(code(good, options) == Code::kInvalidArgument);
  TriangleMesh mesh = good;
  mesh.indices[4] = 25;
  CHECK(code(mesh, to_triangles(2)) == Code::kInvalidArgument);
  mesh = good;
  mesh.positions[4] = std::numeric_limits<float>::quiet_NaN();
  CHECK(code(mesh, to_triangles(2)) == Code::kInvalidArgument);
  mesh.positions[4] = std::numeric_limits<float>::infinity();
  CHECK(code(mesh, to_triangles(2)) == Code::kInvalidArgument);
  mesh = good;
  mesh.indices.clear();
  CHECK(code(mesh, to_triangles(2)) == Code::kNoSurface);
  CHECK(code({}, to_triangles(2)) == Code::kNoSurface);
  mesh.indices = {0, 1, 1, 2, 2, 2};
  CHECK(code(mesh, to_triangles(2)) == Code::kNoSurface);
  Executor executor(1);
  CancelToken token;
  token.cancel();
  CHECK(simplify(view_of(good), to_triangles(2), executor, &token).status().code() == Code::kAborted);
}

TEST(meshes_that_are_tiny_far_away_are_not_lost_in_overflow) {
  TriangleMesh mesh;
  mesh.positions = {1e9F, 0, 0, 1e9F, 1e-30F, 0, 1e9F, 0, 1e-30F, 1e9F, 1e-30F, 1e-30F};
  mesh.indices = {0, 1, 2, 1, 3, 2, 0, 2, 3, 0, 3, 1};
  Executor executor(1);
  for (const size_t triangles : {1, 2, 3}) {
    const auto made = simplify(view_of(mesh), to_triangles(triangles), executor, nullptr);
    if (!made.ok()) continue;
    for (const float v : made.value().mesh.positions) CHECK(std::isfinite(v));
  }
}

TEST(zero_error_keeps_what_is_not_flat) {
  const TriangleMesh mesh = shapes::sphere(50, 6);
  const Result<SimplifiedMesh> made = reduced(mesh, to_error(0));
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK(made.value().error < 1e-5);
}

TEST_MAIN()
