#include "image/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/aligned.h"
#include "image/kernels.h"
#include "image/rows.h"
#include "image/sample.h"

namespace lineament {
namespace {

struct Range {
  int begin, end;
};

// Pixels whose centres lie in [from, from + length), clipped to [0, size).
Range covered(double from, double length, int size) {
  const double begin = std::clamp(std::ceil(from - 0.5), 0.0, static_cast<double>(size));
  const double end = std::clamp(std::ceil(from + length - 0.5), begin, static_cast<double>(size));
  return {static_cast<int>(begin), static_cast<int>(end)};
}

}  // namespace

Status statistics(const ImageView& image, double x, double y, double width, double height, Statistics* out,
                  const CancelToken* cancel) {
  if (Status s = validate(image); !s.ok()) return s;
  if (out == nullptr) return Status(Code::kInvalidArgument, "No room for the statistics");
  if (!std::isfinite(x) || !std::isfinite(y) || !std::isfinite(width) || !std::isfinite(height)) {
    return Status(Code::kInvalidArgument, "Boxes must be finite numbers");
  }
  const Range columns = covered(x, width, image.width), lines = covered(y, height, image.height);
  const int w = columns.end - columns.begin, h = lines.end - lines.begin;
  if (w < 3 || h < 3) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    *out = {none, none, none, none, none};
    return Status();
  }
  const ImageKernels& kernels = image_kernels();
  static thread_local RowSource source;
  static thread_local AlignedBuffer<uint8_t> luma;
  const size_t row_room = (static_cast<size_t>(w) + 127) / 64 * 64;
  if (!source.open(image, columns.begin, columns.end, true, kernels) || !luma.reset(row_room * 3)) {
    return Status(Code::kOutOfMemory, "Out of memory while measuring an image");
  }
  LumaSums sums{};
  LaplacianSums laplacian{};
  const uint8_t* recent[3] = {};
  for (int row = 0; row < h; ++row) {
    if ((row & 31) == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
    const uint8_t* pixels = source.row(lines.begin + row);
    if (source.pixel() > 1) {
      uint8_t* gray = luma.data() + static_cast<size_t>(row % 3) * row_room;
      kernels.gray(pixels, source.pixel(), source.red(), w, gray);
      pixels = gray;
    }
    recent[row % 3] = pixels;
    kernels.luma_sums(pixels, w, &sums);
    if (row >= 2) kernels.laplacian_sums(recent[(row - 2) % 3], recent[(row - 1) % 3], pixels, w - 2, &laplacian);
  }
  const double n = static_cast<double>(w) * h, inner = static_cast<double>(w - 2) * (h - 2);
  const double mean = static_cast<double>(sums.sum) / n;
  const double mean_laplacian = static_cast<double>(laplacian.sum) / inner;
  out->laplacian_variance =
      std::max(0.0, static_cast<double>(laplacian.squares) / inner - mean_laplacian * mean_laplacian);
  out->mean = mean;
  out->contrast = std::sqrt(std::max(0.0, static_cast<double>(sums.squares) / n - mean * mean));
  out->underexposed = static_cast<double>(sums.under) / n;
  out->overexposed = static_cast<double>(sums.over) / n;
  return Status();
}

}  // namespace lineament
