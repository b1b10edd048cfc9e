#include "image/sample.h"

#include <cmath>

#include "image/kernels.h"
#include "image/resample.h"
#include "image/rows.h"

namespace lineament {

Status validate(const ImageView& image) {
  const auto bad = [](const char* why) { return Status(Code::kInvalidArgument, why); };
  if (image.data == nullptr) return bad("Image has no data");
  if (image.width < 1 || image.height < 1) return bad("Image width and height must be at least 1");
  if (image.format < PixelFormat::kRgb || image.format > PixelFormat::kI420) return bad("Unknown pixel format");
  const size_t row = row_bytes(image.format, image.width), h = static_cast<size_t>(image.height);
  if (image.stride < row) return bad("Image stride is smaller than a row of pixels");
  if (image.stride > static_cast<size_t>(1) << 31) return bad("Image stride is too large");
  size_t need = image.stride * (h - 1) + row;
  const size_t half = (h + 1) / 2;
  if (image.format == PixelFormat::kNv12) {
    need = image.stride * (h + half - 1) + row;
  } else if (image.format == PixelFormat::kI420) {
    need = image.stride * h + (image.stride + 1) / 2 * (2 * half - 1) + (row + 1) / 2;
  }
  if (image.size < need) return bad("Image data is shorter than its width, height, stride and format need");
  return Status();
}

namespace {

Status validate(const Region& r, const TensorSpec& spec) {
  const auto bad = [](const char* why) { return Status(Code::kInvalidArgument, why); };
  if (spec.width < 1 || spec.height < 1) return bad("Tensor width and height must be at least 1");
  if (static_cast<double>(spec.width) * spec.height > 1 << 30) return bad("Tensor is too large");
  for (int c = 0; c < 3; ++c) {
    if (!std::isfinite(spec.scale[c]) || !std::isfinite(spec.offset[c]))
      return bad("Tensor scale and offset must be finite");
  }
  for (const double v : {r.a, r.b, r.c, r.d, r.e, r.f}) {
    if (!std::isfinite(v)) return bad("Region coefficients must be finite");
    if (std::fabs(v) > 1e8) return bad("Region coefficients must lie within ±1e8");
  }
  for (const double u : {0.0, static_cast<double>(spec.width)}) {
    for (const double v : {0.0, static_cast<double>(spec.height)}) {
      if (std::fabs(r.a * u + r.b * v + r.c) > 1e8 || std::fabs(r.d * u + r.e * v + r.f) > 1e8) {
        return bad("Region reaches more than 1e8 pixels from the origin");
      }
    }
  }
  return Status();
}

}  // namespace

Status sample_to_tensor(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling,
                        bool mirror, void* out, const CancelToken* cancel) {
  if (Status s = validate(image); !s.ok()) return s;
  if (Status s = validate(region, spec); !s.ok()) return s;
  if (out == nullptr) return Status(Code::kInvalidArgument, "No room for the tensor");
  if (is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
  const ImageKernels& kernels = image_kernels();
  if (region.b == 0 && region.d == 0)
    return resample_aligned(image, region, spec, sampling, mirror, out, cancel, kernels);
  return resample_affine(image, region, spec, sampling, mirror, out, cancel, kernels);
}

}  // namespace lineament
