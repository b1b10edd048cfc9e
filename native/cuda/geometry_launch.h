// Starting the kernels of geometry (geometry_cuda.cu).
#pragma once

#include <cuda_runtime.h>

#include "cuda/geometry_bodies.h"

namespace lineament::cuda {

cudaError_t launch_project(const ProjectTask& task, cudaStream_t stream);
cudaError_t launch_smooth(const SmoothTask& task, cudaStream_t stream);
cudaError_t launch_fuse(const FuseTask& task, uint32_t blocks, cudaStream_t stream);

}  // namespace lineament::cuda
