#include "mesh/read_mesh.h"

#include <cmath>

namespace lineament {
namespace {

// Half a turn about X changes two signs; the zero has none.
void turn_and_scale(std::vector<float>* values, bool turned, float scale) {
  const float other = turned ? -scale : scale;
  for (size_t i = 0; i + 2 < values->size(); i += 3) {
    float* p = values->data() + i;
    p[0] = p[0] * scale + 0.0F;
    p[1] = p[1] * other + 0.0F;
    p[2] = p[2] * other + 0.0F;
  }
}

Result<MeshFile> read(MeshFormat format, const uint8_t* data, size_t size, const MeshLimits& limits,
                      const CancelToken* token) {
  switch (format) {
    case MeshFormat::kPly:
      return read_ply(data, size, limits, token);
    case MeshFormat::kGlb:
      return read_glb(data, size, limits, token);
    case MeshFormat::kObj:
      return read_obj(data, size, limits, token);
    case MeshFormat::kStl:
      return read_stl(data, size, limits, token);
    case MeshFormat::kXyz:
      break;
  }
  return read_xyz(data, size, limits, token);
}

}  // namespace

Status finish_mesh(TriangleMesh* mesh, const MeshLimits& limits, const CancelToken* token) {
  const size_t n = mesh->vertices();
  if (n == 0) return corrupt("it holds no points");
  if (n > limits.vertices || mesh->triangles() > limits.triangles) return corrupt("it is larger than the limit");
  for (size_t i = 0; i < mesh->positions.size(); ++i) {
    if (!std::isfinite(mesh->positions[i])) return corrupt("vertex " + std::to_string(i / 3) + " is not finite");
  }
  if (is_cancelled(token)) return stopped();
  for (size_t i = 0; i < mesh->indices.size(); ++i) {
    if (mesh->indices[i] >= n) {
      return corrupt("triangle " + std::to_string(i / 3) + " names vertex " + std::to_string(mesh->indices[i]) +
                     " of " + std::to_string(n));
    }
  }
  if (mesh->normals.size() != 3 * n) mesh->normals.clear();
  if (mesh->uvs.size() != 2 * n) mesh->uvs.clear();
  if (mesh->colours.size() != 3 * n) mesh->colours.clear();
  for (size_t i = 0; i < mesh->uvs.size(); ++i) {
    if (!std::isfinite(mesh->uvs[i])) {
      return corrupt("the texture coordinate of vertex " + std::to_string(i / 2) + " is not finite");
    }
  }
  if (is_cancelled(token)) return stopped();
  for (size_t i = 0; i + 2 < mesh->normals.size(); i += 3) {
    float* p = mesh->normals.data() + i;
    const double x = static_cast<double>(p[0]), y = static_cast<double>(p[1]), z = static_cast<double>(p[2]);
    const double length = std::sqrt(x * x + y * y + z * z);
    // What is 1 long but for rounding stays as it is.
    if (std::abs(length - 1) < 1e-4) continue;
    const double factor = length > 0 && std::isfinite(length) ? 1 / length : 0;
    const double unit[] = {x, y, z};
    for (int k = 0; k < 3; ++k) p[k] = factor > 0 ? static_cast<float>(unit[k] * factor) : 0.0F;
  }
  return Status();
}

Result<MeshFile> read_mesh_file(MeshFormat format, const uint8_t* data, size_t size, bool turned, float scale,
                                const MeshLimits& limits, const CancelToken* token) {
  Result<MeshFile> file = read(format, data, size, limits, token);
  if (!file.ok() || (!turned && scale == 1)) return file;
  for (TriangleMesh& mesh : file.value().levels) {
    turn_and_scale(&mesh.positions, turned, scale);
    turn_and_scale(&mesh.normals, turned, 1);
    for (const float value : mesh.positions) {
      if (!std::isfinite(value)) return corrupt("a position is too large for its unit");
    }
  }
  return file;
}

}  // namespace lineament
