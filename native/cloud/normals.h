// Normals of points from those around them: H. Hoppe et al., "Surface reconstruction from unorganized points", SIGGRAPH
// 1992 (the direction in which the neighbours vary least).
#pragma once

#include <cstddef>
#include <vector>

#include "cloud/kd_tree.h"
#include "cloud/point_cloud.h"

namespace lineament {

// More neighbours of a point than this are not looked at.
constexpr size_t kMostNeighbours = 1024;

struct NormalRule {
  size_t neighbours = 30;  // the point itself among them; 3 … kMostNeighbours
  double radius = 0;       // above zero: of these only those within it
  double viewpoint[3] = {0, 0, 0};
};

// 3 n numbers: normals of length 1 that look towards the viewpoint; 0 0 0 where the neighbours are fewer than three, or
// lie on a line.
Result<std::vector<float>> estimate_normals(const CloudView& cloud, const NormalRule& rule, Executor& executor,
                                            const CancelToken* token);
// Of the points that a tree was built of.
Result<std::vector<float>> estimate_normals(const KdTree& tree, const NormalRule& rule, Executor& executor,
                                            const CancelToken* token);

}  // namespace lineament
