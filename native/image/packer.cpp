#include "image/packer.h"

#include <algorithm>
#include <cstring>

namespace lineament {

bool Packer::open(const TensorSpec& spec, int lanes, int red, void* out, const ImageKernels& kernels) {
  spec_ = spec;
  kernels_ = &kernels;
  blank_ = -1;
  lanes_ = lanes;
  red_ = red;
  out_ = static_cast<uint8_t*>(out);
  element_ = spec.type == TensorType::kFloat32 ? sizeof(float) : 1;
  luma_[red] = 0.299f;
  luma_[1] = 0.587f;
  luma_[2 - red] = 0.114f;
  const auto width = static_cast<size_t>(spec.width);
  if (lanes == 4 && spec.colour == Colour::kGray) return scratch_.reset(width);
  if (lanes == 1 && spec.colour != Colour::kGray && spec.layout == Layout::kNhwc) return scratch_.reset(width * 4);
  return true;
}

PackTarget Packer::target(int x, int y) const {
  const auto width = static_cast<size_t>(spec_.width), at = static_cast<size_t>(y) * width + static_cast<size_t>(x);
  const size_t plane = width * static_cast<size_t>(spec_.height);
  // Output channel c takes source lane s.
  const bool swap = (spec_.colour == Colour::kRgb) != (red_ == 0);
  PackTarget target{};
  for (int s = 0; s < 3; ++s) {
    const int c = swap ? 2 - s : s;
    target.scale[s] = spec_.scale[c];
    target.offset[s] = spec_.offset[c];
    target.position[s] = c;
    target.plane[s] = out_ + (static_cast<size_t>(c) * plane + at) * element_;
  }
  target.packed = out_ + at * 3 * element_;
  return target;
}

void Packer::blank_columns(int from, int to, int y) {
  if (from >= to) return;
  const PackTarget t = target(from, y);
  for (int s = 0; s < 3; ++s) std::fill_n(static_cast<float*>(t.plane[s]), to - from, t.offset[s]);
}

void Packer::blank_row(const float* zeros, int y) {
  if (blank_ < 0) {
    row(zeros, y);
    blank_ = y;
    return;
  }
  const auto channels_of = static_cast<size_t>(channels(spec_.colour));
  const size_t planes = spec_.layout == Layout::kNchw ? channels_of : 1;
  const size_t bytes = static_cast<size_t>(spec_.width) * element_ * (channels_of / planes);
  for (size_t c = 0; c < planes; ++c) {
    uint8_t* plane = out_ + c * bytes * static_cast<size_t>(spec_.height);
    std::memcpy(plane + static_cast<size_t>(y) * bytes, plane + static_cast<size_t>(blank_) * bytes, bytes);
  }
}

void Packer::row(const float* pixels, int y) {
  const auto width = static_cast<size_t>(spec_.width), at = static_cast<size_t>(y) * width;
  const size_t plane = width * static_cast<size_t>(spec_.height);
  const bool floats = spec_.type == TensorType::kFloat32;
  const auto gray_row = [&](const float* gray, size_t element, int c) {
    if (floats) {
      kernels_->pack_gray_f32(gray, spec_.width, spec_.scale[c], spec_.offset[c],
                              reinterpret_cast<float*>(out_) + element);
    } else {
      kernels_->pack_gray_u8(gray, spec_.width, spec_.scale[c], spec_.offset[c], out_ + element);
    }
  };
  if (spec_.colour == Colour::kGray) {
    if (lanes_ == 4) {
      kernels_->luma(pixels, luma_, spec_.width, scratch_.data());
      pixels = scratch_.data();
    }
    gray_row(pixels, at, 0);
    return;
  }
  if (lanes_ == 1 && spec_.layout == Layout::kNchw) {
    for (int c = 0; c < 3; ++c) gray_row(pixels, static_cast<size_t>(c) * plane + at, c);
    return;
  }
  if (lanes_ == 1) {
    float* wide = scratch_.data();
    for (size_t i = 0; i < width; ++i) wide[4 * i] = wide[4 * i + 1] = wide[4 * i + 2] = wide[4 * i + 3] = pixels[i];
    pixels = wide;
  }
  part(pixels, 0, spec_.width, y);
}

void Packer::part(const float* pixels, int x, int count, int y) {
  const PackTarget to = target(x, y);
  const bool floats = spec_.type == TensorType::kFloat32;
  pixels += static_cast<size_t>(x) * 4;
  if (spec_.layout == Layout::kNchw) {
    (floats ? kernels_->pack_planar_f32 : kernels_->pack_planar_u8)(pixels, count, to);
  } else {
    (floats ? kernels_->pack_packed_f32 : kernels_->pack_packed_u8)(pixels, count, to);
  }
}

bool Packer::plain_bytes() const {
  if (lanes_ != 4 || spec_.colour == Colour::kGray || spec_.layout != Layout::kNhwc || spec_.type != TensorType::kUint8)
    return false;
  for (int c = 0; c < 3; ++c) {
    if (spec_.scale[c] != 1 || spec_.offset[c] != 0) return false;
  }
  return true;
}

}  // namespace lineament
