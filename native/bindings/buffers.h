// Handing native memory to JavaScript.
#pragma once

#include <napi.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace lineament::bindings {

// Null when memory ran out.
template <typename T>
std::unique_ptr<T[]> allocate(size_t elements) {
  return std::unique_ptr<T[]>(new (std::nothrow) T[elements]);
}

// An ArrayBuffer of `elements` values that JavaScript owns. Large memory changes hands without a copy; small memory is
// copied, which costs less than a finalizer, and so is all memory where V8 forbids external buffers (Electron's memory
// cage).
template <typename T>
Napi::ArrayBuffer give(Napi::Env env, std::unique_ptr<T[]> memory, size_t elements) {
  constexpr size_t kWorthTheFinalizer = 64 * 1024;
  const size_t bytes = elements * sizeof(T);
  T* raw = memory.get();
  if (bytes >= kWorthTheFinalizer) {
    napi_value buffer = nullptr;
    const auto free = [](napi_env, void* data, void*) { delete[] static_cast<T*>(data); };
    if (napi_create_external_arraybuffer(env, raw, bytes, free, nullptr, &buffer) == napi_ok) {
      memory.release();
      return Napi::ArrayBuffer(env, buffer);
    }
  }
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(env, bytes);
  std::copy(raw, raw + elements, static_cast<T*>(copy.Data()));
  return copy;
}

}  // namespace lineament::bindings
