// Decoder of face-api.js's tiny face detector, a YOLO v2 style grid: Redmon and Farhadi, "YOLO9000: Better, Faster,
// Stronger" (CVPR 2017). Five anchors per cell of 32 pixels, each (x, y, w, h, score).
#include <array>
#include <cmath>

#include "inference/decode.h"

namespace lineament {

namespace {

constexpr int kCell = 32;
// Width and height in cells, as published in face-api.js's configuration of the network.
constexpr std::array<std::array<double, 2>, 5> kAnchors = {
    {{1.603231, 2.094468}, {6.041143, 7.080126}, {2.882459, 3.518061}, {4.266906, 5.178857}, {9.041765, 10.66308}}};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

Status decode_tiny(const Decoder& decoder, const RawOutput& grid, int width, int height, Candidates* out) {
  const int columns = (width + kCell - 1) / kCell;
  const int rows = (height + kCell - 1) / kCell;
  const size_t expected = static_cast<size_t>(columns) * static_cast<size_t>(rows) * kAnchors.size() * 5;
  if (grid.per_item != expected) {
    return Status(Code::kInferenceFailed, "The tiny decoder expects " + std::to_string(expected) +
                                              " values for an input of " + std::to_string(width) + "×" +
                                              std::to_string(height) + "; the network gave " +
                                              std::to_string(grid.per_item));
  }
  const float* v = grid.data;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      for (const auto& anchor : kAnchors) {
        const float score = static_cast<float>(sigmoid(v[4]));
        if (score >= decoder.min_score) {  // NaN never is
          const double cx = (column + sigmoid(v[0])) * kCell;
          const double cy = (row + sigmoid(v[1])) * kCell;
          const double w = std::exp(double{v[2]}) * anchor[0] * kCell / 2;
          const double h = std::exp(double{v[3]}) * anchor[1] * kCell / 2;
          out->add(cx - w, cy - h, cx + w, cy + h, score);
        }
        v += 5;
      }
    }
  }
  return Status();
}

}  // namespace lineament
