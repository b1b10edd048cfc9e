#include "bindings/cuda_bindings.h"

#include <cmath>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/cuda_geometry_bindings.h"
#include "bindings/environment.h"
#include "bindings/index_object.h"
#include "bindings/launch.h"
#include "bindings/search_bindings_values.h"
#include "bindings/values.h"
#include "search/cuda_index.h"

namespace lineament::bindings {
namespace {

using IndexPtr = std::shared_ptr<CudaIndex>;

// Methods: as in search_bindings.cpp, with the index on the device.

Napi::Value add(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  std::vector<int64_t> keys = keys_in(info[1], "keys");
  const auto vectors = array_in<float>(info[2], "vectors");
  if (vectors.size != keys.size() * index->dims()) throw_invalid(env, "Expected dims numbers in vectors for each key");
  const bool has_groups = !info[3].IsUndefined();
  std::vector<uint32_t> groups;
  if (has_groups) groups = groups_in(info[3], "groups");
  if (has_groups && groups.size() != keys.size()) throw_invalid(env, "Expected one group for each key");
  if (!info[4].IsBoolean()) throw_invalid(env, "Expected a boolean for replace");
  const bool replace = info[4].As<Napi::Boolean>().Value();
  const auto work = [=, data = vectors.data](const CancelToken* token, Nothing*) {
    return index->put(keys.data(), data, has_groups ? groups.data() : nullptr, keys.size(), replace, *executor, token);
  };
  return launch<Nothing>(env, executor, info[5], {info[2]}, work, give_nothing);
}

Napi::Value remove(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto work = [index, keys = keys_in(info[1], "keys")](const CancelToken*, size_t* removed) {
    const Result<size_t> done = index->remove(keys.data(), keys.size());
    if (done.ok()) *removed = done.value();
    return done.status();
  };
  const auto give = [](Napi::Env env, size_t removed) -> Napi::Value {
    return Napi::Number::New(env, static_cast<double>(removed));
  };
  return launch<size_t>(info.Env(), executor, info[2], {}, work, give);
}

Napi::Value search(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const auto queries = array_in<float>(info[1], "queries");
  if (queries.size % index->dims() != 0) throw_invalid(env, "Expected a multiple of dims numbers for queries");
  using Hits = std::vector<std::vector<Hit>>;
  const auto work = [=, rules = rules_in(info[2])](const CancelToken* token, Hits* hits) {
    return index->search(queries.data, queries.size / index->dims(), rules, *executor, token, hits);
  };
  const auto give = [](Napi::Env to, const Hits& hits) -> Napi::Value {
    std::vector<size_t> counts;
    std::vector<int64_t> keys;
    std::vector<double> scores;
    for (const std::vector<Hit>& one : hits) {
      counts.push_back(one.size());
      for (const Hit& hit : one) {
        keys.push_back(hit.key);
        scores.push_back(hit.score);
      }
    }
    Napi::Object out = Napi::Object::New(to);
    out.Set("counts", array_of<Napi::Uint32Array>(to, counts));
    out.Set("keys", array_of<Napi::Float64Array>(to, keys));
    out.Set("similarities", array_of<Napi::Float64Array>(to, scores));
    return out;
  };
  return launch<Hits>(env, executor, info[3], {info[1]}, work, give);
}

Napi::Value lookup(const Napi::CallbackInfo& info, const IndexPtr& index) {
  struct Found {
    std::vector<int64_t> keys;
    std::vector<uint32_t> groups;
  };
  const auto executor = ExecutorHandle::get(info[0]);
  const auto work = [index, keys = keys_in(info[1], "keys")](const CancelToken*, Found* found) {
    index->lookup(keys, &found->keys, &found->groups);
    return Status();
  };
  const auto give = [](Napi::Env env, const Found& found) -> Napi::Value {
    Napi::Object out = Napi::Object::New(env);
    out.Set("keys", array_of<Napi::Float64Array>(env, found.keys));
    out.Set("groups", array_of<Napi::Uint32Array>(env, found.groups));
    return out;
  };
  return launch<Found>(info.Env(), executor, info.Env().Undefined(), {}, work, give);
}

Napi::Value save(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto work = [=, path = path_in(info[1])](const CancelToken* token, Nothing*) {
    return index->save(path, *executor, token);
  };
  return launch<Nothing>(info.Env(), executor, info[2], {}, work, give_nothing);
}

Napi::Value load(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto work = [=, path = path_in(info[1])](const CancelToken* token, Nothing*) {
    return index->load(path, *executor, token);
  };
  return launch<Nothing>(info.Env(), executor, info[2], {}, work, give_nothing);
}

// Nothing of it is mapped from a file.
Napi::Value verify(const Napi::CallbackInfo& info, const IndexPtr&) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto work = [](const CancelToken*, Nothing*) { return Status(); };
  return launch<Nothing>(info.Env(), executor, info[1], {}, work, give_nothing);
}

Napi::Object wrap_index(Napi::Env env, const IndexPtr& index) {
  IndexObject out(env, index);
  out.object().Set("dims", static_cast<double>(index->dims()));
  out.object().Set("precision", name_of(IndexPrecision::kExact));
  out.fact("size", [](const CudaIndex& i) { return i.size(); });
  out.fact("bytes", [](const CudaIndex& i) { return i.bytes(); });
  out.fact("mappedBytes", [](const CudaIndex&) { return 0; });
  out.fact("deviceBytes", [](const CudaIndex& i) { return i.device_bytes(); });
  out.fact("revision", [](const CudaIndex& i) { return i.revision(); });
  out.method("add", add);
  out.method("remove", remove);
  out.method("search", search);
  out.method("lookup", lookup);
  out.method("save", save);
  out.method("load", load);
  out.method("verify", verify);
  return out.object();
}

// Making an index and asking for devices start the driver, which takes long: off the environment's thread.
Napi::Value create_cuda_index(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const size_t dims = dims_in(info[2]);
  const double device = info[3].IsNumber() ? info[3].As<Napi::Number>().DoubleValue() : -1;
  if (!(device >= 0 && device < 1024 && device == std::floor(device))) throw_invalid(env, "Expected a device number");
  const double most = info[4].IsNumber() ? info[4].As<Napi::Number>().DoubleValue() : -1;
  if (!(most >= 0 && most <= static_cast<double>(kMostKey))) throw_invalid(env, "Expected bytes, 0 for no limit");
  const auto work = [=, path = path_in(info[1])](const CancelToken*, IndexPtr* index) {
    auto made = CudaIndex::make(path, static_cast<int>(device), dims, static_cast<uint64_t>(most));
    if (made.ok()) *index = std::move(made.value());
    return made.status();
  };
  const auto give = [](Napi::Env to, const IndexPtr& index) -> Napi::Value { return wrap_index(to, index); };
  return launch<IndexPtr>(env, executor, env.Undefined(), {}, work, give);
}

Napi::Value give_report(Napi::Env env, const CudaReport& report) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("state", cuda_state_name(report.state));
  out.Set("path", report.path);
  if (!report.problem.empty()) out.Set("problem", report.problem);
  if (!report.fix.empty()) out.Set("fix", report.fix);
  if (report.driver_version > 0) out.Set("driverVersion", report.driver_version);
  if (report.runtime_version > 0) out.Set("runtimeVersion", report.runtime_version);
  out.Set("reference", report.reference);
  Napi::Array devices = Napi::Array::New(env, report.devices.size());
  for (size_t i = 0; i < report.devices.size(); ++i) {
    const CudaDeviceInfo& device = report.devices[i];
    Napi::Object one = Napi::Object::New(env);
    one.Set("name", device.name);
    one.Set("capability", std::to_string(device.major) + "." + std::to_string(device.minor));
    one.Set("multiprocessors", device.multiprocessors);
    one.Set("memory", static_cast<double>(device.memory));
    one.Set("freeMemory", static_cast<double>(device.free_memory));
    one.Set("usable", device.usable);
    if (!device.problem.empty()) one.Set("problem", device.problem);
    devices.Set(static_cast<uint32_t>(i), one);
  }
  out.Set("devices", devices);
  return out;
}

Napi::Value report_cuda(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const auto work = [path = path_in(info[1])](const CancelToken*, CudaReport* report) {
    *report = cuda_report(path);
    return Status();
  };
  return launch<CudaReport>(info.Env(), executor, info.Env().Undefined(), {}, work, give_report);
}

}  // namespace

void export_cuda(Napi::Object exports) {
  set_method(exports, "cudaReport", report_cuda);
  set_method(exports, "createCudaIndex", create_cuda_index);
  export_cuda_geometry(exports);
}

}  // namespace lineament::bindings
