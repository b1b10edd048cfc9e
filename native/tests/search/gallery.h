// Galleries for the tests of the search: vectors of several kinds, coded in blocks as an index would keep them, and
// what a double-precision comparison with every vector finds in them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "search/scan.h"

namespace lineament::testing {

enum class Kind { kRandom, kClustered, kSpiky, kOneHot, kEqual, kTiny, kCoarse, kSubspace };
inline const Kind kKinds[] = {Kind::kRandom, Kind::kClustered, Kind::kSpiky,  Kind::kOneHot,
                              Kind::kEqual,  Kind::kTiny,      Kind::kCoarse, Kind::kSubspace};

// `rows` unit vectors, one after the other.
inline std::vector<float> make_vectors(Kind kind, size_t rows, size_t dims, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(rows * dims);
  std::vector<float> centres(8 * dims);
  std::mt19937 shared(7);  // clusters are the same for every seed, so that queries meet them
  for (float& value : centres) value = normal(shared);
  normal.reset();
  for (size_t r = 0; r < rows; ++r) {
    float* v = out.data() + r * dims;
    const size_t some = random() % dims;
    const size_t cluster = random() % 8;
    for (size_t i = 0; i < dims; ++i) {
      const float noise = normal(random);
      switch (kind) {
        case Kind::kRandom:
          v[i] = noise;
          break;
        case Kind::kClustered:
          v[i] = centres[cluster * dims + i] + 0.3f * noise;
          break;
        case Kind::kSpiky:
          v[i] = i == some ? 30 : noise;
          break;
        case Kind::kOneHot:
          v[i] = i == some ? 1 : 0;
          break;
        case Kind::kEqual:
          v[i] = centres[i];
          break;
        case Kind::kTiny:  // denormals but for one coordinate
          v[i] = i == some ? 1e-3f : 1e-40f * noise;
          break;
        case Kind::kCoarse:  // few different scores: many ties
          v[i] = i < 3 ? static_cast<float>(random() % 3) - 1 : 0;
          break;
        case Kind::kSubspace:
          v[i] = i < (dims + 3) / 4 ? noise : 0;
          break;
      }
    }
    if (kind == Kind::kCoarse && v[0] == 0 && v[1] == 0 && v[dims > 2 ? 2 : 1] == 0) v[0] = 1;
    normalise(v, dims, v);
  }
  return out;
}

inline double exact_dot(const float* a, const float* b, size_t count) {
  long double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += static_cast<long double>(a[i]) * b[i];
  return static_cast<double>(sum);
}

// Coded rows in blocks, with a mask where `masked` rows are left out.
class Gallery : public BlockSource {
 public:
  Gallery(const VectorCoder& coder, std::vector<float> vectors, StoredVectors stored, size_t block_rows)
      : floats(std::move(vectors)), rows(floats.size() / coder.dims()), block_rows_(block_rows), stored_(stored) {
    const size_t dims = coder.dims(), stride = coder.stride();
    high_.resize(rows * stride);
    low_.resize(rows * stride);
    coarse.resize(rows);
    middle.resize(rows);
    fine.resize(rows);
    keys.resize(rows);
    std::vector<float> scratch(2 * stride);
    if (stored == StoredVectors::kFloat16) {
      halves_.resize(floats.size());
      to_half(floats.data(), floats.size(), halves_.data());
      from_half(halves_.data(), floats.size(), floats.data());
    }
    for (size_t r = 0; r < rows; ++r) {
      keys[r] = static_cast<int64_t>(r * 7919 % rows);  // a permutation where 7919 does not divide the number
      coder.encode(floats.data() + r * dims, stored == StoredVectors::kNone ? CodeTruth::kFineCode : CodeTruth::kVector,
                   high_.data() + r * stride, low_.data() + r * stride, &coarse[r], &middle[r], &fine[r],
                   scratch.data());
    }
    dims_ = dims;
    stride_ = stride;
  }

  size_t blocks() const override { return (rows + block_rows_ - 1) / block_rows_; }

  bool open(size_t block, BlockView* view) override {
    const size_t begin = block * block_rows_;
    view->rows = std::min(block_rows_, rows - begin);
    view->high = high_.data() + begin * stride_;
    view->low = low_.data() + begin * stride_;
    view->coarse = coarse.data() + begin;
    view->middle = middle.data() + begin;
    view->fine = fine.data() + begin;
    view->stored = stored_;
    view->vectors = stored_ == StoredVectors::kFloat32   ? static_cast<const void*>(floats.data() + begin * dims_)
                    : stored_ == StoredVectors::kFloat16 ? static_cast<const void*>(halves_.data() + begin * dims_)
                                                         : nullptr;
    view->keys = keys.data() + begin;
    view->mask = masks.empty() ? nullptr : masks[block].data();
    return true;
  }

  // Leaves only the rows for which `keep` is true.
  template <typename Keep>
  void filter(Keep keep) {
    masks.assign(blocks(), std::vector<uint64_t>((block_rows_ + 63) / 64));
    for (size_t r = 0; r < rows; ++r) {
      if (keep(r)) masks[r / block_rows_][r % block_rows_ / 64] |= uint64_t{1} << (r % block_rows_ % 64);
    }
  }
  bool may_be_found(size_t row) const {
    return masks.empty() || (masks[row / block_rows_][row % block_rows_ / 64] >> (row % block_rows_ % 64) & 1) != 0;
  }

  // Coordinate i of row r, 0 … 255.
  int code(size_t row, size_t i) const {
    const size_t byte = row * stride_ + (i < stride_ ? i : i - stride_);
    const int shift = i < stride_ ? 0 : 4;
    return (high_[byte] >> shift & 15) * 16 + (low_[byte] >> shift & 15);
  }
  const uint8_t* high() const { return high_.data(); }
  const uint8_t* low() const { return low_.data(); }

  std::vector<float> floats;
  size_t rows;
  std::vector<CodeBound> coarse, middle, fine;
  std::vector<int64_t> keys;
  std::vector<std::vector<uint64_t>> masks;

 private:
  size_t block_rows_;
  StoredVectors stored_;
  size_t dims_ = 0, stride_ = 0;
  std::vector<uint8_t> high_, low_;
  std::vector<uint16_t> halves_;
};

// What a search must find, from a score for each row: best first, equal scores by smaller key.
inline std::vector<Hit> best_of(const Gallery& gallery, const std::vector<double>& scores, size_t k, double threshold) {
  std::vector<Hit> all;
  for (size_t r = 0; r < gallery.rows; ++r) {
    if (gallery.may_be_found(r) && scores[r] >= threshold) all.push_back({gallery.keys[r], scores[r]});
  }
  std::sort(all.begin(), all.end(),
            [](const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.key < b.key; });
  if (all.size() > k) all.resize(k);
  return all;
}

}  // namespace lineament::testing
