// Normals of clouds and of depth maps beside those that the formula gives.
#include "cloud/normals.h"
#include "cloud/project.h"
#include "cloud/symmetric3.h"
#include "tests/check.h"
#include "tests/cloud/clouds.h"

using namespace lineament;

namespace {

double degrees_between(const float* a, const clouds::Vector& b) {
  double dot = 0;
  for (size_t c = 0; c < 3; ++c) dot += static_cast<double>(a[c]) * b[c];
  return std::acos(std::min(1.0, std::abs(dot))) * 180 / std::numbers::pi;
}

// Root mean square of the angles between lines.
double error(const std::vector<float>& normals, const std::vector<clouds::Vector>& exact) {
  double sum = 0;
  for (size_t i = 0; i < exact.size(); ++i) {
    const double angle = degrees_between(&normals[3 * i], exact[i]);
    sum += angle * angle;
  }
  return std::sqrt(sum / static_cast<double>(exact.size()));
}

DepthView view_of(const std::vector<float>& depth, int width, int height, double focal) {
  return {width, height, depth.data(), nullptr, {focal, focal, width / 2.0, height / 2.0}};
}

bool none(const float* n) { return n[0] == 0 && n[1] == 0 && n[2] == 0; }

}  // namespace

TEST(least_direction_is_an_eigenvector) {
  std::mt19937 random(1);
  std::normal_distribution<double> gauss;
  for (int round = 0; round < 3000; ++round) {
    // A = Σ v vᵀ of a few vectors, squeezed by a factor from 1 to 10⁻⁶ along one axis.
    const double squeeze = std::pow(10, -6.0 * (round % 7) / 6), size = std::pow(10, round % 13 - 6);
    Symmetric3 m;
    for (int i = 0; i < 9; ++i) {
      const double x = size * gauss(random), y = size * gauss(random), z = squeeze * size * gauss(random) + x - 2 * y;
      m.xx += x * x;
      m.xy += x * y;
      m.xz += x * z;
      m.yy += y * y;
      m.yz += y * z;
      m.zz += z * z;
    }
    double n[3], values[3];
    CHECK(least_direction(m, n, values));
    CHECK(values[0] <= values[1] && values[1] <= values[2]);
    CHECK_NEAR(n[0] * n[0] + n[1] * n[1] + n[2] * n[2], 1, 1e-12);
    const double back[3] = {m.xx * n[0] + m.xy * n[1] + m.xz * n[2], m.xy * n[0] + m.yy * n[1] + m.yz * n[2],
                            m.xz * n[0] + m.yz * n[1] + m.zz * n[2]};
    for (int c = 0; c < 3; ++c) CHECK_NEAR(back[c], values[0] * n[c], 1e-9 * values[2]);
  }
  double n[3], values[3];
  CHECK(!least_direction({}, n, values));
  CHECK(!least_direction({1, 0, 0, 1, 0, 1}, n, values));
  CHECK(!least_direction({4, 2, 2, 1, 1, 1}, n, values));  // a line
  CHECK(least_direction({1, 0, 0, 1, 0, 0}, n, values));
  CHECK_NEAR(std::abs(n[2]), 1, 1e-15);
}

TEST(normals_of_a_sphere_and_a_torus) {
  Executor executor(2);
  const clouds::Surface ball = clouds::sphere(20000, 100, {0, 0, 500}, 0, 2);
  NormalRule rule;
  rule.viewpoint[2] = 500;
  const auto found = estimate_normals(view(ball.cloud), rule, executor, nullptr);
  CHECK(found.ok());
  std::printf("    sphere of 20 000 points: %.3f degrees RMS\n", error(found.value(), ball.normals));
  CHECK(error(found.value(), ball.normals) < 0.5);
  for (size_t i = 0; i < ball.cloud.size(); ++i) {  // towards the middle
    double dot = 0;
    for (size_t c = 0; c < 3; ++c) dot += static_cast<double>(found.value()[3 * i + c]) * ball.normals[i][c];
    CHECK(dot < 0);
  }
  const clouds::Surface noisy = clouds::sphere(20000, 100, {0, 0, 500}, 0.2, 2);
  const auto rough = estimate_normals(view(noisy.cloud), {60, 0, {0, 0, 0}}, executor, nullptr);
  std::printf("    with noise of 0.2 mm, 60 neighbours: %.3f degrees RMS\n", error(rough.value(), noisy.normals));
  CHECK(error(rough.value(), noisy.normals) < 2);
  const clouds::Surface ring = clouds::torus(30000, 60, 20, 0, 3);
  const auto turned = estimate_normals(view(ring.cloud), {20, 0, {0, 0, 900}}, executor, nullptr);
  std::printf("    torus of 30 000 points: %.3f degrees RMS\n", error(turned.value(), ring.normals));
  CHECK(error(turned.value(), ring.normals) < 1.2);
}

TEST(radius_bounds_the_neighbours) {
  // Two parallel sheets 3 mm apart: thirty neighbours mix them where points are sparse, those within 2 mm never.
  PointCloud sheets;
  std::mt19937 random(4);
  std::uniform_real_distribution<double> at(0, 30);
  for (int i = 0; i < 1200; ++i) clouds::push(sheets, at(random), at(random), i % 2 * 3);
  Executor executor(2);
  const auto near = estimate_normals(view(sheets), {30, 2, {0, 0, -100}}, executor, nullptr);
  size_t known = 0;
  for (size_t i = 0; i < sheets.size(); ++i) {
    const float* n = &near.value()[3 * i];
    if (none(n)) continue;
    ++known;
    CHECK_NEAR(static_cast<double>(n[2]), -1, 1e-6);
  }
  CHECK(known > 1150);
}

TEST(where_there_is_no_normal) {
  Executor executor(2);
  PointCloud line, same, two;
  for (int i = 0; i < 100; ++i) clouds::push(line, i, 2 * i, -i);
  for (int i = 0; i < 100; ++i) clouds::push(same, 1, 2, 3);
  for (int i = 0; i < 2; ++i) clouds::push(two, i, 0, 0);
  for (const PointCloud* cloud : {&line, &same, &two}) {
    const auto found = estimate_normals(view(*cloud), {}, executor, nullptr);
    CHECK(found.ok());
    for (size_t i = 0; i < cloud->size(); ++i) CHECK(none(&found.value()[3 * i]));
  }
  CHECK(estimate_normals(CloudView(), {}, executor, nullptr).value().empty());
}

TEST(bad_rules_and_clouds_are_refused) {
  Executor executor(2);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const PointCloud cloud = clouds::cube(50, 1, 1);
  for (const NormalRule& rule : {NormalRule{2, 0, {}}, NormalRule{1025, 0, {}}, NormalRule{10, -1, {}},
                                 NormalRule{10, nan, {}}, NormalRule{10, 0, {0, nan, 0}}}) {
    CHECK(estimate_normals(view(cloud), rule, executor, nullptr).status().code() == Code::kInvalidArgument);
  }
  for (const PointCloud& bad : clouds::faulty()) {
    CHECK(estimate_normals(view(bad), {}, executor, nullptr).status().code() == Code::kInvalidArgument);
  }
  CancelToken token;
  token.cancel();
  CHECK(estimate_normals(view(cloud), {}, executor, &token).status().code() == Code::kAborted);
}

TEST(normals_are_the_same_for_any_number_of_threads) {
  PointCloud cloud = clouds::face(30000, 0.2, 5);
  for (const float v : clouds::cube(300, 500, 6).positions) cloud.positions.push_back(v);
  Executor one(1), four(4);
  CHECK(estimate_normals(view(cloud), {}, one, nullptr).value() ==
        estimate_normals(view(cloud), {}, four, nullptr).value());
}

TEST(depth_normals_of_a_plane_are_exact) {
  constexpr int kWidth = 64, kHeight = 48;
  const double n[3] = {0.3, -0.2, -std::sqrt(1 - 0.13)}, focal = 60;
  std::vector<float> depth(kWidth * kHeight);
  for (int j = 0; j < kHeight; ++j) {
    for (int i = 0; i < kWidth; ++i) {
      const double x = (i + 0.5 - kWidth / 2.0) / focal, y = (j + 0.5 - kHeight / 2.0) / focal;
      depth[static_cast<size_t>(j * kWidth + i)] = static_cast<float>(-400 / (n[0] * x + n[1] * y + n[2]));
    }
  }
  Executor executor(2);
  const auto found = depth_normals(view_of(depth, kWidth, kHeight, focal), 0, {}, executor, nullptr);
  for (size_t i = 0; i < depth.size(); ++i) {
    for (size_t c = 0; c < 3; ++c) CHECK_NEAR(static_cast<double>(found.value()[3 * i + c]), n[c], 2e-4);
  }
}

TEST(depth_normals_of_a_sphere_and_a_step) {
  constexpr int kWidth = 200, kHeight = 200;
  const double focal = 400, radius = 90, middle = 500;
  std::vector<float> depth(kWidth * kHeight, std::numeric_limits<float>::quiet_NaN());
  std::vector<clouds::Vector> exact(depth.size());
  for (int j = 0; j < kHeight; ++j) {
    for (int i = 0; i < kWidth; ++i) {
      const double x = (i + 0.5 - kWidth / 2.0) / focal, y = (j + 0.5 - kHeight / 2.0) / focal;
      const double a = x * x + y * y + 1, b = -2 * middle, c = middle * middle - radius * radius;
      const double inside = b * b - 4 * a * c;
      const size_t pixel = static_cast<size_t>(j * kWidth + i);
      const double z = inside > 0 ? (-b - std::sqrt(inside)) / (2 * a) : 900;  // a wall behind
      depth[pixel] = static_cast<float>(z);
      exact[pixel] =
          inside > 0 ? clouds::Vector{x * z / radius, y * z / radius, (z - middle) / radius} : clouds::Vector{0, 0, -1};
    }
  }
  Executor executor(2);
  const DepthView map = view_of(depth, kWidth, kHeight, focal);
  const auto found = depth_normals(map, 0, {}, executor, nullptr);
  double sum = 0;
  size_t count = 0;
  for (size_t i = 0; i < depth.size(); ++i) {
    const float* n = &found.value()[3 * i];
    const bool wall = depth[i] == 900;
    if (!wall && exact[i][2] > -0.3) continue;  // seen from the side a pixel spans several millimetres of depth
    const double angle = none(n) ? 90 : degrees_between(n, exact[i]);
    CHECK(wall ? angle < 0.05 : angle < 12);
    CHECK(static_cast<double>(n[2]) < 0);
    sum += angle * angle;
    ++count;
  }
  std::printf("    sphere before a wall, depth grid: %.3f degrees RMS\n", std::sqrt(sum / static_cast<double>(count)));
  CHECK(std::sqrt(sum / static_cast<double>(count)) < 0.6);
  // Of a pixel alone, and of one row, no plane is known.
  std::vector<float> row(50, 500.0F), one(1, 500.0F);
  CHECK(none(depth_normals(view_of(one, 1, 1, 50), 0, {}, executor, nullptr).value().data()));
  CHECK(none(depth_normals(view_of(row, 50, 1, 50), 0, {}, executor, nullptr).value().data() + 30));
}

TEST_MAIN()
