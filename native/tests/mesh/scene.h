// Surfaces and photographs of them whose every pixel is known.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "mesh/texture.h"
#include "mesh/triangle_mesh.h"

namespace scene {

using Colour = std::array<double, 3>;
using Place = std::array<double, 3>;

// A grid of (columns + 1) × (rows + 1) vertices with UVs over all of the texture; `at` gives the place of a UV. It
// faces the side from which u × v, right × down, turns clockwise: −Z for right = X, down = Y.
inline lineament::TriangleMesh grid(int columns, int rows, const std::function<Place(double, double)>& at) {
  lineament::TriangleMesh mesh;
  for (int r = 0; r <= rows; ++r) {
    for (int c = 0; c <= columns; ++c) {
      const double u = static_cast<double>(c) / columns, v = static_cast<double>(r) / rows;
      for (const double x : at(u, v)) mesh.positions.push_back(static_cast<float>(x));
      mesh.uvs.push_back(static_cast<float>(u));
      mesh.uvs.push_back(static_cast<float>(v));
    }
  }
  const auto id = [columns](int c, int r) { return static_cast<uint32_t>(r * (columns + 1) + c); };
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < columns; ++c) {
      for (const uint32_t i : {id(c, r), id(c, r + 1), id(c + 1, r), id(c + 1, r), id(c, r + 1), id(c + 1, r + 1)}) {
        mesh.indices.push_back(i);
      }
    }
  }
  return mesh;
}

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;

  lineament::ImageView view() const {
    return {pixels.data(), pixels.size(), width, height, static_cast<size_t>(width) * 3, lineament::PixelFormat::kRgb};
  }
};

// What `along` says of the ray (x, y, 1) through each pixel's centre.
inline Picture take(int width, int height, const lineament::Camera& camera,
                    const std::function<Colour(double, double)>& along) {
  Picture picture{width, height, {}};
  for (int j = 0; j < height; ++j) {
    for (int i = 0; i < width; ++i) {
      const Colour colour = along((i + 0.5 - camera.cx) / camera.fx, (j + 0.5 - camera.cy) / camera.fy);
      for (const double v : colour)
        picture.pixels.push_back(static_cast<uint8_t>(std::lround(std::fmin(255, std::fmax(0, v)))));
    }
  }
  return picture;
}

inline lineament::Photograph photograph(const Picture& picture, const lineament::Camera& camera) {
  lineament::Photograph one;
  one.image = picture.view();
  one.camera = camera;
  return one;
}

// Of a camera that stands `away` from the origin and looks at it, turned by `angle` about Y.
inline void look_at_origin(lineament::Photograph* one, double angle, double away) {
  const double c = std::cos(angle), s = std::sin(angle);
  const double pose[12] = {c, 0, s, 0, 0, 1, 0, 0, -s, 0, c, away};
  for (int i = 0; i < 12; ++i) one->pose[i] = pose[i];
}

// Where the ray from (0, 0, −away) in the turned frame meets the sphere about the origin, in the sphere's frame; false
// where it does not.
inline bool meet_sphere(double x, double y, double angle, double away, double radius, Place* out) {
  // |t d − c|² = r² with d = (x, y, 1), c = (0, 0, away) in the camera's frame.
  const double a = x * x + y * y + 1, b = away, q = away * away - radius * radius;
  const double root = b * b - a * q;
  if (root < 0) return false;
  const double t = (b - std::sqrt(root)) / a;
  const double px = t * x, py = t * y, pz = t - away;
  const double c = std::cos(angle), s = std::sin(angle);
  *out = {c * px - s * pz, py, s * px + c * pz};
  return true;
}

// The half of a sphere that looks towards −Z, over longitude and latitude.
inline lineament::TriangleMesh half_sphere(double radius, int steps, double reach = 80) {
  const double k = reach * 3.14159265358979 / 180;
  return grid(steps, steps, [=](double u, double v) {
    const double lon = (2 * u - 1) * k, lat = (2 * v - 1) * k;
    return Place{radius * std::sin(lon) * std::cos(lat), radius * std::sin(lat),
                 -radius * std::cos(lon) * std::cos(lat)};
  });
}

}  // namespace scene
