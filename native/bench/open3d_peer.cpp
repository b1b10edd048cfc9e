#include "bench/open3d_peer.h"

#include <open3d/geometry/KDTreeSearchParam.h>
#include <open3d/geometry/PointCloud.h>

#include <tuple>

using open3d::geometry::PointCloud;

namespace {

std::vector<double> numbers(const std::vector<Eigen::Vector3d>& vectors) {
  std::vector<double> out;
  out.reserve(3 * vectors.size());
  for (const Eigen::Vector3d& v : vectors) out.insert(out.end(), {v.x(), v.y(), v.z()});
  return out;
}

std::vector<uint32_t> indices(const std::vector<size_t>& kept) { return {kept.begin(), kept.end()}; }

const PointCloud& of(const void* cloud) { return *static_cast<const PointCloud*>(cloud); }

}  // namespace

void* open3d_peer_make(const float* positions, size_t count) {
  auto* cloud = new PointCloud();
  cloud->points_.reserve(count);
  for (size_t i = 0; i < count; ++i) {
    cloud->points_.emplace_back(positions[3 * i], positions[3 * i + 1], positions[3 * i + 2]);
  }
  return cloud;
}

void open3d_peer_free(void* cloud) { delete static_cast<PointCloud*>(cloud); }

std::vector<double> open3d_peer_voxels(const void* cloud, double size) {
  return numbers(of(cloud).VoxelDownSample(size)->points_);
}

std::vector<uint32_t> open3d_peer_statistical(const void* cloud, size_t neighbours, double ratio) {
  return indices(std::get<1>(of(cloud).RemoveStatisticalOutliers(neighbours, ratio)));
}

std::vector<uint32_t> open3d_peer_radius(const void* cloud, size_t neighbours, double radius) {
  return indices(std::get<1>(of(cloud).RemoveRadiusOutliers(neighbours, radius)));
}

std::vector<double> open3d_peer_normals(void* cloud, size_t neighbours) {
  auto& points = *static_cast<PointCloud*>(cloud);
  points.normals_.clear();
  points.EstimateNormals(open3d::geometry::KDTreeSearchParamKNN(static_cast<int>(neighbours)));
  std::vector<double> out = numbers(points.normals_);
  points.normals_.clear();
  return out;
}
