// What the readers of meshes share.
#pragma once

#include <string>

#include "mesh/mesh_file.h"

namespace lineament {

inline Status corrupt(const std::string& what) { return Status(Code::kMeshCorrupt, what); }
inline Status corrupt_line(size_t line, const std::string& what) {
  return corrupt("line " + std::to_string(line) + ": " + what);
}
inline Status corrupt_byte(size_t offset, const std::string& what) {
  return corrupt("byte " + std::to_string(offset) + ": " + what);
}

// After so many steps a loop asks whether it shall go on.
constexpr size_t kStepsBetweenPolls = size_t{1} << 16;

inline bool time_to_stop(size_t step, const CancelToken* token) {
  return step % kStepsBetweenPolls == 0 && is_cancelled(token);
}
inline Status stopped() { return Status(Code::kAborted, ""); }

// What holds for every level, however it was read: points are there and finite, indices name them, attributes that not
// all vertices have are dropped, normals are 1 long or 0 0 0.
Status finish_mesh(TriangleMesh* mesh, const MeshLimits& limits, const CancelToken* token);

}  // namespace lineament
