#include "inference/nvml.h"

#include <array>
#include <cstring>
#include <filesystem>
#include <map>
#include <mutex>
#include <system_error>

#include "inference/dynamic_library.h"
#include "inference/library_file.h"

#if defined(_WIN32)
#include <cstdlib>
#endif

namespace lineament {

namespace {

// nvml.h in the few lines that are needed. The library's binary interface is kept between versions: a function that
// changes gets a new name.
using Device = struct Opaque*;
struct Memory {
  unsigned long long total, free, used;
};
using Return = int;
constexpr Return kSuccess = 0, kDriverNotLoaded = 9, kLibraryNotFound = 12, kVersionMismatch = 18;
constexpr unsigned kTextLength = 96;  // the longest of the names, with its end
constexpr unsigned kMostDevices = 1u << 10;

struct Functions {
  Return (*init)() = nullptr;
  Return (*shutdown)() = nullptr;
  Return (*count)(unsigned*) = nullptr;
  Return (*by_index)(unsigned, Device*) = nullptr;
  Return (*memory)(Device, Memory*) = nullptr;
  Return (*name)(Device, char*, unsigned) = nullptr;
  // May be missing.
  Return (*uuid)(Device, char*, unsigned) = nullptr;
  Return (*driver)(char*, unsigned) = nullptr;
  const char* (*words)(Return) = nullptr;
};

// The newer name first. False where the library has neither.
template <typename F>
bool find(void* library, F* function, const char* name, const char* older = nullptr) {
  void* symbol = find_symbol(library, name);
  if (symbol == nullptr && older != nullptr) symbol = find_symbol(library, older);
  static_assert(sizeof(*function) == sizeof(symbol));
  std::memcpy(function, &symbol, sizeof(symbol));
  return symbol != nullptr;
}

// Name of a function that the library should have and has not; null when it has all.
const char* bind(void* library, Functions* to) {
  if (!find(library, &to->init, "nvmlInit_v2", "nvmlInit")) return "nvmlInit";
  if (!find(library, &to->shutdown, "nvmlShutdown")) return "nvmlShutdown";
  if (!find(library, &to->count, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount")) return "nvmlDeviceGetCount";
  if (!find(library, &to->by_index, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex")) {
    return "nvmlDeviceGetHandleByIndex";
  }
  if (!find(library, &to->memory, "nvmlDeviceGetMemoryInfo")) return "nvmlDeviceGetMemoryInfo";
  if (!find(library, &to->name, "nvmlDeviceGetName")) return "nvmlDeviceGetName";
  (void)find(library, &to->uuid, "nvmlDeviceGetUUID");
  (void)find(library, &to->driver, "nvmlSystemGetDriverVersion");
  (void)find(library, &to->words, "nvmlErrorString");
  return nullptr;
}

std::vector<std::string> usual_paths() {
#if defined(_WIN32)
  std::vector<std::string> out;
  // Whole paths: the loader would look in the working folder, too.
  const auto below = [&out](const char* variable, const char* rest) {
    if (const char* folder = std::getenv(variable); folder != nullptr) out.push_back(std::string(folder) + rest);
  };
  below("SystemRoot", "\\System32\\nvml.dll");
  below("ProgramFiles", "\\NVIDIA Corporation\\NVSMI\\nvml.dll");
  return out;
#elif defined(__linux__)
  // The second is where Windows puts its driver's libraries for Linux guests.
  return {"libnvidia-ml.so.1", "/usr/lib/wsl/lib/libnvidia-ml.so.1"};
#else
  return {};
#endif
}

bool is_file(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(std::filesystem::path(path), ignored);
}

// Fills state, path and problem where there is no library to ask.
const Functions* open_library(const std::string& named, GpuReport* report) {
  static std::mutex mutex;
  static auto& opened = *new std::map<std::string, Functions>;
  const std::lock_guard<std::mutex> lock(mutex);
  const std::vector<std::string> paths = named.empty() ? usual_paths() : std::vector<std::string>{named};
  for (const std::string& path : paths) {
    report->path = path;
    if (const auto known = opened.find(path); known != opened.end()) return &known->second;
    // A bare name is for the loader to find, a path is looked at first.
    const bool bare = path.find_first_of("/\\") == std::string::npos;
    if (!bare && !is_file(path)) continue;
    if (const Status file = bare ? Status() : check_library_file(path); !file.ok()) {
      report->state = GpuState::kUnusable;
      report->problem = path + " is no library for this machine";
      continue;
    }
    std::string words;
    void* const library = load_library(path, &words);
    if (library == nullptr && bare) continue;
    Functions functions;
    const char* const missing = library == nullptr ? nullptr : bind(library, &functions);
    if (library != nullptr && missing == nullptr) {
      report->state = GpuState::kFailed;  // until it has answered
      report->problem.clear();
      return &opened.emplace(path, functions).first->second;
    }
    report->state = GpuState::kUnusable;
    report->problem = library == nullptr ? words : path + " has no function " + missing;
  }
  if (report->problem.empty()) report->problem = "There is no NVIDIA driver";
  return nullptr;
}

std::string said(const Functions& call, Return code) {
  const char* const words = call.words != nullptr ? call.words(code) : nullptr;
  const std::string number = "NVML error " + std::to_string(code);
  return words == nullptr || *words == '\0' ? number : std::string(words) + " (" + number + ")";
}

// What `ask(buffer, length)` writes; empty where it fails. The text ends even where the library forgets to end it.
template <typename Ask>
std::string text(const Ask& ask) {
  std::array<char, kTextLength + 1> buffer{};
  if (ask(buffer.data(), kTextLength) != kSuccess) return {};
  return buffer.data();
}

GpuDevice look(const Functions& call, unsigned index) {
  GpuDevice out;
  Device device = nullptr;
  if (const Return code = call.by_index(index, &device); code != kSuccess) {
    out.problem = said(call, code);
    return out;
  }
  out.name = text([&](char* to, unsigned length) { return call.name(device, to, length); });
  if (call.uuid != nullptr) {
    out.uuid = text([&](char* to, unsigned length) { return call.uuid(device, to, length); });
  }
  Memory memory{};
  if (const Return code = call.memory(device, &memory); code != kSuccess) {
    out.problem = said(call, code);
  } else if (memory.total == 0 || memory.free > memory.total || memory.used > memory.total) {
    out.problem = "The driver gives impossible numbers for the memory";
  } else {
    out.total = memory.total;
    out.free = memory.free;
    out.used = memory.used;
  }
  return out;
}

void fail(const Functions& call, Return code, GpuReport* report) {
  const bool driver = code == kDriverNotLoaded || code == kLibraryNotFound || code == kVersionMismatch;
  report->state = driver ? GpuState::kNoDriver : GpuState::kFailed;
  report->problem = said(call, code);
}

void ask(const Functions& call, GpuReport* report) {
  if (call.driver != nullptr) report->driver = text(call.driver);
  unsigned count = 0;
  if (const Return code = call.count(&count); code != kSuccess) return fail(call, code, report);
  if (count == 0) {
    report->state = GpuState::kNoDevice;
    report->problem = "The NVIDIA driver has no device";
    return;
  }
  if (count > kMostDevices) {
    report->state = GpuState::kFailed;
    report->problem = "The NVIDIA driver speaks of " + std::to_string(count) + " devices";
    return;
  }
  report->state = GpuState::kReady;
  for (unsigned i = 0; i < count; ++i) report->devices.push_back(look(call, i));
}

}  // namespace

const char* gpu_state_name(GpuState state) {
  switch (state) {
    case GpuState::kNoLibrary:
      return "no library";
    case GpuState::kUnusable:
      return "unusable";
    case GpuState::kNoDriver:
      return "no driver";
    case GpuState::kNoDevice:
      return "no device";
    case GpuState::kFailed:
      return "failed";
    case GpuState::kReady:
      return "ready";
  }
  return "failed";
}

GpuReport gpu_report(const std::string& named) {
  GpuReport report;
  const Functions* const call = open_library(named, &report);
  if (call == nullptr) return report;
  // Counted by the library: calls from several threads, and of others in this process, each have their own.
  if (const Return code = call->init(); code != kSuccess) {
    fail(*call, code, &report);
    return report;
  }
  ask(*call, &report);
  (void)call->shutdown();
  return report;
}

}  // namespace lineament
