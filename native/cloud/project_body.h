// What projection does with one pixel, written once for the processor and for CUDA devices.
#pragma once

#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define LINEAMENT_CLOUD_BODY __host__ __device__ inline
#else
#define LINEAMENT_CLOUD_BODY inline
#endif

namespace lineament::cloud {

// Camera (cloud/camera.h) with its divisions done.
struct Rays {
  double inverse_fx, inverse_fy, cx, cy;
};

// A pixel of a depth map counts where its depth is known (a finite number above zero) and its confidence is not below
// the least one that is asked for.
LINEAMENT_CLOUD_BODY bool counts(float depth, float confidence, float least) {
  return depth > 0 && depth <= 3.4e38F && confidence >= least;
}

// The point that pixel (i, j) shows, in the camera's frame.
LINEAMENT_CLOUD_BODY void point_of_pixel(const Rays& rays, uint32_t i, uint32_t j, float depth, float out[3]) {
  const double z = static_cast<double>(depth);
  out[0] = static_cast<float>((static_cast<double>(i) + 0.5 - rays.cx) * rays.inverse_fx * z);
  out[1] = static_cast<float>((static_cast<double>(j) + 0.5 - rays.cy) * rays.inverse_fy * z);
  out[2] = depth;
}

// Sums for the plane through the pixels of a window. Across a plane the inverse of depth is linear in the picture's
// coordinates, whatever the plane's direction.
struct PlaneSums {
  double n = 0, u = 0, v = 0, uu = 0, uv = 0, vv = 0, w = 0, uw = 0, vw = 0;
};

LINEAMENT_CLOUD_BODY void add_pixel(PlaneSums& sums, int du, int dv, float depth) {
  const double u = du, v = dv, w = 1 / static_cast<double>(depth);
  sums.n += 1;
  sums.u += u;
  sums.v += v;
  sums.uu += u * u;
  sums.uv += u * v;
  sums.vv += v * v;
  sums.w += w;
  sums.uw += u * w;
  sums.vw += v * w;
}

// The normal, towards the camera, of the plane around pixel (i, j); false where the window's pixels lie on a line.
LINEAMENT_CLOUD_BODY bool plane_normal(const PlaneSums& s, const Rays& rays, uint32_t i, uint32_t j, float out[3]) {
  if (s.n < 3) return false;
  // About the mean of the window.
  const double mu = s.u / s.n, mv = s.v / s.n, mw = s.w / s.n;
  const double uu = s.uu / s.n - mu * mu, uv = s.uv / s.n - mu * mv, vv = s.vv / s.n - mv * mv;
  const double uw = s.uw / s.n - mu * mw, vw = s.vw / s.n - mv * mw;
  const double determinant = uu * vv - uv * uv;
  if (!(determinant > 1e-9 * (uu + vv) * (uu + vv))) return false;
  const double a = (uw * vv - vw * uv) / determinant, b = (vw * uu - uw * uv) / determinant;
  const double at_pixel = mw - a * mu - b * mv;
  // n·P = 1 on the plane, which lies in front of the camera: −n looks back at it.
  const double x = a / rays.inverse_fx, y = b / rays.inverse_fy;
  const double z =
      at_pixel - a * (static_cast<double>(i) + 0.5 - rays.cx) - b * (static_cast<double>(j) + 0.5 - rays.cy);
  const double length = std::sqrt(x * x + y * y + z * z);
  if (!(length > 0)) return false;
  out[0] = static_cast<float>(-x / length);
  out[1] = static_cast<float>(-y / length);
  out[2] = static_cast<float>(-z / length);
  return true;
}

}  // namespace lineament::cloud
