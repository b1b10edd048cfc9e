// Notices when cameras are plugged in and out.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/status.h"

namespace lineament {

// Watches a folder of device nodes (/dev) through inotify, on a thread of its own, until it is destroyed.
class DeviceWatch {
 public:
  // `changed` runs on the watch's thread: a node `video<number>` has come or may be opened by others now (true), or has
  // gone (false). With the folder's own path where so much happened that some was missed: look again. It must not
  // destroy the watch. kOutOfMemory: no descriptor or thread is left. kNotFound: no such folder.
  using Changed = std::function<void(const std::string& path, bool present)>;
  static Result<std::unique_ptr<DeviceWatch>> start(const std::string& folder, Changed changed);
  ~DeviceWatch();
  DeviceWatch(const DeviceWatch&) = delete;
  DeviceWatch& operator=(const DeviceWatch&) = delete;

 private:
  DeviceWatch(std::string folder, Changed changed) : folder_(std::move(folder)), changed_(std::move(changed)) {}
  void run();
  void read_events();

  std::string folder_;
  Changed changed_;
  int watch_fd_ = -1;
  int wake_fd_ = -1;
  std::thread thread_;
};

}  // namespace lineament
