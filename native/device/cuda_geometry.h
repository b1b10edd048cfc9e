// Geometry on a CUDA device: points and normals of depth maps, and the fusion of volumes. The plugin (native/cuda) runs
// the bodies that the processor's code runs, so both give the same: to the last bit where the processor rounds products
// and sums one by one (x86-64), within a few units of the last place elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cloud/project.h"
#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "depth/bilateral.h"
#include "mesh/tsdf.h"
#include "search/cuda_plugin.h"

namespace lineament {

// Thread-safe; calls, those of its volumes included, take turns. kOutOfMemory speaks of the device too and leaves it
// usable; after kInternal the device has failed.
class CudaGeometry : public std::enable_shared_from_this<CudaGeometry> {
 public:
  // device: which of cuda_report's. most_bytes: of device memory, 0: all there is. kProviderUnavailable with the reason
  // and what to do.
  static Result<std::shared_ptr<CudaGeometry>> open(const std::string& library, int device, uint64_t most_bytes);
  ~CudaGeometry();
  CudaGeometry(const CudaGeometry&) = delete;
  CudaGeometry& operator=(const CudaGeometry&) = delete;

  uint64_t bytes() const;  // of device memory

  // As project_depth and depth_normals (cloud/project.h).
  Result<Projected> project(const DepthView& map, float least_confidence, const ColourView* colours,
                            const NormalWindow* window, Executor& executor, const CancelToken* token);
  Result<std::vector<float>> normals(const DepthView& map, float least_confidence, const NormalWindow& window,
                                     const CancelToken* token);

  // As filter_depth (depth/bilateral.h), whose vectors round once where this rounds twice.
  Status filter(const float* depth, int width, int height, const BilateralOptions& options, const CancelToken* token,
                float* out);

  // For TsdfVolume::make; keeps this alive.
  Result<std::unique_ptr<VoxelDevice>> volume(bool coloured);

 private:
  CudaGeometry(std::shared_ptr<const CudaPlugin> plugin, lineament_cuda_geometry* geometry)
      : plugin_(std::move(plugin)), geometry_(geometry) {}
  Status points(const DepthView& map, float least_confidence, const NormalWindow* window, std::vector<float>* points,
                std::vector<float>* normals);

  const std::shared_ptr<const CudaPlugin> plugin_;
  lineament_cuda_geometry* const geometry_;
};

}  // namespace lineament
