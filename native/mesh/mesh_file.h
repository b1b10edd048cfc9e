// Meshes and point clouds as files: PLY, OBJ, STL and XYZ in both directions, binary glTF (GLB) to read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/mesh_view.h"
#include "mesh/triangle_mesh.h"

namespace lineament {

enum class MeshFormat { kPly, kGlb, kObj, kStl, kXyz };

struct MeshWriting {
  bool ascii = false;    // PLY and STL; OBJ and XYZ always are
  bool turned = false;   // half a turn about the X axis: Y up and Z towards the viewer instead of Y down and Z away
  bool normals = true;   // those that there are
  std::string comment;   // one line, or empty (PLY, OBJ, ascii STL)
  std::string material;  // OBJ: name of the material, or empty
  std::string library;   // OBJ: file of the materials; PLY: file of the texture; or empty
};

struct MeshBytes {
  std::unique_ptr<uint8_t[]> data;
  size_t size = 0;
};

// The bytes of a file; no triangles: a point cloud. Numbers in text are the shortest that give the same float again.
// Rows are made on several threads; the bytes do not depend on how many. Texture coordinates of PLY and OBJ start at
// the bottom-left corner, as is the custom with both. kInvalidArgument: nothing to write, a number that is not finite,
// an index that names no vertex, more than the format can count, a line break in a name; kOutOfMemory; kAborted.
Result<MeshBytes> write_ply(const MeshView& mesh, const MeshWriting& how, Executor& executor, const CancelToken* token);
Result<MeshBytes> write_obj(const MeshView& mesh, const MeshWriting& how, Executor& executor, const CancelToken* token);
Result<MeshBytes> write_stl(const MeshView& mesh, const MeshWriting& how, Executor& executor, const CancelToken* token);
Result<MeshBytes> write_xyz(const MeshView& mesh, const MeshWriting& how, Executor& executor, const CancelToken* token);

// What a file may unfold to, whatever it claims.
struct MeshLimits {
  size_t vertices = size_t{1} << 25;
  size_t triangles = size_t{1} << 26;
};

// A picture that lies within the file.
struct MeshImage {
  size_t offset = 0, size = 0;
  std::string mime;
};

struct MeshFile {
  std::vector<TriangleMesh> levels;  // at least one, the finest first; no triangles: a point cloud
  std::vector<MeshImage> images;
  int texture = -1;     // the image that the texture coordinates refer to
  std::string library;  // OBJ: the file of its materials; PLY: the file of its texture; or empty
};

// Reads the file's own numbers (GLB: in the frame of its scene). Polygons become fans of triangles; an attribute is
// kept where every vertex has it; normals are made 1 long, or 0 0 0 where they have no direction. kMeshCorrupt names
// the byte or the line and what was expected there; kAborted. Nothing outside [data, data + size) is read, and memory
// is asked for only after the file was found to be long enough for what it claims, within `limits`.
Result<MeshFile> read_ply(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token);
Result<MeshFile> read_glb(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token);
Result<MeshFile> read_obj(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token);
Result<MeshFile> read_stl(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token);
Result<MeshFile> read_xyz(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token);

// One of the above, then the frame: `turned` as in MeshWriting, lengths times `scale`.
Result<MeshFile> read_mesh_file(MeshFormat format, const uint8_t* data, size_t size, bool turned, float scale,
                                const MeshLimits& limits, const CancelToken* token);

}  // namespace lineament
