#include "mesh/ply_header.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "mesh/read_mesh.h"

namespace lineament {
namespace {

// A line of a head, and elements and properties of it, are no longer than anybody would write.
constexpr size_t kLongestLine = 4096, kMostElements = 64, kMostProperties = 256;

bool type_of(std::string_view name, PlyType* type) {
  constexpr std::string_view kNames[][2] = {{"char", "int8"},     {"uchar", "uint8"},   {"short", "int16"},
                                            {"ushort", "uint16"}, {"int", "int32"},     {"uint", "uint32"},
                                            {"float", "float32"}, {"double", "float64"}};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (name == kNames[i][0] || name == kNames[i][1]) {
      *type = static_cast<PlyType>(i);
      return true;
    }
  }
  return false;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  size_t at = 0;
  while ((at = line.find_first_not_of(" \t", at)) != std::string_view::npos) {
    const size_t end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

class HeaderReader {
 public:
  HeaderReader(const uint8_t* data, size_t size) : text_(reinterpret_cast<const char*>(data), size) {}

  Result<PlyHeader> read() {
    std::string_view line;
    if (!next(&line) || line != "ply") return corrupt_line(1, "expected ply");
    bool format = false;
    for (;;) {
      if (!next(&line)) return corrupt_line(header_.lines + 1, "expected end_header");
      const std::vector<std::string_view> words = words_of(line);
      if (words.empty() || words[0] == "obj_info") continue;
      if (words[0] == "end_header") break;
      Status good;
      if (words[0] == "comment") {
        comment(line);
      } else if (words[0] == "format") {
        format = words.size() == 3 && words[2] == "1.0" && format_of(words[1]);
        if (!format) good = expected("format ascii, binary_little_endian or binary_big_endian 1.0");
      } else if (words[0] == "element") {
        good = element(words);
      } else if (words[0] == "property") {
        good = property(words);
      } else {
        good = expected("element, property, comment or end_header");
      }
      if (!good.ok()) return good;
    }
    if (!format) return expected("a line with the format before");
    header_.data = at_;
    return std::move(header_);
  }

 private:
  Status expected(const char* what) const { return corrupt_line(header_.lines, std::string("expected ") + what); }

  bool next(std::string_view* line) {
    const size_t end = text_.substr(0, at_ + kLongestLine).find('\n', at_);
    if (end == std::string_view::npos) return false;
    *line = text_.substr(at_, end - at_);
    if (!line->empty() && line->back() == '\r') line->remove_suffix(1);
    at_ = end + 1;
    ++header_.lines;
    return true;
  }

  void comment(std::string_view line) {
    constexpr std::string_view kTexture = "comment TextureFile ";
    if (header_.texture.empty() && line.substr(0, kTexture.size()) == kTexture) {
      header_.texture = line.substr(kTexture.size());
    }
  }

  bool format_of(std::string_view name) {
    header_.ascii = name == "ascii";
    header_.big_endian = name == "binary_big_endian";
    return header_.ascii || header_.big_endian || name == "binary_little_endian";
  }

  Status element(const std::vector<std::string_view>& words) {
    PlyElement element;
    if (words.size() != 3) return expected("element NAME COUNT");
    const char* const end = words[2].data() + words[2].size();
    const auto parsed = std::from_chars(words[2].data(), end, element.count);
    if (parsed.ec != std::errc() || parsed.ptr != end) return expected("a count of elements");
    if (header_.elements.size() == kMostElements) return expected("at most 64 elements");
    element.name = words[1];
    header_.elements.push_back(std::move(element));
    return Status();
  }

  Status property(const std::vector<std::string_view>& words) {
    PlyProperty property;
    property.list = words.size() == 5 && words[1] == "list";
    if (!property.list && words.size() != 3) return expected("property TYPE NAME or property list TYPE TYPE NAME");
    if (!type_of(words[words.size() - 2], &property.type)) return expected("the type of a property");
    if (property.list) {
      const bool known = type_of(words[2], &property.count_type);
      if (!known || property.count_type >= PlyType::kFloat) return expected("a whole type for the length of a list");
    }
    if (header_.elements.empty()) return expected("an element before its properties");
    std::vector<PlyProperty>& properties = header_.elements.back().properties;
    if (properties.size() == kMostProperties) return expected("at most 256 properties");
    property.name = words.back();
    properties.push_back(std::move(property));
    return Status();
  }

  std::string_view text_;
  size_t at_ = 0;
  PlyHeader header_;
};

}  // namespace

size_t PlyElement::least_bytes(bool ascii) const {
  size_t bytes = 0;
  // A digit and what parts it from the next.
  for (const PlyProperty& one : properties) bytes += ascii ? 2 : size_of(one.list ? one.count_type : one.type);
  return bytes;
}

bool PlyElement::has_list() const {
  return std::any_of(properties.begin(), properties.end(), [](const PlyProperty& one) { return one.list; });
}

Result<PlyHeader> read_ply_header(const uint8_t* data, size_t size) { return HeaderReader(data, size).read(); }

}  // namespace lineament
