#include <algorithm>
#include <limits>

#include "depth/landmark_depth.h"
#include "tests/check.h"
#include "tests/depth/surfaces.h"

using namespace lineament;
using namespace lineament::test;

namespace {

const Camera kCamera{600, 610, 158.5, 121.25};
constexpr double kScale = 0.97;
const Window kAll{0, 0, 320, 240};
const Ball kBall{{4, -3, 600}, 95};

struct Scene {
  std::vector<float> points;
  std::vector<uint32_t> triangles;

  explicit Scene(const PatchMesh& mesh) : points(as_landmarks(mesh, kCamera, kScale)), triangles(mesh.indices) {}
  LandmarkSurface surface() const { return {points.data(), points.size() / 3, triangles.data(), triangles.size() / 3}; }
};

LandmarkDepthOptions options(bool curved, Window window = kAll) { return {kCamera, kScale, window, curved}; }

Result<DepthMap> depth(const Scene& scene, const LandmarkDepthOptions& how, size_t threads = 1) {
  Executor executor(threads);
  return depth_from_landmarks(scene.surface(), how, executor, nullptr);
}

// Where the ball's surface is seen at less than 75° from its normal.
double rms_error(const DepthMap& map, const Ball& ball) {
  double sum = 0;
  size_t count = 0;
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      const Vector3 ray = ray_of(map.camera, x, y);
      const double z = ball_depth(ball, ray);
      if (std::isnan(z)) continue;
      const Vector3 normal = z * ray - ball.centre;
      if (-dot(normal, ray) / std::sqrt(dot(normal, normal) * dot(ray, ray)) < 0.259) continue;
      const double off = map.depth[static_cast<size_t>(y * map.width + x)] - z;
      CHECK(std::isfinite(off));
      sum += off * off;
      ++count;
    }
  }
  return std::sqrt(sum / static_cast<double>(count));
}

bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

TEST(ball_of_coarse_triangles_comes_out_round) {
  // 162 points, as far apart as those of a face.
  const Scene scene(icosphere(kBall, 2));
  const auto flat = depth(scene, options(false)), curved = depth(scene, options(true));
  CHECK(flat.ok() && curved.ok());
  const double flat_rms = rms_error(flat.value(), kBall), curved_rms = rms_error(curved.value(), kBall);
  std::printf("    ball of radius 95 mm: RMS %.3f mm flat, %.4f mm curved\n", flat_rms, curved_rms);
  CHECK(flat_rms < 3);
  CHECK(curved_rms < 0.15);
  CHECK(curved_rms < flat_rms / 8);
}

TEST(finer_triangles_come_nearer) {
  double last = 1e9;
  for (int times = 1; times <= 3; ++times) {
    const auto map = depth(Scene(icosphere(kBall, times)), options(true));
    CHECK(map.ok());
    const double rms = rms_error(map.value(), kBall);
    CHECK(rms < last);
    last = rms;
  }
}

TEST(flat_triangles_are_exact_in_perspective) {
  // A slanted square, 1/Z linear in the picture.
  PatchMesh square;
  square.positions = {{-80, -60, 500}, {80, -60, 620}, {80, 60, 700}, {-80, 60, 580}};
  square.indices = {0, 2, 1, 0, 3, 2};
  const Vector3 normal = cross(square.positions[1] - square.positions[0], square.positions[3] - square.positions[0]);
  for (const bool curved : {false, true}) {
    const auto map = depth(Scene(square), options(curved));
    CHECK(map.ok());
    size_t seen = 0;
    double worst = 0;
    for (int y = 0; y < 240; ++y) {
      for (int x = 0; x < 320; ++x) {
        const float z = map.value().depth[static_cast<size_t>(y * 320 + x)];
        if (std::isnan(z)) continue;
        ++seen;
        worst = std::max(worst, std::abs(z - dot(normal, square.positions[0]) / dot(normal, ray_of(kCamera, x, y))));
      }
    }
    CHECK(seen > 8000);
    CHECK(worst < 0.01);  // coordinates are rounded to 1/256 pixel
  }
}

TEST(shared_edges_leave_no_gap_and_what_is_behind_stays_hidden) {
  const auto map = depth(Scene(icosphere(kBall, 2)), options(true));
  CHECK(map.ok());
  for (int y = 0; y < 240; ++y) {
    for (int x = 0; x < 320; ++x) {
      const double z = ball_depth(kBall, ray_of(kCamera, x, y));
      const float got = map.value().depth[static_cast<size_t>(y * 320 + x)];
      // The back of the ball is 190 mm behind its front.
      if (!std::isnan(got)) CHECK(got < kBall.centre.z);
      const Ball inner{kBall.centre, kBall.radius * 0.97};
      if (!std::isnan(ball_depth(inner, ray_of(kCamera, x, y)))) CHECK(std::abs(got - z) < 20);
    }
  }
}

TEST(nearer_surface_hides_the_other_in_either_order) {
  const PatchMesh behind = icosphere({{0, 0, 700}, 60}, 2), before = icosphere({{20, 0, 560}, 30}, 2);
  const auto both = [](const PatchMesh& a, const PatchMesh& b) {
    PatchMesh mesh = a;
    mesh.positions.insert(mesh.positions.end(), b.positions.begin(), b.positions.end());
    for (const uint32_t i : b.indices) mesh.indices.push_back(i + static_cast<uint32_t>(a.positions.size()));
    return mesh;
  };
  const auto one = depth(Scene(both(behind, before)), options(true));
  const auto two = depth(Scene(both(before, behind)), options(true));
  CHECK(one.ok() && two.ok());
  CHECK(same_bytes(one.value().depth, two.value().depth));
  const auto at = [&](double X, double Y, double Z) {
    const int x = static_cast<int>(600 * X / Z + 158.5), y = static_cast<int>(610 * Y / Z + 121.25);
    return one.value().depth[static_cast<size_t>(y * 320 + x)];
  };
  CHECK_NEAR(at(20, 0, 530), 530, 0.5);
  CHECK_NEAR(at(-30, 0, 650), 648, 3);
}

TEST(seen_from_behind_there_is_nothing) {
  PatchMesh inside_out = icosphere(kBall, 1);
  // The front half turned round: the far half then faces the camera and shows.
  for (size_t t = 0; t < inside_out.indices.size(); t += 3) std::swap(inside_out.indices[t], inside_out.indices[t + 1]);
  const auto map = depth(Scene(inside_out), options(false));
  CHECK(map.ok());
  CHECK(map.value().depth[121 * 320 + 158] > kBall.centre.z);
  PatchMesh one;
  one.positions = {{-50, -50, 600}, {50, -50, 600}, {0, 50, 600}};
  one.indices = {0, 1, 2};  // clockwise in the picture
  CHECK(depth(Scene(one), options(true)).status().code() == Code::kNoSurface);
  one.indices = {0, 2, 1};
  CHECK(depth(Scene(one), options(true)).ok());
}

TEST(window_is_a_part_of_the_whole) {
  const Scene scene(icosphere(kBall, 2));
  const Window part{61, 40, 133, 97};
  const auto whole = depth(scene, options(true)), cut = depth(scene, options(true, part));
  CHECK(whole.ok() && cut.ok());
  CHECK_NEAR(cut.value().camera.cx, kCamera.cx - 61, 1e-12);
  CHECK_NEAR(cut.value().camera.cy, kCamera.cy - 40, 1e-12);
  std::vector<float> rows;
  for (int y = 0; y < part.height; ++y) {
    const auto from = whole.value().depth.begin() + (y + part.y) * 320 + part.x;
    rows.insert(rows.end(), from, from + part.width);
  }
  CHECK(same_bytes(rows, cut.value().depth));
  const Window beyond{-40, -30, 400, 300};
  const auto larger = depth(scene, options(true, beyond));
  CHECK(larger.ok());
  CHECK_EQ(larger.value().depth[(30 + 121) * 400 + 40 + 158], whole.value().depth[121 * 320 + 158]);
}

TEST(any_number_of_threads_gives_the_same_bytes) {
  const Scene scene(icosphere(kBall, 3));
  const auto one = depth(scene, options(true), 1);
  CHECK(one.ok());
  for (const size_t threads : {2, 3, 7})
    CHECK(same_bytes(one.value().depth, depth(scene, options(true), threads).value().depth));
}

TEST(pixel_centres_on_edges_belong_to_one_triangle) {
  // Two triangles whose edges run through pixel centres: each centre inside the square is drawn, none outside.
  const Camera camera{100, 100, 0, 0};
  const float z = 0;
  const std::vector<float> points = {2.5F, 2.5F, z, 10.5F, 2.5F, z, 10.5F, 10.5F, z, 2.5F, 10.5F, z};
  const std::vector<uint32_t> triangles = {0, 2, 1, 0, 3, 2};
  Executor executor(1);
  const LandmarkSurface surface{points.data(), 4, triangles.data(), 2};
  const auto map = depth_from_landmarks(surface, {camera, 5, {0, 0, 16, 16}, false}, executor, nullptr);
  CHECK(map.ok());
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      // Left and top edges are in, right and bottom ones are out.
      const bool inside = x >= 2 && x < 10 && y >= 2 && y < 10;
      CHECK_EQ(!std::isnan(map.value().depth[static_cast<size_t>(y * 16 + x)]), inside);
    }
  }
}

TEST(degenerate_triangles_do_no_harm) {
  Scene scene(icosphere(kBall, 2));
  const auto clean = depth(scene, options(true));
  const auto n = static_cast<uint32_t>(scene.points.size() / 3);
  // Two points that coincide, three in a row, a corner named twice.
  const std::vector<float> copy(scene.points.begin(), scene.points.begin() + 3);
  scene.points.insert(scene.points.end(), copy.begin(), copy.end());
  scene.triangles.insert(scene.triangles.end(), {0, n, 0, n, n, n});
  const auto map = depth(scene, options(true));
  CHECK(map.ok());
  size_t different = 0;
  for (size_t i = 0; i < clean.value().size(); ++i) {
    const float a = clean.value().depth[i], b = map.value().depth[i];
    different += std::isnan(a) != std::isnan(b) || std::abs(a - b) > 0.5;
  }
  CHECK(different < 20);
}

TEST(bad_input_is_refused) {
  const Scene good(icosphere(kBall, 1));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto refused = [](const Scene& scene, const LandmarkDepthOptions& how) {
    const auto map = depth(scene, how);
    return !map.ok() && map.status().code() == Code::kInvalidArgument;
  };
  for (const float value : {nan, std::numeric_limits<float>::infinity(), -1e9F, 1e9F}) {
    for (size_t k = 0; k < 3; ++k) {
      Scene scene = good;
      scene.points[k] = value;
      if (k == 2 && value > 1e8F) continue;  // far away is a place
      CHECK(refused(scene, options(true)));
    }
  }
  Scene names = good;
  names.triangles[5] = 4242;
  CHECK(refused(names, options(true)));
  for (const double value : {0.0, -600.0, static_cast<double>(nan), HUGE_VAL}) {
    LandmarkDepthOptions how = options(true);
    how.camera.fx = value;
    CHECK(refused(good, how));
    how = options(true);
    how.mm_per_pixel = value;
    CHECK(refused(good, how));
  }
  for (const Window window : {Window{0, 0, 0, 10}, Window{0, 0, 10, -1}, Window{0, 0, 20000, 10},
                              Window{0, 0, 10000, 10000}, Window{1 << 30, 0, 10, 10}})
    CHECK(refused(good, options(true, window)));
  Scene none = good;
  none.triangles.clear();
  CHECK(depth(none, options(true)).status().code() == Code::kNoSurface);
  CHECK(depth(good, options(true, {5000, 5000, 10, 10})).status().code() == Code::kNoSurface);
}

TEST(cancelled_work_stops) {
  CancelToken token;
  token.cancel();
  Executor executor(2);
  const Scene scene(icosphere(kBall, 2));
  CHECK(depth_from_landmarks(scene.surface(), options(true), executor, &token).status().code() == Code::kAborted);
}

TEST_MAIN()
