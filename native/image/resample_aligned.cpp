// Separable resize of an axis-aligned region: source rows are blended into one row (vertical pass, unaware of pixels),
// which is then resampled along x and packed. Nothing larger than a row is kept. Up to kFixedTaps taps each way colour
// is computed in 16-bit numbers where the kernels have that, otherwise in floats.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "image/packer.h"
#include "image/resample.h"
#include "image/rows.h"
#include "image/taps.h"

namespace lineament {
namespace {

constexpr int kPaddedTaps = 16;  // up to here every output pixel gets the same number of taps
constexpr int kRowChunk = 8;     // rows blended at once; RowSource keeps twice as many
static_assert(kFixedTaps <= kRowChunk);

struct Scratch {
  AxisTaps x, y;
  RowSource rows;
  Packer packer;
  AlignedBuffer<float> blended, pixels, weights;
  AlignedBuffer<int16_t> blended16;
  AlignedBuffer<int32_t> start, weights16;
};

// Weights of `taps` as whole numbers of 1/unit whose sum is right too: the largest takes what rounding left over.
void to_fixed(const float* weights, int taps, int unit, int32_t* out) {
  double sum = 0;
  int32_t used = 0;
  int largest = 0;
  for (int k = 0; k < taps; ++k) {
    sum += static_cast<double>(weights[k]);
    out[k] = static_cast<int32_t>(std::lround(static_cast<double>(weights[k]) * unit));
    used += out[k];
    if (out[k] > out[largest]) largest = k;
  }
  out[largest] += static_cast<int32_t>(std::lround(sum * unit)) - used;
}

// One batch item; every pass works on the current output row.
class Resampler {
 public:
  Resampler(Scratch* scratch, const ImageKernels& kernels) : s_(*scratch), kernels_(kernels) {}

  bool open(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling, bool mirror,
            void* out) {
    if (!build_taps(region.a, region.c, spec.width, image.width, sampling.filter, sampling.border, mirror, &s_.x))
      return false;
    if (!build_taps(region.e, region.f, spec.height, image.height, sampling.filter, sampling.border, false, &s_.y))
      return false;
    width_ = spec.width;
    empty_ = s_.x.first == s_.x.last || s_.y.first == s_.y.last;
    const int begin = s_.x.source_begin, end = empty_ ? begin + 1 : s_.x.source_end;
    if (!s_.rows.open(image, begin, end, spec.colour == Colour::kGray, kernels_)) return false;
    pixel_ = s_.rows.pixel();
    lanes_ = pixel_ == 1 ? 1 : 4;
    if (!s_.packer.open(spec, static_cast<int>(lanes_), s_.rows.red(), out, kernels_)) return false;
    outputs_ = s_.x.last - s_.x.first;
    length_ = static_cast<size_t>(end - begin) * static_cast<size_t>(pixel_);
    fixed_ = lanes_ == 4 && kernels_.vertical16 != nullptr && s_.x.most <= kFixedTaps && s_.y.most <= kFixedTaps;
    const size_t pixels = (static_cast<size_t>(width_) + 8) * lanes_;
    const auto padded = static_cast<size_t>(outputs_ + 7) / 8 * 8;
    if (!s_.pixels.reset(pixels) || !s_.start.reset(padded + 8)) return false;
    std::memset(s_.pixels.data(), 0, pixels * sizeof(float));
    for (size_t i = 0; i < padded; ++i) {
      const size_t from = std::min(i, static_cast<size_t>(std::max(outputs_, 1)) - 1);
      s_.start[i] = outputs_ > 0 ? (s_.x.start[from] - begin) * pixel_ : 0;
    }
    return fixed_ ? open_fixed(padded) : open_float();
  }

  bool blank(int y) const { return empty_ || y < s_.y.first || y >= s_.y.last; }

  void blank_row(int y) {
    if (dirty_) std::memset(s_.pixels.data(), 0, static_cast<size_t>(width_) * lanes_ * sizeof(float));
    dirty_ = false;
    s_.packer.blank_row(s_.pixels.data(), y);
  }

  // False when cancelled.
  bool row(int y, const CancelToken* cancel) {
    const auto i = static_cast<size_t>(y - s_.y.first);
    const int count = s_.y.count[i], first_row = s_.y.start[i];
    const float* weights = s_.y.weights.data() + s_.y.offset[i];
    const uint8_t* rows[kRowChunk];
    float* pixels = s_.pixels.data() + static_cast<size_t>(s_.x.first) * lanes_;
    dirty_ = true;
    if (fixed_) {
      int32_t fixed[kFixedTaps];
      to_fixed(weights, count, 32768, fixed);
      for (int k = 0; k < count; ++k) rows[k] = s_.rows.row(first_row + k);
      kernels_.vertical16(rows, fixed, count, length_, s_.blended16.data());
      if (s_.packer.planar_floats()) {
        s_.packer.blank_columns(0, s_.x.first, y);
        kernels_.horizontal16_planar_f32(s_.blended16.data(), pixel_, s_.start.data(), s_.weights16.data(),
                                         weight_stride_, pairs_, outputs_, s_.packer.target(s_.x.first, y));
        s_.packer.blank_columns(s_.x.last, width_, y);
        return true;
      }
      kernels_.horizontal16(s_.blended16.data(), pixel_, s_.start.data(), s_.weights16.data(), weight_stride_, pairs_,
                            outputs_, pixels);
    } else {
      for (int k = 0; k < count; k += kRowChunk) {
        const int n = std::min(kRowChunk, count - k);
        for (int j = 0; j < n; ++j) rows[j] = s_.rows.row(first_row + k + j);
        kernels_.vertical(rows, weights + k, n, k > 0, length_, s_.blended.data());
        if ((k & 255) == 248 && is_cancelled(cancel)) return false;
      }
      horizontal_float(pixels);
    }
    s_.packer.row(s_.pixels.data(), y);
    return true;
  }

 private:
  bool open_fixed(size_t padded) {
    pairs_ = std::max(1, (s_.x.most + 1) / 2);
    weight_stride_ = static_cast<int>(padded);
    const auto pairs = static_cast<size_t>(pairs_);
    const size_t spare = 16 + 2 * static_cast<size_t>(pixel_) * pairs;
    if (!s_.blended16.reset(length_ + spare) || !s_.weights16.reset(padded * pairs + 8)) return false;
    std::memset(s_.blended16.data() + length_, 0, spare * sizeof(int16_t));
    std::memset(s_.weights16.data(), 0, padded * pairs * sizeof(int32_t));
    for (size_t x = 0; x < static_cast<size_t>(outputs_); ++x) {
      int32_t w[kFixedTaps + 1] = {};
      to_fixed(s_.x.weights.data() + s_.x.offset[x], s_.x.count[x], 16384, w);
      for (size_t k = 0; k < pairs; ++k)
        s_.weights16[k * padded + x] =
            (w[2 * k] & 0xffff) | static_cast<int32_t>(static_cast<uint32_t>(w[2 * k + 1]) << 16);
    }
    return true;
  }

  bool open_float() {
    padded_ = s_.x.most <= kPaddedTaps;
    const auto taps = static_cast<size_t>(padded_ ? s_.x.most : 0);
    const size_t spare = taps * static_cast<size_t>(pixel_) + 16;
    if (!s_.blended.reset(length_ + spare) || !s_.weights.reset(static_cast<size_t>(outputs_) * taps + 1)) return false;
    std::memset(s_.blended.data() + length_, 0, spare * sizeof(float));
    for (size_t x = 0; x < static_cast<size_t>(outputs_); ++x) {
      const float* w = s_.x.weights.data() + s_.x.offset[x];
      for (size_t k = 0; k < taps; ++k) s_.weights[x * taps + k] = k < static_cast<size_t>(s_.x.count[x]) ? w[k] : 0;
    }
    return true;
  }

  void horizontal_float(float* pixels) {
    const float* row = s_.blended.data();
    if (padded_ && lanes_ == 4) {
      kernels_.horizontal(row, pixel_, s_.start.data(), s_.weights.data(), s_.x.most, outputs_, pixels);
      return;
    }
    if (padded_) {
      kernels_.horizontal_gray(row, s_.start.data(), s_.weights.data(), s_.x.most, outputs_, pixels);
      return;
    }
    for (size_t x = 0; x < static_cast<size_t>(outputs_); ++x) {
      const float* w = s_.x.weights.data() + s_.x.offset[x];
      if (lanes_ == 4) {
        kernels_.horizontal(row, pixel_, s_.start.data() + x, w, s_.x.count[x], 1, pixels + 4 * x);
      } else {
        kernels_.horizontal_gray(row, s_.start.data() + x, w, s_.x.count[x], 1, pixels + x);
      }
    }
  }

  Scratch& s_;
  const ImageKernels& kernels_;
  int width_ = 0, pixel_ = 0, outputs_ = 0, pairs_ = 0, weight_stride_ = 0;
  size_t lanes_ = 0, length_ = 0;
  bool empty_ = false, fixed_ = false, padded_ = false, dirty_ = false;
};

}  // namespace

Status resample_aligned(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling,
                        bool mirror, void* out, const CancelToken* cancel, const ImageKernels& kernels) {
  static thread_local Scratch scratch;
  Resampler resampler(&scratch, kernels);
  if (!resampler.open(image, region, spec, sampling, mirror, out)) {
    return Status(Code::kOutOfMemory, "Out of memory while sampling an image");
  }
  for (int y = 0; y < spec.height; ++y) {
    if ((y & 15) == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
    if (resampler.blank(y)) {
      resampler.blank_row(y);
    } else if (!resampler.row(y, cancel)) {
      return Status(Code::kAborted, "Aborted");
    }
  }
  return Status();
}

}  // namespace lineament
