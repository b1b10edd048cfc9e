// How a session is to run.
#pragma once

#include <string>
#include <vector>

#include "core/status.h"
#include "inference/ort_ptr.h"
#include "inference/runtime.h"

namespace lineament {

struct SessionOptions {
  // Threads inside one run, the calling one included.
  int threads = 1;
  // By name: cpu, cuda, tensorrt, coreml, directml, or another that the library has. Tried in order.
  std::vector<std::string> providers = {"cpu"};
  // The run's other threads spin for work while the run lasts (they always stop with it).
  //
  // Off by default. Detector (SSD, 512×384), landmarks twice and descriptor one after another, each a session with 2
  // threads, on 2 cores (2.5 GHz, AVX2), median ms of the four: undisturbed (real-time priority) 48–55 without
  // spinning, 51 with it, 53–58 with spinning that outlasts the run (ONNX Runtime's default); beside other work (load
  // about 3) 88–94, 115–136 and 236–244. One thread: 77–82 and 69–70. Networks of 1–2 ms gain nothing from a second
  // thread (landmarks 1.6 ms with one, 2.3 with two, 1.8 with two that spin). Throughput of two runs at a time,
  // undisturbed: 24.6 chains a second with one thread each, 25 with two.
  bool spin = false;
};

// ONNX Runtime's options for `options`. kProviderUnavailable where the library has no such provider or cannot start it.
Result<OrtPtr<ort::SessionOptions>> make_session_options(const Runtime& runtime, const SessionOptions& options);

}  // namespace lineament
