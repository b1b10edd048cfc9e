// The surface of a volume.
#include <algorithm>
#include <cmath>
#include <limits>

#include "mesh/tsdf.h"

namespace lineament {

// The volume as marching cubes see it.
class TsdfField final : public BlockField {
 public:
  TsdfField(const TsdfVolume& volume, float min_weight) : volume_(volume), min_weight_(min_weight) {}

  size_t blocks() const override { return volume_.blocks_.size(); }
  std::array<int, 3> place(size_t i) const override { return volume_.places_[i]; }

  ptrdiff_t find(int bx, int by, int bz) const override {
    if (bx < 0 || by < 0 || bz < 0 || bx >= volume_.size_[0] || by >= volume_.size_[1] || bz >= volume_.size_[2])
      return -1;
    return volume_.directory_[volume_.cell({bx, by, bz})];
  }

  bool halo(size_t i, float* values) const override {
    const std::array<int, 3> at = volume_.places_[i];
    const TsdfVolume::Block* around[27];
    for (int n = 0; n < 27; ++n) {
      const ptrdiff_t found = find(at[0] + n % 3 - 1, at[1] + n / 3 % 3 - 1, at[2] + n / 9 - 1);
      around[n] = found < 0 ? nullptr : volume_.blocks_[static_cast<size_t>(found)].get();
    }
    for (int z = -1; z <= kBlockSide + 1; ++z) {
      for (int y = -1; y <= kBlockSide + 1; ++y) {
        for (int x = -1; x <= kBlockSide + 1; ++x) {
          const int n = step(x) + 3 * step(y) + 9 * step(z);
          const TsdfVolume::Block* block = around[n];
          float value = std::numeric_limits<float>::quiet_NaN();
          if (block != nullptr) {
            const Voxel& voxel =
                block->voxels[static_cast<size_t>(((z & 7) * kBlockSide + (y & 7)) * kBlockSide + (x & 7))];
            if (voxel.weight >= min_weight_) value = voxel.distance;
          }
          *values++ = value;
        }
      }
    }
    return true;
  }

  bool coloured() const override { return volume_.options_.coloured; }

  bool colour(int x, int y, int z, float* rgb) const override {
    const ptrdiff_t found = find(x >> 3, y >> 3, z >> 3);
    if (found < 0) return false;
    const auto& colours = volume_.blocks_[static_cast<size_t>(found)]->colours;
    if (!colours) return false;
    const VoxelColour& at = (*colours)[static_cast<size_t>(((z & 7) * kBlockSide + (y & 7)) * kBlockSide + (x & 7))];
    if (!(at.weight > 0)) return false;
    rgb[0] = at.red;
    rgb[1] = at.green;
    rgb[2] = at.blue;
    return true;
  }

 private:
  // 0, 1, 2: the block before, this one, the next.
  static int step(int x) { return x < 0 ? 0 : x < kBlockSide ? 1 : 2; }

  const TsdfVolume& volume_;
  const float min_weight_;
};

static_assert(kBlockSide == 8);

Status TsdfVolume::extract(double min_weight, Executor& executor, const CancelToken* token, TriangleMesh* mesh) const {
  if (!std::isfinite(min_weight)) return Status(Code::kInvalidArgument, "A weight is not finite");
  const std::lock_guard<std::mutex> lock(mutex_);
  // A voxel without weight was never seen, whatever is asked for.
  const float least = std::max(static_cast<float>(min_weight), 1e-6f);
  const Status fetched = fetch();
  if (!fetched.ok()) return fetched;
  GridFrame frame;
  frame.origin = options_.low;
  frame.spacing = options_.voxel;
  const Status done = march(TsdfField(*this, least), frame, executor, token, mesh);
  if (done.ok() && mesh->indices.empty()) return Status(Code::kNoSurface, "There is no surface in this volume");
  return done;
}

}  // namespace lineament
