// What a shape model must hold before a predictor uses its numbers unchecked.
#pragma once

#include "core/status.h"
#include "landmarks/shape_model.h"

namespace lineament {

// Real models stay far below; sums and indices stay far from overflow.
constexpr uint32_t kMostShapePoints = 65535;
constexpr uint32_t kMostShapeCascades = 4096;
constexpr uint32_t kMostShapeTrees = 65535;
constexpr uint32_t kMostShapeDepth = 16;
constexpr uint32_t kMostShapeFeatures = 65535;
// Shapes live in the unit frame of the box: a coordinate or an offset beyond this is damage.
constexpr float kMostShapeValue = 1e6f;

// Counts within the bounds above, and all leaves together below 2^36 numbers. kModelCorrupt otherwise.
Status check_shape_counts(uint64_t points, uint64_t cascades, uint64_t trees, uint64_t depth, uint64_t features);

// True where all are finite and within ±kMostShapeValue.
bool shape_values_ok(const float* values, size_t count);

// Counts, lengths of the arrays, finite numbers, anchors below `points`, split features below `features`.
// `with_leaves` says whether `leaves` is looked at too. kModelCorrupt with the first thing that is wrong.
Status check_shape_model(const ShapeModel& model, bool with_leaves);

}  // namespace lineament
