// Analytic surfaces as a camera sees them, for tests of depth.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "cloud/camera.h"
#include "depth/depth_map.h"
#include "depth/patches.h"

namespace lineament::test {

struct Ball {
  Vector3 centre;
  double radius;
};

// A sphere of triangles: an icosahedron whose triangles are cut in four `times` times. Counterclockwise from outside.
inline PatchMesh icosphere(const Ball& ball, int times) {
  const double g = (1 + std::sqrt(5.0)) / 2;
  PatchMesh mesh;
  mesh.positions = {{-1, g, 0},  {1, g, 0},  {-1, -g, 0}, {1, -g, 0}, {0, -1, g},  {0, 1, g},
                    {0, -1, -g}, {0, 1, -g}, {g, 0, -1},  {g, 0, 1},  {-g, 0, -1}, {-g, 0, 1}};
  mesh.indices = {0, 11, 5, 0, 5, 1, 0, 1, 7, 0, 7, 10, 0, 10, 11, 1, 5, 9, 5, 11, 4,  11, 10, 2,  10, 7, 6, 7, 1, 8,
                  3, 9,  4, 3, 4, 2, 3, 2, 6, 3, 6, 8,  3, 8,  9,  4, 9, 5, 2, 4,  11, 6,  2,  10, 8,  6, 7, 9, 8, 1};
  for (int i = 0; i < times; ++i) {
    std::map<std::pair<uint32_t, uint32_t>, uint32_t> middles;
    const auto middle = [&](uint32_t a, uint32_t b) {
      const auto [at, fresh] = middles.try_emplace(std::minmax(a, b), static_cast<uint32_t>(mesh.positions.size()));
      if (fresh) mesh.positions.push_back(0.5 * (mesh.positions[a] + mesh.positions[b]));
      return at->second;
    };
    std::vector<uint32_t> finer;
    for (size_t t = 0; t < mesh.indices.size(); t += 3) {
      const uint32_t a = mesh.indices[t], b = mesh.indices[t + 1], c = mesh.indices[t + 2];
      const uint32_t ab = middle(a, b), bc = middle(b, c), ca = middle(c, a);
      finer.insert(finer.end(), {a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca});
    }
    mesh.indices = std::move(finer);
    for (Vector3& p : mesh.positions) p = (1 / std::sqrt(dot(p, p))) * p;
  }
  for (Vector3& p : mesh.positions) p = ball.centre + (ball.radius / std::sqrt(dot(p, p))) * p;
  return mesh;
}

// The ray through the centre of pixel (x, y), with z = 1.
inline Vector3 ray_of(const Camera& camera, int x, int y) {
  return {(x + 0.5 - camera.cx) / camera.fx, (y + 0.5 - camera.cy) / camera.fy, 1};
}

// Z of the nearer point of the ball on the ray, NaN where it passes by.
inline double ball_depth(const Ball& ball, Vector3 ray) {
  const double a = dot(ray, ray), b = dot(ray, ball.centre),
               c = dot(ball.centre, ball.centre) - ball.radius * ball.radius;
  const double root = b * b - a * c;
  return root < 0 ? std::numeric_limits<double>::quiet_NaN() : (b - std::sqrt(root)) / a;
}

// Points of a mesh in the camera frame as a face mesh has them: pixels, z in pixels from the plane at f · mm_per_pixel.
inline std::vector<float> as_landmarks(const PatchMesh& mesh, const Camera& camera, double mm_per_pixel) {
  std::vector<float> points;
  const double focal = std::sqrt(camera.fx * camera.fy);
  for (const Vector3& p : mesh.positions) {
    points.push_back(static_cast<float>(camera.fx * p.x / p.z + camera.cx));
    points.push_back(static_cast<float>(camera.fy * p.y / p.z + camera.cy));
    points.push_back(static_cast<float>(p.z / mm_per_pixel - focal));
  }
  return points;
}

// Calls depth(x, y) for each pixel.
template <typename F>
DepthMap depth_of(int width, int height, const Camera& camera, F depth) {
  DepthMap map;
  map.width = width;
  map.height = height;
  map.camera = camera;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) map.depth.push_back(static_cast<float>(depth(x, y)));
  }
  return map;
}

// The same numbers for the same seed.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  double uniform() {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<double>(state_ >> 11) / 9007199254740992.0;
  }
  double normal() {
    double sum = 0;
    for (int i = 0; i < 12; ++i) sum += uniform();
    return sum - 6;
  }

 private:
  uint64_t state_;
};

}  // namespace lineament::test
