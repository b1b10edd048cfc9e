#include "cloud/kd_tree.h"

#include <algorithm>
#include <limits>

#include "cloud/ranges.h"

namespace lineament {
namespace {

struct Item {
  float at[3];
  uint32_t index;
};

// Nodes above are split one after another, those of a level on several threads; below, each is a part of its own.
constexpr size_t kPartLeaves = 512;
// Points that are looked at to choose the axis of a split.
constexpr size_t kSample = 512;

template <int axis>
void split_at(Item* begin, Item* middle, Item* end) {
  std::nth_element(begin, middle, end, [](const Item& a, const Item& b) { return a.at[axis] < b.at[axis]; });
}

// Puts the lower half in front of `middle`, along the axis on which the points reach farthest.
void split(Item* begin, Item* middle, Item* end) {
  float low[3] = {begin->at[0], begin->at[1], begin->at[2]};
  float high[3] = {low[0], low[1], low[2]};
  const size_t step = std::max<size_t>(1, static_cast<size_t>(end - begin) / kSample);
  for (size_t i = 0; i < static_cast<size_t>(end - begin); i += step) {
    for (int c = 0; c < 3; ++c) {
      low[c] = std::min(low[c], begin[i].at[c]);
      high[c] = std::max(high[c], begin[i].at[c]);
    }
  }
  const float x = high[0] - low[0], y = high[1] - low[1], z = high[2] - low[2];
  if (x >= y && x >= z) return split_at<0>(begin, middle, end);
  return y >= z ? split_at<1>(begin, middle, end) : split_at<2>(begin, middle, end);
}

struct Range {
  size_t node, begin, end;  // leaves
};

Box3 around(const Box3& a, const Box3& b) {
  Box3 out;
  for (int c = 0; c < 3; ++c) {
    out.low[c] = std::min(a.low[c], b.low[c]);
    out.high[c] = std::max(a.high[c], b.high[c]);
  }
  return out;
}

}  // namespace

class KdTreeBuilder {
 public:
  KdTreeBuilder(KdTree& tree, const float* positions, size_t count) : tree_(tree), positions_(positions) {
    const size_t leaves = (count + KdTree::kLeaf - 1) / KdTree::kLeaf;
    tree.count_ = count;
    tree.points_.resize(3 * leaves * KdTree::kLeaf);
    tree.indices_.resize(leaves * KdTree::kLeaf);
    tree.boxes_.resize(2 * leaves - 1);
    items_.resize(count);
  }

  Status run(Executor& executor, const CancelToken* token) {
    Status done = for_ranges(executor, token, items_.size(), 1 << 16, [this](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        const float* p = positions_ + 3 * i;
        items_[i] = {{p[0], p[1], p[2]}, static_cast<uint32_t>(i)};
      }
    });
    std::vector<Range> top, level{{0, 0, tree_.leaves()}}, parts;
    while (done.ok() && !level.empty()) {
      std::vector<Range> large;
      for (const Range& range : level) (range.end - range.begin > kPartLeaves ? large : parts).push_back(range);
      done = for_ranges(executor, token, large.size(), 1, [&](size_t i, size_t) { halve(large[i]); });
      level.clear();
      for (const Range& range : large) {
        top.push_back(range);
        level.push_back(lower(range));
        level.push_back(upper(range));
      }
    }
    if (done.ok()) {
      done = for_ranges(executor, token, parts.size(), 1, [&](size_t i, size_t) { finish(parts[i]); });
    }
    for (size_t i = top.size(); i-- > 0;) join(top[i]);
    return done;
  }

 private:
  static Range lower(const Range& r) { return {r.node + 1, r.begin, KdTree::middle(r.begin, r.end)}; }
  static Range upper(const Range& r) {
    return {KdTree::right(r.node, r.begin, r.end), KdTree::middle(r.begin, r.end), r.end};
  }

  void halve(const Range& r) {
    Item* items = items_.data();
    split(items + r.begin * KdTree::kLeaf, items + KdTree::middle(r.begin, r.end) * KdTree::kLeaf,
          items + std::min(r.end * KdTree::kLeaf, items_.size()));
  }

  void join(const Range& r) { tree_.boxes_[r.node] = around(tree_.boxes_[lower(r).node], tree_.boxes_[upper(r).node]); }

  void finish(const Range& r) {
    if (r.end - r.begin == 1) return fill(r);
    halve(r);
    finish(lower(r));
    finish(upper(r));
    join(r);
  }

  void fill(const Range& leaf) {
    const size_t first = leaf.begin * KdTree::kLeaf, size = tree_.leaf_size(leaf.begin);
    Box3 box;
    for (size_t c = 0; c < 3; ++c) {
      float* out = tree_.points_.data() + (3 * leaf.begin + c) * KdTree::kLeaf;
      box.low[c] = box.high[c] = items_[first].at[c];
      for (size_t i = 0; i < KdTree::kLeaf; ++i) {
        out[i] = i < size ? items_[first + i].at[c] : std::numeric_limits<float>::infinity();
      }
      for (size_t i = 0; i < size; ++i) {
        box.low[c] = std::min(box.low[c], out[i]);
        box.high[c] = std::max(box.high[c], out[i]);
      }
    }
    for (size_t i = 0; i < KdTree::kLeaf; ++i) tree_.indices_[first + i] = i < size ? items_[first + i].index : 0;
    tree_.boxes_[leaf.node] = box;
  }

  KdTree& tree_;
  const float* positions_;
  Table<Item> items_;
};

Result<KdTree> KdTree::build(const float* positions, size_t count, Executor& executor, const CancelToken* token) {
  if (count == 0) return Status(Code::kInvalidArgument, "A tree needs a point");
  KdTree tree;
  const Status done = KdTreeBuilder(tree, positions, count).run(executor, token);
  if (!done.ok()) return done;
  return tree;
}

}  // namespace lineament
