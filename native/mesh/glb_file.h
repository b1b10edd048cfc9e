// The container and the accessors of binary glTF 2.0 (Khronos; ISO/IEC 12113).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"
#include "mesh/json.h"
#include "mesh/mesh_file.h"

namespace lineament {

// Bytes of a bufferView.
struct GlbView {
  const uint8_t* data = nullptr;
  size_t size = 0;
  size_t stride = 0;  // 0: tight
};

struct GlbFile {
  Json json;
  const uint8_t* file = nullptr;  // the whole of it
  const uint8_t* binary = nullptr;
  size_t binary_size = 0;

  // kMeshCorrupt where an item is not there or does not fit into the file.
  Status view(size_t index, GlbView* out) const;
  // `components` numbers for each element, converted as the standard has it. `components` 0: three or four, and the
  // answer says which. At most `most` elements.
  Status numbers(size_t accessor, size_t* components, size_t most, std::vector<float>* out) const;
  Status indices(size_t accessor, size_t most, std::vector<uint32_t>* out) const;
};

// Looks at the header, the chunks, the version and the extensions that are required.
Result<GlbFile> open_glb(const uint8_t* data, size_t size);

// A whole number from 0 to `most`, or of a property, which is `fallback` where it is missing.
bool whole_number(const Json* value, size_t most, size_t* out);
bool whole_at(const Json& object, const char* key, size_t fallback, size_t most, size_t* out);

}  // namespace lineament
