#include "mesh/holes.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <set>
#include <utility>
#include <vector>

#include "mesh/holes_patch.h"
#include "mesh/topology.h"

namespace lineament {
namespace {

// Edges at the vertices of borders, from both ends.
class BorderEdges {
 public:
  BorderEdges(const TriangleMesh& mesh, const std::vector<uint32_t>& twins) {
    std::vector<uint8_t> border(mesh.vertices(), 0);
    for (uint32_t half = 0; half < twins.size(); ++half) {
      if (twins[half] != kBorder) continue;
      border[mesh.indices[half]] = 1;
      border[mesh.indices[next_half(half)]] = 1;
    }
    for (uint32_t half = 0; half < twins.size(); ++half) {
      const uint32_t a = mesh.indices[half], b = mesh.indices[next_half(half)];
      if (border[a] != 0) edges_.emplace_back(a, b);
      if (border[b] != 0) edges_.emplace_back(b, a);
    }
    std::sort(edges_.begin(), edges_.end());
    edges_.erase(std::unique(edges_.begin(), edges_.end()), edges_.end());
  }

  bool has(uint32_t a, uint32_t b) const {
    return a == b || std::binary_search(edges_.begin(), edges_.end(), std::make_pair(a, b)) ||
           added_.count({std::min(a, b), std::max(a, b)}) > 0;
  }
  void add(uint32_t a, uint32_t b) { added_.emplace(std::min(a, b), std::max(a, b)); }

  template <typename Take>
  void around(uint32_t vertex, Take take) const {
    auto at = std::lower_bound(edges_.begin(), edges_.end(), std::make_pair(vertex, uint32_t{0}));
    for (; at != edges_.end() && at->first == vertex; ++at) take(at->second);
  }

 private:
  std::vector<std::pair<uint32_t, uint32_t>> edges_;
  std::set<std::pair<uint32_t, uint32_t>> added_;
};

Point3 point_of(const TriangleMesh& mesh, uint32_t vertex) {
  Point3 out;
  for (size_t k = 0; k < 3; ++k) out[k] = static_cast<double>(mesh.positions[3 * size_t{vertex} + k]);
  return out;
}

template <typename T>
void mix(std::vector<T>* values, const std::array<uint32_t, 3>& from, size_t per) {
  if (values->empty()) return;
  for (size_t k = 0; k < per; ++k) {
    float sum = 0;
    for (const uint32_t vertex : from) sum += static_cast<float>((*values)[per * size_t{vertex} + k]);
    values->push_back(static_cast<T>(std::is_integral_v<T> ? sum / 3 + 0.5f : sum / 3));
  }
}

// Puts the patch into the mesh; `names` are the mesh's numbers of its border.
void append(const Patch& patch, std::vector<uint32_t> names, TriangleMesh* mesh) {
  const size_t first = mesh->vertices();
  for (size_t i = 0; i < patch.parents.size(); ++i) {
    const std::array<size_t, 3>& parent = patch.parents[i];
    const std::array<uint32_t, 3> from = {names[parent[0]], names[parent[1]], names[parent[2]]};
    names.push_back(static_cast<uint32_t>(mesh->vertices()));
    mix(&mesh->uvs, from, 2);
    mix(&mesh->colours, from, 3);
    for (const double at : patch.points[patch.border + i]) mesh->positions.push_back(static_cast<float>(at));
  }
  std::vector<Point3> normals(patch.parents.size(), Point3{});
  for (const std::array<size_t, 3>& triangle : patch.triangles) {
    const size_t number = mesh->triangles();
    for (const size_t corner : triangle) mesh->indices.push_back(names[corner]);
    double twice[3];
    area_vector(*mesh, number, twice);
    for (const size_t corner : triangle) {
      for (size_t k = 0; k < 3 && corner >= patch.border; ++k) normals[corner - patch.border][k] += twice[k];
    }
  }
  if (mesh->normals.empty()) return;
  mesh->normals.resize(3 * mesh->vertices());
  for (size_t i = 0; i < normals.size(); ++i) {
    const Point3& n = normals[i];
    const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (size_t k = 0; k < 3; ++k) {
      mesh->normals[3 * (first + i) + k] = length > 0 ? static_cast<float>(n[k] / length) : k == 2 ? -1.0f : 0.0f;
    }
  }
}

bool fill(const std::vector<uint32_t>& loop, bool refine, BorderEdges* edges, TriangleMesh* mesh, HoleReport* report) {
  Patch patch;
  patch.border = loop.size();
  // The patch runs along the border the other way.
  std::vector<uint32_t> names;
  for (size_t i = loop.size(); i-- > 0;) names.push_back(mesh->indices[loop[i]]);
  for (const uint32_t name : names) patch.points.push_back(point_of(*mesh, name));
  patch.taken = [&](size_t a, size_t b) { return edges->has(names[a], names[b]); };
  if (!triangulate_patch(&patch)) return false;
  if (refine) {
    refine_patch(&patch);
    std::vector<std::set<uint32_t>> own(names.size());
    for (const std::array<size_t, 3>& triangle : patch.triangles) {
      for (size_t k = 0; k < 3; ++k) {
        const size_t a = triangle[k], b = triangle[(k + 1) % 3];
        if (a >= patch.border || b >= patch.border) continue;
        own[a].insert(names[b]);
        own[b].insert(names[a]);
      }
    }
    patch.around.resize(names.size());
    for (size_t i = 0; i < names.size(); ++i) {
      edges->around(names[i], [&](uint32_t other) {
        if (own[i].count(other) == 0) patch.around[i].push_back(point_of(*mesh, other));
      });
    }
    fair_patch(&patch);
  }
  for (const std::array<size_t, 3>& triangle : patch.triangles) {
    for (size_t k = 0; k < 3; ++k) {
      const size_t a = triangle[k], b = triangle[(k + 1) % 3];
      if (a < patch.border && b < patch.border) edges->add(names[a], names[b]);
    }
  }
  ++report->filled;
  report->vertices += patch.parents.size();
  report->triangles += patch.triangles.size();
  append(patch, std::move(names), mesh);
  return true;
}

}  // namespace

Status fill_holes(const HoleOptions& options, const CancelToken* token, TriangleMesh* mesh, HoleReport* report) {
  *report = HoleReport();
  if (options.max_edges < 3 || options.max_edges > 4096) {
    return Status(Code::kInvalidArgument, "Expected holes of 3 to 4096 edges");
  }
  if (!(options.max_perimeter >= 0)) return Status(Code::kInvalidArgument, "Expected a perimeter of at least 0");
  try {
    std::vector<uint32_t> twins;
    EdgeCounts counts;
    const Status done = find_twins(*mesh, token, &twins, &counts);
    if (!done.ok()) return done;
    const std::vector<std::vector<uint32_t>> loops = border_loops(*mesh, twins);
    report->found = loops.size();
    BorderEdges edges(*mesh, twins);
    for (const std::vector<uint32_t>& loop : loops) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Aborted");
      if (loop.size() < 3 || loop.size() > options.max_edges) continue;
      double perimeter = 0;
      for (const uint32_t half : loop) {
        const Point3 a = point_of(*mesh, mesh->indices[half]), b = point_of(*mesh, mesh->indices[next_half(half)]);
        perimeter +=
            std::sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) + (a[2] - b[2]) * (a[2] - b[2]));
      }
      if (perimeter <= options.max_perimeter) fill(loop, options.refine, &edges, mesh, report);
    }
    return Status();
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for closing holes");
  }
}

}  // namespace lineament
