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
  // Never the pool that sessions share (Runtime::create_environment).
  bool own_pool = false;
  // By name: cpu, cuda, tensorrt, coreml, directml, or another that the library has. Tried in order.
  std::vector<std::string> providers = {"cpu"};
};

// ONNX Runtime's options for `options`. kProviderUnavailable where the library has no such provider or cannot start it.
Result<OrtPtr<ort::SessionOptions>> make_session_options(const Runtime& runtime, const SessionOptions& options);

}  // namespace lineament
