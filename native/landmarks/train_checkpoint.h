// The cascades that are done, kept in a file from which training goes on.
#pragma once

#include <cstdint>
#include <string>

#include "core/cancel.h"
#include "core/status.h"
#include "landmarks/shape_model.h"
#include "landmarks/train.h"

namespace lineament {

// Names the data and all options but cascade_depth and checkpoint: random numbers of a cascade do not depend on how
// many there will be.
uint64_t training_mark(const ShapeTrainingSet& set, const ShapeTrainingOptions& options);

// Replaces the file by `model`, whose `cascades` are those that are done. kInvalidArgument where it cannot be written.
Status write_training_checkpoint(const std::string& path, uint64_t mark, const ShapeModel& model);

// Fills `model`, of which points, trees, depth and features are set, with the cascades that are in the file, at most
// `most`; 0 where there is no such file. kInvalidArgument where it belongs to other data or options, kModelCorrupt
// where it is damaged.
Status read_training_checkpoint(const std::string& path, uint64_t mark, uint32_t most, ShapeModel* model);

}  // namespace lineament
