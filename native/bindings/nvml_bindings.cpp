// Memory of GPUs: what lib/native/nvml.ts describes.
#include <string>

#include "bindings/arrays.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "bindings/values.h"
#include "inference/nvml.h"

namespace lineament::bindings {
namespace {

void set_text(Napi::Object to, const char* key, const std::string& text) {
  if (!text.empty()) to.Set(key, text);
}

Napi::Value give_report(Napi::Env env, const GpuReport& report) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("state", gpu_state_name(report.state));
  out.Set("path", report.path);
  set_text(out, "driver", report.driver);
  set_text(out, "problem", report.problem);
  const Napi::Array devices = Napi::Array::New(env, report.devices.size());
  for (uint32_t i = 0; i < report.devices.size(); ++i) {
    const GpuDevice& one = report.devices[i];
    Napi::Object device = Napi::Object::New(env);
    device.Set("index", i);
    device.Set("name", one.name);
    set_text(device, "uuid", one.uuid);
    device.Set("total", static_cast<double>(one.total));
    device.Set("free", static_cast<double>(one.free));
    device.Set("used", static_cast<double>(one.used));
    set_text(device, "problem", one.problem);
    devices.Set(i, device);
  }
  out.Set("devices", devices);
  return out;
}

// (executor, path or an empty string)
Napi::Value report(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  if (!info[1].IsString()) throw_invalid(env, "Expected a string for path");
  const std::string path = info[1].As<Napi::String>().Utf8Value();
  if (path.find('\0') != std::string::npos) throw_invalid(env, "Expected a path without null characters");
  const auto work = [path](const CancelToken*, GpuReport* to) {
    *to = gpu_report(path);
    return Status();
  };
  return launch<GpuReport>(env, executor, env.Undefined(), {}, work, give_report);
}

}  // namespace

void export_nvml(Napi::Object exports) { set_method(exports, "gpuReport", report); }

}  // namespace lineament::bindings
