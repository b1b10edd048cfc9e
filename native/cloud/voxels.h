// Fewer points: one for each cube, or none nearer to another than a radius.
#pragma once

#include <cstdint>
#include <vector>

#include "cloud/point_cloud.h"

namespace lineament {

// The mean position, colour and normal (made 1 long again; 0 0 0 where they cancel out) of the points of each cube of
// `size`; the first cube's corner lies half a cube below the lowest coordinates, as Open3D has it. In the order in
// which the cubes' first points come. kInvalidArgument as group_by_cell and check_cloud.
Result<PointCloud> voxel_means(const CloudView& cloud, double size, Executor& executor, const CancelToken* token);

// A Poisson-disk sample of the points (R. L. Cook, "Stochastic sampling in computer graphics", ACM TOG 5(1), 1986, by
// throwing darts): no two of them are nearer than `radius`, and every point is nearer than that to one of them. Darts
// fly cell by cell, in the order that `seed` gives to the points of a cell. Ascending indices.
Result<std::vector<uint32_t>> poisson_disk(const CloudView& cloud, double radius, uint64_t seed, Executor& executor,
                                           const CancelToken* token);

}  // namespace lineament
