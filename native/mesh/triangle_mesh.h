// A surface of triangles, as all of reconstruction passes it on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/status.h"

namespace lineament {

// Vertices as in PointCloud; triangles turn counterclockwise seen from outside (in front) of the surface in a
// right-handed frame. Empty vectors stand for what is not known.
struct TriangleMesh {
  std::vector<float> positions;   // 3 n, millimetres, finite
  std::vector<uint32_t> indices;  // 3 m, below n
  std::vector<float> normals;     // 3 n of length 1, or empty
  std::vector<float> uvs;  // 2 n; (0, 0) is the top-left corner of the texture, (1, 1) the bottom-right one; or empty
  std::vector<uint8_t> colours;  // 3 n RGB, or empty

  size_t vertices() const { return positions.size() / 3; }
  size_t triangles() const { return indices.size() / 3; }
};

// kInvalidArgument where an array has not the length that the others ask for, a position is not finite, or an index
// names no vertex.
Status check_mesh(const TriangleMesh& mesh);

}  // namespace lineament
