// CUDA for JavaScript: what lib/native/cuda.ts describes.
#pragma once

#include <napi.h>

namespace lineament::bindings {

void export_cuda(Napi::Object exports);  // cudaReport, createCudaIndex, openCudaGeometry

}  // namespace lineament::bindings
