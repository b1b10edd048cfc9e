// V4L2 cameras for JavaScript: what there is, opening one as a camera object, settings, coming and going.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/capture_object.h"
#include "bindings/capture_values.h"
#include "bindings/environment.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "bindings/values.h"

#ifdef __linux__
#include "capture/linux/device_watch.h"
#include "capture/linux/v4l2_source.h"
#endif

namespace lineament::bindings {

#ifdef __linux__
namespace {

using SourcePtr = std::shared_ptr<V4l2Source>;

Napi::Object identity_object(Napi::Env env, const V4l2Identity& identity) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("path", identity.path);
  out.Set("name", identity.name);
  out.Set("driver", identity.driver);
  out.Set("bus", identity.bus);
  return out;
}

Napi::Object offer_object(Napi::Env env, const V4l2Offer& offer) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("format", capture_format_name(offer.layout->format));
  out.Set("width", offer.sizes.max_width);
  out.Set("height", offer.sizes.max_height);
  out.Set("leastWidth", offer.sizes.min_width);
  out.Set("leastHeight", offer.sizes.min_height);
  out.Set("fps", offer.fps);
  return out;
}

Napi::Value listing_array(Napi::Env env, const std::vector<V4l2Listing>& listings) {
  Napi::Array out = Napi::Array::New(env, listings.size());
  for (uint32_t i = 0; i < listings.size(); ++i) {
    const V4l2Listing& listing = listings[i];
    Napi::Object device = identity_object(env, listing.identity);
    Napi::Array modes = Napi::Array::New(env, listing.offers.size());
    for (uint32_t k = 0; k < listing.offers.size(); ++k) modes.Set(k, offer_object(env, listing.offers[k]));
    device.Set("modes", modes);
    if (!listing.problem.ok()) device.Set("problem", to_error(env, listing.problem).Value());
    out.Set(i, device);
  }
  return out;
}

Napi::Value list_devices(const Napi::CallbackInfo& info) {
  return launch<std::vector<V4l2Listing>>(
      info.Env(), ExecutorHandle::get(info[0]), info[1], {},
      [](const CancelToken*, std::vector<V4l2Listing>* out) {
        *out = list_v4l2_devices(V4l2Calls::system());
        return Status();
      },
      listing_array);
}

Napi::Value settings_array(Napi::Env env, const std::vector<SettingRange>& ranges) {
  Napi::Array out = Napi::Array::New(env, ranges.size());
  for (uint32_t i = 0; i < ranges.size(); ++i) {
    const SettingRange& range = ranges[i];
    Napi::Object setting = Napi::Object::New(env);
    setting.Set("name", setting_name(range.setting));
    setting.Set("least", static_cast<double>(range.least));
    setting.Set("most", static_cast<double>(range.most));
    setting.Set("step", static_cast<double>(range.step));
    setting.Set("usual", static_cast<double>(range.usual));
    setting.Set("value", static_cast<double>(range.value));
    if (range.lines) setting.Set("lines", true);
    out.Set(i, setting);
  }
  return out;
}

Napi::Value settings(const Napi::CallbackInfo& info, const SourcePtr& source) {
  return launch<std::vector<SettingRange>>(
      info.Env(), ExecutorHandle::get(info[0]), info[1], {},
      [source](const CancelToken*, std::vector<SettingRange>* out) {
        Result<std::vector<SettingRange>> found = source->settings();
        if (found.ok()) *out = std::move(found.value());
        return found.status();
      },
      settings_array);
}

Napi::Value set_setting(const Napi::CallbackInfo& info, const SourcePtr& source) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const std::optional<CameraSetting> setting =
      info[1].IsString() ? setting_named(info[1].As<Napi::String>().Utf8Value()) : std::nullopt;
  if (!setting) throw_invalid(env, "Expected the name of a setting");
  const double number = info[2].IsNumber() ? info[2].As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(std::abs(number) <= 2147483647.0)) throw_invalid(env, "Expected a number for the setting");
  const auto value = static_cast<int64_t>(std::llround(number));
  return launch<int64_t>(
      env, executor, info[3], {},
      [source, setting = *setting, value](const CancelToken*, int64_t* out) {
        const Result<int64_t> given = source->set(setting, value);
        if (given.ok()) *out = given.value();
        return given.status();
      },
      [](Napi::Env where, int64_t given) { return Napi::Number::New(where, static_cast<double>(given)); });
}

SourcePtr still_open(Napi::Env env, const std::weak_ptr<V4l2Source>& weak) {
  SourcePtr source = weak.lock();
  if (!source) throw to_error(env, Status(Code::kClosed, "The camera is closed"));
  return source;
}

// The camera object of capture_object.h, and what only devices have. Its methods do not hold the source, which goes
// with the pictures when the camera is closed.
Napi::Object device_object(Napi::Env env, const SourcePtr& source) {
  Napi::Object out = wrap_camera(env, source);
  const V4l2Format& format = source->format();
  Napi::Object device = identity_object(env, source->identity());
  device.Set("format", capture_format_name(format.layout->format));
  device.Set("width", format.width);
  device.Set("height", format.height);
  device.Set("fps", format.interval.fps());
  out.Set("device", device);
  const std::weak_ptr<V4l2Source> weak = source;
  set_method(out, "skipped", [weak, last = uint64_t{0}](const Napi::CallbackInfo& info) mutable -> Napi::Value {
    if (const SourcePtr open = weak.lock()) last = open->skipped();
    return Napi::Number::New(info.Env(), static_cast<double>(last));
  });
  set_method(out, "settings",
             [weak](const Napi::CallbackInfo& info) { return settings(info, still_open(info.Env(), weak)); });
  set_method(out, "set",
             [weak](const Napi::CallbackInfo& info) { return set_setting(info, still_open(info.Env(), weak)); });
  return out;
}

class OpenJob final : public Job {
 public:
  OpenJob(std::string path, CaptureWish wish, uint32_t buffers, int timeout_ms)
      : path_(std::move(path)), wish_(std::move(wish)), buffers_(buffers), timeout_ms_(timeout_ms) {}

  Status run(const CancelTokenPtr& token) override {
    Result<std::unique_ptr<V4l2Device>> device = V4l2Device::open(V4l2Calls::system(), path_);
    if (!device.ok()) return device.status();
    Result<std::unique_ptr<V4l2Stream>> stream = V4l2Stream::start(std::move(device.value()), wish_, buffers_);
    if (!stream.ok()) return stream.status();
    if (is_cancelled(token)) return Status(Code::kAborted, "The operation was aborted");
    stream_ = std::move(stream.value());
    return Status();
  }

  // The ring is made once the size of a picture is known.
  Napi::Value resolve(Napi::Env env) override {
    Napi::Object options = kept(0);
    if (options.Get("ring").IsObject()) {
      // Large enough for every other format of this size, should the camera come back with one.
      const V4l2Format& format = stream_->format();
      const double most = std::max(static_cast<double>(most_picture_bytes(format)), 4.0 * format.width * format.height);
      options.Get("ring").As<Napi::Object>().Set("slotBytes", most);
    }
    const std::shared_ptr<FrameRing> ring = camera_ring(options);
    Result<SourcePtr> source = V4l2Source::start(std::move(stream_), ring, timeout_ms_);
    if (!source.ok()) {
      ring->end(source.status());
      throw to_error(env, source.status());
    }
    return device_object(env, source.value());
  }

 private:
  std::string path_;
  CaptureWish wish_;
  uint32_t buffers_;
  int timeout_ms_;
  std::unique_ptr<V4l2Stream> stream_;
};

Napi::Value open_device(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object options = object_in(info[1], "options");
  CaptureWish wish;
  wish.width = int_at(options, "width");
  wish.height = int_at(options, "height");
  wish.fps = number_at(options, "fps");
  if (!(wish.fps >= 0 && wish.fps <= 1000)) throw_invalid(env, "Expected 0 to 1000 for fps");
  if (!options.Get("formats").IsArray()) throw_invalid(env, "Expected an array of formats");
  const Napi::Array formats = options.Get("formats").As<Napi::Array>();
  for (uint32_t i = 0; i < formats.Length(); ++i) {
    const Napi::Value name = formats.Get(i);
    if (!name.IsString()) throw_invalid(env, "Expected the name of a format");
    wish.formats.push_back(capture_format(env, name.As<Napi::String>().Utf8Value()));
  }
  const int buffers = int_at(options, "buffers"), timeout_ms = int_at(options, "timeoutMs");
  if (buffers < 1 || buffers > 32 || timeout_ms < 1) throw_invalid(env, "Expected 1 to 32 buffers and a timeout");
  CancelTokenPtr token = token_or_null(info[2]);
  auto job = std::make_unique<OpenJob>(string_at(options, "path"), std::move(wish), static_cast<uint32_t>(buffers),
                                       timeout_ms);
  job->keep(options);
  return Environment::of(env).launch(executor, std::move(token), std::move(job));
}

struct Change {
  std::string path;
  bool present = false;
};

// Stopped by close(), when the object is collected, and when its environment goes (before the thread-safe function
// does, which the hook's order takes care of).
class Watching {
 public:
  static Napi::Object start(Napi::Env env, const std::string& folder, const Napi::Function& callback) {
    auto watching = std::make_shared<Watching>(env, callback);
    auto started = DeviceWatch::start(
        folder, [raw = watching.get()](const std::string& path, bool present) { raw->tell(path, present); });
    if (!started.ok()) {
      watching->close();
      throw to_error(env, started.status());
    }
    watching->watch_ = std::move(started.value());
    Napi::Object out = Napi::Object::New(env);
    set_method(out, "close", [watching](const Napi::CallbackInfo& info) {
      watching->close();
      return info.Env().Undefined();
    });
    return out;
  }

  Watching(Napi::Env env, const Napi::Function& callback) : env_(env) {
    to_js_ = Napi::ThreadSafeFunction::New(env, callback, "lineament devices", 0, 1);
    to_js_.Unref(env);  // waiting for cameras keeps no process alive
    napi_add_env_cleanup_hook(env_, &Watching::clean_up, this);
  }
  ~Watching() { close(); }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

  void close() {
    if (closed_) return;
    closed_ = true;
    napi_remove_env_cleanup_hook(env_, &Watching::clean_up, this);
    watch_.reset();
    to_js_.Release();
  }

 private:
  static void clean_up(void* self) {
    auto* watching = static_cast<Watching*>(self);
    watching->closed_ = true;
    watching->watch_.reset();  // nobody calls the function any more, and it goes with the environment
  }

  void tell(const std::string& path, bool present) {  // on the watch's thread
    auto* change = new Change{path, present};
    const napi_status sent = to_js_.NonBlockingCall(change, [](Napi::Env env, Napi::Function callback, Change* given) {
      const std::unique_ptr<Change> owned(given);
      if (env == nullptr || callback.IsEmpty()) return;
      try {
        callback.Call({Napi::String::New(env, owned->path), Napi::Boolean::New(env, owned->present)});
      } catch (const Napi::Error&) {
        // A worker that is being terminated refuses calls; the listener itself does not throw.
      }
    });
    if (sent != napi_ok) delete change;
  }

  napi_env env_;
  Napi::ThreadSafeFunction to_js_;
  std::unique_ptr<DeviceWatch> watch_;
  bool closed_ = false;
};

Napi::Value watch_devices(const Napi::CallbackInfo& info) {
  if (!info[0].IsString() || !info[1].IsFunction()) throw_invalid(info.Env(), "Expected a folder and a function");
  return Watching::start(info.Env(), info[0].As<Napi::String>().Utf8Value(), info[1].As<Napi::Function>());
}

}  // namespace

#else
namespace {

[[noreturn]] void refuse(Napi::Env env) {
  throw to_error(env, Status(Code::kCameraUnsupported, "Camera devices are read through V4L2, which is part of Linux"));
}
Napi::Value list_devices(const Napi::CallbackInfo& info) { refuse(info.Env()); }
Napi::Value open_device(const Napi::CallbackInfo& info) { refuse(info.Env()); }
Napi::Value watch_devices(const Napi::CallbackInfo& info) { refuse(info.Env()); }

}  // namespace
#endif

void export_v4l2(Napi::Object exports) {
  set_method(exports, "listVideoDevices", list_devices);
  set_method(exports, "openVideoDevice", open_device);
  set_method(exports, "watchVideoDevices", watch_devices);
}

}  // namespace lineament::bindings
