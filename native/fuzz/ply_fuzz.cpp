// Any bytes as PLY.
#include "fuzz/mesh_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::vector<samples::Bytes> seeds = {samples::odd_ply(false), samples::odd_ply(true),
                                                    samples::ascii_ply()};
  return fuzz::run(lineament::MeshFormat::kPly, fuzz::bytes_of(data, size, seeds));
}
