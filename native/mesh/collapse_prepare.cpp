// What collapses need to know of a mesh: kinds of points, quadrics, first costs.
#include <algorithm>
#include <cmath>

#include "core/spread.h"
#include "mesh/collapse.h"

namespace lineament {
namespace {

constexpr size_t kBlock = 4096;        // points or triangles in one part of the work
constexpr uint32_t kMostAround = 512;  // triangles around a point that may be collapsed
constexpr float kBorderWeight = 10;    // of the plane that stands on a border's edge, per square of the edge
constexpr float kSeamWeight = 1;

}  // namespace

struct Collapser::Fan {
  uint32_t order[kMostAround];  // positions in the star, one after the other around the point
  uint32_t size = 0;
  bool open = false;

  // Orders a star; false where the triangles are not one fan, each turning the same way.
  bool arrange(const Spoke* spokes, uint32_t count) {
    size = count;
    uint32_t following[kMostAround];
    for (uint32_t i = 0; i < size; ++i) following[i] = size;
    uint32_t first = 0;
    for (uint32_t i = 0; i < size; ++i) {
      uint32_t found = 0, before = 0;
      for (uint32_t j = 0; j < size; ++j) {
        const bool fits = spokes[j].previous == spokes[i].next;
        found += fits ? 1 : 0;
        before = fits ? j : before;
      }
      if (found > 1) return false;
      if (found == 0) {
        if (open) return false;
        open = true;
        first = i;
      } else {
        if (following[before] != size) return false;
        following[before] = i;
      }
    }
    uint32_t at = first;
    for (uint32_t i = 0; i < size; ++i) {
      if (at == size || (i > 0 && at == first)) return false;
      order[i] = at;
      at = following[at];
    }
    return open || at == first;
  }
};

Status Collapser::prepare(const MeshView& mesh, const CollapseRules& rules, Executor& executor,
                          const CancelToken* token) {
  n_ = mesh.vertices;
  m_ = mesh.triangles;
  keep_border_ = rules.keep_border;
  if (Status status = copy_triangles(mesh); !status.ok()) return status;
  if (!places_.reset(n_) || !vertices_.reset(n_) || !areas_.reset(m_) || !normals_.reset(n_))
    return Status(Code::kOutOfMemory, "Out of memory for the quadrics of a mesh");
  if (Status status = collect_stars(); !status.ok()) return status;
  place_points(mesh, rules);
  parent_.resize(n_);
  for (size_t p = 0; p < n_; ++p) parent_[p] = static_cast<uint32_t>(p);
  if (attributes_ > 0) attribute_quadrics_.resize(n_);
  if (limit_ >= 0) {
    members_.assign(n_, kNoVertex);
    last_member_ = parent_;
    original_corners_.assign(points_.data(), points_.data() + 3 * m_);
    if (Status status = original_.build(points_.data(), m_, n_); !status.ok()) return status;
  }
  const auto blocks = [](size_t count) { return (count + kBlock - 1) / kBlock; };
  const auto each_block = [&](size_t count, auto work) {
    return spread(executor, blocks(count), [&, count](size_t block) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Simplification was cancelled");
      work(block * kBlock, std::min(count, (block + 1) * kBlock));
      return Status();
    });
  };
  Status status = each_block(m_, [this](size_t begin, size_t end) { weigh_triangles(begin, end); });
  if (!status.ok()) return status;
  status = each_block(n_, [this](size_t begin, size_t end) {
    for (size_t p = begin; p < end; ++p) {
      weigh_point(static_cast<uint32_t>(p));
      choose(static_cast<uint32_t>(p), 0);
    }
  });
  if (!status.ok()) return status;
  next_.resize(n_);
  mark_.assign(n_, 0);
  first_.assign(kBuckets, kNoVertex);
  last_.assign(kBuckets, kNoVertex);
  for (uint32_t p = 0; p < n_; ++p)
    if (vertices_[p].target != kNoVertex) push(p, bucket_of(vertices_[p].cost));
  return status;
}

// Triangles that are none (two corners at one place) are left out.
Status Collapser::copy_triangles(const MeshView& mesh) {
  point_.resize(n_);
  std::vector<uint32_t> side;
  const bool shared = weld_points(mesh, point_.data());
  if (shared) {
    side.resize(n_);
    weld_vertices(mesh, side.data());
    seams_ = side != point_;
  }
  if (!points_.reset(3 * m_) || (seams_ && !sides_.reset(3 * m_)))
    return Status(Code::kOutOfMemory, "Out of memory for the triangles of a mesh");
  live_ = 0;
  for (size_t t = 0; t < m_; ++t) {
    const uint32_t* from = mesh.indices + 3 * t;
    uint32_t* to = points_.data() + 3 * t;
    for (size_t i = 0; i < 3; ++i) to[i] = shared ? point_[from[i]] : from[i];
    if (seams_)
      for (size_t i = 0; i < 3; ++i) sides_[3 * t + i] = side[from[i]];
    if (to[0] == to[1] || to[1] == to[2] || to[2] == to[0]) {
      to[0] = to[1] = to[2] = kNoVertex;
    } else {
      ++live_;
    }
  }
  return Status();
}

Status Collapser::collect_stars() {
  if (!pool_.reset(6 * m_ + 4096)) return Status(Code::kOutOfMemory, "Out of memory for the triangles around vertices");
  for (size_t p = 0; p < n_; ++p) vertices_[p].degree = 0;
  for (size_t slot = 0; slot < 3 * m_; ++slot)
    if (points_[slot] != kNoVertex) ++vertices_[points_[slot]].degree;
  used_ = 0;
  for (size_t p = 0; p < n_; ++p) {
    Point& v = vertices_[p];
    v.star = static_cast<uint32_t>(used_);
    used_ += v.degree;
    v.degree = 0;
  }
  for (uint32_t slot = 0; slot < 3 * m_; slot += 3) {
    const uint32_t *c = points_.data() + slot, a = c[0], b = c[1], d = c[2];
    if (a == kNoVertex) continue;
    const auto add = [this](uint32_t p, const Spoke& spoke) {
      Point& v = vertices_[p];
      pool_[v.star + v.degree++] = spoke;
    };
    add(a, {slot, b, d});
    add(b, {slot + 1, d, a});
    add(d, {slot + 2, a, b});
  }
  return Status();
}

// Everything in units of a power of two near the size of the mesh, so that squares stay far from the ends of float.
void Collapser::place_points(const MeshView& mesh, const CollapseRules& rules) {
  float low[3], high[3], extent = 0;
  for (size_t k = 0; k < 3; ++k) low[k] = high[k] = n_ > 0 ? mesh.positions[k] : 0;
  for (size_t i = 0; i < 3 * n_; i += 3) {
    for (size_t k = 0; k < 3; ++k) {
      low[k] = std::min(low[k], mesh.positions[i + k]);
      high[k] = std::max(high[k], mesh.positions[i + k]);
    }
  }
  for (size_t k = 0; k < 3; ++k) extent = std::max(extent, high[k] / 2 - low[k] / 2);
  // A mesh that is tiny beside its distance from the origin is not scaled up so far that places overflow.
  float farthest = 0;
  for (size_t k = 0; k < 3; ++k) farthest = std::max({farthest, std::fabs(low[k]), std::fabs(high[k])});
  const int least = farthest > 0 ? std::max(-100, std::ilogb(farthest) - 96) : -100;
  const int exponent = extent > 0 ? std::clamp(std::ilogb(extent) + 1, least, 126) : 0;
  scale_ = std::ldexp(1.0F, exponent);
  const float inverse = 1 / scale_;
  for (size_t p = 0; p < n_; ++p) {
    const float* from = mesh.positions + 3 * p;
    places_[p] = {from[0] * inverse, from[1] * inverse, from[2] * inverse, 0};
  }
  limit_ = rules.error < 0 ? -1 : static_cast<float>(rules.error / scale_ * (rules.error / scale_));
  const bool uvs = mesh.uvs != nullptr && rules.uv_weight > 0;
  const bool colours = mesh.colours != nullptr && rules.colour_weight > 0;
  attributes_ = (uvs ? 2 : 0) + (colours ? 3 : 0);
  values_.resize(n_ * static_cast<size_t>(attributes_));
  float* to = values_.data();
  for (size_t v = 0; v < n_ && attributes_ > 0; ++v) {
    if (uvs)
      for (size_t k = 0; k < 2; ++k) *to++ = mesh.uvs[2 * v + k] * (rules.uv_weight * inverse);
    if (colours)
      for (size_t k = 0; k < 3; ++k) *to++ = mesh.colours[3 * v + k] * (rules.colour_weight / 255 * inverse);
  }
}

void Collapser::weigh_triangles(size_t begin, size_t end) {
  for (size_t t = begin; t < end; ++t) {
    const uint32_t* c = points_.data() + 3 * t;
    if (c[0] == kNoVertex) continue;
    const Vec3 a = place(c[0]), n = cross(place(c[1]) - a, place(c[2]) - a);
    const float size = length(n);
    areas_[t] = size > 0 ? 1 / std::sqrt(2 * size) * n : Vec3{};
  }
}

void Collapser::weigh_point(uint32_t p) {
  Point& v = vertices_[p];
  v.quadric = Quadric{};
  v.weight = 0;
  v.target = kNoVertex;
  v.cost = 0;
  v.kind = kFixed;
  v.seam = v.stale = v.queued = false;
  Vec3 normal;
  const Spoke* around = star(p);
  const uint32_t side_of_first = seams_ && v.degree > 0 ? side(around[0].slot) : kNoVertex;
  for (uint32_t i = 0; i < v.degree; ++i) {
    const Vec3 m = areas_[around[i].slot / 3];
    normal = normal + m;
    v.quadric.add_plane(m);
    v.weight += dot(m, m);
    v.seam |= seams_ && side(around[i].slot) != side_of_first;
  }
  normals_[p] = normal;
  if (v.degree == 0 || v.degree > kMostAround) return;
  Fan fan;
  if (!fan.arrange(around, v.degree)) return;
  v.kind = fan.open ? kBorder : kInner;
  hold_edges(p, fan);
  if (attributes_ > 0 && !v.seam) weigh_attributes(p);
  if (fan.open && keep_border_) v.kind = kFixed;
}

// Planes that stand on the edges of the border and of seams, so that these keep their shape.
void Collapser::hold_edges(uint32_t p, const Fan& fan) {
  const Vec3 origin = place(p);
  const Spoke* around = star(p);
  const auto hold = [&](const Spoke& spoke, uint32_t neighbour, float weight) {
    const Vec3 edge = place(neighbour) - origin, n = areas_[spoke.slot / 3];
    const Vec3 across = cross(edge, n);
    const float size = length(across);
    if (size > 0) vertices_[p].quadric.add_plane(std::sqrt(weight) * length(edge) / size * across);
  };
  if (fan.open) {
    const Spoke &first = around[fan.order[0]], &last = around[fan.order[fan.size - 1]];
    hold(first, first.next, kBorderWeight);
    hold(last, last.previous, kBorderWeight);
  }
  if (!seams_) return;
  for (uint32_t i = fan.open ? 1 : 0; i < fan.size; ++i) {
    const Spoke &here = around[fan.order[i]], &before = around[fan.order[i == 0 ? fan.size - 1 : i - 1]];
    const uint32_t q = here.next;
    if (side(here.slot) == side(before.slot) && side(slot_after(here.slot)) == side(slot_before(before.slot))) continue;
    hold(here, q, kSeamWeight);
    hold(before, q, kSeamWeight);
  }
}

void Collapser::weigh_attributes(uint32_t p) {
  const auto count = static_cast<size_t>(attributes_);
  const Spoke* around = star(p);
  for (uint32_t i = 0; i < vertices_[p].degree; ++i) {
    const Spoke& spoke = around[i];
    const Vec3 origin = place(p);
    const Vec3 e1 = place(spoke.next) - origin, e2 = place(spoke.previous) - origin;
    const Vec3 n = cross(e1, e2);
    const float square = dot(n, n);
    if (!(square > 0)) continue;
    const Vec3 first = 1 / square * cross(e2, n), second = 1 / square * cross(n, e1);
    const float* mine = values_.data() + count * side(spoke.slot);
    const float* one = values_.data() + count * side(slot_after(spoke.slot));
    const float* two = values_.data() + count * side(slot_before(spoke.slot));
    Vec3 gradient[kMostAttributes];
    for (size_t k = 0; k < count; ++k) gradient[k] = (one[k] - mine[k]) * first + (two[k] - mine[k]) * second;
    attribute_quadrics_[p].add_triangle(gradient, attributes_, std::sqrt(square) / 2);
  }
}

}  // namespace lineament
