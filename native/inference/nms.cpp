// Greedy non-maximum suppression.
#include <algorithm>
#include <numeric>

#include "inference/decode.h"

namespace lineament {

namespace {

struct Box {
  float x1, y1, x2, y2, area;
};

bool overlaps(const Box& a, const Box& b, float iou, float contained) {
  const float w = std::min(a.x2, b.x2) - std::max(a.x1, b.x1);
  const float h = std::min(a.y2, b.y2) - std::max(a.y1, b.y1);
  if (!(w > 0 && h > 0)) return false;
  const float common = w * h;
  if (common > iou * (a.area + b.area - common)) return true;
  return contained > 0 && common > contained * std::min(a.area, b.area);
}

}  // namespace

Status suppress(const Candidates& candidates, float iou, float contained, size_t max, const CancelToken* cancel,
                Detections* out) {
  const size_t stride = candidates.stride();
  const float* rows = candidates.rows().data();
  std::vector<size_t> order(candidates.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [rows, stride](size_t a, size_t b) { return rows[a * stride + 4] > rows[b * stride + 4]; });
  std::vector<Box> kept;
  out->stride = stride;
  out->data.clear();
  for (size_t n = 0; n < order.size() && kept.size() < max; ++n) {
    if (n % 1024 == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "The operation was aborted");
    const float* row = rows + order[n] * stride;
    const Box box{row[0], row[1], row[2], row[3], (row[2] - row[0]) * (row[3] - row[1])};
    const auto hides = [&](const Box& other) { return overlaps(box, other, iou, contained); };
    if (std::any_of(kept.begin(), kept.end(), hides)) continue;
    kept.push_back(box);
    out->data.insert(out->data.end(), row, row + stride);
  }
  out->count = kept.size();
  return Status();
}

}  // namespace lineament
