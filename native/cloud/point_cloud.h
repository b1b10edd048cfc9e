// Points in space, as all of reconstruction passes them on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"

namespace lineament {

// Three numbers for each point, in millimetres; the frame is the caller's. Empty vectors stand for what is not known.
struct PointCloud {
  std::vector<float> positions;  // 3 n, finite
  std::vector<float> normals;    // 3 n of length 1 (0 0 0: none), or empty
  std::vector<uint8_t> colours;  // 3 n RGB, or empty

  size_t size() const { return positions.size() / 3; }
};

// A cloud that somebody else owns; null stands for what is not known.
struct CloudView {
  const float* positions = nullptr;
  const float* normals = nullptr;
  const uint8_t* colours = nullptr;
  size_t size = 0;
};

inline CloudView view(const PointCloud& cloud) {
  return {cloud.positions.data(), cloud.normals.empty() ? nullptr : cloud.normals.data(),
          cloud.colours.empty() ? nullptr : cloud.colours.data(), cloud.size()};
}

// The most points of a cloud, and the largest coordinate either way (1 000 km: squares of distances then fit a float).
constexpr size_t kMostPoints = size_t{1} << 27;
constexpr float kMostCoordinate = 1e9F;

// kInvalidArgument where there are too many points, or a coordinate is not finite or too large; kAborted.
Status check_cloud(const CloudView& cloud, Executor& executor, const CancelToken* token);

// The named points, in their order.
Result<PointCloud> pick_points(const CloudView& cloud, const std::vector<uint32_t>& kept, Executor& executor,
                               const CancelToken* token);

}  // namespace lineament
