// JSON as RFC 8259 has it, for the descriptions within files of ours to read; small documents.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace lineament {

struct Json {
  enum class Kind : uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

  Kind kind = Kind::kNull;
  bool truth = false;
  double number = 0;
  std::string text;               // of a string
  std::vector<Json> items;        // of an array or an object
  std::vector<std::string> keys;  // of an object, one for each item

  // The item of an object, the first where a key comes twice; null where there is none, or this is no object.
  const Json* find(std::string_view key) const;
  // The items of an array within an object; none where it is missing or something else.
  const std::vector<Json>& list(std::string_view key) const;
  bool is(Kind wanted) const { return kind == wanted; }
};

// Values may lie 64 deep, and be 2^20 in number. Escapes become UTF-8; other bytes of strings are taken as they are.
// kMeshCorrupt, with the byte counted from `offset`.
Result<Json> parse_json(const char* data, size_t size, size_t offset);

}  // namespace lineament
