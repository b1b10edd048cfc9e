// Depth maps: what lib/native/depth.ts describes.
#include <memory>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "bindings/values.h"
#include "depth/confidence.h"
#include "depth/landmark_depth.h"

namespace lineament::bindings {
namespace {

Camera camera_in(const Napi::Object& options) {
  return {number_at(options, "fx"), number_at(options, "fy"), number_at(options, "cx"), number_at(options, "cy")};
}

Napi::Object object_in(const Napi::Value& value) {
  if (!value.IsObject()) throw_invalid(value.Env(), "Expected an object of options");
  return value.As<Napi::Object>();
}

bool flag_at(const Napi::Object& options, const char* key) {
  const Napi::Value value = options.Get(key);
  if (!value.IsBoolean()) throw_invalid(options.Env(), std::string("Expected a boolean for ") + key);
  return value.As<Napi::Boolean>().Value();
}

struct Size {
  int width, height;
  size_t pixels;
};

Size size_in(const Napi::Object& options) {
  const int width = int_at(options, "width"), height = int_at(options, "height");
  if (width < 1 || height < 1 || width > kMostDepthSide || height > kMostDepthSide)
    throw_invalid(options.Env(), "Expected sides of 1 to 16384 pixels");
  const size_t pixels = static_cast<size_t>(width) * static_cast<size_t>(height);
  if (pixels > kMostDepthPixels) throw_invalid(options.Env(), "Expected at most 64 Mi pixels");
  return {width, height, pixels};
}

ConfidenceOptions confidence_in(const Napi::Object& options, const Numbers<float>& other) {
  return {number_at(options, "margin"), number_at(options, "step"), other.data, number_at(options, "tolerance")};
}

Napi::Value give_depth(Napi::Env env, const DepthMap& map) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("depth", array_of<Napi::Float32Array>(env, map.depth));
  out.Set("confidence", array_of<Napi::Float32Array>(env, map.confidence));
  return out;
}

// (executor, points, triangles, options, token)
Napi::Value landmark_depth(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto points = array_in<float>(info[1], "points");
  const auto triangles = array_in<uint32_t>(info[2], "triangles");
  const Napi::Object options = object_in(info[3]);
  const Size size = size_in(options);
  const LandmarkDepthOptions how{camera_in(options),
                                 number_at(options, "millimetresPerPixel"),
                                 {int_at(options, "x"), int_at(options, "y"), size.width, size.height},
                                 flag_at(options, "curved")};
  const ConfidenceOptions rating = confidence_in(options, {});
  const auto work = [=](const CancelToken* token, DepthMap* map) {
    const LandmarkSurface surface{points.data, points.size / 3, triangles.data, triangles.size / 3};
    Result<DepthMap> made = depth_from_landmarks(surface, how, *executor, token);
    if (!made.ok()) return made.status();
    *map = std::move(made.value());
    return rate_depth(map, rating, *executor, token);
  };
  return launch<DepthMap>(info.Env(), executor, info[4], {info[1], info[2]}, work, give_depth);
}

// (executor, depth, other, options, token)
Napi::Value rate(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object options = object_in(info[3]);
  const Size size = size_in(options);
  const auto depth = array_in<float>(info[1], size.pixels, "depth");
  const auto other = optional_array_in<float>(info[2], size.pixels, "other");
  const ConfidenceOptions rating = confidence_in(options, other);
  const auto work = [=, camera = camera_in(options)](const CancelToken* token, DepthMap* map) {
    *map = {size.width, size.height, camera, {depth.data, depth.data + depth.size}, {}};
    return rate_depth(map, rating, *executor, token);
  };
  const auto give = [](Napi::Env env, const DepthMap& map) -> Napi::Value {
    return array_of<Napi::Float32Array>(env, map.confidence);
  };
  return launch<DepthMap>(info.Env(), executor, info[4], {info[1], info[2]}, work, give);
}

}  // namespace

void export_depth(Napi::Object exports) {
  set_method(exports, "depthFromLandmarks", landmark_depth);
  set_method(exports, "rateDepth", rate);
}

}  // namespace lineament::bindings
