#include "cloud/normals.h"

#include <cmath>
#include <limits>

#include "cloud/neighbours.h"
#include "cloud/ranges.h"
#include "cloud/symmetric3.h"

namespace lineament {
namespace {

constexpr size_t kLeavesAtOnce = 256;

// What a neighbourhood's points vary like about their mean.
Symmetric3 covariance(const NeighbourSearch& search) {
  double x = 0, y = 0, z = 0;
  Symmetric3 sum;
  const size_t count = search.count();
  for (size_t i = 0; i < count; ++i) {
    double d[3];
    search.offset(i, d);
    x += d[0];
    y += d[1];
    z += d[2];
    sum.xx += d[0] * d[0];
    sum.xy += d[0] * d[1];
    sum.xz += d[0] * d[2];
    sum.yy += d[1] * d[1];
    sum.yz += d[1] * d[2];
    sum.zz += d[2] * d[2];
  }
  const double share = 1 / static_cast<double>(count);
  x *= share;
  y *= share;
  z *= share;
  return {sum.xx * share - x * x, sum.xy * share - x * y, sum.xz * share - x * z,
          sum.yy * share - y * y, sum.yz * share - y * z, sum.zz * share - z * z};
}

Status check(const NormalRule& rule) {
  if (rule.neighbours < 3 || rule.neighbours > kMostNeighbours) {
    return Status(Code::kInvalidArgument, "Expected 3 to 1024 neighbours");
  }
  if (!std::isfinite(rule.radius) || rule.radius < 0) return Status(Code::kInvalidArgument, "Expected a finite radius");
  for (const double v : rule.viewpoint) {
    if (!std::isfinite(v)) return Status(Code::kInvalidArgument, "Expected a finite viewpoint");
  }
  return Status();
}

}  // namespace

Result<std::vector<float>> estimate_normals(const KdTree& tree, const NormalRule& rule, Executor& executor,
                                            const CancelToken* token) {
  if (const Status good = check(rule); !good.ok()) return good;
  std::vector<float> normals(3 * tree.size());
  const double radius = rule.radius > 0 ? rule.radius : std::numeric_limits<double>::infinity();
  const Status done = for_ranges(executor, token, tree.leaves(), kLeavesAtOnce, [&](size_t begin, size_t end) {
    NeighbourSearch search(tree, rule.neighbours, radius);
    for (size_t leaf = begin; leaf < end; ++leaf) {
      search.leaf(leaf, [&](size_t place) {
        double direction[3], eigenvalues[3];
        if (search.count() < 3 || !least_direction(covariance(search), direction, eigenvalues)) return;
        double towards = 0;
        for (size_t c = 0; c < 3; ++c) {
          const double at = static_cast<double>(tree.leaf_axis(leaf, c)[place % KdTree::kLeaf]);
          towards += direction[c] * (rule.viewpoint[c] - at);
        }
        const double sign = towards < 0 ? -1 : 1;
        float* out = normals.data() + 3 * static_cast<size_t>(tree.index(place));
        for (size_t c = 0; c < 3; ++c) out[c] = static_cast<float>(sign * direction[c]);
      });
    }
  });
  if (!done.ok()) return done;
  return normals;
}

Result<std::vector<float>> estimate_normals(const CloudView& cloud, const NormalRule& rule, Executor& executor,
                                            const CancelToken* token) {
  if (const Status good = check(rule); !good.ok()) return good;
  if (const Status good = check_cloud(cloud, executor, token); !good.ok()) return good;
  if (cloud.size == 0) return std::vector<float>();
  const Result<KdTree> tree = KdTree::build(cloud.positions, cloud.size, executor, token);
  if (!tree.ok()) return tree.status();
  return estimate_normals(tree.value(), rule, executor, token);
}

}  // namespace lineament
