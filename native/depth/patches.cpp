#include "depth/patches.h"

#include <algorithm>
#include <cmath>

namespace lineament {
namespace {

double mean_side(const std::vector<Vector3>& p, const uint32_t* indices, size_t triangles) {
  double sum = 0;
  for (size_t t = 0; t < triangles; ++t) {
    for (int k = 0; k < 3; ++k) {
      const Vector3 side = p[indices[3 * t + (k + 1) % 3]] - p[indices[3 * t + k]];
      sum += std::sqrt(dot(side, side));
    }
  }
  return triangles == 0 ? 0 : sum / static_cast<double>(3 * triangles);
}

// The inner control points of an edge, as the end `from` asks for it.
Vector3 edge_control(Vector3 from, Vector3 to, Vector3 normal) {
  return (1.0 / 3) * (2 * from + to - dot(to - from, normal) * normal);
}

// Every edge once, whichever way its triangles run along it.
class Edges {
 public:
  Edges(const uint32_t* indices, size_t triangles) {
    keys_.reserve(3 * triangles);
    for (size_t t = 0; t < triangles; ++t) {
      for (int k = 0; k < 3; ++k) keys_.push_back(key(indices[3 * t + k], indices[3 * t + (k + 1) % 3]));
    }
    std::sort(keys_.begin(), keys_.end());
    keys_.erase(std::unique(keys_.begin(), keys_.end()), keys_.end());
  }
  size_t size() const { return keys_.size(); }
  uint32_t low(size_t edge) const { return static_cast<uint32_t>(keys_[edge] >> 32); }
  uint32_t high(size_t edge) const { return static_cast<uint32_t>(keys_[edge]); }
  size_t of(uint32_t a, uint32_t b) const {
    return static_cast<size_t>(std::lower_bound(keys_.begin(), keys_.end(), key(a, b)) - keys_.begin());
  }

 private:
  static uint64_t key(uint32_t a, uint32_t b) {
    return static_cast<uint64_t>(std::min(a, b)) << 32 | static_cast<uint64_t>(std::max(a, b));
  }
  std::vector<uint64_t> keys_;
};

// What each of the ten control points counts at one point of a patch.
struct Weights {
  double of[4][4];

  // (1 − v − w, v, w): cubic Bernstein polynomials.
  Weights(double v, double w) {
    static constexpr double kFactorial[4] = {1, 1, 2, 6};
    const double u = 1 - v - w;
    const double pu[4] = {1, u, u * u, u * u * u}, pv[4] = {1, v, v * v, v * v * v}, pw[4] = {1, w, w * w, w * w * w};
    for (int i = 0; i <= 3; ++i) {
      for (int j = 0; j <= 3; ++j) {
        const int k = 3 - i - j;
        of[i][j] = k < 0 ? 0 : 6 / (kFactorial[i] * kFactorial[j] * kFactorial[k]) * pu[k] * pv[i] * pw[j];
      }
    }
  }
};

// The control net of one triangle; b[i][j] belongs to the weights (3 − i − j, i, j) / 3.
struct Net {
  Vector3 b[4][4];

  Vector3 at(const Weights& weights) const {
    Vector3 sum;
    for (int i = 0; i <= 3; ++i) {
      for (int j = 0; i + j <= 3; ++j) sum = sum + weights.of[i][j] * b[i][j];
    }
    return sum;
  }
};

Net control_net(const Vector3 (&p)[3], const Vector3 (&n)[3]) {
  Net net;
  net.b[0][0] = p[0];
  net.b[3][0] = p[1];
  net.b[0][3] = p[2];
  net.b[1][0] = edge_control(p[0], p[1], n[0]);
  net.b[2][0] = edge_control(p[1], p[0], n[1]);
  net.b[2][1] = edge_control(p[1], p[2], n[1]);
  net.b[1][2] = edge_control(p[2], p[1], n[2]);
  net.b[0][2] = edge_control(p[2], p[0], n[2]);
  net.b[0][1] = edge_control(p[0], p[2], n[0]);
  const Vector3 edges = (1.0 / 6) * (net.b[1][0] + net.b[2][0] + net.b[2][1] + net.b[1][2] + net.b[0][2] + net.b[0][1]);
  const Vector3 corners = (1.0 / 3) * (p[0] + p[1] + p[2]);
  net.b[1][1] = edges + 0.5 * (edges - corners);
  return net;
}

}  // namespace

std::vector<Vector3> patch_normals(const std::vector<Vector3>& positions, const uint32_t* indices, size_t triangles) {
  const double least = mean_side(positions, indices, triangles) / 4;
  const double floor = least * least;
  std::vector<Vector3> normals(positions.size());
  for (size_t t = 0; t < triangles; ++t) {
    const uint32_t* corner = indices + 3 * t;
    for (int k = 0; k < 3; ++k) {
      const Vector3 at = positions[corner[k]];
      const Vector3 to = positions[corner[(k + 1) % 3]] - at, from = positions[corner[(k + 2) % 3]] - at;
      const double weight = 1 / (std::max(dot(to, to), floor) * std::max(dot(from, from), floor));
      if (std::isfinite(weight)) normals[corner[k]] = normals[corner[k]] + weight * cross(to, from);
    }
  }
  for (Vector3& normal : normals) {
    const double length = std::sqrt(dot(normal, normal));
    normal = length > 0 ? (1 / length) * normal : Vector3{};
  }
  return normals;
}

PatchMesh curved_patches(const std::vector<Vector3>& positions, const uint32_t* indices, size_t triangles, int level) {
  PatchMesh mesh;
  mesh.positions = positions;
  if (level <= 1) {
    mesh.indices.assign(indices, indices + 3 * triangles);
    return mesh;
  }
  const std::vector<Vector3> normals = patch_normals(positions, indices, triangles);
  const Edges edges(indices, triangles);
  const auto parts = static_cast<uint32_t>(level);
  const size_t inner = static_cast<size_t>(parts - 1) * (parts - 2) / 2;
  mesh.positions.reserve(positions.size() + edges.size() * (parts - 1) + triangles * inner);
  for (size_t e = 0; e < edges.size(); ++e) {
    const Vector3 p = positions[edges.low(e)], q = positions[edges.high(e)];
    const Vector3 b1 = edge_control(p, q, normals[edges.low(e)]), b2 = edge_control(q, p, normals[edges.high(e)]);
    for (uint32_t i = 1; i < parts; ++i) {
      const double t = static_cast<double>(i) / parts, s = 1 - t;
      mesh.positions.push_back(s * s * s * p + 3 * s * s * t * b1 + 3 * s * t * t * b2 + t * t * t * q);
    }
  }
  const auto first_of_edges = static_cast<uint32_t>(positions.size());
  mesh.indices.reserve(3 * triangles * parts * parts);
  std::vector<Weights> weights;
  for (uint32_t i = 1; i + 1 < parts; ++i) {
    for (uint32_t j = 1; i + j < parts; ++j)
      weights.emplace_back(static_cast<double>(i) / parts, static_cast<double>(j) / parts);
  }
  std::vector<uint32_t> grid(static_cast<size_t>(parts + 1) * (parts + 1));
  const auto cell = [&](uint32_t i, uint32_t j) -> uint32_t& { return grid[i * (parts + 1) + j]; };
  for (size_t t = 0; t < triangles; ++t) {
    const uint32_t a = indices[3 * t], b = indices[3 * t + 1], c = indices[3 * t + 2];
    const Net net = control_net({positions[a], positions[b], positions[c]}, {normals[a], normals[b], normals[c]});
    // Vertex (i, j) lies i parts towards b and j parts towards c.
    const auto walk = [&](uint32_t from, uint32_t to, const auto& into) {
      const uint32_t first = first_of_edges + static_cast<uint32_t>(edges.of(from, to)) * (parts - 1);
      for (uint32_t i = 1; i < parts; ++i) into(i) = first + (from < to ? i : parts - i) - 1;
    };
    walk(a, b, [&](uint32_t i) -> uint32_t& { return cell(i, 0); });
    walk(a, c, [&](uint32_t i) -> uint32_t& { return cell(0, i); });
    walk(b, c, [&](uint32_t i) -> uint32_t& { return cell(parts - i, i); });
    cell(0, 0) = a;
    cell(parts, 0) = b;
    cell(0, parts) = c;
    auto weight = weights.begin();
    for (uint32_t i = 1; i + 1 < parts; ++i) {
      for (uint32_t j = 1; i + j < parts; ++j) {
        cell(i, j) = static_cast<uint32_t>(mesh.positions.size());
        mesh.positions.push_back(net.at(*weight++));
      }
    }
    for (uint32_t i = 0; i < parts; ++i) {
      for (uint32_t j = 0; i + j < parts; ++j) {
        mesh.indices.insert(mesh.indices.end(), {cell(i, j), cell(i + 1, j), cell(i, j + 1)});
        if (i + j + 1 < parts)
          mesh.indices.insert(mesh.indices.end(), {cell(i + 1, j), cell(i + 1, j + 1), cell(i, j + 1)});
      }
    }
  }
  return mesh;
}

}  // namespace lineament
