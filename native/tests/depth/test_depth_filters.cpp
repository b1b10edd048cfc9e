#include <algorithm>
#include <limits>

#include "core/cpu.h"
#include "depth/bilateral.h"
#include "depth/bilateral_body.h"
#include "depth/confidence.h"
#include "depth/fill.h"
#include "tests/check.h"
#include "tests/depth/surfaces.h"

using namespace lineament;
using namespace lineament::test;

namespace {

const Camera kCamera{500, 500, 60.5, 49.5};
constexpr int kWidth = 120, kHeight = 90;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

// A plane in space: 1/Z is linear in the picture.
double plane(int x, int y) { return 1 / (1.0 / 600 + 2e-6 * x - 1.5e-6 * y); }

std::vector<float> filtered(const DepthMap& map, const BilateralOptions& options, size_t threads = 1) {
  Executor executor(threads);
  std::vector<float> out(map.size());
  CHECK(filter_depth(map.depth.data(), map.width, map.height, options, executor, nullptr, out.data()).ok());
  return out;
}

bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

template <typename F>
double rms(const std::vector<float>& depth, F truth) {
  double sum = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) sum += std::pow(depth[static_cast<size_t>(y * kWidth + x)] - truth(x, y), 2);
  }
  return std::sqrt(sum / (kWidth * kHeight));
}

Status filled(DepthMap* map, const FillOptions& options, size_t* count, size_t threads = 1) {
  Executor executor(threads);
  return fill_depth(map, options, executor, nullptr, count);
}

}  // namespace

TEST(filter_reduces_noise_and_keeps_a_step) {
  const auto truth = [](int x, int y) { return plane(x, y) + (x >= 60 ? 40 : 0); };
  Random random(1);
  const DepthMap noisy =
      depth_of(kWidth, kHeight, kCamera, [&](int x, int y) { return truth(x, y) + random.normal(); });
  const std::vector<float> out = filtered(noisy, {4, 2.5, 12});
  const double before = rms(noisy.depth, truth), after = rms(out, truth);
  std::printf("    noise of %.3f mm becomes %.3f mm\n", before, after);
  CHECK(after < before / 2.5);
  // The two columns beside the step stay on their sides.
  for (int y = 0; y < kHeight; ++y) {
    for (const int x : {58, 59, 60, 61}) CHECK_NEAR(out[static_cast<size_t>(y * kWidth + x)], truth(x, y), 3);
  }
}

TEST(filter_leaves_planes_and_unknown_alone) {
  DepthMap map = depth_of(kWidth, kHeight, kCamera, plane);
  map.depth[50 * kWidth + 50] = kNan;
  map.depth[50 * kWidth + 51] = kNan;
  const std::vector<float> out = filtered(map, {3, 1.5, 10});
  for (int y = 3; y < kHeight - 3; ++y) {
    for (int x = 3; x < kWidth - 3; ++x) {
      const float z = out[static_cast<size_t>(y * kWidth + x)];
      if (y == 50 && (x == 50 || x == 51))
        CHECK(std::isnan(z));
      else
        CHECK_NEAR(z, plane(x, y), 0.5);
    }
  }
  const DepthMap flat = depth_of(kWidth, kHeight, kCamera, [](int, int) { return 700; });
  CHECK(same_bytes(filtered(flat, {5, 2, 10}), flat.depth));
  const DepthMap nothing = depth_of(kWidth, kHeight, kCamera, [](int, int) { return kNan; });
  for (const float z : filtered(nothing, {5, 2, 10})) CHECK(std::isnan(z));
}

TEST(filter_is_its_body_at_every_pixel) {
  Random random(3);
  DepthMap map = depth_of(67, 23, kCamera, [&](int x, int y) { return plane(x, y) + 3 * random.normal(); });
  for (size_t i = 0; i < map.size(); i += 7) map.depth[i] = kNan;
  const int r = 3;
  std::vector<float> spatial;
  for (int y = -r; y <= r; ++y) {
    for (int x = -r; x <= r; ++x) spatial.push_back(static_cast<float>(std::exp(-(x * x + y * y) / 4.5)));
  }
  const std::vector<float> out = filtered(map, {r, 1.5, 8});
  for (int y = 0; y < map.height; ++y) {
    for (int x = 0; x < map.width; ++x) {
      const float expected =
          bilateral_pixel(map.depth.data(), map.width, map.height, x, y, r, spatial.data(), 1.0F / 64);
      const float z = out[static_cast<size_t>(y * map.width + x)];
      CHECK(std::isnan(expected) ? std::isnan(z) : std::abs(z - expected) < 1e-3F);
    }
  }
}

TEST(filter_of_maps_smaller_than_its_window) {
  for (const auto& [width, height] : {std::pair{1, 1}, {2, 9}, {9, 2}, {7, 7}}) {
    const DepthMap map = depth_of(width, height, kCamera, plane);
    for (const float z : filtered(map, {8, 3, 20})) CHECK_NEAR(z, 600, 30);
  }
}

TEST(filter_and_fill_any_number_of_threads_give_the_same_bytes) {
  Random random(9);
  DepthMap map = depth_of(kWidth, kHeight, kCamera, [&](int x, int y) { return plane(x, y) + random.normal(); });
  for (size_t i = 0; i < map.size(); ++i) {
    if (random.uniform() < 0.3) map.depth[i] = kNan;
  }
  DepthMap one = map;
  size_t count = 0, other = 0;
  CHECK(filled(&one, {}, &count).ok());
  CHECK(count > 100);
  for (const size_t threads : {2, 5}) {
    CHECK(same_bytes(filtered(map, {3, 1.5, 8}), filtered(map, {3, 1.5, 8}, threads)));
    DepthMap many = map;
    CHECK(filled(&many, {}, &other, threads).ok());
    CHECK_EQ(count, other);
    CHECK(same_bytes(one.depth, many.depth));
  }
}

TEST(fill_continues_a_plane) {
  DepthMap map = depth_of(kWidth, kHeight, kCamera, plane);
  map.confidence.assign(map.size(), 0.8F);
  size_t holes = 0;
  const auto cut = [&](int x0, int y0, int x1, int y1) {
    for (int y = y0; y < y1; ++y) {
      for (int x = x0; x < x1; ++x) {
        map.depth[static_cast<size_t>(y * kWidth + x)] = kNan;
        map.confidence[static_cast<size_t>(y * kWidth + x)] = 0;
        ++holes;
      }
    }
  };
  cut(10, 10, 50, 40);
  cut(60, 20, 61, 21);
  cut(70, 50, 100, 53);
  cut(80, 53, 82, 80);  // joins the one before
  size_t count = 0;
  CHECK(filled(&map, {2500, 100}, &count).ok());
  CHECK_EQ(count, holes);
  double worst = 0;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x)
      worst = std::max(worst, std::abs(map.depth[static_cast<size_t>(y * kWidth + x)] - plane(x, y)));
  }
  CHECK(worst < 1e-3);
  CHECK_NEAR(map.confidence[20 * kWidth + 20], 0.4, 1e-6);
  CHECK_NEAR(map.confidence[5 * kWidth + 5], 0.8, 1e-6);
}

TEST(fill_leaves_large_open_and_spanning_holes) {
  const auto hole = [](int x0, int y0, int x1, int y1, double step) {
    return depth_of(kWidth, kHeight, kCamera, [=](int x, int y) {
      const bool in = x >= x0 && x < x1 && y >= y0 && y < y1;
      return in ? kNan : plane(x, y) + (x > 30 ? step : 0);
    });
  };
  size_t count = 7;
  DepthMap large = hole(10, 10, 80, 70, 0);
  CHECK(filled(&large, {}, &count).ok());
  CHECK_EQ(count, size_t{0});
  CHECK(filled(&large, {70 * 60, 100}, &count).ok());
  CHECK_EQ(count, size_t{70 * 60});
  for (DepthMap border :
       {hole(0, 10, 5, 15, 0), hole(50, 0, 55, 5, 0), hole(115, 10, 120, 15, 0), hole(5, 85, 9, 90, 0)}) {
    CHECK(filled(&border, {}, &count).ok());
    CHECK_EQ(count, size_t{0});
  }
  DepthMap spanning = hole(28, 20, 34, 26, 100);
  CHECK(filled(&spanning, {}, &count).ok());
  CHECK_EQ(count, size_t{0});
  DepthMap nothing = depth_of(kWidth, kHeight, kCamera, [](int, int) { return kNan; });
  CHECK(filled(&nothing, {}, &count).ok());
  CHECK_EQ(count, size_t{0});
}

TEST(fill_joins_runs_that_meet_from_below) {
  // A ring and a U: runs that are one hole only by what lies under them.
  DepthMap map = depth_of(kWidth, kHeight, kCamera, plane);
  const std::vector<const char*> picture = {"#.#", "#.#", "###"};
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 3; ++x) {
      if (picture[static_cast<size_t>(y)][x] == '#') map.depth[static_cast<size_t>((y + 40) * kWidth + x + 40)] = kNan;
    }
  }
  size_t count = 0;
  CHECK(filled(&map, {6, 40}, &count).ok());  // it has 7
  CHECK_EQ(count, size_t{0});
  CHECK(filled(&map, {7, 40}, &count).ok());
  CHECK_EQ(count, size_t{7});
}

TEST(confidence_follows_angle_silhouette_and_agreement) {
  const Ball ball{{0, 0, 600}, 60};
  const Camera camera{500, 500, 60, 45};
  DepthMap map =
      depth_of(kWidth, kHeight, camera, [&](int x, int y) { return ball_depth(ball, ray_of(camera, x, y)); });
  Executor executor(2);
  CHECK(rate_depth(&map, {3, 10, nullptr, 5}, executor, nullptr).ok());
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const size_t i = static_cast<size_t>(y * kWidth + x);
      const Vector3 ray = ray_of(camera, x, y);
      const double z = ball_depth(ball, ray);
      if (std::isnan(z)) {
        CHECK_EQ(map.confidence[i], 0.0F);
        continue;
      }
      const Vector3 normal = z * ray - ball.centre;
      const double cosine = -dot(normal, ray) / (60 * std::sqrt(dot(ray, ray)));
      CHECK(map.confidence[i] >= 0 && map.confidence[i] <= 1);
      if (cosine > 0.5) CHECK_NEAR(map.confidence[i], cosine, 0.02);  // far from the silhouette
    }
  }
  // Beside the silhouette a third of the margin's way.
  DepthMap half = depth_of(kWidth, kHeight, camera, [](int x, int) { return x < 50 ? 500.0 : kNan; });
  CHECK(rate_depth(&half, {4, 10, nullptr, 5}, executor, nullptr).ok());
  CHECK_NEAR(half.confidence[45 * kWidth + 49], 0.125, 0.01);
  CHECK_NEAR(half.confidence[45 * kWidth + 48], 0.375, 0.01);
  CHECK(half.confidence[45 * kWidth + 40] > 0.98F);
  CHECK(half.confidence[0] > 0.98F);  // the border of the map is no silhouette
  std::vector<float> other(half.size(), 505);
  other[45 * kWidth + 40] = kNan;
  DepthMap agreed = half;
  CHECK(rate_depth(&agreed, {4, 10, other.data(), 5}, executor, nullptr).ok());
  CHECK_NEAR(agreed.confidence[45 * kWidth + 30], half.confidence[45 * kWidth + 30] / 2, 1e-4);
  CHECK_EQ(agreed.confidence[45 * kWidth + 40], half.confidence[45 * kWidth + 40]);
}

TEST(bad_input_is_refused) {
  Executor executor(1);
  DepthMap map = depth_of(8, 6, kCamera, plane);
  std::vector<float> out(map.size());
  const auto refused = [](const Status& status) { return status.code() == Code::kInvalidArgument; };
  for (const BilateralOptions& options :
       {BilateralOptions{0, 1, 1}, {17, 1, 1}, {2, 0, 1}, {2, 1, 0}, {2, kNan, 1}, {2, 1, HUGE_VAL}, {2, 1, 1e-200}})
    CHECK(refused(filter_depth(map.depth.data(), 8, 6, options, executor, nullptr, out.data())));
  CHECK(refused(filter_depth(map.depth.data(), 0, 6, {}, executor, nullptr, out.data())));
  size_t count = 0;
  CHECK(refused(fill_depth(&map, {10, kNan}, executor, nullptr, &count)));
  for (const ConfidenceOptions& options :
       {ConfidenceOptions{0, 1, nullptr, 1}, {4, kNan, nullptr, 1}, {4, 1, nullptr, -1}, {1e9, 1, nullptr, 1}})
    CHECK(refused(rate_depth(&map, options, executor, nullptr)));
  for (const float value : {0.0F, -3.0F, HUGE_VALF}) {
    DepthMap bad = map;
    bad.depth[5] = value;
    CHECK(refused(fill_depth(&bad, {}, executor, nullptr, &count)));
    CHECK(refused(rate_depth(&bad, {}, executor, nullptr)));
  }
  map.camera.fy = kNan;
  CHECK(refused(rate_depth(&map, {}, executor, nullptr)));
}

TEST(cancelled_work_stops) {
  CancelToken token;
  token.cancel();
  Executor executor(2);
  DepthMap map = depth_of(kWidth, kHeight, kCamera, plane);
  map.depth[30 * kWidth + 30] = kNan;
  std::vector<float> out(map.size());
  size_t count = 0;
  const auto aborted = [](const Status& status) { return status.code() == Code::kAborted; };
  CHECK(aborted(filter_depth(map.depth.data(), kWidth, kHeight, {}, executor, &token, out.data())));
  CHECK(aborted(fill_depth(&map, {}, executor, &token, &count)));
  CHECK(aborted(rate_depth(&map, {}, executor, &token)));
}

TEST_MAIN()
