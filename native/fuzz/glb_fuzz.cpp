// Any bytes as GLB. What the header states about lengths is put right in made files, so that what lies behind is
// reached.
#include "fuzz/mesh_files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const samples::Bytes scene = samples::scene_glb();
  static const samples::Bytes binary(scene.end() - 76, scene.end());
  static const samples::Bytes json(scene.begin() + 20, scene.end() - 84);
  if (size > 0 && data[0] % 4 == 3) {
    const samples::Bytes changed = fuzz::bytes_of(data, size, {json});
    return fuzz::run(lineament::MeshFormat::kGlb, samples::glb(std::string(changed.begin(), changed.end()), binary));
  }
  return fuzz::run(lineament::MeshFormat::kGlb, fuzz::bytes_of(data, size, {scene}));
}
