// The pixels that a cascade may look at, and random splits made of pairs of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "landmarks/shape_model.h"
#include "landmarks/train.h"

namespace lineament {

// Where pixels are taken, in the unit frame.
struct TrainRegion {
  double left, top, right, bottom;
  // Around the mean shape, and the box where options ask for it, with padding.
  static TrainRegion of(const std::vector<float>& mean, const ShapeTrainingOptions& options);
};

// Immutable after draw(): const members are thread-safe.
class TrainPool {
 public:
  // Draws the pixels of a cascade, uniform in the region, and appends them to the model's anchors and deltas: each
  // moves with the landmark of model->initial that is nearest to it.
  void draw(const TrainRegion& region, const ShapeTrainingOptions& options, size_t cascade, ShapeModel* model);

  // Random splits for a tree of a cascade, `count` of them: pairs with probability ~ exp(−distance / lambda),
  // thresholds uniform in [−64, 64).
  void splits(const ShapeTrainingOptions& options, size_t cascade, size_t tree, size_t count, ShapeSplit* out) const;

 private:
  size_t size_ = 0;
  std::vector<float> pairs_;  // size × size: weights of partners, added up along a row
  std::vector<double> rows_;  // weights of rows, added up
};

}  // namespace lineament
