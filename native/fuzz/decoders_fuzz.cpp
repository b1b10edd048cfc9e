// Raw outputs of any content, for any input size: every box that comes out is finite, has an area and a score of at
// least the minimum, and suppression keeps at most what was asked for.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "inference/decode.h"

namespace {

using namespace lineament;

struct Input {
  const uint8_t* data;
  size_t size;

  uint8_t byte() {
    if (size == 0) return 0;
    --size;
    return *data++;
  }
  // `count` floats out of what is left, again and again.
  std::vector<float> floats(size_t count) const {
    std::vector<float> out(count);
    for (size_t i = 0; i < count && size >= sizeof(float); ++i) {
      std::memcpy(&out[i], data + i * sizeof(float) % (size - sizeof(float) + 1), sizeof(float));
    }
    return out;
  }
};

size_t ssd_count(int width, int height) {
  size_t count = 0;
  int columns = (width + 15) / 16;
  int rows = (height + 15) / 16;
  for (int map = 0; map < 6; ++map) {
    count += static_cast<size_t>(columns) * static_cast<size_t>(rows) * (map == 0 ? 3 : 6);
    columns = (columns + 1) / 2;
    rows = (rows + 1) / 2;
  }
  return count;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input input{data, size};
  Decoder decoder;
  decoder.kind = static_cast<Decoder::Kind>(input.byte() % 4);
  decoder.min_score = static_cast<float>(input.byte()) / 255;
  decoder.iou = static_cast<float>(input.byte()) / 255;
  decoder.contained = static_cast<float>(input.byte()) / 255;
  decoder.max = 1 + input.byte();
  const int width = 1 + input.byte() % 160;
  const int height = 1 + input.byte() % 160;
  bool exact = input.byte() % 8 != 0;  // else the counts do not fit
  const bool mirrored = input.byte() % 2 != 0;
  std::vector<size_t> sizes;
  std::vector<size_t> lasts;  // scrfd: last dimensions
  if (decoder.kind == Decoder::Kind::kSsd) {
    sizes = {4 * ssd_count(width, height), ssd_count(width, height)};
  } else if (decoder.kind == Decoder::Kind::kTiny) {
    sizes = {static_cast<size_t>((width + 31) / 32) * static_cast<size_t>((height + 31) / 32) * 25};
  } else if (decoder.kind == Decoder::Kind::kScrfd) {
    decoder.keypoints = input.byte() % 2 == 0 ? 5 : 0;
    lasts = {1, 4};
    if (decoder.keypoints != 0) lasts.push_back(10);
    for (const int stride : {32, 16, 8}) {
      const size_t rows = static_cast<size_t>(width / stride) * static_cast<size_t>(height / stride) * 2;
      for (const size_t last : lasts) sizes.push_back(rows * last);
    }
    exact = exact || sizes.back() == 0;
  } else {
    decoder.keypoints = input.byte() % 8;
    decoder.logits = input.byte() % 2 != 0;
    size_t count = 0;
    for (int level = 0; level < 2; ++level) {
      const Decoder::Stride stride{1 + input.byte() % 64 + 8, 1 + input.byte() % 4};
      decoder.strides.push_back(stride);
      const int columns = (width + stride.stride - 1) / stride.stride;
      const int rows = (height + stride.stride - 1) / stride.stride;
      count += static_cast<size_t>(columns) * static_cast<size_t>(rows) * static_cast<size_t>(stride.anchors);
    }
    sizes = {count * (4 + 2 * static_cast<size_t>(decoder.keypoints)), count};
  }
  if (!exact) sizes.back() += 1;

  const std::vector<float> numbers = input.floats(6);
  const Region region{numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]};
  std::vector<std::vector<float>> memory;
  std::vector<RawOutput> outputs;
  for (const size_t count : sizes) memory.push_back(input.floats(count));
  for (const std::vector<float>& one : memory) {
    const size_t last = lasts.empty() ? 0 : lasts[outputs.size() % lasts.size()];
    outputs.push_back({one.data(), one.size(), last});
  }

  Candidates candidates(decoder.keypoints);
  candidates.begin(region, 3, mirrored, width);
  const Status status = decode_item(decoder, outputs, width, height, &candidates);
  if (status.ok() != exact) std::abort();
  for (size_t i = 0; i < candidates.size(); ++i) {
    const float* row = candidates.rows().data() + i * candidates.stride();
    for (size_t k = 0; k < candidates.stride(); ++k) {
      if (!std::isfinite(row[k])) std::abort();
    }
    if (!(row[2] > row[0] && row[3] > row[1] && row[4] >= decoder.min_score)) std::abort();
  }
  Detections kept;
  if (!suppress(candidates, decoder.iou, decoder.contained, decoder.max, nullptr, &kept).ok()) std::abort();
  if (kept.count > decoder.max || kept.count > candidates.size()) std::abort();
  if (kept.data.size() != kept.count * candidates.stride()) std::abort();
  return 0;
}
