// A balanced k-d tree (J. L. Bentley, "Multidimensional binary search trees used for associative searching", CACM
// 18(9), 1975) whose points lie sorted by leaf, with the tight box of every node.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cloud/kernels.h"
#include "core/cancel.h"
#include "core/executor.h"
#include "core/huge_pages.h"
#include "core/status.h"

namespace lineament {

struct Box3 {
  float low[3], high[3];
};

// Squared distances, rounded so that no point of a box is nearer than its box says when the kernels measure it.
inline float squared_gap(const Box3& a, const Box3& b) {
  float sum[3];
  for (int c = 0; c < 3; ++c) {
    const float below = a.low[c] - b.high[c], above = b.low[c] - a.high[c];
    const float gap = below > above ? below : above;
    sum[c] = gap > 0 ? gap * gap : 0;
  }
  return (sum[0] + sum[1]) + sum[2];
}
inline float squared_gap(const Box3& box, const float* q) {
  return squared_gap(box, Box3{{q[0], q[1], q[2]}, {q[0], q[1], q[2]}});
}

// Immutable once built; any number of threads may read it. A place is a point's number in the tree's order; leaf l has
// the places from l × kLeaf on.
class KdTree {
 public:
  static constexpr size_t kLeaf = 16;

  // `positions`: 3 n checked coordinates (check_cloud), n ≥ 1. The tree is the same for any number of threads.
  static Result<KdTree> build(const float* positions, size_t count, Executor& executor, const CancelToken* token);

  size_t size() const { return count_; }
  size_t leaves() const { return (count_ + kLeaf - 1) / kLeaf; }
  // Points of a leaf: kLeaf, in the last one as many as are left.
  size_t leaf_size(size_t leaf) const { return leaf + 1 < leaves() ? kLeaf : count_ - leaf * kLeaf; }
  // kLeaf coordinates of one axis, infinite where there is no point.
  const float* leaf_axis(size_t leaf, size_t axis) const { return points_.data() + (3 * leaf + axis) * kLeaf; }
  // The point at a place, as the cloud numbers it.
  uint32_t index(size_t place) const { return indices_[place]; }

  // Nodes lie in depth-first order: the root is 0 and has all leaves; a node of the leaves [begin, end), end − begin >
  // 1, splits at middle(begin, end) and has its children at node + 1 and right(node, begin, end).
  const Box3& box(size_t node) const { return boxes_[node]; }
  static size_t middle(size_t begin, size_t end) { return begin + (end - begin) / 2; }
  static size_t right(size_t node, size_t begin, size_t end) { return node + 2 * (middle(begin, end) - begin); }

 private:
  size_t count_ = 0;
  Table<float> points_;
  std::vector<uint32_t> indices_;
  std::vector<Box3> boxes_;

  friend class KdTreeBuilder;
};

}  // namespace lineament
