#include "mesh/remnant.h"

#include <algorithm>
#include <cmath>

#include "core/spread.h"
#include "mesh/connectivity.h"
#include "mesh/descend.h"

namespace lineament {
namespace {

constexpr size_t kBlock = 4096;

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
  const auto place = [&original](uint32_t p) { return vec3_at(original.positions, p); };
  const Status done = spread(executor, blocks, [&](size_t block) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Simplification was cancelled");
    Sum& sum = sums[block];
    for (size_t p = block * kBlock; p < std::min(n, (block + 1) * kBlock); ++p) {
      uint32_t now = static_cast<uint32_t>(p);
      while (remnant.parents[now] != now) now = remnant.parents[now];
      if (stars.begin[now] == stars.begin[now + 1]) continue;  // no triangle ever used it
      ++sum.count;
      if (now == p) continue;
      const double squared = descend(place, remnant.points.data(), stars, place(static_cast<uint32_t>(p)), now);
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
