#include "cloud/camera.h"

#include <cmath>

namespace lineament {

Status check_camera(const Camera& camera) {
  const bool finite =
      std::isfinite(camera.fx) && std::isfinite(camera.fy) && std::isfinite(camera.cx) && std::isfinite(camera.cy);
  if (finite && camera.fx > 0 && camera.fy > 0) return Status();
  return Status(Code::kInvalidArgument, "A camera needs finite numbers and focal lengths above zero");
}

}  // namespace lineament
