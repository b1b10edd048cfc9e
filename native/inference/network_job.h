// One run of a network with what comes before and after it, as plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "image/image.h"
#include "inference/decode.h"
#include "inference/ort_api.h"

namespace lineament {

// A region of one of the sources of a PixelInput.
struct PixelItem {
  size_t source = 0;
  Region region;
};

// Regions of one image or of several; each becomes one item of the batch. The pixels are borrowed for the length of the
// run.
struct PixelInput {
  std::vector<ImageView> sources;
  std::vector<PixelItem> items;
  TensorSpec tensor;
  Sampling sampling;
  bool mirror_both = false;  // adds each region's mirror image right after it
};

// A ready tensor, borrowed for the length of the run.
struct NamedTensor {
  std::string name;
  ort::ElementType type = ort::kFloat;
  std::vector<int64_t> shape;
  const void* data = nullptr;
  size_t bytes = 0;
};

struct TensorInput {
  std::vector<NamedTensor> tensors;
};

struct NetworkJob {
  std::variant<PixelInput, TensorInput> input;
  std::optional<Decoder> decode;     // without it the raw outputs come back
  std::vector<std::string> outputs;  // only these; all when empty; ignored with `decode`
  size_t max_batch = 0;              // most items in one run of the network; 0 = all at once
};

// An output in memory that `owner` keeps alive (ONNX Runtime's own, or a joined copy where the job took several runs).
struct OutputTensor {
  std::string name;
  ort::ElementType type = ort::kFloat;
  std::vector<int64_t> shape;
  const void* data = nullptr;
  size_t bytes = 0;
  std::shared_ptr<void> owner;
};

// Milliseconds.
struct Timings {
  double prepare = 0;
  double network = 0;
  double decode = 0;
};

struct NetworkResult {
  std::vector<OutputTensor> outputs;
  std::optional<Detections> detections;
  Timings timings;
};

// Bytes of one element, 0 for types that do not travel (strings, 16-bit floats, …).
size_t element_bytes(ort::ElementType type);
// "float32", "uint8", … as JavaScript sees it.
const char* element_name(ort::ElementType type);

}  // namespace lineament
