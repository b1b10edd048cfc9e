// Finding out about, and loading, the CUDA plugin.
//
// Nothing here is done unless it is asked for: the library, the driver and the devices are not touched before the first
// call. A library that is loaded stays loaded.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"
#include "include/lineament_cuda.h"

namespace lineament {

// How far the way to a device goes.
enum class CudaState {
  kNoLibrary,     // there is no such file
  kUnloadable,    // it is not a library for this machine, or the loader refuses it
  kWrongVersion,  // it is of another version than this addon
  kNoDriver,      // no NVIDIA driver, or one that is too old
  kNoDevice,
  kFailed,  // the driver reported something else
  kReady,   // at least one device; whether it can be used is said of each
};

const char* cuda_state_name(CudaState state);

struct CudaDeviceInfo {
  std::string name;
  int major = 0, minor = 0;  // compute capability
  int multiprocessors = 0;
  bool usable = false;
  uint64_t memory = 0, free_memory = 0;  // bytes
  std::string problem;                   // why it cannot be used
};

struct CudaReport {
  CudaState state = CudaState::kNoLibrary;
  std::string path;
  std::string problem;                          // empty where ready
  std::string fix;                              // what to do about it
  int driver_version = 0, runtime_version = 0;  // 1000 × major + 10 × minor, 0 where unknown
  bool reference = false;                       // no GPU: the kernels' bodies on the processor, for tests
  std::vector<CudaDeviceInfo> devices;
};

// A plugin whose version fits. Constant; thread-safe.
class CudaPlugin {
 public:
  // The same file twice gives the same plugin. kProviderUnavailable with the reason and the fix.
  static Result<std::shared_ptr<const CudaPlugin>> load(const std::string& path);

  const std::string& path() const { return path_; }
  const lineament_cuda_functions& functions() const { return *functions_; }

 private:
  friend CudaReport cuda_report(const std::string& path);
  static std::shared_ptr<const CudaPlugin> try_load(const std::string& path, CudaReport* report);

  std::string path_;
  const lineament_cuda_functions* functions_ = nullptr;
};

// Loads the library at `path` and asks it for devices. Never fails: what is wrong is in the report.
CudaReport cuda_report(const std::string& path);

// What went wrong in the plugin, as a status of ours.
Status cuda_status(const lineament_cuda_error& error);

}  // namespace lineament
