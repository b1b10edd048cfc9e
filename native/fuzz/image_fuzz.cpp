// Random views, regions and tensor specifications through everything in native/image: nothing may read or write outside
// its buffers, whatever validate() lets through. Run with AddressSanitizer and UndefinedBehaviorSanitizer.
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "core/dispatch.h"
#include "image/convert.h"
#include "image/kernels_select.h"
#include "image/sample.h"
#include "image/statistics.h"

using namespace lineament;

namespace {

class Bytes {
 public:
  Bytes(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  uint32_t take(size_t bytes) {
    uint32_t v = 0;
    for (size_t i = 0; i < bytes; ++i) v = v << 8 | (at_ < size_ ? data_[at_++] : 0u);
    return v;
  }
  // Mostly ordinary numbers, sometimes any bit pattern.
  double number(double scale) {
    const uint32_t kind = take(1);
    if (kind >= 250) {
      const uint64_t bits = static_cast<uint64_t>(take(4)) << 32 | take(4);
      double v;
      std::memcpy(&v, &bits, sizeof(v));
      return v;
    }
    if (kind >= 240) return 0;
    return (static_cast<double>(take(2)) - 32768) / 32768 * scale * (kind < 128 ? 1 : 0.1);
  }

 private:
  const uint8_t* data_;
  size_t size_, at_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Bytes in(data, size);
  Simd levels[2];
  const int count = available_simd(levels);
  force_image_simd(levels[in.take(1) % static_cast<uint32_t>(count)]);

  ImageView image;
  image.format = static_cast<PixelFormat>(in.take(1) % 8);
  const uint32_t shape = in.take(1);
  image.width = static_cast<int>(in.take(shape < 16 ? 2 : 1)) + (shape == 255 ? 0 : 1);
  image.height = static_cast<int>(in.take(1) % 64) + (shape == 254 ? 0 : 1);
  image.stride = static_cast<size_t>(image.width) * (in.take(1) % 5) + in.take(1) % 4;
  // Exactly so many bytes on the heap that a step too far is seen.
  const size_t bytes = image.stride * static_cast<size_t>(image.height) * (1 + in.take(1) % 2) + in.take(1);
  if (bytes > 1u << 20) return 0;
  auto memory = std::make_unique<uint8_t[]>(bytes + 1);
  uint32_t noise = in.take(2) + 1;
  for (size_t i = 0; i < bytes; ++i) memory[i] = static_cast<uint8_t>((noise = noise * 1664525u + 1013904223u) >> 24);
  image.data = memory.get();
  image.size = bytes;
  const bool valid = validate(image).ok();
  if (valid) {
    // The least size that is still valid.
    size_t least = 1, most = bytes;
    while (least < most) {
      image.size = least + (most - least) / 2;
      if (validate(image).ok()) {
        most = image.size;
      } else {
        least = image.size + 1;
      }
    }
    image.size = least;
    auto exact = std::make_unique<uint8_t[]>(least);
    std::memcpy(exact.get(), memory.get(), least);
    memory = std::move(exact);
    image.data = memory.get();
  }

  TensorSpec spec;
  spec.width = static_cast<int>(in.take(1) % 70);
  spec.height = static_cast<int>(in.take(1) % 40);
  spec.colour = static_cast<Colour>(in.take(1) % 3);
  spec.layout = static_cast<Layout>(in.take(1) % 2);
  spec.type = static_cast<TensorType>(in.take(1) % 2);
  if (in.take(1) % 2 != 0) {
    for (int c = 0; c < 3; ++c) {
      spec.scale[c] = static_cast<float>(in.number(3));
      spec.offset[c] = static_cast<float>(in.number(300));
    }
  }
  Region region{in.number(8), in.number(4), in.number(400), in.number(4), in.number(8), in.number(400)};
  if (in.take(1) % 2 != 0) region.b = region.d = 0;
  const Sampling sampling{static_cast<Filter>(in.take(1) % 2), static_cast<Border>(in.take(1) % 2)};
  const size_t out_bytes = item_elements(spec) * (spec.type == TensorType::kFloat32 ? 4 : 1);
  const auto out = std::make_unique<uint8_t[]>(out_bytes + 1);
  const Status sampled = sample_to_tensor(image, region, spec, sampling, in.take(1) % 2 != 0, out.get(), nullptr);
  if (!valid && sampled.ok()) std::abort();
  if (sampled.ok() && spec.type == TensorType::kFloat32) {
    for (size_t i = 0; i < out_bytes; i += 4) {
      float v;
      std::memcpy(&v, out.get() + i, 4);
      if (std::isnan(v)) std::abort();
    }
  }

  if (valid) {
    const auto format = static_cast<PixelFormat>(in.take(1) % 8);
    const auto converted = std::make_unique<uint8_t[]>(converted_bytes(image, format) + 1);
    (void)convert(image, format, converted.get(), nullptr);
    Statistics s;
    (void)statistics(image, in.number(300), in.number(60), in.number(300), in.number(60), &s, nullptr);
  }
  return 0;
}
