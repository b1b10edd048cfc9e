// The last step of sampling: resampled rows of floats become rows of the tensor.
#pragma once

#include "core/aligned.h"
#include "image/image.h"
#include "image/kernels.h"

namespace lineament {

class Packer {
 public:
  // `lanes` is 4 for colour pixel rows (red at lane `red`, blue at 2 - red) and 1 for grey ones. False when memory ran
  // out.
  bool open(const TensorSpec& spec, int lanes, int red, void* out, const ImageKernels& kernels);
  // Output row y from `pixels`: spec.width pixels of `lanes` floats.
  void row(const float* pixels, int y);
  // Columns [x, x + count) of output row y from the pixel row's same columns; colour only.
  void part(const float* pixels, int x, int count, int y);
  // Output row y for pixels that are all 0. `zeros`: spec.width pixels of `lanes` zero floats.
  void blank_row(const float* zeros, int y);
  // Where colour pixels of output row y go, from column x on.
  PackTarget target(int x, int y) const;
  // Columns [from, to) of output row y as pixels that are 0; colour NCHW floats only.
  void blank_columns(int from, int to, int y);
  // Whether target() may be used for planes of floats.
  bool planar_floats() const {
    return lanes_ == 4 && spec_.colour != Colour::kGray && spec_.layout == Layout::kNchw &&
           spec_.type == TensorType::kFloat32;
  }
  // Whether target() may be used for interleaved bytes that are pixel values unchanged.
  bool plain_bytes() const;

 private:
  TensorSpec spec_;
  const ImageKernels* kernels_ = nullptr;
  int lanes_ = 0, red_ = 0;
  uint8_t* out_ = nullptr;
  size_t element_ = 0;
  int blank_ = -1;  // a row that blank_row() has written
  float luma_[3] = {};
  AlignedBuffer<float> scratch_;
};

}  // namespace lineament
