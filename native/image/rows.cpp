#include "image/rows.h"

#include <algorithm>

namespace lineament {

int pixel_bytes(PixelFormat format) {
  switch (format) {
    case PixelFormat::kRgb:
    case PixelFormat::kBgr:
      return 3;
    case PixelFormat::kRgba:
    case PixelFormat::kBgra:
      return 4;
    case PixelFormat::kGray:
      return 1;
    default:
      return 0;
  }
}

size_t row_bytes(PixelFormat format, int width) {
  const auto w = static_cast<size_t>(width);
  switch (format) {
    case PixelFormat::kYuyv:
      return (w + 1) / 2 * 4;
    case PixelFormat::kNv12:
      return (w + 1) / 2 * 2;  // a chroma row, which has the luma's stride
    case PixelFormat::kI420:
      return w;
    default:
      return w * static_cast<size_t>(pixel_bytes(format));
  }
}

YuvRow yuv_row(const ImageView& image, int x, int y, int count) {
  const auto ux = static_cast<size_t>(x), uy = static_cast<size_t>(y), h = static_cast<size_t>(image.height);
  YuvRow row{};
  row.count = count;
  if (image.format == PixelFormat::kYuyv) {
    row.kind = YuvKind::kPacked;
    row.y = image.data + uy * image.stride + ux * 2;
    return row;
  }
  row.y = image.data + uy * image.stride + ux;
  const uint8_t* chroma = image.data + h * image.stride;
  if (image.format == PixelFormat::kNv12) {
    row.kind = YuvKind::kSemiPlanar;
    row.u = chroma + uy / 2 * image.stride + ux;
    return row;
  }
  const size_t stride = (image.stride + 1) / 2;
  row.kind = YuvKind::kPlanar;
  row.u = chroma + uy / 2 * stride + ux / 2;
  row.v = chroma + (h + 1) / 2 * stride + uy / 2 * stride + ux / 2;
  return row;
}

bool RowSource::open(const ImageView& image, int x_begin, int x_end, bool gray, const ImageKernels& kernels) {
  image_ = image;
  kernels_ = &kernels;
  begin_ = x_begin;
  convert_ = is_yuv(image.format);
  red_ = image.format == PixelFormat::kBgr || image.format == PixelFormat::kBgra ? 2 : 0;
  if (!convert_) {
    pixel_ = pixel_bytes(image.format);
    return true;
  }
  gray_ = gray;
  pixel_ = gray ? 1 : 4;
  even_ = x_begin & ~1;
  count_ = x_end - even_;
  slot_bytes_ = (static_cast<size_t>(count_) * static_cast<size_t>(pixel_) + 127) / 64 * 64;
  std::fill(tag_, tag_ + kKept, -1);
  return ring_.reset(slot_bytes_ * kKept);
}

const uint8_t* RowSource::row(int y) {
  if (!convert_) {
    return image_.data + static_cast<size_t>(y) * image_.stride +
           static_cast<size_t>(begin_) * static_cast<size_t>(pixel_);
  }
  const int slot = y % kKept;
  uint8_t* out = ring_.data() + static_cast<size_t>(slot) * slot_bytes_;
  if (tag_[slot] != y) {
    tag_[slot] = y;
    YuvRow job = yuv_row(image_, even_, y, count_);
    if (gray_) {
      kernels_->expand_luma(job.y, job.kind == YuvKind::kPacked ? 2 : 1, count_, out);
    } else {
      job.pixel = 4;
      job.bgr = 0;
      job.out = out;
      kernels_->yuv(job);
    }
  }
  return out + static_cast<size_t>(begin_ - even_) * static_cast<size_t>(pixel_);
}

}  // namespace lineament
