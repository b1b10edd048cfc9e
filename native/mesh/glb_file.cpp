#include "mesh/glb_file.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "mesh/read_mesh.h"

namespace lineament {
namespace {

constexpr size_t kHeader = 12, kChunk = 8;
constexpr uint32_t kMagic = 0x46546c67, kJson = 0x4e4f534a, kBinary = 0x004e4942;
constexpr size_t kMost = size_t{1} << 40;  // of a byte offset or length

uint32_t word_at(const uint8_t* bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

std::string item(const char* list, size_t index) { return std::string(list) + "[" + std::to_string(index) + "]"; }

constexpr size_t kByte = 5120, kUnsignedByte = 5121, kShort = 5122, kUnsignedShort = 5123, kUnsignedInt = 5125,
                 kFloat = 5126;

size_t size_of_component(size_t type) {
  switch (type) {
    case kByte:
    case kUnsignedByte:
      return 1;
    case kShort:
    case kUnsignedShort:
      return 2;
    case kUnsignedInt:
    case kFloat:
      return 4;
    default:
      return 0;
  }
}

size_t components_of(const std::string& type) {
  if (type == "SCALAR") return 1;
  if (type == "VEC2") return 2;
  if (type == "VEC3") return 3;
  return type == "VEC4" ? 4 : 0;
}

float float_at(const uint8_t* from, size_t type, bool normalized) {
  switch (type) {
    case kByte: {
      const float value = static_cast<float>(static_cast<int8_t>(*from));
      return normalized ? std::max(value / 127, -1.0F) : value;
    }
    case kUnsignedByte:
      return normalized ? static_cast<float>(*from) / 255 : static_cast<float>(*from);
    case kShort: {
      int16_t value;
      std::memcpy(&value, from, sizeof(value));
      return normalized ? std::max(static_cast<float>(value) / 32767, -1.0F) : static_cast<float>(value);
    }
    case kUnsignedShort: {
      uint16_t value;
      std::memcpy(&value, from, sizeof(value));
      return normalized ? static_cast<float>(value) / 65535 : static_cast<float>(value);
    }
    case kUnsignedInt:
      return normalized ? static_cast<float>(word_at(from) / 4294967295.0) : static_cast<float>(word_at(from));
    default: {
      float value;
      std::memcpy(&value, from, sizeof(value));
      return value;
    }
  }
}

// An accessor whose bytes are there.
struct Accessor {
  const uint8_t* data = nullptr;
  size_t count = 0, components = 0, type = 0, stride = 0;
  bool normalized = false;
  // Elements that are replaced.
  size_t sparse = 0, sparse_type = 0;
  const uint8_t* sparse_indices = nullptr;
  const uint8_t* sparse_values = nullptr;

  size_t element() const { return components * size_of_component(type); }
};

// Where `bytes` lie `offset` behind the beginning of a view.
bool inside(const GlbView& view, size_t offset, size_t bytes) {
  return offset <= view.size && bytes <= view.size - offset;
}

uint32_t index_at(const uint8_t* from, size_t type) {
  if (type == kUnsignedByte) return *from;
  return type == kUnsignedShort ? uint32_t{from[0]} | uint32_t{from[1]} << 8 : word_at(from);
}

Status resolve_sparse(const GlbFile& file, const Json& sparse, const std::string& name, Accessor* out) {
  const Json* const indices = sparse.find("indices");
  const Json* const values = sparse.find("values");
  size_t index_view = 0, value_view = 0, index_offset = 0, value_offset = 0;
  if (indices == nullptr || values == nullptr || !whole_at(sparse, "count", kMost, out->count, &out->sparse) ||
      !whole_number(indices->find("bufferView"), kMost, &index_view) ||
      !whole_number(indices->find("componentType"), kFloat, &out->sparse_type) ||
      !whole_at(*indices, "byteOffset", 0, kMost, &index_offset) ||
      !whole_number(values->find("bufferView"), kMost, &value_view) ||
      !whole_at(*values, "byteOffset", 0, kMost, &value_offset)) {
    return corrupt(name + ".sparse: expected count, indices and values");
  }
  const size_t type = out->sparse_type;
  if (type != kUnsignedByte && type != kUnsignedShort && type != kUnsignedInt) {
    return corrupt(name + ".sparse: expected indices of a whole type");
  }
  GlbView index_bytes, value_bytes;
  Status good = file.view(index_view, &index_bytes);
  if (good.ok()) good = file.view(value_view, &value_bytes);
  if (!good.ok()) return good;
  if (!inside(index_bytes, index_offset, out->sparse * size_of_component(type)) ||
      !inside(value_bytes, value_offset, out->sparse * out->element())) {
    return corrupt(name + ".sparse: it ends beyond its bufferView");
  }
  out->sparse_indices = index_bytes.data + index_offset;
  out->sparse_values = value_bytes.data + value_offset;
  for (size_t i = 0; i < out->sparse; ++i) {
    if (index_at(out->sparse_indices + i * size_of_component(type), type) >= out->count) {
      return corrupt(name + ".sparse: an index names no element");
    }
  }
  return Status();
}

Status resolve(const GlbFile& file, size_t index, size_t most, Accessor* out) {
  const std::string name = item("accessors", index);
  const std::vector<Json>& list = file.json.list("accessors");
  if (index >= list.size()) return corrupt(name + " is not there");
  const Json& json = list[index];
  size_t number = 0, offset = 0;
  if (!whole_number(json.find("count"), kMost, &out->count) || out->count == 0) {
    return corrupt(name + ".count: expected a number of elements");
  }
  if (out->count > most) return corrupt(name + ".count: " + std::to_string(out->count) + " is more than the limit");
  if (!whole_number(json.find("componentType"), kFloat, &out->type) || size_of_component(out->type) == 0) {
    return corrupt(name + ".componentType: expected 5120 to 5126");
  }
  const Json* const type = json.find("type");
  out->components = type == nullptr ? 0 : components_of(type->text);
  if (out->components == 0) return corrupt(name + ".type: expected SCALAR, VEC2, VEC3 or VEC4");
  const Json* const normalized = json.find("normalized");
  out->normalized = normalized != nullptr && normalized->truth;
  if (!whole_at(json, "byteOffset", 0, kMost, &offset)) return corrupt(name + ".byteOffset: expected a whole number");
  if (!whole_number(json.find("bufferView"), kMost, &number)) return corrupt(name + ": expected a bufferView");
  GlbView view;
  const Status good = file.view(number, &view);
  if (!good.ok()) return good;
  out->stride = view.stride != 0 ? view.stride : out->element();
  if (out->stride < out->element()) return corrupt(item("bufferViews", number) + ".byteStride is less than an element");
  if (!inside(view, offset, out->element()) || out->count - 1 > (view.size - offset - out->element()) / out->stride) {
    return corrupt(name + ": " + std::to_string(out->count) + " elements end beyond " + item("bufferViews", number));
  }
  out->data = view.data + offset;
  const Json* const sparse = json.find("sparse");
  return sparse == nullptr ? Status() : resolve_sparse(file, *sparse, name, out);
}

}  // namespace

bool whole_number(const Json* value, size_t most, size_t* out) {
  if (value == nullptr || !value->is(Json::Kind::kNumber)) return false;
  if (!(value->number >= 0 && value->number <= static_cast<double>(most)) ||
      std::floor(value->number) != value->number) {
    return false;
  }
  *out = static_cast<size_t>(value->number);
  return true;
}

bool whole_at(const Json& object, const char* key, size_t fallback, size_t most, size_t* out) {
  const Json* const value = object.find(key);
  *out = fallback;
  return value == nullptr ? fallback <= most : whole_number(value, most, out);
}

Status GlbFile::view(size_t index, GlbView* out) const {
  const std::string name = item("bufferViews", index);
  const std::vector<Json>& list = json.list("bufferViews");
  if (index >= list.size()) return corrupt(name + " is not there");
  size_t buffer = 0, offset = 0;
  if (!whole_number(list[index].find("buffer"), kMost, &buffer) ||
      !whole_at(list[index], "byteOffset", 0, kMost, &offset) ||
      !whole_number(list[index].find("byteLength"), kMost, &out->size) ||
      !whole_at(list[index], "byteStride", 0, 252, &out->stride)) {
    return corrupt(name + ": expected buffer, byteOffset, byteLength and byteStride");
  }
  if (buffer != 0 || binary == nullptr) return corrupt(name + ": expected the buffer within the file");
  if (offset > binary_size || out->size > binary_size - offset) {
    return corrupt(name + ": it ends beyond the buffer of " + std::to_string(binary_size) + " bytes");
  }
  out->data = binary + offset;
  return Status();
}

Status GlbFile::numbers(size_t index, size_t* components, size_t most, std::vector<float>* out) const {
  Accessor a;
  Status good = resolve(*this, index, most, &a);
  if (!good.ok()) return good;
  if (*components == 0 ? a.components < 3 : a.components != *components) {
    return corrupt(item("accessors", index) + ".type: expected another number of components");
  }
  *components = a.components;
  const size_t step = size_of_component(a.type);
  out->resize(a.count * a.components);
  float* to = out->data();
  for (size_t i = 0; i < a.count; ++i) {
    const uint8_t* from = a.data + i * a.stride;
    for (size_t k = 0; k < a.components; ++k, from += step) *to++ = float_at(from, a.type, a.normalized);
  }
  for (size_t i = 0; i < a.sparse; ++i) {
    const size_t at = index_at(a.sparse_indices + i * size_of_component(a.sparse_type), a.sparse_type);
    const uint8_t* from = a.sparse_values + i * a.element();
    for (size_t k = 0; k < a.components; ++k) {
      (*out)[at * a.components + k] = float_at(from + k * step, a.type, a.normalized);
    }
  }
  return Status();
}

Status GlbFile::indices(size_t index, size_t most, std::vector<uint32_t>* out) const {
  Accessor a;
  Status good = resolve(*this, index, most, &a);
  if (!good.ok()) return good;
  const bool whole = a.type == kUnsignedByte || a.type == kUnsignedShort || a.type == kUnsignedInt;
  if (a.components != 1 || !whole || a.sparse > 0) {
    return corrupt(item("accessors", index) + ": expected unsigned whole numbers for indices");
  }
  out->resize(a.count);
  for (size_t i = 0; i < a.count; ++i) (*out)[i] = index_at(a.data + i * a.stride, a.type);
  return Status();
}

Result<GlbFile> open_glb(const uint8_t* data, size_t size) {
  if (size < kHeader + kChunk || word_at(data) != kMagic)
    return corrupt_byte(0, "expected a header that begins with glTF");
  if (word_at(data + 4) != 2) return corrupt_byte(4, "expected version 2");
  if (word_at(data + 8) != size) {
    return corrupt_byte(8,
                        "it states " + std::to_string(word_at(data + 8)) + " bytes, but has " + std::to_string(size));
  }
  GlbFile file;
  file.file = data;
  size_t chunks = 0;
  for (size_t at = kHeader; at < size; ++chunks) {
    if (size - at < kChunk) return corrupt_byte(at, "expected the head of a chunk");
    const size_t length = word_at(data + at);
    const uint32_t type = word_at(data + at + 4);
    if (length > size - at - kChunk) return corrupt_byte(at, "a chunk ends beyond the file");
    const uint8_t* const bytes = data + at + kChunk;
    if (chunks == 0) {
      if (type != kJson) return corrupt_byte(at + 4, "expected the chunk JSON");
      Result<Json> json = parse_json(reinterpret_cast<const char*>(bytes), length, at + kChunk);
      if (!json.ok()) return json.status();
      file.json = std::move(json.value());
    } else if (type == kBinary && file.binary == nullptr) {
      file.binary = bytes;
      file.binary_size = length;
    }
    at += kChunk + length;
  }
  const Json* const asset = file.json.find("asset");
  const Json* const version = asset == nullptr ? nullptr : asset->find("version");
  if (version == nullptr || version->text.substr(0, 2) != "2.") return corrupt("asset.version: expected 2.0");
  for (const Json& required : file.json.list("extensionsRequired")) {
    // Materials are not read but for their texture; what changes geometry or coordinates must be known.
    const bool known = required.text == "KHR_mesh_quantization" || required.text == "MSFT_lod" ||
                       required.text.substr(0, 14) == "KHR_materials_";
    if (!known) return corrupt("extensionsRequired: " + required.text + " is not known");
  }
  const std::vector<Json>& buffers = file.json.list("buffers");
  if (!buffers.empty() && file.binary != nullptr) {
    size_t length = 0;
    if (buffers[0].find("uri") != nullptr) return corrupt("buffers[0].uri: expected the buffer within the file");
    if (!whole_number(buffers[0].find("byteLength"), file.binary_size, &length)) {
      return corrupt("buffers[0].byteLength: expected a length up to that of the chunk, " +
                     std::to_string(file.binary_size));
    }
    file.binary_size = length;
  }
  return file;
}

}  // namespace lineament
