// Looks at a shared library's file before the loader does.
#pragma once

#include <string>

#include "core/status.h"

namespace lineament {

// Checks that `path` is a regular file and a whole shared library for this machine. The system's loader maps a
// truncated library without complaint and the process dies at the first touch of the missing part, so the segment and
// section tables are compared with the file's size first (ELF; for Mach-O and PE only the machine is compared).
// kRuntimeNotFound where there is no such file, kRuntimeIncompatible where it cannot be loaded here.
Status check_library_file(const std::string& path);

}  // namespace lineament
