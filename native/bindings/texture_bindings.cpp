// Textures and measures of meshes: what lib/native/texture.ts describes.
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "bindings/values.h"
#include "mesh/geodesic.h"
#include "mesh/texture.h"
#include "mesh/unwrap.h"

namespace lineament::bindings {
namespace {

// A mesh and the arrays that it borrows from, to be kept.
struct BorrowedMesh {
  MeshView view;
  Napi::Value positions, indices, normals, uvs;

  explicit BorrowedMesh(const Napi::Value& value) {
    const Napi::Object mesh = object_in(value, "mesh");
    positions = mesh.Get("positions");
    indices = mesh.Get("indices");
    normals = mesh.Get("normals");
    uvs = mesh.Get("uvs");
    const auto places = array_in<float>(positions, "positions");
    const auto corners = array_in<uint32_t>(indices, "indices");
    if (places.size % 3 != 0 || corners.size % 3 != 0) {
      throw_invalid(value.Env(), "Expected three positions for each vertex and three indices for each triangle");
    }
    view.vertices = places.size / 3;
    view.triangles = corners.size / 3;
    view.positions = places.data;
    view.indices = corners.data;
    view.normals = optional_array_in<float>(normals, 3 * view.vertices, "normals").data;
    view.uvs = optional_array_in<float>(uvs, 2 * view.vertices, "uvs").data;
  }
};

// [fx, fy, cx, cy] and the twelve numbers of [R | t].
Photograph photograph_in(const Napi::Object& value) {
  Photograph out;
  out.image = image_view(value.Get("image"));
  const auto camera = array_in<double>(value.Get("camera"), 4, "camera");
  out.camera = {camera.data[0], camera.data[1], camera.data[2], camera.data[3]};
  const auto pose = array_in<double>(value.Get("pose"), 12, "pose");
  for (size_t i = 0; i < 12; ++i) out.pose[i] = pose.data[i];
  return out;
}

Napi::Value give_texture(Napi::Env env, BakedTexture& texture) {
  const size_t cells = static_cast<size_t>(texture.size) * static_cast<size_t>(texture.size);
  Napi::Object out = Napi::Object::New(env);
  out.Set("data", Napi::Uint8Array::New(env, 3 * cells, give(env, std::move(texture.rgb), 3 * cells), 0));
  out.Set("known", Napi::Uint8Array::New(env, cells, give(env, std::move(texture.known), cells), 0));
  out.Set("coverage", texture.coverage);
  out.Set("gains", array_of<Napi::Float64Array>(env, texture.gains));
  return out;
}

// (executor, mesh, photographs, options, token)
Napi::Value bake(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const BorrowedMesh mesh(info[1]);
  if (!info[2].IsArray()) throw_invalid(env, "Expected an array of photographs");
  const Napi::Array list = info[2].As<Napi::Array>();
  if (list.Length() > kMostPhotographs) throw_invalid(env, "Expected at most 64 photographs");
  std::vector<Photograph> photographs;
  Napi::Array pixels = Napi::Array::New(env, list.Length());
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const Napi::Object one = object_in(list.Get(i), "photograph");
    photographs.push_back(photograph_in(one));
    pixels.Set(i, object_in(one.Get("image"), "image").Get("data"));
  }
  const Napi::Object options = object_in(info[3], "options");
  BakeOptions how;
  how.size = int_at(options, "size");
  how.sharpness = number_at(options, "sharpness");
  const Napi::Value equalise = options.Get("equalise");
  if (!equalise.IsBoolean()) throw_invalid(env, "Expected a boolean for equalise");
  how.equalise = equalise.As<Napi::Boolean>().Value();
  const auto work = [=, view = mesh.view](const CancelToken* token, BakedTexture* out) {
    return bake_texture(view, photographs, how, *executor, token, out);
  };
  return launch<BakedTexture>(env, executor, info[4],
                              {mesh.positions, mesh.indices, mesh.normals, mesh.uvs, Napi::Value(pixels)}, work,
                              give_texture);
}

// (executor, mesh, sources, token)
Napi::Value geodesics(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const BorrowedMesh mesh(info[1]);
  const auto sources = array_in<uint32_t>(info[2], "sources");
  using Lengths = std::vector<double>;
  const auto work = [=, view = mesh.view](const CancelToken* token, Lengths* out) {
    return geodesic_distances(view, sources.data, sources.size, *executor, token, out);
  };
  const auto give_lengths = [](Napi::Env env, const Lengths& lengths) -> Napi::Value {
    return array_of<Napi::Float64Array>(env, lengths);
  };
  return launch<Lengths>(info.Env(), executor, info[3], {mesh.positions, mesh.indices, mesh.normals, mesh.uvs, info[2]},
                         work, give_lengths);
}

Napi::Value give_atlas(Napi::Env env, const Atlas& atlas) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("positions", array_of<Napi::Float32Array>(env, atlas.mesh.positions));
  out.Set("normals", array_of<Napi::Float32Array>(env, atlas.mesh.normals));
  out.Set("uvs", array_of<Napi::Float32Array>(env, atlas.mesh.uvs));
  out.Set("indices", array_of<Napi::Uint32Array>(env, atlas.mesh.indices));
  out.Set("sources", array_of<Napi::Uint32Array>(env, atlas.sources));
  out.Set("charts", static_cast<double>(atlas.charts));
  out.Set("filled", atlas.filled);
  return out;
}

// (executor, mesh, options, token)
Napi::Value unwrap(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const BorrowedMesh mesh(info[1]);
  const Napi::Object options = object_in(info[2], "options");
  const UnwrapOptions how{int_at(options, "size"), int_at(options, "padding")};
  const auto work = [=, view = mesh.view](const CancelToken* token, Atlas* out) {
    return unwrap_mesh(view, how, *executor, token, out);
  };
  return launch<Atlas>(info.Env(), executor, info[3], {mesh.positions, mesh.indices, mesh.normals, mesh.uvs}, work,
                       give_atlas);
}

}  // namespace

void export_textures(Napi::Object exports) {
  set_method(exports, "bakeTexture", bake);
  set_method(exports, "geodesicDistances", geodesics);
  set_method(exports, "unwrapMesh", unwrap);
}

}  // namespace lineament::bindings
