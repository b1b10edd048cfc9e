// Rigid registration of two clouds: Y. Chen, G. Medioni, "Object modelling by registration of multiple range images",
// Image and Vision Computing 10(3), 1992 (points to tangent planes), with M-estimators.
#pragma once

#include <cstddef>
#include <vector>

#include "cloud/point_cloud.h"

namespace lineament {

// Row by row; a point p goes to rotation·p + translation.
struct RigidTransform {
  double rotation[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  double translation[3] = {};
};

enum class RobustLoss { kNone, kHuber, kTukey };

// One step from coarse to fine.
struct IcpLevel {
  double voxel = 0;         // mm; the source is thinned to this; 0: not at all
  double max_distance = 0;  // mm; points with nothing nearer in the target do not count
  double loss_scale = 0;    // mm; Huber's or Tukey's constant; 0: a quarter of max_distance
  size_t max_iterations = 100;
};

struct IcpRule {
  std::vector<IcpLevel> levels;  // 1 … 16
  RobustLoss loss = RobustLoss::kTukey;
  RigidTransform start;
  // A level ends when an iteration turns the source by less than this (radians) and moves its middle by less (mm).
  double least_turn = 1e-5, least_shift = 1e-3;
};

struct IcpResult {
  RigidTransform transform;  // takes the source to the target
  // Of the whole source, thinned as in the last level: share that has a target point within its max_distance, and the
  // root mean square of the distances of these to the tangent planes there (mm).
  double fitness = 0, inlier_rmse = 0;
  size_t iterations = 0;
  bool converged = false;  // the last level ended by itself
};

// `target` needs normals; points of it whose normal is 0 0 0 do not count. kNoSurface where either cloud is empty or
// has fewer than three points, kInvalidArgument, kAborted.
Result<IcpResult> register_clouds(const CloudView& source, const CloudView& target, const IcpRule& rule,
                                  Executor& executor, const CancelToken* token);

}  // namespace lineament
