// A camera that the kernel's Video4Linux interface shows: who it is and what it can do.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "capture/linux/v4l2_calls.h"
#include "capture/linux/v4l2_modes.h"
#include "core/status.h"

namespace lineament {

struct V4l2Identity {
  std::string path;    // the node
  std::string name;    // what the driver calls it
  std::string driver;  // "uvcvideo"
  std::string bus;     // where it is plugged in: "usb-0000:00:14.0-1"
};

// One format in one size (min = max) or a range of sizes, with the fastest rate there; 0 where the driver says none.
struct V4l2Offer {
  const V4l2Layout* layout = nullptr;
  SizeRange sizes;
  double fps = 0;
};

// An open node. One thread at a time, except control(), which the kernel serialises.
class V4l2Device {
 public:
  // Opens a node that takes pictures and streams them. kCameraNotFound: no such node, no right to open it (the message
  // says what to do), or not a camera. kCameraBusy. kCameraLost: it went while it was looked at. `denied` is set where
  // the node may not be opened.
  static Result<std::unique_ptr<V4l2Device>> open(V4l2Calls& calls, const std::string& path, bool* denied = nullptr);
  ~V4l2Device();
  V4l2Device(const V4l2Device&) = delete;
  V4l2Device& operator=(const V4l2Device&) = delete;

  const V4l2Identity& identity() const { return identity_; }
  V4l2Calls& calls() const { return calls_; }
  int fd() const { return fd_; }
  bool multi_planar() const { return multi_planar_; }
  uint32_t buffer_type() const;
  int control(unsigned long request, void* argument) const { return calls_.control(fd_, request, argument); }

  // Formats that are supported, each size or range of sizes once.
  std::vector<V4l2Offer> offers() const;
  // What suits the wish, the best first: empty where no format does. Sizes that are not asked for are the current ones.
  std::vector<V4l2Mode> modes(const CaptureWish& wish) const;

  // The status for a call that failed just now; `what` is what was being done.
  Status failure(const char* what) const;

 private:
  V4l2Device(V4l2Calls& calls, int fd, std::string path);
  Status query();
  std::vector<uint32_t> formats() const;
  std::vector<SizeRange> sizes(uint32_t fourcc) const;
  std::vector<IntervalRange> intervals(uint32_t fourcc, PictureSize size) const;
  PictureSize current_size() const;

  V4l2Calls& calls_;
  int fd_;
  bool multi_planar_ = false;
  V4l2Identity identity_;
};

// The status for an errno value, of a call on `path`.
Status v4l2_failure(int error, const std::string& path, const char* what);

// A node that takes pictures, as far as one may look. `problem` says why it cannot be opened now (in use, no right).
struct V4l2Listing {
  V4l2Identity identity;
  std::vector<V4l2Offer> offers;
  Status problem;
};
// Every camera of the machine, in the order of their nodes. Nodes that take no pictures (metadata, output) are left
// out.
std::vector<V4l2Listing> list_v4l2_devices(V4l2Calls& calls);

}  // namespace lineament
