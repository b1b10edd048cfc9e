#include "image/convert.h"

#include <cstring>

#include "image/kernels.h"
#include "image/rows.h"
#include "image/sample.h"

namespace lineament {

size_t converted_bytes(const ImageView& image, PixelFormat format) {
  return static_cast<size_t>(image.width) * static_cast<size_t>(image.height) *
         static_cast<size_t>(pixel_bytes(format));
}

Status convert(const ImageView& image, PixelFormat format, uint8_t* out, const CancelToken* cancel) {
  if (Status s = validate(image); !s.ok()) return s;
  const int pixel = pixel_bytes(format);
  if (pixel == 0) return Status(Code::kInvalidArgument, "Pixels can be converted to rgb, bgr, rgba, bgra or gray only");
  if (out == nullptr) return Status(Code::kInvalidArgument, "No room for the converted pixels");
  const ImageKernels& kernels = image_kernels();
  const auto reversed = [](PixelFormat f) { return f == PixelFormat::kBgr || f == PixelFormat::kBgra; };
  const int in_pixel = pixel_bytes(image.format);
  const bool swap = reversed(image.format) != reversed(format);
  int from[4] = {swap ? 2 : 0, 1, swap ? 0 : 2, in_pixel == 4 ? 3 : -1};
  if (in_pixel == 1) from[0] = from[1] = from[2] = 0;
  const size_t row = static_cast<size_t>(image.width) * static_cast<size_t>(pixel);
  for (int y = 0; y < image.height; ++y, out += row) {
    if ((y & 15) == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
    const uint8_t* in = image.data + static_cast<size_t>(y) * image.stride;
    if (in_pixel == 0) {
      YuvRow job = yuv_row(image, 0, y, image.width);
      if (pixel == 1) {
        kernels.expand_luma(job.y, job.kind == YuvKind::kPacked ? 2 : 1, image.width, out);
      } else {
        job.pixel = pixel;
        job.bgr = reversed(format);
        job.out = out;
        kernels.yuv(job);
      }
    } else if (in_pixel == pixel && !swap) {
      std::memcpy(out, in, row);
    } else if (pixel == 1) {
      kernels.gray(in, in_pixel, reversed(image.format) ? 2 : 0, image.width, out);
    } else {
      kernels.shuffle(in, in_pixel, out, pixel, from, image.width);
    }
  }
  return Status();
}

}  // namespace lineament
