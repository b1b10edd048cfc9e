#include "mesh/normals.h"

#include <algorithm>
#include <cmath>

#include "core/spread.h"
#include "mesh/connectivity.h"

namespace lineament {
namespace {

constexpr size_t kBlock = 4096;

// Between two sides, from 0 to π; their cross product has the length `area2`.
float angle(Vec3 u, Vec3 v, float area2) { return std::atan2(area2, dot(u, v)); }

}  // namespace

Result<std::vector<float>> vertex_normals(const MeshView& mesh, Executor& executor, const CancelToken* token) {
  if (Status status = check_mesh(mesh); !status.ok()) return status;
  const size_t n = mesh.vertices, m = mesh.triangles;
  std::vector<uint32_t> point(n), corners(3 * m);
  const bool shared = weld_points(mesh, point.data());
  for (size_t i = 0; i < 3 * m; ++i) corners[i] = point[mesh.indices[i]];
  Stars stars;
  if (Status status = stars.build(corners.data(), m, n); !status.ok()) return status;
  std::vector<Vec3> units(m);
  std::vector<float> angles(3 * m);
  const auto each_block = [&](size_t count, auto work) {
    return spread(executor, (count + kBlock - 1) / kBlock, [&, count](size_t block) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Computing normals was cancelled");
      for (size_t i = block * kBlock; i < std::min(count, (block + 1) * kBlock); ++i) work(i);
      return Status();
    });
  };
  Status done = each_block(m, [&](size_t t) {
    const Vec3 a = vec3_at(mesh.positions, corners[3 * t]), b = vec3_at(mesh.positions, corners[3 * t + 1]);
    const Vec3 c = vec3_at(mesh.positions, corners[3 * t + 2]);
    const Vec3 normal = cross(b - a, c - a);
    const float size = length(normal);
    if (!(size > 0) || !std::isfinite(size)) return;
    units[t] = 1 / size * normal;
    angles[3 * t] = angle(b - a, c - a, size);
    angles[3 * t + 1] = angle(c - b, a - b, size);
    angles[3 * t + 2] = angle(a - c, b - c, size);
  });
  if (!done.ok()) return done;
  std::vector<float> out(3 * n);
  done = each_block(n, [&](size_t v) {
    Vec3 sum;
    for (uint32_t i = stars.begin[v]; i < stars.begin[v + 1]; ++i) {
      const size_t t = stars.triangles[i];
      const uint32_t* c = corners.data() + 3 * t;
      for (size_t k = 0; k < 3; ++k)
        if (c[k] == v) sum = sum + angles[3 * t + k] * units[t];
    }
    const float size = length(sum);
    if (!(size > 0)) return;
    out[3 * v] = sum.x / size;
    out[3 * v + 1] = sum.y / size;
    out[3 * v + 2] = sum.z / size;
  });
  if (!done.ok()) return done;
  for (size_t v = 0; v < n && shared; ++v) std::copy_n(out.data() + 3 * size_t{point[v]}, 3, out.data() + 3 * v);
  return out;
}

}  // namespace lineament
