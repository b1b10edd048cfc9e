// The bodies of the kernels on the processor, one thread, slowly. For tests: it makes the library that has the same
// interface and no GPU behind it.
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "cuda/device.h"

namespace lineament::cuda {
namespace {

// Calls in one order and then in the other, so that a body which depends on the order does not pass.
struct Block {
  template <typename F>
  void each(uint32_t count, const F& f) const {
    backwards = !backwards;
    for (uint32_t i = 0; i < count; ++i) f(backwards ? count - 1 - i : i);
  }
  mutable bool backwards = false;
};

// A matrix unit of 16 × 16 × 16.
struct Warp : Block {
  struct Sum {
    int32_t values[kTile];
  };
  using RowTile = const int8_t*;
  using QueryTile = const int8_t*;

  void clear(Sum& sum) const { std::memset(sum.values, 0, sizeof(sum.values)); }
  void load(const int8_t*& tile, const int8_t* from) const { tile = from; }
  void multiply(Sum& sum, const int8_t* rows, const int8_t* queries) const {
    for (uint32_t i = 0; i < kTile; ++i) {
      int32_t dot = 0;
      for (uint32_t c = 0; c < kSide; ++c) dot += rows[i / kSide * kSide + c] * queries[i % kSide * kSide + c];
      sum.values[i] += dot;
    }
  }
  const int32_t* lay_out(const Sum& sum) const { return sum.values; }
  uint32_t append(uint32_t* counter) const { return (*counter)++; }
};

class Reference final : public Device {
 public:
  Failure enter() override { return {}; }

  Failure allocate(size_t bytes, void** memory) override {
    *memory = ::operator new (bytes, std::align_val_t{256}, std::nothrow);
    if (*memory == nullptr) return {LINEAMENT_CUDA_OUT_OF_MEMORY, "Out of memory of the host"};
    return {};
  }
  void release(void* memory) override { ::operator delete (memory, std::align_val_t{256}); }

  Failure upload(void* to, const void* from, size_t bytes) override {
    if (bytes > 0) std::memcpy(to, from, bytes);
    return {};
  }
  Failure download(void* to, const void* from, size_t bytes) override { return upload(to, from, bytes); }
  Failure clear(void* memory, size_t bytes) override {
    std::memset(memory, 0, bytes);
    return {};
  }

  Failure place(const PlaceTask& task) override {
    for (uint32_t i = 0; i < task.count; ++i) place_row(Block(), task, i);
    return {};
  }

  Failure compare(const Batch& batch, uint32_t begin, uint32_t end) override {
    Warp warp;
    const uint32_t across = batch.queries <= kSide ? 1 : 4, tiles = (batch.queries + kSide - 1) / kSide;
    for (uint32_t row = begin; row < end; row += kRowsAtOnce) {
      for (uint32_t tile = 0; tile < tiles; tile += across) {
        if (across == 1) {
          compare_tiles<1>(warp, batch, row, end, tile);
        } else {
          compare_tiles<4>(warp, batch, row, end, tile);
        }
      }
    }
    return {};
  }

  Failure score(const Batch& batch) override {
    constexpr uint32_t kBlocks = 3;
    double sums[kThreads];
    for (uint32_t q = 0; q < batch.queries; ++q) {
      for (uint32_t b = 0; b < kBlocks; ++b) {
        score_candidates(Block(), batch, q, b * kScoredAtOnce, kBlocks * kScoredAtOnce, sums);
      }
    }
    return {};
  }

  Failure merge(const Batch& batch) override {
    std::vector<Hit> shared(kSharedHits);
    for (uint32_t q = 0; q < batch.queries; ++q) merge_found(Block(), batch, q, shared.data());
    return {};
  }

  Failure project(const ProjectTask& task) override {
    for (uint64_t i = uint64_t{task.width} * task.height; i-- > 0;) project_pixel(task, i);
    return {};
  }

  Failure smooth(const SmoothTask& task) override {
    for (uint64_t i = uint64_t{task.width} * task.height; i-- > 0;) smooth_pixel(task, i);
    return {};
  }

  Failure fuse(const FuseTask& task, uint32_t blocks) override {
    for (uint32_t block = 0; block < blocks; ++block) {
      uint32_t changed = 0;
      for (uint32_t i = kBlockVoxels; i-- > 0;) changed += fuse_one(task, block, i) ? 1 : 0;
      task.changed[block] = changed;
    }
    return {};
  }
};

Failure no_such_device(int32_t ordinal) {
  return {LINEAMENT_CUDA_NO_DEVICE, "There is no device " + std::to_string(ordinal)};
}

}  // namespace

Failure probe(lineament_cuda_platform* platform) {
  platform->devices = 1;
  platform->reference = 1;
  return {};
}

Failure describe(int32_t ordinal, lineament_cuda_device* device) {
  if (ordinal != 0) return no_such_device(ordinal);
  std::strcpy(device->name, "reference (no GPU: the kernels' bodies on the processor)");
  device->multiprocessors = 1;
  device->usable = 1;
  return {};
}

Failure open_device(int32_t ordinal, std::unique_ptr<Device>* device) {
  if (ordinal != 0) return no_such_device(ordinal);
  *device = std::make_unique<Reference>();
  return {};
}

}  // namespace lineament::cuda
