// Any bytes as a dlib and as a compact shape model: what a reader accepts must predict within its memory and give
// finite points. One input in two begins as a well-formed file that is then changed in a few places, with the check sum
// put right, so that what lies behind the first check is reached as well.
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "landmarks/shape_check.h"
#include "landmarks/shape_predictor.h"
#include "tests/landmarks/synthetic.h"

using namespace lineament;

namespace {

struct Input {
  const uint8_t* data;
  size_t size;
  uint32_t take() {
    if (size == 0) return 0;
    --size;
    return *data++;
  }
};

void use(const ShapePredictor& p) {
  const int width = 37, height = 29;
  static const std::vector<uint8_t> pixels = synthetic::make_picture(width, height, 1);
  const ImageView image{pixels.data(), pixels.size(), width, height, static_cast<size_t>(width), PixelFormat::kGray};
  const double boxes[] = {5, 4, 20, 20, -30, -10, 90, 70, 1e9, 1e9, 1e9, 1e9, 3, 3, 0.5, 0.5};
  std::vector<double> out(4 * p.model().values());
  if (!p.predict(image, boxes, 4, out.data(), ShapeGrey::kLuma, nullptr).ok()) std::abort();
  for (const double v : out) {
    if (!std::isfinite(v)) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in{data, size};
  const uint32_t kind = in.take();
  const bool dlib = kind % 2 == 0, made = kind % 4 >= 2;
  std::vector<uint8_t> bytes;
  if (made) {
    const synthetic::Counts counts{1 + in.take() % 9, 1 + in.take() % 3, 1 + in.take() % 4, in.take() % 5,
                                   1 + in.take() % 12};
    const ShapeModel model = synthetic::make_model(counts, in.take());
    bytes = dlib ? synthetic::dlib_bytes(model) : synthetic::compact_bytes(model);
    const size_t leaves = dlib ? 0 : read_compact_shape(bytes.data(), bytes.size()).value().leaves_offset;
    while (in.size >= 3) {
      const size_t at = (in.take() << 8 | in.take()) % bytes.size();
      bytes[at] = static_cast<uint8_t>(in.take());
    }
    if (!dlib) {
      const uint32_t sum = compact_shape_check_sum(bytes.data(), leaves);
      std::memcpy(bytes.data() + 12, &sum, sizeof(sum));
    }
  } else {
    bytes.assign(in.data, in.data + in.size);
  }
  // Exactly so many bytes on the heap that a step too far is seen.
  const auto exact = std::make_unique<uint8_t[]>(bytes.size() + 1);
  std::copy(bytes.begin(), bytes.end(), exact.get());
  if (dlib) {
    Result<ShapeModel> read = read_dlib_shape(exact.get(), bytes.size(), nullptr);
    if (!read.ok()) return 0;
    if (!check_shape_model(read.value(), true).ok()) std::abort();
    // Numbers with more digits than a float has are rounded once; after that nothing changes any more.
    const std::vector<uint8_t> again = synthetic::dlib_bytes(read.value());
    Result<ShapeModel> second = read_dlib_shape(again.data(), again.size(), nullptr);
    if (!second.ok() || second.value().leaves != read.value().leaves) std::abort();
    const auto predictor = ShapePredictor::make(std::move(read.value()));
    if (!predictor.ok()) std::abort();
    use(*predictor.value());
    return 0;
  }
  const Result<CompactShape> read = read_compact_shape(exact.get(), bytes.size());
  if (!read.ok()) return 0;
  if (!check_shape_model(read.value().model, false).ok()) std::abort();
  use(*ShapePredictor::over(read.value(), MappedFile()));
  return 0;
}
