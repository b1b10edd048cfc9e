#include "mesh/triangle_mesh.h"

#include <algorithm>
#include <cmath>

namespace lineament {

Status check_mesh(const TriangleMesh& mesh) {
  const auto bad = [](const char* what) { return Status(Code::kInvalidArgument, what); };
  const size_t n = mesh.vertices();
  if (mesh.positions.size() != 3 * n) return bad("Expected three numbers for each vertex");
  if (mesh.indices.size() % 3 != 0) return bad("Expected three indices for each triangle");
  if (!mesh.normals.empty() && mesh.normals.size() != 3 * n) return bad("Expected a normal for each vertex");
  if (!mesh.uvs.empty() && mesh.uvs.size() != 2 * n) return bad("Expected a texture coordinate for each vertex");
  if (!mesh.colours.empty() && mesh.colours.size() != 3 * n) return bad("Expected a colour for each vertex");
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!std::all_of(mesh.positions.begin(), mesh.positions.end(), finite)) return bad("A position is not finite");
  if (!std::all_of(mesh.uvs.begin(), mesh.uvs.end(), finite)) return bad("A texture coordinate is not finite");
  const auto known = [n](uint32_t index) { return index < n; };
  if (!std::all_of(mesh.indices.begin(), mesh.indices.end(), known)) return bad("An index names no vertex");
  return Status();
}

}  // namespace lineament
