// Memory of NVIDIA GPUs, as the driver tells it through its management library (NVML).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lineament {

struct GpuDevice {
  std::string name;
  std::string uuid;  // empty where the driver does not say
  // Bytes; zero where `problem` says why they are not known.
  uint64_t total = 0;
  uint64_t free = 0;
  uint64_t used = 0;
  std::string problem;
};

// How far the way to the numbers goes. kNoLibrary: the driver's library is not there. kUnusable: the file is no library
// for this machine, or lacks a function. kNoDriver: the library is there and the driver is not loaded, or is of another
// version. kNoDevice: the driver has none. kFailed: it reported something else. kReady: see `devices`.
enum class GpuState { kNoLibrary, kUnusable, kNoDriver, kNoDevice, kFailed, kReady };

// "no library", "unusable", "no driver", "no device", "failed", "ready".
const char* gpu_state_name(GpuState state);

struct GpuReport {
  GpuState state = GpuState::kNoLibrary;
  std::string path;     // of the library that was asked; what was looked for where there is none
  std::string driver;   // the driver's version; empty where it does not say
  std::string problem;  // empty when ready
  std::vector<GpuDevice> devices;
};

// Asks the driver now. `named`: the library's file; empty for the one that the driver brought (libnvidia-ml.so.1 where
// the loader finds it, nvml.dll of the system folder). The library is opened once for the process and never closed. May
// wait for a driver that wakes its devices: not for the event loop. Safe to be called from several threads.
//
// NVML's functions and structures: NVIDIA Management Library, API reference. Those of the second version are used where
// they are, the first ones otherwise: drivers since 2012 answer.
GpuReport gpu_report(const std::string& named);

}  // namespace lineament
