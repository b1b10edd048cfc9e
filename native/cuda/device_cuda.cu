// The bodies of the kernels on a CUDA device. Only this file and geometry_cuda.cu see CUDA.
#include <cuda_runtime.h>
#include <mma.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "cuda/device.h"
#include "cuda/geometry_launch.h"

namespace lineament::cuda {
namespace {

constexpr uint32_t kWarp = 32;
constexpr uint32_t kWarps = kThreads / kWarp;
static_assert(kWarps * kRowsAtOnce == kRangeRows);

struct Block {
  template <typename F>
  __device__ void each(uint32_t count, const F& f) const {
    for (uint32_t i = threadIdx.x; i < count; i += blockDim.x) f(i);
    __syncthreads();
  }
};

// The int8 matrix unit (compute capability 7.2 and later); sums are exact 32-bit integers. Tiles are 256 contiguous
// bytes on a multiple of 256, and coordinates of a query lie side by side: column by column in the unit's words.
class Warp {
 public:
  using RowTile = nvcuda::wmma::fragment<nvcuda::wmma::matrix_a, 16, 16, 16, signed char, nvcuda::wmma::row_major>;
  using QueryTile = nvcuda::wmma::fragment<nvcuda::wmma::matrix_b, 16, 16, 16, signed char, nvcuda::wmma::col_major>;
  using Sum = nvcuda::wmma::fragment<nvcuda::wmma::accumulator, 16, 16, 16, int>;

  // stage: kTile numbers of this warp's own, on a multiple of 32 bytes.
  __device__ explicit Warp(int32_t* stage) : stage_(stage) {}

  __device__ void clear(Sum& sum) const { nvcuda::wmma::fill_fragment(sum, 0); }
  template <typename Tile>
  __device__ void load(Tile& tile, const int8_t* from) const {
    nvcuda::wmma::load_matrix_sync(tile, reinterpret_cast<const signed char*>(from), kSide);
  }
  __device__ void multiply(Sum& sum, const RowTile& rows, const QueryTile& queries) const {
    nvcuda::wmma::mma_sync(sum, rows, queries, sum);
  }
  __device__ const int32_t* lay_out(const Sum& sum) const {
    nvcuda::wmma::store_matrix_sync(stage_, sum, kSide, nvcuda::wmma::mem_row_major);
    __syncwarp();
    return stage_;
  }
  template <typename F>
  __device__ void each(uint32_t count, const F& f) const {
    for (uint32_t i = threadIdx.x % kWarp; i < count; i += kWarp) f(i);
    __syncwarp();
  }
  __device__ uint32_t append(uint32_t* counter) const { return atomicAdd(counter, 1u); }

 private:
  int32_t* stage_;
};

__global__ void __launch_bounds__(kThreads) place_kernel(PlaceTask task) {
  for (uint32_t i = blockIdx.x; i < task.count; i += gridDim.x) place_row(Block(), task, i);
}

// Blocks beside each other in x have the same rows: these then come out of the second-level cache.
template <uint32_t kAcross>
__global__ void __launch_bounds__(kThreads) compare_kernel(Batch batch, uint32_t begin, uint32_t end) {
  __shared__ alignas(256) int32_t stages[kWarps][kTile];
  const uint32_t warp_index = threadIdx.x / kWarp;
  const uint32_t row = begin + blockIdx.y * kRangeRows + warp_index * kRowsAtOnce;
  if (row >= end) return;
  Warp warp(stages[warp_index]);
  compare_tiles<kAcross>(warp, batch, row, end, blockIdx.x * kAcross);
}

__global__ void __launch_bounds__(kThreads) score_kernel(Batch batch) {
  __shared__ double sums[kThreads];
  score_candidates(Block(), batch, blockIdx.y, blockIdx.x * kScoredAtOnce, gridDim.x * kScoredAtOnce, sums);
}

__global__ void __launch_bounds__(kThreads) merge_kernel(Batch batch) {
  __shared__ alignas(16) unsigned char shared[kSharedHits * sizeof(Hit)];
  merge_found(Block(), batch, blockIdx.x, reinterpret_cast<Hit*>(shared));
}

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

Failure failure_of(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return {};
  int32_t code = LINEAMENT_CUDA_FAILED;
  if (error == cudaErrorMemoryAllocation) code = LINEAMENT_CUDA_OUT_OF_MEMORY;
  if (error == cudaErrorInsufficientDriver) code = LINEAMENT_CUDA_NO_DRIVER;
  if (error == cudaErrorNoDevice || error == cudaErrorInvalidDevice) code = LINEAMENT_CUDA_NO_DEVICE;
  cudaGetLastError();  // what was reported is not reported again
  return {code, std::string(what) + ": " + cudaGetErrorString(error) + " (CUDA error " + std::to_string(error) + ")"};
}

class Cuda final : public Device {
 public:
  explicit Cuda(int ordinal) : ordinal_(ordinal) {}
  ~Cuda() override {
    if (stream_ != nullptr && cudaSetDevice(ordinal_) == cudaSuccess) cudaStreamDestroy(stream_);
  }

  Failure open() {
    Failure failure = enter();
    if (failure.failed()) return failure;
    int direct = 0;
    cudaDeviceGetAttribute(&direct, cudaDevAttrPageableMemoryAccessUsesHostPageTables, ordinal_);
    reads_host_ = direct != 0;
    return failure_of(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "Making a stream");
  }

  Failure enter() override { return failure_of(cudaSetDevice(ordinal_), "Choosing the device"); }

  Failure allocate(size_t bytes, void** memory) override {
    return failure_of(cudaMalloc(memory, bytes), "Taking device memory");
  }
  void release(void* memory) override {
    if (cudaSetDevice(ordinal_) == cudaSuccess) cudaFree(memory);  // waits for what uses it
  }

  // Pageable memory is staged before the call returns, unless the device can read it where it lies.
  Failure upload(void* to, const void* from, size_t bytes) override {
    if (bytes == 0) return {};
    const cudaError_t copied = cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_);
    return failure_of(copied == cudaSuccess && reads_host_ ? cudaStreamSynchronize(stream_) : copied,
                      "Copying to the device");
  }
  Failure download(void* to, const void* from, size_t bytes) override {
    if (bytes == 0) return {};
    const cudaError_t copied = cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_);
    return failure_of(copied == cudaSuccess ? cudaStreamSynchronize(stream_) : copied, "Copying from the device");
  }
  Failure clear(void* memory, size_t bytes) override {
    return failure_of(cudaMemsetAsync(memory, 0, bytes, stream_), "Clearing device memory");
  }

  Failure place(const PlaceTask& task) override {
    place_kernel<<<std::min<uint32_t>(task.count, 65535), kThreads, 0, stream_>>>(task);
    return failure_of(cudaGetLastError(), "Writing rows");
  }

  Failure compare(const Batch& batch, uint32_t begin, uint32_t end) override {
    constexpr uint32_t kMostRanges = 65535;  // of a grid in y
    const uint32_t tiles = (batch.queries + kSide - 1) / kSide;
    for (uint64_t from = begin; from < end; from += uint64_t{kMostRanges} * kRangeRows) {
      const uint64_t ranges = std::min<uint64_t>(kMostRanges, (end - from + kRangeRows - 1) / kRangeRows);
      const auto first = static_cast<uint32_t>(from), many = static_cast<uint32_t>(ranges);
      if (tiles == 1) {
        compare_kernel<1><<<dim3(1, many), kThreads, 0, stream_>>>(batch, first, end);
      } else {
        compare_kernel<4><<<dim3((tiles + 3) / 4, many), kThreads, 0, stream_>>>(batch, first, end);
      }
    }
    return failure_of(cudaGetLastError(), "Comparing");
  }

  Failure score(const Batch& batch) override {
    score_kernel<<<dim3(batch.queries < 64 ? 64 : 8, batch.queries), kThreads, 0, stream_>>>(batch);
    return failure_of(cudaGetLastError(), "Scoring");
  }

  Failure merge(const Batch& batch) override {
    merge_kernel<<<batch.queries, kThreads, 0, stream_>>>(batch);
    return failure_of(cudaGetLastError(), "Merging");
  }

  Failure project(const ProjectTask& task) override { return failure_of(launch_project(task, stream_), "Projecting"); }
  Failure smooth(const SmoothTask& task) override { return failure_of(launch_smooth(task, stream_), "Smoothing"); }
  Failure fuse(const FuseTask& task, uint32_t blocks) override {
    return failure_of(launch_fuse(task, blocks, stream_), "Fusing");
  }

 private:
  const int ordinal_;
  cudaStream_t stream_ = nullptr;
  bool reads_host_ = false;
};

}  // namespace

Failure probe(lineament_cuda_platform* platform) {
  int driver = 0, runtime = 0, devices = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) driver = 0;
  if (cudaRuntimeGetVersion(&runtime) != cudaSuccess) runtime = CUDART_VERSION;
  platform->driver_version = driver;
  platform->runtime_version = runtime;
  Failure failure = failure_of(cudaGetDeviceCount(&devices), "Counting devices");
  if (failure.code == LINEAMENT_CUDA_NO_DRIVER) {
    failure.message = driver == 0
                          ? "No NVIDIA driver was found; one for CUDA " + version_text(runtime) + " or later is needed"
                          : "The NVIDIA driver is for CUDA " + version_text(driver) + ", one for CUDA " +
                                version_text(runtime) + " or later is needed";
  }
  if (failure.failed()) return failure;
  platform->devices = devices;
  if (devices == 0) return {LINEAMENT_CUDA_NO_DEVICE, "The driver knows no device"};
  return failure;
}

Failure describe(int32_t ordinal, lineament_cuda_device* device) {
  cudaDeviceProp properties;
  Failure failure = failure_of(cudaGetDeviceProperties(&properties, ordinal), "Asking about the device");
  if (failure.failed()) return failure;
  std::memcpy(device->name, properties.name, std::min(std::strlen(properties.name), sizeof(device->name) - 1));
  device->major = properties.major;
  device->minor = properties.minor;
  device->multiprocessors = properties.multiProcessorCount;
  device->memory = properties.totalGlobalMem;
  failure = failure_of(cudaSetDevice(ordinal), "Choosing the device");
  if (failure.failed()) return failure;
  size_t free_bytes = 0, all = 0;
  failure = failure_of(cudaMemGetInfo(&free_bytes, &all), "Asking for the device's memory");
  if (failure.failed()) return failure;
  device->free_memory = free_bytes;
  cudaFuncAttributes attributes;
  device->usable = cudaFuncGetAttributes(&attributes, compare_kernel<1>) == cudaSuccess ? 1 : 0;
  cudaGetLastError();
  return {};
}

Failure open_device(int32_t ordinal, std::unique_ptr<Device>* device) {
  lineament_cuda_platform platform{};
  Failure failure = probe(&platform);
  if (failure.failed()) return failure;
  lineament_cuda_device what{};
  failure = describe(ordinal, &what);
  if (failure.failed()) return failure;
  if (what.usable == 0) {
    return {LINEAMENT_CUDA_NO_DEVICE, std::string(what.name) + " has compute capability " + std::to_string(what.major) +
                                          "." + std::to_string(what.minor) + ", 7.5 or later is needed"};
  }
  auto made = std::make_unique<Cuda>(ordinal);
  failure = made->open();
  if (!failure.failed()) *device = std::move(made);
  return failure;
}

}  // namespace lineament::cuda
