// Triangles of depth maps.
#include <limits>

#include "mesh/grid.h"
#include "tests/check.h"
#include "tests/mesh/shapes.h"

using namespace lineament;

namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

struct Map {
  int width, height;
  Camera camera;
  std::vector<float> depth;
  std::vector<float> confidence;
  std::vector<uint8_t> colours;

  Map(int w, int h, const std::function<double(int, int)>& at, double focal = 500) : width(w), height(h) {
    camera = {focal, focal, w / 2.0, h / 2.0};
    for (int j = 0; j < h; ++j)
      for (int i = 0; i < w; ++i) depth.push_back(static_cast<float>(at(i, j)));
  }
  DepthGrid grid() const {
    return {width,
            height,
            camera,
            depth.data(),
            confidence.empty() ? nullptr : confidence.data(),
            colours.empty() ? nullptr : colours.data()};
  }
  Result<GridMesh> mesh(const GridMeshOptions& options = {}) const {
    Executor executor(2);
    return grid_mesh(grid(), options, executor, nullptr);
  }
};

// A ball before the camera.
Map ball(int width, int height) {
  const double focal = 500;
  return Map(
      width, height,
      [=](int i, int j) -> double {
        const double x = (i + 0.5 - width / 2.0) / focal, y = (j + 0.5 - height / 2.0) / focal;
        const double a = x * x + y * y + 1, half = 600, c = 600.0 * 600 - 90.0 * 90;
        const double root = half * half - a * c;
        return root < 0 ? static_cast<double>(kNone) : (half - std::sqrt(root)) / a;
      },
      focal);
}

}  // namespace

TEST(a_flat_map_is_a_grid_seen_from_the_front) {
  const Map map(5, 4, [](int, int) { return 500.0; });
  const Result<GridMesh> made = map.mesh();
  CHECK(made.ok());
  if (!made.ok()) return;
  const TriangleMesh& mesh = made.value().mesh;
  CHECK_EQ(mesh.vertices(), 20u);
  CHECK_EQ(mesh.triangles(), 24u);
  CHECK(check_mesh(mesh).ok());
  // Counterclockwise seen from the camera: normals against the Z axis.
  CHECK_EQ(shapes::turned_over(mesh, [](Vec3) { return Vec3{0, 0, -1}; }), 0u);
  for (size_t v = 0; v < mesh.vertices(); ++v) {
    const uint32_t pixel = made.value().pixels[v];
    const double x = pixel % 5 + 0.5, y = pixel / 5 + 0.5;
    CHECK_NEAR(mesh.positions[3 * v], (x - 2.5) / 500 * 500, 1e-4);
    CHECK_NEAR(mesh.positions[3 * v + 1], (y - 2) / 500 * 500, 1e-4);
    CHECK_NEAR(mesh.uvs[2 * v], x / 5, 1e-6);
    CHECK_NEAR(mesh.uvs[2 * v + 1], y / 4, 1e-6);
    CHECK_NEAR(mesh.normals[3 * v + 2], -1, 1e-6);
  }
  const shapes::Topology topology = shapes::topology_of(mesh);
  CHECK_EQ(topology.bad, 0u);
  CHECK_EQ(topology.euler, 1);
}

TEST(a_ball_has_its_radius_and_its_normals) {
  const Result<GridMesh> made = ball(240, 200).mesh();
  CHECK(made.ok());
  if (!made.ok()) return;
  const TriangleMesh& mesh = made.value().mesh;
  const Vec3 centre{0, 0, 600};
  double squares = 0, worst = 1;
  for (size_t v = 0; v < mesh.vertices(); ++v) {
    const Vec3 out = vec3_at(mesh.positions.data(), v) - centre, n = vec3_at(mesh.normals.data(), v);
    squares += std::pow(length(out) - 90, 2);
    const double facing = -static_cast<double>(vec3_at(mesh.positions.data(), v).z - 600) / 90;
    if (facing > 0.4) worst = std::min(worst, static_cast<double>(dot(out, n)) / 90);
  }
  CHECK(std::sqrt(squares / static_cast<double>(mesh.vertices())) < 1e-3);  // RMS, millimetres
  CHECK(worst > 0.995);
  CHECK_EQ(shapes::turned_over(mesh, [=](Vec3 p) { return Vec3{} - p; }), 0u);
  CHECK_EQ(shapes::topology_of(mesh).bad, 0u);
}

TEST(a_step_in_depth_parts_the_surface) {
  const Map map(20, 10, [](int i, int) { return i < 10 ? 500.0 : 540.0; });
  const Result<GridMesh> made = map.mesh();
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK_EQ(made.value().mesh.triangles(), size_t{2 * 2 * 9 * 9});
  CHECK_EQ(shapes::topology_of(made.value().mesh).euler, 2);  // two pieces
  GridMeshOptions loose;
  loose.jump = 0.1;
  const Result<GridMesh> joined = map.mesh(loose);
  CHECK(joined.ok());
  if (joined.ok()) CHECK_EQ(joined.value().mesh.triangles(), size_t{2 * 19 * 9});
  // The same slope is no step where neighbours lie farther apart.
  loose.jump = 0;
  loose.angle = 89.9;
  CHECK(map.mesh(loose).ok());
}

TEST(a_single_far_pixel_costs_its_triangles_only) {
  const Map map(7, 7, [](int i, int j) { return i == 3 && j == 3 ? 800.0 : 500.0; });
  const Result<GridMesh> made = map.mesh();
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK_EQ(made.value().mesh.triangles(), size_t{72 - 4 * 2 + 4});
  CHECK_EQ(made.value().mesh.vertices(), 48u);
}

TEST(the_shorter_diagonal_is_taken) {
  // A ridge from the top right to the bottom left.
  const Map map(2, 2, [](int i, int j) { return i + j == 1 ? 500.0 : 504.0; });
  const Result<GridMesh> made = map.mesh();
  CHECK(made.ok());
  if (!made.ok()) return;
  const std::vector<uint32_t> expected = {0, 2, 1, 1, 2, 3};
  CHECK(made.value().mesh.indices == expected);
}

TEST(missing_and_doubtful_pixels_are_left_out) {
  Map map(6, 6, [](int i, int j) { return i == 0 && j == 0 ? static_cast<double>(kNone) : 500.0; });
  CHECK_EQ(map.mesh().value().mesh.triangles(), size_t{49});
  map.confidence.assign(36, 1.0F);
  map.confidence[35] = 0.4F;
  GridMeshOptions options;
  CHECK_EQ(map.mesh(options).value().mesh.triangles(), size_t{49});
  options.min_confidence = 0.5;
  CHECK_EQ(map.mesh(options).value().mesh.triangles(), size_t{48});
  CHECK_EQ(map.mesh(options).value().mesh.vertices(), size_t{34});
}

TEST(steps_take_every_nth_pixel_and_colours_come_along) {
  Map map(11, 7, [](int, int) { return 500.0; });
  for (int i = 0; i < 77; ++i)
    for (int k = 0; k < 3; ++k) map.colours.push_back(static_cast<uint8_t>(i + 80 * k));
  GridMeshOptions options;
  options.step = 3;
  const Result<GridMesh> made = map.mesh(options);
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK_EQ(made.value().mesh.vertices(), size_t{4 * 3});
  for (size_t v = 0; v < made.value().mesh.vertices(); ++v) {
    const uint32_t pixel = made.value().pixels[v];
    CHECK_EQ(pixel % 11 % 3, 0u);
    CHECK_EQ(pixel / 11 % 3, 0u);
    for (uint32_t k = 0; k < 3; ++k) CHECK_EQ(made.value().mesh.colours[3 * v + k], (pixel + 80 * k) & 255);
  }
}

TEST(every_vertex_has_a_triangle) {
  std::mt19937 random(3);
  const Map map(90, 70, [&](int, int) { return random() % 3 == 0 ? static_cast<double>(kNone) : 500 + random() % 8; });
  const Result<GridMesh> made = map.mesh();
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK(check_mesh(made.value().mesh).ok());
  std::vector<bool> used(made.value().mesh.vertices());
  for (const uint32_t v : made.value().mesh.indices) used[v] = true;
  CHECK(std::all_of(used.begin(), used.end(), [](bool u) { return u; }));
  CHECK(std::is_sorted(made.value().pixels.begin(), made.value().pixels.end()));
}

TEST(any_number_of_threads_gives_the_same_bytes) {
  const Map map = ball(300, 260);
  Executor one(1), four(4);
  const Result<GridMesh> a = grid_mesh(map.grid(), {}, one, nullptr), b = grid_mesh(map.grid(), {}, four, nullptr);
  CHECK(a.ok() && b.ok());
  if (!a.ok() || !b.ok()) return;
  CHECK(a.value().mesh.positions == b.value().mesh.positions);
  CHECK(a.value().mesh.normals == b.value().mesh.normals);
  CHECK(a.value().mesh.indices == b.value().mesh.indices);
  CHECK(a.value().pixels == b.value().pixels);
}

TEST(what_cannot_be_meshed_is_said) {
  const auto code = [](const Map& map, const GridMeshOptions& options = {}) {
    return map.mesh(options).status().code();
  };
  CHECK(code(Map(8, 8, [](int, int) { return static_cast<double>(kNone); })) == Code::kNoSurface);
  CHECK(code(Map(8, 8, [](int, int) { return 0.0; })) == Code::kNoSurface);
  CHECK(code(Map(1, 8, [](int, int) { return 500.0; })) == Code::kNoSurface);
  CHECK(code(Map(1, 1, [](int, int) { return 500.0; })) == Code::kNoSurface);
  CHECK(code(Map(8, 8, [](int, int) { return std::numeric_limits<double>::infinity(); })) == Code::kNoSurface);
  // Every pixel alone.
  CHECK(code(Map(8, 8, [](int i, int j) { return (i + j) % 2 == 0 ? 500.0 : static_cast<double>(kNone); })) ==
        Code::kNoSurface);
  const Map flat(8, 8, [](int, int) { return 500.0; });
  GridMeshOptions options;
  options.step = 0;
  CHECK(code(flat, options) == Code::kInvalidArgument);
  options = {};
  options.angle = 90;
  CHECK(code(flat, options) == Code::kInvalidArgument);
  options = {};
  options.jump = std::nan("");
  CHECK(code(flat, options) == Code::kInvalidArgument);
  options = {};
  options.step = 9;
  CHECK(code(flat, options) == Code::kNoSurface);
  Map blind = flat;
  blind.camera.fx = std::nan("");
  CHECK(code(blind) == Code::kInvalidArgument);
  Executor executor(1);
  DepthGrid huge = flat.grid();
  huge.width = huge.height = 10001;  // 100 megapixels: refused before anything is read
  CHECK(grid_mesh(huge, {}, executor, nullptr).status().code() == Code::kInvalidArgument);
  CancelToken token;
  token.cancel();
  CHECK(grid_mesh(flat.grid(), {}, executor, &token).status().code() == Code::kAborted);
}

TEST_MAIN()
