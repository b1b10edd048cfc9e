// Open3D's point clouds, behind a face of their own: its headers are compiled apart, with their warnings off.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

// Of a copy of 3 × count coordinates.
void* open3d_peer_make(const float* positions, size_t count);
void open3d_peer_free(void* cloud);

// VoxelDownSample: 3 numbers for each voxel, in Open3D's order.
std::vector<double> open3d_peer_voxels(const void* cloud, double size);
// RemoveStatisticalOutliers, RemoveRadiusOutliers: the points that stay.
std::vector<uint32_t> open3d_peer_statistical(const void* cloud, size_t neighbours, double ratio);
std::vector<uint32_t> open3d_peer_radius(const void* cloud, size_t neighbours, double radius);
// EstimateNormals by the nearest: 3 numbers for each point, turned either way.
std::vector<double> open3d_peer_normals(void* cloud, size_t neighbours);
