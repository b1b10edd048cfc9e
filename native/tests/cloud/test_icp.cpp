// Registration: clouds that were moved come back.
#include <algorithm>

#include "cloud/icp.h"
#include "cloud/normals.h"
#include "tests/check.h"
#include "tests/cloud/clouds.h"

using namespace lineament;

namespace {

using clouds::Vector;

// As lib/reconstruction/icp.ts has them.
IcpRule face_rule() {
  IcpRule rule;
  rule.levels = {{8, 60}, {4, 20}, {2, 8}, {1, 4}};
  return rule;
}

Vector apply(const RigidTransform& t, const float* p) {
  Vector out;
  for (size_t r = 0; r < 3; ++r) {
    out[r] = t.translation[r];
    for (size_t c = 0; c < 3; ++c) out[r] += t.rotation[3 * r + c] * static_cast<double>(p[c]);
  }
  return out;
}

// A turn about an axis through `middle`, then a shift.
RigidTransform motion(const Vector& axis, double degrees, const Vector& shift, const Vector& middle) {
  const double length = std::sqrt(axis[0] * axis[0] + axis[1] * axis[1] + axis[2] * axis[2]);
  const double x = axis[0] / length, y = axis[1] / length, z = axis[2] / length;
  const double s = std::sin(degrees * std::numbers::pi / 180), c = std::cos(degrees * std::numbers::pi / 180),
               k = 1 - c;
  RigidTransform out{{c + x * x * k, x * y * k - z * s, x * z * k + y * s, x * y * k + z * s, c + y * y * k,
                      y * z * k - x * s, x * z * k - y * s, y * z * k + x * s, c + z * z * k},
                     {}};
  for (size_t r = 0; r < 3; ++r) {
    out.translation[r] = middle[r] + shift[r];
    for (size_t i = 0; i < 3; ++i) out.translation[r] -= out.rotation[3 * r + i] * middle[i];
  }
  return out;
}

PointCloud moved(const PointCloud& cloud, const RigidTransform& by) {
  PointCloud out;
  for (size_t i = 0; i < cloud.size(); ++i) {
    const Vector p = apply(by, &cloud.positions[3 * i]);
    clouds::push(out, p[0], p[1], p[2]);
  }
  return out;
}

void add_normals(PointCloud& cloud, Executor& executor) {
  NormalRule rule;
  rule.neighbours = 20;
  cloud.normals = estimate_normals(view(cloud), rule, executor, nullptr).value();
}

// How far the points are from where they came from, root mean square.
double residue(const PointCloud& source, const PointCloud& truth, const RigidTransform& found) {
  double sum = 0;
  for (size_t i = 0; i < source.size(); ++i) {
    const Vector p = apply(found, &source.positions[3 * i]);
    for (size_t c = 0; c < 3; ++c) {
      const double d = p[c] - static_cast<double>(truth.positions[3 * i + c]);
      sum += d * d;
    }
  }
  return std::sqrt(sum / static_cast<double>(source.size()));
}

constexpr Vector kMiddle = {0, 0, 520};

}  // namespace

TEST(a_face_comes_back_from_15_degrees_and_20_millimetres) {
  Executor executor(2);
  PointCloud target = clouds::face(15000, 0.1, 1);
  add_normals(target, executor);
  const PointCloud truth = clouds::face(6000, 0.1, 2);
  std::mt19937 random(3);
  std::normal_distribution<double> gauss;
  double worst = 0;
  for (int round = 0; round < 3; ++round) {
    Vector shift = {gauss(random), gauss(random), gauss(random)};
    const double length = std::sqrt(shift[0] * shift[0] + shift[1] * shift[1] + shift[2] * shift[2]);
    for (double& v : shift) v *= 20 / length;
    const Vector axis = {gauss(random), gauss(random), gauss(random)};
    const PointCloud source = moved(truth, motion(axis, 15, shift, kMiddle));
    for (const RobustLoss loss : {RobustLoss::kTukey, RobustLoss::kHuber}) {
      IcpRule rule = face_rule();
      rule.loss = loss;
      const auto found = register_clouds(view(source), view(target), rule, executor, nullptr);
      CHECK(found.ok());
      const double error = residue(source, truth, found.value().transform);
      worst = std::max(worst, error);
      CHECK(error < 0.5);
      CHECK(found.value().fitness > 0.95);
      CHECK(found.value().inlier_rmse < 0.3);
      CHECK(found.value().converged);
    }
  }
  std::printf("    face from 15 degrees and 20 mm: at most %.3f mm RMS\n", worst);
}

TEST(losses_forgive_what_does_not_belong) {
  Executor executor(2);
  PointCloud target = clouds::face(20000, 0.1, 4);
  add_normals(target, executor);
  const PointCloud truth = clouds::face(6000, 0.1, 5);
  PointCloud source = moved(truth, motion({1, 2, 0.5}, 6, {5, -4, 6}, kMiddle));
  // A sixth more points half a centimetre off: a hand before the face, say.
  for (const float v : clouds::cube(1000, 60, 6).positions) source.positions.push_back(v);
  for (size_t i = truth.size(); i < source.size(); ++i) {
    float* p = &source.positions[3 * i];
    p[0] -= 30;
    p[2] = static_cast<float>(clouds::face_depth(static_cast<double>(p[0]), static_cast<double>(p[1]))) - 8;
  }
  PointCloud seen = source;
  seen.positions.resize(truth.positions.size());
  const auto error = [&](RobustLoss loss) {
    IcpRule rule = face_rule();
    rule.levels.back().max_distance = 20;
    rule.levels.back().loss_scale = 2;
    rule.loss = loss;
    const auto found = register_clouds(view(source), view(target), rule, executor, nullptr);
    return residue(seen, truth, found.value().transform);
  };
  const double none = error(RobustLoss::kNone), huber = error(RobustLoss::kHuber), tukey = error(RobustLoss::kTukey);
  std::printf("    with a hand before the face: %.2f mm (squares), %.2f (Huber), %.2f (Tukey)\n", none, huber, tukey);
  CHECK(tukey < 0.3 && huber < none && tukey < none);
}

TEST(a_torus_comes_back_and_a_plane_does_not_slide) {
  Executor executor(2);
  PointCloud ring = clouds::torus(20000, 60, 20, 0, 7).cloud;
  add_normals(ring, executor);
  const PointCloud truth = clouds::torus(5000, 60, 20, 0, 8).cloud;
  const RigidTransform there = motion({0.2, 1, 0}, 10, {4, 5, -6}, {0, 0, 0});
  const PointCloud source = moved(truth, there);
  const auto found = register_clouds(view(source), view(ring), face_rule(), executor, nullptr);
  double sum = 0;  // distance to the surface: a torus may turn about its axis
  for (size_t i = 0; i < source.size(); ++i) {
    const Vector p = apply(found.value().transform, &source.positions[3 * i]);
    const double d = std::hypot(std::hypot(p[0], p[1]) - 60, p[2]) - 20;
    sum += d * d;
  }
  CHECK(std::sqrt(sum / static_cast<double>(source.size())) < 0.1);

  PointCloud plane, above;
  std::mt19937 random(9);
  std::uniform_real_distribution<double> at(-50, 50);
  for (int i = 0; i < 4000; ++i) clouds::push(plane, at(random), at(random), 300);
  add_normals(plane, executor);
  for (size_t i = 0; i < plane.size(); i += 3) {
    const float* p = &plane.positions[3 * i];
    clouds::push(above, static_cast<double>(p[0]) * 0.5, static_cast<double>(p[1]) * 0.5, 307);
  }
  const auto flat = register_clouds(view(above), view(plane), face_rule(), executor, nullptr);
  CHECK_NEAR(flat.value().transform.translation[2], -7, 0.01);
  CHECK_NEAR(flat.value().transform.translation[0], 0, 0.01);
  CHECK_NEAR(flat.value().transform.translation[1], 0, 0.01);
  for (size_t i = 0; i < 9; ++i) CHECK_NEAR(flat.value().transform.rotation[i], i % 4 == 0 ? 1 : 0, 1e-4);
}

TEST(a_start_brings_far_clouds_together) {
  Executor executor(2);
  PointCloud target = clouds::face(20000, 0, 10);
  add_normals(target, executor);
  const PointCloud truth = clouds::face(4000, 0, 11);
  const RigidTransform there = motion({0, 1, 0}, 90, {300, 0, 0}, kMiddle);
  const PointCloud source = moved(truth, there);
  IcpRule rule = face_rule();
  CHECK(residue(source, truth, register_clouds(view(source), view(target), rule, executor, nullptr).value().transform) >
        50);
  rule.start = motion({0, 1, 0}, -85, {0, 0, 0}, kMiddle);
  const Vector back = {-295, 5, 0};  // the shift, turned back with the rest
  const double c = std::cos(85 * std::numbers::pi / 180), s = std::sin(85 * std::numbers::pi / 180);
  rule.start.translation[0] += c * back[0] - s * back[2];
  rule.start.translation[1] += back[1];
  rule.start.translation[2] += s * back[0] + c * back[2];
  const auto found = register_clouds(view(source), view(target), rule, executor, nullptr);
  CHECK(residue(source, truth, found.value().transform) < 0.3);
  // Nothing near: an answer that says so.
  rule.start.translation[0] += 1e5;
  const auto lost = register_clouds(view(source), view(target), rule, executor, nullptr);
  CHECK(lost.ok());
  CHECK_EQ(lost.value().fitness, 0.0);
  CHECK(!lost.value().converged);
}

TEST(bad_input_is_refused) {
  Executor executor(2);
  PointCloud good = clouds::face(200, 0, 12), two, empty;
  add_normals(good, executor);
  clouds::push(two, 0, 0, 1);
  clouds::push(two, 0, 1, 1);
  two.normals.assign(6, 0);
  const auto code = [&](const PointCloud& a, const PointCloud& b, const IcpRule& rule) {
    return register_clouds(view(a), view(b), rule, executor, nullptr).status().code();
  };
  CHECK(code(good, good, face_rule()) == Code::kOk);
  CHECK(code(two, good, face_rule()) == Code::kNoSurface);
  CHECK(code(good, two, face_rule()) == Code::kNoSurface);
  CHECK(code(empty, good, face_rule()) == Code::kNoSurface);
  PointCloud bare = good;
  bare.normals.clear();
  CHECK(code(good, bare, face_rule()) == Code::kInvalidArgument);
  for (PointCloud& bad : clouds::faulty()) {
    CHECK(code(bad, good, face_rule()) == Code::kInvalidArgument);
    bad.normals.assign(bad.positions.size(), 0);
    CHECK(code(good, bad, face_rule()) == Code::kInvalidArgument);
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const IcpLevel& level :
       {IcpLevel{-1, 5, 0, 9}, IcpLevel{1, 0, 0, 9}, IcpLevel{1, nan, 0, 9}, IcpLevel{nan, 5, 0, 9},
        IcpLevel{1, 5, -1, 9}, IcpLevel{1, 5, 0, 10001}, IcpLevel{1e-9, 5, 0, 9}}) {
    IcpRule rule;
    rule.levels = {level};
    CHECK(code(good, good, rule) == Code::kInvalidArgument);
  }
  IcpRule none;
  CHECK(code(good, good, none) == Code::kInvalidArgument);
  for (const double wrong : {nan, 2.0, -1.0}) {
    IcpRule rule = face_rule();
    rule.start.rotation[0] = wrong;
    CHECK(code(good, good, rule) == Code::kInvalidArgument);
  }
  // Clouds that determine nothing: normals of 0, all points the same.
  PointCloud same;
  for (int i = 0; i < 100; ++i) clouds::push(same, 1, 2, 3);
  same.normals.assign(300, 0);
  CHECK(code(same, same, face_rule()) == Code::kOk);
}

TEST(registration_is_the_same_for_any_number_of_threads_and_stops_when_asked) {
  Executor one(1), four(4);
  PointCloud target = clouds::face(20000, 0.2, 13);
  add_normals(target, four);
  const PointCloud source = moved(clouds::face(4000, 0.2, 14), motion({1, 1, 1}, 8, {4, 4, 4}, kMiddle));
  const auto a = register_clouds(view(source), view(target), face_rule(), one, nullptr);
  const auto b = register_clouds(view(source), view(target), face_rule(), four, nullptr);
  CHECK(std::memcmp(&a.value().transform, &b.value().transform, sizeof(RigidTransform)) == 0);
  CHECK_EQ(a.value().iterations, b.value().iterations);
  CancelToken token;
  token.cancel();
  CHECK(register_clouds(view(source), view(target), face_rule(), one, &token).status().code() == Code::kAborted);
}

TEST_MAIN()
