// Photographs laid over a mesh.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "cloud/camera.h"
#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "image/image.h"
#include "mesh/mesh_view.h"

namespace lineament {

// A picture and where it was taken from.
struct Photograph {
  ImageView image;
  Camera camera;
  // From the mesh's frame to the camera's: rows of [R | t], R a rotation.
  double pose[12] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};
};

struct BakeOptions {
  int size = 1024;  // side of the texture
  // How narrow seams are: weights are raised to this power. 1 to 16.
  double sharpness = 2;
  // Photographs are made equally bright and of one colour where they overlap.
  bool equalise = true;
};

struct BakedTexture {
  int size = 0;
  std::unique_ptr<uint8_t[]> rgb;  // size² × 3
  // 1 where a photograph shows the texel, 0 where the colour is only made up: off the mesh, or hidden.
  std::unique_ptr<uint8_t[]> known;
  double coverage = 0;  // share of the mesh's texels that are known
  // Factors of red, green and blue that each photograph was multiplied by.
  std::vector<double> gains;
};

constexpr int kMostTextureSide = 8192;
constexpr size_t kMostPhotographs = 64;
constexpr int kMostPhotographSide = 1 << 20;

// The colour of each texel whose centre lies in a triangle of UVs, from the photographs that see that place: the depth
// buffer of each decides what is hidden (and soft shares at the edges of what hides it), the weight is the solid angle
// that the surface has in it, cos / distance² with normals smoothed over vertices, faded out at the picture's border.
// Weighted means over photographs of the gains that M. Brown, D. Lowe, "Automatic Panoramic Image Stitching using
// Invariant Features", IJCV 74(1), 2007 find (section 6). Pixels are sampled bilinearly from the picture, halved
// before where a texel spans two pixels or more. What is not known is filled smoothly over all of the texture
// (push-pull: S. Gortler et al., "The Lumigraph", SIGGRAPH 1996), so that smaller versions of it take nothing foreign
// in.
//
// The answer does not depend on the executor's threads. kInvalidArgument: no UVs, no photographs or more than
// kMostPhotographs, cameras or poses that are none, sizes out of range, UVs beyond ±100; kNoSurface: a mesh without
// triangles, or none of its texels is seen; kAborted.
Status bake_texture(const MeshView& mesh, const std::vector<Photograph>& photographs, const BakeOptions& options,
                    Executor& executor, const CancelToken* token, BakedTexture* out);

}  // namespace lineament
