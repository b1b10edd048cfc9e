// Clouds of points on surfaces that a formula describes.
#pragma once

#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "cloud/point_cloud.h"

namespace clouds {

using Vector = std::array<double, 3>;

struct Surface {
  lineament::PointCloud cloud;
  std::vector<Vector> normals;  // exact, outwards
};

inline void push(lineament::PointCloud& cloud, double x, double y, double z) {
  cloud.positions.insert(cloud.positions.end(), {static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)});
}

// Evenly spread points of a ball's surface, each moved along its normal by noise.
inline Surface sphere(size_t count, double radius, const Vector& centre, double noise, uint32_t seed) {
  Surface out;
  std::mt19937 random(seed);
  std::normal_distribution<double> gauss;
  for (size_t i = 0; i < count; ++i) {
    Vector n = {gauss(random), gauss(random), gauss(random)};
    const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (double& v : n) v /= length;
    const double r = radius + noise * gauss(random);
    push(out.cloud, centre[0] + r * n[0], centre[1] + r * n[1], centre[2] + r * n[2]);
    out.normals.push_back(n);
  }
  return out;
}

inline Surface torus(size_t count, double ring, double tube, double noise, uint32_t seed) {
  Surface out;
  std::mt19937 random(seed);
  std::normal_distribution<double> gauss;
  std::uniform_real_distribution<double> angle(0, 2 * std::numbers::pi);
  for (size_t i = 0; i < count; ++i) {
    const double u = angle(random), v = angle(random), r = tube + noise * gauss(random);
    const Vector n = {std::cos(v) * std::cos(u), std::cos(v) * std::sin(u), std::sin(v)};
    push(out.cloud, ring * std::cos(u) + r * n[0], ring * std::sin(u) + r * n[1], r * n[2]);
    out.normals.push_back(n);
  }
  return out;
}

// Something like a face 180 × 240 mm, half a metre in front of the camera: a curved shield with a nose, brows and
// cheeks.
inline double face_depth(double x, double y) {
  const auto bump = [](double dx, double dy, double wide, double tall) {
    return std::exp(-(dx * dx) / (wide * wide) - (dy * dy) / (tall * tall));
  };
  return 500 + x * x / 180 + y * y / 420 - 24 * bump(x, y - 8, 13, 26) - 5 * bump(x - 32, y + 38, 24, 9) -
         5 * bump(x + 32, y + 38, 24, 9) - 4 * bump(x - 42, y - 20, 20, 20) - 4 * bump(x + 42, y - 20, 20, 20) -
         6 * bump(x, y - 70, 28, 14) + 7 * bump(x - 32, y + 24, 12, 8) + 7 * bump(x + 32, y + 24, 12, 8);
}

inline lineament::PointCloud face(size_t count, double noise, uint32_t seed) {
  lineament::PointCloud out;
  std::mt19937 random(seed);
  std::normal_distribution<double> gauss;
  std::uniform_real_distribution<double> across(-80, 80), down(-105, 105);
  for (size_t i = 0; i < count; ++i) {
    const double x = across(random), y = down(random);
    push(out, x, y, face_depth(x, y) + noise * gauss(random));
  }
  return out;
}

// Points anywhere in a cube of this side.
inline lineament::PointCloud cube(size_t count, double side, uint32_t seed) {
  lineament::PointCloud out;
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> at(0, side);
  for (size_t i = 0; i < count; ++i) push(out, at(random), at(random), at(random));
  return out;
}

inline void colour(lineament::PointCloud& cloud, uint32_t seed) {
  std::mt19937 random(seed);
  cloud.colours.resize(cloud.positions.size());
  for (uint8_t& v : cloud.colours) v = static_cast<uint8_t>(random());
}

// What no function may take: each has one coordinate that is none.
inline std::vector<lineament::PointCloud> faulty() {
  std::vector<lineament::PointCloud> out;
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity, 3e38F, -1.1e9F}) {
    lineament::PointCloud cloud = cube(100, 10, 1);
    cloud.positions[151] = bad;
    out.push_back(cloud);
  }
  return out;
}

inline double squared(const float* a, const float* b) {
  double sum = 0;
  for (int c = 0; c < 3; ++c) {
    const double d = static_cast<double>(a[c]) - static_cast<double>(b[c]);
    sum += d * d;
  }
  return sum;
}

}  // namespace clouds
