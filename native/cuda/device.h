// What stores and geometry ask of the place where their data lie. One implementation is a CUDA device (device_cuda.cu),
// the other the processor (device_reference.cpp), which runs the same bodies for tests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "cuda/bodies.h"
#include "cuda/geometry_bodies.h"

namespace lineament::cuda {

// code 0: none.
struct Failure {
  int32_t code = LINEAMENT_CUDA_OK;
  std::string message;
  bool failed() const { return code != LINEAMENT_CUDA_OK; }
};

// Calls come from one thread at a time. Work is done in the order in which it was asked for; download() waits for it.
class Device {
 public:
  virtual ~Device() = default;

  // Makes the calling thread use this device. Before each series of calls.
  virtual Failure enter() = 0;

  virtual Failure allocate(size_t bytes, void** memory) = 0;
  virtual void release(void* memory) = 0;
  // `from` may be changed as soon as it returns.
  virtual Failure upload(void* to, const void* from, size_t bytes) = 0;
  virtual Failure download(void* to, const void* from, size_t bytes) = 0;
  virtual Failure clear(void* memory, size_t bytes) = 0;

  virtual Failure place(const PlaceTask& task) = 0;
  // Rows begin … end of the slots; begin is a multiple of kRangeRows.
  virtual Failure compare(const Batch& batch, uint32_t begin, uint32_t end) = 0;
  virtual Failure score(const Batch& batch) = 0;
  virtual Failure merge(const Batch& batch) = 0;

  virtual Failure project(const ProjectTask& task) = 0;
  virtual Failure smooth(const SmoothTask& task) = 0;
  virtual Failure fuse(const FuseTask& task, uint32_t blocks) = 0;
};

Failure probe(lineament_cuda_platform* platform);
Failure describe(int32_t ordinal, lineament_cuda_device* device);
Failure open_device(int32_t ordinal, std::unique_ptr<Device>* device);

}  // namespace lineament::cuda
