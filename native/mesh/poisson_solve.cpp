#include "mesh/poisson_solve.h"

#include <algorithm>
#include <cmath>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr float kOutside = 0.5f;

// One grid of the cascade.
class Level {
 public:
  Level(const PoissonGrid& grid, int level, const std::vector<PoissonSample>& samples, float screening,
        Executor& executor)
      : nodes_{grid.nodes(level, 0), grid.nodes(level, 1), grid.nodes(level, 2)},
        row_(static_cast<size_t>(nodes_[0])),
        plane_(row_ * static_cast<size_t>(nodes_[1])),
        size_(plane_ * static_cast<size_t>(nodes_[2])),
        samples_(samples),
        corners_(cell_corners(nodes_)),
        // Cells of the finest grid along one of this.
        stretch_(static_cast<float>(1 << (grid.levels - 1 - level))),
        // ∫|∇f|² scales with a cell's side, the sum over samples does not.
        screening_(screening / stretch_),
        executor_(executor) {}

  const std::array<int, 3>& nodes() const { return nodes_; }

  Status solve(int iterations, const CancelToken* token, std::vector<float>* x) {
    prepare();
    std::vector<float> residual = divergence(), direction(size_, 0), image(size_, 0);
    // Residual of the start.
    apply(*x, &image);
    double rho = planes([&](int z) {
      return rows(z, [&](size_t i) {
        residual[i] -= image[i];
        direction[i] = residual[i] * inverse_[i];
        return static_cast<double>(residual[i]) * static_cast<double>(direction[i]);
      });
    });
    const double enough = rho * 1e-8;
    for (int step = 0; step < iterations && rho > enough && rho > 1e-20; ++step) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Aborted");
      const double curvature = apply(direction, &image);
      if (!(curvature > 0)) break;
      const auto alpha = static_cast<float>(rho / curvature);
      const double next = planes([&](int z) {
        return rows(z, [&](size_t i) {
          (*x)[i] += alpha * direction[i];
          residual[i] -= alpha * image[i];
          return static_cast<double>(residual[i] * residual[i] * inverse_[i]);
        });
      });
      const auto beta = static_cast<float>(next / rho);
      rho = next;
      planes([&](int z) {
        return rows(z, [&](size_t i) {
          direction[i] = residual[i] * inverse_[i] + beta * direction[i];
          return 0.0;
        });
      });
    }
    return Status();
  }

  // From the grid with half as many cells.
  void prolong(const std::vector<float>& coarse, const std::array<int, 3>& from, std::vector<float>* x) {
    x->assign(size_, kOutside);
    planes([&](int z) {
      const auto cx = static_cast<size_t>(from[0]), cxy = cx * static_cast<size_t>(from[1]);
      for (int y = 1; y + 1 < nodes_[1]; ++y) {
        const size_t dy = y % 2 == 1 ? cx : 0, dz = z % 2 == 1 ? cxy : 0;
        const float* at = coarse.data() + static_cast<size_t>(z / 2) * cxy + static_cast<size_t>(y / 2) * cx;
        float* out = x->data() + static_cast<size_t>(z) * plane_ + static_cast<size_t>(y) * row_;
        const auto mean = [&](size_t i) { return 0.25f * (at[i] + at[i + dy] + at[i + dz] + at[i + dy + dz]); };
        for (int i = 1; i + 1 < nodes_[0]; ++i) {
          const auto half = static_cast<size_t>(i / 2);
          out[i] = i % 2 == 0 ? mean(half) : 0.5f * (mean(half) + mean(half + 1));
        }
      }
      return 0.0;
    });
  }

 private:
  // Sum over the inner planes of what `work` gives for each, in their order.
  template <typename Work>
  double planes(Work work) {
    const auto inner = static_cast<size_t>(nodes_[2] - 2);
    partial_.assign(inner, 0);
    // Small grids are not worth a second thread.
    const size_t parts = size_ < 20000 ? 1 : std::min<size_t>(inner, 32);
    const Status done = spread(executor_, parts, [&](size_t part) {
      for (size_t z = inner * part / parts; z < inner * (part + 1) / parts; ++z) {
        partial_[z] = work(static_cast<int>(z) + 1);
      }
      return Status();
    });
    static_cast<void>(done.ok());  // No part fails.
    double sum = 0;
    for (const double one : partial_) sum += one;
    return sum;
  }

  template <typename Each>
  double rows(int z, Each each) {
    double sum = 0;
    for (int y = 1; y + 1 < nodes_[1]; ++y) {
      const size_t first = static_cast<size_t>(z) * plane_ + static_cast<size_t>(y) * row_;
      for (size_t i = first + 1; i + 1 < first + row_; ++i) sum += each(i);
    }
    return sum;
  }

  void prepare() {
    weights_.reserve(samples_.size());
    strength_.reserve(samples_.size());
    inverse_.assign(size_, 6);
    for (const PoissonSample& sample : samples_) {
      const Trilinear at = trilinear(nodes_, sample.position[0] / stretch_, sample.position[1] / stretch_,
                                     sample.position[2] / stretch_);
      const float strength = screening_ * sample.area;
      for (size_t c = 0; c < 8; ++c) inverse_[at.first + corners_[c]] += strength * at.weight[c] * at.weight[c];
      weights_.push_back(at);
      strength_.push_back(strength);
    }
    for (float& value : inverse_) value = 1 / value;
  }

  // The right side: normals, spread over the edges around them that run along their parts.
  std::vector<float> divergence() const {
    std::vector<float> out(size_, 0);
    for (const PoissonSample& sample : samples_) {
      // The jump is 1: area over a cell's face, in units of this grid.
      const float share = sample.area / (stretch_ * stretch_);
      for (size_t axis = 0; axis < 3; ++axis) {
        const float flow = share * sample.normal[axis];
        float at[3];
        for (size_t k = 0; k < 3; ++k) at[k] = sample.position[k] / stretch_ - (k == axis ? 0.5f : 0.0f);
        const Trilinear edges = trilinear(nodes_, at[0], at[1], at[2]);
        const size_t step = axis == 0 ? 1 : axis == 1 ? row_ : plane_;
        for (size_t c = 0; c < 8; ++c) {
          const size_t low = edges.first + corners_[c];
          out[low] -= flow * edges.weight[c];
          if (low + step < size_) out[low + step] += flow * edges.weight[c];
        }
      }
    }
    return out;
  }

  // image = A · x on the inner nodes; gives x · A · x over them (right only where x is 0 on the box).
  double apply(const std::vector<float>& x, std::vector<float>* image) {
    double sum = planes([&](int z) {
      double here = 0;
      for (int y = 1; y + 1 < nodes_[1]; ++y) {
        const size_t first = static_cast<size_t>(z) * plane_ + static_cast<size_t>(y) * row_;
        const float* at = x.data() + first;
        float* out = image->data() + first;
        float line = 0;
        for (size_t i = 1; i + 1 < row_; ++i) {
          const float* p = at + i;
          out[i] = 6 * p[0] - p[1] - *(p - 1) - p[row_] - *(p - row_) - p[plane_] - *(p - plane_);
        }
        for (size_t i = 1; i + 1 < row_; ++i) line += out[i] * at[i];
        here += static_cast<double>(line);
      }
      return here;
    });
    for (size_t s = 0; s < weights_.size(); ++s) {
      const Trilinear& w = weights_[s];
      float value = 0;
      for (size_t c = 0; c < 8; ++c) value += w.weight[c] * x[w.first + corners_[c]];
      sum += static_cast<double>(strength_[s] * value * value);
      value *= strength_[s];
      for (size_t c = 0; c < 8; ++c) (*image)[w.first + corners_[c]] += w.weight[c] * value;
    }
    return sum;
  }

  const std::array<int, 3> nodes_;
  const size_t row_, plane_, size_;
  const std::vector<PoissonSample>& samples_;
  const std::array<size_t, 8> corners_;
  const float stretch_, screening_;
  Executor& executor_;
  std::vector<Trilinear> weights_;
  std::vector<float> strength_, inverse_;
  std::vector<double> partial_;
};

}  // namespace

size_t PoissonGrid::size(int level) const {
  return static_cast<size_t>(nodes(level, 0)) * static_cast<size_t>(nodes(level, 1)) *
         static_cast<size_t>(nodes(level, 2));
}

std::array<size_t, 8> cell_corners(const std::array<int, 3>& nodes) {
  const auto row = static_cast<size_t>(nodes[0]), plane = row * static_cast<size_t>(nodes[1]);
  return {0, 1, row, row + 1, plane, plane + 1, plane + row, plane + row + 1};
}

Trilinear trilinear(const std::array<int, 3>& nodes, float x, float y, float z) {
  const float at[3] = {x, y, z};
  float part[3];
  size_t whole[3];
  for (size_t k = 0; k < 3; ++k) {
    const float low = std::clamp(std::floor(at[k]), 0.0f, static_cast<float>(nodes[k] - 2));
    part[k] = std::clamp(at[k] - low, 0.0f, 1.0f);
    whole[k] = static_cast<size_t>(low);
  }
  Trilinear out;
  out.first = (whole[2] * static_cast<size_t>(nodes[1]) + whole[1]) * static_cast<size_t>(nodes[0]) + whole[0];
  for (size_t c = 0; c < 8; ++c) {
    out.weight[c] = ((c & 1) != 0 ? part[0] : 1 - part[0]) * ((c & 2) != 0 ? part[1] : 1 - part[1]) *
                    ((c & 4) != 0 ? part[2] : 1 - part[2]);
  }
  return out;
}

Status solve_poisson(const PoissonGrid& grid, const std::vector<PoissonSample>& samples, float screening,
                     int iterations, Executor& executor, const CancelToken* token, std::vector<float>* values) {
  std::array<int, 3> before{};
  std::vector<float> coarse;
  for (int l = 0; l < grid.levels; ++l) {
    Level level(grid, l, samples, screening, executor);
    if (l == 0) {
      values->assign(grid.size(0), kOutside);
    } else {
      coarse.swap(*values);
      level.prolong(coarse, before, values);
    }
    // Twice as many steps for each grid above: an eighth of the work each.
    const Status done = level.solve(std::min(iterations << std::min(grid.levels - 1 - l, 4), 400), token, values);
    if (!done.ok()) return done;
    before = level.nodes();
  }
  return Status();
}

}  // namespace lineament
