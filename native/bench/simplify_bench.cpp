// Triangles of a face-like depth map, simplified by us and by meshoptimizer (where it was found), one thread each;
// levels of detail on one and two threads. Prints JSON: milliseconds are medians of turns, distances are measured on
// samples.
//   simplify_bench [WIDTH HEIGHT NOISE ROUNDS]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "mesh/distance.h"
#include "mesh/grid.h"
#include "mesh/lod.h"
#include "mesh/simplify.h"
#include "mesh/vertex_cache.h"
#if defined(LINEAMENT_WITH_MESHOPTIMIZER)
#include <meshoptimizer.h>
#endif

using namespace lineament;

namespace {

double timed(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}
double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

// Half an ellipsoid of 160 × 220 mm with nose, lips, chin and eye sockets, 600 mm away.
std::vector<float> face(int width, int height, double focal, double noise) {
  std::mt19937 random(1);
  std::normal_distribution<double> gauss(0, noise > 0 ? noise : 1);
  std::vector<float> depth;
  for (int j = 0; j < height; ++j) {
    for (int i = 0; i < width; ++i) {
      const double x = (i + 0.5 - width / 2.0) / focal * 600, y = (j + 0.5 - height / 2.0) / focal * 600;
      const double r = x * x / 6400 + y * y / 12100;
      const auto bump = [x, y](double cx, double cy, double sx, double sy, double high) {
        return high * std::exp(-(x - cx) * (x - cx) / (2 * sx * sx) - (y - cy) * (y - cy) / (2 * sy * sy));
      };
      const double rise = bump(0, 5, 9, 18, 22) + bump(0, 22, 14, 7, 8) + bump(0, 48, 20, 5, 5) +
                          bump(0, 85, 18, 12, 8) - bump(-32, -18, 13, 8, 9) - bump(32, -18, 13, 8, 9) -
                          bump(0, 40, 25, 2, 2);
      const double z = r > 0.97 ? std::nan("") : 600 - 90 * std::sqrt(1 - r) - rise + (noise > 0 ? gauss(random) : 0);
      depth.push_back(static_cast<float>(z));
    }
  }
  return depth;
}

struct Outcome {
  double ms = 0;
  size_t triangles = 0;
  double claimed = 0, hausdorff = 0, rms = 0;
};

void print(const char* name, const Outcome& o) {
  std::printf("\"%s\":{\"ms\":%.4f,\"triangles\":%zu,\"claimed\":%.6f,\"hausdorff\":%.6f,\"rms\":%.6f}", name, o.ms,
              o.triangles, o.claimed, o.hausdorff, o.rms);
}

Executor one(1), two(2);

void measure(const MeshView& from, const MeshView& to, Outcome* out) {
  const MeshDistances found = compare_meshes(from, to, 100000, two, nullptr).value();
  out->hausdorff = found.hausdorff();
  out->rms = found.forth.rms;
}

Outcome ours(const MeshView& mesh, size_t target) {
  SimplifyOptions options;
  options.triangles = target;
  Outcome out;
  SimplifiedMesh made;
  out.ms = timed([&] { made = std::move(simplify(mesh, options, one, nullptr).value()); });
  out.triangles = made.mesh.triangles();
  out.claimed = made.error;
  measure(mesh, view_of(made.mesh), &out);
  return out;
}

#if defined(LINEAMENT_WITH_MESHOPTIMIZER)
double peer_run(const MeshView& mesh, size_t target, std::vector<unsigned>* indices, float* error) {
  indices->resize(3 * mesh.triangles);
  size_t left = 0;
  const double ms = timed([&] {
    left = meshopt_simplify(indices->data(), mesh.indices, 3 * mesh.triangles, mesh.positions, mesh.vertices, 12,
                            3 * target, 1.0F, 0, error);
  });
  indices->resize(left);
  return ms;
}

// The fewest triangles with which we are no farther off than `rms`.
size_t as_good(const MeshView& mesh, double rms, size_t start) {
  size_t low = start / 4, high = start * 2;
  for (int i = 0; i < 7; ++i) {
    const size_t middle = (low + high) / 2;
    (ours(mesh, middle).rms <= rms ? high : low) = middle;
  }
  return high;
}
#endif

}  // namespace

int main(int argc, char** argv) {
  const int width = argc > 2 ? std::atoi(argv[1]) : 300, height = argc > 2 ? std::atoi(argv[2]) : 400;
  const double noise = argc > 3 ? std::atof(argv[3]) : 0;
  const int rounds = argc > 4 ? std::atoi(argv[4]) : 9;
  const double focal = 2.9 * width;
  const std::vector<float> depth = face(width, height, focal, noise);
  const DepthGrid grid{width, height, {focal, focal, width / 2.0, height / 2.0}, depth.data(), nullptr, nullptr};
  GridMesh made;
  std::vector<double> grid_one, grid_two;
  for (int i = 0; i < rounds; ++i) {
    grid_one.push_back(timed([&] { made = std::move(grid_mesh(grid, {}, one, nullptr).value()); }));
    grid_two.push_back(timed([&] { made = std::move(grid_mesh(grid, {}, two, nullptr).value()); }));
  }
  const MeshView mesh = view_of(made.mesh);
  std::printf("{\"vertices\":%zu,\"triangles\":%zu,\"gridMs\":%.4f,\"gridMsTwoThreads\":%.4f,\"runs\":[", mesh.vertices,
              mesh.triangles, median(grid_one), median(grid_two));
  bool first = true;
  for (const double share : {0.5, 0.25, 0.1, 0.025}) {
    const auto target = static_cast<size_t>(static_cast<double>(mesh.triangles) * share);
    std::printf("%s{\"share\":%g,", first ? "" : ",", share);
    first = false;
    Outcome mine = ours(mesh, target);
#if defined(LINEAMENT_WITH_MESHOPTIMIZER)
    Outcome peer;
    std::vector<unsigned> indices;
    float error = 0;
    peer_run(mesh, target, &indices, &error);
    peer.triangles = indices.size() / 3;
    peer.claimed = static_cast<double>(error * meshopt_simplifyScale(mesh.positions, mesh.vertices, 12));
    MeshView reduced = mesh;
    reduced.indices = indices.data();
    reduced.triangles = peer.triangles;
    measure(mesh, reduced, &peer);
    const size_t equal_target = as_good(mesh, peer.rms, target);
    Outcome equal = ours(mesh, equal_target);
    std::vector<double> mine_ms, peer_ms, equal_ms;
    for (int i = 0; i < rounds; ++i) {
      mine_ms.push_back(ours(mesh, target).ms);
      peer_ms.push_back(peer_run(mesh, target, &indices, &error));
      equal_ms.push_back(ours(mesh, equal_target).ms);
    }
    mine.ms = median(mine_ms);
    peer.ms = median(peer_ms);
    equal.ms = median(equal_ms);
    print("meshoptimizer", peer);
    std::printf(",");
    print("equalError", equal);
    std::printf(",");
#else
    std::vector<double> mine_ms;
    for (int i = 0; i < rounds; ++i) mine_ms.push_back(ours(mesh, target).ms);
    mine.ms = median(mine_ms);
#endif
    print("lineament", mine);
    std::printf("}");
  }
  LevelsOptions options;
  for (const double share : {1.0, 0.25, 0.0625, 0.015625})
    options.triangles.push_back(static_cast<size_t>(static_cast<double>(mesh.triangles) * share));
  std::vector<double> lod_one, lod_two;
  std::vector<Level> levels;
  for (int i = 0; i < rounds; ++i) {
    lod_one.push_back(timed([&] { levels = std::move(levels_of_detail(mesh, options, one, nullptr).value()); }));
    lod_two.push_back(timed([&] { levels = std::move(levels_of_detail(mesh, options, two, nullptr).value()); }));
  }
  std::printf("],\"levelsMs\":%.4f,\"levelsMsTwoThreads\":%.4f,\"levels\":[", median(lod_one), median(lod_two));
  for (size_t i = 0; i < levels.size(); ++i) {
    Outcome out;
    out.triangles = levels[i].mesh.triangles();
    out.claimed = levels[i].error;
    measure(mesh, view_of(levels[i].mesh), &out);
    std::printf("%s{", i == 0 ? "" : ",");
    print("level", out);
    std::printf(",\"acmr\":%.4f}", levels[i].cache_miss_ratio);
  }
  std::printf("],\"acmrBefore\":%.4f}\n", cache_miss_ratio(mesh.indices, mesh.triangles, mesh.vertices));
  return 0;
}
