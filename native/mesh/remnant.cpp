#include "mesh/remnant.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/spread.h"
#include "mesh/connectivity.h"
#include "mesh/descend.h"

namespace lineament {
namespace {

constexpr size_t kBlock = 4096;
constexpr size_t kRow = 4;        // as many floats as one register of any machine holds
constexpr size_t kTogether = 64;  // places measured at a time

// Places around one point, relative to it, with what has been found of each: the square of the distance, and whether
// the nearest place lies on the rim of the triangles (0) or within.
struct Places {
  float x[kTogether], y[kTogether], z[kTogether], squared[kTogether], within[kTogether];
};

// A triangle at the origin.
struct Corner {
  Vec3 one, two;                              // edges
  float g11, g12, g22;                        // their products
  float inverse11, inverse22, inverse, turn;  // of squares of the three edges' lengths
  float k11, k12, k22;                        // inverse of the matrix of the products; 0 for a triangle without area

  Corner(Vec3 first, Vec3 second)
      : one(first), two(second), g11(dot(one, one)), g12(dot(one, two)), g22(dot(two, two)) {
    const auto inverted = [](float value) { return value > 0 ? 1 / value : 0; };
    inverse11 = inverted(g11);
    inverse22 = inverted(g22);
    inverse = inverted(dot(two - one, two - one));
    turn = dot(one, one - two);
    const double square = double{g11} * g22 - double{g12} * g12;
    const double scale = square > 0 ? 1 / square : 0;
    k11 = static_cast<float>(scale * g11);
    k12 = static_cast<float>(scale * g12);
    k22 = static_cast<float>(scale * g22);
  }

  // Where this triangle is nearer than what has been found for the first `rows` rows. The nearest place is v one + w
  // two: that of an edge, or that inside of all three. Where rounding takes a place that is not quite the nearest, it
  // is one of the triangle still, and its distance what it is.
  void look(Places* places, size_t rows) const {
    // Without branches, and in a form that compilers do not turn into branches, so that rows are worked on as a whole.
    const auto pick = [](bool first, float one_of, float other) {
      const uint32_t mask = 0u - static_cast<uint32_t>(first);
      return std::bit_cast<float>((std::bit_cast<uint32_t>(one_of) & mask) | (std::bit_cast<uint32_t>(other) & ~mask));
    };
    const auto clamped = [&pick](float t) { return pick(t > 0, pick(t < 1, t, 1), 0); };
    for (size_t i = 0; i < kRow * rows; ++i) {
      const float x = places->x[i], y = places->y[i], z = places->z[i];
      const float s1 = one.x * x + one.y * y + one.z * z, s2 = two.x * x + two.y * y + two.z * z;
      const float t1 = clamped(s1 * inverse11), t2 = clamped(s2 * inverse22), t3 = clamped((s2 - s1 + turn) * inverse);
      const float r3 = 1 - t3;
      // Squares of distances, but for that of the place itself.
      const float f1 = t1 * (g11 * t1 - 2 * s1), f2 = t2 * (g22 * t2 - 2 * s2);
      const float f3 = r3 * (g11 * r3 - 2 * s1) + t3 * (g22 * t3 + 2 * g12 * r3 - 2 * s2);
      const bool second = f2 < f1, third = f3 < pick(second, f2, f1);
      const float v0 = k22 * s1 - k12 * s2, w0 = k11 * s2 - k12 * s1, u0 = 1 - v0 - w0;
      const bool inside = (v0 > 0) & (w0 > 0) & (u0 > 0);
      const float v = pick(inside, v0, pick(third, r3, pick(second, 0, t1)));
      const float w = pick(inside, w0, pick(third, t3, pick(second, t2, 0)));
      const float u = pick(inside, u0, pick(third, 0, 1 - pick(second, t2, t1)));
      const float dx = x - v * one.x - w * two.x, dy = y - v * one.y - w * two.y, dz = z - v * one.z - w * two.z;
      const float squared = dx * dx + dy * dy + dz * dz, best = places->squared[i];
      const bool nearer = squared < best;
      places->within[i] = pick(nearer, u, places->within[i]);
      places->squared[i] = pick(nearer, squared, best);
    }
  }
};

// What has been collapsed to each point: members[begin[p]] … members[begin[p + 1] - 1], ascending, without itself.
struct Members {
  std::vector<uint32_t> begin, members;

  explicit Members(const std::vector<uint32_t>& parents) : begin(parents.size() + 2) {
    const auto n = static_cast<uint32_t>(parents.size());
    std::vector<uint32_t> last(n);
    for (uint32_t p = 0; p < n; ++p) {
      uint32_t now = p;
      while (parents[now] != now && now >= p) now = parents[now];
      last[p] = now < p ? last[now] : now;
      if (last[p] != p) ++begin[last[p] + 2];
    }
    for (size_t p = 2; p < begin.size(); ++p) begin[p] += begin[p - 1];
    members.resize(begin[n + 1]);
    for (uint32_t p = 0; p < n; ++p)
      if (last[p] != p) members[begin[last[p] + 1]++] = p;
  }
};

}  // namespace

Remnant remnant_of(const Collapser& collapser) {
  Remnant out;
  const uint32_t *points = collapser.point_corners(), *vertices = collapser.vertex_corners();
  out.points.resize(3 * collapser.live());
  if (points != vertices) out.corners.resize(3 * collapser.live());
  size_t to = 0;
  for (size_t i = 0; i < 3 * collapser.triangle_slots(); i += 3) {
    if (points[i] == kNoVertex) continue;
    std::copy_n(points + i, 3, &out.points[to]);
    if (points != vertices) std::copy_n(vertices + i, 3, &out.corners[to]);
    to += 3;
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
  const Members all_members(remnant.parents);
  if (all_members.members.empty()) return Deviation{};
  Stars stars;
  if (Status status = stars.build(remnant.points.data(), remnant.points.size() / 3, n); !status.ok()) return status;
  std::vector<Sum> sums(blocks);
  const auto place = [&original](uint32_t p) { return vec3_at(original.positions, p); };
  // The triangles around one point, and what was collapsed to it.
  const auto measure = [&](uint32_t point, const uint32_t* members, size_t count, Sum* sum) {
    const Vec3 origin = place(point);
    Places places;
    const size_t rows = (count + kRow - 1) / kRow;
    for (size_t i = 0; i < kRow * rows; ++i) {
      const Vec3 at = place(members[std::min(i, count - 1)]) - origin;
      places.x[i] = at.x;
      places.y[i] = at.y;
      places.z[i] = at.z;
      places.squared[i] = std::numeric_limits<float>::infinity();
      places.within[i] = 0;
    }
    for (uint32_t i = stars.begin[point]; i < stars.begin[point + 1]; ++i) {
      const uint32_t* c = remnant.points.data() + 3 * size_t{stars.triangles[i]};
      const int mine = c[0] == point ? 0 : c[1] == point ? 1 : 2;
      Corner(place(c[(mine + 1) % 3]) - origin, place(c[(mine + 2) % 3]) - origin).look(&places, rows);
    }
    for (size_t i = 0; i < count; ++i) {
      double squared = places.squared[i];
      // There may be a nearer triangle beyond the rim.
      if (!(places.within[i] > 0)) {
        const float found = descend(place, remnant.points.data(), stars, place(members[i]), point);
        squared = std::min<double>(squared, found);
      }
      sum->most = std::max(sum->most, squared);
      sum->squares += squared;
    }
  };
  const Status done = spread(executor, blocks, [&](size_t block) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Simplification was cancelled");
    for (size_t p = block * kBlock; p < std::min(n, (block + 1) * kBlock); ++p) {
      if (stars.begin[p] == stars.begin[p + 1]) continue;  // it is gone, or no triangle ever used it
      const size_t end = all_members.begin[p + 1];
      sums[block].count += 1 + end - all_members.begin[p];
      for (size_t i = all_members.begin[p]; i < end; i += kTogether)
        measure(static_cast<uint32_t>(p), &all_members.members[i], std::min(kTogether, end - i), &sums[block]);
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
