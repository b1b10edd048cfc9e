// Typed arrays as arguments and as answers. Every function runs on the environment's thread.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "bindings/buffers.h"
#include "bindings/environment.h"
#include "bindings/values.h"

namespace lineament::bindings {

// Borrowed from a typed array (byteOffset respected): keep the array alive (Job::keep) for as long as it is read.
template <typename T>
struct Numbers {
  const T* data = nullptr;
  size_t size = 0;
};

template <typename T>
struct ArrayKind;
template <>
struct ArrayKind<float> {
  static constexpr napi_typedarray_type kType = napi_float32_array;
  static constexpr const char* kName = "Float32Array";
};
template <>
struct ArrayKind<double> {
  static constexpr napi_typedarray_type kType = napi_float64_array;
  static constexpr const char* kName = "Float64Array";
};
template <>
struct ArrayKind<uint32_t> {
  static constexpr napi_typedarray_type kType = napi_uint32_array;
  static constexpr const char* kName = "Uint32Array";
};
template <>
struct ArrayKind<uint16_t> {
  static constexpr napi_typedarray_type kType = napi_uint16_array;
  static constexpr const char* kName = "Uint16Array";
};
template <>
struct ArrayKind<uint8_t> {
  static constexpr napi_typedarray_type kType = napi_uint8_array;
  static constexpr const char* kName = "Uint8Array";
};

// Throws Napi::Error (INVALID_ARGUMENT) for anything but the typed array of T, and for one whose buffer is detached.
template <typename T>
Numbers<T> array_in(const Napi::Value& value, const char* what) {
  const Napi::Env env = value.Env();
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != ArrayKind<T>::kType) {
    throw_invalid(env, std::string("Expected a ") + ArrayKind<T>::kName + " for " + what);
  }
  napi_typedarray_type found;
  size_t length = 0, offset = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  if (napi_get_typedarray_info(env, value, &found, &length, &data, &buffer, &offset) != napi_ok) {
    throw_invalid(env, std::string("Cannot read the memory of ") + what);
  }
  bool detached = false;
  if (napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && detached) {
    throw_invalid(env, std::string("The buffer of ") + what + " is detached");
  }
  return {static_cast<const T*>(data), length};
}

// Of exactly `size` elements.
template <typename T>
Numbers<T> array_in(const Napi::Value& value, size_t size, const char* what) {
  const Numbers<T> found = array_in<T>(value, what);
  if (found.size != size) {
    throw_invalid(value.Env(),
                  "Expected " + std::to_string(size) + " numbers for " + what + ", not " + std::to_string(found.size));
  }
  return found;
}

// As array_in; undefined and null give an empty one.
template <typename T>
Numbers<T> optional_array_in(const Napi::Value& value, size_t size, const char* what) {
  if (value.IsUndefined() || value.IsNull()) return {};
  return array_in<T>(value, size, what);
}

// A fresh typed array of the values, each cast to the array's element.
template <typename Array, typename T>
Array array_of(Napi::Env env, const std::vector<T>& values) {
  using Element = std::remove_reference_t<decltype(*std::declval<Array&>().Data())>;
  std::unique_ptr<Element[]> memory = allocate<Element>(values.size());
  if (!memory) throw to_error(env, Status(Code::kOutOfMemory, "Out of memory for the answer"));
  for (size_t i = 0; i < values.size(); ++i) memory[i] = static_cast<Element>(values[i]);
  return Array::New(env, values.size(), give(env, std::move(memory), values.size()), 0);
}

}  // namespace lineament::bindings
