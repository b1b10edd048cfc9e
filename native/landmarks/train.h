// Learns a cascade of regression trees from faces with known landmarks.
//
// V. Kazemi, J. Sullivan, "One Millisecond Face Alignment with an Ensemble of Regression Trees", CVPR 2014. Options,
// starting shapes and the choice of splits follow dlib's shape_predictor_trainer; random numbers, and the order in
// which floats are added, are our own, so that models are as good but not the same bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "image/image.h"
#include "landmarks/shape_model.h"

namespace lineament {

// Names and defaults as in dlib.
struct ShapeTrainingOptions {
  uint32_t cascade_depth = 10;
  uint32_t tree_depth = 4;
  uint32_t trees_per_cascade = 500;
  double nu = 0.1;                             // share of what a tree learns that is applied
  uint32_t oversampling = 20;                  // starting shapes for each face; the first is the mean shape
  double oversampling_translation_jitter = 0;  // the others are moved by up to this, in the unit frame
  uint32_t feature_pool_size = 400;            // pixels that a cascade may look at
  double lambda = 0.1;                         // pairs of pixels are drawn with probability ~ exp(−distance / lambda)
  uint32_t test_splits = 20;                   // random splits of which the best is taken
  double feature_pool_region_padding = 0;      // beyond the region's edges, in the unit frame
  bool box_padding = false;                    // the region also holds the box, not the mean shape alone
  std::string seed;                            // any text
  std::string checkpoint;                      // path (UTF-8), empty for none
};

// Borrowed pixels: they stay readable while training runs.
struct ShapeTrainingSet {
  std::vector<ImageView> images;
  std::vector<uint32_t> image_of;  // faces: index into images
  std::vector<double> boxes;       // faces × (x, y, w, h) in pixels
  std::vector<double> points;      // faces × points × (x, y) in pixels; NaN where not annotated
};

struct ShapeTrainingProgress {
  uint32_t cascade = 0, cascades = 0;  // the cascade at work, from 1
  uint32_t tree = 0, trees = 0;        // trees that it has
  double error = 0;                    // mean distance between points and truth over all samples, in the unit frame
  bool resumed = false;                // a checkpoint was continued
};

using ShapeTrainingReport = std::function<void(const ShapeTrainingProgress&)>;

// Luma is used. Boxes and shapes are in the frames of shape_predictor.h; a box's sides must be above one pixel. What
// lies outside of an image is black. Coordinates that are not annotated do not count.
//
// `threads` (1..256) work, the calling one among them; the model is the same, bit for bit, whatever their number and
// the SIMD level. `report` (may be empty) is called on the calling thread, about ten times a second and once at the
// end.
//
// With options.checkpoint the model so far is written there at once and after each cascade (atomically). Where the file
// is there already and fits the data and the options (all but cascade_depth and the path), training goes on behind its
// last cascade, and the result is what an uninterrupted run would have given. A file that does not fit is
// kInvalidArgument, one that is damaged kModelCorrupt; neither is overwritten.
//
// kInvalidArgument for bad data and options, kAborted when `cancel` fired (polled for each tree), kOutOfMemory.
Result<ShapeModel> train_shape_model(const ShapeTrainingSet& set, const ShapeTrainingOptions& options, size_t threads,
                                     const ShapeTrainingReport& report, const CancelToken* cancel);

// What train_shape_model() checks first, and how many landmarks a face has (0 where that is not clear).
Status check_shape_training(const ShapeTrainingSet& set, const ShapeTrainingOptions& options);
size_t points_per_face(const ShapeTrainingSet& set);

}  // namespace lineament
