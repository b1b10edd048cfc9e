// A mesh that somebody else owns.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "core/status.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

// As TriangleMesh; null stands for what is not known.
struct MeshView {
  const float* positions = nullptr;   // 3 n
  const uint32_t* indices = nullptr;  // 3 m
  const float* normals = nullptr;     // 3 n
  const float* uvs = nullptr;         // 2 n
  const uint8_t* colours = nullptr;   // 3 n
  size_t vertices = 0, triangles = 0;
};

MeshView view_of(const TriangleMesh& mesh);

constexpr float kFarthest = 1e9F;  // millimetres

// As check_mesh of the mesh, and no coordinate is beyond kFarthest. `empty_code`, where it is not kOk, is what a mesh
// without triangles gives.
Status check_mesh(const MeshView& mesh, Code empty_code = Code::kOk);

// The vertices of `mesh` that `kept` names, in that order, with what is known of them; no triangles.
TriangleMesh take_vertices(const MeshView& mesh, const uint32_t* kept, size_t count);

// Three numbers with what geometry needs of them.
struct Vec3 {
  float x = 0, y = 0, z = 0;

  friend Vec3 operator+(Vec3 a, Vec3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
  friend Vec3 operator-(Vec3 a, Vec3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
  friend Vec3 operator*(float s, Vec3 a) { return {s * a.x, s * a.y, s * a.z}; }
};
inline float dot(Vec3 a, Vec3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vec3 cross(Vec3 a, Vec3 b) { return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x}; }
inline float length(Vec3 a) { return std::sqrt(dot(a, a)); }
inline Vec3 vec3_at(const float* numbers, size_t i) { return {numbers[3 * i], numbers[3 * i + 1], numbers[3 * i + 2]}; }

}  // namespace lineament
