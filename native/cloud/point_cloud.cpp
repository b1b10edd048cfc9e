#include "cloud/point_cloud.h"

#include <algorithm>
#include <atomic>
#include <cmath>

#include "cloud/ranges.h"

namespace lineament {
namespace {

constexpr size_t kStep = 1 << 15;

}  // namespace

Status check_cloud(const CloudView& cloud, Executor& executor, const CancelToken* token) {
  if (cloud.size > kMostPoints) return Status(Code::kInvalidArgument, "Too many points");
  std::atomic<bool> bad{false};
  const Status done = for_ranges(executor, token, 3 * cloud.size, 3 * kStep, [&](size_t begin, size_t end) {
    float most = 0;
    bool good = true;
    for (size_t i = begin; i < end; ++i) {
      most = std::max(most, std::abs(cloud.positions[i]));
      good &= cloud.positions[i] == cloud.positions[i];
    }
    if (!good || !(most <= kMostCoordinate)) bad = true;
  });
  if (!done.ok()) return done;
  if (!bad) return Status();
  return Status(Code::kInvalidArgument, "Expected coordinates that are finite and within a thousand kilometres");
}

Result<PointCloud> pick_points(const CloudView& cloud, const std::vector<uint32_t>& kept, Executor& executor,
                               const CancelToken* token) {
  PointCloud out;
  out.positions.resize(3 * kept.size());
  if (cloud.normals != nullptr) out.normals.resize(3 * kept.size());
  if (cloud.colours != nullptr) out.colours.resize(3 * kept.size());
  const Status done = for_ranges(executor, token, kept.size(), kStep, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const size_t from = 3 * static_cast<size_t>(kept[i]);
      for (size_t c = 0; c < 3; ++c) {
        out.positions[3 * i + c] = cloud.positions[from + c];
        if (cloud.normals != nullptr) out.normals[3 * i + c] = cloud.normals[from + c];
        if (cloud.colours != nullptr) out.colours[3 * i + c] = cloud.colours[from + c];
      }
    }
  });
  if (!done.ok()) return done;
  return out;
}

}  // namespace lineament
