#include "image/warp.h"

namespace lineament {

Status warp(const ImageView& image, const Region* regions, size_t count, int width, int height, Colour colour,
            const Sampling& sampling, uint8_t* out, const CancelToken* cancel) {
  TensorSpec spec;
  spec.width = width;
  spec.height = height;
  spec.colour = colour;
  spec.layout = Layout::kNhwc;
  spec.type = TensorType::kUint8;
  for (size_t i = 0; i < count; ++i) {
    if (Status s = sample_to_tensor(image, regions[i], spec, sampling, false, out, cancel); !s.ok()) return s;
    out += item_elements(spec);
  }
  return Status();
}

}  // namespace lineament
