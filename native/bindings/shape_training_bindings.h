// trainShapeModel.
#pragma once

#include <napi.h>

namespace lineament::bindings {

void export_shape_training(Napi::Object exports);

}  // namespace lineament::bindings
