// Fusion, surfaces from points, repair: what lib/native/surface.ts describes.
#include <array>
#include <cmath>
#include <memory>
#include <string>
#include <utility>

#include "bindings/arrays.h"
#include "bindings/cuda_geometry_bindings.h"
#include "bindings/exports.h"
#include "bindings/launch.h"
#include "bindings/mesh_values.h"
#include "mesh/holes.h"
#include "mesh/poisson.h"
#include "mesh/repair.h"
#include "mesh/smooth.h"
#include "mesh/topology.h"
#include "mesh/tsdf.h"

namespace lineament::bindings {
namespace {

// A whole number from 0 to 2^53.
uint64_t count_at(const Napi::Object& object, const char* key) {
  const double number = number_at(object, key);
  if (!(number >= 0 && number <= 9007199254740992.0 && number == std::floor(number))) {
    throw_invalid(object.Env(), std::string("Expected a whole number for ") + key);
  }
  return static_cast<uint64_t>(number);
}

void set_number(Napi::Object* object, const char* key, double value) {
  object->Set(key, Napi::Number::New(object->Env(), value));
}
void set_count(Napi::Object* object, const char* key, size_t value) {
  set_number(object, key, static_cast<double>(value));
}

// ---- Volumes

// What a volume's methods share; null once it is closed.
struct HeldVolume {
  std::shared_ptr<TsdfVolume> volume;
};
using HeldPtr = std::shared_ptr<HeldVolume>;

FusionFrame frame_in(const Napi::Env env, const Numbers<float>& depth, const Napi::Value& confidence,
                     const Napi::Value& rgb, const Napi::Object& camera, const Napi::Value& pose) {
  FusionFrame frame;
  frame.width = int_at(camera, "width");
  frame.height = int_at(camera, "height");
  if (frame.width < 1 || frame.height < 1 || frame.width > 65536 || frame.height > 65536) {
    throw_invalid(env, "Expected a positive width and height");
  }
  const size_t pixels = static_cast<size_t>(frame.width) * static_cast<size_t>(frame.height);
  if (depth.size != pixels) throw_invalid(env, "Expected a depth for each pixel");
  frame.depth = depth.data;
  const auto seen = optional_array_in<float>(confidence, pixels, "confidence");
  frame.confidence = seen.size == 0 ? nullptr : seen.data;
  const auto colours = optional_array_in<uint8_t>(rgb, 3 * pixels, "rgb");
  frame.rgb = colours.size == 0 ? nullptr : colours.data;
  frame.fx = number_at(camera, "fx");
  frame.fy = number_at(camera, "fy");
  frame.cx = number_at(camera, "cx");
  frame.cy = number_at(camera, "cy");
  const auto numbers = array_in<double>(pose, 16, "pose");
  std::copy(numbers.data, numbers.data + 16, frame.pose.begin());
  return frame;
}

// (executor, depth, confidence, rgb, camera, pose, token)
Napi::Value integrate(const Napi::CallbackInfo& info, const std::shared_ptr<TsdfVolume>& volume) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto depth = array_in<float>(info[1], "depth");
  const FusionFrame frame = frame_in(info.Env(), depth, info[2], info[3], object_in(info[4], "options"), info[5]);
  const auto work = [=](const CancelToken* token, IntegrateReport* report) {
    return volume->integrate(frame, *executor, token, report);
  };
  const auto give = [](Napi::Env env, const IntegrateReport& report) -> Napi::Value {
    Napi::Object out = Napi::Object::New(env);
    set_count(&out, "blocks", report.blocks);
    set_count(&out, "voxels", report.voxels);
    return out;
  };
  return launch<IntegrateReport>(info.Env(), executor, info[6], {info[1], info[2], info[3]}, work, give);
}

Napi::Value give_one_mesh(Napi::Env env, const TriangleMesh& mesh) { return give_mesh(env, mesh); }

// (executor, minimumWeight, token)
Napi::Value extract(const Napi::CallbackInfo& info, const std::shared_ptr<TsdfVolume>& volume) {
  const auto executor = ExecutorHandle::get(info[0]);
  if (!info[1].IsNumber()) throw_invalid(info.Env(), "Expected a number for minimumWeight");
  const double weight = info[1].As<Napi::Number>().DoubleValue();
  const auto work = [=](const CancelToken* token, TriangleMesh* mesh) {
    return volume->extract(weight, *executor, token, mesh);
  };
  return launch<TriangleMesh>(info.Env(), executor, info[2], {}, work, give_one_mesh);
}

template <typename Run>
void volume_method(Napi::Object object, const char* name, const HeldPtr& held, Run run) {
  set_method(object, name, [held, run](const Napi::CallbackInfo& info) -> Napi::Value {
    if (held->volume) return run(info, held->volume);
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(info.Env());
    deferred.Reject(to_error(info.Env(), Status(Code::kClosed, "The volume is closed")).Value());
    return deferred.Promise();
  });
}

Napi::Value wrap_volume(Napi::Env env, const std::shared_ptr<TsdfVolume>& volume) {
  const auto held = std::make_shared<HeldVolume>(HeldVolume{volume});
  Napi::Object out = Napi::Object::New(env);
  volume_method(out, "integrate", held, integrate);
  volume_method(out, "extract", held, extract);
  set_getter(out, "blocks", [held](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Number::New(info.Env(), held->volume ? static_cast<double>(held->volume->blocks()) : 0);
  });
  set_getter(out, "bytes", [held](const Napi::CallbackInfo& info) -> Napi::Value {
    return Napi::Number::New(info.Env(), held->volume ? static_cast<double>(held->volume->bytes()) : 0);
  });
  set_method(out, "close", [held](const Napi::CallbackInfo& info) -> Napi::Value {
    return Environment::of(info.Env()).launch_waiter([last = std::move(held->volume)]() mutable { last.reset(); });
  });
  return out;
}

// (executor, options)
Napi::Value create_volume(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object given = object_in(info[1], "options");
  const auto bounds = array_in<double>(given.Get("bounds"), 6, "bounds");
  VolumeOptions options;
  std::copy(bounds.data, bounds.data + 3, options.low.begin());
  std::copy(bounds.data + 3, bounds.data + 6, options.high.begin());
  options.voxel = number_at(given, "voxel");
  options.truncation = number_at(given, "truncation");
  options.carve = number_at(given, "carve");
  options.max_weight = number_at(given, "maxWeight");
  options.coloured = flag_at(given, "coloured");
  options.max_bytes = count_at(given, "maxBytes");
  using VolumePtr = std::shared_ptr<TsdfVolume>;
  const auto work = [options, cuda = cuda_in(given)](const CancelToken*, VolumePtr* volume) {
    std::unique_ptr<VoxelDevice> device;
    if (cuda) {
      auto voxels = cuda->volume(options.coloured);
      if (!voxels.ok()) return voxels.status();
      device = std::move(voxels.value());
    }
    auto made = TsdfVolume::make(options, std::move(device));
    if (made.ok()) *volume = std::move(made.value());
    return made.status();
  };
  return launch<VolumePtr>(info.Env(), executor, info.Env().Undefined(), {}, work, wrap_volume);
}

// (executor, depth, confidence, camera, pose)
Napi::Value depth_bounds(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto depth = array_in<float>(info[1], "depth");
  const FusionFrame frame =
      frame_in(info.Env(), depth, info[2], info.Env().Undefined(), object_in(info[3], "options"), info[4]);
  using Box = std::vector<double>;
  const auto work = [=](const CancelToken*, Box* box) {
    std::array<double, 3> low{}, high{};
    Status done = frame_bounds(frame, &low, &high);
    box->assign(low.begin(), low.end());
    box->insert(box->end(), high.begin(), high.end());
    return done;
  };
  const auto give = [](Napi::Env env, const Box& box) -> Napi::Value { return array_of<Napi::Float64Array>(env, box); };
  return launch<Box>(info.Env(), executor, info.Env().Undefined(), {info[1], info[2]}, work, give);
}

// ---- Meshes: (executor, mesh, options, token)

template <typename Report>
struct Changed {
  TriangleMesh mesh;
  Report report;
};

// Checks the mesh, changes it, gives it with the report's numbers.
template <typename Report, typename Change, typename Tell>
Napi::Value change_mesh(const Napi::CallbackInfo& info, Change change, Tell tell) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto work = [executor, change, mesh = std::make_shared<TriangleMesh>(mesh_in(info[1]))](
                        const CancelToken* token, Changed<Report>* out) {
    Status done = check_mesh(*mesh);
    if (!done.ok()) return done;
    out->mesh = std::move(*mesh);
    return change(*executor, token, &out->mesh, &out->report);
  };
  const auto give = [tell](Napi::Env env, const Changed<Report>& changed) -> Napi::Value {
    Napi::Object out = Napi::Object::New(env);
    out.Set("mesh", give_mesh(env, changed.mesh));
    tell(changed.report, &out);
    return out;
  };
  return launch<Changed<Report>>(info.Env(), executor, info[3], {}, work, give);
}

Napi::Value rebuild(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const Napi::Object given = object_in(info[2], "options");
  PoissonOptions options;
  options.resolution = int_at(given, "resolution");
  options.screening = number_at(given, "screening");
  options.iterations = int_at(given, "iterations");
  options.trim = number_at(given, "trim");
  options.max_bytes = count_at(given, "maxBytes");
  using Rebuilt = Changed<PoissonReport>;
  const auto work = [=, cloud = std::make_shared<PointCloud>(cloud_in(info[1]))](const CancelToken* token,
                                                                                 Rebuilt* out) {
    return poisson_surface(*cloud, options, *executor, token, &out->mesh, &out->report);
  };
  const auto give = [](Napi::Env env, const Rebuilt& rebuilt) -> Napi::Value {
    Napi::Object out = Napi::Object::New(env);
    out.Set("mesh", give_mesh(env, rebuilt.mesh));
    set_number(&out, "resolution", rebuilt.report.resolution);
    set_number(&out, "spacing", rebuilt.report.spacing);
    set_count(&out, "samples", rebuilt.report.samples);
    return out;
  };
  return launch<Rebuilt>(info.Env(), executor, info[3], {}, work, give);
}

Napi::Value close_holes(const Napi::CallbackInfo& info) {
  const Napi::Object given = object_in(info[2], "options");
  HoleOptions options;
  options.max_edges = static_cast<size_t>(count_at(given, "maxEdges"));
  options.max_perimeter = number_at(given, "maxPerimeter");
  options.refine = flag_at(given, "refine");
  const auto change = [options](Executor&, const CancelToken* token, TriangleMesh* mesh, HoleReport* report) {
    return fill_holes(options, token, mesh, report);
  };
  return change_mesh<HoleReport>(info, change, [](const HoleReport& report, Napi::Object* out) {
    set_count(out, "found", report.found);
    set_count(out, "filled", report.filled);
    set_count(out, "addedVertices", report.vertices);
    set_count(out, "addedTriangles", report.triangles);
  });
}

Napi::Value smooth(const Napi::CallbackInfo& info) {
  const Napi::Object given = object_in(info[2], "options");
  TaubinOptions options;
  options.iterations = int_at(given, "iterations");
  options.lambda = number_at(given, "lambda");
  options.pass_band = number_at(given, "passBand");
  const std::string border = string_at(given, "border");
  if (border != "fixed" && border != "along" && border != "free") throw_invalid(info.Env(), "Unknown border " + border);
  options.border = border == "fixed" ? BorderRule::kFixed : border == "along" ? BorderRule::kAlong : BorderRule::kFree;
  const auto change = [options](Executor& executor, const CancelToken* token, TriangleMesh* mesh, Nothing*) {
    return smooth_taubin(options, executor, token, mesh);
  };
  return change_mesh<Nothing>(info, change, [](const Nothing&, Napi::Object*) {});
}

Napi::Value clean(const Napi::CallbackInfo& info) {
  const Napi::Object given = object_in(info[2], "options");
  CleanOptions options;
  options.min_triangles = static_cast<size_t>(count_at(given, "minTriangles"));
  options.min_area_share = number_at(given, "minAreaShare");
  options.orient = flag_at(given, "orient");
  options.split = flag_at(given, "split");
  const auto change = [options](Executor&, const CancelToken* token, TriangleMesh* mesh, CleanReport* report) {
    return clean_mesh(options, token, mesh, report);
  };
  return change_mesh<CleanReport>(info, change, [](const CleanReport& report, Napi::Object* out) {
    set_count(out, "degenerateTriangles", report.degenerate);
    set_count(out, "duplicateTriangles", report.duplicate);
    set_count(out, "smallComponents", report.small_pieces);
    set_count(out, "smallComponentTriangles", report.small_triangles);
    set_count(out, "flippedTriangles", report.flipped);
    set_count(out, "splitVertices", report.split_vertices);
    set_count(out, "unusedVertices", report.unused_vertices);
  });
}

// (executor, mesh, token)
Napi::Value inspect(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto work = [mesh = std::make_shared<TriangleMesh>(mesh_in(info[1]))](const CancelToken* token,
                                                                              MeshReport* report) {
    const Status done = check_mesh(*mesh);
    return done.ok() ? inspect_mesh(*mesh, token, report) : done;
  };
  const auto give = [](Napi::Env env, const MeshReport& report) -> Napi::Value {
    Napi::Object out = Napi::Object::New(env);
    set_count(&out, "vertices", report.vertices);
    set_count(&out, "triangles", report.triangles);
    set_count(&out, "edges", report.edges.edges);
    set_count(&out, "unusedVertices", report.unused_vertices);
    set_count(&out, "components", report.components);
    set_count(&out, "boundaryEdges", report.edges.border);
    set_count(&out, "boundaryLoops", report.border_loops);
    set_count(&out, "nonManifoldEdges", report.edges.non_manifold);
    set_count(&out, "nonManifoldVertices", report.non_manifold_vertices);
    set_count(&out, "inconsistentEdges", report.edges.inconsistent);
    set_count(&out, "degenerateTriangles", report.degenerate_triangles);
    set_count(&out, "duplicateTriangles", report.duplicate_triangles);
    out.Set("watertight", report.watertight);
    out.Set("oriented", report.oriented);
    set_number(&out, "eulerCharacteristic", static_cast<double>(report.euler));
    set_number(&out, "area", report.area);
    if (report.watertight && report.oriented) set_number(&out, "volume", report.volume);
    return out;
  };
  return launch<MeshReport>(info.Env(), executor, info[2], {}, work, give);
}

}  // namespace

void export_surface(Napi::Object exports) {
  set_method(exports, "createVolume", create_volume);
  set_method(exports, "depthBounds", depth_bounds);
  set_method(exports, "rebuildSurface", rebuild);
  set_method(exports, "fillHoles", close_holes);
  set_method(exports, "smoothMesh", smooth);
  set_method(exports, "cleanMesh", clean);
  set_method(exports, "inspectMesh", inspect);
}

}  // namespace lineament::bindings
