// What the edge-preserving filter does at one pixel, written once for the processor and for the device.
//
// C. Tomasi, R. Manduchi, "Bilateral Filtering for Gray and Color Images", ICCV 1998, on depth: a neighbour counts by a
// Gaussian of its distance in the picture times Tukey's biweight of its distance in depth, (1 − (Δ / range)²)² below
// `range` and 0 beyond (the edge-stopping function of F. Durand, J. Dorsey, "Fast Bilateral Filtering for the Display
// of High-Dynamic-Range Images", SIGGRAPH 2002): what is as far off as an edge has no say at all.
#pragma once

#if defined(__CUDACC__)
#define LINEAMENT_DEPTH_BODY __host__ __device__ inline
#else
#define LINEAMENT_DEPTH_BODY static inline
#endif

namespace lineament {

// Pixels from the middle of the window to its border, at most.
constexpr int kMostBilateralRadius = 16;

// What a neighbour of depth q adds to the sums of a pixel of depth p; NaN on either side adds nothing. `spatial`: what
// its place counts. `inverse_range`: 1 / range². Without branches, so that compilers make vectors of it.
LINEAMENT_DEPTH_BODY void bilateral_tap(float p, float q, float spatial, float inverse_range, float* weights,
                                        float* differences) {
  const float difference = q - p;
  const float rest = 1.0F - difference * difference * inverse_range;
  const bool counts = rest > 0.0F;  // false for NaN
  const float weight = counts ? spatial * rest * rest : 0.0F;
  *weights += weight;
  *differences += weight * (counts ? difference : 0.0F);
}

// The filtered depth of a pixel whose sums are complete. A pixel without depth (NaN) keeps none.
LINEAMENT_DEPTH_BODY float bilateral_result(float p, float weights, float differences) {
  return weights > 0.0F ? p + differences / weights : p;
}

// The whole for the pixel (x, y) of a map: `spatial` holds (2 radius + 1)² weights, row by row; beyond the map there is
// nothing.
LINEAMENT_DEPTH_BODY float bilateral_pixel(const float* depth, int width, int height, int x, int y, int radius,
                                           const float* spatial, float inverse_range) {
  const float p = depth[static_cast<long long>(y) * width + x];
  float weights = 0.0F, differences = 0.0F;
  for (int dy = -radius; dy <= radius; ++dy) {
    if (y + dy < 0 || y + dy >= height) continue;
    for (int dx = -radius; dx <= radius; ++dx) {
      if (x + dx < 0 || x + dx >= width) continue;
      bilateral_tap(p, depth[static_cast<long long>(y + dy) * width + x + dx],
                    spatial[(dy + radius) * (2 * radius + 1) + dx + radius], inverse_range, &weights, &differences);
    }
  }
  return bilateral_result(p, weights, differences);
}

}  // namespace lineament
