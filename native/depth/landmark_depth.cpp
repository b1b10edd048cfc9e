#include "depth/landmark_depth.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace lineament {
namespace {

constexpr double kPiece = 4;  // pixels

Status bad(const char* what) { return Status(Code::kInvalidArgument, what); }

Status check(const LandmarkSurface& surface, const LandmarkDepthOptions& options) {
  const Status camera = check_camera(options.camera);
  if (!camera.ok()) return camera;
  if (!(options.mm_per_pixel > 0 && std::isfinite(options.mm_per_pixel)))
    return bad("Expected millimetres per pixel above zero");
  const Window& window = options.window;
  const auto side = [](int pixels) { return pixels >= 1 && pixels <= kMostDepthSide; };
  const auto corner = [](int pixels) { return std::abs(int64_t{pixels}) <= (1 << 20); };
  if (!side(window.width) || !side(window.height) || !corner(window.x) || !corner(window.y))
    return bad("Expected a window of 1 to 16384 pixels on a side");
  if (static_cast<size_t>(window.width) * static_cast<size_t>(window.height) > kMostDepthPixels)
    return bad("Expected a window of at most 64 Mi pixels");
  if (surface.count > kMostLandmarks || surface.triangle_count > kMostLandmarks)
    return bad("Expected at most 100000 points and triangles");
  for (size_t i = 0; i < 3 * surface.triangle_count; ++i) {
    if (surface.triangles[i] >= surface.count) return bad("A triangle names a point that is not there");
  }
  return Status();
}

double mean_side(const LandmarkSurface& surface) {
  double sum = 0;
  for (size_t t = 0; t < surface.triangle_count; ++t) {
    for (size_t k = 0; k < 3; ++k) {
      const float* p = surface.points + 3 * size_t{surface.triangles[3 * t + k]};
      const float* q = surface.points + 3 * size_t{surface.triangles[3 * t + (k + 1) % 3]};
      sum += std::hypot(static_cast<double>(p[0]) - q[0], static_cast<double>(p[1]) - q[1]);
    }
  }
  return sum / static_cast<double>(3 * surface.triangle_count);
}

}  // namespace

Result<DepthMap> depth_from_landmarks(const LandmarkSurface& surface, const LandmarkDepthOptions& options,
                                      Executor& executor, const CancelToken* token) {
  const Status checked = check(surface, options);
  if (!checked.ok()) return checked;
  if (surface.triangle_count == 0) return Status(Code::kNoSurface, "There is no triangle");

  const Camera& camera = options.camera;
  const double focal = std::sqrt(camera.fx * camera.fy);
  std::vector<Vector3> positions(surface.count);
  std::vector<bool> used(surface.count);
  for (size_t i = 0; i < 3 * surface.triangle_count; ++i) used[surface.triangles[i]] = true;
  for (size_t i = 0; i < surface.count; ++i) {
    if (!used[i]) {  // stands on the axis: the rasteriser looks at all
      positions[i] = {0, 0, 1};
      continue;
    }
    const float* p = surface.points + 3 * i;
    if (!std::isfinite(p[0]) || !std::isfinite(p[1]) || !std::isfinite(p[2])) return bad("A point is not finite");
    const double z = (focal + static_cast<double>(p[2])) * options.mm_per_pixel;
    if (!(z > 0)) return bad("A point lies behind the camera: it sees the face too closely for its size");
    positions[i] = {(p[0] - camera.cx) / camera.fx * z, (p[1] - camera.cy) / camera.fy * z, z};
  }
  const int level =
      options.curved ? static_cast<int>(std::clamp(std::round(mean_side(surface) / kPiece), 1.0, 16.0)) : 1;
  const PatchMesh mesh = curved_patches(positions, surface.triangles, surface.triangle_count, level);

  DepthMap map;
  map.width = options.window.width;
  map.height = options.window.height;
  map.camera = camera;
  map.camera.cx -= options.window.x;
  map.camera.cy -= options.window.y;
  map.depth.resize(map.size());
  const Status drawn = rasterise_depth(mesh, camera, options.window, executor, token, map.depth.data());
  if (!drawn.ok()) return drawn;
  if (std::all_of(map.depth.begin(), map.depth.end(), [](float z) { return std::isnan(z); }))
    return Status(Code::kNoSurface, "No pixel sees the front of the face");
  return map;
}

}  // namespace lineament
