#include "mesh/mesh_view.h"

#include <algorithm>
#include <bit>

namespace lineament {

MeshView view_of(const TriangleMesh& mesh) {
  const auto known = [](const auto& values) { return values.empty() ? nullptr : values.data(); };
  return {mesh.positions.data(), mesh.indices.data(), known(mesh.normals), known(mesh.uvs),
          known(mesh.colours),   mesh.vertices(),     mesh.triangles()};
}

Status check_mesh(const MeshView& mesh, Code empty_code) {
  const auto bad = [](const char* what) { return Status(Code::kInvalidArgument, what); };
  // Names of vertices and triangles, and of three corners for each triangle, are 32-bit numbers.
  if (mesh.vertices > 0xfffffff0u || mesh.triangles > 0x50000000u) return bad("The mesh is too large");
  const auto finite = [](const float* values, size_t count) {
    uint32_t found = 0;  // its highest bit: an exponent of ones
    for (size_t i = 0; i < count; ++i) found |= (std::bit_cast<uint32_t>(values[i]) & 0x7f800000u) + 0x00800000u;
    return (found & 0x80000000u) == 0;
  };
  float farthest = 0;
  for (size_t i = 0; i < 3 * mesh.vertices; ++i) farthest = std::max(farthest, std::fabs(mesh.positions[i]));
  if (!finite(mesh.positions, 3 * mesh.vertices)) return bad("A position is not finite");
  if (farthest > kFarthest) return bad("A position is beyond 10^9 millimetres");
  if (mesh.normals != nullptr && !finite(mesh.normals, 3 * mesh.vertices)) return bad("A normal is not finite");
  if (mesh.uvs != nullptr && !finite(mesh.uvs, 2 * mesh.vertices)) return bad("A texture coordinate is not finite");
  uint32_t highest = 0;
  for (size_t i = 0; i < 3 * mesh.triangles; ++i) highest = std::max(highest, mesh.indices[i]);
  if (mesh.triangles > 0 && highest >= mesh.vertices) return bad("An index names no vertex");
  if (mesh.triangles == 0 && empty_code != Code::kOk) return Status(empty_code, "The mesh has no triangles");
  return Status();
}

TriangleMesh take_vertices(const MeshView& mesh, const uint32_t* kept, size_t count) {
  TriangleMesh out;
  const auto take = [&](const auto* from, auto* to, size_t per) {
    if (from == nullptr) return;
    to->resize(per * count);
    for (size_t i = 0; i < count; ++i) std::copy_n(from + per * kept[i], per, to->data() + per * i);
  };
  take(mesh.positions, &out.positions, 3);
  take(mesh.normals, &out.normals, 3);
  take(mesh.uvs, &out.uvs, 2);
  take(mesh.colours, &out.colours, 3);
  return out;
}

}  // namespace lineament
