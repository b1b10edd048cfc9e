#include "mesh/geodesic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <new>
#include <queue>
#include <unordered_map>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr uint32_t kNone = UINT32_MAX;
constexpr double kNothing = 1e-12;  // relative: shorter windows and gains do not count
constexpr double kFullTurn = 2 * 3.14159265358979323846;
constexpr size_t kLook = 4096;  // windows between looks at the token

struct Point2 {
  double x = 0, y = 0;
};
double cross(Point2 a, Point2 b) { return a.x * b.y - a.y * b.x; }
Point2 minus(Point2 a, Point2 b) { return {a.x - b.x, a.y - b.y}; }
double span(Point2 a) { return std::sqrt(a.x * a.x + a.y * a.y); }

// Half-edge 3 t + k runs from corner k of triangle t to the next. In its frame it starts at (0, 0) and ends at (length,
// 0); the triangle's third corner is at `apex`, above.
struct Surface {
  std::vector<uint32_t> origin, twin;
  std::vector<double> length;
  std::vector<Point2> apex;
  std::vector<uint32_t> first, around;  // half-edges that leave a vertex: around[first[v]] …
  std::vector<char> bends;              // ways may bend around the vertex
  size_t vertices = 0;

  static uint32_t next(uint32_t h) { return h % 3 == 2 ? h - 2 : h + 1; }
  uint32_t target(uint32_t h) const { return origin[next(h)]; }

  explicit Surface(const MeshView& mesh);
};

Surface::Surface(const MeshView& mesh) : vertices(mesh.vertices) {
  const size_t edges = 3 * mesh.triangles;
  origin.assign(mesh.indices, mesh.indices + edges);
  twin.assign(edges, kNone);
  length.resize(edges);
  apex.resize(edges);
  const auto at = [&](uint32_t v, int k) { return double{mesh.positions[3 * size_t{v} + static_cast<size_t>(k)]}; };
  const auto distance = [&](uint32_t a, uint32_t b) {
    const double x = at(a, 0) - at(b, 0), y = at(a, 1) - at(b, 1), z = at(a, 2) - at(b, 2);
    return std::sqrt(x * x + y * y + z * z);
  };
  std::unordered_map<uint64_t, uint32_t> known;
  known.reserve(edges);
  std::vector<uint64_t> crowded;
  for (uint32_t h = 0; h < edges; ++h) {
    length[h] = distance(origin[h], target(h));
    const uint64_t key = (uint64_t{origin[h]} << 32) | target(h);
    if (!known.emplace(key, h).second) crowded.push_back(key);
  }
  for (const uint64_t key : crowded) known[key] = kNone;
  for (uint32_t h = 0; h < edges; ++h) {
    const auto own = known.find((uint64_t{origin[h]} << 32) | target(h));
    const auto back = known.find((uint64_t{target(h)} << 32) | origin[h]);
    if (own->second != kNone && back != known.end()) twin[h] = back->second;
  }
  std::vector<double> turn(vertices, 0);
  bends.assign(vertices, 0);
  for (uint32_t h = 0; h < edges; ++h) {
    const uint32_t after = next(h), before = next(after);
    const double l = length[h], a = length[before],
                 b = length[after];  // from the origin and from the target to the apex
    if (l > 0) {
      const double x = (l * l + a * a - b * b) / (2 * l);
      apex[h] = {x, std::sqrt(std::max(0.0, a * a - x * x))};
      turn[origin[h]] += std::atan2(apex[h].y, x);
    }
    if (twin[h] == kNone) bends[origin[h]] = bends[target(h)] = 1;
  }
  // Rounding must not hide a vertex that has more than a full turn around it.
  for (size_t v = 0; v < vertices; ++v) {
    if (turn[v] > kFullTurn - 1e-9) bends[v] = 1;
  }
  first.assign(vertices + 1, 0);
  for (uint32_t h = 0; h < edges; ++h) ++first[origin[h] + 1];
  for (size_t v = 0; v < vertices; ++v) first[v + 1] += first[v];
  around.resize(edges);
  std::vector<uint32_t> fill(first.begin(), first.end() - 1);
  for (uint32_t h = 0; h < edges; ++h) around[fill[origin[h]]++] = h;
}

// Straight ways from `source`, which lies below the half-edge's frame at `start` from the beginning, through its points
// from `low` to `high`.
struct Window {
  uint32_t edge = 0;
  double low = 0, high = 0;
  Point2 source;
  double start = 0;
};

// A window, or a vertex that ways may bend around, by the least length that it can give.
struct Event {
  double least;
  uint32_t id;  // of a window, or of a vertex
  bool is_vertex;
  bool operator<(const Event& other) const {
    if (least != other.least) return least > other.least;
    if (is_vertex != other.is_vertex) return is_vertex < other.is_vertex;
    return id > other.id;
  }
};

class Search {
 public:
  Search(const Surface& surface, double* distances) : surface_(surface), distances_(distances) {}

  Status run(uint32_t source, const CancelToken* token) {
    std::fill(distances_, distances_ + surface_.vertices, kInfinity);
    distances_[source] = 0;
    queue_.push({0, source, true});
    for (size_t done = 0; !queue_.empty(); ++done) {
      if (done % kLook == 0 && is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
      const Event event = queue_.top();
      queue_.pop();
      if (event.is_vertex) {
        if (event.least <= distances_[event.id]) leave(event.id);
        continue;
      }
      const Window window = windows_[event.id];
      free_.push_back(event.id);
      if (!is_useless(window)) carry(window);
    }
    return Status();
  }

 private:
  void reach(uint32_t vertex, double length) {
    if (!(length < distances_[vertex] * (1 - kNothing))) return;
    distances_[vertex] = length;
    if (surface_.bends[vertex]) queue_.push({length, vertex, true});
  }

  // Ways that begin or bend at a vertex: along its edges, and over the edges across its triangles.
  void leave(uint32_t vertex) {
    for (uint32_t i = surface_.first[vertex]; i < surface_.first[vertex + 1]; ++i) {
      const uint32_t out = surface_.around[i], across = Surface::next(out), in = Surface::next(across);
      reach(surface_.target(out), distances_[vertex] + surface_.length[out]);
      reach(surface_.origin[in], distances_[vertex] + surface_.length[in]);
      const uint32_t over = surface_.twin[across];
      if (over == kNone) continue;
      // In the frame of `over`, which runs the other way, the apex of `across` is below.
      const Point2 apex = surface_.apex[across];
      push({over, 0, surface_.length[across], {surface_.length[across] - apex.x, -apex.y}, distances_[vertex]});
    }
  }

  // Every way of the window is longer than one through an end of its edge.
  bool is_useless(const Window& w) const {
    const double length = surface_.length[w.edge];
    const double at_low = w.start + span(minus({w.low, 0}, w.source));
    const double at_high = w.start + span(minus({w.high, 0}, w.source));
    const double slack = 1 - kNothing;
    return distances_[surface_.origin[w.edge]] + w.high < at_high * slack ||
           distances_[surface_.target(w.edge)] + length - w.low < at_low * slack;
  }

  void push(const Window& w) {
    const double length = surface_.length[w.edge];
    if (!(w.high - w.low > length * kNothing) || !(w.source.y < 0) || is_useless(w)) return;
    uint32_t id;
    if (free_.empty()) {
      id = static_cast<uint32_t>(windows_.size());
      windows_.push_back(w);
    } else {
      id = free_.back();
      free_.pop_back();
      windows_[id] = w;
    }
    const double nearest = std::clamp(w.source.x, w.low, w.high);
    queue_.push({w.start + span(minus({nearest, 0}, w.source)), id, false});
  }

  // Over the triangle of the window's edge to its apex and its two other edges.
  void carry(const Window& w) {
    const Point2 apex = surface_.apex[w.edge];
    const double length = surface_.length[w.edge];
    if (!(apex.y > 0)) return;
    const Point2 low{w.low, 0}, high{w.high, 0};
    const Point2 up = minus(apex, w.source);
    const double beside_low = cross(minus(low, w.source), up), beside_high = cross(minus(high, w.source), up);
    const uint32_t right = Surface::next(w.edge), left = Surface::next(right);
    if (w.low <= 0) reach(surface_.origin[w.edge], w.start + span(minus({0, 0}, w.source)));
    if (w.high >= length) reach(surface_.target(w.edge), w.start + span(minus({length, 0}, w.source)));
    const bool to_left = beside_low<0, to_right = beside_high> 0;  // some ways pass the apex on that side
    if (beside_low <= 0 && beside_high >= 0) {
      reach(surface_.origin[left], w.start + span(up));
    }
    if (to_left) step(w, left, apex, {0, 0}, low, beside_high < 0 ? &high : nullptr, true);
    if (to_right) step(w, right, {length, 0}, apex, high, beside_low > 0 ? &low : nullptr, false);
  }

  // Onto the edge `over`, whose twin runs from `to` to `from`: `ray` is the outer bound of the ways, `inner` the other
  // one where that is not the apex.
  void step(const Window& w, uint32_t over, Point2 from, Point2 to, Point2 ray, const Point2* inner, bool is_left) {
    const uint32_t twin = surface_.twin[over];
    if (twin == kNone) return;
    const double length = surface_.length[over];
    const Point2 axis{(from.x - to.x) / length, (from.y - to.y) / length};
    const auto turned = [&](Point2 p) {
      const Point2 q = minus(p, to);
      return Point2{axis.x * q.x + axis.y * q.y, cross(axis, q)};
    };
    const Point2 source = turned(w.source);
    const auto meets = [&](Point2 through) {
      const Point2 p = turned(through);
      const double rise = p.y - source.y;
      return rise > 0 ? std::clamp(source.x - (p.x - source.x) * source.y / rise, 0.0, length) : -1.0;
    };
    const double outer = meets(ray);
    const double other = inner != nullptr ? meets(*inner) : (is_left ? length : 0.0);
    if (outer < 0 || other < 0) return;
    push({twin, std::min(outer, other), std::max(outer, other), source, w.start});
  }

  const Surface& surface_;
  double* distances_;
  std::vector<Window> windows_;
  std::vector<uint32_t> free_;
  std::priority_queue<Event> queue_;
};

}  // namespace

Status geodesic_distances(const MeshView& mesh, const uint32_t* sources, size_t count, Executor& executor,
                          const CancelToken* token, std::vector<double>* distances) {
  Status status = check_mesh(mesh, Code::kNoSurface);
  if (!status.ok()) return status;
  if (count == 0) return Status(Code::kInvalidArgument, "Expected a source");
  for (size_t i = 0; i < count; ++i) {
    if (sources[i] >= mesh.vertices) return Status(Code::kInvalidArgument, "A source is no vertex");
  }
  try {
    const Surface surface(mesh);
    distances->assign(count * mesh.vertices, kInfinity);
    return spread(executor, count, [&](size_t i) {
      try {
        return Search(surface, distances->data() + i * mesh.vertices).run(sources[i], token);
      } catch (const std::bad_alloc&) {
        return Status(Code::kOutOfMemory, "Out of memory for ways over the mesh");
      }
    });
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for ways over the mesh");
  }
}

}  // namespace lineament
