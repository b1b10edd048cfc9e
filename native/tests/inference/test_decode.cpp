// Decoders and suppression against plain, separately written references.
#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "inference/decode.h"
#include "tests/check.h"

using namespace lineament;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Box {
  double x1, y1, x2, y2, score;
};

Decoder ssd(float min_score) {
  Decoder decoder;
  decoder.kind = Decoder::Kind::kSsd;
  decoder.min_score = min_score;
  return decoder;
}

Box box_of(const Candidates& candidates, size_t i) {
  const float* row = candidates.rows().data() + i * candidates.stride();
  return {row[0], row[1], row[2], row[3], row[4]};
}

std::vector<float> noise(size_t count, unsigned seed, float spread) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-spread, spread);
  std::vector<float> out(count);
  for (float& value : out) value = uniform(random);
  return out;
}

// The anchors of the 512 input as the published network stores them: relative [ymin, xmin, ymax, xmax], map by map.
std::vector<Box> stored_anchors() {
  std::vector<Box> out;
  const double scales[] = {0.2, 0.35, 0.5, 0.65, 0.8, 0.95, 1.0};
  for (int map = 0; map < 6; ++map) {
    const int cells = 32 >> map;
    for (int cell = 0; cell < cells * cells; ++cell) {
      const double cy = (cell / cells + 0.5) / cells;
      const double cx = (cell % cells + 0.5) / cells;
      const auto add = [&](double scale, double ratio) {
        const double h = scale / std::sqrt(ratio) / 2;
        const double w = scale * std::sqrt(ratio) / 2;
        out.push_back({cx - w, cy - h, cx + w, cy + h, 0});
      };
      if (map == 0) {
        add(0.1, 1);
        add(0.2, 2);
        add(0.2, 0.5);
      } else {
        add(scales[map], 1);
        add(std::sqrt(scales[map] * scales[map + 1]), 1);
        add(scales[map], 2);
        add(scales[map], 0.5);
        add(scales[map], 3);
        add(scales[map], 0.3333);
      }
    }
  }
  return out;
}

}  // namespace

TEST(ssd_at_512_matches_the_stored_anchors) {
  const std::vector<Box> anchors = stored_anchors();
  CHECK_EQ(anchors.size(), size_t{5118});
  const std::vector<float> codes = noise(4 * anchors.size(), 1, 2);
  std::vector<float> scores(anchors.size(), 0.5f);
  Candidates out(0);
  out.begin(Region{}, 0, false, 512);
  CHECK(decode_ssd(ssd(0.1f), {codes.data(), codes.size()}, {scores.data(), scores.size()}, 512, 512, &out).ok());
  CHECK_EQ(out.size(), anchors.size());
  for (size_t i = 0; i < anchors.size() && i < out.size(); ++i) {
    const Box& a = anchors[i];
    const double h = a.y2 - a.y1;
    const double w = a.x2 - a.x1;
    const double cy = (a.y1 + a.y2) / 2 + codes[4 * i] * 0.1 * h;
    const double cx = (a.x1 + a.x2) / 2 + codes[4 * i + 1] * 0.1 * w;
    const double half_h = h * std::exp(codes[4 * i + 2] * 0.2) / 2;
    const double half_w = w * std::exp(codes[4 * i + 3] * 0.2) / 2;
    const Box got = box_of(out, i);
    CHECK_NEAR(got.x1, (cx - half_w) * 512, 2e-3);
    CHECK_NEAR(got.y1, (cy - half_h) * 512, 2e-3);
    CHECK_NEAR(got.x2, (cx + half_w) * 512, 2e-3);
    CHECK_NEAR(got.y2, (cy + half_h) * 512, 2e-3);
  }
}

TEST(ssd_takes_rectangles_and_refuses_other_counts) {
  // 512×384: maps of 32×24, 16×12, 8×6, 4×3, 2×2 and 1×1 cells.
  const size_t count = 32 * 24 * 3 + (16 * 12 + 8 * 6 + 4 * 3 + 2 * 2 + 1) * 6;
  const std::vector<float> codes(4 * count, 0.0f);
  const std::vector<float> scores(count, 1.0f);
  Candidates out(0);
  out.begin(Region{}, 0, false, 512);
  CHECK(decode_ssd(ssd(0.5f), {codes.data(), codes.size()}, {scores.data(), count}, 512, 384, &out).ok());
  CHECK_EQ(out.size(), count);
  // An anchor keeps its size in pixels: the first is 0.1 × 512 wide and high, centred in the first cell of 16 pixels.
  const Box first = box_of(out, 0);
  CHECK_NEAR(first.x2 - first.x1, 51.2, 1e-3);
  CHECK_NEAR(first.y1 + first.y2, 16, 1e-3);

  Candidates none(0);
  none.begin(Region{}, 0, false, 512);
  const Status wrong = decode_ssd(ssd(0.5f), {codes.data(), codes.size()}, {scores.data(), count}, 512, 512, &none);
  CHECK(wrong.code() == Code::kInferenceFailed);
  CHECK_EQ(none.size(), size_t{0});
}

TEST(odd_scores_and_boxes_are_ignored) {
  const size_t count = 5118;
  std::vector<float> codes(4 * count, 0.0f);
  std::vector<float> scores(count, 0.0f);
  scores[0] = kNan;
  scores[1] = 0.9f;
  codes[4 * 1 + 2] = kInfinity;
  scores[2] = 0.9f;
  codes[4 * 2 + 1] = kNan;
  scores[3] = 0.9f;
  scores[4] = kInfinity;
  scores[5] = 0.49f;
  Candidates out(0);
  out.begin(Region{}, 0, false, 512);
  CHECK(decode_ssd(ssd(0.5f), {codes.data(), codes.size()}, {scores.data(), count}, 512, 512, &out).ok());
  CHECK_EQ(out.size(), size_t{1});
  CHECK_NEAR(box_of(out, 0).score, 0.9, 1e-6);
}

TEST(blaze_matches_a_plain_reference) {
  Decoder decoder;
  decoder.kind = Decoder::Kind::kBlaze;
  decoder.min_score = 0.4f;
  decoder.strides = {{16, 2}, {32, 6}};
  decoder.keypoints = 6;
  decoder.logits = true;
  const size_t count = 16 * 16 * 2 + 8 * 8 * 6;
  CHECK_EQ(count, size_t{896});
  const std::vector<float> regressors = noise(count * 16, 2, 40);
  const std::vector<float> scores = noise(count, 3, 6);
  Candidates out(6);
  out.begin(Region{}, 0, false, 256);
  CHECK(decode_blaze(decoder, {regressors.data(), regressors.size()}, {scores.data(), count}, 256, 256, &out).ok());
  size_t row = 0;
  for (size_t i = 0; i < count; ++i) {
    const size_t cell = i < 512 ? i / 2 : (i - 512) / 6;
    const size_t side = i < 512 ? 16 : 8;
    const double stride = i < 512 ? 16 : 32;
    const double ax = (static_cast<double>(cell % side) + 0.5) * stride;
    const double ay = (static_cast<double>(cell / side) + 0.5) * stride;
    const float* r = regressors.data() + 16 * i;
    const double score = 1 / (1 + std::exp(-static_cast<double>(scores[i])));
    if (score < 0.4 || r[2] <= 0 || r[3] <= 0) continue;
    CHECK(row < out.size());
    if (row >= out.size()) return;
    const float* got = out.rows().data() + row++ * 18;
    CHECK_NEAR(got[0], ax + r[0] - r[2] / 2, 1e-3);
    CHECK_NEAR(got[1], ay + r[1] - r[3] / 2, 1e-3);
    CHECK_NEAR(got[2], ax + r[0] + r[2] / 2, 1e-3);
    CHECK_NEAR(got[3], ay + r[1] + r[3] / 2, 1e-3);
    CHECK_NEAR(got[4], score, 1e-5);
    for (size_t k = 0; k < 6; ++k) {
      CHECK_NEAR(got[6 + 2 * k], ax + r[4 + 2 * k], 1e-3);
      CHECK_NEAR(got[7 + 2 * k], ay + r[5 + 2 * k], 1e-3);
    }
  }
  CHECK_EQ(row, out.size());
  CHECK(row > 100);
  Candidates none(6);
  none.begin(Region{}, 0, false, 128);
  CHECK(decode_blaze(decoder, {regressors.data(), regressors.size()}, {scores.data(), count}, 128, 128, &none).code() ==
        Code::kInferenceFailed);
}

TEST(tiny_matches_a_plain_reference) {
  Decoder decoder;
  decoder.kind = Decoder::Kind::kTiny;
  decoder.min_score = 0.5f;
  const int side = 13;
  const std::vector<float> grid = noise(static_cast<size_t>(side * side * 25), 4, 2);
  Candidates out(0);
  out.begin(Region{}, 0, false, 416);
  CHECK(decode_tiny(decoder, {grid.data(), grid.size()}, 416, 416, &out).ok());
  const double anchors[5][2] = {
      {1.603231, 2.094468}, {6.041143, 7.080126}, {2.882459, 3.518061}, {4.266906, 5.178857}, {9.041765, 10.66308}};
  const auto sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  size_t row = 0;
  for (int cell = 0; cell < side * side; ++cell) {
    for (int a = 0; a < 5; ++a) {
      const float* v = grid.data() + static_cast<size_t>(cell) * 25 + static_cast<size_t>(a) * 5;
      if (!(sigmoid(v[4]) >= 0.5)) continue;
      CHECK(row < out.size());
      if (row >= out.size()) return;
      const Box got = box_of(out, row++);
      // Relative to the input first, as face-api.js does it.
      const double cx = (cell % side + sigmoid(v[0])) / side;
      const double cy = (cell / side + sigmoid(v[1])) / side;
      const double w = std::exp(static_cast<double>(v[2])) * anchors[a][0] / side;
      const double h = std::exp(static_cast<double>(v[3])) * anchors[a][1] / side;
      CHECK_NEAR(got.x1, (cx - w / 2) * 416, 1e-2);
      CHECK_NEAR(got.y1, (cy - h / 2) * 416, 1e-2);
      CHECK_NEAR(got.x2, (cx + w / 2) * 416, 1e-2);
      CHECK_NEAR(got.y2, (cy + h / 2) * 416, 1e-2);
    }
  }
  CHECK_EQ(row, out.size());
  CHECK(row > 100);
}

TEST(scrfd_matches_a_plain_reference_in_any_order_of_outputs) {
  Decoder decoder;
  decoder.kind = Decoder::Kind::kScrfd;
  decoder.min_score = 0.5f;
  decoder.keypoints = 5;
  const int width = 128;
  const int height = 96;
  const int strides[3] = {8, 16, 32};
  std::vector<std::vector<float>> scores, boxes, points;
  for (unsigned i = 0; i < 3; ++i) {
    const auto rows = static_cast<size_t>(2 * (width / strides[i]) * (height / strides[i]));
    scores.push_back(noise(rows, 10 + i, 1));
    boxes.push_back(noise(rows * 4, 20 + i, 3));
    points.push_back(noise(rows * 10, 30 + i, 3));
  }
  const auto raw = [](const std::vector<float>& values, size_t last) {
    return RawOutput{values.data(), values.size(), last};
  };
  const std::vector<RawOutput> outputs = {raw(points[2], 10), raw(scores[1], 1), raw(boxes[0], 4),
                                          raw(boxes[2], 4),   raw(scores[0], 1), raw(points[0], 10),
                                          raw(points[1], 10), raw(boxes[1], 4),  raw(scores[2], 1)};
  Candidates out(5);
  out.begin(Region{}, 0, false, width);
  CHECK(decode_scrfd(decoder, outputs, width, height, &out).ok());
  size_t row = 0;
  for (size_t level = 0; level < 3; ++level) {
    const int stride = strides[level];
    for (int cy = 0; cy < height / stride; ++cy) {
      for (int cx = 0; cx < width / stride; ++cx) {
        for (int anchor = 0; anchor < 2; ++anchor) {
          const auto i = static_cast<size_t>((cy * (width / stride) + cx) * 2 + anchor);
          const float* d = boxes[level].data() + 4 * i;
          if (!(scores[level][i] >= 0.5f) || d[0] + d[2] <= 0 || d[1] + d[3] <= 0) continue;
          CHECK(row < out.size());
          if (row >= out.size()) return;
          const float* got = out.rows().data() + row++ * 16;
          CHECK_NEAR(got[0], (cx - d[0]) * stride, 1e-3);
          CHECK_NEAR(got[1], (cy - d[1]) * stride, 1e-3);
          CHECK_NEAR(got[2], (cx + d[2]) * stride, 1e-3);
          CHECK_NEAR(got[3], (cy + d[3]) * stride, 1e-3);
          CHECK_EQ(got[4], scores[level][i]);
          for (size_t k = 0; k < 5; ++k) {
            CHECK_NEAR(got[6 + 2 * k], (cx + points[level][10 * i + 2 * k]) * stride, 1e-3);
            CHECK_NEAR(got[7 + 2 * k], (cy + points[level][10 * i + 2 * k + 1]) * stride, 1e-3);
          }
        }
      }
    }
  }
  CHECK_EQ(row, out.size());
  CHECK(row > 20);
  // A network without one of the nine is named as such, and one whose maps are of another size.
  Candidates none(5);
  none.begin(Region{}, 0, false, width);
  const Status lacking = decode_scrfd(decoder, {outputs.begin() + 1, outputs.end()}, width, height, &none);
  CHECK(lacking.code() == Code::kModelCorrupt);
  CHECK(lacking.message().find("24×10 key points (stride 32)") != std::string::npos);
  CHECK(decode_scrfd(decoder, outputs, width, 64, &none).code() == Code::kModelCorrupt);
}

TEST(regions_map_boxes_to_source_pixels) {
  const double points[2] = {10, 20};
  Candidates out(1);
  out.begin(Region{2, 0, 100, 0, 3, 50}, 7, false, 64);  // scaled and moved
  out.add(8, 16, 24, 32, 0.5f, points);
  out.begin(Region{2, 0, 100, 0, 3, 50}, 7, true, 64);  // the mirror image of the same
  const double mirrored[2] = {54, 20};
  out.add(40, 16, 56, 32, 0.5f, mirrored);
  out.begin(Region{0, -1, 64, 1, 0, 0}, 8, false, 64);  // a quarter turn: x = 64 − v, y = u
  out.add(8, 16, 24, 40, 0.5f, points);
  CHECK_EQ(out.size(), size_t{3});
  for (size_t i = 0; i < 2; ++i) {
    const float* row = out.rows().data() + i * 8;
    CHECK_NEAR(row[0], 116, 1e-4);
    CHECK_NEAR(row[1], 98, 1e-4);
    CHECK_NEAR(row[2], 148, 1e-4);
    CHECK_NEAR(row[3], 146, 1e-4);
    CHECK_EQ(row[5], 7.0f);
    CHECK_NEAR(row[6], 120, 1e-4);
    CHECK_NEAR(row[7], 110, 1e-4);
  }
  const Box turned = box_of(out, 2);
  CHECK_NEAR(turned.x1, 24, 1e-4);
  CHECK_NEAR(turned.x2, 48, 1e-4);
  CHECK_NEAR(turned.y1, 8, 1e-4);
  CHECK_NEAR(turned.y2, 24, 1e-4);
  const size_t before = out.size();
  out.add(10, 10, 10, 20, 1, points);  // no width
  const double lost[2] = {std::nan(""), 0};
  out.add(10, 10, 20, 20, 1, lost);
  CHECK_EQ(out.size(), before);
}

TEST(suppression_matches_a_plain_reference) {
  std::mt19937 random(5);
  std::uniform_real_distribution<double> uniform(0, 1);
  for (int round = 0; round < 20; ++round) {
    Candidates candidates(0);
    std::vector<Box> boxes;
    for (int i = 0; i < 300; ++i) {
      candidates.begin(Region{}, static_cast<size_t>(i % 4), false, 0);
      const double x = uniform(random) * 100;
      const double y = uniform(random) * 100;
      Box box{x, y, x + 5 + uniform(random) * 40, y + 5 + uniform(random) * 40, 0};
      box.score = std::floor(uniform(random) * 50) / 50;  // many ties
      candidates.add(box.x1, box.y1, box.x2, box.y2, static_cast<float>(box.score));
      boxes.push_back(box);
    }
    const double iou = 0.2 + 0.1 * (round % 5);
    const double contained = round % 2 == 0 ? 0 : 0.8;
    Detections got;
    CHECK(suppress(candidates, static_cast<float>(iou), static_cast<float>(contained), 1000, nullptr, &got).ok());

    std::vector<Box> left = boxes;
    std::vector<Box> kept;
    while (!left.empty()) {
      const auto best =
          std::max_element(left.begin(), left.end(), [](const Box& a, const Box& b) { return a.score < b.score; });
      const Box top = *best;
      kept.push_back(top);
      left.erase(best);
      std::erase_if(left, [&](const Box& other) {
        const double w = std::max(0.0, std::min(top.x2, other.x2) - std::max(top.x1, other.x1));
        const double h = std::max(0.0, std::min(top.y2, other.y2) - std::max(top.y1, other.y1));
        const double a = (top.x2 - top.x1) * (top.y2 - top.y1);
        const double b = (other.x2 - other.x1) * (other.y2 - other.y1);
        const double common = w * h;
        return common / (a + b - common) > iou || (contained > 0 && common / std::min(a, b) > contained);
      });
    }
    CHECK_EQ(got.count, kept.size());
    for (size_t i = 0; i < std::min(got.count, kept.size()); ++i) {
      CHECK_NEAR(got.data[i * 6], kept[i].x1, 1e-4);
      CHECK_NEAR(got.data[i * 6 + 4], kept[i].score, 1e-6);
    }
    Detections few;
    CHECK(suppress(candidates, static_cast<float>(iou), static_cast<float>(contained), 3, nullptr, &few).ok());
    CHECK_EQ(few.count, size_t{3});
    CHECK_EQ(few.data.size(), size_t{18});
  }
}

TEST(suppression_stops_when_cancelled) {
  Candidates candidates(0);
  candidates.begin(Region{}, 0, false, 0);
  for (int i = 0; i < 10; ++i) candidates.add(i, 0, i + 1, 1, 0.5f);
  CancelToken token;
  token.cancel();
  Detections out;
  CHECK(suppress(candidates, 0.5f, 0, 10, &token, &out).code() == Code::kAborted);
}

TEST_MAIN()
