#include "mesh/vertex_cache.h"

#include <utility>

#include "mesh/connectivity.h"

namespace lineament {

double cache_miss_ratio(const uint32_t* indices, size_t triangles, size_t vertices) {
  if (triangles == 0) return 0;
  std::vector<uint32_t> entered(vertices, 0);  // count of misses after a vertex came in; 0: never
  uint32_t misses = 0;
  for (size_t i = 0; i < 3 * triangles; ++i) {
    uint32_t& when = entered[indices[i]];
    if (when == 0 || misses - when >= kCacheSize) when = ++misses;
  }
  return static_cast<double>(misses) / static_cast<double>(triangles);
}

namespace {

// One fan of triangles after the other, each around the vertex that has been in the cache for longest and will still be
// there when its fan is done; where there is none, around the last vertex seen with triangles left.
std::vector<uint32_t> tipsify(const uint32_t* indices, size_t m, size_t n, const Stars& stars) {
  std::vector<uint32_t> left(n), entered(n, 0), out;
  std::vector<uint8_t> done(m, 0);
  std::vector<uint32_t> seen;  // dead ends
  out.reserve(3 * m);
  seen.reserve(3 * m);
  for (size_t v = 0; v < n; ++v) left[v] = stars.begin[v + 1] - stars.begin[v];
  uint32_t now = kCacheSize + 1;
  uint32_t next_new = 0, fan = m > 0 ? indices[0] : kNoVertex;
  while (fan != kNoVertex) {
    const size_t ring = out.size();
    for (uint32_t i = stars.begin[fan]; i < stars.begin[fan + 1]; ++i) {
      const uint32_t t = stars.triangles[i];
      if (done[t] != 0) continue;
      done[t] = 1;
      for (size_t k = 0; k < 3; ++k) {
        const uint32_t v = indices[3 * size_t{t} + k];
        out.push_back(v);
        seen.push_back(v);
        --left[v];
        if (now - entered[v] > kCacheSize) entered[v] = now++;
      }
    }
    uint32_t best = 0;
    fan = kNoVertex;
    for (size_t i = ring; i < out.size(); ++i) {
      const uint32_t v = out[i];
      if (left[v] == 0) continue;
      const uint32_t age = now - entered[v];
      const uint32_t priority = age + 2 * left[v] <= kCacheSize ? age + 1 : 1;
      if (priority > best) best = priority, fan = v;
    }
    while (fan == kNoVertex && !seen.empty()) {
      if (left[seen.back()] > 0) fan = seen.back();
      seen.pop_back();
    }
    for (; fan == kNoVertex && next_new < n; ++next_new)
      if (left[next_new] > 0) fan = next_new;
  }
  return out;
}

}  // namespace

std::vector<uint32_t> order_triangles(const uint32_t* indices, size_t triangles, size_t vertices, double* ratio) {
  const double before = cache_miss_ratio(indices, triangles, vertices);
  if (ratio != nullptr) *ratio = before;
  Stars stars;
  if (stars.build(indices, triangles, vertices).ok()) {
    std::vector<uint32_t> out = tipsify(indices, triangles, vertices, stars);
    const double after = cache_miss_ratio(out.data(), triangles, vertices);
    if (after < before) {
      if (ratio != nullptr) *ratio = after;
      return out;
    }
  }
  return std::vector<uint32_t>(indices, indices + 3 * triangles);
}

TriangleMesh order_vertices(const MeshView& mesh, std::vector<uint32_t> indices, std::vector<uint32_t>* sources) {
  std::vector<uint32_t> name(mesh.vertices, kNoVertex);
  sources->clear();
  for (uint32_t& v : indices) {
    if (name[v] == kNoVertex) {
      name[v] = static_cast<uint32_t>(sources->size());
      sources->push_back(v);
    }
    v = name[v];
  }
  TriangleMesh out = take_vertices(mesh, sources->data(), sources->size());
  out.indices = std::move(indices);
  return out;
}

Result<OptimisedMesh> optimise(const MeshView& mesh, const CancelToken* token) {
  if (Status status = check_mesh(mesh, Code::kNoSurface); !status.ok()) return status;
  if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
  OptimisedMesh out;
  out.before = cache_miss_ratio(mesh.indices, mesh.triangles, mesh.vertices);
  std::vector<uint32_t> ordered = order_triangles(mesh.indices, mesh.triangles, mesh.vertices, &out.after);
  if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
  out.mesh = order_vertices(mesh, std::move(ordered), &out.sources);
  return out;
}

}  // namespace lineament
