#include "bindings/search_bindings_values.h"

#include <cmath>

#include "bindings/arrays.h"
#include "bindings/values.h"
#include "search/vectors.h"

namespace lineament::bindings {
std::vector<uint32_t> groups_in(const Napi::Value& value, const char* what) {
  const auto all = array_in<uint32_t>(value, what);
  return {all.data, all.data + all.size};
}

std::vector<int64_t> keys_in(const Napi::Value& value, const char* what) {
  const auto all = array_in<double>(value, what);
  std::vector<int64_t> keys(all.size);
  for (size_t i = 0; i < all.size; ++i) {
    const double key = all.data[i];
    if (!(key >= 0 && key <= static_cast<double>(kMostKey) && key == std::floor(key))) {
      throw_invalid(value.Env(), std::string("Expected whole numbers from 0 to 2^53 - 1 for ") + what);
    }
    keys[i] = static_cast<int64_t>(key);
  }
  return keys;
}

size_t dims_in(const Napi::Value& value) {
  const double dims = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : 0;
  const bool good = dims >= static_cast<double>(kMinDims) && dims <= static_cast<double>(kMaxDims);
  if (!good || dims != std::floor(dims)) throw_invalid(value.Env(), "Expected 2 to 4096 dims");
  return static_cast<size_t>(dims);
}

const char* name_of(IndexPrecision precision) {
  return precision == IndexPrecision::kExact ? "exact" : precision == IndexPrecision::kHalf ? "half" : "int8";
}

IndexPrecision precision_in(const Napi::Value& value) {
  const std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  for (const IndexPrecision p : {IndexPrecision::kExact, IndexPrecision::kHalf, IndexPrecision::kInt8}) {
    if (name == name_of(p)) return p;
  }
  throw_invalid(value.Env(), "Unknown precision " + name);
}

std::string path_in(const Napi::Value& value) {
  if (!value.IsString()) throw_invalid(value.Env(), "Expected a string for path");
  std::string path = value.As<Napi::String>().Utf8Value();
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw_invalid(value.Env(), "Expected a path without null characters");
  }
  return path;
}

IndexSearch rules_in(const Napi::Value& value) {
  if (!value.IsObject()) throw_invalid(value.Env(), "Expected an object for rules");
  const auto object = value.As<Napi::Object>();
  IndexSearch search;
  const int k = int_at(object, "k");
  if (k < 1 || static_cast<size_t>(k) > kMostHits) throw_invalid(value.Env(), "Expected k from 1 to 1000000");
  search.k = static_cast<size_t>(k);
  const auto given = [&](const char* key) { return !object.Get(key).IsUndefined(); };
  if (given("threshold")) search.threshold = number_at(object, "threshold");
  IndexFilter& filter = search.filter;
  filter.some_groups = given("groups");
  if (filter.some_groups) filter.groups = groups_in(object.Get("groups"), "groups");
  filter.some_keys = given("only");
  if (filter.some_keys) filter.only = keys_in(object.Get("only"), "only");
  if (given("except")) filter.except = keys_in(object.Get("except"), "except");
  return search;
}

}  // namespace lineament::bindings
