// Entry point: what lib/native/addon.ts describes.
#include <napi.h>

#include "bindings/cuda_bindings.h"
#include "bindings/environment.h"
#include "bindings/exports.h"
#include "bindings/search_bindings.h"
#include "bindings/shape_training_bindings.h"
#include "bindings/sqlite_bindings.h"
#include "bindings/values.h"
#include "core/cpu.h"

// LINEAMENT_VERSION comes from package.json by way of the build, unquoted.
#define LINEAMENT_TEXT_OF(token) #token
#define LINEAMENT_TEXT(token) LINEAMENT_TEXT_OF(token)

namespace lineament::bindings {
namespace {

Napi::Value cpu(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Napi::Object out = Napi::Object::New(env);
  out.Set("arch", cpu_arch());
  out.Set("simd", simd_name(active_simd()));
  out.Set("detected", simd_name(detected_simd()));
  const std::vector<std::string> features = cpu_features();
  Napi::Array names = Napi::Array::New(env, features.size());
  for (uint32_t i = 0; i < features.size(); ++i) names.Set(i, features[i]);
  out.Set("features", names);
  out.Set("cores", usable_cores());
  return out;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  exports.Set("version", LINEAMENT_TEXT(LINEAMENT_VERSION));
  set_method(exports, "cpu", cpu);
  set_method(exports, "createToken", create_token);
  set_method(exports, "createExecutor", create_executor);
  export_image(exports);
  export_redact(exports);
  export_runtime(exports);
  export_shapes(exports);
  export_shape_training(exports);
  export_search(exports);
  export_cuda(exports);
  export_sqlite(exports);
  export_file_lock(exports);
  export_capture(exports);
  export_cloud(exports);
  export_depth(exports);
  export_mesh_files(exports);
  export_nvml(exports);
  export_simplify(exports);
  export_surface(exports);
  export_textures(exports);
  export_v4l2(exports);
  return exports;
}

}  // namespace
}  // namespace lineament::bindings

static Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return lineament::bindings::init(env, exports); }

NODE_API_MODULE(lineament, init_addon)
