#include "inference/session_options.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace lineament {

namespace {

// Our name of a provider, the library's (as Runtime::providers() gives it), and the one that its generic call takes.
struct Provider {
  const char* name;
  const char* listed;
  const char* generic;
};
constexpr Provider kProviders[] = {
    {"cuda", "cuda", "CUDA"},       {"tensorrt", "tensorrt", "TensorRT"}, {"coreml", "coreml", "CoreML"},
    {"directml", "dml", "DML"},     {"xnnpack", "xnnpack", "XNNPACK"},    {"qnn", "qnn", "QNN"},
    {"webgpu", "webgpu", "WebGPU"}, {"openvino", "openvino", "OpenVINO"},
};

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

ort::Status* append_cuda(const ort::Api& api, ort::SessionOptions* options) {
  ort::CudaOptions* cuda = nullptr;
  if (ort::Status* status = api.CreateCUDAProviderOptions(&cuda)) return status;
  const auto owned = own(cuda, api.ReleaseCUDAProviderOptions);
  return api.SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda);
}

ort::Status* append_tensorrt(const ort::Api& api, ort::SessionOptions* options) {
  ort::TensorRtOptions* tensorrt = nullptr;
  if (ort::Status* status = api.CreateTensorRTProviderOptions(&tensorrt)) return status;
  const auto owned = own(tensorrt, api.ReleaseTensorRTProviderOptions);
  return api.SessionOptionsAppendExecutionProvider_TensorRT_V2(options, tensorrt);
}

ort::Status* append(const Runtime& runtime, const Provider& provider, ort::SessionOptions* options) {
  const ort::Api& api = runtime.api();
  const std::string name = provider.name;
  if (name == "cuda") return append_cuda(api, options);
  if (name == "tensorrt") return append_tensorrt(api, options);
  // Libraries built for these two export a function of their own; newer ones take them through the generic call as
  // well.
  if (name == "coreml") {
    using Function = ort::Status*(LINEAMENT_ORT_CALL*)(ort::SessionOptions*, uint32_t flags);
    const auto function = reinterpret_cast<Function>(runtime.symbol("OrtSessionOptionsAppendExecutionProvider_CoreML"));
    if (function != nullptr) return function(options, 0);
  }
  if (name == "directml") {
    using Function = ort::Status*(LINEAMENT_ORT_CALL*)(ort::SessionOptions*, int device);
    const auto function = reinterpret_cast<Function>(runtime.symbol("OrtSessionOptionsAppendExecutionProvider_DML"));
    if (function != nullptr) return function(options, 0);
  }
  return api.SessionOptionsAppendExecutionProvider(options, provider.generic, nullptr, nullptr, 0);
}

Status add_provider(const Runtime& runtime, const std::string& name, ort::SessionOptions* options) {
  if (name == "cpu") return Status();  // always there, always last
  const auto* provider = std::find_if(std::begin(kProviders), std::end(kProviders),
                                      [&name](const Provider& one) { return name == one.name; });
  const std::vector<std::string>& listed = runtime.providers();
  const std::string library = "the ONNX Runtime " + runtime.version() + " at " + runtime.path();
  if (provider == std::end(kProviders) || std::find(listed.begin(), listed.end(), provider->listed) == listed.end()) {
    return Status(Code::kProviderUnavailable,
                  "The execution provider '" + name + "' is not in " + library + ", which has: " + joined(listed));
  }
  return runtime.take(append(runtime, *provider, options), Code::kProviderUnavailable,
                      "The execution provider '" + name + "' of " + library + " does not start");
}

}  // namespace

Result<OrtPtr<ort::SessionOptions>> make_session_options(const Runtime& runtime, const SessionOptions& options) {
  const ort::Api& api = runtime.api();
  ort::SessionOptions* raw = nullptr;
  if (Status status = runtime.take(api.CreateSessionOptions(&raw), Code::kInternal, "CreateSessionOptions");
      !status.ok()) {
    return status;
  }
  OrtPtr<ort::SessionOptions> out = own(raw, api.ReleaseSessionOptions);

  ort::Status* failed = nullptr;
  const auto apply = [&failed](ort::Status* status) {
    if (failed == nullptr) failed = status;
  };
  apply(api.SetSessionLogSeverityLevel(raw, ort::kLogFatal));  // what goes wrong comes back as a status
  apply(api.SetSessionGraphOptimizationLevel(raw, ort::kOptimiseAll));
  apply(api.SetSessionExecutionMode(raw, ort::kSequential));
  // One thread needs no pool; any other number than the shared pool's gets a pool of the session's own, whose threads
  // sleep between runs: several pools that spin take the processors from each other.
  const bool shared = !options.own_pool && runtime.shares(options.threads);
  apply(shared ? api.DisablePerSessionThreads(raw) : api.SetIntraOpNumThreads(raw, options.threads));
  apply(api.SetInterOpNumThreads(raw, 1));
  // The arena is the runtime's (Runtime::share_arena); weights stay out of it, so that they go with their session.
  apply(api.DisableMemPattern(raw));
  apply(api.AddSessionConfigEntry(raw, "session.use_env_allocators", "1"));
  apply(api.AddSessionConfigEntry(raw, "session.use_device_allocator_for_initializers", "1"));
  apply(api.AddSessionConfigEntry(raw, "session.intra_op.allow_spinning", "0"));
  apply(api.AddSessionConfigEntry(raw, "session.force_spinning_stop", "1"));
  if (Status status = runtime.take(failed, Code::kInternal, "Session options"); !status.ok()) return status;

  for (const std::string& name : options.providers) {
    if (Status status = add_provider(runtime, name, raw); !status.ok()) return status;
  }
  return out;
}

}  // namespace lineament
