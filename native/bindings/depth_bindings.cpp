// Depth maps: what lib/native/depth.ts describes.
#include <memory>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/cuda_geometry_bindings.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "bindings/mesh_values.h"
#include "bindings/values.h"
#include "depth/align.h"
#include "depth/bilateral.h"
#include "depth/confidence.h"
#include "depth/fill.h"
#include "depth/landmark_depth.h"
#include "depth/sensor.h"

namespace lineament::bindings {
namespace {

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
  const Napi::Object options = object_in(info[3], "options");
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
  const Napi::Object options = object_in(info[3], "options");
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

// (executor, depth, options, token)
Napi::Value filter(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object options = object_in(info[2], "options");
  const Size size = size_in(options);
  const auto depth = array_in<float>(info[1], size.pixels, "depth");
  const BilateralOptions how{int_at(options, "radius"), number_at(options, "spatial"), number_at(options, "range")};
  const auto work = [=, cuda = cuda_in(options)](const CancelToken* token, std::vector<float>* out) {
    out->resize(size.pixels);
    return cuda ? cuda->filter(depth.data, size.width, size.height, how, token, out->data())
                : filter_depth(depth.data, size.width, size.height, how, *executor, token, out->data());
  };
  const auto give = [](Napi::Env env, const std::vector<float>& out) -> Napi::Value {
    return array_of<Napi::Float32Array>(env, out);
  };
  return launch<std::vector<float>>(info.Env(), executor, info[3], {info[1]}, work, give);
}

// (executor, depth, confidence, options, token)
Napi::Value fill(const Napi::CallbackInfo& info) {
  struct Filled {
    DepthMap map;
    size_t count = 0;
  };
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object options = object_in(info[3], "options");
  const Size size = size_in(options);
  const auto depth = array_in<float>(info[1], size.pixels, "depth");
  const auto confidence = array_in<float>(info[2], size.pixels, "confidence");
  const int most = int_at(options, "mostPixels");
  if (most < 0) throw_invalid(info.Env(), "Expected mostPixels of 0 or more");
  const FillOptions how{static_cast<size_t>(most), number_at(options, "mostSpan")};
  const auto work = [=, camera = camera_in(options)](const CancelToken* token, Filled* out) {
    out->map = {size.width,
                size.height,
                camera,
                {depth.data, depth.data + depth.size},
                {confidence.data, confidence.data + confidence.size}};
    return fill_depth(&out->map, how, *executor, token, &out->count);
  };
  const auto give = [](Napi::Env env, const Filled& filled) -> Napi::Value {
    const Napi::Value out = give_depth(env, filled.map);
    out.As<Napi::Object>().Set("filled", static_cast<double>(filled.count));
    return out;
  };
  return launch<Filled>(info.Env(), executor, info[4], {info[1], info[2]}, work, give);
}

// (executor, steps, options, token)
Napi::Value from_steps(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object options = object_in(info[2], "options");
  const Size size = size_in(options);
  const auto steps = array_in<uint16_t>(info[1], size.pixels, "steps");
  const SensorOptions how{number_at(options, "unit"), number_at(options, "near"), number_at(options, "far")};
  const ConfidenceOptions rating = confidence_in(options, {});
  const auto work = [=, camera = camera_in(options)](const CancelToken* token, DepthMap* map) {
    *map = {size.width, size.height, camera, std::vector<float>(size.pixels), {}};
    const Status made = depth_from_steps(steps.data, steps.size, how, *executor, token, map->depth.data());
    return made.ok() ? rate_depth(map, rating, *executor, token) : made;
  };
  return launch<DepthMap>(info.Env(), executor, info[3], {info[1]}, work, give_depth);
}

// (executor, depth, unit, token)
Napi::Value to_steps(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto depth = array_in<float>(info[1], "depth");
  if (!info[2].IsNumber()) throw_invalid(info.Env(), "Expected a number for unit");
  const auto work = [=, unit = info[2].As<Napi::Number>().DoubleValue()](const CancelToken* token,
                                                                         std::vector<uint16_t>* out) {
    out->resize(depth.size);
    return steps_from_depth(depth.data, depth.size, unit, *executor, token, out->data());
  };
  const auto give = [](Napi::Env env, const std::vector<uint16_t>& out) -> Napi::Value {
    return array_of<Napi::Uint16Array>(env, out);
  };
  return launch<std::vector<uint16_t>>(info.Env(), executor, info[3], {info[1]}, work, give);
}

// (executor, values, grid, depth, confidence, options, token)
Napi::Value align(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object grid = object_in(info[2], "options"), options = object_in(info[5], "options");
  const Size cells = size_in(grid), size = size_in(options);
  const auto values = array_in<float>(info[1], cells.pixels, "values");
  const auto depth = array_in<float>(info[3], size.pixels, "depth");
  const auto confidence = array_in<float>(info[4], size.pixels, "confidence");
  const RelativeKind kind = flag_at(grid, "inverse") ? RelativeKind::kInverse : RelativeKind::kDepth;
  const AlignOptions how{number_at(options, "tolerance"), number_at(options, "near"), number_at(options, "far")};
  const auto work = [=, camera = camera_in(options)](const CancelToken* token, Alignment* out) {
    const DepthMap reference{size.width,
                             size.height,
                             camera,
                             {depth.data, depth.data + depth.size},
                             {confidence.data, confidence.data + confidence.size}};
    return align_depth({values.data, cells.width, cells.height, kind}, reference, how, *executor, token, out);
  };
  const auto give = [](Napi::Env env, const Alignment& found) -> Napi::Value {
    const Napi::Value out = give_depth(env, found.map);
    Napi::Object object = out.As<Napi::Object>();
    object.Set("scale", found.scale);
    object.Set("shift", found.shift);
    object.Set("compared", static_cast<double>(found.compared));
    object.Set("inliers", found.inliers);
    object.Set("rms", found.rms);
    return out;
  };
  return launch<Alignment>(info.Env(), executor, info[6], {info[1], info[3], info[4]}, work, give);
}

}  // namespace

void export_depth(Napi::Object exports) {
  set_method(exports, "depthFromLandmarks", landmark_depth);
  set_method(exports, "rateDepth", rate);
  set_method(exports, "filterDepth", filter);
  set_method(exports, "fillDepth", fill);
  set_method(exports, "depthFromSteps", from_steps);
  set_method(exports, "stepsFromDepth", to_steps);
  set_method(exports, "alignDepth", align);
}

}  // namespace lineament::bindings
