// Points that lie apart from the others: R. B. Rusu et al., "Towards 3D point cloud based object maps for household
// environments", Robotics and Autonomous Systems 56(11), 2008, counted as Open3D counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cloud/point_cloud.h"

namespace lineament {

// Keeps the points whose mean distance to their `neighbours` nearest (the point itself among them, at 0) is not more
// than `ratio` standard deviations above that of all points. Ascending indices. A cloud of identical points is kept.
Result<std::vector<uint32_t>> statistical_inliers(const CloudView& cloud, size_t neighbours, double ratio,
                                                  Executor& executor, const CancelToken* token);

// Keeps the points that have more than `neighbours` points (themselves among them) nearer than `radius`.
Result<std::vector<uint32_t>> radius_inliers(const CloudView& cloud, size_t neighbours, double radius,
                                             Executor& executor, const CancelToken* token);

}  // namespace lineament
