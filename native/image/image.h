// Plain descriptions of pixels, regions and tensors that image kernels and networks share.
// Pixel frame: x right, y down; the centre of pixel (i, j) is (i + 0.5, j + 0.5).
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament {

enum class PixelFormat { kRgb, kBgr, kRgba, kBgra, kGray, kYuyv, kNv12, kI420 };

// Borrowed 8-bit pixels. `stride` is bytes per row (of the luma plane for planar formats; the chroma planes of I420
// then have stride / 2 rounded up, those of NV12 the same stride). `size` is the length of `data` in bytes and is
// checked by valid().
struct ImageView {
  const uint8_t* data = nullptr;
  size_t size = 0;
  int width = 0;
  int height = 0;
  size_t stride = 0;
  PixelFormat format = PixelFormat::kRgb;
};

// Affine map from output to source pixels: sx = a*u + b*v + c, sy = d*u + e*v + f at the output pixel centre (u, v) =
// (i + .5, j + .5).
struct Region {
  double a = 1, b = 0, c = 0, d = 0, e = 1, f = 0;
};

enum class Filter { kArea, kBilinear };
enum class Border { kZero, kReplicate };

struct Sampling {
  Filter filter = Filter::kArea;
  Border border = Border::kZero;
};

enum class Colour { kRgb, kBgr, kGray };
enum class Layout { kNchw, kNhwc };
enum class TensorType { kFloat32, kUint8 };

// The tensor a network wants: value = pixel * scale[c] + offset[c], channel c in the order that `colour` names.
struct TensorSpec {
  int width = 0;
  int height = 0;
  Colour colour = Colour::kRgb;
  Layout layout = Layout::kNchw;
  TensorType type = TensorType::kFloat32;
  float scale[3] = {1, 1, 1};
  float offset[3] = {0, 0, 0};
};

inline int channels(Colour colour) { return colour == Colour::kGray ? 1 : 3; }

// Elements of one batch item.
inline size_t item_elements(const TensorSpec& spec) {
  return static_cast<size_t>(spec.width) * static_cast<size_t>(spec.height) *
         static_cast<size_t>(channels(spec.colour));
}

}  // namespace lineament
