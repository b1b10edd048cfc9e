// Decoder of MediaPipe's BlazeFace networks: Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on
// Mobile GPUs" (2019). Anchors have no size of their own: cell centres, `anchors` of them per cell, one map per stride.
#include <cmath>
#include <limits>

#include "inference/decode.h"

namespace lineament {

Status decode_blaze(const Decoder& decoder, const RawOutput& regressors, const RawOutput& scores, int width, int height,
                    Candidates* out) {
  const size_t values = 4 + 2 * static_cast<size_t>(decoder.keypoints);
  size_t count = 0;
  for (const Decoder::Stride& level : decoder.strides) {
    const size_t columns = static_cast<size_t>((width + level.stride - 1) / level.stride);
    const size_t rows = static_cast<size_t>((height + level.stride - 1) / level.stride);
    count += columns * rows * static_cast<size_t>(level.anchors);
  }
  if (scores.per_item != count || regressors.per_item != count * values) {
    return Status(Code::kInferenceFailed, "The blaze decoder expects " + std::to_string(count) + " boxes of " +
                                              std::to_string(values) + " values for an input of " +
                                              std::to_string(width) + "×" + std::to_string(height) +
                                              "; the network gave " + std::to_string(scores.per_item) + " scores and " +
                                              std::to_string(regressors.per_item) + " values");
  }
  std::vector<double> points(values - 4);
  const float* score = scores.data;
  const float* box = regressors.data;
  for (const Decoder::Stride& level : decoder.strides) {
    const int columns = (width + level.stride - 1) / level.stride;
    const int rows = (height + level.stride - 1) / level.stride;
    for (int row = 0; row < rows; ++row) {
      for (int column = 0; column < columns; ++column) {
        const double ax = (column + 0.5) * level.stride;
        const double ay = (row + 0.5) * level.stride;
        for (int k = 0; k < level.anchors; ++k, ++score, box += values) {
          const float probability = decoder.logits ? 1 / (1 + std::exp(-*score)) : *score;
          if (!(probability >= decoder.min_score)) continue;  // NaN too
          const double cx = box[0] + ax;
          const double cy = box[1] + ay;
          const double w = box[2] / 2.0;
          const double h = box[3] / 2.0;
          for (size_t p = 0; p < points.size(); p += 2) {
            points[p] = box[4 + p] + ax;
            points[p + 1] = box[5 + p] + ay;
          }
          out->add(cx - w, cy - h, cx + w, cy + h, probability, points.data());
        }
      }
    }
  }
  return Status();
}

}  // namespace lineament
