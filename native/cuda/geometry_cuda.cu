// The bodies of geometry on a CUDA device. Compiled without contraction of products and sums, so that it rounds as the
// processor does: these kernels wait for memory, not for arithmetic.
#include <algorithm>

#include "cuda/geometry_launch.h"

namespace lineament::cuda {
namespace {

constexpr uint32_t kMostBlocks = 65535;

// Calls body(i) for each pixel.
template <typename F>
__device__ void each_pixel(uint32_t width, uint32_t height, const F& body) {
  const uint64_t pixels = static_cast<uint64_t>(width) * height, step = static_cast<uint64_t>(gridDim.x) * blockDim.x;
  for (uint64_t i = static_cast<uint64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < pixels; i += step) body(i);
}

uint32_t blocks_for(uint32_t width, uint32_t height) {
  const uint64_t blocks = (static_cast<uint64_t>(width) * height + kThreads - 1) / kThreads;
  return static_cast<uint32_t>(std::min<uint64_t>(blocks, kMostBlocks));
}

__global__ void __launch_bounds__(kThreads) project_kernel(ProjectTask task) {
  each_pixel(task.width, task.height, [&](uint64_t i) { project_pixel(task, i); });
}

__global__ void __launch_bounds__(kThreads) smooth_kernel(SmoothTask task) {
  each_pixel(task.width, task.height, [&](uint64_t i) { smooth_pixel(task, i); });
}

// A block of threads for a block of voxels: neighbours in a row read neighbouring pixels.
__global__ void __launch_bounds__(kBlockVoxels) fuse_kernel(FuseTask task, uint32_t blocks) {
  for (uint32_t block = blockIdx.x; block < blocks; block += gridDim.x) {
    const int changed = __syncthreads_count(fuse_one(task, block, threadIdx.x) ? 1 : 0);
    if (threadIdx.x == 0) task.changed[block] = static_cast<uint32_t>(changed);
  }
}

}  // namespace

cudaError_t launch_project(const ProjectTask& task, cudaStream_t stream) {
  project_kernel<<<blocks_for(task.width, task.height), kThreads, 0, stream>>>(task);
  return cudaGetLastError();
}

cudaError_t launch_smooth(const SmoothTask& task, cudaStream_t stream) {
  smooth_kernel<<<blocks_for(task.width, task.height), kThreads, 0, stream>>>(task);
  return cudaGetLastError();
}

cudaError_t launch_fuse(const FuseTask& task, uint32_t blocks, cudaStream_t stream) {
  fuse_kernel<<<std::min(blocks, kMostBlocks), kBlockVoxels, 0, stream>>>(task, blocks);
  return cudaGetLastError();
}

}  // namespace lineament::cuda
