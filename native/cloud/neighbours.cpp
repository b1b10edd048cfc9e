#include "cloud/neighbours.h"

#include <bit>
#include <cmath>

namespace lineament {
namespace {

// More candidates than this are not worth sharing: the points of the leaf lie too far apart.
constexpr size_t kMostShared = 2048;
// Candidates between two looks at how far the k-th nearest is.
constexpr size_t kLook = 32;
// Of the last leaf's points, as many found what they asked for within the next leaf's reach, had it had it.
constexpr size_t kQuantile = 12;
constexpr float kMargin = 1.25F;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Rounded up, so that what lies exactly at the radius is within.
float squared_of(double radius) {
  const double square = radius * radius;
  return square >= static_cast<double>(std::numeric_limits<float>::max())
             ? kInfinity
             : std::nextafter(static_cast<float>(square), kInfinity);
}

}  // namespace

NeighbourSearch::NeighbourSearch(const KdTree& tree, size_t k, double radius)
    : tree_(tree), kernels_(cloud_kernels()), k_(std::min(k, tree.size())), squared_radius_(squared_of(radius)) {
  // Without a number to look for, the radius is what every point needs.
  if (k > tree.size()) guess_ = squared_radius_;
}

void NeighbourSearch::ask(size_t leaf, size_t i) {
  for (size_t c = 0; c < 3; ++c) query_[c] = tree_.leaf_axis(leaf, c)[i];
}

void NeighbourSearch::append(size_t leaf) {
  const size_t end = gathered_ + KdTree::kLeaf;
  if (x_.size() < end) {
    const size_t room = std::max<size_t>(1024, 2 * end);
    for (Table<float>* table : {&x_, &y_, &z_, &squared_}) table->resize(room);
    leaves_.resize(room / KdTree::kLeaf);
    chosen_.resize(room + kCloudLanes);
  }
  std::copy_n(tree_.leaf_axis(leaf, 0), KdTree::kLeaf, x_.data() + gathered_);
  std::copy_n(tree_.leaf_axis(leaf, 1), KdTree::kLeaf, y_.data() + gathered_);
  std::copy_n(tree_.leaf_axis(leaf, 2), KdTree::kLeaf, z_.data() + gathered_);
  leaves_[gathered_ / KdTree::kLeaf] = leaf;
  gathered_ = end;
}

// All leaves within the radius of a box; false where they hold too many points.
bool NeighbourSearch::gather(const Box3& around, float squared_radius) {
  gathered_ = 0;
  open_.clear();
  open_.push_back({0, 0, 0, static_cast<uint32_t>(tree_.leaves())});
  while (!open_.empty()) {
    const Open one = open_.back();
    open_.pop_back();
    if (squared_gap(tree_.box(one.node), around) > squared_radius) continue;
    if (one.end - one.begin == 1) {
      if (gathered_ == kMostShared) return false;
      append(one.begin);
      continue;
    }
    const auto middle = static_cast<uint32_t>(KdTree::middle(one.begin, one.end));
    open_.push_back({0, static_cast<uint32_t>(KdTree::right(one.node, one.begin, one.end)), middle, one.end});
    open_.push_back({0, one.node + 1, one.begin, middle});
  }
  return true;
}

bool NeighbourSearch::among_gathered(float sure) {
  kernels_.squared(x_.data(), y_.data(), z_.data(), gathered_, query_, squared_.data());
  return choose(gathered_, sure);
}

// A limit that exactly k_ of the first `count` squared distances do not exceed, or, where several are equal there, the
// smallest that at least k_ do not. `found` > k_ do not exceed `high`. Numbers of neighbours grow about linearly with
// the squared distance on a surface, so that few steps are enough.
float NeighbourSearch::nearest_limit(size_t count, float high, size_t found) const {
  float low = 0;
  double below = 0, above = static_cast<double>(found);
  const double wanted = static_cast<double>(k_) + 0.5;
  for (int step = 0; step < 10; ++step) {
    const double share = (wanted - below) / (above - below);
    const float limit = low + (high - low) * static_cast<float>(share);
    if (!(limit > low && limit < high)) break;
    const size_t now = kernels_.at_most(squared_.data(), count, limit);
    if (now == k_) return limit;
    if (now < k_) {
      low = limit;
      below = static_cast<double>(now);
    } else {
      high = limit;
      above = static_cast<double>(now);
    }
  }
  // Halving what lies between, as integers: floats above zero are ordered as their bits are.
  if (low == 0 && kernels_.at_most(squared_.data(), count, 0) >= k_) return 0;
  auto from = std::bit_cast<uint32_t>(low), to = std::bit_cast<uint32_t>(high);
  while (to - from > 1) {
    const uint32_t middle = from + (to - from) / 2;
    (kernels_.at_most(squared_.data(), count, std::bit_cast<float>(middle)) >= k_ ? to : from) = middle;
  }
  return std::bit_cast<float>(to);
}

// Chooses among the first `count` candidates, which hold all points up to `sure`; false where that is too few to tell.
bool NeighbourSearch::choose(size_t count, float sure) {
  const bool whole = squared_radius_ <= sure;
  const float most = std::min(std::min(sure, squared_radius_), std::numeric_limits<float>::max());
  const size_t found = kernels_.at_most(squared_.data(), count, most);
  if (found < k_ && !whole) return false;
  limit_ = found <= k_ ? most : nearest_limit(count, most, found);
  count_ = kernels_.pick(squared_.data(), count, limit_, chosen_.data());
  if (count_ > k_) {  // several are as far as the last one: the first of them are taken
    size_t extra = count_ - k_, to = count_;
    std::vector<uint32_t>::iterator end = chosen_.begin() + static_cast<std::ptrdiff_t>(count_);
    for (size_t i = count_; i-- > 0 && extra > 0;) {
      if (squared_[chosen_[i]] != limit_) continue;
      end = std::copy(chosen_.begin() + static_cast<std::ptrdiff_t>(i) + 1, end,
                      chosen_.begin() + static_cast<std::ptrdiff_t>(i));
      --extra;
      --to;
    }
    count_ = to;
  }
  return true;
}

// Nearest nodes first, until none can hold anything nearer. `at_most`: the k-th nearest is known not to be farther.
void NeighbourSearch::alone(float at_most) {
  float reach = std::min(at_most, squared_radius_);
  bool enough = false;
  size_t look = std::max(k_, kLook);
  gathered_ = 0;
  open_.clear();
  open_.push_back({squared_gap(tree_.box(0), query_), 0, 0, static_cast<uint32_t>(tree_.leaves())});
  while (!open_.empty()) {
    const Open one = open_.back();
    open_.pop_back();
    if (enough ? one.gap >= reach : one.gap > reach) continue;
    if (one.end - one.begin == 1) {
      append(one.begin);
      const size_t at = gathered_ - KdTree::kLeaf;
      kernels_.squared(x_.data() + at, y_.data() + at, z_.data() + at, KdTree::kLeaf, query_, squared_.data() + at);
      if (gathered_ < look) continue;
      look = gathered_ + kLook;
      const float most = std::min(reach, std::numeric_limits<float>::max());
      const size_t found = kernels_.at_most(squared_.data(), gathered_, most);
      if (found < k_) continue;
      enough = true;
      reach = found == k_ ? most : nearest_limit(gathered_, most, found);
      continue;
    }
    const auto middle = static_cast<uint32_t>(KdTree::middle(one.begin, one.end));
    Open lower{0, one.node + 1, one.begin, middle};
    Open upper{0, static_cast<uint32_t>(KdTree::right(one.node, one.begin, one.end)), middle, one.end};
    lower.gap = squared_gap(tree_.box(lower.node), query_);
    upper.gap = squared_gap(tree_.box(upper.node), query_);
    if (lower.gap > upper.gap) std::swap(lower, upper);
    open_.push_back(upper);
    open_.push_back(lower);
  }
  choose(gathered_, kInfinity);
}

// The reach for the next leaf: a little more than what most points of this one needed.
void NeighbourSearch::learn(size_t asked) {
  if (k_ == tree_.size()) return;
  const size_t at = std::min(kQuantile, asked - 1);
  std::nth_element(limits_, limits_ + at, limits_ + asked);
  guess_ = limits_[at] * kMargin;
}

}  // namespace lineament
