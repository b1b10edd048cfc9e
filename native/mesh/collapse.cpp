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

// What comes next.
void prefetch(const void* memory) {
#if defined(__GNUC__)
  __builtin_prefetch(memory);
#else
  static_cast<void>(memory);
#endif
}

}  // namespace

struct Collapser::Move {
  uint32_t gone[2], opposite[2];  // slots of the point in the triangles that vanish, and their third points
  uint32_t slot_of_target[2];
  int gone_count = 0;
  uint32_t from[2], to[2];  // sides of seams
  int side_count = 0;
};

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

// What it costs to move p to its neighbour q, by their slots in a triangle of both.
float Collapser::cost_of(uint32_t p, uint32_t q, uint32_t slot, uint32_t slot_of_q) const {
  const Point& v = vertices_[p];
  const Vec3 way = place(q) - place(p);
  float cost = v.quadric.at(way) + kShape * v.weight * dot(way, way);
  if (attributes_ > 0 && !v.seam) {
    float change[kMostAttributes];
    const uint32_t mine = side(slot), other = side(slot_of_q);
    const auto count = static_cast<size_t>(attributes_);
    for (size_t k = 0; k < count; ++k) change[k] = values_[count * other + k] - values_[count * mine + k];
    cost += attribute_quadrics_[p].at(way, change, attributes_);
  }
  return cost;
}

// Costs, and targets where these are equal, in their order: floats from 0 on are ordered as their bits. A cost that is
// no number comes after all that can be taken.
uint64_t Collapser::rank_of(float cost, uint32_t target) {
  return uint64_t{std::bit_cast<uint32_t>(std::max(cost, 0.0F) + 0.0F)} << 32 | target;
}

// The cheapest neighbour whose rank is not below `least`.
void Collapser::choose(uint32_t p, uint64_t least) {
  Point& v = vertices_[p];
  const uint64_t none = rank_of(std::numeric_limits<float>::infinity(), kNoVertex);
  uint64_t best = none;
  const auto consider = [least, &best](float cost, uint32_t q) {
    const uint64_t rank = rank_of(cost, q);
    const uint64_t better = rank < best ? rank : best;
    best = rank < least ? best : better;
  };
  const Spoke* around = star(p);
  if (v.kind == kInner && !v.seam && attributes_ == 0) {
    Quadric quadric = v.quadric;
    quadric.xx += kShape * v.weight;
    quadric.yy += kShape * v.weight;
    quadric.zz += kShape * v.weight;
    const Vec3 from = place(p);
    for (uint32_t i = 0; i < v.degree; ++i) {
      const uint32_t q = around[i].next;
      consider(quadric.at(place(q) - from), q);
    }
  } else if (v.kind == kInner && !v.seam) {
    for (uint32_t i = 0; i < v.degree; ++i) {
      const Spoke& s = around[i];
      consider(cost_of(p, s.next, s.slot, slot_after(s.slot)), s.next);
    }
  } else if (v.kind != kFixed) {
    // Along the border, or along the seam.
    for (uint32_t i = 0; i < v.degree; ++i) {
      const Spoke& s = around[i];
      for (const bool forth : {true, false}) {
        const uint32_t q = forth ? s.next : s.previous;
        uint32_t shared = 0;
        bool parted = false;
        for (uint32_t j = 0; j < v.degree; ++j) {
          if (j == i || (around[j].next != q && around[j].previous != q)) continue;
          ++shared;
          parted |= side(around[j].slot) != side(s.slot);
        }
        if (v.kind == kBorder ? shared == 0 : parted)
          consider(cost_of(p, q, s.slot, forth ? slot_after(s.slot) : slot_before(s.slot)), q);
      }
    }
  }
  v.stale = false;
  v.target = static_cast<uint32_t>(best);
  v.cost = std::bit_cast<float>(static_cast<uint32_t>(best >> 32));
}

// May p be moved to its neighbour q? No triangle may turn over, the surface must stay one, seams must stay seams.
bool Collapser::allowed(uint32_t p, uint32_t q, Move* move) {
  const Point& v = vertices_[p];
  const Spoke* around = star(p);
  const Vec3 from = place(p), to = place(q), side_of_q = normals_[q];
  prefetch(star(q));
  move->gone_count = 0;
  for (uint32_t i = 0; i < v.degree; ++i) {
    const uint32_t a = around[i].next, b = around[i].previous;
    prefetch(&vertices_[a]);
    if (a == q || b == q) {
      if (move->gone_count == 2) return false;
      const uint32_t slot = around[i].slot;
      move->opposite[move->gone_count] = a == q ? b : a;
      move->slot_of_target[move->gone_count] = a == q ? slot_after(slot) : slot_before(slot);
      move->gone[move->gone_count++] = slot;
      continue;
    }
    const Vec3 first = place(a), edge = place(b) - first;
    const Vec3 before = cross(first - from, edge), after = cross(first - to, edge);
    const float turn = dot(before, after), was = dot(before, before), is = dot(after, after);
    if (dot(after, side_of_q) < 0) return false;
    const float longest = std::max(dot(edge, edge), std::max(square(first - to), square(place(b) - to)));
    if (is < kThin * kThin * longest * longest) {
      const float old = std::max(dot(edge, edge), std::max(square(first - from), square(place(b) - from)));
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
  stamp_ += 2;
  const uint32_t shared = stamp_, opposite = stamp_ + 1;
  const Spoke* around = star(p);
  for (uint32_t i = 0; i < vertices_[p].degree; ++i) {
    mark_[around[i].next] = mark_[around[i].previous] = shared;
    prefetch(star(around[i].next));  // for collapse()
  }
  for (int i = 0; i < move.gone_count; ++i) mark_[move.opposite[i]] = opposite;
  mark_[p] = 0;
  around = star(q);
  for (uint32_t i = 0; i < vertices_[q].degree; ++i) {
    const uint32_t a = mark_[around[i].next], b = mark_[around[i].previous];
    if (a == shared || b == shared || (a == opposite && b == opposite)) return false;
  }
  return true;
}

// Each side of p must have a side of q to go to: the one in the triangle that vanishes between them.
bool Collapser::sides_fit(uint32_t p, uint32_t, Move* move) const {
  move->side_count = 0;
  if (!seams_) return true;
  for (int i = 0; i < move->gone_count; ++i) {
    const uint32_t mine = side(move->gone[i]), other = side(move->slot_of_target[i]);
    if (move->side_count == 1 && move->from[0] == mine) {
      if (move->to[0] != other) return false;
      continue;
    }
    move->from[move->side_count] = mine;
    move->to[move->side_count++] = other;
  }
  const Spoke* around = star(p);
  for (uint32_t i = 0; i < vertices_[p].degree; ++i) {
    const uint32_t mine = side(around[i].slot);
    if (mine != move->from[0] && (move->side_count == 1 || mine != move->from[1])) return false;
  }
  return true;
}

// Is a vertex of the original near the triangles that point `around` has once p has been moved to q?
bool Collapser::stays_near(uint32_t member, uint32_t around, uint32_t p, uint32_t q) const {
  const Vec3 x = place(member), to = place(q);
  const auto place_of = [&](uint32_t c) { return c == p ? to : place(c); };
  const auto look = [&](uint32_t star_of) {
    const Spoke* spokes = star(star_of);
    for (uint32_t i = 0; i < vertices_[star_of].degree; ++i) {
      const uint32_t a = spokes[i].next, b = spokes[i].previous;
      const bool moved = star_of == p || a == p || b == p;
      if (moved && (star_of == q || a == q || b == q)) continue;  // it vanishes
      if (closest_on_triangle(x, place_of(star_of), place_of(a), place_of(b)).squared <= limit_) return true;
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
  const Spoke* spokes = star(p);
  for (uint32_t i = 0; i < vertices_[p].degree; ++i) {
    const uint32_t a = spokes[i].next, b = spokes[i].previous;
    // Each neighbour once; the last one of a border is the previous corner of a triangle only.
    for (const uint32_t c : {a, b}) {
      if (c == q || (c == b && vertices_[p].kind != kBorder)) continue;
      if (!all_near(c, c)) return false;
      // What lies between: the edges and triangles that come to be.
      if (!(original_distance(0.5F * (place(q) + place(c)), q) <= limit_)) return false;
    }
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

// Takes the triangle that begins at a slot from the star of p.
void Collapser::drop(uint32_t p, uint32_t first_slot) {
  Point& v = vertices_[p];
  Spoke* around = pool_.data() + v.star;
  uint32_t at = 0;
  while (around[at].slot - first_slot >= 3) ++at;
  around[at] = around[--v.degree];
}

// What was p is q in the star of a neighbour.
void Collapser::rename(uint32_t around, uint32_t p, uint32_t q) {
  const Point& v = vertices_[around];
  Spoke* spokes = pool_.data() + v.star;
  for (uint32_t i = 0; i < v.degree; ++i) {
    spokes[i].next = spokes[i].next == p ? q : spokes[i].next;
    spokes[i].previous = spokes[i].previous == p ? q : spokes[i].previous;
  }
}

// Room for `count` more entries in the pool.
Status Collapser::make_room(size_t count) {
  if (used_ + count <= pool_.size()) return Status();
  AlignedBuffer<Spoke> fresh(6 * live_ + count + 4096);
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
    const uint32_t first_slot = move.gone[i] - move.gone[i] % 3;
    drop(p, first_slot);
    drop(q, first_slot);
    drop(move.opposite[i], first_slot);
    std::fill_n(points_.data() + first_slot, 3, kNoVertex);
  }
  live_ -= static_cast<size_t>(move.gone_count);
  Spoke* merged = pool_.data() + used_;
  std::copy_n(star(q), w.degree, merged);
  for (uint32_t i = 0; i < v.degree; ++i) {
    const Spoke& spoke = merged[w.degree + i] = star(p)[i];
    points_[spoke.slot] = q;
    if (seams_) {
      uint32_t& one = sides_[spoke.slot];
      one = one == move.from[0] ? move.to[0] : move.to[1];
    }
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
  touch(q, p);
  for (int i = 0; i < move.gone_count; ++i) {
    rename(move.opposite[i], p, q);
    touch(move.opposite[i], p);
  }
  for (uint32_t i = 0; i < v.degree; ++i) {
    const Spoke& spoke = merged[w.degree + i];
    rename(spoke.next, p, q);
    touch(spoke.next, p);
    if (v.kind != kBorder) continue;
    rename(spoke.previous, p, q);  // the last one of a border is the previous corner of a triangle only
    touch(spoke.previous, p);
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

// What the queue has after p.
void Collapser::look_ahead(uint32_t p) const {
  const uint32_t next = next_[p];
  if (next == kNoVertex) return;
  prefetch(star(next));
  if (const uint32_t target = vertices_[next].target; target != kNoVertex) {
    prefetch(&vertices_[target]);
    prefetch(&normals_[target]);
  }
  const uint32_t later = next_[next];
  if (later == kNoVertex) return;
  prefetch(&vertices_[later]);
  prefetch(&places_[later]);
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
    look_ahead(p);
    v.queued = false;
    if (v.kind == kFixed) continue;
    if (v.stale) choose(p, 0);
    while (v.target != kNoVertex && bucket_of(v.cost) <= bucket_) {
      const uint32_t q = v.target;
      if (allowed(p, q, &move)) {
        if (Status status = make_room(v.degree + vertices_[q].degree); !status.ok()) return status;
        collapse(p, q, move);
        v.target = kNoVertex;
        break;
      }
      choose(p, rank_of(v.cost, q) + 1);
    }
    if (v.target != kNoVertex) push(p, bucket_of(v.cost));
  }
  return Status();
}

}  // namespace lineament
