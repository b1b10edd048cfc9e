// Colours for the texels that no photograph shows.
#pragma once

#include <cstdint>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"

namespace lineament {

// Writes the texels of `rgb` (size² × 3) where `known` is 0 from coarser and coarser means of the known ones; black
// where none is known. kAborted.
Status fill_texture(uint8_t* rgb, const uint8_t* known, int size, Executor& executor, const CancelToken* token);

}  // namespace lineament
