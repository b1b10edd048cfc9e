// A function on the nodes of one whole grid, for marching cubes.
#pragma once

#include <array>
#include <cstddef>
#include <limits>
#include <vector>

#include "mesh/marching_cubes.h"

namespace lineament {

// `values`: x runs fastest, and outlives this; `level` is taken off them.
class DenseField final : public BlockField {
 public:
  DenseField(const std::vector<float>& values, const std::array<int, 3>& nodes, float level)
      : values_(values), nodes_(nodes), level_(level) {
    for (size_t k = 0; k < 3; ++k) blocks_[k] = (nodes[k] + kBlockSide - 1) / kBlockSide;
  }

  size_t blocks() const override {
    return static_cast<size_t>(blocks_[0]) * static_cast<size_t>(blocks_[1]) * static_cast<size_t>(blocks_[2]);
  }
  std::array<int, 3> place(size_t i) const override {
    const int n = static_cast<int>(i), row = blocks_[0], plane = row * blocks_[1];
    return {n % row, n / row % blocks_[1], n / plane};
  }
  ptrdiff_t find(int bx, int by, int bz) const override {
    if (bx < 0 || by < 0 || bz < 0 || bx >= blocks_[0] || by >= blocks_[1] || bz >= blocks_[2]) return -1;
    return (static_cast<ptrdiff_t>(bz) * blocks_[1] + by) * blocks_[0] + bx;
  }

  bool halo(size_t i, float* out) const override {
    const std::array<int, 3> block = place(i);
    bool below = false, above = false;
    for (int z = -1; z <= kBlockSide + 1; ++z) {
      for (int y = -1; y <= kBlockSide + 1; ++y) {
        for (int x = -1; x <= kBlockSide + 1; ++x) {
          const int at[3] = {block[0] * kBlockSide + x, block[1] * kBlockSide + y, block[2] * kBlockSide + z};
          float value = std::numeric_limits<float>::quiet_NaN();
          if (at[0] >= 0 && at[1] >= 0 && at[2] >= 0 && at[0] < nodes_[0] && at[1] < nodes_[1] && at[2] < nodes_[2]) {
            value = values_[(static_cast<size_t>(at[2]) * static_cast<size_t>(nodes_[1]) + static_cast<size_t>(at[1])) *
                                static_cast<size_t>(nodes_[0]) +
                            static_cast<size_t>(at[0])] -
                    level_;
            below |= value < 0;
            above |= value >= 0;
          }
          *out++ = value;
        }
      }
    }
    return below && above;
  }

 private:
  const std::vector<float>& values_;
  const std::array<int, 3> nodes_;
  const float level_;
  std::array<int, 3> blocks_{};
};

}  // namespace lineament
