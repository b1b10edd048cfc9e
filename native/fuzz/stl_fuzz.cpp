// Any bytes as STL.
#include "fuzz/mesh_files.h"

namespace {

samples::Bytes binary() {
  lineament::Executor executor(1);
  const lineament::TriangleMesh mesh = samples::square();
  const auto bytes = lineament::write_stl(lineament::view_of(mesh), {}, executor, nullptr);
  fuzz::demand(bytes.ok());
  return samples::Bytes(bytes.value().data.get(), bytes.value().data.get() + bytes.value().size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<samples::Bytes> seeds = {samples::ascii_stl(), binary()};
  return fuzz::run(lineament::MeshFormat::kStl, fuzz::bytes_of(data, size, seeds));
}
