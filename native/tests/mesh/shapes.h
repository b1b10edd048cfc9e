// Closed and open surfaces with known geometry, and what must hold of any simplified mesh.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <numbers>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "mesh/mesh_view.h"

namespace shapes {

using lineament::TriangleMesh;
using lineament::Vec3;

inline void add_vertex(TriangleMesh* mesh, double x, double y, double z) {
  for (const double value : {x, y, z}) mesh->positions.push_back(static_cast<float>(value));
}
inline void add_triangle(TriangleMesh* mesh, size_t a, size_t b, size_t c) {
  for (const size_t value : {a, b, c}) mesh->indices.push_back(static_cast<uint32_t>(value));
}

// A grid of columns × rows vertices, joined at the ends where asked.
inline TriangleMesh grid(size_t columns, size_t rows, bool join_columns, bool join_rows,
                         const std::function<Vec3(double, double)>& at) {
  TriangleMesh mesh;
  for (size_t j = 0; j < rows; ++j) {
    for (size_t i = 0; i < columns; ++i) {
      const double u = static_cast<double>(i) / static_cast<double>(join_columns ? columns : columns - 1);
      const double v = static_cast<double>(j) / static_cast<double>(join_rows ? rows : rows - 1);
      const Vec3 p = at(u, v);
      add_vertex(&mesh, p.x, p.y, p.z);
      mesh.uvs.push_back(static_cast<float>(u));
      mesh.uvs.push_back(static_cast<float>(v));
    }
  }
  for (size_t j = 0; j + (join_rows ? 0 : 1) < rows; ++j) {
    for (size_t i = 0; i + (join_columns ? 0 : 1) < columns; ++i) {
      const size_t a = j * columns + i, b = j * columns + (i + 1) % columns;
      const size_t c = (j + 1) % rows * columns + i, d = (j + 1) % rows * columns + (i + 1) % columns;
      add_triangle(&mesh, a, c, d);
      add_triangle(&mesh, a, d, b);
    }
  }
  return mesh;
}

inline Vec3 vec(double x, double y, double z) {
  return {static_cast<float>(x), static_cast<float>(y), static_cast<float>(z)};
}

// Without texture coordinates: these would part the surface where its ends join.
inline TriangleMesh torus(double ring, double tube, size_t columns, size_t rows) {
  TriangleMesh mesh = grid(columns, rows, true, true, [=](double u, double v) {
    const double a = 2 * std::numbers::pi * u, b = 2 * std::numbers::pi * v;
    return vec((ring + tube * std::cos(b)) * std::cos(a), (ring + tube * std::cos(b)) * std::sin(a),
               tube * std::sin(b));
  });
  mesh.uvs.clear();
  for (size_t t = 0; t < mesh.indices.size(); t += 3) std::swap(mesh.indices[t + 1], mesh.indices[t + 2]);
  return mesh;
}

// A cube whose sides are grids, blown up to a sphere.
inline TriangleMesh sphere(double radius, size_t steps) {
  TriangleMesh mesh;
  std::map<std::vector<int>, size_t> names;
  const int n = static_cast<int>(steps);
  const auto vertex = [&](std::vector<int> at) {
    const auto [found, fresh] = names.try_emplace(at, mesh.vertices());
    if (fresh) {
      const double x = at[0], y = at[1], z = at[2], size = std::sqrt(x * x + y * y + z * z);
      add_vertex(&mesh, radius * x / size, radius * y / size, radius * z / size);
    }
    return found->second;
  };
  for (size_t axis = 0; axis < 3; ++axis) {
    for (const int side : {-n, n}) {
      for (int i = -n; i < n; i += 2) {
        for (int j = -n; j < n; j += 2) {
          const auto corner = [&](int s, int t) {
            std::vector<int> at(3);
            at[axis] = side;
            at[(axis + 1) % 3] = s;
            at[(axis + 2) % 3] = t;
            return vertex(at);
          };
          const size_t a = corner(i, j), b = corner(i + 2, j), c = corner(i, j + 2), d = corner(i + 2, j + 2);
          if (side > 0) {
            add_triangle(&mesh, a, b, d), add_triangle(&mesh, a, d, c);
          } else {
            add_triangle(&mesh, a, d, b), add_triangle(&mesh, a, c, d);
          }
        }
      }
    }
  }
  return mesh;
}

// 100 × 100 mm in the plane z = 500, with noise; seen from the camera in front of it.
inline TriangleMesh plane(size_t steps, double noise, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<double> gauss(0, noise > 0 ? noise : 1);
  return grid(steps, steps, false, false, [&](double u, double v) {
    return vec(100 * u - 50, 100 * v - 50, 500 + (noise > 0 ? gauss(random) : 0));
  });
}

struct Topology {
  size_t border = 0;      // edges of one triangle
  size_t bad = 0;         // edges of more than two, or of two that do not run against each other
  size_t degenerate = 0;  // triangles with two corners at one vertex
  long euler = 0;         // vertices that are used − edges + triangles
};

inline Topology topology_of(const TriangleMesh& mesh) {
  std::map<std::pair<uint32_t, uint32_t>, int> forth;
  std::set<std::pair<uint32_t, uint32_t>> edges;
  std::set<uint32_t> used;
  Topology out;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    const uint32_t* c = mesh.indices.data() + 3 * t;
    out.degenerate += c[0] == c[1] || c[1] == c[2] || c[2] == c[0];
    for (size_t k = 0; k < 3; ++k) {
      const uint32_t a = c[k], b = c[(k + 1) % 3];
      ++forth[{a, b}];
      edges.insert({std::min(a, b), std::max(a, b)});
      used.insert(a);
    }
  }
  for (const auto& [a, b] : edges) {
    const auto count = [&](uint32_t from, uint32_t to) {
      const auto found = forth.find({from, to});
      return found == forth.end() ? 0 : found->second;
    };
    const int one = count(a, b), two = count(b, a);
    out.border += one + two == 1;
    out.bad += one > 1 || two > 1;
  }
  out.euler = static_cast<long>(used.size()) - static_cast<long>(edges.size()) + static_cast<long>(mesh.triangles());
  return out;
}

// Triangles whose normal points away from `outward` at their middle.
inline size_t turned_over(const TriangleMesh& mesh, const std::function<Vec3(Vec3)>& outward) {
  size_t count = 0;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    const auto at = [&](size_t k) { return lineament::vec3_at(mesh.positions.data(), mesh.indices[3 * t + k]); };
    const Vec3 a = at(0), b = at(1), c = at(2);
    const Vec3 middle = 1.0F / 3 * (a + b + c);
    count += !(dot(cross(b - a, c - a), outward(middle)) > 0);
  }
  return count;
}

}  // namespace shapes
