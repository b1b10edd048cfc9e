#include "inference/tensor_check.h"

#include <algorithm>
#include <limits>

namespace lineament {

namespace {

Status invalid(const std::string& message) { return Status(Code::kInvalidArgument, message); }

// False where the product overflows or a dimension is negative.
bool multiply(const std::vector<int64_t>& shape, size_t* out) {
  size_t product = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0) return false;
    const auto factor = static_cast<size_t>(dimension);
    if (factor != 0 && product > std::numeric_limits<size_t>::max() / 16 / factor) return false;
    product *= factor;
  }
  *out = product;
  return true;
}

}  // namespace

size_t element_bytes(ort::ElementType type) {
  switch (type) {
    case ort::kFloat:
    case ort::kInt32:
      return 4;
    case ort::kUint8:
    case ort::kBool:
      return 1;
    case ort::kInt64:
      return 8;
    default:
      return 0;
  }
}

const char* element_name(ort::ElementType type) {
  static constexpr const char* kNames[] = {"undefined", "float32", "uint8",     "int8",       "uint16",  "int16",
                                           "int32",     "int64",   "string",    "bool",       "float16", "float64",
                                           "uint32",    "uint64",  "complex64", "complex128", "bfloat16"};
  const auto index = static_cast<size_t>(type);
  return index < std::size(kNames) ? kNames[index] : "other";
}

std::string names_of(const std::vector<TensorInfo>& infos) {
  std::string out;
  for (const TensorInfo& info : infos) out += (out.empty() ? "" : ", ") + info.name;
  return out;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string out = "[";
  for (const int64_t dimension : shape) {
    if (out.size() > 1) out += ", ";
    out += dimension < 0 ? "?" : std::to_string(dimension);
  }
  return out + "]";
}

Status fit_pixels(const std::vector<TensorInfo>& inputs, const TensorSpec& spec, PixelFit* fit) {
  if (inputs.size() != 1) return invalid("Pixels go into networks with one input; this one has: " + names_of(inputs));
  const TensorInfo& input = inputs[0];
  const bool bytes = spec.type == TensorType::kUint8;
  if (!(bytes ? input.type == ort::kUint8 || input.type == ort::kInt32 : input.type == ort::kFloat)) {
    return invalid("Input '" + input.name + "' takes " + element_name(input.type) + ", the tensor is " +
                   (bytes ? "uint8" : "float32"));
  }
  fit->type = input.type;
  const int64_t depth = channels(spec.colour);
  const std::vector<int64_t> item = spec.layout == Layout::kNchw
                                        ? std::vector<int64_t>{-1, depth, spec.height, spec.width}
                                        : std::vector<int64_t>{-1, spec.height, spec.width, depth};
  bool same = input.shape.size() == item.size();
  for (size_t i = 1; same && i < item.size(); ++i) same = input.shape[i] < 0 || input.shape[i] == item[i];
  if (!same) {
    return invalid("Input '" + input.name + "' takes " + shape_text(input.shape) + ", the tensor is " +
                   shape_text(item));
  }
  fit->fixed_batch = input.shape[0] > 0 ? static_cast<size_t>(input.shape[0]) : 0;
  return Status();
}

Status order_tensors(const std::vector<TensorInfo>& inputs, const std::vector<NamedTensor>& given,
                     std::vector<NamedTensor>* out) {
  for (const TensorInfo& input : inputs) {
    const auto found = std::find_if(given.begin(), given.end(),
                                    [&input](const NamedTensor& tensor) { return tensor.name == input.name; });
    if (found == given.end()) return invalid("Input '" + input.name + "' is missing");
    if (found->type != input.type) {
      return invalid("Input '" + input.name + "' takes " + element_name(input.type) + ", but " +
                     element_name(found->type) + " was given");
    }
    size_t elements = 0;
    if (!multiply(found->shape, &elements) || elements * element_bytes(found->type) != found->bytes) {
      return invalid("Input '" + input.name + "' has " + std::to_string(found->bytes) +
                     " bytes, which does not match shape " + shape_text(found->shape));
    }
    if (elements == 0) return invalid("Input '" + input.name + "' is empty");
    out->push_back(*found);
  }
  for (const NamedTensor& tensor : given) {
    const bool known = std::any_of(inputs.begin(), inputs.end(),
                                   [&tensor](const TensorInfo& input) { return input.name == tensor.name; });
    if (!known) return invalid("The network has no input '" + tensor.name + "'; it has: " + names_of(inputs));
  }
  return Status();
}

Status check_shapes(const std::vector<TensorInfo>& inputs, const std::vector<NamedTensor>& tensors) {
  for (size_t n = 0; n < inputs.size(); ++n) {
    const std::vector<int64_t>& expected = inputs[n].shape;
    const std::vector<int64_t>& shape = tensors[n].shape;
    bool same = shape.size() == expected.size();
    for (size_t i = 0; same && i < shape.size(); ++i) same = expected[i] < 0 || expected[i] == shape[i];
    if (!same) {
      return invalid("Input '" + inputs[n].name + "' takes " + shape_text(expected) + ", but " + shape_text(shape) +
                     " was given");
    }
  }
  return Status();
}

Status image_size(const NamedTensor& tensor, int* width, int* height) {
  constexpr int64_t kMost = 1 << 20;
  const std::vector<int64_t>& shape = tensor.shape;
  const auto is_depth = [](int64_t n) { return n == 1 || n == 3; };
  const bool planar = shape.size() == 4 && is_depth(shape[1]);
  if (!planar && !(shape.size() == 4 && is_depth(shape[3]))) {
    return invalid("Input '" + tensor.name + "' of shape " + shape_text(shape) +
                   " is no image that a decoder could use");
  }
  const int64_t h = shape[planar ? 2 : 1];
  const int64_t w = shape[planar ? 3 : 2];
  if (h > kMost || w > kMost) return invalid("Input '" + tensor.name + "' is too large: " + shape_text(shape));
  *width = static_cast<int>(w);
  *height = static_cast<int>(h);
  return Status();
}

}  // namespace lineament
