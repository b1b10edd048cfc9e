#include "bindings/mesh_values.h"

#include <new>

#include <string>

#include "bindings/arrays.h"
#include "bindings/values.h"

namespace lineament::bindings {
namespace {

template <typename T>
std::vector<T> copy(Napi::Env env, const Numbers<T>& numbers) {
  try {
    return std::vector<T>(numbers.data, numbers.data + numbers.size);
  } catch (const std::bad_alloc&) {
    throw to_error(env, Status(Code::kOutOfMemory, "Out of memory for a copy"));
  }
}

}  // namespace

Camera camera_in(const Napi::Object& options) {
  return {number_at(options, "fx"), number_at(options, "fy"), number_at(options, "cx"), number_at(options, "cy")};
}

TriangleMesh mesh_in(const Napi::Value& value) {
  const Napi::Object object = object_in(value, "mesh");
  TriangleMesh mesh;
  const auto positions = array_in<float>(object.Get("positions"), "positions");
  const auto indices = array_in<uint32_t>(object.Get("indices"), "indices");
  if (positions.size % 3 != 0) throw_invalid(value.Env(), "Expected three numbers in positions for each vertex");
  if (indices.size % 3 != 0) throw_invalid(value.Env(), "Expected three indices for each triangle");
  const size_t n = positions.size / 3;
  mesh.positions = copy(value.Env(), positions);
  mesh.indices = copy(value.Env(), indices);
  mesh.normals = copy(value.Env(), optional_array_in<float>(object.Get("normals"), 3 * n, "normals"));
  mesh.uvs = copy(value.Env(), optional_array_in<float>(object.Get("uvs"), 2 * n, "uvs"));
  mesh.colours = copy(value.Env(), optional_array_in<uint8_t>(object.Get("colours"), 3 * n, "colours"));
  return mesh;
}

PointCloud cloud_in(const Napi::Value& value) {
  const Napi::Object object = object_in(value, "cloud");
  PointCloud cloud;
  const auto positions = array_in<float>(object.Get("positions"), "positions");
  if (positions.size % 3 != 0) throw_invalid(value.Env(), "Expected three numbers in positions for each point");
  cloud.positions = copy(value.Env(), positions);
  cloud.normals = copy(value.Env(), optional_array_in<float>(object.Get("normals"), positions.size, "normals"));
  cloud.colours = copy(value.Env(), optional_array_in<uint8_t>(object.Get("colours"), positions.size, "colours"));
  return cloud;
}

Napi::Object give_mesh(Napi::Env env, const TriangleMesh& mesh) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("positions", array_of<Napi::Float32Array>(env, mesh.positions));
  out.Set("indices", array_of<Napi::Uint32Array>(env, mesh.indices));
  if (!mesh.normals.empty()) out.Set("normals", array_of<Napi::Float32Array>(env, mesh.normals));
  if (!mesh.uvs.empty()) out.Set("uvs", array_of<Napi::Float32Array>(env, mesh.uvs));
  if (!mesh.colours.empty()) out.Set("colours", array_of<Napi::Uint8Array>(env, mesh.colours));
  return out;
}

}  // namespace lineament::bindings
