// Points in space, as all of reconstruction passes them on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lineament {

// Three numbers for each point, in millimetres; the frame is the caller's. Empty vectors stand for what is not known.
struct PointCloud {
  std::vector<float> positions;  // 3 n, finite
  std::vector<float> normals;    // 3 n of length 1 (0 0 0: none), or empty
  std::vector<uint8_t> colours;  // 3 n RGB, or empty

  size_t size() const { return positions.size() / 3; }
};

}  // namespace lineament
