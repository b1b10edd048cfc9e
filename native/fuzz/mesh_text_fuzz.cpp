// Any bytes as OBJ and as XYZ.
#include "fuzz/mesh_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<samples::Bytes> seeds = {samples::obj(), samples::xyz()};
  const samples::Bytes bytes = fuzz::bytes_of(data, size, seeds);
  fuzz::run(lineament::MeshFormat::kObj, bytes);
  return fuzz::run(lineament::MeshFormat::kXyz, bytes);
}
