#include "mesh/remnant.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/spread.h"
#include "mesh/closest.h"
#include "mesh/connectivity.h"

namespace lineament {
namespace {

constexpr size_t kBlock = 4096;
constexpr int kMostSteps = 64;  // from vertex to vertex

// Squared distance of `place` from the triangles that are met when going downhill from `point`.
float descend(const MeshView& mesh, const std::vector<uint32_t>& corners, const Stars& stars, Vec3 place,
              uint32_t point) {
  float best = std::numeric_limits<float>::infinity();
  for (int step = 0; step < kMostSteps; ++step) {
    uint32_t next = kNoVertex;
    for (uint32_t i = stars.begin[point]; i < stars.begin[point + 1]; ++i) {
      const uint32_t* c = corners.data() + 3 * size_t{stars.triangles[i]};
      const Closest found = closest_on_triangle(place, vec3_at(mesh.positions, c[0]), vec3_at(mesh.positions, c[1]),
                                                vec3_at(mesh.positions, c[2]));
      if (!(found.squared < best)) continue;
      best = found.squared;
      // Where the nearest place lies on the rim of these triangles, there may be a nearer one beyond.
      const float weights[3] = {found.a, found.b, found.c};
      const size_t mine = c[0] == point ? 0 : c[1] == point ? 1 : 2;
      const size_t one = (mine + 1) % 3, two = (mine + 2) % 3;
      next = weights[mine] > 0 ? kNoVertex : weights[one] > weights[two] ? c[one] : c[two];
    }
    if (next == kNoVertex) break;
    point = next;
  }
  return best;
}

}  // namespace

Remnant remnant_of(const Collapser& collapser) {
  Remnant out;
  out.points.reserve(3 * collapser.live());
  const uint32_t *points = collapser.point_corners(), *vertices = collapser.vertex_corners();
  if (points != vertices) out.corners.reserve(3 * collapser.live());
  for (size_t i = 0; i < 3 * collapser.triangle_slots(); i += 3) {
    if (points[i] == kNoVertex) continue;
    out.points.insert(out.points.end(), points + i, points + i + 3);
    if (points != vertices) out.corners.insert(out.corners.end(), vertices + i, vertices + i + 3);
  }
  out.parents.assign(collapser.parents(), collapser.parents() + collapser.points());
  return out;
}

Result<Deviation> deviation_of(const MeshView& original, const Remnant& remnant, Executor& executor,
                               const CancelToken* token) {
  struct Sum {
    double most = 0, squares = 0;
    size_t count = 0;
  };
  const size_t n = original.vertices, blocks = (n + kBlock - 1) / kBlock;
  Stars stars;
  if (Status status = stars.build(remnant.points.data(), remnant.points.size() / 3, n); !status.ok()) return status;
  std::vector<Sum> sums(blocks);
  const Status done = spread(executor, blocks, [&](size_t block) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Simplification was cancelled");
    Sum& sum = sums[block];
    for (size_t p = block * kBlock; p < std::min(n, (block + 1) * kBlock); ++p) {
      uint32_t now = static_cast<uint32_t>(p);
      while (remnant.parents[now] != now) now = remnant.parents[now];
      if (stars.begin[now] == stars.begin[now + 1]) continue;  // no triangle ever used it
      ++sum.count;
      if (now == p) continue;
      const double squared = descend(original, remnant.points, stars, vec3_at(original.positions, p), now);
      sum.most = std::max(sum.most, squared);
      sum.squares += squared;
    }
    return Status();
  });
  if (!done.ok()) return done;
  Sum all;
  for (const Sum& sum : sums) {
    all.most = std::max(all.most, sum.most);
    all.squares += sum.squares;
    all.count += sum.count;
  }
  return Deviation{std::sqrt(all.most), std::sqrt(all.squares / static_cast<double>(std::max<size_t>(all.count, 1)))};
}

TriangleMesh mesh_of(const MeshView& original, const Remnant& remnant, std::vector<uint32_t>* sources) {
  const std::vector<uint32_t>& corners = remnant.vertex_corners();
  std::vector<uint32_t> name(original.vertices, kNoVertex);
  for (const uint32_t v : corners) name[v] = 0;
  sources->clear();
  for (uint32_t v = 0; v < original.vertices; ++v) {
    if (name[v] == kNoVertex) continue;
    name[v] = static_cast<uint32_t>(sources->size());
    sources->push_back(v);
  }
  TriangleMesh out = take_vertices(original, sources->data(), sources->size());
  out.indices.resize(corners.size());
  std::transform(corners.begin(), corners.end(), out.indices.begin(), [&name](uint32_t v) { return name[v]; });
  return out;
}

}  // namespace lineament
