// Turning JavaScript values into plain structs, and the handles that wrap native objects. Every function runs on the
// environment's thread and throws Napi::Error (code INVALID_ARGUMENT) where memory safety would be at stake.
#pragma once

#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "image/image.h"

namespace lineament::bindings {

[[noreturn]] void throw_invalid(Napi::Env env, const std::string& message);

// A JavaScript object that owns a std::shared_ptr<T>, recognised by a type tag so that a foreign object cannot be
// mistaken for it. TTag supplies `static constexpr napi_type_tag kTag` and `static constexpr const char* kName`.
template <typename T, typename TTag>
struct Handle {
  static void attach(Napi::Object object, std::shared_ptr<T> value) {
    const napi_env env = object.Env();
    auto* held = new std::shared_ptr<T>(std::move(value));
    if (napi_type_tag_object(env, object, &TTag::kTag) != napi_ok ||
        napi_wrap(
            env, object, held, [](napi_env, void* data, void*) { delete static_cast<std::shared_ptr<T>*>(data); },
            nullptr, nullptr) != napi_ok) {
      delete held;
      throw Napi::Error::New(env, std::string("Cannot make a ") + TTag::kName);
    }
  }

  static bool is(const Napi::Value& value) {
    bool same = false;
    return value.IsObject() && napi_check_object_type_tag(value.Env(), value, &TTag::kTag, &same) == napi_ok && same;
  }

  static std::shared_ptr<T> get(const Napi::Value& value) {
    void* data = nullptr;
    if (!is(value) || napi_unwrap(value.Env(), value, &data) != napi_ok) {
      throw_invalid(value.Env(), std::string("Expected a ") + TTag::kName);
    }
    return *static_cast<std::shared_ptr<T>*>(data);
  }
};

struct ExecutorTag {
  static constexpr napi_type_tag kTag = {0x6c696e65616d656eULL, 0x4578656375746f72ULL};
  static constexpr const char* kName = "NativeExecutor";
};
struct TokenTag {
  static constexpr napi_type_tag kTag = {0x6c696e65616d656eULL, 0x546f6b656e000001ULL};
  static constexpr const char* kName = "NativeToken";
};
using ExecutorHandle = Handle<Executor, ExecutorTag>;
using TokenHandle = Handle<CancelToken, TokenTag>;

// Undefined or null gives an empty pointer.
CancelTokenPtr token_or_null(const Napi::Value& value);

// Functions of an addon: a token with cancel() and cancelled, an executor with `threads` compute threads and close().
Napi::Value create_token(const Napi::CallbackInfo& info);
Napi::Value create_executor(const Napi::CallbackInfo& info);

// Named properties of an options object; a missing or wrong one throws.
Napi::Object object_in(const Napi::Value& value, const char* what);
bool flag_at(const Napi::Object& object, const char* key);
double number_at(const Napi::Object& object, const char* key);
int int_at(const Napi::Object& object, const char* key);  // whole and within int
std::string string_at(const Napi::Object& object, const char* key);

// Borrowed bytes of a Uint8Array (byteOffset respected). A detached buffer throws.
struct Bytes {
  const uint8_t* data;
  size_t size;
};
Bytes bytes_of(const Napi::Value& value, const char* what);

// Frees the memory of an array now, not when the collector comes by; only where the array is all of its buffer. Nothing
// may read it any more.
void release_bytes(const Napi::Uint8Array& bytes);

// n × `per` finite numbers of a Float64Array, copied.
std::vector<double> numbers_of(const Napi::Value& value, size_t per, const char* what);

// The longest side of a tensor or chip, in pixels.
constexpr int kMostTensorSide = 16384;

PixelFormat pixel_format(Napi::Env env, const std::string& name);
Colour colour(Napi::Env env, const std::string& name);

// The view borrows: keep the object alive (Job::keep) for as long as it is used. Planes are checked against the
// buffer's size.
ImageView image_view(const Napi::Value& value);
std::vector<Region> regions(const Napi::Value& value);
Sampling sampling(const Napi::Value& value);
TensorSpec tensor_spec(const Napi::Value& value);

// Makes a function property; exceptions inside become JavaScript errors.
template <typename F>
void set_method(Napi::Object object, const char* name, F function) {
  object.Set(name, Napi::Function::New(object.Env(), function, name));
}

// A read-only accessor property.
template <typename F>
void set_getter(Napi::Object object, const char* name, F function) {
  object.DefineProperty(Napi::PropertyDescriptor::Accessor(object.Env(), object, name, function, napi_enumerable));
}

}  // namespace lineament::bindings
