// What the operating system does for cameras, in one table: tests put a scripted device in its place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

struct pollfd;

namespace lineament {

// The system calls, with their conventions: -1 (mmap: MAP_FAILED) and errno where they fail. Implementations are
// thread-safe as far as the system calls are.
class V4l2Calls {
 public:
  virtual ~V4l2Calls() = default;

  virtual int open(const char* path) = 0;  // for reading and writing, non-blocking
  virtual int close(int fd) = 0;
  virtual int ioctl(int fd, unsigned long request, void* argument) = 0;
  virtual void* mmap(int fd, size_t length, int64_t offset) = 0;  // readable, shared
  virtual int munmap(void* address, size_t length) = 0;
  virtual int poll(pollfd* fds, size_t count, int timeout_ms) = 0;

  // Paths of the nodes that may be cameras (`/dev/video0` …), in the order of their numbers.
  virtual std::vector<std::string> nodes() = 0;

  // CLOCK_MONOTONIC, which drivers stamp pictures with, and the time since the Unix epoch.
  virtual int64_t monotonic_us() = 0;
  virtual int64_t epoch_us() = 0;

  // ioctl, again for as long as a signal interrupts it.
  int control(int fd, unsigned long request, void* argument);

  static V4l2Calls& system();
};

}  // namespace lineament
