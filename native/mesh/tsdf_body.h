// What becomes of one voxel when a depth map is fused, written once for the processor and for CUDA.
//
// B. Curless, M. Levoy, "A Volumetric Method for Building Complex Models from Range Images", SIGGRAPH 1996: each voxel
// keeps the weighted mean of the signed distances that the depth maps give it. R. Newcombe et al., "KinectFusion",
// ISMAR 2011: distances by looking voxels up in the depth map. E. Bylow et al., "Real-Time Camera Tracking and 3D
// Reconstruction Using Signed Distance Functions", RSS 2013: distance to the tangent plane, weights that fade out
// behind the surface.
#pragma once

#include <cmath>
#include <cstdint>

#if defined(__CUDACC__)
#define LINEAMENT_VOXEL __host__ __device__ inline
#else
#define LINEAMENT_VOXEL inline
#endif

namespace lineament {

// A pixel of a depth map, made ready (prepare_view). 16 bytes.
struct DepthSample {
  float depth;   // millimetres along the optical axis
  float weight;  // 0: nothing is known here
  // What turns a difference of depth into the distance to the surface's tangent plane: normal · (x/z, y/z, 1).
  float slope;
  uint32_t colour;  // red + 256 green + 65536 blue
};

// A depth map and where it was taken from. X_camera = rotation · X_world + translation.
struct FusionView {
  float rotation[9];  // rows
  float translation[3];
  float fx, fy, cx, cy;
  int width, height;
  const DepthSample* samples;
  bool coloured;
};

struct FusionRule {
  float truncation;   // distances end here, millimetres
  float fade;         // behind the surface, weights fall from here to 0 at −truncation
  float carve;        // free space is noted as far as this in front of the surface
  float colour_band;  // colours as far as this on both sides
  float max_weight;
};

struct Voxel {
  float distance;  // millimetres, below 0 behind the surface; −truncation … truncation
  float weight;    // 0: never seen
};

// Mean colour, 0 to 255.
struct VoxelColour {
  float red, green, blue, weight;
};

// Depth, weight and slope seen at (u, v): bilinear where all four pixels around are known and lie together, else the
// pixel's own. False: nothing is known there.
LINEAMENT_VOXEL bool look_up(const FusionView& view, float reach, float u, float v, DepthSample* out) {
  const int px = static_cast<int>(u), py = static_cast<int>(v);
  const DepthSample& nearest = view.samples[static_cast<int64_t>(py) * view.width + px];
  out->colour = nearest.colour;
  const float gx = u - 0.5f, gy = v - 0.5f;
  if (gx >= 0 && gy >= 0) {
    const int x = static_cast<int>(gx), y = static_cast<int>(gy);
    if (x + 1 < view.width && y + 1 < view.height) {
      const DepthSample* a = view.samples + static_cast<int64_t>(y) * view.width + x;
      const DepthSample* b = a + view.width;
      const float low = fminf(fminf(a[0].depth, a[1].depth), fminf(b[0].depth, b[1].depth));
      const float high = fmaxf(fmaxf(a[0].depth, a[1].depth), fmaxf(b[0].depth, b[1].depth));
      if (a[0].weight > 0 && a[1].weight > 0 && b[0].weight > 0 && b[1].weight > 0 && high - low <= reach) {
        const float s = gx - static_cast<float>(x), t = gy - static_cast<float>(y);
        const float w00 = (1 - s) * (1 - t), w10 = s * (1 - t), w01 = (1 - s) * t, w11 = s * t;
        out->depth = w00 * a[0].depth + w10 * a[1].depth + w01 * b[0].depth + w11 * b[1].depth;
        out->weight = w00 * a[0].weight + w10 * a[1].weight + w01 * b[0].weight + w11 * b[1].weight;
        out->slope = w00 * a[0].slope + w10 * a[1].slope + w01 * b[0].slope + w11 * b[1].slope;
        return true;
      }
    }
  }
  if (!(nearest.weight > 0)) return false;
  out->depth = nearest.depth;
  out->weight = nearest.weight;
  out->slope = nearest.slope;
  return true;
}

// `x y z`: the voxel in the camera's frame. `colour` may be null. True where the voxel was changed.
LINEAMENT_VOXEL bool fuse_voxel(const FusionView& view, const FusionRule& rule, float x, float y, float z, Voxel* voxel,
                                VoxelColour* colour) {
  if (!(z > 1e-3f)) return false;
  const float u = view.fx * x / z + view.cx, v = view.fy * y / z + view.cy;
  if (!(u >= 0 && v >= 0 && u < static_cast<float>(view.width) && v < static_cast<float>(view.height))) return false;
  DepthSample sample;
  if (!look_up(view, rule.truncation, u, v, &sample)) return false;
  const float distance = (sample.depth - z) * sample.slope;
  if (distance <= -rule.truncation || distance > rule.carve) return false;
  float weight = sample.weight;
  if (distance < -rule.fade) weight *= (rule.truncation + distance) / (rule.truncation - rule.fade);
  if (!(weight > 0)) return false;
  const float sum = voxel->weight + weight;
  voxel->distance += (fminf(distance, rule.truncation) - voxel->distance) * (weight / sum);
  voxel->weight = fminf(sum, rule.max_weight);
  if (colour != nullptr && view.coloured && fabsf(distance) <= rule.colour_band) {
    const float share = weight / (colour->weight + weight);
    colour->red += (static_cast<float>(sample.colour & 255) - colour->red) * share;
    colour->green += (static_cast<float>(sample.colour >> 8 & 255) - colour->green) * share;
    colour->blue += (static_cast<float>(sample.colour >> 16 & 255) - colour->blue) * share;
    colour->weight = fminf(colour->weight + weight, rule.max_weight);
  }
  return true;
}

}  // namespace lineament
