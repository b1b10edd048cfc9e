#include "mesh/collapse.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "mesh/descend.h"

namespace lineament {
namespace {

constexpr float kLeastTurn = 0.2F;   // cosine of the angle that a collapse may turn a triangle by
constexpr float kThin = 0.06F;       // height over longest side below which triangles must not get thinner
constexpr float kShape = 1e-5F;      // what a square of length costs, so that plains keep well-shaped triangles
constexpr uint32_t kMostAfter = 48;  // triangles around a point that a collapse may make

float square(Vec3 p) { return dot(p, p); }

}  // namespace

struct Collapser::Move {
  uint32_t gone[2], opposite[2];
  int gone_count = 0;
  uint32_t from[2], to[2];  // sides of seams
  int side_count = 0;
};

// What comes next.
void Collapser::prefetch(uint32_t p) const {
#if defined(__GNUC__)
  __builtin_prefetch(&vertices_[p]);
  __builtin_prefetch(&places_[p]);
#else
  static_cast<void>(p);
#endif
}

uint32_t Collapser::bucket_of(float cost) { return std::bit_cast<uint32_t>(cost > 0 ? cost : 0.0F) >> kBucketShift; }

void Collapser::push(uint32_t p, uint32_t bucket) {
  next_[p] = kNoVertex;
  if (first_[bucket] == kNoVertex) {
    first_[bucket] = p;
  } else {
    next_[last_[bucket]] = p;
  }
  last_[bucket] = p;
  vertices_[p].queued = true;
}

// What it costs to move p to corner `at` of its triangle t.
float Collapser::cost_of(uint32_t p, uint32_t t, int at) const {
  const Point& v = vertices_[p];
  const uint32_t q = corners(t)[at];
  const Vec3 way = place(q) - place(p);
  float cost = v.quadric.at(way) + kShape * v.weight * dot(way, way);
  if (attributes_ > 0 && !v.seam) {
    float change[kMostAttributes];
    const uint32_t* c = corners(t);
    const uint32_t mine = sides(t)[c[0] == p ? 0 : c[1] == p ? 1 : 2], other = sides(t)[at];
    const auto count = static_cast<size_t>(attributes_);
    for (size_t k = 0; k < count; ++k) change[k] = values_[count * other + k] - values_[count * mine + k];
    cost += attribute_quadrics_[p].at(way, change, attributes_);
  }
  return std::max(cost, 0.0F);
}

// The cheapest neighbour beyond (above, above_target) in the order of costs.
void Collapser::choose(uint32_t p, float above, uint32_t above_target) {
  Point& v = vertices_[p];
  v.stale = false;
  v.target = kNoVertex;
  v.cost = std::numeric_limits<float>::infinity();
  if (v.kind == kFixed) return;
  const uint32_t* around = star(p);
  const auto consider = [&](uint32_t t, int at) {
    const uint32_t q = corners(t)[at];
    const float cost = cost_of(p, t, at);
    if (cost < above || (cost == above && q <= above_target)) return;
    if (cost < v.cost || (cost == v.cost && q < v.target)) {
      v.cost = cost;
      v.target = q;
    }
  };
  if (v.kind == kInner && !v.seam && attributes_ == 0) {
    const Quadric quadric = v.quadric;
    const Vec3 from = place(p);
    const float shape = kShape * v.weight;
    float best = v.cost;
    uint32_t target = kNoVertex;
    for (uint32_t i = 0; i < v.degree; ++i) {
      const uint32_t* c = corners(around[i]);
      const uint32_t q = c[0] == p ? c[1] : c[1] == p ? c[2] : c[0];
      const Vec3 way = place(q) - from;
      const float cost = std::max(quadric.at(way) + shape * dot(way, way), 0.0F);
      // A cost that is no number is none that can be taken.
      if (!(cost > above || (cost == above && q > above_target))) continue;
      if (!(cost < best || (cost == best && q <= target))) continue;
      best = cost;
      target = q;
    }
    v.cost = best;
    v.target = target;
    return;
  }
  if (v.kind == kInner && !v.seam) {
    for (uint32_t i = 0; i < v.degree; ++i) {
      const uint32_t* c = corners(around[i]);
      consider(around[i], c[0] == p ? 1 : c[1] == p ? 2 : 0);
    }
    return;
  }
  // Along the border, or along the seam.
  for (uint32_t i = 0; i < v.degree; ++i) {
    const uint32_t* c = corners(around[i]);
    const int mine = c[0] == p ? 0 : c[1] == p ? 1 : 2;
    for (const int at : {kNext[mine], kPrevious[mine]}) {
      uint32_t shared = 0;
      bool parted = false;
      for (uint32_t j = 0; j < v.degree; ++j) {
        const uint32_t* d = corners(around[j]);
        if (j == i || (d[0] != c[at] && d[1] != c[at] && d[2] != c[at])) continue;
        ++shared;
        parted |= sides(around[j])[d[0] == p ? 0 : d[1] == p ? 1 : 2] != sides(around[i])[mine];
      }
      if (v.kind == kBorder ? shared == 0 : parted) consider(around[i], at);
    }
  }
}

// May p be moved to its neighbour q? No triangle may turn over, the surface must stay one, seams must stay seams.
bool Collapser::allowed(uint32_t p, uint32_t q, Move* move) {
  const Point& v = vertices_[p];
  const uint32_t* around = star(p);
  const Vec3 from = place(p), to = place(q), side = normals_[q];
  move->gone_count = 0;
  for (uint32_t i = 0; i < v.degree; ++i) {
    const uint32_t* c = corners(around[i]);
    const int at = c[0] == p ? 0 : c[1] == p ? 1 : 2;
    const uint32_t a = c[kNext[at]], b = c[kPrevious[at]];
    if (a == q || b == q) {
      if (move->gone_count == 2) return false;
      move->opposite[move->gone_count] = a == q ? b : a;
      move->gone[move->gone_count++] = around[i];
      continue;
    }
    const Vec3 edge = place(b) - place(a);
    const Vec3 before = cross(place(a) - from, edge), after = cross(place(a) - to, edge);
    const float turn = dot(before, after), was = dot(before, before), is = dot(after, after);
    if (dot(after, side) < 0) return false;
    const float longest = std::max(dot(edge, edge), std::max(square(place(a) - to), square(place(b) - to)));
    if (is < kThin * kThin * longest * longest) {
      const float old = std::max(dot(edge, edge), std::max(square(place(a) - from), square(place(b) - from)));
      if (is * old * old < was * longest * longest) return false;
    }
    if (was > 0 && !(turn > 0 && turn * turn > kLeastTurn * kLeastTurn * was * is)) return false;
  }
  const auto gone = static_cast<uint32_t>(move->gone_count);
  if (gone == 0 || v.degree == gone) return false;
  const uint32_t after = v.degree + vertices_[q].degree - 2 * gone;
  if (after > std::max(kMostAfter, vertices_[q].degree)) return false;
  return links_fit(p, q, *move) && sides_fit(p, q, move) && (limit_ < 0 || within_error(p, q, *move));
}

// The link condition (Dey, Edelsbrunner, Guha & Nekhayev 1999): what is next to both is next to their edge.
bool Collapser::links_fit(uint32_t p, uint32_t q, const Move& move) {
  const uint32_t stamp = ++stamp_;
  const uint32_t* around = star(p);
  for (uint32_t i = 0; i < vertices_[p].degree; ++i)
    for (int k = 0; k < 3; ++k) mark_[corners(around[i])[k]] = stamp;
  const auto opposite = [&move](uint32_t x) {
    return x == move.opposite[0] || (move.gone_count == 2 && x == move.opposite[1]);
  };
  around = star(q);
  for (uint32_t i = 0; i < vertices_[q].degree; ++i) {
    const uint32_t* c = corners(around[i]);
    const int at = c[0] == q ? 0 : c[1] == q ? 1 : 2;
    const uint32_t a = c[kNext[at]], b = c[kPrevious[at]];
    if (a == p || b == p) continue;
    const bool a_shared = mark_[a] == stamp, b_shared = mark_[b] == stamp;
    if (a_shared && b_shared) return false;
    if ((a_shared && !opposite(a)) || (b_shared && !opposite(b))) return false;
  }
  return true;
}

// Each side of p must have a side of q to go to: the one in the triangle that vanishes between them.
bool Collapser::sides_fit(uint32_t p, uint32_t q, Move* move) const {
  move->side_count = 0;
  if (!seams_) return true;
  const auto side_of = [this](uint32_t t, uint32_t point) {
    const uint32_t* c = corners(t);
    return sides(t)[c[0] == point ? 0 : c[1] == point ? 1 : 2];
  };
  for (int i = 0; i < move->gone_count; ++i) {
    const uint32_t mine = side_of(move->gone[i], p), other = side_of(move->gone[i], q);
    if (move->side_count == 1 && move->from[0] == mine) {
      if (move->to[0] != other) return false;
      continue;
    }
    move->from[move->side_count] = mine;
    move->to[move->side_count++] = other;
  }
  const uint32_t* around = star(p);
  for (uint32_t i = 0; i < vertices_[p].degree; ++i) {
    const uint32_t mine = side_of(around[i], p);
    if (mine != move->from[0] && (move->side_count == 1 || mine != move->from[1])) return false;
  }
  return true;
}

// Is a vertex of the original near the triangles that point `around` has once p has been moved to q?
bool Collapser::stays_near(uint32_t member, uint32_t around, uint32_t p, uint32_t q) const {
  const Vec3 x = place(member), to = place(q);
  const auto look = [&](uint32_t star_of) {
    const uint32_t* triangles = star(star_of);
    for (uint32_t i = 0; i < vertices_[star_of].degree; ++i) {
      const uint32_t* c = corners(triangles[i]);
      int moved = -1, other = 0;
      for (int k = 0; k < 3; ++k) {
        if (c[k] == p) moved = k;
        other += c[k] == q;
      }
      if (moved >= 0 && other > 0) continue;  // it vanishes
      const Vec3 a = moved == 0 ? to : place(c[0]), b = moved == 1 ? to : place(c[1]),
                 d = moved == 2 ? to : place(c[2]);
      if (closest_on_triangle(x, a, b, d).squared <= limit_) return true;
    }
    return false;
  };
  return look(around) || (around == q && look(p));
}

float Collapser::original_distance(Vec3 x, uint32_t from) const {
  return descend([this](uint32_t p) { return place(p); }, original_corners_.data(), original_, x, from);
}

// Does all that has been collapsed to p, to q and to the points around p stay near the triangles around these?
bool Collapser::within_error(uint32_t p, uint32_t q, const Move&) const {
  const auto all_near = [&](uint32_t first, uint32_t around) {
    for (uint32_t member = first; member != kNoVertex; member = members_[member])
      if (!stays_near(member, around, p, q)) return false;
    return true;
  };
  if (!all_near(p, q) || !all_near(q, q)) return false;
  const uint32_t* triangles = star(p);
  for (uint32_t i = 0; i < vertices_[p].degree; ++i) {
    const uint32_t* c = corners(triangles[i]);
    const int at = c[0] == p ? 0 : c[1] == p ? 1 : 2;
    // Each neighbour once; the last one of a border is the previous corner of a triangle only.
    for (const int k : {kNext[at], kPrevious[at]}) {
      if (c[k] == q || (k == kPrevious[at] && vertices_[p].kind != kBorder)) continue;
      if (!all_near(c[k], c[k])) return false;
      // What lies between: the edges and triangles that come to be.
      if (!(original_distance(0.5F * (place(q) + place(c[k])), q) <= limit_)) return false;
    }
    const uint32_t a = c[kNext[at]], b = c[kPrevious[at]];
    const Vec3 middle = 1.0F / 3 * (place(q) + place(a) + place(b));
    if (a != q && b != q && !(original_distance(middle, q) <= limit_)) return false;
  }
  return true;
}

// What a point costs to move changes where its target goes.
void Collapser::touch(uint32_t p, uint32_t gone) {
  Point& v = vertices_[p];
  v.stale |= v.target == gone || v.target == kNoVertex;
  if (!v.queued && v.kind != kFixed) push(p, bucket_);
}

void Collapser::drop(uint32_t p, uint32_t t) {
  Point& v = vertices_[p];
  uint32_t* around = pool_.data() + v.star;
  *std::find(around, around + v.degree, t) = around[v.degree - 1];
  --v.degree;
}

// Room for `count` more entries in the pool.
Status Collapser::make_room(size_t count) {
  if (used_ + count <= pool_.size()) return Status();
  AlignedBuffer<uint32_t> fresh(6 * live_ + count + 4096);
  if (fresh.data() == nullptr) return Status(Code::kOutOfMemory, "Out of memory for the triangles around vertices");
  used_ = 0;
  for (size_t p = 0; p < n_; ++p) {
    Point& v = vertices_[p];
    std::copy_n(pool_.data() + v.star, v.degree, fresh.data() + used_);
    v.star = static_cast<uint32_t>(used_);
    used_ += v.degree;
  }
  pool_ = std::move(fresh);
  return Status();
}

void Collapser::collapse(uint32_t p, uint32_t q, const Move& move) {
  Point &v = vertices_[p], &w = vertices_[q];
  const Vec3 way = place(q) - place(p);
  for (int i = 0; i < move.gone_count; ++i) {
    const uint32_t t = move.gone[i];
    drop(p, t);
    drop(q, t);
    drop(move.opposite[i], t);
    std::fill_n(corners(t), 3, kNoVertex);
  }
  live_ -= static_cast<size_t>(move.gone_count);
  uint32_t* merged = pool_.data() + used_;
  std::copy_n(star(q), w.degree, merged);
  for (uint32_t i = 0; i < v.degree; ++i) {
    const uint32_t t = star(p)[i];
    uint32_t* c = corners(t);
    const int at = c[0] == p ? 0 : c[1] == p ? 1 : 2;
    c[at] = q;
    if (seams_) {
      uint32_t& side = sides_[3 * size_t{t} + static_cast<size_t>(at)];
      side = side == move.from[0] ? move.to[0] : move.to[1];
    }
    merged[w.degree + i] = t;
  }
  if (attributes_ > 0 && !v.seam && !w.seam) {
    const auto count = static_cast<size_t>(attributes_);
    const uint32_t mine = seams_ ? move.from[0] : p, other = seams_ ? move.to[0] : q;
    float change[kMostAttributes];
    for (size_t k = 0; k < count; ++k) change[k] = values_[count * other + k] - values_[count * mine + k];
    attribute_quadrics_[p].move_origin(way, change, attributes_);
    attribute_quadrics_[q].add(attribute_quadrics_[p], attributes_);
  }
  v.quadric.move_origin(way);
  w.quadric.add(v.quadric);
  w.weight += v.weight;
  w.star = static_cast<uint32_t>(used_);
  for (uint32_t i = 0; i < v.degree; ++i) {
    const uint32_t* c = corners(merged[w.degree + i]);
    for (int k = 0; k < 3; ++k) touch(c[k], p);
  }
  w.stale = true;
  w.degree += v.degree;
  used_ += w.degree;
  v.degree = 0;
  v.kind = kFixed;
  parent_[p] = q;
  if (limit_ >= 0) {
    members_[last_member_[q]] = p;
    last_member_[q] = last_member_[p];
  }
}

Status Collapser::run(size_t triangles, const CancelToken* token) {
  Move move;
  for (uint32_t steps = 0; live_ > triangles; ++steps) {
    if (steps % 1024 == 0 && is_cancelled(token)) return Status(Code::kAborted, "Simplification was cancelled");
    while (bucket_ < kBuckets && first_[bucket_] == kNoVertex) ++bucket_;
    if (bucket_ == kBuckets) break;
    const uint32_t p = first_[bucket_];
    first_[bucket_] = next_[p];
    Point& v = vertices_[p];
    if (next_[p] != kNoVertex) prefetch(next_[p]);
    v.queued = false;
    if (v.kind == kFixed) continue;
    if (v.stale) choose(p, -1, 0);
    while (v.target != kNoVertex && bucket_of(v.cost) <= bucket_) {
      const uint32_t q = v.target;
      if (allowed(p, q, &move)) {
        if (Status status = make_room(v.degree + vertices_[q].degree); !status.ok()) return status;
        collapse(p, q, move);
        v.target = kNoVertex;
        break;
      }
      choose(p, v.cost, q);
    }
    if (v.target != kNoVertex) push(p, bucket_of(v.cost));
  }
  return Status();
}

}  // namespace lineament
