// Files of meshes and point clouds; lib/native/mesh-files.ts describes them.
#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "bindings/arrays.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "mesh/mesh_file.h"

namespace lineament::bindings {
namespace {

MeshFormat format_in(const Napi::Value& value) {
  const std::string name = value.ToString().Utf8Value();
  if (name == "ply") return MeshFormat::kPly;
  if (name == "glb") return MeshFormat::kGlb;
  if (name == "obj") return MeshFormat::kObj;
  if (name == "stl") return MeshFormat::kStl;
  if (name == "xyz") return MeshFormat::kXyz;
  throw_invalid(value.Env(), "Unknown format of meshes: " + name);
}

MeshView mesh_in(const Napi::Object& mesh) {
  const auto positions = array_in<float>(mesh.Get("positions"), "positions");
  if (positions.size % 3 != 0) throw_invalid(mesh.Env(), "Expected three numbers in positions for each vertex");
  MeshView out;
  out.vertices = positions.size / 3;
  out.positions = positions.data;
  const Napi::Value indices = mesh.Get("indices");
  if (!indices.IsUndefined()) {
    const auto found = array_in<uint32_t>(indices, "indices");
    if (found.size % 3 != 0) throw_invalid(mesh.Env(), "Expected three indices for each triangle");
    out.triangles = found.size / 3;
    out.indices = found.data;
  }
  out.normals = optional_array_in<float>(mesh.Get("normals"), 3 * out.vertices, "normals").data;
  out.uvs = optional_array_in<float>(mesh.Get("uvs"), 2 * out.vertices, "uvs").data;
  out.colours = optional_array_in<uint8_t>(mesh.Get("colours"), 3 * out.vertices, "colours").data;
  return out;
}

Result<MeshBytes> write(MeshFormat format, const MeshView& mesh, const MeshWriting& how, Executor& executor,
                        const CancelToken* token) {
  switch (format) {
    case MeshFormat::kPly:
      return write_ply(mesh, how, executor, token);
    case MeshFormat::kObj:
      return write_obj(mesh, how, executor, token);
    case MeshFormat::kStl:
      return write_stl(mesh, how, executor, token);
    case MeshFormat::kXyz:
      return write_xyz(mesh, how, executor, token);
    case MeshFormat::kGlb:
      break;
  }
  return Status(Code::kInvalidArgument, "GLB is not written here");
}

Napi::Value encode_mesh(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const MeshFormat format = format_in(info[1]);
  const Napi::Object mesh = object_in(info[2], "mesh");
  const Napi::Object options = object_in(info[3], "options");
  MeshWriting how;
  how.ascii = flag_at(options, "ascii");
  how.turned = flag_at(options, "turned");
  how.comment = string_at(options, "comment");
  how.material = string_at(options, "material");
  how.library = string_at(options, "library");
  const auto work = [=, view = mesh_in(mesh)](const CancelToken* token, MeshBytes* bytes) {
    Result<MeshBytes> written = write(format, view, how, *executor, token);
    if (!written.ok()) return written.status();
    *bytes = std::move(written.value());
    return Status();
  };
  const auto give_bytes = [](Napi::Env env, MeshBytes& bytes) -> Napi::Value {
    return Napi::Uint8Array::New(env, bytes.size, give(env, std::move(bytes.data), bytes.size), 0);
  };
  return launch<MeshBytes>(
      info.Env(), executor, info[4],
      {mesh.Get("positions"), mesh.Get("indices"), mesh.Get("normals"), mesh.Get("uvs"), mesh.Get("colours")}, work,
      give_bytes);
}

Napi::Value give_file(Napi::Env env, const MeshFile& file) {
  Napi::Array levels = Napi::Array::New(env, file.levels.size());
  for (size_t i = 0; i < file.levels.size(); ++i) {
    const TriangleMesh& mesh = file.levels[i];
    Napi::Object level = Napi::Object::New(env);
    level.Set("positions", array_of<Napi::Float32Array>(env, mesh.positions));
    level.Set("indices", array_of<Napi::Uint32Array>(env, mesh.indices));
    if (!mesh.normals.empty()) level.Set("normals", array_of<Napi::Float32Array>(env, mesh.normals));
    if (!mesh.uvs.empty()) level.Set("uvs", array_of<Napi::Float32Array>(env, mesh.uvs));
    if (!mesh.colours.empty()) level.Set("colours", array_of<Napi::Uint8Array>(env, mesh.colours));
    levels.Set(static_cast<uint32_t>(i), level);
  }
  Napi::Array images = Napi::Array::New(env, file.images.size());
  for (size_t i = 0; i < file.images.size(); ++i) {
    Napi::Object image = Napi::Object::New(env);
    image.Set("mimeType", file.images[i].mime);
    image.Set("offset", static_cast<double>(file.images[i].offset));
    image.Set("size", static_cast<double>(file.images[i].size));
    images.Set(static_cast<uint32_t>(i), image);
  }
  Napi::Object out = Napi::Object::New(env);
  out.Set("levels", levels);
  out.Set("images", images);
  if (file.texture >= 0) out.Set("texture", file.texture);
  if (!file.library.empty()) out.Set("library", file.library);
  return out;
}

Napi::Value decode_mesh(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const MeshFormat format = format_in(info[1]);
  const Bytes bytes = bytes_of(info[2], "bytes");
  const Napi::Object options = object_in(info[3], "options");
  const bool turned = flag_at(options, "turned");
  const auto scale = static_cast<float>(number_at(options, "scale"));
  MeshLimits limits;
  limits.vertices = static_cast<size_t>(std::max(0, int_at(options, "vertices")));
  limits.triangles = static_cast<size_t>(std::max(0, int_at(options, "triangles")));
  const auto work = [=](const CancelToken* token, MeshFile* file) {
    Result<MeshFile> read = read_mesh_file(format, bytes.data, bytes.size, turned, scale, limits, token);
    if (!read.ok()) return read.status();
    *file = std::move(read.value());
    return Status();
  };
  return launch<MeshFile>(info.Env(), executor, info[4], {info[2]}, work, give_file);
}

}  // namespace

void export_mesh_files(Napi::Object exports) {
  set_method(exports, "encodeMesh", encode_mesh);
  set_method(exports, "decodeMesh", decode_mesh);
}

}  // namespace lineament::bindings
