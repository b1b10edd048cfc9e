#include "inference/decode.h"

#include <algorithm>
#include <cmath>

namespace lineament {

std::vector<std::string> decoder_outputs(const Decoder& decoder) {
  switch (decoder.kind) {
    case Decoder::Kind::kSsd:
      return {"boxes", "scores"};
    case Decoder::Kind::kBlaze:
      return {"regressors", "scores"};
    case Decoder::Kind::kTiny:
      return {"grid"};
    case Decoder::Kind::kScrfd:
      return {};
  }
  return {};
}

Status decode_item(const Decoder& decoder, const std::vector<RawOutput>& outputs, int width, int height,
                   Candidates* out) {
  switch (decoder.kind) {
    case Decoder::Kind::kSsd:
      return decode_ssd(decoder, outputs[0], outputs[1], width, height, out);
    case Decoder::Kind::kBlaze:
      return decode_blaze(decoder, outputs[0], outputs[1], width, height, out);
    case Decoder::Kind::kTiny:
      return decode_tiny(decoder, outputs[0], width, height, out);
    case Decoder::Kind::kScrfd:
      return decode_scrfd(decoder, outputs, width, height, out);
  }
  return Status(Code::kInternal, "Unknown decoder");
}

void Candidates::begin(const Region& region, size_t index, bool mirrored, int width) {
  region_ = region;
  index_ = index;
  mirrored_ = mirrored;
  width_ = width;
}

void Candidates::map(double u, double v, double* x, double* y) const {
  if (mirrored_) u = width_ - u;
  *x = region_.a * u + region_.b * v + region_.c;
  *y = region_.d * u + region_.e * v + region_.f;
}

void Candidates::add(double x1, double y1, double x2, double y2, float score, const double* keypoints) {
  if (!(x2 > x1 && y2 > y1)) return;
  // A rotated region turns the box: its bounds in source pixels are those of the four corners.
  double x[4];
  double y[4];
  map(x1, y1, &x[0], &y[0]);
  map(x2, y1, &x[1], &y[1]);
  map(x1, y2, &x[2], &y[2]);
  map(x2, y2, &x[3], &y[3]);
  const float left = static_cast<float>(*std::min_element(x, x + 4));
  const float right = static_cast<float>(*std::max_element(x, x + 4));
  const float top = static_cast<float>(*std::min_element(y, y + 4));
  const float bottom = static_cast<float>(*std::max_element(y, y + 4));
  if (!(right > left && bottom > top)) return;
  const size_t start = rows_.size();
  rows_.insert(rows_.end(), {left, top, right, bottom, score, static_cast<float>(index_)});
  for (size_t k = 6; k < stride_; k += 2, keypoints += 2) {
    double px = 0;
    double py = 0;
    map(keypoints[0], keypoints[1], &px, &py);
    rows_.push_back(static_cast<float>(px));
    rows_.push_back(static_cast<float>(py));
  }
  if (!std::all_of(rows_.begin() + static_cast<std::ptrdiff_t>(start), rows_.end(),
                   [](float v) { return std::isfinite(v); })) {
    rows_.resize(start);
  }
}

}  // namespace lineament
