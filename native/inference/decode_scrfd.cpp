// Decoder of the SCRFD face detectors: Guo, Deng, Lattas and Zafeiriou, "Sample and Computation Redistribution for
// Efficient Face Detection" (ICLR 2022). Maps of strides 8, 16 and 32 with two anchors per cell, whose centre is the
// cell's upper left corner; a box is given by the distances of its four sides from there, key points by their offsets,
// all in strides. Scores are probabilities. The published files name their outputs by numbers, so each is known by its
// shape: the last dimension (1 score, 4 distances, 2k key point offsets) and the number of rows that its stride has.
#include <array>
#include <string>

#include "inference/decode.h"

namespace lineament {

namespace {

constexpr std::array<int, 3> kStrides = {8, 16, 32};
constexpr int kAnchors = 2;

size_t rows_of(int stride, int width, int height) {
  return static_cast<size_t>(width / stride) * static_cast<size_t>(height / stride) * kAnchors;
}

const float* find(const std::vector<RawOutput>& outputs, size_t rows, size_t values) {
  for (const RawOutput& output : outputs) {
    if (output.last == values && output.per_item == rows * values) return output.data;
  }
  return nullptr;
}

Status missing(const char* what, size_t rows, size_t values, int stride, int width, int height) {
  return Status(Code::kModelCorrupt, "The scrfd decoder expects an output of " + std::to_string(rows) + "×" +
                                         std::to_string(values) + " " + what + " (stride " + std::to_string(stride) +
                                         ") for an input of " + std::to_string(width) + "×" + std::to_string(height) +
                                         "; the network gave none");
}

}  // namespace

Status decode_scrfd(const Decoder& decoder, const std::vector<RawOutput>& outputs, int width, int height,
                    Candidates* out) {
  const size_t offsets = 2 * static_cast<size_t>(decoder.keypoints);
  std::vector<double> points(offsets);
  for (const int stride : kStrides) {
    const size_t rows = rows_of(stride, width, height);
    if (rows == 0) continue;
    const float* score = find(outputs, rows, 1);
    const float* box = find(outputs, rows, 4);
    const float* offset = offsets == 0 ? nullptr : find(outputs, rows, offsets);
    if (score == nullptr) return missing("scores", rows, 1, stride, width, height);
    if (box == nullptr) return missing("distances", rows, 4, stride, width, height);
    if (offsets != 0 && offset == nullptr) return missing("key points", rows, offsets, stride, width, height);
    const size_t columns = static_cast<size_t>(width / stride);
    for (size_t row = 0; row < rows; ++row) {
      if (!(score[row] >= decoder.min_score)) continue;  // NaN too
      const size_t cell = row / kAnchors;
      const double x = static_cast<double>(cell % columns) * stride;
      const double y = static_cast<double>(cell / columns) * stride;
      const float* d = box + 4 * row;
      for (size_t p = 0; p < offsets; p += 2) {
        points[p] = x + double{offset[row * offsets + p]} * stride;
        points[p + 1] = y + double{offset[row * offsets + p + 1]} * stride;
      }
      out->add(x - double{d[0]} * stride, y - double{d[1]} * stride, x + double{d[2]} * stride,
               y + double{d[3]} * stride, score[row], points.data());
    }
  }
  return Status();
}

}  // namespace lineament
