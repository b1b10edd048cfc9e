// G. Turk, "The PLY Polygon File Format", 1994.
#include <algorithm>
#include <bit>

#include "mesh/write_mesh.h"

namespace lineament {
namespace {

static_assert(std::endian::native == std::endian::little, "Binary files are written in the processor's order");

std::string header(const MeshView& mesh, const MeshWriting& how) {
  std::string text = "ply\nformat ";
  text += how.ascii ? "ascii" : "binary_little_endian";
  text += " 1.0\n";
  if (!how.comment.empty()) text += "comment " + how.comment + "\n";
  if (!how.library.empty()) text += "comment TextureFile " + how.library + "\n";
  text += "element vertex " + std::to_string(mesh.vertices) + "\n";
  text += "property float x\nproperty float y\nproperty float z\n";
  if (mesh.normals != nullptr) text += "property float nx\nproperty float ny\nproperty float nz\n";
  if (mesh.uvs != nullptr) text += "property float s\nproperty float t\n";
  if (mesh.colours != nullptr) text += "property uchar red\nproperty uchar green\nproperty uchar blue\n";
  if (mesh.triangles > 0) {
    text += "element face " + std::to_string(mesh.triangles) + "\nproperty list uchar int vertex_indices\n";
  }
  return text + "end_header\n";
}

// Where (0, 0) is the bottom-left corner.
float bottom_up(float v) { return 1.0F - v; }

Result<MeshBytes> write_text(const MeshView& mesh, const MeshWriting& how, Executor& executor,
                             const CancelToken* token) {
  const Turn turn{how.turned};
  TextFile file(header(mesh, how));
  const auto vertex = [&](size_t i, char* to) {
    to = put_three(to, turn, mesh.positions + 3 * i);
    if (mesh.normals != nullptr) {
      *to++ = ' ';
      to = put_three(to, turn, mesh.normals + 3 * i);
    }
    if (mesh.uvs != nullptr) {
      *to++ = ' ';
      to = put_float(to, mesh.uvs[2 * i]);
      *to++ = ' ';
      to = put_float(to, bottom_up(mesh.uvs[2 * i + 1]));
    }
    for (size_t k = 0; mesh.colours != nullptr && k < 3; ++k) {
      *to++ = ' ';
      to = put_unsigned(to, mesh.colours[3 * i + k]);
    }
    *to++ = '\n';
    return to;
  };
  Status done = file.rows(executor, token, mesh.vertices, 8 * (kLongestFloat + 1) + 16, vertex);
  if (!done.ok()) return done;
  const auto face = [&](size_t i, char* to) {
    *to++ = '3';
    for (size_t k = 0; k < 3; ++k) {
      *to++ = ' ';
      to = put_unsigned(to, mesh.indices[3 * i + k]);
    }
    *to++ = '\n';
    return to;
  };
  done = file.rows(executor, token, mesh.triangles, 3 * (kLongestUnsigned + 1) + 2, face);
  if (!done.ok()) return done;
  return file.bytes();
}

void put(uint8_t** to, const void* bytes, size_t size) {
  std::memcpy(*to, bytes, size);
  *to += size;
}

Result<MeshBytes> write_binary(const MeshView& mesh, const MeshWriting& how, Executor& executor,
                               const CancelToken* token) {
  const Turn turn{how.turned};
  const std::string head = header(mesh, how);
  const size_t row =
      12 + (mesh.normals != nullptr ? 12 : 0) + (mesh.uvs != nullptr ? 8 : 0) + (mesh.colours != nullptr ? 3 : 0);
  constexpr size_t kFace = 13;
  MeshBytes out = allocate_bytes(head.size() + row * mesh.vertices + kFace * mesh.triangles);
  if (!out.data) return out_of_memory_for_file();
  std::memcpy(out.data.get(), head.data(), head.size());
  uint8_t* const vertices = out.data.get() + head.size();
  uint8_t* const faces = vertices + row * mesh.vertices;
  Status done = for_rows(executor, token, mesh.vertices, [&](size_t begin, size_t end) {
    uint8_t* to = vertices + begin * row;
    for (size_t i = begin; i < end; ++i) {
      const float* p = mesh.positions + 3 * i;
      const float position[] = {turn.x(p), turn.y(p), turn.z(p)};
      put(&to, position, sizeof(position));
      if (mesh.normals != nullptr) {
        const float* n = mesh.normals + 3 * i;
        const float normal[] = {turn.x(n), turn.y(n), turn.z(n)};
        put(&to, normal, sizeof(normal));
      }
      if (mesh.uvs != nullptr) {
        const float uv[] = {mesh.uvs[2 * i], bottom_up(mesh.uvs[2 * i + 1])};
        put(&to, uv, sizeof(uv));
      }
      if (mesh.colours != nullptr) put(&to, mesh.colours + 3 * i, 3);
    }
  });
  if (!done.ok()) return done;
  done = for_rows(executor, token, mesh.triangles, [&](size_t begin, size_t end) {
    uint8_t* to = faces + begin * kFace;
    for (size_t i = begin; i < end; ++i) {
      *to++ = 3;
      put(&to, mesh.indices + 3 * i, 12);
    }
  });
  if (!done.ok()) return done;
  return out;
}

}  // namespace

Result<MeshBytes> write_ply(const MeshView& given, const MeshWriting& how, Executor& executor,
                            const CancelToken* token) {
  MeshView mesh = given;
  if (!how.normals) mesh.normals = nullptr;
  const Status good = check_writing(mesh, how, token);
  if (!good.ok()) return good;
  return how.ascii ? write_text(mesh, how, executor, token) : write_binary(mesh, how, executor, token);
}

}  // namespace lineament
