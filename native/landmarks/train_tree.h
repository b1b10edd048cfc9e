// Grows one regression tree after another on the residuals of the samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/aligned.h"
#include "core/status.h"
#include "landmarks/shape_model.h"
#include "landmarks/train_kernels.h"
#include "landmarks/train_samples.h"
#include "landmarks/train_team.h"

namespace lineament {

// A tree is grown level by level, all samples at once and in their order. For each sample the outcomes of the tests of
// its node are gathered in codes of a few bits. A row of residuals is then added once for each code, not once for each
// test that it passes: the sums over the samples of a code give, by folding, the sums on the left of each test. Sums of
// a block of coordinates are one thread's work from the first sample to the last, so they do not depend on the number
// of threads.
class TreeGrower {
 public:
  Status make(TrainSamples* samples, Team* team, const ShapeTrainingOptions& options);

  // Picks the best of `tests` (test_splits for each node, breadth first) for each node, fills the tree's splits and
  // leaves as ShapeModel has them, and moves the samples on.
  void grow(const ShapeSplit* tests, ShapeSplit* splits, float* leaves);

  // Moves the samples on by a tree that is there already, exactly as grow() did.
  void replay(const ShapeSplit* splits, const float* leaves);

 private:
  struct Level {
    size_t nodes, bits, groups;
  };
  struct Choice {
    uint32_t test, left, right;  // the best test of the node, and how many samples go where
  };

  Level plan(size_t nodes) const;
  void mark(const Level& level, const ShapeSplit* tests, size_t chunk, uint8_t* inside);
  void test_apart(const Level& level, const ShapeSplit* tests, size_t begin, size_t end);
  void route(const Level& level, size_t begin, size_t end);
  void add_up(const Level& level, size_t block, size_t member);
  void count_up(const Level& level, size_t member);
  void choose(const Level& level, const ShapeSplit* tests, ShapeSplit* splits);
  void finish(float* leaves);

  const uint16_t* words(size_t group, size_t begin) const { return words_.data() + group * count_ + begin; }

  TrainSamples* samples_ = nullptr;
  Team* team_ = nullptr;
  const TrainKernels* kernels_ = nullptr;
  size_t count_ = 0, blocks_ = 0, depth_ = 0, tests_ = 0;
  float nu_ = 0;

  std::vector<Level> levels_;
  std::vector<uint16_t> node_;    // of each sample, within its level; in the end its leaf
  std::vector<uint8_t> codes_;    // groups × samples
  std::vector<uint16_t> words_;   // groups × samples: node << bits | code
  std::vector<Choice> choices_;   // of the level's nodes
  std::vector<uint32_t> lefts_;   // nodes × tests: samples on the left
  std::vector<uint32_t> totals_;  // nodes: samples
  std::vector<double> squares_;   // blocks × nodes × tests × 2: squared length of the sums on both sides
  std::vector<uint32_t> absent_;  // leaves × values
  AlignedBuffer<float> cells_;    // of each member
  size_t cells_of_member_ = 0;
  AlignedBuffer<float> left_sums_;              // blocks × nodes × tests rows
  AlignedBuffer<float> total_sums_;             // blocks × nodes rows
  AlignedBuffer<float> leaf_sums_;              // blocks × leaves rows
  std::vector<std::vector<uint8_t>> inside_;    // of each member: a chunk
  std::vector<std::vector<uint32_t>> tallies_;  // of each member: as many as cells
};

}  // namespace lineament
