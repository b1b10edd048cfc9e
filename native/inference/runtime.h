// An ONNX Runtime library: loaded, checked, with the one environment that its sessions share.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"
#include "inference/ort_api.h"

namespace lineament {

// Opened once per file and process and kept until the process ends: unloading ONNX Runtime is not safe while its
// threads sleep, and every Node environment (worker) of the process shares it. All members are thread-safe.
class Runtime {
 public:
  // Loads the library at `path` (links resolved), or gives the one already loaded. The symbols stay private to us
  // (RTLD_LOCAL); where the application has loaded the very same file, that one is used.
  // kRuntimeNotFound: no such file. kRuntimeIncompatible: not whole, not for this machine, not ONNX Runtime, or too
  // old.
  static Result<std::shared_ptr<Runtime>> open(const std::string& path);

  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  const std::string& path() const { return path_; }
  // Release of the library, such as "1.30.0".
  const std::string& version() const { return version_; }
  const ort::Api& api() const { return api_; }
  // Execution providers compiled into the library, by ONNX Runtime's names without "ExecutionProvider", lower case
  // ("cpu", "cuda", "tensorrt", "coreml", "dml").
  const std::vector<std::string>& providers() const { return providers_; }

  ort::Env* env() const { return env_; }
  // Whether sessions with this number of threads use the environment's pool.
  bool shares(int threads) const { return threads > 1 && threads == shared_threads_.load(); }
  void stop_sharing() { shared_threads_ = 0; }
  const ort::MemoryInfo* cpu_memory() const { return cpu_memory_; }
  ort::Allocator* allocator() const { return allocator_; }
  // Address of an exported function, or null.
  void* symbol(const char* name) const;

  // Turns ONNX Runtime's status into ours (and frees it); null is ok. `code` is what a failure means here.
  Status take(ort::Status* status, Code code, const std::string& what) const;

 private:
  Runtime() = default;
  Status load(const std::string& path);
  Status create_environment();
  Status share_arena();

  std::string path_;
  std::string version_;
  void* library_ = nullptr;
  ort::Api api_;
  ort::Env* env_ = nullptr;
  std::atomic<int> shared_threads_{0};
  ort::MemoryInfo* cpu_memory_ = nullptr;
  ort::Allocator* allocator_ = nullptr;
  std::vector<std::string> providers_;
};

}  // namespace lineament
