#include "landmarks/train_tree.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lineament {
namespace {

// Bytes of cells that one pass over the residuals may touch: measured; beyond a core's first cache, within its second.
constexpr size_t kMostCells = 64 * 1024;
// Nodes up to which each test looks at all samples, with the processor's wide registers; beyond, each sample looks at
// the tests of its node.
constexpr size_t kMostWideNodes = 32;

// The least whole difference above a threshold.
int least_above(float threshold) { return static_cast<int>(std::floor(threshold)) + 1; }

}  // namespace

TreeGrower::Level TreeGrower::plan(size_t nodes) const {
  Level best{nodes, 1, tests_};
  double least = std::numeric_limits<double>::infinity();
  for (size_t bits = 1; bits <= std::min(kTrainBits, tests_); ++bits) {
    const size_t groups = (tests_ + bits - 1) / bits;
    const size_t cells = nodes << bits;
    const size_t bytes = cells * std::min(groups, kTrainGroups) * kTrainLanes * sizeof(float);
    if (bits > 1 && (bytes > kMostCells || cells > 65536)) break;
    const double cost = static_cast<double>(groups) * (static_cast<double>(count_) + 3 * static_cast<double>(cells));
    if (cost < least) {
      least = cost;
      best = {nodes, bits, groups};
    }
  }
  return best;
}

Status TreeGrower::make(TrainSamples* samples, Team* team, const ShapeTrainingOptions& options) {
  samples_ = samples;
  team_ = team;
  kernels_ = &train_kernels();
  count_ = samples->count();
  blocks_ = samples->blocks();
  depth_ = options.tree_depth;
  tests_ = options.test_splits;
  nu_ = static_cast<float>(options.nu);
  size_t groups = 0;
  for (size_t depth = 0; depth < depth_; ++depth) {
    levels_.push_back(plan(size_t{1} << depth));
    const Level& level = levels_.back();
    groups = std::max(groups, level.groups);
    cells_of_member_ = std::max(cells_of_member_, (level.nodes << level.bits) * std::min(level.groups, kTrainGroups));
  }
  const size_t nodes = size_t{1} << (depth_ - 1);
  node_.resize(count_);
  codes_.resize(groups * count_);
  words_.resize(groups * count_);
  choices_.resize(nodes);
  lefts_.resize(nodes * tests_);
  totals_.resize(nodes);
  squares_.resize(blocks_ * nodes * tests_ * 2);
  absent_.resize(samples->all_annotated() ? 0 : 2 * nodes * samples->values());
  inside_.assign(team->size(), std::vector<uint8_t>(TrainSamples::kChunk, 255));
  tallies_.assign(team->size(), std::vector<uint32_t>(cells_of_member_));
  if (!cells_.reset(team->size() * cells_of_member_ * kTrainLanes) ||
      !left_sums_.reset(blocks_ * nodes * tests_ * kTrainLanes) || !total_sums_.reset(blocks_ * nodes * kTrainLanes) ||
      !leaf_sums_.reset(blocks_ * 2 * nodes * kTrainLanes)) {
    return Status(Code::kOutOfMemory, "Out of memory for a tree: take a smaller depth or fewer test splits");
  }
  return Status();
}

// Outcomes of the level's tests for the samples of a chunk.
void TreeGrower::mark(const Level& level, const ShapeSplit* tests, size_t chunk, uint8_t* inside) {
  const size_t begin = chunk * TrainSamples::kChunk, end = std::min(begin + TrainSamples::kChunk, count_);
  const size_t size = end - begin;
  const uint16_t* node = node_.data() + begin;
  for (size_t g = 0; g < level.groups; ++g) std::fill_n(codes_.data() + g * count_ + begin, size, uint8_t{0});
  if (level.nodes > kMostWideNodes) {
    test_apart(level, tests, begin, end);
  } else {
    for (size_t n = 0; n < level.nodes; ++n) {
      for (size_t i = 0; i < size; ++i) inside[i] = node[i] == n ? 255 : 0;
      for (size_t t = 0; t < tests_; ++t) {
        const ShapeSplit& test = tests[n * tests_ + t];
        kernels_->test(samples_->feature(test.first) + begin, samples_->feature(test.second) + begin, inside,
                       least_above(test.threshold), static_cast<uint8_t>(1u << (t % level.bits)), size,
                       codes_.data() + t / level.bits * count_ + begin);
      }
    }
  }
  for (size_t g = 0; g < level.groups; ++g) {
    const uint8_t* code = codes_.data() + g * count_ + begin;
    uint16_t* word = words_.data() + g * count_ + begin;
    for (size_t i = 0; i < size; ++i) word[i] = static_cast<uint16_t>(node[i] << level.bits | code[i]);
  }
}

void TreeGrower::test_apart(const Level& level, const ShapeSplit* tests, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    const ShapeSplit* own = tests + size_t{node_[i]} * tests_;
    for (size_t t = 0; t < tests_; ++t) {
      const int difference = samples_->feature(own[t].first)[i] - samples_->feature(own[t].second)[i];
      const bool left = static_cast<float>(difference) > own[t].threshold;
      codes_[t / level.bits * count_ + i] |= static_cast<uint8_t>(left ? 1u << (t % level.bits) : 0u);
    }
  }
}

// Sends samples to the children of their nodes, by the level's choices.
void TreeGrower::route(const Level& level, size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    const size_t node = node_[i], test = choices_[node].test;
    const bool left = (words_[test / level.bits * count_ + i] >> (test % level.bits) & 1) != 0;
    node_[i] = static_cast<uint16_t>(2 * node + (left ? 0 : 1));
  }
}

// Sums of residuals, for one block of coordinates.
void TreeGrower::add_up(const Level& level, size_t block, size_t member) {
  const size_t cells_of_node = size_t{1} << level.bits, cells_of_group = level.nodes * cells_of_node;
  float* cells = cells_.data() + member * cells_of_member_ * kTrainLanes;
  float* left = left_sums_.data() + block * level.nodes * tests_ * kTrainLanes;
  float* total = total_sums_.data() + block * level.nodes * kTrainLanes;
  alignas(64) float folded[kTrainBits * kTrainLanes], whole[kTrainLanes];
  for (size_t first = 0; first < level.groups; first += kTrainGroups) {
    const size_t groups = std::min(kTrainGroups, level.groups - first);
    const uint16_t* word[kTrainGroups] = {};
    float* cell[kTrainGroups] = {};
    for (size_t g = 0; g < groups; ++g) {
      word[g] = words(first + g, 0);
      cell[g] = cells + g * cells_of_group * kTrainLanes;
    }
    std::fill_n(cells, groups * cells_of_group * kTrainLanes, 0.0f);
    kernels_->add(samples_->residual(block), word, cell, groups, count_);
    for (size_t g = 0; g < groups; ++g) {
      const size_t test = (first + g) * level.bits, bits = std::min(level.bits, tests_ - test);
      for (size_t n = 0; n < level.nodes; ++n) {
        kernels_->fold(cell[g] + n * cells_of_node * kTrainLanes, bits, folded, whole);
        std::copy_n(folded, bits * kTrainLanes, left + (n * tests_ + test) * kTrainLanes);
        if (test == 0) std::copy_n(whole, kTrainLanes, total + n * kTrainLanes);
      }
    }
  }
  // Squared lengths, lane by lane so that compilers keep them in wide registers.
  double* squares = squares_.data() + block * level.nodes * tests_ * 2;
  for (size_t n = 0; n < level.nodes; ++n) {
    for (size_t t = 0; t < tests_; ++t) {
      const float* l = left + (n * tests_ + t) * kTrainLanes;
      const float* all = total + n * kTrainLanes;
      float on_left[kTrainLanes], on_right[kTrainLanes];
      for (size_t k = 0; k < kTrainLanes; ++k) {
        const float r = all[k] - l[k];
        on_left[k] = l[k] * l[k];
        on_right[k] = r * r;
      }
      double sum_left = 0, sum_right = 0;
      for (size_t k = 0; k < kTrainLanes; ++k) {
        sum_left += static_cast<double>(on_left[k]);
        sum_right += static_cast<double>(on_right[k]);
      }
      *squares++ = sum_left;
      *squares++ = sum_right;
    }
  }
}

// The same for the number of samples.
void TreeGrower::count_up(const Level& level, size_t member) {
  const size_t cells = level.nodes << level.bits;
  uint32_t* tally = tallies_[member].data();
  for (size_t g = 0; g < level.groups; ++g) {
    std::fill_n(tally, cells, 0u);
    const uint16_t* word = words(g, 0);
    for (size_t i = 0; i < count_; ++i) ++tally[word[i]];
    const size_t test = g * level.bits, bits = std::min(level.bits, tests_ - test);
    for (size_t n = 0; n < level.nodes; ++n) {
      uint32_t* of_node = tally + (n << level.bits);
      for (size_t bit = bits; bit-- > 0;) {
        uint32_t sum = 0;
        for (size_t c = 0; c < size_t{1} << bit; ++c) {
          sum += of_node[c + (size_t{1} << bit)];
          of_node[c] += of_node[c + (size_t{1} << bit)];
        }
        lefts_[n * tests_ + test + bit] = sum;
      }
      if (g == 0) totals_[n] = of_node[0];
    }
  }
}

// The test that leaves the least squared error, which is the one with the longest sums for their number of samples.
void TreeGrower::choose(const Level& level, const ShapeSplit* tests, ShapeSplit* splits) {
  for (size_t n = 0; n < level.nodes; ++n) {
    double best = -1;
    Choice choice{0, lefts_[n * tests_], totals_[n] - lefts_[n * tests_]};
    for (size_t t = 0; t < tests_; ++t) {
      const uint32_t left = lefts_[n * tests_ + t], right = totals_[n] - left;
      if (left == 0 || right == 0) continue;
      double sum_left = 0, sum_right = 0;
      for (size_t block = 0; block < blocks_; ++block) {
        const double* pair = squares_.data() + ((block * level.nodes + n) * tests_ + t) * 2;
        sum_left += pair[0];
        sum_right += pair[1];
      }
      const double score = sum_left / left + sum_right / right;
      if (score > best) {
        best = score;
        choice = {static_cast<uint32_t>(t), left, right};
      }
    }
    choices_[n] = choice;
    splits[n] = tests[n * tests_ + choice.test];
  }
}

// Turns the sums of the last level into leaves: their mean, times nu. Coordinates that no sample of a leaf has stay.
void TreeGrower::finish(float* leaves) {
  const Level& last = levels_.back();
  const size_t leaf_count = 2 * last.nodes, values = samples_->values();
  if (!samples_->all_annotated()) samples_->count_absent(node_.data(), &absent_);
  for (size_t block = 0; block < blocks_; ++block) {
    for (size_t n = 0; n < last.nodes; ++n) {
      const Choice& choice = choices_[n];
      const float* left = left_sums_.data() + ((block * last.nodes + n) * tests_ + choice.test) * kTrainLanes;
      const float* total = total_sums_.data() + (block * last.nodes + n) * kTrainLanes;
      for (size_t side = 0; side < 2; ++side) {
        const size_t leaf = 2 * n + side;
        const uint32_t samples = side == 0 ? choice.left : choice.right;
        float* out = leaf_sums_.data() + (block * leaf_count + leaf) * kTrainLanes;
        for (size_t lane = 0; lane < kTrainLanes; ++lane) {
          const size_t k = block * kTrainLanes + lane;
          out[lane] = 0;
          if (k >= values) continue;
          const uint32_t present = samples - (absent_.empty() ? 0 : absent_[leaf * values + k]);
          const float sum = side == 0 ? left[lane] : total[lane] - left[lane];
          if (present > 0) out[lane] = nu_ * sum / static_cast<float>(present);
          leaves[leaf * values + k] = out[lane];
        }
      }
    }
  }
  samples_->advance(node_.data(), leaf_sums_.data(), leaf_count, *kernels_, team_);
}

void TreeGrower::grow(const ShapeSplit* tests, ShapeSplit* splits, float* leaves) {
  std::fill(node_.begin(), node_.end(), uint16_t{0});
  for (size_t depth = 0; depth < depth_; ++depth) {
    const Level& level = levels_[depth];
    team_->run(samples_->chunks(), [&](size_t chunk, size_t member) {
      const size_t begin = chunk * TrainSamples::kChunk, end = std::min(begin + TrainSamples::kChunk, count_);
      if (depth > 0) route(levels_[depth - 1], begin, end);
      mark(level, tests, chunk, inside_[member].data());
    });
    team_->run(blocks_ + 1, [&](size_t item, size_t member) {
      if (item == blocks_) {
        count_up(level, member);
      } else {
        add_up(level, item, member);
      }
    });
    choose(level, tests, splits);
    tests += level.nodes * tests_;
    splits += level.nodes;
  }
  team_->run(samples_->chunks(), [&](size_t chunk, size_t) {
    const size_t begin = chunk * TrainSamples::kChunk;
    route(levels_.back(), begin, std::min(begin + TrainSamples::kChunk, count_));
  });
  finish(leaves);
}

void TreeGrower::replay(const ShapeSplit* splits, const float* leaves) {
  const size_t leaf_count = size_t{1} << depth_, values = samples_->values();
  team_->run(samples_->chunks(), [&](size_t chunk, size_t) {
    const size_t begin = chunk * TrainSamples::kChunk, end = std::min(begin + TrainSamples::kChunk, count_);
    for (size_t i = begin; i < end; ++i) {
      size_t at = 0;
      while (at < leaf_count - 1) {
        const ShapeSplit& split = splits[at];
        const int difference = samples_->feature(split.first)[i] - samples_->feature(split.second)[i];
        at = 2 * at + (static_cast<float>(difference) > split.threshold ? 1 : 2);
      }
      node_[i] = static_cast<uint16_t>(at - (leaf_count - 1));
    }
  });
  for (size_t block = 0; block < blocks_; ++block) {
    for (size_t leaf = 0; leaf < leaf_count; ++leaf) {
      for (size_t lane = 0; lane < kTrainLanes; ++lane) {
        const size_t k = block * kTrainLanes + lane;
        leaf_sums_[(block * leaf_count + leaf) * kTrainLanes + lane] = k < values ? leaves[leaf * values + k] : 0;
      }
    }
  }
  samples_->advance(node_.data(), leaf_sums_.data(), leaf_count, *kernels_, team_);
}

}  // namespace lineament
