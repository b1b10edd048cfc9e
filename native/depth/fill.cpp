#include "depth/fill.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr double kResidual = 1e-10;

// Pixels without depth that lie side by side in one row.
struct Run {
  int y, x0, x1;  // one past the last
  uint32_t hole;  // another run of the same hole; its own number for the first
};

struct Hole {
  size_t pixels = 0;
  bool open = false;           // reaches the border
  std::vector<uint32_t> runs;  // in the order of rows
};

uint32_t first_of(std::vector<Run>& runs, uint32_t i) {
  while (runs[i].hole != i) i = runs[i].hole = runs[runs[i].hole].hole;
  return i;
}

// Connected components by runs: each run joins those above it that it touches.
std::vector<Run> find_runs(const DepthMap& map) {
  std::vector<Run> runs;
  size_t above = 0, above_end = 0;
  for (int y = 0; y < map.height; ++y) {
    const float* row = map.depth.data() + static_cast<size_t>(y) * static_cast<size_t>(map.width);
    const size_t begin = runs.size();
    for (int x = 0; x < map.width;) {
      if (!std::isnan(row[x])) {
        ++x;
        continue;
      }
      const int from = x;
      while (x < map.width && std::isnan(row[x])) ++x;
      const auto number = static_cast<uint32_t>(runs.size());
      runs.push_back({y, from, x, number});
      while (above < above_end && runs[above].x1 <= from) ++above;
      for (size_t other = above; other < above_end && runs[other].x0 < x; ++other) {
        const uint32_t a = first_of(runs, static_cast<uint32_t>(other)), b = first_of(runs, number);
        runs[std::max(a, b)].hole = std::min(a, b);
      }
    }
    above = begin;
    above_end = runs.size();
  }
  return runs;
}

std::vector<Hole> find_holes(const DepthMap& map, std::vector<Run>& runs) {
  std::vector<Hole> holes;
  std::vector<uint32_t> number(runs.size(), kNone);
  for (uint32_t i = 0; i < runs.size(); ++i) {
    const uint32_t first = first_of(runs, i);
    if (number[first] == kNone) {
      number[first] = static_cast<uint32_t>(holes.size());
      holes.emplace_back();
    }
    Hole& hole = holes[number[first]];
    const Run& run = runs[i];
    hole.pixels += static_cast<size_t>(run.x1 - run.x0);
    hole.open |= run.y == 0 || run.y == map.height - 1 || run.x0 == 0 || run.x1 == map.width;
    hole.runs.push_back(i);
  }
  return holes;
}

// The Laplace equation on the pixels of one hole.
class Membrane {
 public:
  Membrane(const DepthMap& map, const std::vector<Run>& runs, const Hole& hole) : stride_(map.width) {
    pixels_.reserve(hole.pixels);
    for (const uint32_t i : hole.runs) {
      for (int x = runs[i].x0; x < runs[i].x1; ++x)
        pixels_.push_back(static_cast<size_t>(runs[i].y) * static_cast<size_t>(stride_) + static_cast<size_t>(x));
    }
    beside_.resize(4 * pixels_.size());
    sum_.assign(pixels_.size(), 0);
    for (size_t i = 0; i < pixels_.size(); ++i) {
      const size_t at = pixels_[i], stride = static_cast<size_t>(stride_);
      const size_t around[4] = {at - stride, at - 1, at + 1, at + stride};
      for (int k = 0; k < 4; ++k) {
        const float z = map.depth[around[k]];
        if (std::isnan(z)) {
          const auto found = std::lower_bound(pixels_.begin(), pixels_.end(), around[k]);
          beside_[4 * i + static_cast<size_t>(k)] = static_cast<uint32_t>(found - pixels_.begin());
        } else {
          beside_[4 * i + static_cast<size_t>(k)] = kNone;
          sum_[i] += 1.0 / z;
          near_ = std::min<double>(near_, z);
          far_ = std::max<double>(far_, z);
          if (!map.confidence.empty()) confidence_ += map.confidence[around[k]];
          ++rim_;
        }
      }
    }
  }

  double span() const { return far_ - near_; }
  float confidence() const { return static_cast<float>(0.5 * confidence_ / static_cast<double>(rim_)); }
  const std::vector<size_t>& pixels() const { return pixels_; }

  // 4 u − Σ neighbours inside = Σ neighbours on the rim.
  Status solve(const CancelToken* token, std::vector<double>* u) const {
    const size_t n = pixels_.size();
    const double rim = std::accumulate(sum_.begin(), sum_.end(), 0.0) / static_cast<double>(rim_);
    u->assign(n, rim);
    std::vector<double> r(n), p, q(n);
    multiply(*u, &q);
    for (size_t i = 0; i < n; ++i) r[i] = sum_[i] - q[i];
    p = r;
    double rr = product(r, r);
    const double enough = kResidual * kResidual * product(sum_, sum_);
    for (size_t step = 0; step < 4 * n && rr > enough; ++step) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
      multiply(p, &q);
      const double alpha = rr / product(p, q);
      for (size_t i = 0; i < n; ++i) {
        (*u)[i] += alpha * p[i];
        r[i] -= alpha * q[i];
      }
      const double next = product(r, r);
      for (size_t i = 0; i < n; ++i) p[i] = r[i] + next / rr * p[i];
      rr = next;
    }
    return Status();
  }

 private:
  static double product(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
  }
  void multiply(const std::vector<double>& u, std::vector<double>* out) const {
    for (size_t i = 0; i < u.size(); ++i) {
      double sum = 4 * u[i];
      for (size_t k = 0; k < 4; ++k) {
        const uint32_t other = beside_[4 * i + k];
        if (other != kNone) sum -= u[other];
      }
      (*out)[i] = sum;
    }
  }

  int stride_;
  std::vector<size_t> pixels_;
  std::vector<uint32_t> beside_;
  std::vector<double> sum_;
  double near_ = HUGE_VAL, far_ = 0, confidence_ = 0;
  size_t rim_ = 0;
};

}  // namespace

Status fill_depth(DepthMap* map, const FillOptions& options, Executor& executor, const CancelToken* token,
                  size_t* filled) {
  *filled = 0;
  if (!(options.most_span > 0)) return Status(Code::kInvalidArgument, "Expected a span above zero");
  const Status checked = check_depth(*map);
  if (!checked.ok()) return checked;
  std::vector<Run> runs = find_runs(*map);
  std::vector<Hole> holes = find_holes(*map, runs);
  std::erase_if(holes, [&](const Hole& hole) { return hole.open || hole.pixels > options.most_pixels; });
  std::vector<size_t> counts(holes.size());
  // A hole's rim belongs to it and is not changed: holes do not touch by sides.
  const Status done = spread(executor, holes.size(), [&](size_t i) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    const Membrane membrane(*map, runs, holes[i]);
    if (membrane.span() > options.most_span) return Status();
    std::vector<double> reciprocal;
    const Status solved = membrane.solve(token, &reciprocal);
    if (!solved.ok()) return solved;
    for (size_t k = 0; k < reciprocal.size(); ++k) {
      map->depth[membrane.pixels()[k]] = static_cast<float>(1 / reciprocal[k]);
      if (!map->confidence.empty()) map->confidence[membrane.pixels()[k]] = membrane.confidence();
    }
    counts[i] = reciprocal.size();
    return Status();
  });
  *filled = std::accumulate(counts.begin(), counts.end(), size_t{0});
  return done;
}

}  // namespace lineament
