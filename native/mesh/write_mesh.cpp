#include "mesh/write_mesh.h"

#include <algorithm>
#include <cmath>
#include <new>

namespace lineament {
namespace {

Status invalid(const char* what) { return Status(Code::kInvalidArgument, what); }

bool one_line(const std::string& text) { return text.find_first_of("\r\n") == std::string::npos; }

}  // namespace

Status check_writing(const MeshView& mesh, const MeshWriting& how, const CancelToken* token) {
  if (mesh.vertices == 0) return invalid("There is no point to write");
  // Counts of the formats have 32 bits, and vertices are named with a sign in some.
  if (mesh.vertices > 0x7fffffff || mesh.triangles > 0x7fffffff) return invalid("More than 2147483647 elements");
  if (!one_line(how.comment) || !one_line(how.material) || !one_line(how.library)) {
    return invalid("A comment or name has a line break");
  }
  if (is_cancelled(token)) return Status(Code::kAborted, "");
  const auto finite = [](float value) { return std::isfinite(value); };
  if (mesh.normals != nullptr && !std::all_of(mesh.normals, mesh.normals + 3 * mesh.vertices, finite)) {
    return invalid("A normal is not finite");
  }
  // Not check_mesh: how far away a position may be is no matter of a file.
  if (!std::all_of(mesh.positions, mesh.positions + 3 * mesh.vertices, finite)) {
    return invalid("A position is not finite");
  }
  if (mesh.uvs != nullptr && !std::all_of(mesh.uvs, mesh.uvs + 2 * mesh.vertices, finite)) {
    return invalid("A texture coordinate is not finite");
  }
  const auto unknown = [&mesh](uint32_t index) { return index >= mesh.vertices; };
  if (std::any_of(mesh.indices, mesh.indices + 3 * mesh.triangles, unknown)) return invalid("An index names no vertex");
  return Status();
}

MeshBytes allocate_bytes(size_t size) { return {std::unique_ptr<uint8_t[]>(new (std::nothrow) uint8_t[size]), size}; }

Status out_of_memory_for_file() { return Status(Code::kOutOfMemory, "Out of memory for the bytes of the file"); }

Result<MeshBytes> TextFile::bytes() const {
  size_t size = 0;
  for (const std::string& part : parts_) size += part.size();
  MeshBytes out = allocate_bytes(size);
  if (!out.data) return out_of_memory_for_file();
  uint8_t* to = out.data.get();
  for (const std::string& part : parts_) {
    std::memcpy(to, part.data(), part.size());
    to += part.size();
  }
  return out;
}

}  // namespace lineament
