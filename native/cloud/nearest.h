// The nearest point of a tree to any point.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "cloud/kd_tree.h"

namespace lineament {

struct Nearest {
  static constexpr uint32_t kNone = 0xffffffffU;
  uint32_t place = kNone;
  float squared = 0;
};

// Nearest place within `squared_radius`. `hint`: a place that is likely near, or Nearest::kNone; the answer does not
// depend on it but where two points are equally far.
inline Nearest nearest(const KdTree& tree, const float q[3], float squared_radius, uint32_t hint) {
  struct Open {
    float gap;
    uint32_t node, begin, end;
  };
  Nearest best{Nearest::kNone, squared_radius};
  const auto look = [&](size_t leaf) {
    const float *x = tree.leaf_axis(leaf, 0), *y = tree.leaf_axis(leaf, 1), *z = tree.leaf_axis(leaf, 2);
    float squared[KdTree::kLeaf];
    for (size_t i = 0; i < KdTree::kLeaf; ++i) {
      const float dx = x[i] - q[0], dy = y[i] - q[1], dz = z[i] - q[2];
      squared[i] = (dx * dx + dy * dy) + dz * dz;
    }
    for (size_t i = 0; i < tree.leaf_size(leaf); ++i) {
      const auto place = static_cast<uint32_t>(leaf * KdTree::kLeaf + i);
      if (squared[i] < best.squared || (squared[i] == best.squared && place < best.place)) best = {place, squared[i]};
    }
  };
  if (hint != Nearest::kNone) look(hint / KdTree::kLeaf);
  Open open[64];  // a level of the tree leaves one behind
  size_t top = 0;
  open[top++] = {squared_gap(tree.box(0), q), 0, 0, static_cast<uint32_t>(tree.leaves())};
  while (top > 0) {
    const Open one = open[--top];
    if (one.gap > best.squared) continue;
    if (one.end - one.begin == 1) {
      look(one.begin);
      continue;
    }
    const auto middle = static_cast<uint32_t>(KdTree::middle(one.begin, one.end));
    Open lower{0, one.node + 1, one.begin, middle};
    Open upper{0, static_cast<uint32_t>(KdTree::right(one.node, one.begin, one.end)), middle, one.end};
    lower.gap = squared_gap(tree.box(lower.node), q);
    upper.gap = squared_gap(tree.box(upper.node), q);
    if (lower.gap > upper.gap) std::swap(lower, upper);
    open[top++] = upper;
    open[top++] = lower;
  }
  return best;
}

}  // namespace lineament
