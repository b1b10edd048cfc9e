#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "mesh/holes.h"
#include "mesh/repair.h"
#include "mesh/smooth.h"
#include "mesh/topology.h"
#include "tests/check.h"
#include "tests/mesh/surfaces.h"

using namespace lineament;
using surfaces::inspect;

namespace {

TriangleMesh smoothed(TriangleMesh mesh, const TaubinOptions& options, size_t threads = 2) {
  Executor executor(threads);
  CHECK(smooth_taubin(options, executor, nullptr, &mesh).ok());
  return mesh;
}

HoleReport fill(TriangleMesh* mesh, const HoleOptions& options = {}) {
  HoleReport report;
  CHECK(fill_holes(options, nullptr, mesh, &report).ok());
  CHECK(check_mesh(*mesh).ok());
  return report;
}

template <typename Drop>
TriangleMesh without(TriangleMesh mesh, Drop drop) {
  std::vector<uint32_t> kept;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    float centre[3] = {};
    for (size_t c = 0; c < 3; ++c) {
      for (size_t k = 0; k < 3; ++k) centre[k] += mesh.positions[3 * mesh.indices[3 * t + c] + k] / 3;
    }
    if (drop(centre)) continue;
    for (size_t c = 0; c < 3; ++c) kept.push_back(mesh.indices[3 * t + c]);
  }
  mesh.indices = kept;
  drop_unused_vertices(&mesh);
  return mesh;
}

}  // namespace

TEST(smoothing_takes_noise_and_leaves_the_volume) {
  const auto distance = surfaces::sphere(50);
  TriangleMesh noisy = surfaces::round_mesh(50, 5);
  const double volume = inspect(noisy).volume;
  surfaces::add_noise(&noisy, 0.4, 3);
  noisy.normals.assign(noisy.positions.size(), 0);
  const TriangleMesh smooth = smoothed(noisy, {});
  std::printf("    noisy sphere: RMS %.3f mm, smoothed %.3f mm, volume × %.5f\n", surfaces::rms(noisy, distance),
              surfaces::rms(smooth, distance), inspect(smooth).volume / volume);
  CHECK(surfaces::rms(smooth, distance) < 0.5 * surfaces::rms(noisy, distance));
  CHECK_NEAR(inspect(smooth).volume / volume, 1, 0.005);
  for (size_t i = 0; i < smooth.vertices(); ++i) {
    double dot = 0;
    for (size_t k = 0; k < 3; ++k)
      dot += static_cast<double>(smooth.normals[3 * i + k] * smooth.positions[3 * i + k]) / 50;
    CHECK(dot > 0.9);
  }
  // A hundred rounds do not make it shrink either.
  TaubinOptions many;
  many.iterations = 100;
  CHECK_NEAR(inspect(smoothed(noisy, many)).volume / volume, 1, 0.02);
}

TEST(borders_follow_their_rule) {
  TriangleMesh half = without(surfaces::round_mesh(50, 5), [](const float* c) { return c[2] > 0; });
  surfaces::add_noise(&half, 0.3, 4);
  std::vector<uint32_t> twins;
  EdgeCounts counts;
  CHECK(find_twins(half, nullptr, &twins, &counts).ok());
  std::vector<uint8_t> border(half.vertices(), 0);
  for (uint32_t h = 0; h < twins.size(); ++h) {
    if (twins[h] == kBorder) border[half.indices[h]] = border[half.indices[next_half(h)]] = 1;
  }
  const auto mean_height = [&](const TriangleMesh& mesh) {
    double sum = 0, n = 0;
    for (size_t i = 0; i < mesh.vertices(); ++i) {
      if (border[i] == 0) continue;
      sum += static_cast<double>(mesh.positions[3 * i + 2]);
      ++n;
    }
    return sum / n;
  };
  TaubinOptions options;
  options.iterations = 30;
  options.border = BorderRule::kFixed;
  const TriangleMesh fixed = smoothed(half, options);
  for (size_t i = 0; i < half.vertices(); ++i) {
    const bool same = std::equal(fixed.positions.begin() + static_cast<std::ptrdiff_t>(3 * i),
                                 fixed.positions.begin() + static_cast<std::ptrdiff_t>(3 * i + 3),
                                 half.positions.begin() + static_cast<std::ptrdiff_t>(3 * i));
    CHECK_EQ(same, border[i] != 0);
  }
  options.border = BorderRule::kAlong;
  CHECK_NEAR(mean_height(smoothed(half, options)), mean_height(half), 0.05);
  options.border = BorderRule::kFree;
  CHECK(std::abs(mean_height(smoothed(half, options)) - mean_height(half)) > 0.1);
}

TEST(smoothing_is_the_same_for_any_number_of_threads_and_refuses_nonsense) {
  TriangleMesh mesh = surfaces::round_mesh(50, 6);
  surfaces::add_noise(&mesh, 0.4, 3);
  CHECK(smoothed(mesh, {}, 1).positions == smoothed(mesh, {}, 5).positions);
  TaubinOptions none;
  none.iterations = 0;
  CHECK(smoothed(mesh, none).positions == mesh.positions);
  Executor executor(1);
  const auto refused = [&](TaubinOptions options) {
    TriangleMesh copy = mesh;
    return smooth_taubin(options, executor, nullptr, &copy).code() == Code::kInvalidArgument;
  };
  TaubinOptions bad;
  bad.iterations = -1;
  CHECK(refused(bad));
  bad = {};
  bad.lambda = 0;
  CHECK(refused(bad));
  bad = {};
  bad.pass_band = std::nan("");
  CHECK(refused(bad));
  CancelToken token;
  token.cancel();
  CHECK(smooth_taubin({}, executor, &token, &mesh).code() == Code::kAborted);
  TriangleMesh empty;
  CHECK(smooth_taubin({}, executor, nullptr, &empty).ok());
}

TEST(a_hole_in_a_sphere_is_closed_as_round_as_it_was) {
  const auto distance = surfaces::sphere(50);
  const TriangleMesh whole = surfaces::round_mesh(50, 5);
  for (const float height : {46.0f, 35.0f}) {
    TriangleMesh mesh = without(whole, [&](const float* c) { return c[2] > height; });
    mesh.colours.assign(mesh.positions.size(), 100);
    mesh.normals.assign(mesh.positions.size(), 0);
    const size_t old = mesh.vertices();
    const HoleReport report = fill(&mesh);
    CHECK_EQ(report.found, size_t{1});
    CHECK_EQ(report.filled, size_t{1});
    CHECK_EQ(mesh.vertices(), old + report.vertices);
    const MeshReport shape = inspect(mesh);
    CHECK(shape.watertight);
    CHECK(shape.oriented);
    CHECK_EQ(shape.euler, 2);
    CHECK_EQ(shape.non_manifold_vertices, size_t{0});
    CHECK_EQ(shape.degenerate_triangles, size_t{0});
    CHECK(report.vertices > 20);
    std::printf("    cap of %.0f mm closed with %zu vertices: farthest %.2f mm, volume × %.4f\n",
                2 * std::sqrt(2500.0 - static_cast<double>(height * height)), report.vertices,
                surfaces::farthest(mesh, distance), shape.volume / inspect(whole).volume);
    // Flat, the cap would be 4 mm or 15 mm off in its middle.
    CHECK(surfaces::farthest(mesh, distance) < (height > 40 ? 1.5 : 3.0));
    CHECK(std::all_of(mesh.colours.begin(), mesh.colours.end(), [](uint8_t c) { return c == 100; }));
    CHECK_EQ(mesh.normals.size(), mesh.positions.size());
    for (size_t i = old; i < mesh.vertices(); ++i) CHECK(mesh.normals[3 * i + 2] > 0.4f);
  }
}

TEST(holes_are_chosen_by_size) {
  const TriangleMesh mesh =
      without(surfaces::round_mesh(50, 5), [](const float* c) { return c[2] > 47 || c[2] < -30; });
  const size_t loops = inspect(mesh).border_loops;
  CHECK_EQ(loops, size_t{2});
  TriangleMesh some = mesh;
  HoleOptions small;
  small.max_edges = 60;
  CHECK_EQ(fill(&some, small).filled, size_t{1});
  CHECK_EQ(inspect(some).border_loops, size_t{1});
  TriangleMesh none = mesh;
  small = {};
  small.max_perimeter = 10;
  CHECK_EQ(fill(&none, small).filled, size_t{0});
  CHECK(none.indices == mesh.indices);
  TriangleMesh all = mesh;
  CHECK_EQ(fill(&all).filled, size_t{2});
  CHECK(inspect(all).watertight);
  TriangleMesh plain = mesh;
  HoleOptions flat;
  flat.refine = false;
  const HoleReport report = fill(&plain, flat);
  CHECK_EQ(report.vertices, size_t{0});
  CHECK(inspect(plain).watertight);
}

TEST(a_long_border_is_cut_in_two) {
  const TriangleMesh mesh = without(surfaces::round_mesh(50, 6), [](const float* c) { return c[2] > 10; });
  TriangleMesh filled = mesh;
  HoleOptions options;
  options.max_edges = 4096;
  const HoleReport report = fill(&filled, options);
  CHECK_EQ(report.filled, size_t{1});
  CHECK(inspect(filled).watertight);
  CHECK(inspect(filled).oriented);
  CHECK_EQ(inspect(filled).euler, 2);
}

TEST(ragged_holes_are_closed_too) {
  std::mt19937 random(11);
  TriangleMesh mesh = without(surfaces::round_mesh(50, 5), [&](const float*) { return random() % 10 == 0; });
  CleanReport cleaned;
  CHECK(clean_mesh({}, nullptr, &mesh, &cleaned).ok());
  const HoleReport report = fill(&mesh);
  CHECK(report.found > 200);
  // Some borders cannot be closed without an edge that is there already.
  CHECK(report.filled + 8 > report.found);
  const MeshReport shape = inspect(mesh);
  CHECK_EQ(shape.edges.non_manifold, size_t{0});
  CHECK(shape.oriented);
  CHECK(surfaces::farthest(mesh, surfaces::sphere(50)) < 1);
}

TEST(hole_options_that_make_no_sense_are_refused) {
  TriangleMesh mesh = surfaces::round_mesh(50, 2);
  HoleReport report;
  HoleOptions options;
  options.max_edges = 2;
  CHECK(fill_holes(options, nullptr, &mesh, &report).code() == Code::kInvalidArgument);
  options = {};
  options.max_perimeter = std::nan("");
  CHECK(fill_holes(options, nullptr, &mesh, &report).code() == Code::kInvalidArgument);
  TriangleMesh open = without(mesh, [](const float* c) { return c[2] > 20; });
  CancelToken token;
  token.cancel();
  CHECK(fill_holes({}, &token, &open, &report).code() == Code::kAborted);
  TriangleMesh empty;
  CHECK(fill_holes({}, nullptr, &empty, &report).ok());
  CHECK_EQ(report.found, size_t{0});
}

TEST_MAIN()
