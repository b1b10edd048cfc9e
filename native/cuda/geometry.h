// Depth maps and volumes on one device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda/device.h"
#include "cuda/store.h"

namespace lineament::cuda {

// Calls take turns. What they say: include/lineament_cuda.h.
class Geometry {
 public:
  Geometry(std::unique_ptr<Device> device, uint64_t most_bytes);

  uint64_t bytes();
  Failure project(const lineament_cuda_projection& projection, float* points, float* normals);
  Failure smooth(const lineament_cuda_smoothing& smoothing, float* out);

 private:
  friend class Volume;

  // Memory that stays for the next call.
  class Scratch {
   public:
    explicit Scratch(Memory* memory) : loan_(memory) {}
    Failure need(size_t bytes);
    template <typename T>
    T* as() const {
      return reinterpret_cast<T*>(loan_.data());
    }

   private:
    Loan loan_;
    size_t bytes_ = 0;
  };

  Failure enter();
  Failure note(Failure failure);
  Failure send(Scratch& to, const void* from, size_t bytes);
  Failure run(const lineament_cuda_projection& projection, float* points, float* normals);
  Failure run(const lineament_cuda_smoothing& smoothing, float* out);

  std::mutex mutex_;
  const std::unique_ptr<Device> device_;
  Memory memory_;
  Scratch first_, second_, third_, fourth_;
  Failure broken_;  // after the device failed nothing is asked of it any more
};

class Volume {
 public:
  Volume(std::shared_ptr<Geometry> geometry, bool coloured) : geometry_(std::move(geometry)), coloured_(coloured) {}
  ~Volume();
  Volume(const Volume&) = delete;
  Volume& operator=(const Volume&) = delete;

  Failure grow(size_t blocks);
  Failure fuse(const lineament_cuda_view& view, uint32_t* changed);
  Failure read(size_t first, size_t blocks, float* voxels, float* colours);

 private:
  // Blocks that came at one time.
  struct Piece {
    size_t first, blocks;
    Voxel* voxels;
    VoxelColour* colours;  // or null
  };

  Failure run(const lineament_cuda_view& view, uint32_t* changed);
  Failure copy(size_t first, size_t blocks, float* voxels, float* colours);

  const std::shared_ptr<Geometry> geometry_;
  const bool coloured_;
  std::vector<Piece> pieces_;
  size_t blocks_ = 0;
};

}  // namespace lineament::cuda
