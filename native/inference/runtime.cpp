#include "inference/runtime.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/cpu.h"
#include "inference/dynamic_library.h"
#include "inference/in_flight.h"
#include "inference/library_file.h"
#include "inference/ort_ptr.h"

namespace lineament {

namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Runtime>> open;
};

// Never freed, as the libraries are never unloaded.
Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

// "1.30.0" → 1 and 30; false for anything else.
bool parse_version(std::string_view text, uint32_t* major, uint32_t* minor) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, *major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != '.') return false;
  return std::from_chars(first.ptr + 1, end, *minor).ec == std::errc();
}

// "CUDAExecutionProvider" → "cuda"; TensorRT's newer name is kept apart ("nvtensorrtrtx").
std::string short_name(std::string name) {
  constexpr std::string_view kSuffix = "ExecutionProvider";
  if (name.size() > kSuffix.size() && name.ends_with(kSuffix)) name.resize(name.size() - kSuffix.size());
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

}  // namespace

Status Runtime::take(ort::Status* status, Code code, const std::string& what) const {
  if (status == nullptr) return Status();
  Status out(code, what + ": " + api_.GetErrorMessage(status));
  api_.ReleaseStatus(status);
  return out;
}

void* Runtime::symbol(const char* name) const { return find_symbol(library_, name); }

Status Runtime::load(const std::string& path) {
  path_ = path;
  const auto incompatible = [&path](const std::string& why) {
    return Status(Code::kRuntimeIncompatible, path + " " + why);
  };
  if (Status checked = check_library_file(path); !checked.ok()) return checked;

  std::string error;
  library_ = load_library(path, &error);
  if (library_ == nullptr) {
    return incompatible("cannot be loaded: " + error +
                        "; install onnxruntime-node (or the platform package) for this system");
  }
  const auto get_base = reinterpret_cast<ort::GetApiBase>(find_symbol(library_, "OrtGetApiBase"));
  const ort::ApiBase* base = get_base != nullptr ? get_base() : nullptr;
  if (base == nullptr) return incompatible("is not ONNX Runtime: it does not export OrtGetApiBase");

  // GetApi() prints to stderr when it refuses, so the release is compared first: release 1.N has version N of the
  // table.
  version_ = base->GetVersionString();
  uint32_t major = 0;
  uint32_t minor = 0;
  const bool known = parse_version(version_, &major, &minor);
  if (!known || major != 1 || minor < ort::kApiVersion) {
    return incompatible("is ONNX Runtime " + version_ + "; release " + ort::kOldestRelease +
                        " or a newer 1.x is needed");
  }
  const void* table = base->GetApi(ort::kApiVersion);
  if (table == nullptr || !api_.bind(table)) {
    return incompatible("is ONNX Runtime " + version_ + " and does not offer version " +
                        std::to_string(ort::kApiVersion) + " of its C API");
  }
  // One round trip through the table before anything depends on it.
  ort::Status* echo = api_.CreateStatus(ort::kNotImplemented, "lineament");
  const bool sound = echo != nullptr && api_.GetErrorCode(echo) == ort::kNotImplemented &&
                     std::strcmp(api_.GetErrorMessage(echo), "lineament") == 0;
  if (echo != nullptr) api_.ReleaseStatus(echo);
  if (!sound) return incompatible("is ONNX Runtime " + version_ + " with a C API that does not answer as documented");

  const Code failed = Code::kRuntimeIncompatible;
  if (Status s = create_environment(); !s.ok()) return s;
  if (Status s = take(api_.CreateCpuMemoryInfo(ort::kDeviceAllocator, ort::kMemTypeDefault, &cpu_memory_), failed,
                      "CreateCpuMemoryInfo");
      !s.ok()) {
    return s;
  }
  if (Status s = take(api_.GetAllocatorWithDefaultOptions(&allocator_), failed, "GetAllocatorWithDefaultOptions");
      !s.ok()) {
    return s;
  }
  if (Status s = share_arena(); !s.ok()) return s;
  char** names = nullptr;
  int count = 0;
  if (Status s = take(api_.GetAvailableProviders(&names, &count), failed, "GetAvailableProviders"); !s.ok()) return s;
  for (int i = 0; i < count; ++i) providers_.push_back(short_name(names[i]));
  (void)take(api_.ReleaseAvailableProviders(names, count), failed, "ReleaseAvailableProviders");
  return Status();
}

// One pool of threads for all sessions that want every processor, and it spins for a moment after a run: the next
// network of a picture finds it awake, where pools of their own must be woken for each network or spin against each
// other. Measured on two cores, medians of a call with one face, interleaved: balanced 39 ms with this one, 44 with
// pools of their own that spin for 0.5, 2 or 10 ms. What it costs: some 100 ms of processor time at start-up.
Status Runtime::create_environment() {
  const Code failed = Code::kRuntimeIncompatible;
  ort::ThreadingOptions* threading = nullptr;
  if (Status s = take(api_.CreateThreadingOptions(&threading), failed, "CreateThreadingOptions"); !s.ok()) return s;
  const auto owned = own(threading, api_.ReleaseThreadingOptions);
  shared_threads_ = usable_cores();
  if (Status s = take(api_.SetGlobalIntraOpNumThreads(threading, shared_threads_), failed, "Threads"); !s.ok())
    return s;
  if (Status s = take(api_.SetGlobalInterOpNumThreads(threading, 1), failed, "Threads"); !s.ok()) return s;
  if (Status s = take(api_.SetGlobalSpinControl(threading, 1), failed, "Threads"); !s.ok()) return s;
  return take(api_.CreateEnvWithGlobalThreadPools(ort::kLogFatal, "lineament", threading, &env_), failed, "CreateEnv");
}

// One arena for what networks compute, shared by all sessions, grown by what is asked for: networks run in turns, so
// the largest of them decides, where an arena for each adds up (and doubles as it grows). With the memory patterns off
// as well (session_options.cpp), the balanced preset holds a quarter less memory after ten calls, at the same speed.
Status Runtime::share_arena() {
  const Code failed = Code::kRuntimeIncompatible;
  ort::MemoryInfo* memory = nullptr;
  if (Status s = take(api_.CreateCpuMemoryInfo(ort::kArenaAllocator, ort::kMemTypeDefault, &memory), failed,
                      "CreateCpuMemoryInfo");
      !s.ok()) {
    return s;
  }
  const auto owned_memory = own(memory, api_.ReleaseMemoryInfo);
  ort::ArenaCfg* arena = nullptr;
  if (Status s = take(api_.CreateArenaCfg(0, ort::kSameAsRequested, -1, -1, &arena), failed, "CreateArenaCfg");
      !s.ok()) {
    return s;
  }
  const auto owned_arena = own(arena, api_.ReleaseArenaCfg);
  // Refused where an application that used this library first has registered one: then that one serves.
  (void)take(api_.CreateAndRegisterAllocator(env_, memory, arena), failed, "CreateAndRegisterAllocator");
  return Status();
}

Result<std::shared_ptr<Runtime>> Runtime::open(const std::string& path) {
  std::error_code error;
  std::filesystem::path resolved = std::filesystem::canonical(path, error);
  const std::string key = error ? path : resolved.string();

  Registry& all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  if (const auto found = all.open.find(key); found != all.open.end()) return found->second;
  std::shared_ptr<Runtime> runtime(new Runtime);
  if (Status status = runtime->load(key); !status.ok()) return status;
  InFlight::watch_exit();
  all.open.emplace(key, runtime);
  return runtime;
}

}  // namespace lineament
