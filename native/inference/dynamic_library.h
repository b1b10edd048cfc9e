// The system's loader behind three functions.
#pragma once

#include <string>

namespace lineament {

// Loads a shared library with its symbols kept to itself. Null and the loader's words in `error` where it fails.
//
// Linux resolves a later library's need for "libonnxruntime.so.1" with whatever is loaded under that name, even when it
// is another version in another folder; onnxruntime-node of another version would then be bound to our library and fail
// to load. A library that nobody had loaded before therefore loses its name in the loader's tables, so that whoever
// comes later finds their own by path (and ours, where it is the same file).
void* load_library(const std::string& path, std::string* error);

// Address of an exported function, or null.
void* find_symbol(void* library, const char* name);

}  // namespace lineament
