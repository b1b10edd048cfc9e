#include "landmarks/shape_check.h"

#include <cmath>
#include <string>

namespace lineament {
namespace {

Status corrupt(const std::string& why) { return Status(Code::kModelCorrupt, why); }

}  // namespace

Status check_shape_counts(uint64_t points, uint64_t cascades, uint64_t trees, uint64_t depth, uint64_t features) {
  const struct {
    const char* what;
    uint64_t value, least, most;
  } counts[] = {
      {"points", points, 1, kMostShapePoints},       {"cascades", cascades, 1, kMostShapeCascades},
      {"trees", trees, 1, kMostShapeTrees},          {"levels in a tree", depth, 0, kMostShapeDepth},
      {"features", features, 1, kMostShapeFeatures},
  };
  for (const auto& one : counts) {
    if (one.value < one.least || one.value > one.most) {
      return corrupt("The shape model has " + std::to_string(one.value) + " " + one.what + ", outside of " +
                     std::to_string(one.least) + " to " + std::to_string(one.most));
    }
  }
  const uint64_t leaves = cascades * trees << depth;  // below 2^44
  if (leaves > (uint64_t{1} << 36) / (2 * points)) return corrupt("The shape model has too many leaves");
  return Status();
}

bool shape_values_ok(const float* values, size_t count) {
  float worst = 0;
  for (size_t i = 0; i < count; ++i) {
    const float size = std::fabs(values[i]);
    if (!(size <= kMostShapeValue)) return false;
    worst = size > worst ? size : worst;
  }
  return worst <= kMostShapeValue;
}

Status check_shape_model(const ShapeModel& model, bool with_leaves) {
  if (Status s = check_shape_counts(model.points, model.cascades, model.trees, model.depth, model.features); !s.ok()) {
    return s;
  }
  const size_t all_features = size_t{model.cascades} * model.features;
  const size_t all_trees = size_t{model.cascades} * model.trees;
  if (model.initial.size() != model.values() || model.anchors.size() != all_features ||
      model.deltas.size() != 2 * all_features || model.splits.size() != all_trees * model.splits_per_tree() ||
      (with_leaves && model.leaves.size() != all_trees * model.leaves_per_tree() * model.values())) {
    return corrupt("The shape model's arrays are not as long as its counts say");
  }
  if (!shape_values_ok(model.initial.data(), model.initial.size()))
    return corrupt("The mean shape has impossible numbers");
  if (!shape_values_ok(model.deltas.data(), model.deltas.size())) {
    return corrupt("The offsets of the features have impossible numbers");
  }
  uint32_t most = 0;
  for (const uint16_t anchor : model.anchors) most = anchor > most ? anchor : most;
  if (most >= model.points) {
    return corrupt("A feature moves with landmark " + std::to_string(most) + " of " + std::to_string(model.points));
  }
  most = 0;
  bool numbers = true;
  for (const ShapeSplit& split : model.splits) {
    most = split.first > most ? split.first : most;
    most = split.second > most ? split.second : most;
    numbers = numbers && std::isfinite(split.threshold);
  }
  if (most >= model.features && !model.splits.empty()) {
    return corrupt("A split looks at feature " + std::to_string(most) + " of " + std::to_string(model.features));
  }
  if (!numbers) return corrupt("A split has a threshold that is not a number");
  if (with_leaves && !shape_values_ok(model.leaves.data(), model.leaves.size())) {
    return corrupt("A leaf has impossible numbers");
  }
  return Status();
}

}  // namespace lineament
