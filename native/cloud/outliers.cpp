#include "cloud/outliers.h"

#include <cmath>

#include "cloud/neighbours.h"
#include "cloud/normals.h"
#include "cloud/ranges.h"

namespace lineament {
namespace {

constexpr size_t kLeavesAtOnce = 256;

double length(const double v[3]) { return std::sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2]); }

// Mean distance of each point to its nearest.
Result<std::vector<double>> mean_distances(const CloudView& cloud, size_t neighbours, Executor& executor,
                                           const CancelToken* token) {
  const Result<KdTree> built = KdTree::build(cloud.positions, cloud.size, executor, token);
  if (!built.ok()) return built.status();
  const KdTree& tree = built.value();
  std::vector<double> means(cloud.size);
  const Status done = for_ranges(executor, token, tree.leaves(), kLeavesAtOnce, [&](size_t begin, size_t end) {
    NeighbourSearch search(tree, neighbours);
    for (size_t leaf = begin; leaf < end; ++leaf) {
      search.leaf(leaf, [&](size_t place) {
        double sum = 0, offset[3];
        for (size_t i = 0; i < search.count(); ++i) {
          search.offset(i, offset);
          sum += length(offset);
        }
        means[tree.index(place)] = sum / static_cast<double>(search.count());
      });
    }
  });
  if (!done.ok()) return done;
  return means;
}

// Points nearer than the radius, counted up to `enough`.
class NearCounter {
 public:
  NearCounter(const KdTree& tree, double radius, size_t enough)
      : tree_(tree), squared_radius_(radius * radius), enough_(enough) {}

  bool has_enough(const float q[3]) {
    size_t found = 0;
    open_.clear();
    open_.push_back({0, 0, static_cast<uint32_t>(tree_.leaves())});
    while (!open_.empty()) {
      const Open one = open_.back();
      open_.pop_back();
      if (static_cast<double>(squared_gap(tree_.box(one.node), q)) > squared_radius_ * kMargin) continue;
      if (one.end - one.begin == 1) {
        found += near(one.begin, q);
        if (found >= enough_) return true;
        continue;
      }
      const auto middle = static_cast<uint32_t>(KdTree::middle(one.begin, one.end));
      Open lower{one.node + 1, one.begin, middle};
      Open upper{static_cast<uint32_t>(KdTree::right(one.node, one.begin, one.end)), middle, one.end};
      if (squared_gap(tree_.box(lower.node), q) > squared_gap(tree_.box(upper.node), q)) std::swap(lower, upper);
      open_.push_back(upper);
      open_.push_back(lower);
    }
    return false;
  }

 private:
  struct Open {
    uint32_t node, begin, end;
  };
  static constexpr double kMargin = 1 + 1e-6;  // boxes are measured in single precision

  size_t near(size_t leaf, const float q[3]) const {
    const float *x = tree_.leaf_axis(leaf, 0), *y = tree_.leaf_axis(leaf, 1), *z = tree_.leaf_axis(leaf, 2);
    const double at[3] = {static_cast<double>(q[0]), static_cast<double>(q[1]), static_cast<double>(q[2])};
    size_t found = 0;
    for (size_t i = 0; i < KdTree::kLeaf; ++i) {
      const double dx = static_cast<double>(x[i]) - at[0], dy = static_cast<double>(y[i]) - at[1],
                   dz = static_cast<double>(z[i]) - at[2];
      found += dx * dx + dy * dy + dz * dz < squared_radius_ ? 1 : 0;
    }
    return found;
  }

  const KdTree& tree_;
  const double squared_radius_;
  const size_t enough_;
  std::vector<Open> open_;
};

}  // namespace

Result<std::vector<uint32_t>> statistical_inliers(const CloudView& cloud, size_t neighbours, double ratio,
                                                  Executor& executor, const CancelToken* token) {
  if (neighbours < 1 || neighbours > kMostNeighbours) {
    return Status(Code::kInvalidArgument, "Expected 1 to 1024 neighbours");
  }
  if (!std::isfinite(ratio) || ratio <= 0) return Status(Code::kInvalidArgument, "Expected a ratio above zero");
  if (const Status good = check_cloud(cloud, executor, token); !good.ok()) return good;
  std::vector<uint32_t> kept;
  if (cloud.size == 0) return kept;
  const Result<std::vector<double>> found = mean_distances(cloud, neighbours, executor, token);
  if (!found.ok()) return found.status();
  const std::vector<double>& means = found.value();
  double sum = 0, squares = 0;
  for (const double mean : means) sum += mean;
  const double centre = sum / static_cast<double>(cloud.size);
  for (const double mean : means) squares += mean > 0 ? (mean - centre) * (mean - centre) : 0;
  const double deviation = cloud.size > 1 ? std::sqrt(squares / static_cast<double>(cloud.size - 1)) : 0;
  const double limit = centre + ratio * deviation;
  // Sums of equal distances differ in their last digits: those that are as far as all others are kept.
  const double rounding = centre * 1e-12;
  kept.reserve(cloud.size);
  for (size_t i = 0; i < cloud.size; ++i) {
    if (means[i] <= limit + rounding) kept.push_back(static_cast<uint32_t>(i));
  }
  return kept;
}

Result<std::vector<uint32_t>> radius_inliers(const CloudView& cloud, size_t neighbours, double radius,
                                             Executor& executor, const CancelToken* token) {
  if (neighbours < 1 || neighbours > kMostPoints)
    return Status(Code::kInvalidArgument, "Expected 1 or more neighbours");
  if (!std::isfinite(radius) || radius <= 0) return Status(Code::kInvalidArgument, "Expected a radius above zero");
  if (const Status good = check_cloud(cloud, executor, token); !good.ok()) return good;
  std::vector<uint32_t> kept;
  if (cloud.size == 0) return kept;
  const Result<KdTree> built = KdTree::build(cloud.positions, cloud.size, executor, token);
  if (!built.ok()) return built.status();
  const KdTree& tree = built.value();
  std::vector<uint8_t> keep(cloud.size);
  const Status done = for_ranges(executor, token, tree.leaves(), kLeavesAtOnce, [&](size_t begin, size_t end) {
    NearCounter counter(tree, radius, neighbours + 1);
    for (size_t leaf = begin; leaf < end; ++leaf) {
      for (size_t i = 0; i < tree.leaf_size(leaf); ++i) {
        const float q[3] = {tree.leaf_axis(leaf, 0)[i], tree.leaf_axis(leaf, 1)[i], tree.leaf_axis(leaf, 2)[i]};
        keep[tree.index(leaf * KdTree::kLeaf + i)] = counter.has_enough(q) ? 1 : 0;
      }
    }
  });
  if (!done.ok()) return done;
  for (size_t i = 0; i < cloud.size; ++i) {
    if (keep[i] != 0) kept.push_back(static_cast<uint32_t>(i));
  }
  return kept;
}

}  // namespace lineament
