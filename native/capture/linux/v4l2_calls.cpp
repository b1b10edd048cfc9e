#include "capture/linux/v4l2_calls.h"

#ifdef __linux__

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace lineament {
namespace {

int64_t clock_us(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000000 + now.tv_nsec / 1000;
}

class SystemCalls final : public V4l2Calls {
 public:
  int open(const char* path) override {
    int fd = -1;
    do {
      fd = ::open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    return fd;
  }
  int close(int fd) override { return ::close(fd); }
  int ioctl(int fd, unsigned long request, void* argument) override { return ::ioctl(fd, request, argument); }
  void* mmap(int fd, size_t length, int64_t offset) override {
    return ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset));
  }
  int munmap(void* address, size_t length) override { return ::munmap(address, length); }
  int poll(pollfd* fds, size_t count, int timeout_ms) override { return ::poll(fds, count, timeout_ms); }

  std::vector<std::string> nodes() override {
    std::vector<std::pair<long, std::string>> found;
    if (DIR* folder = ::opendir("/dev")) {
      while (const dirent* entry = ::readdir(folder)) {
        if (std::strncmp(entry->d_name, "video", 5) != 0) continue;
        char* end = nullptr;
        const long number = std::strtol(entry->d_name + 5, &end, 10);
        if (end == entry->d_name + 5 || *end != '\0' || number < 0) continue;
        found.emplace_back(number, std::string("/dev/") + entry->d_name);
      }
      ::closedir(folder);
    }
    std::sort(found.begin(), found.end());
    std::vector<std::string> paths;
    for (auto& [number, path] : found) paths.push_back(std::move(path));
    return paths;
  }

  int64_t monotonic_us() override { return clock_us(CLOCK_MONOTONIC); }
  int64_t epoch_us() override { return clock_us(CLOCK_REALTIME); }
};

}  // namespace

int V4l2Calls::control(int fd, unsigned long request, void* argument) {
  int result = -1;
  do {
    result = ioctl(fd, request, argument);
  } while (result < 0 && errno == EINTR);
  return result;
}

V4l2Calls& V4l2Calls::system() {
  static SystemCalls calls;
  return calls;
}

}  // namespace lineament

#endif
