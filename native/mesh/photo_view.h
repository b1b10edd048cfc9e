// What one photograph shows of a mesh.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/mesh_view.h"
#include "mesh/texel_rows.h"
#include "mesh/texture.h"

namespace lineament {

struct PhotoSample {
  float red = 0, green = 0, blue = 0, weight = 0;
};

// Made once for a mesh and a photograph, then asked from any number of threads. Borrows the picture.
class PhotoView {
 public:
  // Sees where the mesh's vertices fall and draws the depth buffer. `normals`: 3 for each vertex.
  Status open(const MeshView& mesh, const float* normals, const Photograph& photograph, Executor& executor,
              const CancelToken* token);
  // Picture's pixels that the faces towards it cover.
  double pixels(const MeshView& mesh) const;
  // Converts the picture, and shrinks it 2^halvings times. Called once after open.
  Status load(int halvings, const CancelToken* token);

  // A triangle of the mesh as it is asked for texels.
  struct Triangle {
    Gradient u, v, z, weight;        // pixel × Z, Z and weight over texels
    float slope_x = 0, slope_y = 0;  // of 1/Z over cells of the depth buffer
    float inverse_tolerance = 0;
  };
  // False where the triangle faces away or is not in front of the camera.
  bool triangle(const uint32_t* corners, const RasterPoint* texels, Triangle* out) const;

  // What is seen of `count` texels, at most kMostSpan, of which the first has its centre at (x, y) and the others
  // follow to the right; weight 0 where nothing is. Without `soft` the weights do not tell what is near an edge.
  static constexpr int kMostSpan = 64;
  void span(const Triangle& triangle, double x, double y, int count, bool soft, PhotoSample* out) const;

 private:
  struct Vertex {
    float x, y, z;  // camera frame
    float px, py;   // picture
    float weight;   // pixels that a unit of surface covers
  };
  Status draw_depth(const MeshView& mesh, Executor& executor, const CancelToken* token);
  float visible_share(const Triangle& triangle, float px, float py, float inverse, bool soft) const;
  void pixel(float px, float py, PhotoSample* out) const;

  Photograph photograph_;
  std::vector<Vertex> vertices_;
  float tolerance_ = 0;  // millimetres behind the depth buffer that still count as on it
  float fade_ = 1;       // pixels

  // 1/Z of what is nearest, 0 where there is nothing; cell = (pixel − origin) × scale.
  std::vector<float> depth_;
  int depth_width_ = 0, depth_height_ = 0;
  float origin_x_ = 0, origin_y_ = 0, scale_ = 1;
  int window_[4] = {0, 0, 0, 0};  // x, y, end x, end y of the picture that the mesh is in

  std::vector<uint8_t> own_;  // converted or shrunk pixels
  const uint8_t* pixels_ = nullptr;
  size_t stride_ = 0;
  int width_ = 0, height_ = 0, step_ = 3, red_ = 0, green_ = 1, blue_ = 2;
  float pixel_x_ = 0, pixel_y_ = 0, pixel_scale_ = 1;
};

}  // namespace lineament
