#include "search/cuda_plugin.h"

#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>

#include "inference/dynamic_library.h"
#include "inference/library_file.h"

namespace lineament {
namespace {

constexpr const char* kFixLibrary =
    "Build it with 'node scripts/build-cuda.mjs' where nvcc is, or set LINEAMENT_CUDA to a liblineament_cuda.so";
constexpr const char* kFixVersion = "Build liblineament_cuda again from the sources that this addon is from";
constexpr const char* kFixDriver = "Install or update the NVIDIA driver, or leave the device out to compute on the CPU";
constexpr const char* kFixDevice = "Make a device visible to this process, or leave it out to compute on the CPU";

// What the library may be asked for is only what both sides mean by the same words.
std::string misfit(const lineament_cuda_functions* table) {
  if (table == nullptr) return "it gives no functions";
  if (table->abi != LINEAMENT_CUDA_ABI) {
    return "its interface has version " + std::to_string(table->abi) + ", this addon's is " +
           std::to_string(LINEAMENT_CUDA_ABI);
  }
  const bool same =
      table->table_size == sizeof(lineament_cuda_functions) && table->error_size == sizeof(lineament_cuda_error) &&
      table->platform_size == sizeof(lineament_cuda_platform) && table->device_size == sizeof(lineament_cuda_device) &&
      table->rows_size == sizeof(lineament_cuda_rows) && table->search_size == sizeof(lineament_cuda_search) &&
      table->hit_size == sizeof(lineament_cuda_hit) && table->projection_size == sizeof(lineament_cuda_projection) &&
      table->smoothing_size == sizeof(lineament_cuda_smoothing) &&
      table->sample_size == sizeof(lineament_cuda_sample) && table->view_size == sizeof(lineament_cuda_view);
  return same ? "" : "its structures have other sizes than this addon's";
}

void set(CudaReport* report, CudaState state, std::string problem, const char* fix) {
  report->state = state;
  report->problem = std::move(problem);
  report->fix = fix;
}

Status unavailable(const CudaReport& report) {
  return Status(Code::kProviderUnavailable, "CUDA: " + report.problem + ". " + report.fix);
}

std::string text_of(const lineament_cuda_error& error) {
  return {error.message, strnlen(error.message, sizeof(error.message))};
}

}  // namespace

const char* cuda_state_name(CudaState state) {
  switch (state) {
    case CudaState::kNoLibrary:
      return "no library";
    case CudaState::kUnloadable:
      return "unloadable";
    case CudaState::kWrongVersion:
      return "wrong version";
    case CudaState::kNoDriver:
      return "no driver";
    case CudaState::kNoDevice:
      return "no device";
    case CudaState::kFailed:
      return "failed";
    case CudaState::kReady:
      return "ready";
  }
  return "failed";
}

std::shared_ptr<const CudaPlugin> CudaPlugin::try_load(const std::string& path, CudaReport* report) {
  static std::mutex mutex;
  static auto& loaded = *new std::map<std::string, std::shared_ptr<const CudaPlugin>>;
  const std::lock_guard<std::mutex> lock(mutex);
  const auto found = loaded.find(path);
  if (found != loaded.end()) return found->second;
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(std::filesystem::path(path), ignored)) {
    set(report, CudaState::kNoLibrary, "There is no library at " + path, kFixLibrary);
    return nullptr;
  }
  const Status file = check_library_file(path);
  if (!file.ok()) {
    // What that message goes on to say is about ONNX Runtime.
    set(report, CudaState::kUnloadable, file.message().substr(0, file.message().find(';')), kFixLibrary);
    return nullptr;
  }
  std::string words;
  void* const library = load_library(path, &words);
  if (library == nullptr) {
    set(report, CudaState::kUnloadable, words, kFixLibrary);
    return nullptr;
  }
  void* const symbol = find_symbol(library, LINEAMENT_CUDA_TABLE);
  if (symbol == nullptr) {
    set(report, CudaState::kUnloadable, path + " is not a CUDA plugin of Lineament", kFixLibrary);
    return nullptr;
  }
  lineament_cuda_table_function table = nullptr;
  static_assert(sizeof(table) == sizeof(symbol));
  std::memcpy(&table, &symbol, sizeof(table));
  const lineament_cuda_functions* const functions = table();
  const std::string problem = misfit(functions);
  if (!problem.empty()) {
    set(report, CudaState::kWrongVersion, path + " cannot be used: " + problem, kFixVersion);
    return nullptr;
  }
  const auto plugin = std::make_shared<CudaPlugin>();
  plugin->path_ = path;
  plugin->functions_ = functions;
  loaded[path] = plugin;
  return plugin;
}

Result<std::shared_ptr<const CudaPlugin>> CudaPlugin::load(const std::string& path) {
  CudaReport report;
  std::shared_ptr<const CudaPlugin> plugin = try_load(path, &report);
  if (!plugin) return unavailable(report);
  return plugin;
}

CudaReport cuda_report(const std::string& path) {
  CudaReport report;
  report.path = path;
  const auto plugin = CudaPlugin::try_load(path, &report);
  if (!plugin) return report;
  const lineament_cuda_functions& call = plugin->functions();
  lineament_cuda_error error{};
  lineament_cuda_platform platform{};
  const int32_t code = call.probe(&platform, &error);
  report.driver_version = platform.driver_version;
  report.runtime_version = platform.runtime_version;
  report.reference = platform.reference != 0;
  if (code == LINEAMENT_CUDA_NO_DRIVER) {
    set(&report, CudaState::kNoDriver, text_of(error), kFixDriver);
  } else if (code == LINEAMENT_CUDA_NO_DEVICE) {
    set(&report, CudaState::kNoDevice, text_of(error), kFixDevice);
  } else if (code != LINEAMENT_CUDA_OK) {
    set(&report, CudaState::kFailed, text_of(error), kFixDevice);
  } else {
    report.state = CudaState::kReady;
  }
  for (int32_t i = 0; code == LINEAMENT_CUDA_OK && i < platform.devices; ++i) {
    lineament_cuda_device device{};
    CudaDeviceInfo info;
    if (call.device(i, &device, &error) != LINEAMENT_CUDA_OK) {
      info.problem = text_of(error);
    } else if (device.usable == 0) {
      info.problem = "compute capability 7.5 or later is needed";
    }
    info.name.assign(device.name, strnlen(device.name, sizeof(device.name)));
    info.major = device.major;
    info.minor = device.minor;
    info.multiprocessors = device.multiprocessors;
    info.usable = info.problem.empty();
    info.memory = device.memory;
    info.free_memory = device.free_memory;
    report.devices.push_back(std::move(info));
  }
  return report;
}

Status cuda_status(const lineament_cuda_error& error) {
  const std::string text = "CUDA: " + text_of(error);
  switch (error.code) {
    case LINEAMENT_CUDA_OK:
      return Status();
    case LINEAMENT_CUDA_INVALID:
      return Status(Code::kInvalidArgument, text);
    case LINEAMENT_CUDA_ABORTED:
      return Status(Code::kAborted, text_of(error));
    case LINEAMENT_CUDA_OUT_OF_MEMORY:
      return Status(Code::kOutOfMemory, text);
    case LINEAMENT_CUDA_NO_DRIVER:
      return Status(Code::kProviderUnavailable, text + ". " + kFixDriver);
    case LINEAMENT_CUDA_NO_DEVICE:
      return Status(Code::kProviderUnavailable, text + ". " + kFixDevice);
    default:
      return Status(Code::kInternal, text);
  }
}

}  // namespace lineament
