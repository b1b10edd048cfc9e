#include "bindings/cuda_geometry_bindings.h"

#include <cmath>
#include <utility>

#include "bindings/environment.h"
#include "bindings/launch.h"
#include "bindings/search_bindings_values.h"

namespace lineament::bindings {
namespace {

using GeometryPtr = std::shared_ptr<CudaGeometry>;

Napi::Value wrap(Napi::Env env, const GeometryPtr& geometry) {
  Napi::Object out = Napi::Object::New(env);
  CudaGeometryHandle::attach(out, geometry);
  set_getter(out, "deviceBytes", [geometry](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Number::New(info.Env(), static_cast<double>(geometry->bytes()));
  });
  return out;
}

// (executor, library, device, mostBytes). Starting the driver takes long: off the environment's thread.
Napi::Value open_cuda_geometry(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const double device = info[2].IsNumber() ? info[2].As<Napi::Number>().DoubleValue() : -1;
  if (!(device >= 0 && device < 1024 && device == std::floor(device))) throw_invalid(env, "Expected a device number");
  const double most = info[3].IsNumber() ? info[3].As<Napi::Number>().DoubleValue() : -1;
  if (!(most >= 0 && most <= 9007199254740992.0)) throw_invalid(env, "Expected bytes, 0 for no limit");
  const auto work = [=, path = path_in(info[1])](const CancelToken*, GeometryPtr* geometry) {
    auto made = CudaGeometry::open(path, static_cast<int>(device), static_cast<uint64_t>(most));
    if (made.ok()) *geometry = std::move(made.value());
    return made.status();
  };
  return launch<GeometryPtr>(env, executor, env.Undefined(), {}, work, wrap);
}

}  // namespace

void export_cuda_geometry(Napi::Object exports) { set_method(exports, "openCudaGeometry", open_cuda_geometry); }

}  // namespace lineament::bindings
