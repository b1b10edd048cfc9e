#include <algorithm>
#include <limits>

#include "depth/align.h"
#include "depth/sensor.h"
#include "tests/check.h"
#include "tests/depth/surfaces.h"

using namespace lineament;
using namespace lineament::test;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
const Camera kCamera{400, 400, 80, 60};
constexpr int kWidth = 160, kHeight = 120;

double truth(int x, int y) { return 600 + 80 * std::sin(x * 0.05) * std::cos(y * 0.04) + 0.3 * x; }

// Known in the middle only, as a face is.
DepthMap reference() {
  DepthMap map = depth_of(kWidth, kHeight, kCamera,
                          [](int x, int y) { return x > 30 && x < 130 && y > 20 && y < 100 ? truth(x, y) : kNan; });
  map.confidence.assign(map.size(), 0.9F);
  return map;
}

// What a network would say: 1/Z up to scale and shift, with noise, and nonsense at a share of its pixels.
std::vector<float> relative(RelativeKind kind, double noise, double nonsense) {
  Random random(5);
  std::vector<float> values;
  for (int y = 0; y < kHeight; ++y) {
    for (int x = 0; x < kWidth; ++x) {
      const double z = truth(x, y);
      double value = kind == RelativeKind::kInverse ? (1 / z - 0.0004) / 3e-5 : (z - 350) / 40;
      value += noise * random.normal();
      // All to one side, which plain least squares cannot stand.
      if (random.uniform() < nonsense) value += 5 + 20 * random.uniform();
      values.push_back(static_cast<float>(value));
    }
  }
  return values;
}

Status align(const std::vector<float>& values, RelativeKind kind, const DepthMap& to, Alignment* out,
             size_t threads = 1) {
  Executor executor(threads);
  return align_depth({values.data(), kWidth, kHeight, kind}, to, {}, executor, nullptr, out);
}

}  // namespace

TEST(alignment_finds_scale_and_shift) {
  for (const RelativeKind kind : {RelativeKind::kInverse, RelativeKind::kDepth}) {
    Alignment found;
    CHECK(align(relative(kind, 0, 0), kind, reference(), &found).ok());
    const bool inverse = kind == RelativeKind::kInverse;
    CHECK_NEAR(found.scale, inverse ? 3e-5 : 40, inverse ? 1e-9 : 1e-2);
    CHECK_NEAR(found.shift, inverse ? 0.0004 : 350, inverse ? 1e-8 : 0.1);
    CHECK(found.inliers > 0.99);
    double worst = 0;
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x)
        worst = std::max(worst, std::abs(found.map.depth[static_cast<size_t>(y * kWidth + x)] - truth(x, y)));
    }
    CHECK(worst < 0.1);  // also where the reference knows nothing
    CHECK(found.map.confidence[60 * kWidth + 80] > 0.99F);
    CHECK_NEAR(found.map.confidence[5], 0.5, 0.01);
  }
}

TEST(alignment_withstands_nonsense) {
  for (const RelativeKind kind : {RelativeKind::kInverse, RelativeKind::kDepth}) {
    Alignment found;
    CHECK(align(relative(kind, 0.05, 0.35), kind, reference(), &found).ok());
    const bool inverse = kind == RelativeKind::kInverse;
    CHECK_NEAR(found.scale / (inverse ? 3e-5 : 40), 1, 0.01);
    CHECK_NEAR(found.inliers, 0.65, 0.03);
    const auto off = [&](int x, int y) { return found.map.depth[static_cast<size_t>(y * kWidth + x)] - truth(x, y); };
    std::vector<double> all;
    for (int y = 25; y < 95; ++y) {
      for (int x = 35; x < 125; ++x) all.push_back(std::isnan(off(x, y)) ? 1e9 : std::abs(off(x, y)));
    }
    std::nth_element(all.begin(), all.begin() + static_cast<long>(all.size() / 2), all.end());
    CHECK(all[all.size() / 2] < 2.5);
    // What does not agree is not believed.
    double trusted = 0, doubted = 0;
    size_t n = 0, m = 0;
    for (int y = 25; y < 95; ++y) {
      for (int x = 35; x < 125; ++x) {
        const float c = found.map.confidence[static_cast<size_t>(y * kWidth + x)];
        const double error = std::abs(off(x, y));
        if (error < 3)
          trusted += c, ++n;
        else
          doubted += c, ++m;
      }
    }
    CHECK(trusted / static_cast<double>(n) > 0.9);
    CHECK(doubted / static_cast<double>(m) < 0.6);
  }
}

TEST(alignment_reads_smaller_grids) {
  std::vector<float> values;
  for (int y = 0; y < 30; ++y) {
    for (int x = 0; x < 40; ++x) {
      // Linear over the map, as seen from the middle of each cell.
      values.push_back(static_cast<float>((x + 0.5) * 4 + 2 * (y + 0.5) * 4));
    }
  }
  const DepthMap map = depth_of(kWidth, kHeight, kCamera, [](int x, int y) { return 500 + (x + 0.5) + 2 * (y + 0.5); });
  Executor executor(2);
  Alignment found;
  CHECK(align_depth({values.data(), 40, 30, RelativeKind::kDepth}, map, {}, executor, nullptr, &found).ok());
  CHECK_NEAR(found.scale, 1, 1e-3);
  for (int y = 2; y < kHeight - 2; ++y) {
    for (int x = 2; x < kWidth - 2; ++x)
      CHECK_NEAR(found.map.depth[static_cast<size_t>(y * kWidth + x)], 501.5 + x + 2 * y, 0.1);
  }
}

TEST(alignment_that_cannot_be_says_so) {
  Alignment found;
  const auto code = [&](const std::vector<float>& values, const DepthMap& to) {
    return align(values, RelativeKind::kInverse, to, &found).code();
  };
  const std::vector<float> good = relative(RelativeKind::kInverse, 0, 0);
  for (const float value : {0.0F, 3.0F, kNan})
    CHECK(code(std::vector<float>(good.size(), value), reference()) == Code::kNoSurface);
  std::vector<float> turned = good;
  for (float& v : turned) v = -v;
  CHECK(code(turned, reference()) == Code::kNoSurface);
  CHECK(code(good, depth_of(kWidth, kHeight, kCamera, [](int, int) { return kNan; })) == Code::kNoSurface);
  CHECK(code(good, depth_of(kWidth, kHeight, kCamera, [](int x, int y) { return x < 7 && y < 9 ? 500 : kNan; })) ==
        Code::kNoSurface);
  DepthMap bad = reference();
  bad.depth[3] = -1;
  CHECK(code(good, bad) == Code::kInvalidArgument);
  Executor executor(1);
  CHECK(align_depth({good.data(), 0, 5, RelativeKind::kDepth}, reference(), {}, executor, nullptr, &found).code() ==
        Code::kInvalidArgument);
  CHECK(align_depth({good.data(), kWidth, kHeight, RelativeKind::kDepth}, reference(), {0, 1, 2}, executor, nullptr,
                    &found)
            .code() == Code::kInvalidArgument);
  CancelToken token;
  token.cancel();
  CHECK(align_depth({good.data(), kWidth, kHeight, RelativeKind::kInverse}, reference(), {}, executor, &token, &found)
            .code() == Code::kAborted);
  // Infinite values give no depth where they are.
  std::vector<float> holes = good;
  holes[60 * kWidth + 60] = HUGE_VALF;
  CHECK(align(holes, RelativeKind::kInverse, reference(), &found).ok());
  CHECK(std::isnan(found.map.depth[60 * kWidth + 60]));
  CHECK_EQ(found.map.confidence[60 * kWidth + 60], 0.0F);
}

TEST(alignment_any_number_of_threads_gives_the_same_bytes) {
  const std::vector<float> values = relative(RelativeKind::kInverse, 0.1, 0.1);
  Alignment one, many;
  CHECK(align(values, RelativeKind::kInverse, reference(), &one).ok());
  CHECK(align(values, RelativeKind::kInverse, reference(), &many, 5).ok());
  CHECK(std::memcmp(one.map.depth.data(), many.map.depth.data(), one.map.size() * sizeof(float)) == 0);
  CHECK(std::memcmp(one.map.confidence.data(), many.map.confidence.data(), one.map.size() * sizeof(float)) == 0);
}

TEST(steps_become_millimetres_and_steps_again) {
  std::vector<uint16_t> steps(70000);
  for (size_t i = 0; i < steps.size(); ++i) steps[i] = static_cast<uint16_t>(i);
  std::vector<float> depth(steps.size());
  Executor executor(2);
  CHECK(depth_from_steps(steps.data(), steps.size(), {0.25, 100, 16000}, executor, nullptr, depth.data()).ok());
  CHECK(std::isnan(depth[0]) && std::isnan(depth[399]) && std::isnan(depth[64001]) && std::isnan(depth[65536]));
  CHECK_EQ(depth[400], 100.0F);
  CHECK_EQ(depth[64000], 16000.0F);
  std::vector<uint16_t> back(steps.size());
  CHECK(steps_from_depth(depth.data(), depth.size(), 0.25, executor, nullptr, back.data()).ok());
  for (size_t i = 0; i < steps.size(); ++i) CHECK_EQ(back[i], steps[i] >= 400 && steps[i] <= 64000 ? steps[i] : 0);
  const std::vector<float> odd = {kNan, -5, 0.1F, HUGE_VALF, 1e9F, 0.6F};
  CHECK(steps_from_depth(odd.data(), odd.size(), 1, executor, nullptr, back.data()).ok());
  for (size_t i = 0; i < 5; ++i) CHECK_EQ(back[i], 0);
  CHECK_EQ(back[5], 1);
  for (const SensorOptions& options :
       {SensorOptions{0, 0, 1}, {-1, 0, 1}, {kNan, 0, 1}, {1, 5, 5}, {1, kNan, 9}, {1, 0, kNan}})
    CHECK(depth_from_steps(steps.data(), 4, options, executor, nullptr, depth.data()).code() == Code::kInvalidArgument);
  CHECK(depth_from_steps(steps.data(), 0, {}, executor, nullptr, depth.data()).ok());
  CancelToken token;
  token.cancel();
  CHECK(depth_from_steps(steps.data(), 9, {}, executor, &token, depth.data()).code() == Code::kAborted);
}

TEST_MAIN()
