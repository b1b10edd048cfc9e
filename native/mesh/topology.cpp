#include "mesh/topology.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <new>
#include <utility>

namespace lineament {
namespace {

constexpr size_t kPoll = 65536;

// Disjoint sets by the smallest member.
class Sets {
 public:
  explicit Sets(size_t size) : parent_(size) {
    for (size_t i = 0; i < size; ++i) parent_[i] = static_cast<uint32_t>(i);
  }
  uint32_t find(uint32_t i) {
    while (parent_[i] != i) {
      parent_[i] = parent_[parent_[i]];
      i = parent_[i];
    }
    return i;
  }
  void join(uint32_t a, uint32_t b) {
    a = find(a);
    b = find(b);
    if (a != b) parent_[std::max(a, b)] = std::min(a, b);
  }

 private:
  std::vector<uint32_t> parent_;
};

struct Use {
  uint32_t other;  // the edge's vertex with the higher number
  uint32_t half;
};

// Half-edges by the lower of their vertices, for each by the other one, then by their own number.
class EdgeTable {
 public:
  explicit EdgeTable(const TriangleMesh& mesh) : indices_(mesh.indices), first_(mesh.vertices() + 1, 0) {
    const auto count = static_cast<uint32_t>(indices_.size());
    for (uint32_t half = 0; half < count; ++half) {
      const auto [low, high] = ends(half);
      if (low != high) ++first_[size_t{low} + 1];
    }
    for (size_t v = 1; v < first_.size(); ++v) first_[v] += first_[v - 1];
    uses_.resize(first_.back());
    std::vector<uint32_t> fill(first_.begin(), first_.end() - 1);
    for (uint32_t half = 0; half < count; ++half) {
      const auto [low, high] = ends(half);
      if (low != high) uses_[fill[low]++] = {high, half};
    }
  }

  // work(uses, count) for every edge, by its vertices.
  template <typename Work>
  Status each(const CancelToken* token, Work work) {
    for (size_t v = 0; v + 1 < first_.size(); ++v) {
      if (v % kPoll == 0 && is_cancelled(token)) return Status(Code::kAborted, "Aborted");
      Use* begin = uses_.data() + first_[v];
      Use* end = uses_.data() + first_[v + 1];
      sort(begin, end);
      while (begin < end) {
        Use* stop = begin + 1;
        while (stop < end && stop->other == begin->other) ++stop;
        work(begin, static_cast<size_t>(stop - begin));
        begin = stop;
      }
    }
    return Status();
  }

 private:
  std::pair<uint32_t, uint32_t> ends(uint32_t half) const {
    const uint32_t a = indices_[half], b = indices_[next_half(half)];
    return {std::min(a, b), std::max(a, b)};
  }

  static void sort(Use* begin, Use* end) {
    const auto before = [](const Use& a, const Use& b) {
      return a.other != b.other ? a.other < b.other : a.half < b.half;
    };
    if (end - begin > 24) {
      std::sort(begin, end, before);
      return;
    }
    for (Use* at = begin; at < end; ++at) {
      const Use mine = *at;
      Use* to = at;
      for (; to > begin && before(mine, *(to - 1)); --to) *to = *(to - 1);
      *to = mine;
    }
  }

  const std::vector<uint32_t>& indices_;
  std::vector<uint32_t> first_;
  std::vector<Use> uses_;
};

// Vertices whose corners are not all joined by regular edges.
size_t count_pinches(const TriangleMesh& mesh, const std::vector<uint32_t>& twins) {
  // Corner `half` belongs to vertex indices[half]. Across an edge the corners at both its ends meet.
  Sets fans(mesh.indices.size());
  for (uint32_t half = 0; half < twins.size(); ++half) {
    const uint32_t twin = twins[half];
    if (twin >= kIrregular || twin < half) continue;
    fans.join(half, next_half(twin));
    fans.join(next_half(half), twin);
  }
  std::vector<uint8_t> fan_count(mesh.vertices(), 0);
  for (uint32_t half = 0; half < twins.size(); ++half) {
    if (fans.find(half) == half && fan_count[mesh.indices[half]] < 2) ++fan_count[mesh.indices[half]];
  }
  return static_cast<size_t>(std::count(fan_count.begin(), fan_count.end(), 2));
}

}  // namespace

void area_vector(const TriangleMesh& mesh, size_t triangle, double out[3]) {
  const uint32_t* corner = mesh.indices.data() + 3 * triangle;
  double u[3], v[3];
  for (size_t k = 0; k < 3; ++k) {
    const double a = static_cast<double>(mesh.positions[3 * size_t{corner[0]} + k]);
    u[k] = static_cast<double>(mesh.positions[3 * size_t{corner[1]} + k]) - a;
    v[k] = static_cast<double>(mesh.positions[3 * size_t{corner[2]} + k]) - a;
  }
  for (size_t k = 0; k < 3; ++k) out[k] = u[(k + 1) % 3] * v[(k + 2) % 3] - u[(k + 2) % 3] * v[(k + 1) % 3];
}

bool is_degenerate(const TriangleMesh& mesh, size_t triangle) {
  const uint32_t* corner = mesh.indices.data() + 3 * triangle;
  if (corner[0] == corner[1] || corner[1] == corner[2] || corner[2] == corner[0]) return true;
  double area[3], longest = 0;
  area_vector(mesh, triangle, area);
  for (size_t e = 0; e < 3; ++e) {
    double squared = 0;
    for (size_t k = 0; k < 3; ++k) {
      const double d = static_cast<double>(mesh.positions[3 * size_t{corner[e]} + k]) -
                       static_cast<double>(mesh.positions[3 * size_t{corner[(e + 1) % 3]} + k]);
      squared += d * d;
    }
    longest = std::max(longest, squared);
  }
  return std::sqrt(area[0] * area[0] + area[1] * area[1] + area[2] * area[2]) <= 1e-12 * longest;
}

std::vector<uint8_t> find_duplicates(const TriangleMesh& mesh) {
  const size_t count = mesh.triangles();
  std::vector<uint8_t> duplicate(count, 0);
  // By the lowest corner; those that share it are sorted by the others.
  std::vector<uint32_t> first(mesh.vertices() + 1, 0);
  const auto corners = [&](size_t t) {
    std::array<uint32_t, 3> c = {mesh.indices[3 * t], mesh.indices[3 * t + 1], mesh.indices[3 * t + 2]};
    if (c[0] > c[1]) std::swap(c[0], c[1]);
    if (c[1] > c[2]) std::swap(c[1], c[2]);
    if (c[0] > c[1]) std::swap(c[0], c[1]);
    return c;
  };
  for (size_t t = 0; t < count; ++t) ++first[size_t{corners(t)[0]} + 1];
  for (size_t v = 1; v < first.size(); ++v) first[v] += first[v - 1];
  struct Entry {
    uint64_t others;
    uint32_t triangle;
  };
  std::vector<Entry> entries(count);
  std::vector<uint32_t> fill(first.begin(), first.end() - 1);
  for (size_t t = 0; t < count; ++t) {
    const std::array<uint32_t, 3> c = corners(t);
    entries[fill[c[0]]++] = {uint64_t{c[1]} << 32 | c[2], static_cast<uint32_t>(t)};
  }
  for (size_t v = 0; v + 1 < first.size(); ++v) {
    const auto begin = entries.begin() + first[v], end = entries.begin() + first[v + 1];
    if (end - begin < 2) continue;
    std::sort(begin, end, [](const Entry& a, const Entry& b) {
      return a.others != b.others ? a.others < b.others : a.triangle < b.triangle;
    });
    for (auto at = begin + 1; at < end; ++at) {
      if (at->others == (at - 1)->others) duplicate[at->triangle] = 1;
    }
  }
  return duplicate;
}

Status find_twins(const TriangleMesh& mesh, const CancelToken* token, std::vector<uint32_t>* twins, EdgeCounts* counts,
                  std::vector<uint32_t>* pieces, size_t* piece_count) {
  if (mesh.indices.size() >= kIrregular) return Status(Code::kInvalidArgument, "Too many triangles");
  const bool wanted = pieces != nullptr;
  twins->assign(mesh.indices.size(), kIrregular);
  *counts = EdgeCounts();
  EdgeTable table(mesh);
  Sets sets(wanted ? mesh.triangles() : 0);
  const Status done = table.each(token, [&](const Use* uses, size_t count) {
    ++counts->edges;
    if (count == 1) {
      ++counts->border;
      (*twins)[uses[0].half] = kBorder;
      return;
    }
    if (count > 2) {
      ++counts->non_manifold;
    } else if (mesh.indices[uses[0].half] == mesh.indices[uses[1].half]) {
      ++counts->inconsistent;
    } else {
      (*twins)[uses[0].half] = uses[1].half;
      (*twins)[uses[1].half] = uses[0].half;
    }
    for (size_t i = 1; wanted && i < count; ++i) sets.join(uses[0].half / 3, uses[i].half / 3);
  });
  if (!done.ok() || !wanted) return done;
  pieces->resize(mesh.triangles());
  uint32_t next = 0;
  for (uint32_t t = 0; t < pieces->size(); ++t) {
    const uint32_t root = sets.find(t);
    (*pieces)[t] = root == t ? next++ : (*pieces)[root];
  }
  *piece_count = next;
  return done;
}

std::vector<std::vector<uint32_t>> border_loops(const TriangleMesh& mesh, const std::vector<uint32_t>& twins) {
  std::vector<std::vector<uint32_t>> loops;
  std::vector<uint8_t> done(twins.size(), 0);
  for (uint32_t start = 0; start < twins.size(); ++start) {
    if (twins[start] != kBorder || done[start] != 0) continue;
    std::vector<uint32_t> loop;
    uint32_t at = start;
    do {
      done[at] = 1;
      loop.push_back(at);
      // Around the vertex where it ends, through its triangles, to the half-edge that leaves along the border.
      at = next_half(at);
      while (twins[at] < kIrregular) at = next_half(twins[at]);
    } while (twins[at] == kBorder && done[at] == 0);
    if (at == start) loops.push_back(std::move(loop));
  }
  static_cast<void>(mesh);
  return loops;
}

Status inspect_mesh(const TriangleMesh& mesh, const CancelToken* token, MeshReport* report) {
  try {
    *report = MeshReport();
    report->vertices = mesh.vertices();
    report->triangles = mesh.triangles();
    std::vector<uint32_t> twins, pieces;
    const Status done = find_twins(mesh, token, &twins, &report->edges, &pieces, &report->components);
    if (!done.ok()) return done;
    report->border_loops = border_loops(mesh, twins).size();
    report->non_manifold_vertices = count_pinches(mesh, twins);
    std::vector<uint8_t> used(mesh.vertices(), 0);
    for (const uint32_t index : mesh.indices) used[index] = 1;
    report->unused_vertices = static_cast<size_t>(std::count(used.begin(), used.end(), 0));
    const std::vector<uint8_t> duplicates = find_duplicates(mesh);
    report->duplicate_triangles = static_cast<size_t>(std::count(duplicates.begin(), duplicates.end(), 1));
    double volume = 0;
    for (size_t t = 0; t < mesh.triangles(); ++t) {
      if (t % kPoll == 0 && is_cancelled(token)) return Status(Code::kAborted, "Aborted");
      double twice[3];
      area_vector(mesh, t, twice);
      report->area += std::sqrt(twice[0] * twice[0] + twice[1] * twice[1] + twice[2] * twice[2]) / 2;
      // From the first vertex, which keeps the sums small where the mesh is far away.
      for (size_t k = 0; k < 3; ++k) {
        const double from = static_cast<double>(mesh.positions[k]);
        volume += (static_cast<double>(mesh.positions[3 * size_t{mesh.indices[3 * t]} + k]) - from) * twice[k] / 6;
      }
      report->degenerate_triangles += is_degenerate(mesh, t) ? 1 : 0;
    }
    const EdgeCounts& edges = report->edges;
    report->oriented = edges.inconsistent == 0 && edges.non_manifold == 0;
    report->watertight = edges.edges > 0 && edges.border == 0 && edges.non_manifold == 0;
    report->euler = static_cast<int64_t>(report->vertices - report->unused_vertices) -
                    static_cast<int64_t>(edges.edges) + static_cast<int64_t>(report->triangles);
    if (report->watertight && report->oriented) report->volume = volume;
    return Status();
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the edges of a mesh");
  }
}

}  // namespace lineament
