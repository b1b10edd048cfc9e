#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string_view>

#include "mesh/numbers_text.h"
#include "mesh/ply_header.h"
#include "mesh/read_mesh.h"

namespace lineament {
namespace {

// Bytes of the common face: three indices of 32 bits after their number.
constexpr size_t kTriangle = 13;

// Where the number of a property of a vertex goes.
constexpr int kNowhere = -1, kNormal = 3, kUv = 6, kColour = 8, kSlots = 11;

int slot_of(std::string_view name) {
  constexpr std::string_view kNames[kSlots][4] = {
      {"x"},
      {"y"},
      {"z"},
      {"nx", "normal_x"},
      {"ny", "normal_y"},
      {"nz", "normal_z"},
      {"s", "u", "texture_u", "tx"},
      {"t", "v", "texture_v", "ty"},
      {"red", "r", "diffuse_red"},
      {"green", "g", "diffuse_green"},
      {"blue", "b", "diffuse_blue"},
  };
  for (int slot = 0; slot < kSlots; ++slot) {
    for (const std::string_view known : kNames[slot]) {
      if (!known.empty() && name == known) return slot;
    }
  }
  return kNowhere;
}

template <typename T>
T load(const uint8_t* from, bool swapped) {
  uint8_t bytes[sizeof(T)];
  std::memcpy(bytes, from, sizeof(T));
  if (swapped) std::reverse(bytes, bytes + sizeof(T));
  return std::bit_cast<T>(bytes);
}

// Calls use(T()) with the type that is meant.
template <typename Use>
auto with_type(PlyType type, Use use) {
  switch (type) {
    case PlyType::kInt8:
      return use(int8_t());
    case PlyType::kUint8:
      return use(uint8_t());
    case PlyType::kInt16:
      return use(int16_t());
    case PlyType::kUint16:
      return use(uint16_t());
    case PlyType::kInt32:
      return use(int32_t());
    case PlyType::kUint32:
      return use(uint32_t());
    case PlyType::kFloat:
      return use(float());
    case PlyType::kDouble:
      break;
  }
  return use(double());
}

double number_at(const uint8_t* from, PlyType type, bool swapped) {
  return with_type(type, [&](auto kind) { return static_cast<double>(load<decltype(kind)>(from, swapped)); });
}

// Colours are bytes, 16 bits, or shares of 1.
uint8_t colour_of(double value, PlyType type) {
  if (type == PlyType::kFloat || type == PlyType::kDouble) value *= 255;
  if (type == PlyType::kUint16) value /= 257;
  if (!(value > 0)) return 0;
  return value >= 255 ? 255 : static_cast<uint8_t>(value + 0.5);
}

class PlyReader {
 public:
  PlyReader(const uint8_t* data, size_t size, PlyHeader header, const MeshLimits& limits, const CancelToken* token)
      : data_(data),
        size_(size),
        header_(std::move(header)),
        limits_(limits),
        token_(token),
        at_(header_.data),
        swapped_(header_.big_endian == (std::endian::native == std::endian::little)),
        text_{reinterpret_cast<const char*>(data) + header_.data, reinterpret_cast<const char*>(data) + size,
              header_.lines + 1} {}

  Result<MeshFile> read() {
    bool found = false;
    for (const PlyElement& element : header_.elements) {
      // A name that comes again, or has nothing, gives nothing.
      if (element.properties.empty()) continue;
      const uint64_t most = (left() + 1) / element.least_bytes(header_.ascii);
      if (element.count > most) {
        return corrupt("it counts " + std::to_string(element.count) + " elements " + element.name + ", but from " +
                       place() + " on there is room for " + std::to_string(most) + " at most");
      }
      Status good;
      if (element.name == "vertex" && !found) {
        found = true;
        good = vertices(element);
      } else {
        good = others(element);
      }
      if (!good.ok()) return good;
    }
    if (!found) return corrupt("it has no element vertex");
    Status good = ending();
    if (!good.ok()) return good;
    MeshFile file;
    file.library = header_.texture;
    for (size_t i = 1; i < mesh_.uvs.size(); i += 2) mesh_.uvs[i] = 1 - mesh_.uvs[i];
    good = finish_mesh(&mesh_, limits_, token_);
    if (!good.ok()) return good;
    file.levels.push_back(std::move(mesh_));
    return file;
  }

 private:
  size_t left() const { return header_.ascii ? static_cast<size_t>(text_.end - text_.at) : size_ - at_; }
  std::string place() const {
    return header_.ascii ? "line " + std::to_string(text_.line) : "byte " + std::to_string(at_);
  }
  Status expected(const std::string& what) const { return corrupt(place() + ": expected " + what); }

  // White space may follow, nothing else.
  Status ending() {
    if (!header_.ascii) {
      text_.at = reinterpret_cast<const char*>(data_) + at_;
      text_.skip_space();
      if (!text_.done()) return corrupt_byte(at_, std::to_string(size_ - at_) + " bytes follow the last element");
      return Status();
    }
    text_.skip_space();
    return text_.done() ? Status() : expected("nothing after the last element");
  }

  bool scalar(PlyType type, double* value) {
    if (header_.ascii) {
      text_.skip_space();
      return take_number(&text_.at, text_.end, value) && text_.separated();
    }
    const size_t bytes = size_of(type);
    if (size_ - at_ < bytes) return false;
    *value = number_at(data_ + at_, type, swapped_);
    at_ += bytes;
    return true;
  }

  // A whole number from `least` to 2^32 − 1.
  Status whole(PlyType type, double least, double* value) {
    if (!scalar(type, value)) return expected("a number");
    if (!(*value >= least && *value <= 4294967295.0 && std::floor(*value) == *value)) return expected("a whole number");
    return Status();
  }

  Status length(const PlyProperty& property, size_t* out) {
    double value = 0;
    const Status good = whole(property.count_type, 0, &value);
    if (!good.ok()) return good;
    const size_t bytes = header_.ascii ? 2 : size_of(property.type);
    if (value > static_cast<double>((left() + 1) / bytes)) return expected("a list that ends within the file");
    *out = static_cast<size_t>(value);
    return Status();
  }

  Status skip(const PlyProperty& property) {
    size_t count = 1;
    if (property.list) {
      const Status good = length(property, &count);
      if (!good.ok()) return good;
    }
    if (!header_.ascii) {
      const size_t bytes = count * size_of(property.type);
      if (size_ - at_ < bytes) return expected("a number");
      at_ += bytes;
      return Status();
    }
    double value = 0;
    for (size_t i = 0; i < count; ++i) {
      if (!scalar(property.type, &value)) return expected("a number");
    }
    return Status();
  }

  void put(int slot, size_t vertex, double value, PlyType type) {
    if (slot < kNormal) {
      mesh_.positions[3 * vertex + static_cast<size_t>(slot)] = static_cast<float>(value);
    } else if (slot < kUv) {
      mesh_.normals[3 * vertex + static_cast<size_t>(slot - kNormal)] = static_cast<float>(value);
    } else if (slot < kColour) {
      mesh_.uvs[2 * vertex + static_cast<size_t>(slot - kUv)] = static_cast<float>(value);
    } else {
      mesh_.colours[3 * vertex + static_cast<size_t>(slot - kColour)] = colour_of(value, type);
    }
  }

  Status vertices(const PlyElement& element) {
    if (element.count > limits_.vertices) return corrupt("more vertices than the limit");
    const auto count = static_cast<size_t>(element.count);
    std::vector<int> slots;
    bool there[kSlots] = {};
    for (const PlyProperty& property : element.properties) {
      int slot = property.list ? kNowhere : slot_of(property.name);
      if (slot != kNowhere && there[slot]) slot = kNowhere;
      if (slot != kNowhere) there[slot] = true;
      slots.push_back(slot);
    }
    const auto all = [&there](int begin, int end) {
      return std::all_of(there + begin, there + end, [](bool b) { return b; });
    };
    if (!all(0, kNormal)) return corrupt("a vertex has no properties x, y and z");
    const bool known[] = {true, all(kNormal, kUv), all(kUv, kColour), all(kColour, kSlots)};
    for (int& slot : slots) {
      if (slot != kNowhere && !known[slot < kNormal ? 0 : slot < kUv ? 1 : slot < kColour ? 2 : 3]) slot = kNowhere;
    }
    mesh_.positions.resize(3 * count);
    if (known[1]) mesh_.normals.resize(3 * count);
    if (known[2]) mesh_.uvs.resize(2 * count);
    if (known[3]) mesh_.colours.resize(3 * count);
    if (!header_.ascii && !element.has_list()) return columns(element, slots, count);
    for (size_t i = 0; i < count; ++i) {
      if (time_to_stop(i + 1, token_)) return stopped();
      for (size_t k = 0; k < slots.size(); ++k) {
        const PlyProperty& property = element.properties[k];
        if (slots[k] == kNowhere) {
          const Status good = skip(property);
          if (!good.ok()) return good;
          continue;
        }
        double value;
        if (!scalar(property.type, &value)) return expected(property.name + " of a vertex");
        put(slots[k], i, value, property.type);
      }
    }
    return Status();
  }

  // Rows of one length, of which read() has seen that they are there: one property after the other, while some rows are
  // near.
  Status columns(const PlyElement& element, const std::vector<int>& slots, size_t count) {
    constexpr size_t kRows = 2048;
    const size_t row = element.least_bytes(false);
    if (count > (size_ - at_) / row) return expected(std::to_string(count) + " vertices");
    for (size_t begin = 0; begin < count; begin += kRows) {
      if (is_cancelled(token_)) return stopped();
      const size_t end = std::min(count, begin + kRows);
      size_t offset = at_;
      for (size_t k = 0; k < slots.size(); ++k) {
        const PlyType type = element.properties[k].type;
        if (slots[k] != kNowhere) column(slots[k], type, offset, row, begin, end);
        offset += size_of(type);
      }
    }
    at_ += row * count;
    return Status();
  }

  void column(int slot, PlyType type, size_t offset, size_t row, size_t begin, size_t end) {
    const uint8_t* from = data_ + offset + begin * row;
    with_type(type, [&](auto kind) {
      using T = decltype(kind);
      const auto fill = [&](auto* to, size_t per, auto convert) {
        const uint8_t* p = from;
        for (size_t i = begin; i < end; ++i, p += row) to[per * i] = convert(load<T>(p, swapped_));
      };
      const auto number = [](T value) { return static_cast<float>(value); };
      if (slot < kNormal) {
        fill(mesh_.positions.data() + slot, 3, number);
      } else if (slot < kUv) {
        fill(mesh_.normals.data() + (slot - kNormal), 3, number);
      } else if (slot < kColour) {
        fill(mesh_.uvs.data() + (slot - kUv), 2, number);
      } else {
        fill(mesh_.colours.data() + (slot - kColour), 3,
             [type](T value) { return colour_of(static_cast<double>(value), type); });
      }
    });
  }

  // Faces, strips of triangles, and what is passed over.
  Status others(const PlyElement& element) {
    const bool faces = element.name == "face", strips = element.name == "tristrips";
    const PlyProperty* list = nullptr;
    for (const PlyProperty& one : element.properties) {
      const bool named = one.name == "vertex_indices" || one.name == "vertex_index";
      if ((faces || strips) && one.list && named && list == nullptr) list = &one;
    }
    if (faces && list == nullptr) return corrupt("a face has no list vertex_indices");
    const bool bare = list != nullptr && element.properties.size() == 1 && !header_.ascii;
    if (bare) mesh_.indices.reserve(3 * std::min(static_cast<size_t>(element.count), left() / kTriangle));
    for (uint64_t i = 0; i < element.count; ++i) {
      if (time_to_stop(i + 1, token_)) return stopped();
      if (bare && !strips && triangle(*list)) continue;
      for (const PlyProperty& property : element.properties) {
        const Status good = &property != list ? skip(property) : strips ? strip(property) : face(property);
        if (!good.ok()) return good;
      }
      if (mesh_.triangles() > limits_.triangles) return corrupt("more triangles than the limit");
    }
    return Status();
  }

  // The common face, three indices of 32 bits after a byte; false, with nothing read, for any other.
  bool triangle(const PlyProperty& list) {
    const bool common =
        list.count_type == PlyType::kUint8 && (list.type == PlyType::kInt32 || list.type == PlyType::kUint32);
    if (!common || size_ - at_ < kTriangle || data_[at_] != 3) return false;
    uint32_t corners[3];
    for (size_t k = 0; k < 3; ++k) corners[k] = load<uint32_t>(data_ + at_ + 1 + 4 * k, swapped_);
    // Numbers below zero are for face() to refuse.
    if (((corners[0] | corners[1] | corners[2]) & 0x80000000) != 0) return false;
    at_ += kTriangle;
    mesh_.indices.insert(mesh_.indices.end(), corners, corners + 3);
    return true;
  }

  Status face(const PlyProperty& property) {
    size_t count = 0;
    Status good = length(property, &count);
    if (!good.ok()) return good;
    uint32_t first = 0, last = 0;
    for (size_t k = 0; k < count; ++k) {
      double value = 0;
      good = whole(property.type, 0, &value);
      if (!good.ok()) return good;
      const auto corner = static_cast<uint32_t>(value);
      if (k == 0) first = corner;
      if (k >= 2) mesh_.indices.insert(mesh_.indices.end(), {first, last, corner});
      last = corner;
    }
    return Status();
  }

  // Each vertex makes a triangle with the two before it, turning in turns; −1 begins anew.
  Status strip(const PlyProperty& property) {
    size_t count = 0;
    Status good = length(property, &count);
    if (!good.ok()) return good;
    uint32_t a = 0, b = 0;
    size_t held = 0;
    for (size_t k = 0; k < count; ++k) {
      double value = 0;
      good = whole(property.type, -1, &value);
      if (!good.ok()) return good;
      if (value < 0) {
        held = 0;
        continue;
      }
      const auto corner = static_cast<uint32_t>(value);
      if (held >= 2) {
        const bool even = held % 2 == 0;
        mesh_.indices.insert(mesh_.indices.end(), {even ? a : b, even ? b : a, corner});
      }
      a = b;
      b = corner;
      ++held;
    }
    return Status();
  }

  const uint8_t* data_;
  size_t size_;
  PlyHeader header_;
  const MeshLimits& limits_;
  const CancelToken* token_;
  size_t at_;        // binary
  bool swapped_;     // numbers are in the other order
  TextCursor text_;  // ascii
  TriangleMesh mesh_;
};

}  // namespace

Result<MeshFile> read_ply(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token) {
  Result<PlyHeader> header = read_ply_header(data, size);
  if (!header.ok()) return header.status();
  return PlyReader(data, size, std::move(header.value()), limits, token).read();
}

}  // namespace lineament
