// Every network run of the process, so that none is inside ONNX Runtime when the process takes it down.
#pragma once

#include <cstdint>
#include <functional>

namespace lineament {

// process.exit() runs the C library's exit handlers, and with them ONNX Runtime's destructors, while our threads may
// still be inside it. An exit handler registered after the library was loaded runs before those destructors: it stops
// what is running, waits for it and lets nothing new in. Thread-safe.
class InFlight {
 public:
  // `stop` may be called from another thread, once, while this object lives; it must only ask for the work to end.
  explicit InFlight(std::function<void()> stop);
  ~InFlight();
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

  // False when the process is exiting: the caller must not enter the library.
  bool entered() const { return id_ != 0; }

  // To be called once a library has been loaded.
  static void watch_exit();

 private:
  uint64_t id_ = 0;
};

}  // namespace lineament
