// Arguments of the vector index as plain structs. Every function runs on the environment's thread and throws
// Napi::Error (code INVALID_ARGUMENT).
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "search/index.h"

namespace lineament::bindings {

std::vector<uint32_t> groups_in(const Napi::Value& value, const char* what);
// Whole numbers from 0 to kMostKey.
std::vector<int64_t> keys_in(const Napi::Value& value, const char* what);
size_t dims_in(const Napi::Value& value);  // kMinDims … kMaxDims
IndexPrecision precision_in(const Napi::Value& value);
const char* name_of(IndexPrecision precision);
std::string path_in(const Napi::Value& value);
// NativeSearchRules.
IndexSearch rules_in(const Napi::Value& value);

}  // namespace lineament::bindings
