// Nearest neighbours of points, found for a leaf of the tree at a time: points that lie together share what lies
// around.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "cloud/kd_tree.h"

namespace lineament {

// Scratch of one thread. Exact: the neighbours are those that single-precision squared distances name, in whatever
// order points are asked for; among equally distant ones the tree's order and the path of the search decide.
class NeighbourSearch {
 public:
  // The `k` nearest (all where k is larger than the cloud) that lie within `radius`, which may be infinite. The asking
  // point is its own neighbour.
  NeighbourSearch(const KdTree& tree, size_t k, double radius = std::numeric_limits<double>::infinity());

  // Calls found(place) for each point of a leaf, with the members below set to its neighbours.
  template <typename Found>
  void leaf(size_t leaf, const Found& found);

  size_t count() const { return count_; }
  uint32_t place(size_t i) const {
    const uint32_t at = chosen_[i];
    return static_cast<uint32_t>(leaves_[at / KdTree::kLeaf] * KdTree::kLeaf + at % KdTree::kLeaf);
  }
  // The vector from the asking point to neighbour i.
  void offset(size_t i, double out[3]) const {
    const uint32_t at = chosen_[i];
    out[0] = static_cast<double>(x_[at]) - static_cast<double>(query_[0]);
    out[1] = static_cast<double>(y_[at]) - static_cast<double>(query_[1]);
    out[2] = static_cast<double>(z_[at]) - static_cast<double>(query_[2]);
  }

 private:
  struct Open {
    float gap;
    uint32_t node, begin, end;
  };

  void ask(size_t leaf, size_t i);
  bool gather(const Box3& around, float squared_radius);
  void append(size_t leaf);
  bool among_gathered(float sure);
  void alone(float at_most);
  float nearest_limit(size_t count, float high, size_t found) const;
  bool choose(size_t count, float sure);
  void learn(size_t asked);

  const KdTree& tree_;
  const CloudKernels& kernels_;
  const size_t k_;
  const float squared_radius_;
  float guess_ = -1;  // squared radius that most points of the next leaf will need; below zero: unknown
  float query_[3] = {};
  float limit_ = 0;  // no neighbour's squared distance is above
  size_t count_ = 0;
  size_t gathered_ = 0;  // candidates, padding among them
  Table<float> x_, y_, z_, squared_;
  std::vector<size_t> leaves_;  // leaf of each kLeaf candidates
  std::vector<uint32_t> chosen_;
  std::vector<Open> open_;
  float limits_[KdTree::kLeaf] = {};
};

template <typename Found>
void NeighbourSearch::leaf(size_t leaf, const Found& found) {
  const size_t size = tree_.leaf_size(leaf), first = leaf * KdTree::kLeaf;
  size_t left[KdTree::kLeaf], pending = 0, asked = 0;
  Box3 around;
  for (size_t c = 0; c < 3; ++c) {
    const float* axis = tree_.leaf_axis(leaf, c);
    around.low[c] = *std::min_element(axis, axis + size);
    around.high[c] = *std::max_element(axis, axis + size);
  }
  const float reach = std::min(guess_, squared_radius_);
  const bool shared = reach >= 0 && gather(around, reach);
  for (size_t i = 0; i < size; ++i) {
    ask(leaf, i);
    if (shared && among_gathered(reach)) {
      limits_[asked++] = limit_;
      found(first + i);
    } else {
      left[pending++] = i;
    }
  }
  // What the last point needed, and the way from there, bound what the next one needs.
  float last[3] = {}, known = std::numeric_limits<float>::infinity();
  for (size_t j = 0; j < pending; ++j) {
    ask(leaf, left[j]);
    if (j > 0) {
      const float way = std::sqrt(squared_gap(Box3{{last[0], last[1], last[2]}, {last[0], last[1], last[2]}}, query_));
      known = (std::sqrt(known) + way) * 1.0001F;
      known *= known;
    }
    alone(known);
    known = count_ >= std::min(k_, tree_.size()) ? limit_ : std::numeric_limits<float>::infinity();
    for (int c = 0; c < 3; ++c) last[c] = query_[c];
    limits_[asked++] = limit_;
    found(first + left[j]);
  }
  learn(asked);
}

}  // namespace lineament
