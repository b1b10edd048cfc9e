// lineament_open3d.node: what lib/native/open3d.ts describes. It has threads, tokens and buffers of its own; nothing of
// lineament.node is shared with it but the sources.
#include <napi.h>

#include <open3d/Open3DConfig.h>

#include <memory>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/environment.h"
#include "bindings/launch.h"
#include "bindings/values.h"
#include "open3d/rebuild.h"

#define LINEAMENT_TEXT_OF(token) #token
#define LINEAMENT_TEXT(token) LINEAMENT_TEXT_OF(token)

namespace lineament::bindings {
namespace {

// positions, normals, colours (or undefined).
rebuild::Cloud cloud_in(const Napi::CallbackInfo& info) {
  const auto positions = array_in<float>(info[1], "positions");
  if (positions.size % 3 != 0) throw_invalid(info.Env(), "Expected three numbers for each point");
  const auto normals = array_in<float>(info[2], positions.size, "normals");
  const auto colours = optional_array_in<uint8_t>(info[3], positions.size, "colours");
  return {positions.data, normals.data, colours.data, positions.size / 3};
}

Napi::Value give_mesh(Napi::Env env, const TriangleMesh& mesh) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("positions", array_of<Napi::Float32Array>(env, mesh.positions));
  out.Set("indices", array_of<Napi::Uint32Array>(env, mesh.indices));
  out.Set("normals", array_of<Napi::Float32Array>(env, mesh.normals));
  if (!mesh.colours.empty()) out.Set("colours", array_of<Napi::Uint8Array>(env, mesh.colours));
  return out;
}

Napi::Value poisson(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const rebuild::Cloud cloud = cloud_in(info);
  if (!info[4].IsObject()) throw_invalid(env, "Expected an object for the options");
  const auto options = info[4].As<Napi::Object>();
  rebuild::PoissonRule rule;
  rule.depth = int_at(options, "depth");
  rule.scale = number_at(options, "scale");
  rule.linear_fit = options.Get("linear").ToBoolean();
  rule.density_trim = number_at(options, "trim");
  rule.threads = int_at(options, "threads");
  if (rule.depth < rebuild::kLeastDepth || rule.depth > rebuild::kMostDepth || !(rule.scale >= 1 && rule.scale <= 16) ||
      !(rule.density_trim >= 0 && rule.density_trim < 1) || rule.threads < 1 || rule.threads > 256) {
    throw_invalid(env, "Expected a depth from 2 to 12, a scale from 1 to 16, a trim below 1 and 1 to 256 threads");
  }
  const auto work = [=](const CancelToken* token, TriangleMesh* mesh) {
    return rebuild::poisson(cloud, rule, token, mesh);
  };
  return launch<TriangleMesh>(env, executor, info[5], {info[1], info[2], info[3]}, work, give_mesh);
}

Napi::Value ball_pivoting(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const rebuild::Cloud cloud = cloud_in(info);
  std::vector<double> radii;
  if (!info[4].IsUndefined()) radii = numbers_of(info[4], 1, "radii");
  for (const double radius : radii) {
    if (!(radius > 0)) throw_invalid(env, "Expected radii above zero");
  }
  const auto work = [=](const CancelToken* token, TriangleMesh* mesh) {
    return rebuild::ball_pivoting(cloud, radii, token, mesh);
  };
  return launch<TriangleMesh>(env, executor, info[5], {info[1], info[2], info[3]}, work, give_mesh);
}

Napi::Value give_topology(Napi::Env env, const rebuild::Topology& topology) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("edgeManifold", topology.edge_manifold);
  out.Set("closed", topology.closed);
  out.Set("vertexManifold", topology.vertex_manifold);
  out.Set("orientable", topology.orientable);
  out.Set("selfIntersecting", topology.self_intersecting);
  out.Set("watertight", topology.watertight);
  out.Set("euler", static_cast<double>(topology.euler));
  out.Set("components", static_cast<double>(topology.components));
  return out;
}

Napi::Value topology(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto positions = array_in<float>(info[1], "positions");
  const auto indices = array_in<uint32_t>(info[2], "indices");
  TriangleMesh mesh;
  mesh.positions.assign(positions.data, positions.data + positions.size);
  mesh.indices.assign(indices.data, indices.data + indices.size);
  const auto work = [mesh = std::move(mesh)](const CancelToken* token, rebuild::Topology* out) {
    return rebuild::topology(mesh, token, out);
  };
  return launch<rebuild::Topology>(info.Env(), executor, info[3], {}, work, give_topology);
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Environment(env));
  exports.Set("version", LINEAMENT_TEXT(LINEAMENT_VERSION));
  exports.Set("open3d", OPEN3D_VERSION);
  set_method(exports, "createToken", create_token);
  set_method(exports, "createExecutor", create_executor);
  set_method(exports, "poisson", poisson);
  set_method(exports, "ballPivoting", ball_pivoting);
  set_method(exports, "topology", topology);
  return exports;
}

}  // namespace
}  // namespace lineament::bindings

static Napi::Object init_addon(Napi::Env env, Napi::Object exports) { return lineament::bindings::init(env, exports); }

NODE_API_MODULE(lineament_open3d, init_addon)
