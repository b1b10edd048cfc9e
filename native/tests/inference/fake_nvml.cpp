// A stand-in for libnvidia-ml with the real library's binary interface, for machines without a GPU. What it answers is
// set by the variable LINEAMENT_FAKE_NVML. FAKE_NVML_OLD leaves the names of the second version out, FAKE_NVML_PARTIAL
// a function that is needed, FAKE_NVML_BARE those that may be missing.
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>

#if defined(_WIN32)
#define EXPORT extern "C" __declspec(dllexport)
#else
#define EXPORT extern "C" __attribute__((visibility("default")))
#endif

#if defined(FAKE_NVML_OLD)
#define VERSIONED(name) name
#else
#define VERSIONED(name) name##_v2
#endif

namespace {

struct Memory {
  unsigned long long total, free, used;
};
struct Device {
  const char* name;
  const char* uuid;
  Memory memory;
};

constexpr unsigned long long kMiB = 1ull << 20;
// As the driver of a machine with these two would say.
Device devices[] = {
    {"NVIDIA H200", "GPU-00000000-0000-0000-0000-000000000001", {143771 * kMiB, 143201 * kMiB, 570 * kMiB}},
    {"NVIDIA L4", "GPU-00000000-0000-0000-0000-000000000002", {23034 * kMiB, 11034 * kMiB, 12000 * kMiB}},
};

std::atomic<int> open_count{0};

bool is(const char* name) {
  const char* const set = std::getenv("LINEAMENT_FAKE_NVML");
  return set != nullptr && std::string_view(set) == name;
}

int give(const char* text, char* to, unsigned length) {
  if (std::strlen(text) + 1 > length) return 7;  // NVML_ERROR_INSUFFICIENT_SIZE
  std::strcpy(to, text);
  return 0;
}

}  // namespace

// How many calls of nvmlInit are not undone.
EXPORT int fake_nvml_open() { return open_count; }

EXPORT int VERSIONED(nvmlInit)() {
  if (is("no driver")) return 9;  // NVML_ERROR_DRIVER_NOT_LOADED
  if (is("mismatch")) return 18;  // NVML_ERROR_LIB_RM_VERSION_MISMATCH
  if (is("unknown")) return 999;  // NVML_ERROR_UNKNOWN
  ++open_count;
  return 0;
}

EXPORT int nvmlShutdown() {
  --open_count;
  return 0;
}

EXPORT int VERSIONED(nvmlDeviceGetCount)(unsigned* count) {
  if (open_count == 0) return 1;  // NVML_ERROR_UNINITIALIZED
  if (is("no permission")) return 4;
  *count = is("no device") ? 0 : is("absurd") ? 4'000'000'000u : 2;
  return 0;
}

EXPORT int VERSIONED(nvmlDeviceGetHandleByIndex)(unsigned index, Device** device) {
  if (index >= 2) return 2;                 // NVML_ERROR_INVALID_ARGUMENT
  if (index == 1 && is("lost")) return 15;  // NVML_ERROR_GPU_IS_LOST
  *device = &devices[index];
  return 0;
}

EXPORT int nvmlDeviceGetName(Device* device, char* to, unsigned length) {
  if (is("nameless")) return 1;
  if (!is("endless")) return give(device->name, to, length);
  std::memset(to, 'x', length);
  return 0;
}

#if !defined(FAKE_NVML_PARTIAL)
EXPORT int nvmlDeviceGetMemoryInfo(Device* device, Memory* memory) {
  const bool second = device == &devices[1];
  if (second && is("unsupported")) return 3;  // NVML_ERROR_NOT_SUPPORTED, as of a GPU that shares the machine's memory
  *memory = device->memory;
  if (second && is("impossible")) memory->free = memory->total + 1;
  if (second && is("empty")) *memory = {};
  return 0;
}
#endif

#if !defined(FAKE_NVML_BARE)
EXPORT int nvmlDeviceGetUUID(Device* device, char* to, unsigned length) { return give(device->uuid, to, length); }

EXPORT int nvmlSystemGetDriverVersion(char* to, unsigned length) { return give("570.133.20", to, length); }

EXPORT const char* nvmlErrorString(int code) {
  switch (code) {
    case 3:
      return "Not Supported";
    case 4:
      return "Insufficient Permissions";
    case 9:
      return "Driver Not Loaded";
    case 15:
      return "GPU is lost";
    case 18:
      return "Driver/library version mismatch";
    default:
      return nullptr;
  }
}
#endif
