// Decoder of the SSD-MobileNet face network that face-api.js carries.
//
// Liu et al., "SSD: Single Shot MultiBox Detector" (ECCV 2016), with the box coder of TensorFlow's object detection API
// (variances 10 and 5). The network was trained at 512×512 with six maps of 32, 16, 8, 4, 2 and 1 cells. Anchors are
// given here in pixels of that input, so that the network can be run on any size that is a multiple of 32: an anchor
// keeps its size in pixels, and its centre stays where it lies relative to the cell's receptive field.
// Checked on 33 views of 11 portraits (faces of 200–340 px) at seven sizes against the box at 512×512: mean overlap
// 0.82–0.97 and never below that of centres spread evenly over the input (0.81–0.97) or kept at multiples of the stride
// (0.77–0.95).
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "inference/decode.h"

namespace lineament {

namespace {

struct Anchor {
  float cx, cy, w, h;
};
using Anchors = std::vector<Anchor>;

constexpr double kTrained = 512;
constexpr int kMaps = 6;
constexpr int kFirstStride = 16;

struct Shape {
  double scale;
  double ratio;  // width / height
};

// Shapes of a cell's anchors in the order of the network's channels.
std::vector<Shape> shapes(int map) {
  if (map == 0) return {{0.1, 1.0}, {0.2, 2.0}, {0.2, 0.5}};
  constexpr std::array<double, kMaps> kScales = {0.35, 0.5, 0.65, 0.8, 0.95, 1.0};
  const double s = kScales[static_cast<size_t>(map) - 1];
  const double next = kScales[static_cast<size_t>(map)];
  return {{s, 1.0}, {std::sqrt(s * next), 1.0}, {s, 2.0}, {s, 0.5}, {s, 3.0}, {s, 0.3333}};
}

// Cells along one side, where the first anchor centre lies and how far apart they are. Every map is a stride-2
// convolution with "same" padding of the one before: ceil(n / 2) cells. Where n is odd, that padding puts a cell's
// receptive field one input cell earlier than at the even sizes of the training, and the anchor moves with it. The last
// maps have so few cells, and see so much border, that centres spread evenly over the input fit better.
struct Axis {
  std::array<int, kMaps> cells{};
  std::array<double, kMaps> first{};
  std::array<double, kMaps> step{};
};

Axis axis(int size) {
  constexpr size_t kFirstSpread = 3;
  Axis out;
  int cells = (size + kFirstStride - 1) / kFirstStride;
  double stride = kFirstStride;
  double shift = 0;
  for (size_t m = 0; m < kMaps; ++m) {
    out.cells[m] = cells;
    out.step[m] = m < kFirstSpread ? stride : static_cast<double>(size) / cells;
    out.first[m] = out.step[m] / 2 + (m < kFirstSpread ? shift : 0);
    if (cells % 2 == 1) shift -= stride;
    cells = (cells + 1) / 2;
    stride *= 2;
  }
  return out;
}

Anchors make_anchors(int width, int height) {
  const Axis x = axis(width);
  const Axis y = axis(height);
  Anchors out;
  for (int m = 0; m < kMaps; ++m) {
    const size_t i = static_cast<size_t>(m);
    const std::vector<Shape> all = shapes(m);
    for (int row = 0; row < y.cells[i]; ++row) {
      for (int column = 0; column < x.cells[i]; ++column) {
        for (const Shape& shape : all) {
          const double root = std::sqrt(shape.ratio);
          out.push_back(
              {static_cast<float>(x.first[i] + column * x.step[i]), static_cast<float>(y.first[i] + row * y.step[i]),
               static_cast<float>(shape.scale * root * kTrained), static_cast<float>(shape.scale / root * kTrained)});
        }
      }
    }
  }
  return out;
}

std::shared_ptr<const Anchors> anchors_for(int width, int height) {
  constexpr size_t kMost = 64;  // sizes remembered; pictures of every shape must not fill the memory
  static auto* const mutex = new std::mutex;
  static auto* const cache = new std::map<std::pair<int, int>, std::shared_ptr<const Anchors>>;
  std::lock_guard<std::mutex> lock(*mutex);
  auto& entry = (*cache)[{width, height}];
  if (!entry) entry = std::make_shared<const Anchors>(make_anchors(width, height));
  std::shared_ptr<const Anchors> out = entry;
  if (cache->size() > kMost) cache->clear();
  return out;
}

}  // namespace

Status decode_ssd(const Decoder& decoder, const RawOutput& boxes, const RawOutput& scores, int width, int height,
                  Candidates* out) {
  const std::shared_ptr<const Anchors> anchors = anchors_for(width, height);
  const size_t count = anchors->size();
  if (boxes.per_item != 4 * count || scores.per_item != count) {
    return Status(Code::kInferenceFailed,
                  "The ssd decoder expects " + std::to_string(count) + " boxes for an input of " +
                      std::to_string(width) + "×" + std::to_string(height) + "; the network gave " +
                      std::to_string(boxes.per_item / 4) + " boxes and " + std::to_string(scores.per_item) + " scores");
  }
  for (size_t i = 0; i < count; ++i) {
    const float score = scores.data[i];
    if (!(score >= decoder.min_score)) continue;  // NaN too
    const Anchor& anchor = (*anchors)[i];
    const float* t = boxes.data + 4 * i;
    const double cy = t[0] / 10.0 * anchor.h + anchor.cy;
    const double cx = t[1] / 10.0 * anchor.w + anchor.cx;
    const double h = std::exp(t[2] / 5.0) * anchor.h / 2;
    const double w = std::exp(t[3] / 5.0) * anchor.w / 2;
    out->add(cx - w, cy - h, cx + w, cy + h, score);
  }
  return Status();
}

}  // namespace lineament
