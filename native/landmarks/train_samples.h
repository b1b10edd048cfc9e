// The state of training: what each sample still lacks, and the pixels that it sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/aligned.h"
#include "core/status.h"
#include "landmarks/shape_model.h"
#include "landmarks/train.h"
#include "landmarks/train_kernels.h"
#include "landmarks/train_team.h"

namespace lineament {

// A sample is a face with a starting shape. Sample s belongs to face s % faces: neighbours differ, so that sums over
// consecutive samples seldom wait for each other.
//
// Coordinates are cut into blocks of kTrainLanes; residual holds one block of all samples after the other. The current
// shape of a sample is truth − residual. Where a point is not annotated its residual stays 0 and the current coordinate
// is kept in `loose`.
class TrainSamples {
 public:
  // `set` has passed check_shape_training() and outlives this. Draws the starting shapes.
  Status make(const ShapeTrainingSet& set, const ShapeTrainingOptions& options);

  const std::vector<float>& mean() const { return mean_; }
  size_t count() const { return count_; }
  size_t values() const { return values_; }
  size_t blocks() const { return blocks_; }
  // Samples that are handed to a thread at once.
  static constexpr size_t kChunk = 512;
  size_t chunks() const { return (count_ + kChunk - 1) / kChunk; }

  // Column of pixel values, one for each sample, of feature f.
  const uint8_t* feature(size_t f) const { return features_.data() + f * stride_; }
  float* residual(size_t block) { return residual_.data() + block * count_ * kTrainLanes; }

  // Looks up the pixels of a cascade for the current shapes.
  void look(const ShapeModel& model, size_t cascade, Team* team);

  // Adds the leaf that each sample ended in to its shape. leaves: blocks × leaf_count × kTrainLanes floats.
  void advance(const uint16_t* leaf_of, const float* leaves, size_t leaf_count, const TrainKernels& kernels,
               Team* team);

  bool all_annotated() const { return missing_.empty(); }
  // absent[leaf × values + k] = how many samples of the leaf lack coordinate k.
  void count_absent(const uint16_t* leaf_of, std::vector<uint32_t>* absent) const;

  // Mean distance between points and truth over all samples and annotated points, in the unit frame.
  double error(Team* team) const;

 private:
  void start_shapes(const ShapeTrainingOptions& options);
  void shape_of(size_t sample, float* shape) const;

  const ShapeTrainingSet* set_ = nullptr;
  size_t faces_ = 0, count_ = 0, stride_ = 0, values_ = 0, blocks_ = 0;
  std::vector<float> mean_;
  std::vector<float> truth_;        // faces × values, 0 where not annotated
  std::vector<uint32_t> missing_;   // coordinates, face after face
  std::vector<size_t> missing_of_;  // faces + 1: where those of a face begin
  std::vector<float> loose_;        // oversampling × missing_
  AlignedBuffer<float> residual_;
  AlignedBuffer<uint8_t> features_;
};

}  // namespace lineament
