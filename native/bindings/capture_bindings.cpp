#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "bindings/capture_object.h"
#include "bindings/capture_values.h"
#include "bindings/environment.h"
#include "bindings/exports.h"
#include "bindings/values.h"
#include "capture/pipe_source.h"

namespace lineament::bindings {
namespace {

Pace pace_of(const Napi::Object& options) {
  const std::string name = string_at(options, "pace");
  if (name == "arrival") return Pace::kArrival;
  if (name == "live") return Pace::kLive;
  if (name == "fast") return Pace::kFast;
  throw_invalid(options.Env(), "Unknown pace " + name);
}

PipeOptions pipe_options(const Napi::Object& options) {
  PipeOptions out;
  out.pace = pace_of(options);
  if (!options.Get("startMs").IsUndefined()) out.start_us = time_us(options.Get("startMs"));
  if (!options.Get("raw").IsUndefined()) {
    const Napi::Object given = object_in(options.Get("raw"), "raw");
    RawPictures raw;
    raw.format = capture_format(options.Env(), string_at(given, "format"));
    raw.width = int_at(given, "width");
    raw.height = int_at(given, "height");
    if (!given.Get("fps").IsUndefined()) raw.fps = number_at(given, "fps");
    out.raw = raw;
  }
  return out;
}

template <typename T>
T value_or_throw(Napi::Env env, Result<T> result) {
  if (!result.ok()) throw to_error(env, result.status());
  return std::move(result.value());
}

Napi::Object start(const Napi::Object& options, Descriptor pictures) {
  const PipeOptions how = pipe_options(options);
  const std::shared_ptr<FrameRing> ring = camera_ring(options);
  return wrap_camera(options.Env(), value_or_throw(options.Env(), PipeSource::start(std::move(pictures), ring, how)));
}

Napi::Value create_capture_pipe(const Napi::CallbackInfo& info) {
  const Napi::Object options = object_in(info[0], "options");
  PipeEnds pipe = value_or_throw(info.Env(), make_pipe(PipeUse::kPictures));
  Napi::Object out = Napi::Object::New(info.Env());
  Napi::Object camera = start(options, std::move(pipe.read));
  out.Set("camera", camera);
  const auto write = std::make_shared<Descriptor>(std::move(pipe.write));
  // The number stays valid for as long as somebody has the camera, though the pipe's object be collected.
  camera.AddFinalizer([](Napi::Env, std::shared_ptr<Descriptor>* held) { delete held; },
                      new std::shared_ptr<Descriptor>(write));
  out.Set("writeFd", write->get());
  set_method(out, "closeWriteEnd", [write](const Napi::CallbackInfo& call) {
    write->close();
    return call.Env().Undefined();
  });
  return out;
}

Napi::Value open_capture(const Napi::CallbackInfo& info) {
  const Napi::Object options = object_in(info[0], "options");
  if (!options.Get("fd").IsUndefined()) {
    return start(options, value_or_throw(info.Env(), duplicate(int_at(options, "fd"))));
  }
  const std::string path = string_at(options, "path");
  if (path.empty() || path.find('\0') != std::string::npos) throw_invalid(info.Env(), "Expected a path");
  return start(options, value_or_throw(info.Env(), open_pictures(path)));
}

}  // namespace

void export_capture(Napi::Object exports) {
  set_method(exports, "createCapturePipe", create_capture_pipe);
  set_method(exports, "openCapture", open_capture);
}

}  // namespace lineament::bindings
