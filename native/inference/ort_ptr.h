// Owning pointers to ONNX Runtime's objects.
#pragma once

#include <memory>

#include "inference/ort_api.h"

namespace lineament {

template <typename T>
struct OrtDeleter {
  using Release = void(LINEAMENT_ORT_CALL*)(T*);
  Release release = nullptr;
  void operator()(T* object) const { release(object); }
};

template <typename T>
using OrtPtr = std::unique_ptr<T, OrtDeleter<T>>;

// Takes ownership; `release` is the table's function for T.
template <typename T>
OrtPtr<T> own(T* object, void(LINEAMENT_ORT_CALL* release)(T*)) {
  return OrtPtr<T>(object, OrtDeleter<T>{release});
}

}  // namespace lineament
