// Several depth maps in one truncated signed distance function (mesh/tsdf_body.h has the papers).
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/marching_cubes.h"
#include "mesh/triangle_mesh.h"
#include "mesh/tsdf_body.h"

namespace lineament {

struct VolumeOptions {
  std::array<double, 3> low{}, high{};  // what is kept, millimetres in the world's frame
  double voxel = 2;                     // side of a voxel, millimetres
  double truncation = 8;                // at least two voxels
  double carve = 0;  // free space is noted as far as this in front of the surface; at least truncation
  double max_weight = 255;
  bool coloured = true;
  uint64_t max_bytes = uint64_t{1} << 30;
};

// A row-major 4 × 4 rigid transform: X_camera = pose · X_world.
using Pose = std::array<double, 16>;
constexpr Pose kIdentityPose = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
// kInvalidArgument where it is not rigid to within 1e-3.
Status check_pose(const Pose& pose);

// Borrowed.
struct FusionFrame {
  const float* depth = nullptr;       // width × height millimetres, NaN: unknown
  const float* confidence = nullptr;  // 0 to 1, or null: 1 everywhere
  const uint8_t* rgb = nullptr;       // width × height × 3, or null
  int width = 0, height = 0;
  double fx = 0, fy = 0, cx = 0, cy = 0;
  Pose pose = kIdentityPose;
};

struct IntegrateReport {
  size_t blocks = 0;  // that the frame could change
  size_t voxels = 0;  // that it changed
};

// Depth samples with weights (confidence × cosine² of the viewing angle, 0 beyond some 75°) and slopes. kAborted,
// kInvalidArgument (a depth that is not above zero).
Status prepare_view(const FusionFrame& frame, Executor& executor, const CancelToken* token,
                    std::vector<DepthSample>* samples);

// The box around a frame's points, in the world's frame. kNoSurface where no pixel is known, kInvalidArgument.
Status frame_bounds(const FusionFrame& frame, std::array<double, 3>* low, std::array<double, 3>* high);

// Where the voxels of a volume are fused, if not by the processor: a CUDA device (native/device). Blocks are numbered
// in the order in which they came; kBlockSamples voxels each. The volume makes one call at a time.
class VoxelDevice {
 public:
  virtual ~VoxelDevice() = default;
  // Adds blocks that nothing is known of. Nothing has changed where it fails.
  virtual Status grow(size_t blocks) = 0;
  // starts: where the first voxel of each block lies in the camera's frame. changed: how many voxels of each block
  // were.
  virtual Status fuse(const FusionView& view, const FusionRule& rule, float voxel, const std::vector<float>& starts,
                      std::vector<uint32_t>* changed) = 0;
  // colours may be null.
  virtual Status read(size_t first, size_t blocks, Voxel* voxels, VoxelColour* colours) = 0;
};

// Voxels in blocks of 8³, of which only those near surfaces exist; a directory over the bounds finds them. Thread-safe;
// calls take turns.
class TsdfVolume {
 public:
  // kInvalidArgument (numbers that make no sense, or a directory that alone would pass max_bytes; the message has the
  // bytes).
  // device: where frames are fused, or null for the processor. Its failures are passed on.
  static Result<std::shared_ptr<TsdfVolume>> make(const VolumeOptions& options,
                                                  std::unique_ptr<VoxelDevice> device = nullptr);

  // A frame is fused as a whole or, where this fails, not at all. The same bytes for any number of threads.
  // kInvalidArgument, kAborted, kOutOfMemory (the message has the bytes needed), kNoSurface (no pixel falls within the
  // bounds).
  Status integrate(const FusionFrame& frame, Executor& executor, const CancelToken* token, IntegrateReport* report);

  // The surface between voxels that have at least `min_weight`. kNoSurface where there is none, kAborted, kOutOfMemory.
  Status extract(double min_weight, Executor& executor, const CancelToken* token, TriangleMesh* mesh) const;

  const VolumeOptions& options() const { return options_; }
  size_t blocks() const;
  uint64_t bytes() const;

 private:
  friend class TsdfField;
  struct Block {
    std::array<Voxel, kBlockSamples> voxels{};
    std::unique_ptr<std::array<VoxelColour, kBlockSamples>> colours;
  };

  TsdfVolume(const VolumeOptions& options, std::unique_ptr<VoxelDevice> device);
  uint64_t block_bytes() const;
  size_t cell(const std::array<int, 3>& at) const;
  Status mark(const FusionFrame& frame, const std::vector<DepthSample>& samples, Executor& executor,
              const CancelToken* token, std::vector<uint8_t>* marks) const;
  Status allocate(const std::vector<uint8_t>& marks);
  void block_start(size_t index, const FusionView& view, float start[3]) const;
  size_t fuse_block(size_t index, const FusionView& view, const FusionRule& rule);
  Status fuse_on_device(const FusionView& view, const FusionRule& rule, IntegrateReport* report);
  Status fetch() const;  // what the device has fused since the last time

  const VolumeOptions options_;
  std::array<int, 3> size_{};  // in blocks
  mutable std::mutex mutex_;
  std::vector<int32_t> directory_;          // block number or −1; x runs fastest
  std::vector<std::array<int, 3>> places_;  // of blocks
  std::vector<std::unique_ptr<Block>> blocks_;
  std::atomic<size_t> block_count_{0};  // of blocks_, for those who must not wait
  const std::unique_ptr<VoxelDevice> device_;
  size_t device_blocks_ = 0;
  mutable bool stale_ = false;  // the device knows more than blocks_
};

}  // namespace lineament
