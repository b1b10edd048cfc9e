#include "mesh/tsdf.h"

#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "tests/check.h"
#include "tests/mesh/views.h"

using namespace lineament;
using surfaces::View;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

VolumeOptions around(double half, double voxel, double truncation) {
  VolumeOptions options;
  options.low.fill(-half);
  options.high.fill(half);
  options.voxel = voxel;
  options.truncation = truncation;
  options.carve = 1e9;
  return options;
}

std::shared_ptr<TsdfVolume> make(const VolumeOptions& options) {
  auto made = TsdfVolume::make(options);
  CHECK(made.ok());
  return made.ok() ? made.value() : nullptr;
}

Status fuse(TsdfVolume& volume, const FusionFrame& frame, size_t threads = 2, const CancelToken* token = nullptr) {
  Executor executor(threads);
  IntegrateReport report;
  return volume.integrate(frame, executor, token, &report);
}

TriangleMesh extract(const TsdfVolume& volume, size_t threads = 2) {
  Executor executor(threads);
  TriangleMesh mesh;
  CHECK(volume.extract(0, executor, nullptr, &mesh).ok());
  return mesh;
}

TriangleMesh fuse_all(const std::vector<View>& views, const VolumeOptions& options, size_t threads = 2) {
  const auto volume = make(options);
  for (const View& view : views) CHECK(fuse(*volume, view.frame(options.coloured), threads).ok());
  return extract(*volume, threads);
}

// A plane across the line of sight, 300 mm away, with noise.
View noisy_plane(double sigma, unsigned seed) {
  View view = surfaces::look([](double, double, double z) { return 300 - z; }, kIdentityPose, 160, 120, 200);
  std::mt19937 random(seed);
  for (float& depth : view.depth) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += random() / 4294967296.0;
    depth += static_cast<float>(sigma * sum);
  }
  return view;
}

}  // namespace

TEST(a_sphere_seen_from_all_around) {
  const auto distance = surfaces::sphere(50);
  const TriangleMesh mesh = fuse_all(surfaces::look_around(distance, 5, 128, 280, 200), around(70, 2, 6));
  const MeshReport report = surfaces::inspect(mesh);
  CHECK(report.watertight);
  CHECK(report.oriented);
  CHECK_EQ(report.euler, 2);
  CHECK_EQ(report.non_manifold_vertices, size_t{0});
  CHECK(report.volume > 0);
  std::printf("    sphere: RMS %.4f mm, farthest %.4f mm\n", surfaces::rms(mesh, distance),
              surfaces::farthest(mesh, distance));
  CHECK(surfaces::rms(mesh, distance) < 0.03);
  CHECK(surfaces::farthest(mesh, distance) < 0.5);
  // Colours say where a vertex lies.
  double sum = 0;
  for (size_t i = 0; i < mesh.positions.size(); ++i) {
    const double off = static_cast<double>(mesh.positions[i]) + 128 - mesh.colours[i];
    sum += off * off;
  }
  CHECK(std::sqrt(sum / static_cast<double>(mesh.positions.size())) < 1.5);
}

TEST(a_torus_seen_from_all_around) {
  const auto upright = surfaces::torus(50, 20);
  const TriangleMesh mesh = fuse_all(surfaces::look_around(upright, 6, 128, 300, 190), around(90, 2, 6));
  const MeshReport report = surfaces::inspect(mesh);
  CHECK(report.watertight);
  CHECK_EQ(report.euler, 0);
  std::printf("    torus: RMS %.4f mm, farthest %.4f mm\n", surfaces::rms(mesh, upright),
              surfaces::farthest(mesh, upright));
  CHECK(surfaces::rms(mesh, upright) < 0.16);
}

TEST(noise_averages_out) {
  const auto options = [] {
    VolumeOptions out;
    out.low = {-150, -100, 250};
    out.high = {150, 100, 350};
    out.voxel = 2;
    out.truncation = 8;
    out.carve = 1e9;
    out.coloured = false;
    return out;
  }();
  const auto distance = [](double, double, double z) { return z - 300; };
  std::vector<View> views;
  for (unsigned seed = 1; seed <= 16; ++seed) views.push_back(noisy_plane(1.5, seed));
  const double one = surfaces::rms(fuse_all({views[0]}, options), distance);
  const double all = surfaces::rms(fuse_all(views, options), distance);
  std::printf("    plane with 1.5 mm of noise: RMS %.3f mm from one frame, %.3f mm from 16\n", one, all);
  CHECK(one < 1.5);
  CHECK(all < 0.4 * one);
}

TEST(free_space_takes_away_what_was_wrong) {
  const auto distance = surfaces::sphere(50);
  std::vector<View> views = surfaces::look_around(distance, 3, 100, 250, 150);
  View wrong = views[0];
  // A spot that floats 20 mm in front of the sphere in one frame.
  for (int y = 47; y < 53; ++y) {
    for (int x = 47; x < 53; ++x) wrong.depth[static_cast<size_t>(y * 100 + x)] = 180;
  }
  std::vector<View> with = {wrong};
  for (int i = 0; i < 3; ++i) with.insert(with.end(), views.begin(), views.end());
  const MeshReport carved = surfaces::inspect(fuse_all(with, around(80, 2, 6)));
  CHECK_EQ(carved.components, size_t{1});
  VolumeOptions near = around(80, 2, 6);
  near.carve = near.truncation;
  CHECK(surfaces::inspect(fuse_all(with, near)).components > 1);
}

TEST(a_single_frame_leaves_a_border_and_faces_the_camera) {
  const auto distance = surfaces::sphere(50);
  const View view = surfaces::look(distance, surfaces::look_at_origin(250, 0), 128, 128, 190);
  const TriangleMesh mesh = fuse_all({view}, around(70, 2, 6));
  const MeshReport report = surfaces::inspect(mesh);
  CHECK(!report.watertight);
  CHECK(report.oriented);
  CHECK(surfaces::rms(mesh, distance) < 0.3);
  for (size_t i = 0; i < mesh.vertices(); ++i) CHECK(mesh.normals[3 * i + 2] < 0.2f);
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    double twice[3];
    area_vector(mesh, t, twice);
    const uint32_t v = mesh.indices[3 * t];
    double dot = 0;
    for (size_t k = 0; k < 3; ++k) dot += twice[k] * static_cast<double>(mesh.normals[3 * v + k]);
    CHECK(dot > 0);
  }
}

TEST(pixels_without_confidence_have_no_say) {
  const View view = noisy_plane(0, 1);
  std::vector<float> confidence(view.depth.size(), 0);
  FusionFrame frame = view.frame();
  frame.confidence = confidence.data();
  VolumeOptions options = around(200, 2, 8);
  options.high[2] = 400;
  const auto volume = make(options);
  CHECK(fuse(*volume, frame).code() == Code::kNoSurface);
  // The lower half counts four times as much in the second of two planes 2 mm apart.
  View closer = view;
  for (float& depth : closer.depth) depth -= 2;
  CHECK(fuse(*volume, view.frame()).ok());
  for (size_t i = 0; i < confidence.size(); ++i) confidence[i] = i < confidence.size() / 2 ? 0.25f : 1;
  frame.depth = closer.depth.data();
  CHECK(fuse(*volume, frame).ok());
  const TriangleMesh mesh = extract(*volume);
  for (size_t i = 0; i < mesh.vertices(); ++i) {
    const float y = mesh.positions[3 * i + 1], z = mesh.positions[3 * i + 2];
    if (y < -10 && y > -70) CHECK_NEAR(z, 299.6, 0.02);
    if (y > 10 && y < 70) CHECK_NEAR(z, 299.0, 0.02);
  }
}

TEST(any_number_of_threads_gives_the_same_bytes) {
  const std::vector<View> views = surfaces::look_around(surfaces::torus(40, 15), 3, 72, 250, 120);
  const TriangleMesh one = fuse_all(views, around(70, 2, 6), 1), many = fuse_all(views, around(70, 2, 6), 5);
  CHECK(one.positions == many.positions);
  CHECK(one.normals == many.normals);
  CHECK(one.colours == many.colours);
  CHECK(one.indices == many.indices);
}

TEST(volumes_that_make_no_sense_are_refused) {
  const auto refused = [](void (*change)(VolumeOptions*)) {
    VolumeOptions options = around(100, 2, 8);
    change(&options);
    const auto made = TsdfVolume::make(options);
    return !made.ok() && made.status().code() == Code::kInvalidArgument;
  };
  CHECK(refused([](VolumeOptions* o) { o->voxel = 0; }));
  CHECK(refused([](VolumeOptions* o) { o->voxel = kNan; }));
  CHECK(refused([](VolumeOptions* o) { o->truncation = 3; }));
  CHECK(refused([](VolumeOptions* o) { o->truncation = kNan; }));
  CHECK(refused([](VolumeOptions* o) { o->carve = 1; }));
  CHECK(refused([](VolumeOptions* o) { o->max_weight = kNan; }));
  CHECK(refused([](VolumeOptions* o) { o->high[1] = o->low[1]; }));
  CHECK(refused([](VolumeOptions* o) { o->low[2] = -std::numeric_limits<double>::infinity(); }));
  VolumeOptions huge = around(1e6, 0.1, 1);
  const auto made = TsdfVolume::make(huge);
  CHECK(!made.ok());
  CHECK(made.status().message().find("bytes") != std::string::npos);
}

TEST(a_volume_that_grows_too_large_says_what_it_needs_and_stays_as_it_was) {
  VolumeOptions options = around(200, 2, 8);
  options.high[2] = 400;
  options.max_bytes = 4 << 20;
  const auto volume = make(options);
  const View view = noisy_plane(0, 1);
  const Status done = fuse(*volume, view.frame());
  CHECK(done.code() == Code::kOutOfMemory);
  CHECK(done.message().find("bytes") != std::string::npos);
  CHECK_EQ(volume->blocks(), size_t{0});
  CHECK(volume->bytes() <= options.max_bytes);
}

TEST(frames_that_make_no_sense_are_refused) {
  VolumeOptions options = around(200, 4, 16);
  options.high[2] = 400;
  const auto volume = make(options);
  View view = noisy_plane(0, 1);
  FusionFrame frame = view.frame();
  frame.pose[3] = std::nan("");
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  frame.pose = {2, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  frame.pose = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, -1, 0, 0, 0, 0, 1};
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  frame = view.frame();
  frame.fx = 0;
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  frame = view.frame();
  frame.cx = std::numeric_limits<double>::infinity();
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  frame = view.frame();
  frame.width = 0;
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  frame.width = 100000;
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  frame = view.frame();
  view.depth[500] = -3;
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  view.depth[500] = std::numeric_limits<float>::infinity();
  CHECK(fuse(*volume, frame).code() == Code::kInvalidArgument);
  for (float& depth : view.depth) depth = kNan;
  CHECK(fuse(*volume, frame).code() == Code::kNoSurface);
  for (float& depth : view.depth) depth = 5000;
  CHECK(fuse(*volume, frame).code() == Code::kNoSurface);
  Executor executor(1);
  TriangleMesh mesh;
  CHECK(volume->extract(0, executor, nullptr, &mesh).code() == Code::kNoSurface);
  CHECK(volume->extract(std::nan(""), executor, nullptr, &mesh).code() == Code::kInvalidArgument);
}

TEST(a_cancelled_token_leaves_the_volume_alone) {
  VolumeOptions options = around(200, 4, 16);
  options.high[2] = 400;
  const auto volume = make(options);
  CancelToken token;
  token.cancel();
  const View view = noisy_plane(0, 1);
  CHECK(fuse(*volume, view.frame(), 2, &token).code() == Code::kAborted);
  CHECK_EQ(volume->blocks(), size_t{0});
}

TEST_MAIN()
