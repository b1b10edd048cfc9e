#include "inference/onnx_expand.h"

#include <cstring>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "inference/dequantize.h"
#include "inference/protobuf.h"

namespace lineament {

namespace {

using protobuf::Field;
using protobuf::Reader;
using protobuf::Span;

// Field numbers of onnx.proto.
constexpr uint32_t kModelGraph = 7;
constexpr uint32_t kGraphNode = 1;
constexpr uint32_t kGraphInitializer = 5;
constexpr uint32_t kGraphInput = 11;
constexpr uint32_t kGraphOutput = 12;
constexpr uint32_t kNodeInput = 1;
constexpr uint32_t kNodeOutput = 2;
constexpr uint32_t kNodeType = 4;
constexpr uint32_t kNodeAttribute = 5;
constexpr uint32_t kNodeDomain = 7;
constexpr uint32_t kAttributeName = 1;
constexpr uint32_t kAttributeInt = 3;
constexpr uint32_t kAttributeGraph = 6;
constexpr uint32_t kAttributeGraphs = 11;
constexpr uint32_t kTensorDims = 1;
constexpr uint32_t kTensorType = 2;
constexpr uint32_t kTensorName = 8;
constexpr uint32_t kTensorRaw = 9;
constexpr uint32_t kTensorLocation = 14;
constexpr uint32_t kValueName = 1;

constexpr int64_t kFloat = 1;
constexpr int64_t kUint8 = 2;
constexpr int64_t kFloat16 = 10;

// Protobuf's own limit on a message.
constexpr size_t kMostBytes = 0x7fffffff;
constexpr size_t kMostRank = 8;

struct Tensor {
  std::string_view name;
  int64_t type = 0;
  std::vector<int64_t> dims;
  Span raw;
  size_t elements = 0;
  bool plain = true;  // raw_data in the file, nothing else
};

struct Node {
  std::vector<std::string_view> inputs;
  std::vector<std::string_view> outputs;
  std::string_view type;
  bool standard = true;       // the default operator set
  bool has_graph = false;     // holds a graph of its own, which may use any name of this one
  std::optional<int64_t> to;  // Cast's target
};

// The weight that a chain of nodes makes out of constants.
struct Chain {
  size_t cast = 0;
  std::optional<size_t> multiply;
  std::optional<size_t> add;
  const Tensor* values = nullptr;
  const Tensor* scale = nullptr;
  const Tensor* minimum = nullptr;
  std::string_view output;
};

bool read_tensor(Span message, Tensor* out) {
  Reader reader(message);
  Field field;
  bool raw = false;
  while (reader.next(&field)) {
    switch (field.number) {
      case kTensorDims:
        if (field.wire == protobuf::kVarint) {
          out->dims.push_back(static_cast<int64_t>(field.value));
        } else if (field.wire == protobuf::kBytes) {
          Reader packed(field.bytes);
          uint64_t value = 0;
          while (!packed.done() && packed.varint(&value)) out->dims.push_back(static_cast<int64_t>(value));
          if (packed.failed()) return false;
        }
        break;
      case kTensorType:
        out->type = static_cast<int64_t>(field.value);
        break;
      case kTensorName:
        out->name = field.bytes.text();
        break;
      case kTensorRaw:
        out->raw = field.bytes;
        raw = true;
        break;
      case kTensorLocation:
        out->plain = out->plain && field.value == 0;
        break;
      case 12:  // documentation
        break;
      default:  // typed lists, segments, external data
        out->plain = false;
    }
  }
  if (reader.failed()) return false;
  out->plain = out->plain && raw && out->dims.size() <= kMostRank;
  out->elements = 1;
  for (const int64_t dim : out->dims) {
    if (dim < 0 || (dim > 0 && out->elements > kMostBytes / static_cast<size_t>(dim))) {
      out->plain = false;
      out->elements = 0;
      break;
    }
    out->elements *= static_cast<size_t>(dim);
  }
  const size_t width = out->type == kFloat ? 4 : out->type == kFloat16 ? 2 : out->type == kUint8 ? 1 : 0;
  if (width == 0 || out->elements == 0 || out->elements * width != out->raw.size) out->plain = false;
  return true;
}

bool read_attribute(Span message, Node* node) {
  Reader reader(message);
  Field field;
  std::string_view name;
  std::optional<int64_t> number;
  while (reader.next(&field)) {
    if (field.number == kAttributeName) name = field.bytes.text();
    if (field.number == kAttributeInt) number = static_cast<int64_t>(field.value);
    if (field.number == kAttributeGraph || field.number == kAttributeGraphs) node->has_graph = true;
  }
  if (name == "to") node->to = number;
  return !reader.failed();
}

bool read_node(Span message, Node* out) {
  Reader reader(message);
  Field field;
  while (reader.next(&field)) {
    if (field.number == kNodeInput) out->inputs.push_back(field.bytes.text());
    if (field.number == kNodeOutput) out->outputs.push_back(field.bytes.text());
    if (field.number == kNodeType) out->type = field.bytes.text();
    if (field.number == kNodeDomain) out->standard = field.bytes.size == 0 || field.bytes.text() == "ai.onnx";
    if (field.number == kNodeAttribute && !read_attribute(field.bytes, out)) return false;
  }
  return !reader.failed();
}

// The graph's fields in order, with what was read of its nodes and initializers.
class Graph {
 public:
  // False where the message is malformed or holds something that may refer to any name.
  bool read(Span message) {
    Reader reader(message);
    Field field;
    while (reader.next(&field)) {
      fields_.push_back(field);
      if (field.number == kGraphNode) {
        Node node;
        if (!read_node(field.bytes, &node) || node.has_graph) return false;
        nodes_.push_back(std::move(node));
      } else if (field.number == kGraphInitializer) {
        Tensor tensor;
        if (!read_tensor(field.bytes, &tensor)) return false;
        tensors_.push_back(std::move(tensor));
      } else if (field.number == kGraphInput || field.number == kGraphOutput) {
        Reader value(field.bytes);
        Field part;
        while (value.next(&part)) {
          if (part.number == kValueName) public_.insert(part.bytes.text());
        }
        if (value.failed()) return false;
      }
    }
    if (reader.failed()) return false;
    return index();
  }

  std::vector<Chain> chains() const {
    std::vector<Chain> out;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (std::optional<Chain> chain = chain_at(i)) out.push_back(*chain);
    }
    return out;
  }

  const std::vector<Field>& fields() const { return fields_; }
  const std::vector<Tensor>& tensors() const { return tensors_; }
  // Nodes that read `name`, and 1 more where it is an input or output of the graph.
  size_t uses(std::string_view name) const {
    const auto found = readers_.find(name);
    return (found == readers_.end() ? 0 : found->second.size()) + public_.count(name);
  }

 private:
  bool index() {
    std::unordered_set<std::string_view> names;
    for (const Tensor& tensor : tensors_) {
      if (!names.insert(tensor.name).second) return false;
      constants_.emplace(tensor.name, &tensor);
    }
    for (size_t i = 0; i < nodes_.size(); ++i) {
      for (const std::string_view name : nodes_[i].inputs) {
        if (!name.empty()) readers_[name].push_back(i);
      }
      for (const std::string_view name : nodes_[i].outputs) {
        if (!name.empty() && !names.insert(name).second) return false;
      }
    }
    return true;
  }

  // A constant whose value is in the file and cannot be overridden by an input of that name.
  const Tensor* constant(std::string_view name, int64_t type) const {
    const auto found = constants_.find(name);
    if (found == constants_.end() || public_.count(name) != 0) return nullptr;
    return found->second->plain && found->second->type == type ? found->second : nullptr;
  }

  // The one node of `type` that reads `value`, which nothing else does; its other input goes to `other`.
  std::optional<size_t> only_reader(std::string_view value, std::string_view type, std::string_view* other) const {
    const auto found = readers_.find(value);
    if (found == readers_.end() || found->second.size() != 1 || public_.count(value) != 0) return std::nullopt;
    const Node& node = nodes_[found->second[0]];
    if (node.type != type || !node.standard || node.inputs.size() != 2 || node.outputs.size() != 1) return std::nullopt;
    *other = node.inputs[node.inputs[0] == value ? 1 : 0];
    return found->second[0];
  }

  std::optional<Chain> chain_at(size_t index) const {
    const Node& cast = nodes_[index];
    if (cast.type != "Cast" || !cast.standard || cast.to != kFloat) return std::nullopt;
    if (cast.inputs.size() != 1 || cast.outputs.size() != 1 || cast.outputs[0].empty()) return std::nullopt;
    Chain chain;
    chain.cast = index;
    chain.output = cast.outputs[0];
    chain.values = constant(cast.inputs[0], kFloat16);
    if (chain.values != nullptr) return public_.count(chain.output) == 0 ? std::optional(chain) : std::nullopt;
    chain.values = constant(cast.inputs[0], kUint8);
    if (chain.values == nullptr) return std::nullopt;
    std::string_view scale;
    std::string_view minimum;
    chain.multiply = only_reader(chain.output, "Mul", &scale);
    if (!chain.multiply) return std::nullopt;
    chain.add = only_reader(nodes_[*chain.multiply].outputs[0], "Add", &minimum);
    if (!chain.add) return std::nullopt;
    chain.output = nodes_[*chain.add].outputs[0];
    chain.scale = constant(scale, kFloat);
    chain.minimum = constant(minimum, kFloat);
    const bool fits = chain.scale != nullptr && chain.minimum != nullptr && spreads(*chain.scale, *chain.values) &&
                      spreads(*chain.minimum, *chain.values) && public_.count(chain.output) == 0;
    return fits ? std::optional(chain) : std::nullopt;
  }

  // One number, or one for each index of the first axis.
  static bool spreads(const Tensor& numbers, const Tensor& values) {
    if (numbers.dims.size() > values.dims.size()) return false;
    if (numbers.elements == 1) return true;
    return numbers.dims.size() == values.dims.size() && numbers.dims[0] == values.dims[0] &&
           numbers.elements == static_cast<size_t>(numbers.dims[0]);
  }

  std::vector<Field> fields_;
  std::vector<Node> nodes_;
  std::vector<Tensor> tensors_;
  std::unordered_map<std::string_view, const Tensor*> constants_;
  std::unordered_map<std::string_view, std::vector<size_t>> readers_;
  std::unordered_set<std::string_view> public_;
};

// Bytes of the float TensorProto that stands for a chain, without its own tag and length.
size_t tensor_size(const Chain& chain) {
  size_t size = 2;  // data_type
  for (const int64_t dim : chain.values->dims) size += 1 + protobuf::varint_size(static_cast<uint64_t>(dim));
  size += 1 + protobuf::varint_size(chain.output.size()) + chain.output.size();
  const size_t raw = chain.values->elements * sizeof(float);
  return size + 1 + protobuf::varint_size(raw) + raw;
}

constexpr uint8_t tag(uint32_t field, uint32_t wire) { return static_cast<uint8_t>(field << 3 | wire); }

uint8_t* put_tensor(uint8_t* at, const Chain& chain) {
  *at++ = tag(kGraphInitializer, protobuf::kBytes);
  at = protobuf::put_varint(at, tensor_size(chain));
  for (const int64_t dim : chain.values->dims) {
    *at++ = tag(kTensorDims, protobuf::kVarint);
    at = protobuf::put_varint(at, static_cast<uint64_t>(dim));
  }
  *at++ = tag(kTensorType, protobuf::kVarint);
  *at++ = static_cast<uint8_t>(kFloat);
  *at++ = tag(kTensorName, protobuf::kBytes);
  at = protobuf::put_varint(at, chain.output.size());
  at = protobuf::put(at, {reinterpret_cast<const uint8_t*>(chain.output.data()), chain.output.size()});
  const size_t elements = chain.values->elements;
  *at++ = tag(kTensorRaw, protobuf::kBytes);
  at = protobuf::put_varint(at, elements * sizeof(float));
  if (chain.scale == nullptr) {
    widen_halves(chain.values->raw.data, elements, at);
  } else {
    dequantize(chain.values->raw.data, elements, chain.scale->raw.data, chain.scale->elements, chain.minimum->raw.data,
               chain.minimum->elements, at);
  }
  return at + elements * sizeof(float);
}

// What the rewritten graph leaves out: the chains' nodes, and constants that nothing else reads.
struct Removed {
  std::unordered_set<size_t> nodes;
  std::unordered_set<std::string_view> tensors;
};

Removed removed(const Graph& graph, const std::vector<Chain>& chains) {
  Removed out;
  std::unordered_map<std::string_view, size_t> lost;
  for (const Chain& chain : chains) {
    out.nodes.insert(chain.cast);
    if (chain.multiply) out.nodes.insert(*chain.multiply);
    if (chain.add) out.nodes.insert(*chain.add);
    for (const Tensor* tensor : {chain.values, chain.scale, chain.minimum}) {
      if (tensor != nullptr && ++lost[tensor->name] == graph.uses(tensor->name)) out.tensors.insert(tensor->name);
    }
  }
  return out;
}

// The fields that stay, in order.
std::vector<Span> kept_fields(const Graph& graph, const Removed& gone) {
  std::vector<Span> out;
  size_t node = 0;
  size_t tensor = 0;
  for (const Field& field : graph.fields()) {
    if (field.number == kGraphNode && gone.nodes.count(node++) != 0) continue;
    if (field.number == kGraphInitializer && gone.tensors.count(graph.tensors()[tensor++].name) != 0) continue;
    out.push_back(field.whole);
  }
  return out;
}

}  // namespace

ExpandedModel expand_model(const uint8_t* model, size_t size) {
  ExpandedModel out;
  if (model == nullptr || size > kMostBytes) return out;
  std::vector<Field> fields;
  std::optional<size_t> graph_field;
  Reader reader({model, size});
  Field field;
  while (reader.next(&field)) {
    if (field.number == kModelGraph) {
      if (graph_field || field.wire != protobuf::kBytes) return out;
      graph_field = fields.size();
    }
    fields.push_back(field);
  }
  Graph graph;
  if (reader.failed() || !graph_field || !graph.read(fields[*graph_field].bytes)) return out;

  const std::vector<Chain> chains = graph.chains();
  const Removed gone = removed(graph, chains);
  for (const Tensor& tensor : graph.tensors()) {
    if (gone.tensors.count(tensor.name) == 0) out.weight_bytes += tensor.raw.size;
  }
  if (chains.empty()) return out;

  const std::vector<Span> kept = kept_fields(graph, gone);
  size_t graph_size = 0;
  for (const Span& span : kept) graph_size += span.size;
  for (const Chain& chain : chains) {
    const size_t bytes = tensor_size(chain);
    graph_size += 1 + protobuf::varint_size(bytes) + bytes;
    out.weight_bytes += chain.values->elements * sizeof(float);
    if (graph_size > kMostBytes) return {};
  }
  size_t total = 1 + protobuf::varint_size(graph_size) + graph_size;
  for (size_t i = 0; i < fields.size(); ++i) total += i == *graph_field ? 0 : fields[i].whole.size;
  if (total > kMostBytes || !out.bytes.reset(total)) return {};

  uint8_t* at = out.bytes.data();
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i != *graph_field) {
      at = protobuf::put(at, fields[i].whole);
      continue;
    }
    *at++ = tag(kModelGraph, protobuf::kBytes);
    at = protobuf::put_varint(at, graph_size);
    for (const Span& span : kept) at = protobuf::put(at, span);
    for (const Chain& chain : chains) at = put_tensor(at, chain);
  }
  out.replaced = chains.size();
  return out;
}

}  // namespace lineament
