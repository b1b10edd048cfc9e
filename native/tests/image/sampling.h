// What the tests of sample_to_tensor() share.
#pragma once

#include <cstring>

#include "core/dispatch.h"
#include "image/kernels_select.h"
#include "image/sample.h"
#include "tests/check.h"

namespace sampling {

using namespace lineament;

template <typename F>
void at_every_level(F body) {
  Simd levels[2];
  const int n = available_simd(levels);
  for (int i = 0; i < n; ++i) {
    CHECK(force_image_simd(levels[i]));
    body(levels[i]);
  }
  force_image_simd(active_simd());
}

inline TensorSpec spec_of(int width, int height, Colour colour, Layout layout, TensorType type) {
  TensorSpec spec;
  spec.width = width;
  spec.height = height;
  spec.colour = colour;
  spec.layout = layout;
  spec.type = type;
  if (type == TensorType::kFloat32) {
    const float scale[3] = {1 / 58.395f, -1 / 57.12f, 1 / 57.375f}, offset[3] = {-2.1179f, 2.0357f, -1.8044f};
    std::memcpy(spec.scale, scale, sizeof(scale));
    std::memcpy(spec.offset, offset, sizeof(offset));
  }
  return spec;
}

inline constexpr Sampling kSamplings[] = {{Filter::kArea, Border::kZero},
                                          {Filter::kArea, Border::kReplicate},
                                          {Filter::kBilinear, Border::kZero},
                                          {Filter::kBilinear, Border::kReplicate}};

}  // namespace sampling
