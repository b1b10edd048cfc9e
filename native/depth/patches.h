// Curved patches over the triangles of a coarse mesh.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/status.h"

namespace lineament {

struct Vector3 {
  double x = 0, y = 0, z = 0;
};
inline Vector3 operator+(Vector3 a, Vector3 b) { return {a.x + b.x, a.y + b.y, a.z + b.z}; }
inline Vector3 operator-(Vector3 a, Vector3 b) { return {a.x - b.x, a.y - b.y, a.z - b.z}; }
inline Vector3 operator*(double s, Vector3 a) { return {s * a.x, s * a.y, s * a.z}; }
inline double dot(Vector3 a, Vector3 b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
inline Vector3 cross(Vector3 a, Vector3 b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

struct PatchMesh {
  std::vector<Vector3> positions;
  std::vector<uint32_t> indices;  // three for each triangle, turning as the input's
};

// The most parts that an edge is cut into.
constexpr int kMostPatchLevel = 32;

// Normals of length 1 (zero where a vertex has no triangle with an area). A triangle counts by the sine of its angle
// over the product of the lengths of the two sides that meet (N. Max, "Weights for Computing Vertex Normals from Facet
// Normals", Journal of Graphics Tools 4(2), 1999; exact on spheres), where sides below a quarter of the mean side count
// as that long, so that slivers, as between closed lips, have little say.
std::vector<Vector3> patch_normals(const std::vector<Vector3>& positions, const uint32_t* indices, size_t triangles);

// Each triangle becomes level² triangles on a cubic patch that passes through its corners and is perpendicular to their
// normals there: A. Vlachos et al., "Curved PN Triangles", I3D 2001. Points on an edge depend on its two ends only, so
// neighbours meet without gaps, and are the same vertex. The first vertices of the answer are the corners, unchanged.
// level 1 gives the triangles themselves. Indices must be below the number of positions; level 1 to kMostPatchLevel.
PatchMesh curved_patches(const std::vector<Vector3>& positions, const uint32_t* indices, size_t triangles, int level);

}  // namespace lineament
