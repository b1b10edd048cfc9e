#include <memory>
#include <string>

#include "bindings/exports.h"
#include "bindings/values.h"
#include "store/file_lock.h"

namespace lineament::bindings {
namespace {

Napi::Value lock_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsString()) throw_invalid(env, "Expected a path");
  Result<std::shared_ptr<FileLock>> taken = FileLock::take(info[0].As<Napi::String>().Utf8Value());
  if (!taken.ok()) {
    Napi::Error error = Napi::Error::New(env, taken.status().message());
    error.Set("code", code_name(taken.status().code()));
    throw error;
  }
  const std::shared_ptr<FileLock> lock = taken.value();
  Napi::Object out = Napi::Object::New(env);
  // Let go when the object is collected or its environment ends: the function owns the lock.
  set_method(out, "release", [lock](const Napi::CallbackInfo& call) {
    lock->release();
    return call.Env().Undefined();
  });
  return out;
}

}  // namespace

void export_file_lock(Napi::Object exports) { set_method(exports, "lockFile", lock_file); }

}  // namespace lineament::bindings
