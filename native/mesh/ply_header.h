// The head of a PLY file: G. Turk, "The PLY Polygon File Format", 1994.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"

namespace lineament {

enum class PlyType : uint8_t { kInt8, kUint8, kInt16, kUint16, kInt32, kUint32, kFloat, kDouble };

constexpr size_t size_of(PlyType type) {
  constexpr size_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 8};
  return kSizes[static_cast<size_t>(type)];
}

struct PlyProperty {
  std::string name;
  PlyType type = PlyType::kInt8;
  bool list = false;
  PlyType count_type = PlyType::kUint8;
};

struct PlyElement {
  std::string name;
  uint64_t count = 0;
  std::vector<PlyProperty> properties;

  // The least bytes of one of them.
  size_t least_bytes(bool ascii) const;
  bool has_list() const;
};

struct PlyHeader {
  bool ascii = false, big_endian = false;
  std::vector<PlyElement> elements;
  std::string texture;  // of a comment TextureFile
  size_t lines = 0;     // of the head
  size_t data = 0;      // where what follows the head begins
};

// kMeshCorrupt, with the line.
Result<PlyHeader> read_ply_header(const uint8_t* data, size_t size);

}  // namespace lineament
