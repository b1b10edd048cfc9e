// Depth maps to points, and back.
#include <algorithm>

#include "cloud/project.h"
#include "tests/check.h"
#include "tests/cloud/clouds.h"

using namespace lineament;

namespace {

constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

struct Map {
  int width, height;
  std::vector<float> depth, confidence;
  DepthView view(const Camera& camera) const {
    return {width, height, depth.data(), confidence.empty() ? nullptr : confidence.data(), camera};
  }
};

Map random_map(int width, int height, uint32_t seed) {
  Map map{width, height, {}, {}};
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> depth(300, 700), confidence(0, 1);
  for (int i = 0; i < width * height; ++i) {
    map.depth.push_back(random() % 5 == 0 ? kNone : depth(random));
    map.confidence.push_back(confidence(random));
  }
  return map;
}

}  // namespace

TEST(points_are_seen_at_the_pixels_they_come_from) {
  Executor executor(2);
  const Map map = random_map(123, 77, 1);
  const Camera camera{140, 150, 60.25, 40.5};
  const auto made = project_depth(map.view(camera), 0.25F, nullptr, nullptr, executor, nullptr);
  CHECK(made.ok());
  const Projected& out = made.value();
  size_t expected = 0;
  for (size_t i = 0; i < map.depth.size(); ++i) expected += map.depth[i] > 0 && map.confidence[i] >= 0.25F ? 1U : 0U;
  CHECK_EQ(out.cloud.size(), expected);
  CHECK_EQ(out.pixels.size(), expected);
  CHECK(std::is_sorted(out.pixels.begin(), out.pixels.end()));
  for (size_t i = 0; i < out.cloud.size(); ++i) {
    const float* p = &out.cloud.positions[3 * i];
    const double x = camera.fx * static_cast<double>(p[0]) / static_cast<double>(p[2]) + camera.cx;
    const double y = camera.fy * static_cast<double>(p[1]) / static_cast<double>(p[2]) + camera.cy;
    CHECK_NEAR(x, out.pixels[i] % 123 + 0.5, 1e-4);
    CHECK_NEAR(y, out.pixels[i] / 123 + 0.5, 1e-4);
    CHECK_EQ(p[2], map.depth[out.pixels[i]]);
  }
  CHECK(out.cloud.colours.empty() && out.cloud.normals.empty());
}

TEST(colours_and_normals_come_with_the_points) {
  Executor executor(2);
  Map map = random_map(40, 30, 2);
  map.confidence.clear();
  const Camera camera{40, 40, 20, 15};
  std::vector<uint8_t> pixels;
  std::mt19937 random(3);
  for (int i = 0; i < 3 * 40 * 30; ++i) pixels.push_back(static_cast<uint8_t>(random()));
  ColourView own;
  own.width = 40;
  own.height = 30;
  own.pixels = pixels.data();
  own.same = true;
  const NormalWindow window;
  const auto made = project_depth(map.view(camera), 0, &own, &window, executor, nullptr);
  const auto grid = depth_normals(map.view(camera), 0, window, executor, nullptr);
  for (size_t i = 0; i < made.value().pixels.size(); ++i) {
    const size_t pixel = made.value().pixels[i];
    for (size_t c = 0; c < 3; ++c) {
      CHECK_EQ(made.value().cloud.colours[3 * i + c], pixels[3 * pixel + c]);
      CHECK_EQ(made.value().cloud.normals[3 * i + c], grid.value()[3 * pixel + c]);
    }
  }
  // The same picture as one with a camera of its own: points fall on its pixels' centres.
  ColourView same_camera = own;
  same_camera.same = false;
  same_camera.camera = camera;
  CHECK(project_depth(map.view(camera), 0, &same_camera, nullptr, executor, nullptr).value().cloud.colours ==
        made.value().cloud.colours);
}

TEST(a_picture_with_a_camera_of_its_own) {
  // A wall whose picture, twice as large and taken 50 mm to the right, has red and green that grow with x and y.
  Executor executor(2);
  Map map{60, 50, std::vector<float>(3000, 500.0F), {}};
  const Camera camera{60, 60, 30, 25};
  std::vector<uint8_t> pixels;
  for (int j = 0; j < 100; ++j) {
    for (int i = 0; i < 120; ++i) {
      pixels.insert(pixels.end(), {static_cast<uint8_t>(2 * i + 1), static_cast<uint8_t>(2 * j + 1), 77});
    }
  }
  ColourView picture;
  picture.width = 120;
  picture.height = 100;
  picture.pixels = pixels.data();
  picture.camera = {120, 120, 60, 50};
  picture.translation[0] = -50;
  const auto made = project_depth(map.view(camera), 0, &picture, nullptr, executor, nullptr);
  for (size_t i = 0; i < made.value().pixels.size(); ++i) {
    const size_t x = made.value().pixels[i] % 60, y = made.value().pixels[i] / 60;
    const double u = 2 * (static_cast<double>(x) + 0.5) - 12, v = 2 * (static_cast<double>(y) + 0.5);
    const uint8_t* colour = &made.value().cloud.colours[3 * i];
    if (u < 0) {
      CHECK_EQ(colour[0] + colour[1] + colour[2], 0);
    } else {
      CHECK_NEAR(colour[0], 2 * u, 1);
      CHECK_NEAR(colour[1], 2 * v, 1);
      CHECK_EQ(int{colour[2]}, 77);
    }
  }
  // From behind nothing is seen.
  picture.translation[2] = -600;
  const auto behind = project_depth(map.view(camera), 0, &picture, nullptr, executor, nullptr);
  for (const uint8_t v : behind.value().cloud.colours) CHECK_EQ(int{v}, 0);
}

TEST(maps_that_show_nothing) {
  Executor executor(2);
  for (const float nothing : {kNone, 0.0F, -5.0F, std::numeric_limits<float>::infinity()}) {
    const Map map{8, 8, std::vector<float>(64, nothing), {}};
    const NormalWindow window;
    const auto made = project_depth(map.view({8, 8, 4, 4}), 0, nullptr, &window, executor, nullptr);
    CHECK(made.ok());
    CHECK_EQ(made.value().cloud.size(), size_t{0});
    const auto normals = depth_normals(map.view({8, 8, 4, 4}), 0, window, executor, nullptr);
    CHECK(std::all_of(normals.value().begin(), normals.value().end(), [](float v) { return v == 0; }));
  }
}

TEST(bad_cameras_and_sizes_are_refused) {
  Executor executor(2);
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const Map map{8, 8, std::vector<float>(64, 500.0F), {}};
  const auto code = [&](const DepthView& view, const ColourView* colours, const NormalWindow* window) {
    return project_depth(view, 0, colours, window, executor, nullptr).status().code();
  };
  for (const Camera& camera : {Camera{0, 8, 4, 4}, Camera{8, -1, 4, 4}, Camera{nan, 8, 4, 4}, Camera{8, 8, infinity, 4},
                               Camera{8, 8, 4, nan}, Camera{1e-9, 8, 4, 4}}) {
    CHECK(code(map.view(camera), nullptr, nullptr) == Code::kInvalidArgument);
  }
  DepthView huge = map.view({8, 8, 4, 4});
  huge.width = huge.height = 1 << 30;
  CHECK(code(huge, nullptr, nullptr) == Code::kInvalidArgument);
  huge.width = 0;
  CHECK(code(huge, nullptr, nullptr) == Code::kInvalidArgument);
  for (const NormalWindow& window : {NormalWindow{0, 0.02}, NormalWindow{17, 0.02}, NormalWindow{2, nan}}) {
    CHECK(code(map.view({8, 8, 4, 4}), nullptr, &window) == Code::kInvalidArgument);
  }
  const std::vector<uint8_t> pixels(3 * 100);
  ColourView picture;
  picture.width = picture.height = 10;
  picture.pixels = pixels.data();
  picture.same = true;
  CHECK(code(map.view({8, 8, 4, 4}), &picture, nullptr) == Code::kInvalidArgument);
  picture.same = false;
  CHECK(code(map.view({8, 8, 4, 4}), &picture, nullptr) == Code::kInvalidArgument);
  picture.camera = {8, 8, 4, 4};
  CHECK(code(map.view({8, 8, 4, 4}), &picture, nullptr) == Code::kOk);
  picture.rotation[4] = nan;
  CHECK(code(map.view({8, 8, 4, 4}), &picture, nullptr) == Code::kInvalidArgument);
}

TEST(projection_is_the_same_for_any_number_of_threads_and_stops_when_asked) {
  const Map map = random_map(300, 200, 4);
  Executor one(1), four(4);
  const NormalWindow window;
  const DepthView depth = map.view({300, 300, 150, 100});
  const auto a = project_depth(depth, 0.5F, nullptr, &window, one, nullptr);
  const auto b = project_depth(depth, 0.5F, nullptr, &window, four, nullptr);
  CHECK(a.value().cloud.positions == b.value().cloud.positions);
  CHECK(a.value().cloud.normals == b.value().cloud.normals);
  CHECK(a.value().pixels == b.value().pixels);
  CancelToken token;
  token.cancel();
  CHECK(project_depth(depth, 0, nullptr, nullptr, one, &token).status().code() == Code::kAborted);
  CHECK(depth_normals(depth, 0, window, one, &token).status().code() == Code::kAborted);
}

TEST_MAIN()
