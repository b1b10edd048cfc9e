#include "capture/linux/device_watch.h"

#ifdef __linux__

#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>

namespace lineament {
namespace {

bool is_camera_node(std::string_view name) {
  constexpr std::string_view kPrefix = "video";
  if (name.size() <= kPrefix.size() || name.substr(0, kPrefix.size()) != kPrefix) return false;
  return name.find_first_not_of("0123456789", kPrefix.size()) == std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<DeviceWatch>> DeviceWatch::start(const std::string& folder, Changed changed) {
  std::unique_ptr<DeviceWatch> watch(new DeviceWatch(folder, std::move(changed)));
  watch->watch_fd_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  watch->wake_fd_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (watch->watch_fd_ < 0 || watch->wake_fd_ < 0) {
    return Status(Code::kOutOfMemory, "No descriptor is left to watch for cameras");
  }
  // Attributes: udev hands a new node to its group a moment after the kernel has made it.
  const uint32_t events = IN_CREATE | IN_MOVED_TO | IN_ATTRIB | IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR;
  if (::inotify_add_watch(watch->watch_fd_, folder.c_str(), events) < 0) {
    if (errno == ENOSPC || errno == ENOMEM) {
      return Status(Code::kOutOfMemory, "No more folders can be watched (fs.inotify.max_user_watches)");
    }
    return Status(Code::kNotFound, folder + ": " + std::strerror(errno));
  }
  try {
    watch->thread_ = std::thread([self = watch.get()] { self->run(); });
  } catch (const std::system_error&) {
    return Status(Code::kOutOfMemory, "No thread is left to watch for cameras");
  }
  return watch;
}

DeviceWatch::~DeviceWatch() {
  if (thread_.joinable()) {
    const uint64_t more = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &more, sizeof more);
    thread_.join();
  }
  if (watch_fd_ >= 0) ::close(watch_fd_);
  if (wake_fd_ >= 0) ::close(wake_fd_);
}

void DeviceWatch::run() {
  pollfd waits[2] = {{watch_fd_, POLLIN, 0}, {wake_fd_, POLLIN, 0}};
  for (;;) {
    if (::poll(waits, 2, -1) < 0 && errno != EINTR) return;
    if (waits[1].revents != 0) return;
    if (waits[0].revents != 0) read_events();
  }
}

void DeviceWatch::read_events() {
  alignas(inotify_event) char bytes[16 * (sizeof(inotify_event) + NAME_MAX + 1)];
  const ssize_t size = ::read(watch_fd_, bytes, sizeof bytes);
  for (ssize_t at = 0; at + static_cast<ssize_t>(sizeof(inotify_event)) <= size;) {
    inotify_event event;
    std::memcpy(&event, bytes + at, sizeof event);
    const char* name = bytes + at + sizeof event;
    at += static_cast<ssize_t>(sizeof event + event.len);
    if ((event.mask & IN_Q_OVERFLOW) != 0) {
      changed_(folder_, true);
    } else if (event.len > 0 && is_camera_node(std::string_view(name, strnlen(name, event.len)))) {
      const std::string path = folder_ + "/" + name;
      // A node that is removed loses its last link first, which is a change of its attributes.
      if ((event.mask & IN_ATTRIB) != 0 && ::access(path.c_str(), F_OK) != 0) continue;
      changed_(path, (event.mask & (IN_DELETE | IN_MOVED_FROM)) == 0);
    }
  }
}

}  // namespace lineament

#endif
