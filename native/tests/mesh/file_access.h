// Writing meshes to bytes and reading them back, as the tests of files do.
#pragma once

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>

#include "mesh/mesh_file.h"
#include "tests/check.h"
#include "tests/mesh/file_samples.h"

namespace files {

using namespace lineament;
using samples::Bytes;

using Write = Result<MeshBytes> (*)(const MeshView&, const MeshWriting&, Executor&, const CancelToken*);

inline Bytes written(Write write, const TriangleMesh& mesh, const MeshWriting& how = {}, size_t threads = 1) {
  Executor executor(threads);
  const Result<MeshBytes> bytes = write(view_of(mesh), how, executor, nullptr);
  CHECK(bytes.ok());
  if (!bytes.ok()) return {};
  return Bytes(bytes.value().data.get(), bytes.value().data.get() + bytes.value().size);
}

// From bytes that lie at the end of their memory, so that a sanitizer sees a step too far.
inline Result<MeshFile> read(MeshFormat format, const Bytes& bytes, const MeshLimits& limits = {}) {
  const auto exact = std::make_unique<uint8_t[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  return read_mesh_file(format, exact.get(), bytes.size(), false, 1, limits, nullptr);
}

inline Code code_of(MeshFormat format, const Bytes& bytes, const MeshLimits& limits = {}) {
  return read(format, bytes, limits).status().code();
}

inline bool says(MeshFormat format, const std::string& text, const char* what) {
  const Status status = read(format, samples::bytes_of(text)).status();
  const bool good = status.code() == Code::kMeshCorrupt && status.message().find(what) != std::string::npos;
  if (!good) std::printf("    %s\n", status.message().c_str());
  return good;
}

inline std::string text_of(const Bytes& bytes) { return std::string(bytes.begin(), bytes.end()); }

}  // namespace files
