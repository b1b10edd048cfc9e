// A cascade of regression trees that moves a mean shape onto a face: the model as plain arrays.
//
// V. Kazemi, J. Sullivan, "One Millisecond Face Alignment with an Ensemble of Regression Trees", CVPR 2014, in the form
// that dlib's shape_predictor gave it. Shapes live in the frame of the face box: (0, 0) is its left top corner, (1, 1)
// its right bottom corner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/huge_pages.h"

namespace lineament {

// A node of a tree: left (child 2i + 1) where pixel[first] − pixel[second] > threshold, right (2i + 2) otherwise.
// `first` and `second` number the features of the cascade.
struct ShapeSplit {
  uint16_t first = 0;
  uint16_t second = 0;
  float threshold = 0;
};

// Every cascade has the same number of trees and features, every tree the same depth.
struct ShapeModel {
  uint32_t points = 0;    // landmarks
  uint32_t cascades = 0;  // stages
  uint32_t trees = 0;     // in a cascade
  uint32_t depth = 0;     // of a tree: 2^depth leaves, 2^depth − 1 splits
  uint32_t features = 0;  // pixels that a cascade looks at

  std::vector<float> initial;      // points × (x, y): the mean shape
  std::vector<uint16_t> anchors;   // cascades × features: the landmark that a feature moves with
  std::vector<float> deltas;       // cascades × features × (dx, dy): from that landmark, in the frame of `initial`
  std::vector<ShapeSplit> splits;  // cascades × trees × (2^depth − 1), breadth first
  Table<float> leaves;             // cascades × trees × 2^depth × points × (dx, dy): what a leaf adds to the shape

  size_t splits_per_tree() const { return (size_t{1} << depth) - 1; }
  size_t leaves_per_tree() const { return size_t{1} << depth; }
  size_t values() const { return size_t{2} * points; }
};

}  // namespace lineament
