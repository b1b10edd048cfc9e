// A volume whose voxels are fused on a device.
#include <algorithm>
#include <new>

#include "mesh/tsdf.h"

namespace lineament {

Status TsdfVolume::fuse_on_device(const FusionView& view, const FusionRule& rule, IntegrateReport* report) {
  Status done = device_->grow(blocks_.size() - device_blocks_);
  if (!done.ok()) return done;
  device_blocks_ = blocks_.size();
  try {
    std::vector<float> starts(3 * blocks_.size());
    for (size_t i = 0; i < blocks_.size(); ++i) block_start(i, view, starts.data() + 3 * i);
    std::vector<uint32_t> changed;
    stale_ = true;
    done = device_->fuse(view, rule, static_cast<float>(options_.voxel), starts, &changed);
    *report = {};
    for (const uint32_t here : changed) {
      report->blocks += here > 0 ? 1 : 0;
      report->voxels += here;
    }
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for a depth map");
  }
  return done;
}

Status TsdfVolume::fetch() const {
  if (!stale_) return Status();
  constexpr size_t kAtOnce = 256;
  try {
    std::vector<Voxel> voxels(kAtOnce * kBlockSamples);
    std::vector<VoxelColour> colours(options_.coloured ? kAtOnce * kBlockSamples : 0);
    for (size_t first = 0; first < device_blocks_; first += kAtOnce) {
      const size_t many = std::min(kAtOnce, device_blocks_ - first);
      const Status done = device_->read(first, many, voxels.data(), options_.coloured ? colours.data() : nullptr);
      if (!done.ok()) return done;
      for (size_t i = 0; i < many; ++i) {
        Block& block = *blocks_[first + i];
        std::copy_n(voxels.data() + i * kBlockSamples, kBlockSamples, block.voxels.data());
        if (block.colours) std::copy_n(colours.data() + i * kBlockSamples, kBlockSamples, block.colours->data());
      }
    }
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for a volume");
  }
  stale_ = false;
  return Status();
}

}  // namespace lineament
