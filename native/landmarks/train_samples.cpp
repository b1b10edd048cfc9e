#include "landmarks/train_samples.h"

#include <algorithm>
#include <cmath>

#include "landmarks/pixel_source.h"
#include "landmarks/train_random.h"

namespace lineament {
namespace {

constexpr uint64_t kStartShapes = 1;  // use of random numbers
constexpr int kMostMixed = 100;       // faces in a starting shape

// The turn and scale of least squares from the mean shape to a shape, as the predictor has it.
struct Turn {
  float a = 1, b = 0;
};

Turn turn_between(const std::vector<float>& from, const float* to) {
  const size_t values = from.size();
  if (values <= 2) return {};
  double fx = 0, fy = 0, tx = 0, ty = 0;
  for (size_t k = 0; k < values; k += 2) {
    fx += static_cast<double>(from[k]);
    fy += static_cast<double>(from[k + 1]);
    tx += static_cast<double>(to[k]);
    ty += static_cast<double>(to[k + 1]);
  }
  const double n = static_cast<double>(values / 2);
  double re = 0, im = 0, norm = 0;
  for (size_t k = 0; k < values; k += 2) {
    const double px = static_cast<double>(from[k]) - fx / n, py = static_cast<double>(from[k + 1]) - fy / n;
    const double qx = static_cast<double>(to[k]) - tx / n, qy = static_cast<double>(to[k + 1]) - ty / n;
    re += px * qx + py * qy;
    im += px * qy - py * qx;
    norm += px * px + py * py;
  }
  if (!(norm > 0)) return {};
  return {static_cast<float>(re / norm), static_cast<float>(im / norm)};
}

}  // namespace

Status TrainSamples::make(const ShapeTrainingSet& set, const ShapeTrainingOptions& options) {
  set_ = &set;
  faces_ = set.image_of.size();
  values_ = 2 * points_per_face(set);
  blocks_ = (values_ + kTrainLanes - 1) / kTrainLanes;
  count_ = faces_ * options.oversampling;
  stride_ = (count_ + 63) / 64 * 64;
  if (!residual_.reset(blocks_ * count_ * kTrainLanes) || !features_.reset(stride_ * options.feature_pool_size)) {
    return Status(Code::kOutOfMemory, "Out of memory for " + std::to_string(count_) +
                                          " training samples: take fewer faces or less oversampling");
  }
  truth_.assign(faces_ * values_, 0);
  missing_of_.assign(1, 0);
  std::vector<double> sums(values_, 0);
  std::vector<size_t> hits(values_, 0);
  for (size_t face = 0; face < faces_; ++face) {
    const double* box = set.boxes.data() + 4 * face;
    const double* point = set.points.data() + values_ * face;
    for (size_t k = 0; k < values_; ++k) {
      if (std::isnan(point[k | 1]) || std::isnan(point[k & ~size_t{1}])) {
        missing_.push_back(static_cast<uint32_t>(k));
        continue;
      }
      const double unit = (point[k] - box[k % 2] - 0.5) / (box[2 + k % 2] - 1);
      truth_[face * values_ + k] = static_cast<float>(unit);
      sums[k] += unit;
      ++hits[k];
    }
    missing_of_.push_back(missing_.size());
  }
  mean_.resize(values_);
  for (size_t k = 0; k < values_; ++k) mean_[k] = static_cast<float>(sums[k] / static_cast<double>(hits[k]));
  start_shapes(options);
  return Status();
}

// As dlib does: the mean shape itself, and mixtures of at least two faces drawn at random, until every point was met.
void TrainSamples::start_shapes(const ShapeTrainingOptions& options) {
  Random random(options.seed, kStartShapes, 0);
  loose_.resize(options.oversampling * missing_.size());
  std::vector<double> shape(values_), weight(values_);
  std::vector<uint8_t> absent(values_);
  for (size_t sample = 0; sample < count_; ++sample) {
    const size_t face = sample % faces_, turn = sample / faces_;
    if (turn == 0) {
      std::copy(mean_.begin(), mean_.end(), shape.begin());
    } else {
      std::fill(shape.begin(), shape.end(), 0);
      std::fill(weight.begin(), weight.end(), 0);
      for (int mixed = 0; mixed < kMostMixed; ++mixed) {
        if (mixed >= 2 && *std::min_element(weight.begin(), weight.end()) > 0) break;
        const size_t other = random.below(static_cast<uint32_t>(faces_));
        const double share = random.unit() + 0.1;
        size_t gap = missing_of_[other];
        for (size_t k = 0; k < values_; ++k) {
          if (gap < missing_of_[other + 1] && missing_[gap] == k) {
            ++gap;
            continue;
          }
          shape[k] += share * static_cast<double>(truth_[other * values_ + k]);
          weight[k] += share;
        }
      }
      const double jitter = options.oversampling_translation_jitter;
      const double shift[2] = {random.between(-jitter, jitter), random.between(-jitter, jitter)};
      for (size_t k = 0; k < values_; ++k) {
        shape[k] = (weight[k] > 0 ? shape[k] / weight[k] : static_cast<double>(mean_[k])) + shift[k % 2];
      }
    }
    size_t gap = missing_of_[face];
    for (size_t k = 0; k < blocks_ * kTrainLanes; ++k) {
      float* to = residual(k / kTrainLanes) + sample * kTrainLanes + k % kTrainLanes;
      *to = 0;
      if (k >= values_) continue;
      if (gap < missing_of_[face + 1] && missing_[gap] == k) {
        loose_[turn * missing_.size() + gap++] = static_cast<float>(shape[k]);
      } else {
        *to = truth_[face * values_ + k] - static_cast<float>(shape[k]);
      }
    }
  }
}

void TrainSamples::shape_of(size_t sample, float* shape) const {
  const size_t face = sample % faces_, turn = sample / faces_;
  const float* truth = truth_.data() + face * values_;
  for (size_t k = 0; k < values_; ++k) {
    shape[k] = truth[k] - residual_[((k / kTrainLanes) * count_ + sample) * kTrainLanes + k % kTrainLanes];
  }
  for (size_t gap = missing_of_[face]; gap < missing_of_[face + 1]; ++gap) {
    shape[missing_[gap]] = loose_[turn * missing_.size() + gap];
  }
}

void TrainSamples::look(const ShapeModel& model, size_t cascade, Team* team) {
  constexpr size_t kTile = 64;  // samples whose values are written to a column at once
  const size_t features = model.features;
  const uint16_t* anchors = model.anchors.data() + cascade * features;
  const float* deltas = model.deltas.data() + 2 * cascade * features;
  std::vector<std::vector<float>> shapes(team->size(), std::vector<float>(values_));
  std::vector<std::vector<uint8_t>> tiles(team->size(), std::vector<uint8_t>(kTile * features));
  team->run((count_ + kTile - 1) / kTile, [&](size_t item, size_t member) {
    float* shape = shapes[member].data();
    uint8_t* tile = tiles[member].data();
    const size_t begin = item * kTile, end = std::min(begin + kTile, count_);
    for (size_t sample = begin; sample < end; ++sample) {
      shape_of(sample, shape);
      const Turn turn = turn_between(mean_, shape);
      const double* box = set_->boxes.data() + 4 * (sample % faces_);
      uint8_t* out = tile + (sample - begin) * features;
      with_pixel_source(set_->images[set_->image_of[sample % faces_]], false, [&](const auto& source) {
        for (size_t f = 0; f < features; ++f) {
          const float dx = deltas[2 * f], dy = deltas[2 * f + 1];
          const float* anchor = shape + 2 * size_t{anchors[f]};
          const float x = turn.a * dx - turn.b * dy + anchor[0];
          const float y = turn.b * dx + turn.a * dy + anchor[1];
          out[f] = static_cast<uint8_t>(source.at(std::floor(static_cast<double>(x) * (box[2] - 1) + box[0] + 0.5),
                                                  std::floor(static_cast<double>(y) * (box[3] - 1) + box[1] + 0.5)));
        }
      });
    }
    for (size_t f = 0; f < features; ++f) {
      uint8_t* column = features_.data() + f * stride_ + begin;
      for (size_t i = 0; i < end - begin; ++i) column[i] = tile[i * features + f];
    }
  });
}

void TrainSamples::advance(const uint16_t* leaf_of, const float* leaves, size_t leaf_count, const TrainKernels& kernels,
                           Team* team) {
  team->run(chunks(), [&](size_t chunk, size_t) {
    const size_t begin = chunk * kChunk, end = std::min(begin + kChunk, count_);
    for (size_t block = 0; block < blocks_; ++block) {
      kernels.subtract(residual(block) + begin * kTrainLanes, leaf_of + begin,
                       leaves + block * leaf_count * kTrainLanes, end - begin);
    }
    if (missing_.empty()) return;
    for (size_t sample = begin; sample < end; ++sample) {
      const size_t face = sample % faces_, turn = sample / faces_;
      for (size_t gap = missing_of_[face]; gap < missing_of_[face + 1]; ++gap) {
        const size_t k = missing_[gap];
        float* moved = residual(k / kTrainLanes) + sample * kTrainLanes + k % kTrainLanes;
        loose_[turn * missing_.size() + gap] -= *moved;
        *moved = 0;
      }
    }
  });
}

void TrainSamples::count_absent(const uint16_t* leaf_of, std::vector<uint32_t>* absent) const {
  std::fill(absent->begin(), absent->end(), 0);
  for (size_t sample = 0; sample < count_; ++sample) {
    const size_t face = sample % faces_;
    uint32_t* of_leaf = absent->data() + leaf_of[sample] * values_;
    for (size_t gap = missing_of_[face]; gap < missing_of_[face + 1]; ++gap) ++of_leaf[missing_[gap]];
  }
}

double TrainSamples::error(Team* team) const {
  std::vector<double> sums(chunks(), 0);
  team->run(chunks(), [&](size_t chunk, size_t) {
    const size_t begin = chunk * kChunk, end = std::min(begin + kChunk, count_);
    double sum = 0;
    for (size_t block = 0; block < blocks_; ++block) {
      const float* row = residual_.data() + (block * count_ + begin) * kTrainLanes;
      for (const float* last = row + (end - begin) * kTrainLanes; row < last; row += 2) {
        sum += static_cast<double>(std::sqrt(row[0] * row[0] + row[1] * row[1]));
      }
    }
    sums[chunk] = sum;
  });
  double sum = 0;
  for (const double one : sums) sum += one;
  const size_t annotated = (faces_ * values_ - missing_.size()) / 2 * (count_ / faces_);
  return sum / static_cast<double>(annotated);
}

}  // namespace lineament
