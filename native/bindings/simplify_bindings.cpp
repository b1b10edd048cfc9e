// Triangles of depth maps, simplification, levels of detail: what lib/native/simplify.ts describes.
#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "mesh/distance.h"
#include "mesh/grid.h"
#include "mesh/lod.h"
#include "mesh/normals.h"
#include "mesh/simplify.h"
#include "mesh/vertex_cache.h"

namespace lineament::bindings {
namespace {

// A number of triangles or samples.
size_t count_of(Napi::Env env, double number) {
  if (!(number >= 0 && number <= 9007199254740992.0 && number == std::floor(number)))
    throw_invalid(env, "Expected a whole number");
  return static_cast<size_t>(number);
}

// A mesh whose arrays stay where they are, and these arrays, which must be kept.
struct Borrowed {
  MeshView view;
  Napi::Object arrays;
};

Borrowed mesh_in(const Napi::Value& value, const char* what) {
  const Napi::Object object = object_in(value, what);
  const Napi::Env env = value.Env();
  const auto positions = array_in<float>(object.Get("positions"), "positions");
  const auto indices = array_in<uint32_t>(object.Get("indices"), "indices");
  if (positions.size % 3 != 0) throw_invalid(env, "Expected three numbers in positions for each vertex");
  if (indices.size % 3 != 0) throw_invalid(env, "Expected three indices for each triangle");
  MeshView view;
  view.positions = positions.data;
  view.indices = indices.data;
  view.vertices = positions.size / 3;
  view.triangles = indices.size / 3;
  Napi::Array arrays = Napi::Array::New(env);
  for (const char* key : {"positions", "indices", "normals", "uvs", "colours"})
    arrays.Set(arrays.Length(), object.Get(key));
  view.normals = optional_array_in<float>(object.Get("normals"), positions.size, "normals").data;
  view.uvs = optional_array_in<float>(object.Get("uvs"), 2 * view.vertices, "uvs").data;
  view.colours = optional_array_in<uint8_t>(object.Get("colours"), positions.size, "colours").data;
  return {view, arrays};
}

// The vector's own memory, where the environment allows it.
template <typename Array, typename T>
Array give_vector(Napi::Env env, std::vector<T>&& values) {
  auto held = std::make_unique<std::vector<T>>(std::move(values));
  napi_value buffer = nullptr;
  const auto free = [](napi_env, void*, void* vector) { delete static_cast<std::vector<T>*>(vector); };
  if (held->size() < 4096 || napi_create_external_arraybuffer(env, held->data(), held->size() * sizeof(T), free,
                                                              held.get(), &buffer) != napi_ok)
    return array_of<Array>(env, *held);
  const size_t size = held.release()->size();
  return Array::New(env, size, Napi::ArrayBuffer(env, buffer), 0);
}

Napi::Object give_mesh(Napi::Env env, TriangleMesh&& mesh) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("positions", give_vector<Napi::Float32Array>(env, std::move(mesh.positions)));
  out.Set("indices", give_vector<Napi::Uint32Array>(env, std::move(mesh.indices)));
  if (!mesh.normals.empty()) out.Set("normals", give_vector<Napi::Float32Array>(env, std::move(mesh.normals)));
  if (!mesh.uvs.empty()) out.Set("uvs", give_vector<Napi::Float32Array>(env, std::move(mesh.uvs)));
  if (!mesh.colours.empty()) out.Set("colours", give_vector<Napi::Uint8Array>(env, std::move(mesh.colours)));
  return out;
}

template <typename T>
Status keep_result(Result<T>&& made, T* out) {
  if (made.ok()) *out = std::move(made.value());
  return made.status();
}

// (executor, depth, confidence?, colours?, options, token?)
Napi::Value mesh_from_depth(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object given = object_in(info[4], "options");
  DepthGrid grid;
  grid.width = int_at(given, "width");
  grid.height = int_at(given, "height");
  if (grid.width < 1 || grid.width > kMostGridSide || grid.height < 1 || grid.height > kMostGridSide)
    throw_invalid(env, "Expected sides of 1 to 16384 pixels");
  const size_t pixels = static_cast<size_t>(grid.width) * static_cast<size_t>(grid.height);
  grid.camera = {number_at(given, "fx"), number_at(given, "fy"), number_at(given, "cx"), number_at(given, "cy")};
  grid.depth = array_in<float>(info[1], pixels, "depth").data;
  grid.confidence = optional_array_in<float>(info[2], pixels, "confidence").data;
  grid.colours = optional_array_in<uint8_t>(info[3], 3 * pixels, "colours").data;
  GridMeshOptions options;
  options.step = int_at(given, "step");
  options.jump = number_at(given, "jump");
  options.angle = number_at(given, "angle");
  options.sliver = number_at(given, "sliver");
  options.min_confidence = number_at(given, "minConfidence");
  options.normals = flag_at(given, "normals");
  const auto work = [=](const CancelToken* token, GridMesh* out) {
    return keep_result(grid_mesh(grid, options, *executor, token), out);
  };
  const auto give = [](Napi::Env to, GridMesh& made) -> Napi::Value {
    Napi::Object out = give_mesh(to, std::move(made.mesh));
    out.Set("pixels", give_vector<Napi::Uint32Array>(to, std::move(made.pixels)));
    return out;
  };
  return launch<GridMesh>(env, executor, info[5], {info[1], info[2], info[3]}, work, give);
}

// (executor, mesh, options, token?)
Napi::Value simplify_mesh(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const Borrowed mesh = mesh_in(info[1], "mesh");
  const Napi::Object given = object_in(info[2], "options");
  SimplifyOptions options;
  options.triangles = count_of(env, number_at(given, "triangles"));
  options.error = number_at(given, "error");
  options.uv_weight = number_at(given, "uvWeight");
  options.colour_weight = number_at(given, "colourWeight");
  options.keep_border = flag_at(given, "keepBorder");
  const auto work = [=, view = mesh.view](const CancelToken* token, SimplifiedMesh* out) {
    return keep_result(simplify(view, options, *executor, token), out);
  };
  const auto give = [](Napi::Env to, SimplifiedMesh& made) -> Napi::Value {
    Napi::Object out = Napi::Object::New(to);
    out.Set("mesh", give_mesh(to, std::move(made.mesh)));
    out.Set("sources", give_vector<Napi::Uint32Array>(to, std::move(made.sources)));
    out.Set("error", made.error);
    out.Set("rms", made.rms);
    return out;
  };
  return launch<SimplifiedMesh>(env, executor, info[3], {mesh.arrays}, work, give);
}

// (executor, mesh, options, token?)
Napi::Value levels(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const Borrowed mesh = mesh_in(info[1], "mesh");
  const Napi::Object given = object_in(info[2], "options");
  const auto wanted = array_in<double>(given.Get("triangles"), "triangles");
  LevelsOptions options;
  for (size_t i = 0; i < wanted.size; ++i) options.triangles.push_back(count_of(env, wanted.data[i]));
  options.uv_weight = number_at(given, "uvWeight");
  options.colour_weight = number_at(given, "colourWeight");
  options.keep_border = flag_at(given, "keepBorder");
  const auto work = [=, view = mesh.view](const CancelToken* token, std::vector<Level>* out) {
    return keep_result(levels_of_detail(view, options, *executor, token), out);
  };
  const auto give = [](Napi::Env to, std::vector<Level>& made) -> Napi::Value {
    Napi::Array out = Napi::Array::New(to, made.size());
    for (uint32_t i = 0; i < made.size(); ++i) {
      Napi::Object level = Napi::Object::New(to);
      level.Set("mesh", give_mesh(to, std::move(made[i].mesh)));
      level.Set("sources", give_vector<Napi::Uint32Array>(to, std::move(made[i].sources)));
      level.Set("error", made[i].error);
      level.Set("rms", made[i].rms);
      level.Set("cacheMissRatio", made[i].cache_miss_ratio);
      out.Set(i, level);
    }
    return out;
  };
  return launch<std::vector<Level>>(env, executor, info[3], {mesh.arrays}, work, give);
}

// (executor, mesh, token?)
Napi::Value optimise_mesh(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Borrowed mesh = mesh_in(info[1], "mesh");
  const auto work = [view = mesh.view](const CancelToken* token, OptimisedMesh* out) {
    return keep_result(optimise(view, token), out);
  };
  const auto give = [](Napi::Env to, OptimisedMesh& made) -> Napi::Value {
    Napi::Object out = Napi::Object::New(to);
    out.Set("mesh", give_mesh(to, std::move(made.mesh)));
    out.Set("sources", give_vector<Napi::Uint32Array>(to, std::move(made.sources)));
    out.Set("before", made.before);
    out.Set("after", made.after);
    return out;
  };
  return launch<OptimisedMesh>(info.Env(), executor, info[2], {mesh.arrays}, work, give);
}

// (executor, mesh, token?)
Napi::Value mesh_normals(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Borrowed mesh = mesh_in(info[1], "mesh");
  const auto work = [executor, view = mesh.view](const CancelToken* token, std::vector<float>* out) {
    return keep_result(vertex_normals(view, *executor, token), out);
  };
  const auto give = [](Napi::Env to, std::vector<float>& made) -> Napi::Value {
    return give_vector<Napi::Float32Array>(to, std::move(made));
  };
  return launch<std::vector<float>>(info.Env(), executor, info[2], {mesh.arrays}, work, give);
}

// (executor, a, b, samples, token?)
Napi::Value compare(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const Borrowed a = mesh_in(info[1], "a"), b = mesh_in(info[2], "b");
  if (!info[3].IsNumber()) throw_invalid(env, "Expected a number of samples");
  const size_t samples = count_of(env, info[3].As<Napi::Number>().DoubleValue());
  const auto work = [=, from = a.view, to = b.view](const CancelToken* token, MeshDistances* out) {
    return keep_result(compare_meshes(from, to, samples, *executor, token), out);
  };
  const auto give = [](Napi::Env to, const MeshDistances& found) -> Napi::Value {
    const auto one_way = [to](const Distances& d) {
      Napi::Object out = Napi::Object::New(to);
      out.Set("max", d.most);
      out.Set("mean", d.mean);
      out.Set("rms", d.rms);
      out.Set("samples", static_cast<double>(d.samples));
      return out;
    };
    Napi::Object out = Napi::Object::New(to);
    out.Set("forth", one_way(found.forth));
    out.Set("back", one_way(found.back));
    return out;
  };
  return launch<MeshDistances>(env, executor, info[4], {a.arrays, b.arrays}, work, give);
}

}  // namespace

void export_simplify(Napi::Object exports) {
  set_method(exports, "meshFromDepth", mesh_from_depth);
  set_method(exports, "simplifyMesh", simplify_mesh);
  set_method(exports, "levelsOfDetail", levels);
  set_method(exports, "optimiseMesh", optimise_mesh);
  set_method(exports, "meshNormals", mesh_normals);
  set_method(exports, "compareMeshes", compare);
}

}  // namespace lineament::bindings
