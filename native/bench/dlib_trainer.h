// dlib's shape_predictor_trainer behind a plain function, built with flags of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// A grey picture with one face. Points and box are whole pixels, pixel centres at whole numbers as in dlib.
struct TrainingFace {
  uint32_t width = 0, height = 0;
  std::vector<uint8_t> pixels;
  int32_t box[4] = {};  // left, top, width, height
  std::vector<int32_t> points;
};

struct DlibTraining {
  unsigned long cascades, trees, depth, oversampling, features, tests, threads;
  double nu, lambda, padding;
  std::string seed;
};

// Trains and saves; gives the seconds that train() alone took.
double train_with_dlib(const std::vector<TrainingFace>& faces, const DlibTraining& options, const std::string& file);
