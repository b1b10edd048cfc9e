#include "landmarks/train_pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "landmarks/train_random.h"

namespace lineament {
namespace {

constexpr uint64_t kPixels = 2, kSplits = 3;  // uses of random numbers

}  // namespace

TrainRegion TrainRegion::of(const std::vector<float>& mean, const ShapeTrainingOptions& options) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  TrainRegion region{kFar, kFar, -kFar, -kFar};
  for (size_t k = 0; k + 1 < mean.size(); k += 2) {
    const auto x = static_cast<double>(mean[k]), y = static_cast<double>(mean[k + 1]);
    region = {std::min(region.left, x), std::min(region.top, y), std::max(region.right, x), std::max(region.bottom, y)};
  }
  if (options.box_padding) {
    region = {std::min(region.left, 0.0), std::min(region.top, 0.0), std::max(region.right, 1.0),
              std::max(region.bottom, 1.0)};
  }
  const double padding = options.feature_pool_region_padding;
  return {region.left - padding, region.top - padding, region.right + padding, region.bottom + padding};
}

void TrainPool::draw(const TrainRegion& region, const ShapeTrainingOptions& options, size_t cascade,
                     ShapeModel* model) {
  Random random(options.seed, kPixels, cascade);
  size_ = options.feature_pool_size;
  std::vector<float> pixels(2 * size_);
  for (size_t i = 0; i < size_; ++i) {
    pixels[2 * i] = static_cast<float>(random.between(region.left, region.right));
    pixels[2 * i + 1] = static_cast<float>(random.between(region.top, region.bottom));
  }
  const std::vector<float>& mean = model->initial;
  for (size_t i = 0; i < size_; ++i) {
    size_t nearest = 0;
    float least = std::numeric_limits<float>::infinity();
    for (size_t k = 0; k < mean.size(); k += 2) {
      const float dx = mean[k] - pixels[2 * i], dy = mean[k + 1] - pixels[2 * i + 1];
      if (dx * dx + dy * dy < least) {
        least = dx * dx + dy * dy;
        nearest = k;
      }
    }
    model->anchors.push_back(static_cast<uint16_t>(nearest / 2));
    model->deltas.push_back(pixels[2 * i] - mean[nearest]);
    model->deltas.push_back(pixels[2 * i + 1] - mean[nearest + 1]);
  }

  // Distances first, then weights relative to the nearest pair's, so that a small lambda does not make all of them
  // zero.
  pairs_.resize(size_ * size_);
  float nearest = std::numeric_limits<float>::infinity();
  for (size_t i = 0; i < size_; ++i) {
    for (size_t j = 0; j < size_; ++j) {
      const float dx = pixels[2 * i] - pixels[2 * j], dy = pixels[2 * i + 1] - pixels[2 * j + 1];
      pairs_[i * size_ + j] = std::sqrt(dx * dx + dy * dy);
      if (i != j) nearest = std::min(nearest, pairs_[i * size_ + j]);
    }
  }
  rows_.resize(size_);
  const auto lambda = static_cast<float>(options.lambda);
  double all = 0;
  for (size_t i = 0; i < size_; ++i) {
    float sum = 0;
    for (size_t j = 0; j < size_; ++j) {
      float& pair = pairs_[i * size_ + j];
      if (i != j) sum += std::exp((nearest - pair) / lambda);
      pair = sum;
    }
    all += static_cast<double>(sum);
    rows_[i] = all;
  }
}

void TrainPool::splits(const ShapeTrainingOptions& options, size_t cascade, size_t tree, size_t count,
                       ShapeSplit* out) const {
  Random random(options.seed, kSplits, cascade * options.trees_per_cascade + tree);
  for (size_t i = 0; i < count; ++i) {
    // Sums are taken up to the first that exceeds a number below the total; rows and partners of weight 0 never do.
    const double of_rows = random.unit() * rows_.back();
    size_t first = static_cast<size_t>(std::upper_bound(rows_.begin(), rows_.end(), of_rows) - rows_.begin());
    first = std::min(first, size_ - 1);
    const auto row = pairs_.begin() + static_cast<std::ptrdiff_t>(first * size_);
    const float of_pairs = static_cast<float>(random.unit()) * row[static_cast<std::ptrdiff_t>(size_ - 1)];
    size_t second =
        static_cast<size_t>(std::upper_bound(row, row + static_cast<std::ptrdiff_t>(size_), of_pairs) - row);
    if (second >= size_ || second == first) second = first + 1 < size_ ? first + 1 : first - 1;  // rounding at the end
    out[i] = {static_cast<uint16_t>(first), static_cast<uint16_t>(second), static_cast<float>(random.between(-64, 64))};
  }
}

}  // namespace lineament
