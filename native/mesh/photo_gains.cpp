#include "mesh/photo_gains.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace lineament {
namespace {

constexpr double kNoise = 10, kSpread = 1;

// Solves rows × x = right side for a symmetric positive definite matrix; Gauss with pivots.
std::vector<double> solve_system(std::vector<double> rows, std::vector<double> right) {
  const size_t n = right.size();
  for (size_t k = 0; k < n; ++k) {
    size_t best = k;
    for (size_t r = k + 1; r < n; ++r) {
      if (std::abs(rows[r * n + k]) > std::abs(rows[best * n + k])) best = r;
    }
    for (size_t c = 0; c < n && best != k; ++c) std::swap(rows[best * n + c], rows[k * n + c]);
    std::swap(right[best], right[k]);
    for (size_t r = k + 1; r < n; ++r) {
      const double factor = rows[r * n + k] / rows[k * n + k];
      for (size_t c = k; c < n; ++c) rows[r * n + c] -= factor * rows[k * n + c];
      right[r] -= factor * right[k];
    }
  }
  for (size_t k = n; k-- > 0;) {
    for (size_t c = k + 1; c < n; ++c) right[k] -= rows[k * n + c] * right[c];
    right[k] /= rows[k * n + k];
  }
  return right;
}

}  // namespace

PhotoGains::PhotoGains(size_t photographs) : n_(photographs), pairs_(photographs * photographs) {}

void PhotoGains::add(const PhotoSample* samples) {
  for (size_t i = 0; i < n_; ++i) {
    if (!(samples[i].weight > 0)) continue;
    for (size_t j = i + 1; j < n_; ++j) {
      if (!(samples[j].weight > 0)) continue;
      const double a = samples[i].weight, b = samples[j].weight;
      const double weight = a * b / ((a + b) * (a + b));
      const auto put = [weight](Pair& pair, const PhotoSample& one) {
        pair.count += weight;
        pair.colour[0] += weight * one.red;
        pair.colour[1] += weight * one.green;
        pair.colour[2] += weight * one.blue;
      };
      put(pairs_[i * n_ + j], samples[i]);
      put(pairs_[j * n_ + i], samples[j]);
    }
  }
}

std::vector<double> PhotoGains::solve() const {
  std::vector<double> gains(3 * n_, 1);
  for (size_t channel = 0; channel < 3; ++channel) {
    std::vector<double> rows(n_ * n_, 0), right(n_, 0);
    for (size_t i = 0; i < n_; ++i) {
      double total = 0;
      for (size_t j = 0; j < n_; ++j) {
        const Pair &mine = pairs_[i * n_ + j], &other = pairs_[j * n_ + i];
        if (!(mine.count > 0)) continue;
        const double own = mine.colour[channel] / mine.count, theirs = other.colour[channel] / other.count;
        total += mine.count;
        rows[i * n_ + i] += 2 * mine.count * own * own / (kNoise * kNoise);
        rows[i * n_ + j] -= 2 * mine.count * own * theirs / (kNoise * kNoise);
      }
      const double prior = std::max(total, 1e-9) / (kSpread * kSpread);
      rows[i * n_ + i] += prior;
      right[i] = prior;
    }
    const std::vector<double> solved = solve_system(std::move(rows), std::move(right));
    for (size_t i = 0; i < n_; ++i) gains[3 * i + channel] = std::clamp(solved[i], 0.5, 2.0);
  }
  return gains;
}

}  // namespace lineament
