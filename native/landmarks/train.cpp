#include "landmarks/train.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <utility>

#include "image/sample.h"
#include "landmarks/shape_check.h"
#include "landmarks/train_checkpoint.h"
#include "landmarks/train_pool.h"
#include "landmarks/train_samples.h"
#include "landmarks/train_team.h"
#include "landmarks/train_tree.h"

namespace lineament {
namespace {

constexpr uint32_t kMostDepth = 12;
constexpr uint32_t kMostPool = 8192;  // a table of all pairs is kept
constexpr uint32_t kMostTests = 10000;
constexpr uint64_t kMostSamples = uint64_t{1} << 28;
constexpr double kMostBox = 1e9;
constexpr double kMostAway = 100;  // boxes between a point and its box: beyond, a unit is wrong
constexpr size_t kTestBytes = size_t{4} << 20;
constexpr auto kReportEvery = std::chrono::milliseconds(100);

Status invalid(const std::string& message) { return Status(Code::kInvalidArgument, message); }

Status check_options(const ShapeTrainingOptions& o) {
  const struct {
    const char* name;
    uint32_t value, least, most;
  } counts[] = {
      {"cascadeDepth", o.cascade_depth, 1, kMostShapeCascades},     {"treeDepth", o.tree_depth, 1, kMostDepth},
      {"treesPerCascade", o.trees_per_cascade, 1, kMostShapeTrees}, {"oversampling", o.oversampling, 1, 100000},
      {"featurePoolSize", o.feature_pool_size, 2, kMostPool},       {"testSplits", o.test_splits, 1, kMostTests},
  };
  for (const auto& one : counts) {
    if (one.value < one.least || one.value > one.most) {
      return invalid(std::string("Expected ") + one.name + " from " + std::to_string(one.least) + " to " +
                     std::to_string(one.most) + " but received " + std::to_string(one.value));
    }
  }
  if (!(o.nu > 0 && o.nu <= 1)) return invalid("Expected nu above 0 and at most 1");
  if (!(o.lambda >= 1e-6 && o.lambda <= 1e6)) return invalid("Expected lambda from 0.000001 to 1000000");
  if (!(o.oversampling_translation_jitter >= 0 && o.oversampling_translation_jitter <= 10)) {
    return invalid("Expected oversamplingTranslationJitter from 0 to 10");
  }
  if (!(o.feature_pool_region_padding > -0.5 && o.feature_pool_region_padding <= 10)) {
    return invalid("Expected featurePoolRegionPadding above -0.5 and at most 10");
  }
  return Status();
}

Status check_face(const ShapeTrainingSet& set, size_t face, size_t points, std::vector<uint8_t>* seen) {
  const std::string name = "Face " + std::to_string(face) + " (counted from 0) ";
  if (set.image_of[face] >= set.images.size()) {
    return invalid(name + "names image " + std::to_string(set.image_of[face]) + ", but there are " +
                   std::to_string(set.images.size()));
  }
  const double* box = set.boxes.data() + 4 * face;
  for (size_t i = 0; i < 4; ++i) {
    if (!(std::fabs(box[i]) <= kMostBox)) return invalid(name + "has a box with impossible numbers");
  }
  if (!(box[2] > 1 && box[3] > 1)) return invalid(name + "has a box whose sides are not above one pixel");
  bool any = false;
  for (size_t i = 0; i < points; ++i) {
    const double* point = set.points.data() + 2 * (face * points + i);
    if (std::isnan(point[0]) || std::isnan(point[1])) continue;
    const double u = (point[0] - box[0]) / box[2], v = (point[1] - box[1]) / box[3];
    if (!(std::fabs(u) <= kMostAway && std::fabs(v) <= kMostAway)) {
      return invalid(name + "has point " + std::to_string(i) + " more than 100 boxes away from its box");
    }
    (*seen)[i] = 1;
    any = true;
  }
  return any ? Status() : invalid(name + "has no annotated point");
}

// Progress at most ten times a second.
class Reporter {
 public:
  Reporter(const ShapeTrainingReport& report, const ShapeTrainingOptions& options, bool resumed)
      : report_(report), last_(Clock::now() - kReportEvery) {
    progress_.cascades = options.cascade_depth;
    progress_.trees = options.trees_per_cascade;
    progress_.resumed = resumed;
  }
  void tell(uint32_t cascade, uint32_t tree, bool now, const TrainSamples& samples, Team* team) {
    if (!report_ || (!now && Clock::now() - last_ < kReportEvery)) return;
    progress_.cascade = cascade;
    progress_.tree = tree;
    progress_.error = samples.error(team);
    report_(progress_);
    last_ = Clock::now();
  }

 private:
  using Clock = std::chrono::steady_clock;
  const ShapeTrainingReport& report_;
  Clock::time_point last_;
  ShapeTrainingProgress progress_;
};

}  // namespace

size_t points_per_face(const ShapeTrainingSet& set) {
  const size_t faces = set.image_of.size();
  return faces == 0 || set.points.size() % (2 * faces) != 0 ? 0 : set.points.size() / (2 * faces);
}

Status check_shape_training(const ShapeTrainingSet& set, const ShapeTrainingOptions& options) {
  if (Status s = check_options(options); !s.ok()) return s;
  const size_t faces = set.image_of.size();
  if (faces == 0) return invalid("There is no face to learn from");
  if (set.boxes.size() != 4 * faces) {
    return invalid("There are " + std::to_string(faces) + " faces but " + std::to_string(set.boxes.size()) +
                   " numbers of boxes instead of 4 for each");
  }
  const size_t points = points_per_face(set);
  if (points == 0) {
    return invalid("There are " + std::to_string(faces) + " faces but " + std::to_string(set.points.size()) +
                   " coordinates of points: each face must have the same number of points, at least one");
  }
  if (points > kMostShapePoints) return invalid("A face has more than 65535 points");
  if (uint64_t{faces} * options.oversampling > kMostSamples) {
    return invalid("Faces times oversampling would make more than 268435456 samples");
  }
  if (Status s = check_shape_counts(points, options.cascade_depth, options.trees_per_cascade, options.tree_depth,
                                    options.feature_pool_size);
      !s.ok()) {
    return invalid(s.message());
  }
  for (const ImageView& image : set.images) {
    if (Status s = validate(image); !s.ok()) return s;
  }
  std::vector<uint8_t> seen(points, 0);
  for (size_t face = 0; face < faces; ++face) {
    if (Status s = check_face(set, face, points, &seen); !s.ok()) return s;
  }
  for (size_t i = 0; i < points; ++i) {
    if (seen[i] == 0) return invalid("Point " + std::to_string(i) + " (counted from 0) is annotated on no face");
  }
  return Status();
}

static Result<ShapeModel> train(const ShapeTrainingSet& set, const ShapeTrainingOptions& options, size_t threads,
                                const ShapeTrainingReport& report, const CancelToken* cancel) {
  const Status aborted(Code::kAborted, "The training was aborted");
  if (Status s = check_shape_training(set, options); !s.ok()) return s;
  if (is_cancelled(cancel)) return aborted;
  ShapeModel model;
  model.points = static_cast<uint32_t>(points_per_face(set));
  model.trees = options.trees_per_cascade;
  model.depth = options.tree_depth;
  model.features = options.feature_pool_size;
  uint64_t mark = 0;
  if (!options.checkpoint.empty()) {
    mark = training_mark(set, options);
    Status s = read_training_checkpoint(options.checkpoint, mark, options.cascade_depth, &model);
    if (!s.ok()) return s;
  }
  const uint32_t before = model.cascades;

  Team team(threads);
  TrainSamples samples;
  if (Status s = samples.make(set, options); !s.ok()) return s;
  model.initial = samples.mean();
  const TrainRegion region = TrainRegion::of(samples.mean(), options);
  if (!(region.right > region.left || region.bottom > region.top)) {
    return invalid(
        "The region that pixels are taken from is empty: raise featurePoolRegionPadding, or take box for "
        "paddingMode");
  }
  TreeGrower grower;
  if (Status s = grower.make(&samples, &team, options); !s.ok()) return s;
  Reporter reporter(report, options, before > 0);
  const size_t splits = model.splits_per_tree(), leaves = model.leaves_per_tree() * model.values();
  for (uint32_t cascade = 0; cascade < before; ++cascade) {
    samples.look(model, cascade, &team);
    for (size_t tree = 0; tree < model.trees; ++tree) {
      if (is_cancelled(cancel)) return aborted;
      const size_t at = size_t{cascade} * model.trees + tree;
      grower.replay(model.splits.data() + at * splits, model.leaves.data() + at * leaves);
    }
  }
  if (before > 0) {
    reporter.tell(before, model.trees, true, samples, &team);
  } else if (!options.checkpoint.empty()) {  // a path that cannot be written fails now, not after the first cascade
    if (Status s = write_training_checkpoint(options.checkpoint, mark, model); !s.ok()) return s;
  }

  TrainPool pool;
  const size_t tests = splits * options.test_splits;
  const size_t batch = std::clamp<size_t>(kTestBytes / (tests * sizeof(ShapeSplit)), 1, model.trees);
  std::vector<ShapeSplit> drawn(batch * tests);
  for (uint32_t cascade = before; cascade < options.cascade_depth; ++cascade) {
    pool.draw(region, options, cascade, &model);
    samples.look(model, cascade, &team);
    model.cascades = cascade + 1;
    const size_t first = size_t{cascade} * model.trees;
    model.splits.resize((first + model.trees) * splits);
    model.leaves.resize((first + model.trees) * leaves);
    for (size_t tree = 0; tree < model.trees; ++tree) {
      if (is_cancelled(cancel)) return aborted;
      if (tree % batch == 0) {
        team.run(std::min(batch, model.trees - tree),
                 [&](size_t i, size_t) { pool.splits(options, cascade, tree + i, tests, drawn.data() + i * tests); });
      }
      grower.grow(drawn.data() + tree % batch * tests, model.splits.data() + (first + tree) * splits,
                  model.leaves.data() + (first + tree) * leaves);
      const bool last = tree + 1 == model.trees && cascade + 1 == options.cascade_depth;
      reporter.tell(cascade + 1, static_cast<uint32_t>(tree + 1), last, samples, &team);
    }
    if (!options.checkpoint.empty()) {
      if (Status s = write_training_checkpoint(options.checkpoint, mark, model); !s.ok()) return s;
    }
  }
  return model;
}

Result<ShapeModel> train_shape_model(const ShapeTrainingSet& set, const ShapeTrainingOptions& options, size_t threads,
                                     const ShapeTrainingReport& report, const CancelToken* cancel) {
  try {
    return train(set, options, threads, report, cancel);
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory,
                  "Out of memory while training: take fewer faces, less oversampling or smaller trees");
  }
}

}  // namespace lineament
