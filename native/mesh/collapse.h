// Edge collapses in the order of what they cost: the engine behind simplify() and levels_of_detail().
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/aligned.h"
#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/connectivity.h"
#include "mesh/mesh_view.h"
#include "mesh/quadric.h"

namespace lineament {

struct CollapseRules {
  float uv_weight = 0;      // millimetres for a difference of 1 in a texture coordinate
  float colour_weight = 0;  // millimetres for the difference of black and full in a channel
  double error = -1;        // no vertex of the original gets farther from the surface (millimetres); below 0: no limit
  bool keep_border = false;
};

// Vertices stay where they are: a collapse moves the corners of triangles from a vertex to a neighbour. Points are
// places: vertices that share one are one point, and each of them is a side of the seam that they are parted by.
class Collapser {
 public:
  // Everything that collapses need; `mesh` must be checked, and outlive this.
  Status prepare(const MeshView& mesh, const CollapseRules& rules, Executor& executor, const CancelToken* token);

  // Collapses until at most so many triangles are left, or nothing more can be collapsed. May be called again with a
  // lower target.
  Status run(size_t triangles, const CancelToken* token);

  size_t live() const { return live_; }
  size_t triangle_slots() const { return m_; }
  size_t points() const { return n_; }
  // Corners of triangles, three for each slot, as points and as vertices; kNoVertex where a triangle is gone.
  const uint32_t* point_corners() const { return points_.data(); }
  const uint32_t* vertex_corners() const { return seams_ ? sides_.data() : points_.data(); }
  // The point that a point has been collapsed to: itself, one that is left, or one that was collapsed later.
  const uint32_t* parents() const { return parent_.data(); }
  // The point of a vertex.
  uint32_t point_of(size_t vertex) const { return seams_ ? point_[vertex] : static_cast<uint32_t>(vertex); }

 private:
  // Costs are queued by the exponents of their floats: each queue sweeps over the mesh, which caches like.
  static constexpr uint32_t kBucketShift = 23, kBuckets = 0x80000000u >> kBucketShift;
  static uint32_t bucket_of(float cost);

  enum Kind : uint8_t { kInner, kBorder, kFixed };
  struct alignas(64) Point {
    Quadric quadric;
    float weight;  // area that the quadric stands for
    uint32_t star, degree;
    uint32_t target;  // cheapest neighbour, or the next that has not been tried
    float cost;       // of it
    Kind kind;
    bool seam;   // its triangles use several vertices of this place
    bool stale;  // the cost must be computed anew
    bool queued;
  };
  struct alignas(16) Place {
    float x, y, z, unused;
  };
  // A triangle as one of its points sees it.
  struct Spoke {
    uint32_t slot;            // of the point among the corners
    uint32_t next, previous;  // the points at the other corners
  };
  struct Fan;  // the order of a point's spokes around it
  struct Move;

  Vec3 place(uint32_t p) const { return {places_[p].x, places_[p].y, places_[p].z}; }
  const Spoke* star(uint32_t p) const { return pool_.data() + vertices_[p].star; }
  uint32_t side(uint32_t slot) const { return vertex_corners()[slot]; }
  static uint32_t slot_after(uint32_t slot) { return slot % 3 == 2 ? slot - 2 : slot + 1; }
  static uint32_t slot_before(uint32_t slot) { return slot % 3 == 0 ? slot + 2 : slot - 1; }

  Status copy_triangles(const MeshView& mesh);
  Status collect_stars();
  void place_points(const MeshView& mesh, const CollapseRules& rules);
  void weigh_triangles(size_t begin, size_t end);
  void weigh_point(uint32_t p);
  void hold_edges(uint32_t p, const Fan& fan);
  void weigh_attributes(uint32_t p);

  static uint64_t rank_of(float cost, uint32_t target);
  void choose(uint32_t p, uint64_t least);
  float cost_of(uint32_t p, uint32_t q, uint32_t slot, uint32_t slot_of_q) const;
  void push(uint32_t p, uint32_t bucket);
  void look_ahead(uint32_t p) const;
  bool allowed(uint32_t p, uint32_t q, Move* move);
  bool links_fit(uint32_t p, uint32_t q, const Move& move);
  bool sides_fit(uint32_t p, uint32_t q, Move* move) const;
  bool within_error(uint32_t p, uint32_t q, const Move& move) const;
  float original_distance(Vec3 x, uint32_t from) const;
  bool stays_near(uint32_t member, uint32_t around, uint32_t p, uint32_t q) const;
  void collapse(uint32_t p, uint32_t q, const Move& move);
  void touch(uint32_t p, uint32_t gone);
  void drop(uint32_t p, uint32_t first_slot);
  void rename(uint32_t around, uint32_t p, uint32_t q);
  Status make_room(size_t count);

  size_t n_ = 0, m_ = 0, live_ = 0;
  bool seams_ = false;
  int attributes_ = 0;
  float limit_ = -1;  // squared, in our unit
  float scale_ = 1;   // of our unit in millimetres; a power of two
  bool keep_border_ = false;
  std::vector<uint32_t> point_;  // of each vertex, where there are seams
  AlignedBuffer<Place> places_;
  AlignedBuffer<Point> vertices_;
  AlignedBuffer<uint32_t> points_, sides_;
  AlignedBuffer<Vec3> areas_;    // of triangles: normals as long as the root of the area
  AlignedBuffer<Vec3> normals_;  // of points, as the original has them; of any length
  AlignedBuffer<Spoke> pool_;
  size_t used_ = 0;  // of pool_
  std::vector<AttributeQuadric> attribute_quadrics_;
  std::vector<float> values_;  // attributes_ for each vertex
  std::vector<uint32_t> parent_, next_, mark_;
  std::vector<uint32_t> members_, last_member_;  // of what has been collapsed to a point; where there is a limit
  std::vector<uint32_t> original_corners_;       // where there is a limit
  Stars original_;
  uint32_t stamp_ = 0;
  std::vector<uint32_t> first_, last_;  // of buckets
  uint32_t bucket_ = 0;
};

}  // namespace lineament
