#include "depth/align.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr size_t kMostCompared = 100000;
constexpr int kSteps = 12;  // of each loss
constexpr int kBand = 64;   // rows
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

struct Sample {
  double value, target, weight, depth;
};

struct Line {
  double scale = 0, shift = 0;
  double at(double value) const { return scale * value + shift; }
};

// Where pixel i of n lies on a grid of m: two places and the share of the second.
struct Between {
  size_t low, high;
  float share;

  Between(int i, int n, int m) {
    const double at = std::clamp((i + 0.5) * m / n - 0.5, 0.0, static_cast<double>(m - 1));
    low = static_cast<size_t>(at);
    high = std::min(low + 1, static_cast<size_t>(m - 1));
    share = static_cast<float>(at - static_cast<double>(low));
  }
};

float value_at(const RelativeDepth& relative, const Between& x, const Between& y) {
  const float* upper = relative.values + y.low * static_cast<size_t>(relative.width);
  const float* lower = relative.values + y.high * static_cast<size_t>(relative.width);
  const float a = upper[x.low] + x.share * (upper[x.high] - upper[x.low]);
  const float b = lower[x.low] + x.share * (lower[x.high] - lower[x.low]);
  return a + y.share * (b - a);
}

std::vector<Sample> common_pixels(const RelativeDepth& relative, const DepthMap& map) {
  size_t known = 0;
  for (size_t i = 0; i < map.size(); ++i) known += !std::isnan(map.depth[i]);
  const size_t every = std::max(size_t{1}, known / kMostCompared);
  std::vector<Sample> samples;
  size_t seen = 0;
  for (int y = 0; y < map.height; ++y) {
    const Between row(y, map.height, relative.height);
    for (int x = 0; x < map.width; ++x) {
      const size_t i = static_cast<size_t>(y) * static_cast<size_t>(map.width) + static_cast<size_t>(x);
      const double z = map.depth[i];
      if (std::isnan(z) || seen++ % every != 0) continue;
      const double value = value_at(relative, Between(x, map.width, relative.width), row);
      const double weight = map.confidence.empty() ? 1 : map.confidence[i];
      if (!std::isfinite(value) || !(weight > 0)) continue;
      samples.push_back({value, relative.kind == RelativeKind::kInverse ? 1 / z : z, weight, z});
    }
  }
  return samples;
}

// value = scale · target + shift: it is the values that err. False where one of them does not vary.
template <typename Weight>
bool fit(const std::vector<Sample>& samples, const Weight& weight, Line* line) {
  double sum = 0, x = 0, y = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double w = weight(i);
    sum += w;
    x += w * samples[i].target;
    y += w * samples[i].value;
  }
  if (!(sum > 0)) return false;
  x /= sum;
  y /= sum;
  double xx = 0, xy = 0, yy = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    const double w = weight(i), dx = samples[i].target - x, dy = samples[i].value - y;
    xx += w * dx * dx;
    xy += w * dx * dy;
    yy += w * dy * dy;
  }
  if (!(xx > 1e-12 * sum * x * x) || !(yy > 1e-12 * sum * y * y)) return false;
  *line = {xy / xx, y - xy / xx * x};
  return std::isfinite(line->scale) && std::isfinite(line->shift);
}

std::vector<double> residuals(const std::vector<Sample>& samples, const Line& line) {
  std::vector<double> off(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) off[i] = std::abs(samples[i].value - line.at(samples[i].target));
  return off;
}

// The standard deviation that a normal distribution with this median of absolute residuals has.
double spread_of(std::vector<double> off) {
  const auto middle = off.begin() + static_cast<std::ptrdiff_t>(off.size() / 2);
  std::nth_element(off.begin(), middle, off.end());
  return 1.4826 * *middle;
}

Status robust_fit(const std::vector<Sample>& samples, const CancelToken* token, Line* line, std::vector<bool>* kept) {
  const auto flat = [] { return Status(Code::kNoSurface, "One of the depths does not vary where both are known"); };
  if (!fit(
          samples, [&](size_t i) { return samples[i].weight; }, line))
    return flat();
  double floor = 0;  // keeps residuals of an exact fit from dividing by zero
  for (const Sample& sample : samples) floor = std::max(floor, 1e-9 * std::abs(sample.value));
  double spread = 0;
  for (int step = 0; step < 3 * kSteps; ++step) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    const std::vector<double> off = residuals(samples, *line);
    spread = std::max(floor, spread_of(off));
    const int loss = step / kSteps;
    const bool fitted = fit(
        samples,
        [&](size_t i) {
          const double r = off[i] / spread;
          if (loss == 0) return samples[i].weight / std::max(r, 1e-3);
          if (loss == 1) return samples[i].weight * std::min(1.0, 1.345 / std::max(r, 1e-12));
          const double rest = 1 - r * r / (4.685 * 4.685);
          return rest > 0 ? samples[i].weight * rest * rest : 0;
        },
        line);
    if (!fitted) return flat();
  }
  const std::vector<double> off = residuals(samples, *line);
  kept->resize(samples.size());
  for (size_t i = 0; i < samples.size(); ++i) (*kept)[i] = off[i] < 4.685 * spread;
  return Status();
}

}  // namespace

Status align_depth(const RelativeDepth& relative, const DepthMap& reference, const AlignOptions& options,
                   Executor& executor, const CancelToken* token, Alignment* out) {
  const Status checked = check_depth(reference);
  if (!checked.ok()) return checked;
  const bool sized = relative.width >= 1 && relative.height >= 1 && relative.width <= kMostDepthSide &&
                     relative.height <= kMostDepthSide;
  if (!sized || !(options.tolerance > 0) || !(options.near > 0) || !(options.far > options.near))
    return Status(Code::kInvalidArgument, "Expected sides, a tolerance and a range above zero");
  const std::vector<Sample> samples = common_pixels(relative, reference);
  if (samples.size() < kFewestToAlign) return Status(Code::kNoSurface, "Fewer than 64 pixels have both depths");
  Line line;
  std::vector<bool> kept;
  const Status fitted = robust_fit(samples, token, &line, &kept);
  if (!fitted.ok()) return fitted;
  if (!(line.scale > 0)) return Status(Code::kNoSurface, "The relative depth grows where the reference shrinks");
  line = {1 / line.scale, -line.shift / line.scale};

  const bool inverse = relative.kind == RelativeKind::kInverse;
  const auto depth_at = [&](double value) {
    const double z = inverse ? 1 / line.at(value) : line.at(value);
    return z >= options.near && z <= options.far ? static_cast<float>(z) : kNone;  // NaN: none
  };
  double agreement = 0, square = 0;
  size_t inliers = 0;
  const auto agreed = [&](double off) { return 1 / (1 + off * off / (options.tolerance * options.tolerance)); };
  for (size_t i = 0; i < samples.size(); ++i) {
    const double off = depth_at(samples[i].value) - samples[i].depth;
    agreement += std::isnan(off) ? 0 : agreed(off);
    if (!kept[i] || std::isnan(off)) continue;
    square += off * off;
    ++inliers;
  }
  const double count = static_cast<double>(samples.size());
  const auto elsewhere = static_cast<float>(agreement / count / 2);
  out->scale = line.scale;
  out->shift = line.shift;
  out->compared = samples.size();
  out->inliers = static_cast<double>(inliers) / count;
  out->rms = inliers == 0 ? 0 : std::sqrt(square / static_cast<double>(inliers));
  DepthMap& map = out->map;
  map.width = reference.width;
  map.height = reference.height;
  map.camera = reference.camera;
  map.depth.resize(map.size());
  map.confidence.resize(map.size());
  std::vector<Between> columns;
  for (int x = 0; x < map.width; ++x) columns.emplace_back(x, map.width, relative.width);
  return spread(executor, static_cast<size_t>((map.height + kBand - 1) / kBand), [&](size_t band) {
    const int end = std::min(map.height, (static_cast<int>(band) + 1) * kBand);
    for (int y = static_cast<int>(band) * kBand; y < end; ++y) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
      const Between row(y, map.height, relative.height);
      const size_t first = static_cast<size_t>(y) * static_cast<size_t>(map.width);
      for (size_t x = 0; x < columns.size(); ++x) {
        const float z = depth_at(value_at(relative, columns[x], row)), known = reference.depth[first + x];
        map.depth[first + x] = z;
        const float unsure = std::isnan(known) ? elsewhere : static_cast<float>(agreed(static_cast<double>(z) - known));
        map.confidence[first + x] = std::isnan(z) ? 0 : unsure;
      }
    }
    return Status();
  });
}

}  // namespace lineament
