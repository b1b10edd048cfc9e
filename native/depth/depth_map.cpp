#include "depth/depth_map.h"

#include <algorithm>
#include <cmath>

namespace lineament {

Status check_depth(const DepthMap& map) {
  const auto bad = [](const char* what) { return Status(Code::kInvalidArgument, what); };
  const auto side = [](int pixels) { return pixels >= 1 && pixels <= kMostDepthSide; };
  if (!side(map.width) || !side(map.height)) return bad("Expected sides of 1 to 16384 pixels for a depth map");
  if (map.size() > kMostDepthPixels) return bad("Expected at most 64 Mi pixels for a depth map");
  if (map.depth.size() != map.size()) return bad("Expected a depth for each pixel");
  if (!map.confidence.empty() && map.confidence.size() != map.size())
    return bad("Expected a confidence for each pixel");
  const auto usable = [](float z) { return std::isnan(z) || (z > 0 && std::isfinite(z)); };
  if (!std::all_of(map.depth.begin(), map.depth.end(), usable)) return bad("A depth is neither above zero nor NaN");
  const auto share = [](float c) { return c >= 0 && c <= 1; };
  if (!std::all_of(map.confidence.begin(), map.confidence.end(), share)) return bad("A confidence is not from 0 to 1");
  return check_camera(map.camera);
}

}  // namespace lineament
