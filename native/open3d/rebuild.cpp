#include "open3d/rebuild.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>

#include <open3d/geometry/PointCloud.h>
#include <open3d/geometry/TriangleMesh.h>
#include <open3d/utility/Logging.h>

namespace lineament::rebuild {
namespace {

using Open3dMesh = open3d::geometry::TriangleMesh;

// Held while Open3D works.
std::mutex turns;

Status aborted() { return Status(Code::kAborted, "The reconstruction was aborted"); }
Status nothing(const std::string& why) { return Status(Code::kNoSurface, why); }

// The points that have a normal, as Open3D holds them.
Status take(const Cloud& cloud, open3d::geometry::PointCloud* out) {
  if (cloud.size > kMostPoints) return Status(Code::kInvalidArgument, "A cloud has at most 2^28 points");
  out->points_.reserve(cloud.size);
  out->normals_.reserve(cloud.size);
  if (cloud.colours != nullptr) out->colors_.reserve(cloud.size);
  Eigen::Vector3d low = Eigen::Vector3d::Constant(INFINITY), high = -low;
  for (size_t i = 0; i < cloud.size; ++i) {
    const Eigen::Vector3d point = Eigen::Map<const Eigen::Vector3f>(cloud.positions + 3 * i).cast<double>();
    const Eigen::Vector3d normal = Eigen::Map<const Eigen::Vector3f>(cloud.normals + 3 * i).cast<double>();
    if (!point.allFinite() || !normal.allFinite()) {
      return Status(Code::kInvalidArgument, "Point " + std::to_string(i) + " has a number that is not finite");
    }
    const double length = normal.norm();
    if (length == 0) continue;
    out->points_.push_back(point);
    out->normals_.push_back(normal / length);
    if (cloud.colours != nullptr) {
      const uint8_t* rgb = cloud.colours + 3 * i;
      out->colors_.emplace_back(rgb[0] / 255.0, rgb[1] / 255.0, rgb[2] / 255.0);
    }
    low = low.cwiseMin(point);
    high = high.cwiseMax(point);
  }
  if (out->points_.size() < 3) return nothing("Fewer than three points have a normal");
  if (!((high - low).maxCoeff() > 0)) return nothing("All points lie in one place");
  return Status();
}

Status give(const Open3dMesh& from, bool coloured, TriangleMesh* to) {
  if (from.triangles_.empty()) return nothing("Open3D found no surface between the points");
  const size_t vertices = from.vertices_.size();
  *to = {};
  to->positions.reserve(3 * vertices);
  to->normals.reserve(3 * vertices);
  for (size_t v = 0; v < vertices; ++v) {
    if (!from.vertices_[v].allFinite()) return nothing("Open3D gave a vertex that is not finite");
    for (int k = 0; k < 3; ++k) to->positions.push_back(static_cast<float>(from.vertices_[v][k]));
    for (int k = 0; k < 3; ++k) to->normals.push_back(static_cast<float>(from.vertex_normals_[v][k]));
  }
  to->indices.reserve(3 * from.triangles_.size());
  for (const Eigen::Vector3i& triangle : from.triangles_) {
    for (int k = 0; k < 3; ++k) to->indices.push_back(static_cast<uint32_t>(triangle[k]));
  }
  if (!coloured) return Status();
  to->colours.reserve(3 * vertices);
  for (const Eigen::Vector3d& colour : from.vertex_colors_) {
    for (int k = 0; k < 3; ++k) {
      to->colours.push_back(static_cast<uint8_t>(std::lround(255 * std::clamp(colour[k], 0.0, 1.0))));
    }
  }
  return Status();
}

// The share of vertices with the lowest densities goes, with their triangles; of equal densities the first.
void trim(Open3dMesh& mesh, const std::vector<double>& densities, double share) {
  const auto many = static_cast<size_t>(share * static_cast<double>(densities.size()));
  if (many == 0) return;
  std::vector<uint32_t> order(densities.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto sparser = [&](uint32_t a, uint32_t b) {
    return densities[a] != densities[b] ? densities[a] < densities[b] : a < b;
  };
  std::nth_element(order.begin(), order.begin() + static_cast<ptrdiff_t>(many), order.end(), sparser);
  std::vector<bool> goes(densities.size());
  for (size_t i = 0; i < many; ++i) goes[order[i]] = true;
  mesh.RemoveVerticesByMask(goes);
}

void tidy(Open3dMesh& mesh) {
  mesh.RemoveDegenerateTriangles();
  mesh.RemoveUnreferencedVertices();
  if (!mesh.HasVertexNormals()) mesh.ComputeVertexNormals();
  mesh.NormalizeNormals();
}

}  // namespace

Status poisson(const Cloud& cloud, const PoissonRule& rule, const CancelToken* token, TriangleMesh* mesh) {
  const std::lock_guard<std::mutex> turn(turns);
  open3d::utility::SetVerbosityLevel(open3d::utility::VerbosityLevel::Error);
  open3d::geometry::PointCloud points;
  Status status = take(cloud, &points);
  if (!status.ok()) return status;
  if (is_cancelled(token)) return aborted();
  auto [made, densities] = Open3dMesh::CreateFromPointCloudPoisson(
      points, static_cast<size_t>(rule.depth), 0.0f, static_cast<float>(rule.scale), rule.linear_fit, rule.threads);
  if (is_cancelled(token)) return aborted();
  trim(*made, densities, rule.density_trim);
  tidy(*made);
  return is_cancelled(token) ? aborted() : give(*made, cloud.colours != nullptr, mesh);
}

Status ball_pivoting(const Cloud& cloud, std::vector<double> radii, const CancelToken* token, TriangleMesh* mesh) {
  const std::lock_guard<std::mutex> turn(turns);
  open3d::utility::SetVerbosityLevel(open3d::utility::VerbosityLevel::Error);
  open3d::geometry::PointCloud points;
  Status status = take(cloud, &points);
  if (!status.ok()) return status;
  if (is_cancelled(token)) return aborted();
  if (radii.empty()) {
    const std::vector<double> distances = points.ComputeNearestNeighborDistance();
    const double sum = std::accumulate(distances.begin(), distances.end(), 0.0);
    const double mean = sum / static_cast<double>(distances.size());
    radii = {1.5 * mean, 3 * mean};
    if (is_cancelled(token)) return aborted();
  }
  const auto made = Open3dMesh::CreateFromPointCloudBallPivoting(points, radii);
  if (is_cancelled(token)) return aborted();
  tidy(*made);
  return is_cancelled(token) ? aborted() : give(*made, cloud.colours != nullptr, mesh);
}

Status topology(const TriangleMesh& mesh, const CancelToken* token, Topology* out) {
  Status status = check_mesh(mesh);
  if (!status.ok()) return status;
  const std::lock_guard<std::mutex> turn(turns);
  open3d::utility::SetVerbosityLevel(open3d::utility::VerbosityLevel::Error);
  Open3dMesh judged;
  for (size_t v = 0; v < mesh.vertices(); ++v) {
    judged.vertices_.push_back(Eigen::Map<const Eigen::Vector3f>(mesh.positions.data() + 3 * v).cast<double>());
  }
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    judged.triangles_.push_back(
        Eigen::Map<const Eigen::Matrix<uint32_t, 3, 1>>(mesh.indices.data() + 3 * t).cast<int>());
  }
  out->edge_manifold = judged.IsEdgeManifold(true);
  out->closed = judged.IsEdgeManifold(false);
  out->vertex_manifold = judged.IsVertexManifold();
  out->orientable = judged.IsOrientable();
  out->euler = judged.EulerPoincareCharacteristic();
  if (is_cancelled(token)) return aborted();
  const std::vector<size_t> triangles = std::get<1>(judged.ClusterConnectedTriangles());
  out->components = triangles.size();
  if (is_cancelled(token)) return aborted();
  out->self_intersecting = judged.IsSelfIntersecting();
  out->watertight = out->closed && out->vertex_manifold && !out->self_intersecting;  // as IsWatertight()
  return is_cancelled(token) ? aborted() : Status();
}

}  // namespace lineament::rebuild
