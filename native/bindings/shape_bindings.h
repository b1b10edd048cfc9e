// The JavaScript face of a shape model.
#pragma once

#include <napi.h>

#include <memory>

#include "landmarks/shape_predictor.h"

namespace lineament::bindings {

// An object with counts, predict(), save() and close(), as NativeShapeModel in lib/native/shape.ts describes it.
Napi::Object wrap_shape_model(Napi::Env env, std::shared_ptr<const ShapePredictor> predictor);

}  // namespace lineament::bindings
