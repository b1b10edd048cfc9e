// Single pixels of an image as brightness, for any pixel format, without converting the image.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "image/image.h"
#include "image/kernels.h"
#include "image/rows.h"

namespace lineament {

// How the bytes of a pixel become brightness 0–255.
struct GreyByte {
  int32_t operator()(const uint8_t* p) const { return *p; }
};
struct LumaByte {  // YUV, limited range, expanded as convert() does it
  std::array<uint8_t, 256> full;
  int32_t operator()(const uint8_t* p) const { return full[*p]; }
};
struct LumaOfColour {  // convert()'s grey
  int red;
  int32_t operator()(const uint8_t* p) const { return (4899 * p[red] + 9617 * p[1] + 1868 * p[2 - red] + 8192) >> 14; }
};
struct MeanOfColour {
  int32_t operator()(const uint8_t* p) const { return (p[0] + p[1] + p[2]) / 3; }
};

template <typename Bytes>
struct PixelSource {
  const uint8_t* data;
  size_t stride, step;
  int32_t width, height;
  Bytes bytes;

  // 0 outside of the image.
  int32_t at(int32_t column, int32_t row) const {
    if (column < 0 || column >= width || row < 0 || row >= height) return 0;
    return bytes(data + static_cast<size_t>(row) * stride + static_cast<size_t>(column) * step);
  }
};

// Calls `use` with the source that fits the image, which has passed validate(). `mean` takes (R + G + B) / 3.
template <typename Use>
auto with_pixel_source(const ImageView& image, bool mean, const Use& use) {
  const auto source = [&image](size_t step, auto bytes) {
    return PixelSource<decltype(bytes)>{
        image.data, image.stride, step, static_cast<int32_t>(image.width), static_cast<int32_t>(image.height), bytes};
  };
  if (image.format == PixelFormat::kGray) return use(source(1, GreyByte{}));
  if (is_yuv(image.format)) {
    std::array<uint8_t, 256> ramp;
    for (size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<uint8_t>(i);
    LumaByte luma{};
    image_kernels().expand_luma(ramp.data(), 1, static_cast<int>(ramp.size()), luma.full.data());
    return use(source(image.format == PixelFormat::kYuyv ? 2 : 1, luma));
  }
  const auto step = static_cast<size_t>(pixel_bytes(image.format));
  if (mean) return use(source(step, MeanOfColour{}));
  const bool reversed = image.format == PixelFormat::kBgr || image.format == PixelFormat::kBgra;
  return use(source(step, LumaOfColour{reversed ? 2 : 0}));
}

}  // namespace lineament
