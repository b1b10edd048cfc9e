// A problem that trainers of shape models can be tested on, made here.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "landmarks/train.h"
#include "landmarks/train_random.h"
#include "tests/check.h"

namespace training_problem {

using namespace lineament;

constexpr int kSide = 96;
constexpr size_t kPoints = 6;
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// Pictures of soft blobs, dark and bright, whose centres are the points. The blobs hang together: they move, turn and
// grow as one and a little each on its own.
struct Blobs {
  std::vector<std::vector<uint8_t>> pixels;
  ShapeTrainingSet set;

  Blobs(size_t faces, uint64_t seed) {
    Random random("blobs", seed, 0);
    const double layout[kPoints][2] = {{.3, .35}, {.7, .35}, {.5, .55}, {.35, .75}, {.65, .75}, {.5, .9}};
    for (size_t face = 0; face < faces; ++face) {
      const double angle = random.between(-.35, .35), scale = random.between(.8, 1.1);
      const double dx = random.between(-.08, .08), dy = random.between(-.08, .08);
      double centre[kPoints][2];
      for (size_t i = 0; i < kPoints; ++i) {
        const double x = (layout[i][0] - .5) * scale + random.between(-.02, .02);
        const double y = (layout[i][1] - .5) * scale + random.between(-.02, .02);
        const double u = .5 + dx + std::cos(angle) * x - std::sin(angle) * y;
        const double v = .5 + dy + std::sin(angle) * x + std::cos(angle) * y;
        centre[i][0] = 8 + u * 80;
        centre[i][1] = 8 + v * 80;
        set.points.push_back(centre[i][0]);
        set.points.push_back(centre[i][1]);
      }
      std::vector<uint8_t> picture(kSide * kSide);
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) {
          double value = 128;
          for (size_t i = 0; i < kPoints; ++i) {
            const double ex = x + .5 - centre[i][0], ey = y + .5 - centre[i][1];
            value += (i % 2 == 0 ? 110 : -110) * std::exp(-(ex * ex + ey * ey) / 60);
          }
          picture[static_cast<size_t>(y * kSide + x)] = static_cast<uint8_t>(std::clamp(value, 0.0, 255.0));
        }
      }
      pixels.push_back(std::move(picture));
      set.image_of.push_back(static_cast<uint32_t>(face));
      set.boxes.insert(set.boxes.end(), {8, 8, 81, 81});
    }
    for (const auto& picture : pixels) {
      set.images.push_back({picture.data(), picture.size(), kSide, kSide, kSide, PixelFormat::kGray});
    }
  }
};

inline ShapeTrainingOptions small() {
  ShapeTrainingOptions options;
  options.cascade_depth = 4;
  options.tree_depth = 3;
  options.trees_per_cascade = 60;
  options.nu = .15;
  options.oversampling = 12;
  options.feature_pool_size = 120;
  options.feature_pool_region_padding = .1;
  options.lambda = .2;
  options.seed = "seed";
  return options;
}

inline ShapeModel train(const ShapeTrainingSet& set, const ShapeTrainingOptions& options, size_t threads = 2,
                        const ShapeTrainingReport& report = {}) {
  Result<ShapeModel> trained = train_shape_model(set, options, threads, report, nullptr);
  CHECK(trained.ok());
  if (!trained.ok()) {
    check::fail(__FILE__, __LINE__, trained.status().message());
    return {};
  }
  return std::move(trained.value());
}

inline bool same(const ShapeModel& a, const ShapeModel& b) {
  const auto bits = [](const auto& x, const auto& y) {
    return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof x[0]) == 0;
  };
  return a.points == b.points && a.cascades == b.cascades && a.trees == b.trees && a.depth == b.depth &&
         a.features == b.features && bits(a.initial, b.initial) && bits(a.anchors, b.anchors) &&
         bits(a.deltas, b.deltas) && bits(a.splits, b.splits) && bits(a.leaves, b.leaves) && !a.leaves.empty();
}

inline Status refusal(const ShapeTrainingSet& set, const ShapeTrainingOptions& options) {
  return train_shape_model(set, options, 1, {}, nullptr).status();
}

inline bool says(const Status& status, Code code, const char* part) {
  return status.code() == code && status.message().find(part) != std::string::npos;
}

inline std::string scratch(const char* name) {
  const std::string path = std::string("test_trainer_") + name + ".tmp";
  std::remove(path.c_str());
  return path;
}

}  // namespace training_problem
