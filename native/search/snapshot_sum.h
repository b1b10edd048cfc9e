// A check sum against damage, not against people.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament {

// XXH64 with seed 0, as the xxHash specification (version 0.1.1) defines it.
uint64_t xxh64(const void* bytes, size_t size);

}  // namespace lineament
