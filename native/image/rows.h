// Rows of any pixel format as interleaved 8-bit pixels that kernels can read.
#pragma once

#include "core/aligned.h"
#include "image/image.h"
#include "image/kernels.h"

namespace lineament {

// Bytes in the row of a packed format, or of the luma plane.
size_t row_bytes(PixelFormat format, int width);
inline bool is_yuv(PixelFormat f) {
  return f == PixelFormat::kYuyv || f == PixelFormat::kNv12 || f == PixelFormat::kI420;
}
// Bytes per pixel of the interleaved formats; 0 for YUV.
int pixel_bytes(PixelFormat format);

// Describes row y of a YUV image from column `x` (even) on: `job` but for its output.
YuvRow yuv_row(const ImageView& image, int x, int y, int count);

// Gives rows [x_begin, x_end) of an image: in place where the format allows it, otherwise converted, the last 16 kept.
class RowSource {
 public:
  // `gray` asks for one channel where that is exact: from grey pixels and from YUV (expanded luma).
  // Returns false when memory ran out.
  bool open(const ImageView& image, int x_begin, int x_end, bool gray, const ImageKernels& kernels);

  // Pixel x_begin of row y; valid until 15 further rows were asked for.
  const uint8_t* row(int y);
  // 1, 3 or 4.
  int pixel() const { return pixel_; }
  // Position of red within a pixel (blue is at 2 - red); 0 for one channel.
  int red() const { return red_; }

 private:
  static constexpr int kKept = 16;
  ImageView image_;
  const ImageKernels* kernels_ = nullptr;
  int begin_ = 0, even_ = 0, count_ = 0;
  int pixel_ = 0, red_ = 0;
  bool convert_ = false, gray_ = false;
  size_t slot_bytes_ = 0;
  int tag_[kKept];
  AlignedBuffer<uint8_t> ring_;
};

}  // namespace lineament
