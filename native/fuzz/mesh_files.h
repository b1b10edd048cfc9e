// What the fuzzers of the readers of meshes share: where the bytes come from, and what must hold for what is accepted.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <vector>

#include "mesh/mesh_file.h"
#include "tests/mesh/file_samples.h"

namespace fuzz {

using samples::Bytes;

// Three inputs in four begin as a well-formed file, in which bytes are then replaced, put in and taken out.
inline Bytes bytes_of(const uint8_t* data, size_t size, const std::vector<Bytes>& seeds) {
  if (size == 0 || data[0] % 4 == 0) return Bytes(data + std::min<size_t>(size, 1), data + size);
  Bytes bytes = seeds[data[0] / 4 % seeds.size()];
  for (size_t i = 1; i + 4 <= size && !bytes.empty(); i += 4) {
    const size_t at = (size_t{data[i]} << 8 | data[i + 1]) % bytes.size();
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    switch (data[i + 2] % 4) {
      case 0:
        bytes.insert(place, data[i + 3]);
        break;
      case 1:
        bytes.erase(place, place + std::min<std::ptrdiff_t>(1 + data[i + 3] % 16, bytes.end() - place));
        break;
      default:
        *place = data[i + 3];
    }
  }
  return bytes;
}

inline void demand(bool holds) {
  if (!holds) std::abort();
}

inline void check(const lineament::TriangleMesh& mesh) {
  const size_t n = mesh.vertices();
  demand(n > 0 && mesh.positions.size() == 3 * n && mesh.indices.size() % 3 == 0);
  demand(mesh.normals.empty() || mesh.normals.size() == 3 * n);
  demand(mesh.uvs.empty() || mesh.uvs.size() == 2 * n);
  demand(mesh.colours.empty() || mesh.colours.size() == 3 * n);
  for (const float value : mesh.positions) demand(std::isfinite(value));
  for (const float value : mesh.uvs) demand(std::isfinite(value));
  for (const uint32_t index : mesh.indices) demand(index < n);
  for (size_t i = 0; i < mesh.normals.size(); i += 3) {
    const float* p = mesh.normals.data() + i;
    const double length = std::sqrt(static_cast<double>(p[0]) * p[0] + static_cast<double>(p[1]) * p[1] +
                                    static_cast<double>(p[2]) * p[2]);
    demand(length == 0 || std::abs(length - 1) < 1e-3);
  }
}

// As PLY and back: the same numbers.
inline void repeat(const lineament::TriangleMesh& mesh, bool ascii) {
  static lineament::Executor executor(1);
  lineament::MeshWriting how;
  how.ascii = ascii;
  const auto bytes = lineament::write_ply(lineament::view_of(mesh), how, executor, nullptr);
  demand(bytes.ok());
  const auto back = lineament::read_ply(bytes.value().data.get(), bytes.value().size, {}, nullptr);
  demand(back.ok());
  const lineament::TriangleMesh& again = back.value().levels[0];
  demand(again.positions == mesh.positions && again.indices == mesh.indices && again.colours == mesh.colours);
  demand(again.normals == mesh.normals && again.uvs.size() == mesh.uvs.size());
}

inline int run(lineament::MeshFormat format, const Bytes& bytes) {
  // Exactly so many bytes on the heap that a step too far is seen.
  const auto exact = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  const lineament::MeshLimits limits{1 << 14, 1 << 15};
  const auto file = lineament::read_mesh_file(format, exact.get(), bytes.size(), true, 2, limits, nullptr);
  if (!file.ok()) {
    demand(file.status().code() == lineament::Code::kMeshCorrupt && !file.status().message().empty());
    return 0;
  }
  demand(!file.value().levels.empty());
  for (const lineament::TriangleMesh& mesh : file.value().levels) {
    check(mesh);
    demand(mesh.vertices() <= 3 * limits.triangles && mesh.triangles() <= limits.triangles);
  }
  for (const lineament::MeshImage& image : file.value().images) {
    demand(image.offset <= bytes.size() && image.size <= bytes.size() - image.offset);
  }
  demand(file.value().texture < static_cast<int>(file.value().images.size()));
  repeat(file.value().levels[0], bytes.size() % 2 == 0);
  return 0;
}

}  // namespace fuzz
