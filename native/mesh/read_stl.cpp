// 3D Systems, "StereoLithography Interface Specification", 1988: triangles without shared vertices. Corners at the same
// place become one vertex; the facets' normals follow from the corners and are passed over.
#include <bit>
#include <cstring>

#include "mesh/numbers_text.h"
#include "mesh/read_mesh.h"

namespace lineament {
namespace {

constexpr size_t kHead = 84, kFacet = 50;

uint32_t word_at(const uint8_t* bytes) {
  return uint32_t{bytes[0]} | uint32_t{bytes[1]} << 8 | uint32_t{bytes[2]} << 16 | uint32_t{bytes[3]} << 24;
}

// Numbers vertices by their place, in the order in which they come.
class Vertices {
 public:
  explicit Vertices(TriangleMesh* mesh) : mesh_(mesh), slots_(1024, 0) {}

  void add(const float place[3]) {
    float p[3];
    for (int k = 0; k < 3; ++k) p[k] = place[k] + 0.0F;  // one zero
    if (2 * (mesh_->vertices() + 1) > slots_.size()) grow();
    const size_t slot = find(p);
    if (slots_[slot] == 0) {
      mesh_->positions.insert(mesh_->positions.end(), p, p + 3);
      slots_[slot] = static_cast<uint32_t>(mesh_->vertices());
    }
    mesh_->indices.push_back(slots_[slot] - 1);
  }

 private:
  // Of the vertex at this place, or an empty one.
  size_t find(const float p[3]) const {
    uint64_t hash = 0x9e3779b97f4a7c15ULL;
    for (int k = 0; k < 3; ++k) {
      hash = (hash ^ std::bit_cast<uint32_t>(p[k])) * 0xff51afd7ed558ccdULL;
      hash ^= hash >> 32;
    }
    size_t slot = static_cast<size_t>(hash) & (slots_.size() - 1);
    while (slots_[slot] != 0 && std::memcmp(&mesh_->positions[3 * size_t{slots_[slot] - 1}], p, 12) != 0) {
      slot = (slot + 1) & (slots_.size() - 1);
    }
    return slot;
  }

  void grow() {
    slots_.assign(2 * slots_.size(), 0);
    for (size_t i = 0; i < mesh_->vertices(); ++i) {
      slots_[find(&mesh_->positions[3 * i])] = static_cast<uint32_t>(i + 1);
    }
  }

  TriangleMesh* mesh_;
  std::vector<uint32_t> slots_;  // vertex + 1, or 0
};

Status read_binary(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token,
                   TriangleMesh* mesh) {
  if (size < kHead) return corrupt_byte(size, "expected a head of 84 bytes");
  const size_t count = word_at(data + 80);
  if (size != kHead + kFacet * count) {
    return corrupt_byte(80, "it counts " + std::to_string(count) + " triangles, which take " +
                                std::to_string(kHead + kFacet * count) + " bytes, but has " + std::to_string(size));
  }
  if (count > limits.triangles) return corrupt_byte(80, "more triangles than the limit");
  mesh->indices.reserve(3 * count);
  Vertices vertices(mesh);
  for (size_t i = 0; i < count; ++i) {
    if (time_to_stop(i + 1, token)) return stopped();
    for (size_t k = 0; k < 3; ++k) {
      const uint8_t* p = data + kHead + kFacet * i + 12 + 12 * k;
      const float place[] = {std::bit_cast<float>(word_at(p)), std::bit_cast<float>(word_at(p + 4)),
                             std::bit_cast<float>(word_at(p + 8))};
      vertices.add(place);
    }
  }
  return Status();
}

class TextReader {
 public:
  TextReader(const uint8_t* data, size_t size, TriangleMesh* mesh)
      : text_{reinterpret_cast<const char*>(data), reinterpret_cast<const char*>(data) + size}, vertices_(mesh) {}

  // One solid after the other.
  Status read(const MeshLimits& limits, const CancelToken* token, const TriangleMesh& mesh) {
    for (;;) {
      text_.skip_space();
      if (text_.done()) return Status();
      if (!word("solid")) return expected("solid");
      text_.skip_line();
      for (size_t step = 1;; ++step) {
        if (time_to_stop(step, token)) return stopped();
        text_.skip_space();
        if (word("endsolid")) break;
        if (mesh.triangles() >= limits.triangles) return corrupt_line(text_.line, "more triangles than the limit");
        const Status good = facet();
        if (!good.ok()) return good;
      }
      text_.skip_line();
    }
  }

 private:
  Status expected(const char* what) const { return corrupt_line(text_.line, std::string("expected ") + what); }

  bool word(const char* wanted) {
    const size_t length = std::strlen(wanted);
    if (static_cast<size_t>(text_.end - text_.at) < length) return false;
    for (size_t i = 0; i < length; ++i) {
      if ((text_.at[i] | 0x20) != wanted[i]) return false;
    }
    const TextCursor after{text_.at + length, text_.end};
    if (!after.separated()) return false;
    text_.at += length;
    return true;
  }

  Status numbers(float to[3]) {
    for (int k = 0; k < 3; ++k) {
      text_.skip_space();
      if (!take_number(&text_.at, text_.end, &to[k]) || !text_.separated()) return expected("three numbers");
    }
    return Status();
  }

  Status facet() {
    float p[3];
    for (const char* wanted : {"facet", "normal"}) {
      text_.skip_space();
      if (!word(wanted)) return expected(wanted);
    }
    Status good = numbers(p);
    for (const char* wanted : {"outer", "loop"}) {
      text_.skip_space();
      if (good.ok() && !word(wanted)) return expected(wanted);
    }
    for (int k = 0; k < 3 && good.ok(); ++k) {
      text_.skip_space();
      if (!word("vertex")) return expected("vertex");
      good = numbers(p);
      if (good.ok()) vertices_.add(p);
    }
    for (const char* wanted : {"endloop", "endfacet"}) {
      text_.skip_space();
      if (good.ok() && !word(wanted)) return expected(wanted);
    }
    return good;
  }

  TextCursor text_;
  Vertices vertices_;
};

}  // namespace

Result<MeshFile> read_stl(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token) {
  MeshFile file;
  TriangleMesh& mesh = file.levels.emplace_back();
  // Some binary files begin with "solid" too; their size tells.
  const bool solid = size >= 5 && std::memcmp(data, "solid", 5) == 0;
  const bool binary = !solid || (size >= kHead && size == kHead + kFacet * size_t{word_at(data + 80)});
  Status good =
      binary ? read_binary(data, size, limits, token, &mesh) : TextReader(data, size, &mesh).read(limits, token, mesh);
  if (good.ok()) good = finish_mesh(&mesh, limits, token);
  if (!good.ok()) return good;
  return file;
}

}  // namespace lineament
