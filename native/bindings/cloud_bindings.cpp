// Point clouds: what lib/native/cloud.ts describes.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/cuda_geometry_bindings.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "bindings/mesh_values.h"
#include "bindings/values.h"
#include "cloud/icp.h"
#include "cloud/normals.h"
#include "cloud/outliers.h"
#include "cloud/project.h"
#include "cloud/voxels.h"

namespace lineament::bindings {
namespace {

// A whole number of things, 0 … kMostPoints.
size_t count_at(const Napi::Object& options, const char* key) {
  const int value = int_at(options, key);
  if (value < 0 || static_cast<size_t>(value) > kMostPoints) throw_invalid(options.Env(), "Expected a smaller count");
  return static_cast<size_t>(value);
}

double number_in(const Napi::Value& value, const char* what) {
  if (!value.IsNumber()) throw_invalid(value.Env(), std::string("Expected a number for ") + what);
  return value.As<Napi::Number>().DoubleValue();
}

// { positions, normals, colours }, of which the latter may be absent; the arrays are read once and kept, whatever
// becomes of the object.
struct CloudArgument {
  explicit CloudArgument(const Napi::Value& value) {
    const Napi::Object object = object_in(value, "options");
    positions = object.Get("positions");
    normals = object.Get("normals");
    colours = object.Get("colours");
    const auto points = array_in<float>(positions, "positions");
    if (points.size % 3 != 0) throw_invalid(value.Env(), "Expected three numbers for each point");
    view = {points.data, optional_array_in<float>(normals, points.size, "normals").data,
            optional_array_in<uint8_t>(colours, points.size, "colours").data, points.size / 3};
  }
  Napi::Value positions, normals, colours;
  CloudView view;
};

RigidTransform transform_in(const Napi::Value& value, const char* what) {
  RigidTransform out;
  const auto numbers = optional_array_in<double>(value, 16, what);
  if (numbers.data == nullptr) return out;
  for (size_t r = 0; r < 3; ++r) {
    for (size_t c = 0; c < 3; ++c) out.rotation[3 * r + c] = numbers.data[4 * r + c];
    out.translation[r] = numbers.data[4 * r + 3];
  }
  return out;
}

DepthView depth_in(const Napi::CallbackInfo& info, const Napi::Object& options) {
  DepthView map;
  map.width = int_at(options, "width");
  map.height = int_at(options, "height");
  if (map.width < 1 || map.height < 1) throw_invalid(info.Env(), "Expected sides of a pixel or more");
  const size_t pixels = static_cast<size_t>(map.width) * static_cast<size_t>(map.height);
  map.depth = array_in<float>(info[1], pixels, "depth").data;
  map.confidence = optional_array_in<float>(info[2], pixels, "confidence").data;
  map.camera = camera_in(options);
  return map;
}

// { radius, step } of an object, or nothing.
bool window_in(const Napi::Value& value, NormalWindow* window) {
  if (value.IsUndefined() || value.IsNull()) return false;
  const Napi::Object options = object_in(value, "options");
  window->radius = int_at(options, "radius");
  window->most_step = number_at(options, "step");
  return true;
}

// { pixels, width, height } and, for a camera of its own, { fx, fy, cx, cy, transform }.
bool colours_in(const Napi::Value& value, ColourView* view, Napi::Value* pixels) {
  if (value.IsUndefined() || value.IsNull()) return false;
  const Napi::Object options = object_in(value, "options");
  view->width = int_at(options, "width");
  view->height = int_at(options, "height");
  if (view->width < 1 || view->height < 1) throw_invalid(value.Env(), "Expected a picture of a pixel or more");
  const size_t bytes = 3 * static_cast<size_t>(view->width) * static_cast<size_t>(view->height);
  *pixels = options.Get("pixels");
  view->pixels = array_in<uint8_t>(*pixels, bytes, "pixels").data;
  view->same = options.Get("fx").IsUndefined();
  if (view->same) return true;
  view->camera = camera_in(options);
  const RigidTransform transform = transform_in(options.Get("transform"), "transform");
  std::copy_n(transform.rotation, 9, view->rotation);
  std::copy_n(transform.translation, 3, view->translation);
  return true;
}

// Large vectors change hands without a copy, where that is allowed.
template <typename Array, typename T>
Array hand_over(Napi::Env env, std::vector<T>& values) {
  constexpr size_t kWorthTheFinalizer = 64 * 1024;
  const size_t bytes = values.size() * sizeof(T);
  if (bytes >= kWorthTheFinalizer) {
    auto* held = new std::vector<T>(std::move(values));
    napi_value buffer = nullptr;
    const auto free = [](napi_env, void*, void* hint) { delete static_cast<std::vector<T>*>(hint); };
    if (napi_create_external_arraybuffer(env, held->data(), bytes, free, held, &buffer) == napi_ok) {
      return Array::New(env, held->size(), Napi::ArrayBuffer(env, buffer), 0);
    }
    values = std::move(*held);
    delete held;
  }
  return array_of<Array>(env, values);
}

void set_cloud(Napi::Env env, Napi::Object out, PointCloud& cloud) {
  out.Set("positions", hand_over<Napi::Float32Array>(env, cloud.positions));
  if (!cloud.normals.empty()) out.Set("normals", hand_over<Napi::Float32Array>(env, cloud.normals));
  if (!cloud.colours.empty()) out.Set("colours", hand_over<Napi::Uint8Array>(env, cloud.colours));
}

Napi::Value give_cloud(Napi::Env env, PointCloud& cloud) {
  Napi::Object out = Napi::Object::New(env);
  set_cloud(env, out, cloud);
  return out;
}

Napi::Value give_floats(Napi::Env env, std::vector<float>& values) {
  return hand_over<Napi::Float32Array>(env, values);
}

template <typename T>
Status take(Result<T> made, T* out) {
  if (made.ok()) *out = std::move(made.value());
  return made.status();
}

struct Kept {
  std::vector<uint32_t> indices;
  PointCloud cloud;
};

Napi::Value give_kept(Napi::Env env, Kept& kept) {
  Napi::Object out = Napi::Object::New(env);
  set_cloud(env, out, kept.cloud);
  out.Set("kept", hand_over<Napi::Uint32Array>(env, kept.indices));
  return out;
}

// (executor, depth, confidence, { width, height, fx, fy, cx, cy, leastConfidence, normals, picture, cuda }, token)
Napi::Value project(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object options = object_in(info[3], "options");
  const DepthView map = depth_in(info, options);
  const auto least = static_cast<float>(number_at(options, "leastConfidence"));
  NormalWindow window;
  const bool with_normals = window_in(options.Get("normals"), &window);
  ColourView colours;
  Napi::Value pixels = info.Env().Null();
  const bool with_colours = colours_in(options.Get("picture"), &colours, &pixels);
  const auto cuda = cuda_in(options);
  const auto work = [=](const CancelToken* token, Projected* out) {
    const ColourView* picture = with_colours ? &colours : nullptr;
    const NormalWindow* normals = with_normals ? &window : nullptr;
    return take(cuda ? cuda->project(map, least, picture, normals, *executor, token)
                     : project_depth(map, least, picture, normals, *executor, token),
                out);
  };
  const auto give = [](Napi::Env env, Projected& made) -> Napi::Value {
    Napi::Object out = Napi::Object::New(env);
    set_cloud(env, out, made.cloud);
    out.Set("pixels", hand_over<Napi::Uint32Array>(env, made.pixels));
    return out;
  };
  return launch<Projected>(info.Env(), executor, info[4], {info[1], info[2], pixels}, work, give);
}

// (executor, depth, confidence, { width, height, fx, fy, cx, cy, leastConfidence, normals, cuda }, token)
Napi::Value normals_of_depth(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object options = object_in(info[3], "options");
  const DepthView map = depth_in(info, options);
  const auto least = static_cast<float>(number_at(options, "leastConfidence"));
  NormalWindow window;
  window_in(options.Get("normals"), &window);
  const auto cuda = cuda_in(options);
  const auto work = [=](const CancelToken* token, std::vector<float>* out) {
    return take(cuda ? cuda->normals(map, least, window, token) : depth_normals(map, least, window, *executor, token),
                out);
  };
  return launch<std::vector<float>>(info.Env(), executor, info[4], {info[1], info[2]}, work, give_floats);
}

// (executor, cloud, { neighbours, radius, x, y, z }, token)
Napi::Value normals_of_cloud(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const CloudArgument cloud(info[1]);
  const Napi::Object options = object_in(info[2], "options");
  const NormalRule rule = {count_at(options, "neighbours"),
                           number_at(options, "radius"),
                           {number_at(options, "x"), number_at(options, "y"), number_at(options, "z")}};
  const auto work = [executor, rule, view = cloud.view](const CancelToken* token, std::vector<float>* out) {
    return take(estimate_normals(view, rule, *executor, token), out);
  };
  return launch<std::vector<float>>(info.Env(), executor, info[3], {cloud.positions}, work, give_floats);
}

// (executor, cloud, size, token)
Napi::Value voxels(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const CloudArgument cloud(info[1]);
  const auto work = [executor, view = cloud.view, size = number_in(info[2], "size")](const CancelToken* token,
                                                                                     PointCloud* out) {
    return take(voxel_means(view, size, *executor, token), out);
  };
  return launch<PointCloud>(info.Env(), executor, info[3], {cloud.positions, cloud.normals, cloud.colours}, work,
                            give_cloud);
}

// Choose: Result<std::vector<uint32_t>>(const CloudView&, Executor&, const CancelToken*).
template <typename Choose>
Napi::Value keep(const Napi::CallbackInfo& info, const Napi::Value& token, const Choose& choose) {
  const auto executor = ExecutorHandle::get(info[0]);
  const CloudArgument cloud(info[1]);
  const auto work = [executor, choose, view = cloud.view](const CancelToken* cancel, Kept* kept) {
    if (const Status done = take(choose(view, *executor, cancel), &kept->indices); !done.ok()) return done;
    return take(pick_points(view, kept->indices, *executor, cancel), &kept->cloud);
  };
  return launch<Kept>(info.Env(), executor, token, {cloud.positions, cloud.normals, cloud.colours}, work, give_kept);
}

// (executor, cloud, radius, seed, token)
Napi::Value poisson(const Napi::CallbackInfo& info) {
  const double radius = number_in(info[2], "radius"), seed = number_in(info[3], "seed");
  if (!(seed >= 0 && seed <= 9007199254740991.0)) throw_invalid(info.Env(), "Expected a seed of zero or more");
  return keep(info, info[4], [=](const CloudView& cloud, Executor& executor, const CancelToken* token) {
    return poisson_disk(cloud, radius, static_cast<uint64_t>(seed), executor, token);
  });
}

// (executor, cloud, { neighbours, ratio }, token)
Napi::Value statistical(const Napi::CallbackInfo& info) {
  const Napi::Object options = object_in(info[2], "options");
  const size_t neighbours = count_at(options, "neighbours");
  const double ratio = number_at(options, "ratio");
  return keep(info, info[3], [=](const CloudView& cloud, Executor& executor, const CancelToken* token) {
    return statistical_inliers(cloud, neighbours, ratio, executor, token);
  });
}

// (executor, cloud, { neighbours, radius }, token)
Napi::Value radial(const Napi::CallbackInfo& info) {
  const Napi::Object options = object_in(info[2], "options");
  const size_t neighbours = count_at(options, "neighbours");
  const double radius = number_at(options, "radius");
  return keep(info, info[3], [=](const CloudView& cloud, Executor& executor, const CancelToken* token) {
    return radius_inliers(cloud, neighbours, radius, executor, token);
  });
}

RobustLoss loss_at(const Napi::Object& options) {
  const std::string name = string_at(options, "loss");
  if (name == "none") return RobustLoss::kNone;
  if (name == "huber") return RobustLoss::kHuber;
  if (name == "tukey") return RobustLoss::kTukey;
  throw_invalid(options.Env(), "Expected none, huber or tukey for loss");
}

// (executor, source, target, { levels, loss, start, leastTurn, leastShift }, token)
Napi::Value register_both(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const CloudArgument source(info[1]), target(info[2]);
  const Napi::Object options = object_in(info[3], "options");
  const auto levels = array_in<double>(options.Get("levels"), "levels");
  if (levels.size % 4 != 0) throw_invalid(info.Env(), "Expected four numbers for each level");
  IcpRule rule;
  for (size_t i = 0; i < levels.size; i += 4) {
    const double most = levels.data[i + 3];
    if (!(most >= 0 && most <= 1e6)) throw_invalid(info.Env(), "Expected a number of iterations");
    rule.levels.push_back({levels.data[i], levels.data[i + 1], levels.data[i + 2], static_cast<size_t>(most)});
  }
  rule.loss = loss_at(options);
  rule.start = transform_in(options.Get("start"), "start");
  rule.least_turn = number_at(options, "leastTurn");
  rule.least_shift = number_at(options, "leastShift");
  const auto work = [executor, rule, from = source.view, to = target.view](const CancelToken* token, IcpResult* out) {
    return take(register_clouds(from, to, rule, *executor, token), out);
  };
  const auto give = [](Napi::Env env, const IcpResult& result) -> Napi::Value {
    std::vector<double> matrix(16, 0);
    for (size_t r = 0; r < 3; ++r) {
      std::copy_n(result.transform.rotation + 3 * r, 3, matrix.begin() + static_cast<std::ptrdiff_t>(4 * r));
      matrix[4 * r + 3] = result.transform.translation[r];
    }
    matrix[15] = 1;
    Napi::Object out = Napi::Object::New(env);
    out.Set("transform", array_of<Napi::Float64Array>(env, matrix));
    out.Set("fitness", result.fitness);
    out.Set("inlierRmse", result.inlier_rmse);
    out.Set("iterations", static_cast<double>(result.iterations));
    out.Set("converged", result.converged);
    return out;
  };
  return launch<IcpResult>(info.Env(), executor, info[4], {source.positions, target.positions, target.normals}, work,
                           give);
}

}  // namespace

void export_cloud(Napi::Object exports) {
  set_method(exports, "projectDepth", project);
  set_method(exports, "depthNormals", normals_of_depth);
  set_method(exports, "cloudNormals", normals_of_cloud);
  set_method(exports, "voxelMeans", voxels);
  set_method(exports, "poissonDisk", poisson);
  set_method(exports, "statisticalInliers", statistical);
  set_method(exports, "radiusInliers", radial);
  set_method(exports, "registerClouds", register_both);
}

}  // namespace lineament::bindings
