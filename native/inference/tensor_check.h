// Does an input fit the network? Checked before anything runs, with messages that name what was expected.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/status.h"
#include "image/image.h"
#include "inference/network_job.h"
#include "inference/session.h"

namespace lineament {

// "a, b, c"
std::string names_of(const std::vector<TensorInfo>& infos);
// "[1, 3, ?, ?]"; −1 prints as "?".
std::string shape_text(const std::vector<int64_t>& shape);

// How pixels go into a network.
struct PixelFit {
  ort::ElementType type = ort::kFloat;  // what the network reads; bytes are widened where it is int32
  size_t fixed_batch = 0;               // items that every run must have; 0 where that is free
};

// kInvalidArgument unless the network has one input, of four dimensions, that takes items of `spec`.
Status fit_pixels(const std::vector<TensorInfo>& inputs, const TensorSpec& spec, PixelFit* fit);

// Puts `given` into the order of `inputs`. kInvalidArgument where one is missing, unknown, given twice, of another
// type, or its bytes do not match its shape.
Status order_tensors(const std::vector<TensorInfo>& inputs, const std::vector<NamedTensor>& given,
                     std::vector<NamedTensor>* out);

// kInvalidArgument where a shape differs from the network's in rank or in a fixed dimension.
Status check_shapes(const std::vector<TensorInfo>& inputs, const std::vector<NamedTensor>& tensors);

// Width and height of a four-dimensional tensor of 1 or 3 channels, channels first or last.
Status image_size(const NamedTensor& tensor, int* width, int* height);

}  // namespace lineament
