#include "cloud/icp.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "cloud/kd_tree.h"
#include "cloud/nearest.h"
#include "cloud/ranges.h"
#include "cloud/voxels.h"

namespace lineament {
namespace {

constexpr size_t kStep = 1024;
constexpr size_t kUnknowns = 6;
constexpr size_t kMostLevels = 16, kMostIterations = 10000;
// Fewer pairs than unknowns do not determine a motion.
constexpr size_t kLeastPairs = 6;

using Vector3 = std::array<double, 3>;

struct Sums {
  double matrix[kUnknowns][kUnknowns] = {};  // lower triangle
  double right[kUnknowns] = {};
  double squares = 0;
  size_t pairs = 0;

  void add(const Sums& other) {
    for (size_t r = 0; r < kUnknowns; ++r) {
      for (size_t c = 0; c <= r; ++c) matrix[r][c] += other.matrix[r][c];
      right[r] += other.right[r];
    }
    squares += other.squares;
    pairs += other.pairs;
  }
};

double weight_of(RobustLoss loss, double residual, double scale) {
  const double size = std::abs(residual);
  if (loss == RobustLoss::kHuber) return size <= scale ? 1 : scale / size;
  if (loss == RobustLoss::kNone) return 1;
  const double u = residual / scale;
  return size <= scale ? (1 - u * u) * (1 - u * u) : 0;
}

Vector3 apply(const RigidTransform& t, const Vector3& p) {
  Vector3 out;
  for (size_t r = 0; r < 3; ++r) {
    out[r] = t.rotation[3 * r] * p[0] + t.rotation[3 * r + 1] * p[1] + t.rotation[3 * r + 2] * p[2] + t.translation[r];
  }
  return out;
}

// The turn by |w| about w (Rodrigues).
std::array<double, 9> rotation_of(const Vector3& w) {
  const double angle = std::sqrt(w[0] * w[0] + w[1] * w[1] + w[2] * w[2]);
  const double a = angle > 1e-12 ? std::sin(angle) / angle : 1;
  const double b = angle > 1e-6 ? (1 - std::cos(angle)) / (angle * angle) : 0.5;
  const double x = w[0], y = w[1], z = w[2];
  return {1 - b * (y * y + z * z), b * x * y - a * z,       b * x * z + a * y,
          b * x * y + a * z,       1 - b * (x * x + z * z), b * y * z - a * x,
          b * x * z - a * y,       b * y * z + a * x,       1 - b * (x * x + y * y)};
}

// Solves in place by Cholesky's decomposition; directions that the pairs leave open stay at 0, as the diagonal is
// raised by a millionth of its mean.
bool solve(Sums* s, double out[kUnknowns]) {
  double trace = 0;
  for (size_t r = 0; r < kUnknowns; ++r) trace += s->matrix[r][r];
  if (!(trace > 0) || !std::isfinite(trace)) return false;
  for (size_t r = 0; r < kUnknowns; ++r) s->matrix[r][r] += 1e-6 * trace / kUnknowns;
  auto& m = s->matrix;
  for (size_t r = 0; r < kUnknowns; ++r) {
    for (size_t c = 0; c <= r; ++c) {
      double sum = m[r][c];
      for (size_t k = 0; k < c; ++k) sum -= m[r][k] * m[c][k];
      if (r == c) {
        if (!(sum > 0)) return false;
        m[r][r] = std::sqrt(sum);
      } else {
        m[r][c] = sum / m[c][c];
      }
    }
  }
  for (size_t r = 0; r < kUnknowns; ++r) {
    out[r] = s->right[r];
    for (size_t k = 0; k < r; ++k) out[r] -= m[r][k] * out[k];
    out[r] /= m[r][r];
  }
  for (size_t r = kUnknowns; r-- > 0;) {
    for (size_t k = r + 1; k < kUnknowns; ++k) out[r] -= m[k][r] * out[k];
    out[r] /= m[r][r];
  }
  return true;
}

class Registration {
 public:
  Registration(const KdTree& tree, const CloudView& target, const IcpRule& rule, Executor& executor,
               const CancelToken* token)
      : tree_(tree), rule_(rule), executor_(executor), token_(token), normals_(3 * tree.size()) {
    for (size_t place = 0; place < tree.size(); ++place) {
      std::copy_n(target.normals + 3 * static_cast<size_t>(tree.index(place)), 3, normals_.data() + 3 * place);
      const float* at = target.positions + 3 * place;  // in any order
      for (size_t c = 0; c < 3; ++c) middle_[c] += static_cast<double>(at[c]) / static_cast<double>(tree.size());
    }
    // Turns are measured in lengths at the target's rim, so that they weigh as much as shifts.
    const Box3& box = tree.box(0);
    double squares = 0;
    for (size_t c = 0; c < 3; ++c) {
      const double side = static_cast<double>(box.high[c]) - static_cast<double>(box.low[c]);
      squares += side * side;
    }
    length_ = std::max(0.5 * std::sqrt(squares), 1e-9);
    result_.transform = rule.start;
  }

  Status run(const CloudView& source) {
    for (const IcpLevel& level : rule_.levels) {
      PointCloud thinned;
      CloudView points = {source.positions, nullptr, nullptr, source.size};
      if (level.voxel > 0) {
        Result<PointCloud> made = voxel_means(points, level.voxel, executor_, token_);
        if (!made.ok()) return made.status();
        thinned = std::move(made.value());
        points = view(thinned);
      }
      if (const Status done = refine(points, level); !done.ok()) return done;
      Sums last;
      if (const Status done = measure(points, level, &last); !done.ok()) return done;
      result_.fitness = static_cast<double>(last.pairs) / static_cast<double>(points.size);
      result_.inlier_rmse = last.pairs > 0 ? std::sqrt(last.squares / static_cast<double>(last.pairs)) : 0;
    }
    return Status();
  }

  const IcpResult& result() const { return result_; }

 private:
  Status refine(const CloudView& points, const IcpLevel& level) {
    hints_.assign(points.size, Nearest::kNone);
    result_.converged = false;
    for (size_t i = 0; i < level.max_iterations && !result_.converged; ++i) {
      Sums sums;
      if (const Status done = measure(points, level, &sums); !done.ok()) return done;
      double step[kUnknowns];
      if (sums.pairs < kLeastPairs || !solve(&sums, step)) break;
      ++result_.iterations;
      result_.converged = advance(step);
    }
    return Status();
  }

  // The normal equations of all pairs, and how far they lie apart.
  Status measure(const CloudView& points, const IcpLevel& level, Sums* out) {
    std::vector<Sums> parts((points.size + kStep - 1) / kStep);
    const double scale = level.loss_scale > 0 ? level.loss_scale : level.max_distance / 4;
    const auto squared_radius = static_cast<float>(level.max_distance * level.max_distance);
    const Status done = for_ranges(executor_, token_, points.size, kStep, [&](size_t begin, size_t end) {
      Sums& sums = parts[begin / kStep];
      for (size_t i = begin; i < end; ++i) {
        const float* raw = points.positions + 3 * i;
        const Vector3 p = apply(
            result_.transform, {static_cast<double>(raw[0]), static_cast<double>(raw[1]), static_cast<double>(raw[2])});
        const float q[3] = {static_cast<float>(p[0]), static_cast<float>(p[1]), static_cast<float>(p[2])};
        const Nearest pair = nearest(tree_, q, squared_radius, hints_[i]);
        hints_[i] = pair.place;
        if (pair.place != Nearest::kNone) add(p, pair.place, scale, &sums);
      }
    });
    for (const Sums& part : parts) out->add(part);
    return done;
  }

  void add(const Vector3& p, uint32_t place, double scale, Sums* sums) const {
    const float* normal = normals_.data() + 3 * static_cast<size_t>(place);
    const Vector3 n = {static_cast<double>(normal[0]), static_cast<double>(normal[1]), static_cast<double>(normal[2])};
    const double length = n[0] * n[0] + n[1] * n[1] + n[2] * n[2];
    if (!(length > 0) || !std::isfinite(length)) return;
    double residual = 0;
    Vector3 arm;
    for (size_t c = 0; c < 3; ++c) {
      const double at = static_cast<double>(tree_.leaf_axis(place / KdTree::kLeaf, c)[place % KdTree::kLeaf]);
      residual += n[c] * (p[c] - at);
      arm[c] = (p[c] - middle_[c]) / length_;
    }
    const double row[kUnknowns] = {
        arm[1] * n[2] - arm[2] * n[1], arm[2] * n[0] - arm[0] * n[2], arm[0] * n[1] - arm[1] * n[0], n[0], n[1], n[2]};
    const double weight = weight_of(rule_.loss, residual, scale);
    for (size_t r = 0; r < kUnknowns; ++r) {
      for (size_t c = 0; c <= r; ++c) sums->matrix[r][c] += weight * row[r] * row[c];
      sums->right[r] -= weight * row[r] * residual;
    }
    sums->squares += residual * residual;
    ++sums->pairs;
  }

  // Turns about the target's middle, then shifts. True where it was a small step.
  bool advance(const double step[kUnknowns]) {
    const Vector3 turn = {step[0] / length_, step[1] / length_, step[2] / length_};
    const std::array<double, 9> r = rotation_of(turn);
    const RigidTransform old = result_.transform;
    RigidTransform& now = result_.transform;
    for (size_t i = 0; i < 3; ++i) {
      for (size_t j = 0; j < 3; ++j) {
        now.rotation[3 * i + j] =
            r[3 * i] * old.rotation[j] + r[3 * i + 1] * old.rotation[3 + j] + r[3 * i + 2] * old.rotation[6 + j];
      }
      now.translation[i] = middle_[i] + step[3 + i];
      for (size_t k = 0; k < 3; ++k) now.translation[i] += r[3 * i + k] * (old.translation[k] - middle_[k]);
    }
    const double angle = std::sqrt(turn[0] * turn[0] + turn[1] * turn[1] + turn[2] * turn[2]);
    const double shift = std::sqrt(step[3] * step[3] + step[4] * step[4] + step[5] * step[5]);
    return angle < rule_.least_turn && shift < rule_.least_shift;
  }

  const KdTree& tree_;
  const IcpRule& rule_;
  Executor& executor_;
  const CancelToken* token_;
  std::vector<float> normals_;  // in the tree's order
  Vector3 middle_ = {};
  double length_ = 1;
  std::vector<uint32_t> hints_;
  IcpResult result_;
};

Status check_rule(const IcpRule& rule) {
  const auto wrong = [](const char* what) { return Status(Code::kInvalidArgument, what); };
  if (rule.levels.empty() || rule.levels.size() > kMostLevels) return wrong("Expected 1 to 16 levels");
  for (const IcpLevel& level : rule.levels) {
    const bool finite =
        std::isfinite(level.voxel) && std::isfinite(level.max_distance) && std::isfinite(level.loss_scale);
    if (!finite || level.voxel < 0 || level.loss_scale < 0 || level.max_distance <= 0 || level.max_distance > 1e9 ||
        level.max_iterations > kMostIterations) {
      return wrong("Expected levels with a distance above zero and at most 10000 iterations");
    }
  }
  if (!(rule.least_turn >= 0) || !(rule.least_shift >= 0)) return wrong("Expected least steps of zero or more");
  const double* r = rule.start.rotation;
  for (size_t i = 0; i < 3; ++i) {
    if (!(std::abs(rule.start.translation[i]) <= 1e9)) return wrong("Expected a finite translation to start with");
    for (size_t j = 0; j < 3; ++j) {
      const double dot = r[3 * i] * r[3 * j] + r[3 * i + 1] * r[3 * j + 1] + r[3 * i + 2] * r[3 * j + 2];
      if (!(std::abs(dot - (i == j ? 1 : 0)) < 1e-4)) return wrong("Expected a rotation to start with");
    }
  }
  const double determinant =
      r[0] * (r[4] * r[8] - r[5] * r[7]) - r[1] * (r[3] * r[8] - r[5] * r[6]) + r[2] * (r[3] * r[7] - r[4] * r[6]);
  return determinant > 0 ? Status() : wrong("Expected a rotation to start with, not a reflection");
}

}  // namespace

Result<IcpResult> register_clouds(const CloudView& source, const CloudView& target, const IcpRule& rule,
                                  Executor& executor, const CancelToken* token) {
  if (const Status good = check_rule(rule); !good.ok()) return good;
  if (target.normals == nullptr) return Status(Code::kInvalidArgument, "Expected normals of the target");
  for (const CloudView* cloud : {&source, &target}) {
    if (cloud->size < 3) return Status(Code::kNoSurface, "Fewer than three points cannot be registered");
    if (const Status good = check_cloud(*cloud, executor, token); !good.ok()) return good;
  }
  const Result<KdTree> tree = KdTree::build(target.positions, target.size, executor, token);
  if (!tree.ok()) return tree.status();
  Registration registration(tree.value(), target, rule, executor, token);
  const Status done = registration.run(source);
  if (!done.ok()) return done;
  return registration.result();
}

}  // namespace lineament
