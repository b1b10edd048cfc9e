// Separable resize of an axis-aligned region: source rows are blended into one row of floats (vertical pass, unaware of
// pixels), which is then resampled along x and packed. Nothing larger than a row is kept.
#include <algorithm>
#include <cstring>

#include "image/packer.h"
#include "image/resample.h"
#include "image/rows.h"
#include "image/taps.h"

namespace lineament {
namespace {

constexpr int kPaddedTaps = 16;  // up to here every output pixel gets the same number of taps
constexpr int kRowChunk = 8;     // rows blended at once; RowSource keeps twice as many

struct Scratch {
  AxisTaps x, y;
  RowSource rows;
  Packer packer;
  AlignedBuffer<float> blended, pixels, padded_weights;
  AlignedBuffer<int32_t> padded_start;
};

}  // namespace

Status resample_aligned(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling,
                        bool mirror, void* out, const CancelToken* cancel, const ImageKernels& kernels) {
  static thread_local Scratch scratch;
  Scratch& s = scratch;
  const auto no_memory = [] { return Status(Code::kOutOfMemory, "Out of memory while sampling an image"); };
  if (!build_taps(region.a, region.c, spec.width, image.width, sampling.filter, sampling.border, mirror, &s.x)) return no_memory();
  if (!build_taps(region.e, region.f, spec.height, image.height, sampling.filter, sampling.border, false, &s.y)) return no_memory();

  const bool empty = s.x.first == s.x.last || s.y.first == s.y.last;
  const int begin = s.x.source_begin, end = empty ? begin + 1 : s.x.source_end;
  if (!s.rows.open(image, begin, end, spec.colour == Colour::kGray, kernels)) return no_memory();
  const int pixel = s.rows.pixel(), lanes = pixel == 1 ? 1 : 4;
  const auto upixel = static_cast<size_t>(pixel), ulanes = static_cast<size_t>(lanes);
  if (!s.packer.open(spec, lanes, s.rows.red(), out, kernels)) return no_memory();

  // Weights by output pixel, padded to one length, with starts in floats of the blended row.
  const bool padded = s.x.most <= kPaddedTaps;
  const auto taps = static_cast<size_t>(padded ? s.x.most : 0);
  const auto outputs = static_cast<size_t>(s.x.last - s.x.first);
  if (!s.padded_start.reset(outputs + 1) || !s.padded_weights.reset(outputs * taps + 1)) return no_memory();
  for (size_t i = 0; i < outputs; ++i) {
    s.padded_start[i] = (s.x.start[i] - begin) * pixel;
    for (size_t k = 0; k < taps; ++k) {
      s.padded_weights[i * taps + k] = k < static_cast<size_t>(s.x.count[i]) ? s.x.weights[static_cast<size_t>(s.x.offset[i]) + k] : 0;
    }
  }

  const size_t length = static_cast<size_t>(end - begin) * upixel;
  const size_t slack = taps * upixel + 16;
  if (!s.blended.reset(length + slack) || !s.pixels.reset((static_cast<size_t>(spec.width) + 4) * ulanes)) return no_memory();
  std::memset(s.blended.data() + length, 0, slack * sizeof(float));
  std::memset(s.pixels.data(), 0, (static_cast<size_t>(spec.width) + 4) * ulanes * sizeof(float));

  bool blank = true;  // `pixels` is all zero
  for (int y = 0; y < spec.height; ++y) {
    if ((y & 15) == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
    const bool outside = empty || y < s.y.first || y >= s.y.last;
    if (outside) {
      if (!blank) std::memset(s.pixels.data(), 0, static_cast<size_t>(spec.width) * ulanes * sizeof(float));
      blank = true;
      s.packer.row(s.pixels.data(), y);
      continue;
    }
    const auto i = static_cast<size_t>(y - s.y.first);
    const float* weights = s.y.weights.data() + s.y.offset[i];
    for (int k = 0; k < s.y.count[i]; k += kRowChunk) {
      const uint8_t* rows[kRowChunk];
      const int n = std::min(kRowChunk, s.y.count[i] - k);
      for (int j = 0; j < n; ++j) rows[j] = s.rows.row(s.y.start[i] + k + j);
      kernels.vertical(rows, weights + k, n, k > 0, length, s.blended.data());
      if ((k & 255) == 248 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
    }
    float* pixels = s.pixels.data() + static_cast<size_t>(s.x.first) * ulanes;
    const int width = s.x.last - s.x.first;
    if (padded && lanes == 4) {
      kernels.horizontal(s.blended.data(), pixel, s.padded_start.data(), s.padded_weights.data(), s.x.most, width, pixels);
    } else if (padded) {
      kernels.horizontal_gray(s.blended.data(), s.padded_start.data(), s.padded_weights.data(), s.x.most, width, pixels);
    } else {
      for (size_t x = 0; x < outputs; ++x) {
        const float* w = s.x.weights.data() + s.x.offset[x];
        if (lanes == 4) {
          kernels.horizontal(s.blended.data(), pixel, s.padded_start.data() + x, w, s.x.count[x], 1, pixels + 4 * x);
        } else {
          kernels.horizontal_gray(s.blended.data(), s.padded_start.data() + x, w, s.x.count[x], 1, pixels + x);
        }
      }
    }
    blank = false;
    s.packer.row(s.pixels.data(), y);
  }
  return Status();
}

}  // namespace lineament
