// SQLite's result codes as ours.
#pragma once

#include <string>

#include "core/status.h"

namespace lineament {

// `extended`: SQLite's extended result code; `system`: errno of the failed system call, 0 where there was none;
// `message`: SQLite's text, which names the column of a constraint.
Status store_status(int extended, int system, const std::string& message);

}  // namespace lineament
