// Small shape models and pictures made of numbers that look random and are the same every time, and the plainest
// possible predictor in double precision.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/atomic_file.h"
#include "landmarks/compact_shape.h"
#include "landmarks/dlib_shape.h"
#include "landmarks/shape_model.h"

namespace synthetic {

using lineament::ShapeModel;

struct Random {
  uint64_t state;
  explicit Random(uint64_t seed) : state(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint32_t bits() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(state >> 33);
  }
  uint32_t below(uint32_t n) { return bits() % n; }
  double uniform(double low, double high) { return low + (high - low) * bits() / 2147483648.0; }
};

struct Counts {
  uint32_t points = 7, cascades = 3, trees = 11, depth = 3, features = 20;
};

inline ShapeModel make_model(const Counts& n, uint64_t seed) {
  Random random(seed);
  ShapeModel m;
  m.points = n.points;
  m.cascades = n.cascades;
  m.trees = n.trees;
  m.depth = n.depth;
  m.features = n.features;
  for (size_t k = 0; k < m.values(); ++k) m.initial.push_back(static_cast<float>(random.uniform(0.1, 0.9)));
  for (uint32_t i = 0; i < n.cascades * n.features; ++i) {
    m.anchors.push_back(static_cast<uint16_t>(random.below(n.points)));
    m.deltas.push_back(static_cast<float>(random.uniform(-0.2, 0.2)));
    m.deltas.push_back(static_cast<float>(random.uniform(-0.2, 0.2)));
  }
  const size_t trees = size_t{n.cascades} * n.trees;
  for (size_t i = 0; i < trees * m.splits_per_tree(); ++i) {
    m.splits.push_back({static_cast<uint16_t>(random.below(n.features)),
                        static_cast<uint16_t>(random.below(n.features)), static_cast<float>(random.uniform(-40, 40))});
  }
  for (size_t i = 0; i < trees * m.leaves_per_tree() * m.values(); ++i) {
    m.leaves.push_back(static_cast<float>(random.uniform(-1, 1) * 0.05 / n.trees));
  }
  return m;
}

struct Bytes final : lineament::ByteSink {
  std::vector<uint8_t> bytes;
  void write(const void* data, size_t size) override {
    const auto* p = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), p, p + size);
  }
};

inline std::vector<uint8_t> dlib_bytes(const ShapeModel& m) {
  Bytes out;
  const auto leaf = [&m](size_t i) { return m.leaves.data() + i * m.values(); };
  return lineament::write_dlib_shape(m, leaf, &out, nullptr).ok() ? out.bytes : std::vector<uint8_t>();
}

inline std::vector<uint8_t> compact_bytes(const ShapeModel& m) {
  Bytes out;
  return lineament::write_compact_shape(m, &out, nullptr).ok() ? out.bytes : std::vector<uint8_t>();
}

// A grey picture with slopes, edges and grain.
inline std::vector<uint8_t> make_picture(int width, int height, uint64_t seed) {
  Random random(seed);
  std::vector<uint8_t> pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const double v = 120 + 70 * std::sin(x / 9.0 + y / 17.0) + ((x / 16 + y / 16) % 2) * 40 + random.uniform(-8, 8);
      pixels.push_back(static_cast<uint8_t>(std::clamp(v, 0.0, 255.0)));
    }
  }
  return pixels;
}

// points × (x, y) in our pixel frame. `grey(column, row)` gives the brightness, also outside of the picture.
template <typename Grey>
std::vector<double> predict_plainly(const ShapeModel& m, const Grey& grey, const double* box) {
  std::vector<double> shape(m.initial.begin(), m.initial.end());
  const size_t points = m.points;
  const double w = box[2] - 1, h = box[3] - 1;
  for (size_t c = 0; c < m.cascades; ++c) {
    // x' = a x − b y + t, y' = b x + a y + u with the least squares: the normal equations, solved by elimination.
    double a = 1, b = 0;
    if (points > 1) {
      double n[4][5] = {};
      for (size_t i = 0; i < points; ++i) {
        const double x = static_cast<double>(m.initial[2 * i]), y = static_cast<double>(m.initial[2 * i + 1]);
        const double rows[2][5] = {{x, -y, 1, 0, shape[2 * i]}, {y, x, 0, 1, shape[2 * i + 1]}};
        for (const auto& r : rows) {
          for (int j = 0; j < 4; ++j) {
            for (int k = 0; k < 5; ++k) n[j][k] += r[j] * r[k];
          }
        }
      }
      for (int j = 0; j < 4; ++j) {
        for (int i = 0; i < 4; ++i) {
          if (i == j) continue;
          const double f = n[i][j] / n[j][j];
          for (int k = 0; k < 5; ++k) n[i][k] -= f * n[j][k];
        }
      }
      a = n[0][4] / n[0][0];
      b = n[1][4] / n[1][1];
    }
    std::vector<double> features;
    for (size_t i = 0; i < m.features; ++i) {
      const size_t f = c * m.features + i;
      const double dx = static_cast<double>(m.deltas[2 * f]), dy = static_cast<double>(m.deltas[2 * f + 1]);
      const double x = shape[2 * size_t{m.anchors[f]}] + a * dx - b * dy;
      const double y = shape[2 * size_t{m.anchors[f]} + 1] + b * dx + a * dy;
      // The pixel whose area holds the point: its column is the whole part of x in our frame.
      features.push_back(grey(std::floor(box[0] + 0.5 + x * w), std::floor(box[1] + 0.5 + y * h)));
    }
    for (size_t t = 0; t < m.trees; ++t) {
      const size_t tree = c * m.trees + t;
      size_t node = 0;
      while (node < m.splits_per_tree()) {
        const auto& split = m.splits[tree * m.splits_per_tree() + node];
        const bool left = features[split.first] - features[split.second] > static_cast<double>(split.threshold);
        node = 2 * node + (left ? 1 : 2);
      }
      const size_t leaf = tree * m.leaves_per_tree() + node - m.splits_per_tree();
      for (size_t k = 0; k < m.values(); ++k) shape[k] += static_cast<double>(m.leaves[leaf * m.values() + k]);
    }
  }
  for (size_t i = 0; i < points; ++i) {
    shape[2 * i] = box[0] + 0.5 + shape[2 * i] * w;
    shape[2 * i + 1] = box[1] + 0.5 + shape[2 * i + 1] * h;
  }
  return shape;
}

}  // namespace synthetic
