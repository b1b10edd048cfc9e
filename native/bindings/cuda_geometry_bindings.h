// Geometry on a CUDA device for JavaScript: what lib/native/cuda.ts describes.
#pragma once

#include <napi.h>

#include <memory>

#include "bindings/values.h"
#include "device/cuda_geometry.h"

namespace lineament::bindings {

struct CudaGeometryTag {
  static constexpr napi_type_tag kTag = {0x6c696e65616d656eULL, 0x4375646147656f6dULL};
  static constexpr const char* kName = "NativeCudaGeometry";
};
using CudaGeometryHandle = Handle<CudaGeometry, CudaGeometryTag>;

// The option `cuda` of an object: where the work is to be done. Null: on the processor.
inline std::shared_ptr<CudaGeometry> cuda_in(const Napi::Object& options) {
  const Napi::Value value = options.Get("cuda");
  if (value.IsUndefined() || value.IsNull()) return nullptr;
  return CudaGeometryHandle::get(value);
}

void export_cuda_geometry(Napi::Object exports);  // openCudaGeometry

}  // namespace lineament::bindings
