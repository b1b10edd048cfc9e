// The last step of sampling: resampled rows of floats become rows of the tensor.
#pragma once

#include "core/aligned.h"
#include "image/image.h"
#include "image/kernels.h"

namespace lineament {

class Packer {
 public:
  // `lanes` is 4 for colour pixel rows (red at lane `red`, blue at 2 - red) and 1 for grey ones. False when memory ran out.
  bool open(const TensorSpec& spec, int lanes, int red, void* out, const ImageKernels& kernels);
  // Output row y from `pixels`: spec.width pixels of `lanes` floats.
  void row(const float* pixels, int y);

 private:
  TensorSpec spec_;
  const ImageKernels* kernels_ = nullptr;
  int lanes_ = 0, red_ = 0;
  uint8_t* out_ = nullptr;
  size_t element_ = 0;
  float luma_[3] = {};
  AlignedBuffer<float> scratch_;
};

}  // namespace lineament
