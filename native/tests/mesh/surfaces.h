// Surfaces with known distances, and fields of them, for the tests of surfaces.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "mesh/marching_cubes.h"
#include "mesh/topology.h"
#include "mesh/triangle_mesh.h"

namespace surfaces {

using Distance = std::function<double(double, double, double)>;

inline Distance sphere(double radius, double x = 0, double y = 0, double z = 0) {
  return [=](double px, double py, double pz) { return std::hypot(px - x, py - y, pz - z) - radius; };
}

// About the z axis.
inline Distance torus(double ring, double tube) {
  return [=](double x, double y, double z) { return std::hypot(std::hypot(x, y) - ring, z) - tube; };
}

// Root mean square of the vertices' distances.
inline double rms(const lineament::TriangleMesh& mesh, const Distance& distance) {
  double sum = 0;
  for (size_t i = 0; i < mesh.vertices(); ++i) {
    const float* p = mesh.positions.data() + 3 * i;
    const double d = distance(static_cast<double>(p[0]), static_cast<double>(p[1]), static_cast<double>(p[2]));
    sum += d * d;
  }
  return std::sqrt(sum / static_cast<double>(mesh.vertices()));
}

inline double farthest(const lineament::TriangleMesh& mesh, const Distance& distance) {
  double most = 0;
  for (size_t i = 0; i < mesh.vertices(); ++i) {
    const float* p = mesh.positions.data() + 3 * i;
    most = std::max(
        most, std::abs(distance(static_cast<double>(p[0]), static_cast<double>(p[1]), static_cast<double>(p[2]))));
  }
  return most;
}

inline lineament::MeshReport inspect(const lineament::TriangleMesh& mesh) {
  lineament::MeshReport report;
  if (!lineament::inspect_mesh(mesh, nullptr, &report).ok()) report.triangles = 0;
  return report;
}

// A cube of `side` blocks whose samples `value` gives, the first at sample (0, 0, 0).
class CubeField final : public lineament::BlockField {
 public:
  CubeField(int side, std::function<float(int, int, int)> value) : side_(side), value_(std::move(value)) {}

  size_t blocks() const override { return static_cast<size_t>(side_ * side_ * side_); }
  std::array<int, 3> place(size_t i) const override {
    const int n = static_cast<int>(i);
    return {n % side_, n / side_ % side_, n / (side_ * side_)};
  }
  ptrdiff_t find(int x, int y, int z) const override {
    if (x < 0 || y < 0 || z < 0 || x >= side_ || y >= side_ || z >= side_) return -1;
    return (z * side_ + y) * side_ + x;
  }
  bool halo(size_t i, float* values) const override {
    const std::array<int, 3> at = place(i);
    const int most = side_ * lineament::kBlockSide;
    for (int n = 0; n < lineament::kHaloSamples; ++n) {
      constexpr int kSide = lineament::kHaloSide;
      const int x = at[0] * 8 + n % kSide - 1, y = at[1] * 8 + n / kSide % kSide - 1,
                z = at[2] * 8 + n / (kSide * kSide) - 1;
      const bool here = x >= 0 && y >= 0 && z >= 0 && x < most && y < most && z < most;
      values[n] = here ? value_(x, y, z) : std::numeric_limits<float>::quiet_NaN();
    }
    return true;
  }

 private:
  const int side_;
  const std::function<float(int, int, int)> value_;
};

// A sphere of triangles: an octahedron whose faces are split `times` times.
inline lineament::TriangleMesh round_mesh(double radius, int times) {
  lineament::TriangleMesh mesh;
  const auto add = [&](double x, double y, double z) {
    const double length = std::hypot(x, y, z);
    for (const double at : {x, y, z}) mesh.positions.push_back(static_cast<float>(at / length * radius));
  };
  for (int k = 0; k < 6; ++k)
    add(k == 0 ? 1 : k == 1 ? -1 : 0, k == 2 ? 1 : k == 3 ? -1 : 0, k == 4 ? 1 : k == 5 ? -1 : 0);
  mesh.indices = {0, 2, 4, 2, 1, 4, 1, 3, 4, 3, 0, 4, 2, 0, 5, 1, 2, 5, 3, 1, 5, 0, 3, 5};
  for (int time = 0; time < times; ++time) {
    std::vector<std::pair<std::pair<uint32_t, uint32_t>, uint32_t>> made;
    const std::vector<uint32_t> old = mesh.indices;
    std::vector<uint32_t> twins;
    lineament::EdgeCounts counts;
    if (!lineament::find_twins(mesh, nullptr, &twins, &counts).ok()) return {};
    std::vector<uint32_t> middle(old.size());
    for (uint32_t half = 0; half < old.size(); ++half) {
      if (twins[half] < half) {
        middle[half] = middle[twins[half]];
        continue;
      }
      middle[half] = static_cast<uint32_t>(mesh.vertices());
      const float *a = mesh.positions.data() + 3 * old[half],
                  *b = mesh.positions.data() + 3 * old[lineament::next_half(half)];
      add(static_cast<double>(a[0] + b[0]), static_cast<double>(a[1] + b[1]), static_cast<double>(a[2] + b[2]));
    }
    mesh.indices.clear();
    for (size_t t = 0; t < old.size(); t += 3) {
      const uint32_t a = old[t], b = old[t + 1], c = old[t + 2], ab = middle[t], bc = middle[t + 1], ca = middle[t + 2];
      for (const uint32_t v : {a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca}) mesh.indices.push_back(v);
    }
  }
  return mesh;
}

inline void add_noise(lineament::TriangleMesh* mesh, double sigma, unsigned seed) {
  std::mt19937 random(seed);
  for (float& at : mesh->positions) {
    // A sum of uniforms, which is the same everywhere.
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += random() / 4294967296.0;
    at += static_cast<float>(sum * sigma);
  }
}

}  // namespace surfaces
