// Streams pictures of one camera out of buffers that it shares with its driver.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "capture/linux/v4l2_device.h"
#include "capture/linux/v4l2_picture.h"

namespace lineament {

// A buffer that the driver has filled and lent us. It goes back with give_back().
struct V4l2Buffer {
  uint32_t index = 0;
  uint32_t flags = 0;
  uint32_t sequence = 0;
  int64_t stamp_us = 0;
  bool damaged = false;  // the driver marked it as such
  std::span<const uint8_t> planes[kMostPlanes];
};

// One thread at a time.
class V4l2Stream {
 public:
  // Negotiates the mode that suits best among those that the driver accepts, shares `buffers` (at least 4) with it and
  // starts. A mode for which the bus has no bandwidth is followed by the next that needs less. kCameraUnsupported: no
  // format suits. kCameraBusy: somebody else streams, or the bus is full. kCameraLost.
  static Result<std::unique_ptr<V4l2Stream>> start(std::unique_ptr<V4l2Device> device, const CaptureWish& wish,
                                                   uint32_t buffers = 4);
  ~V4l2Stream();
  V4l2Stream(const V4l2Stream&) = delete;
  V4l2Stream& operator=(const V4l2Stream&) = delete;

  const V4l2Format& format() const { return format_; }
  V4l2Device& device() const { return *device_; }
  size_t buffers() const { return mapped_.size(); }

  // Waits for the next picture until `wake_fd` (or -1) can be read or the time is over. kTaken fills `out`; kFailed is
  // a picture that could not be transferred; kSkipped says to try again.
  enum class Outcome { kTaken, kWoken, kTimedOut, kSkipped, kFailed, kLost };
  Outcome take(int wake_fd, int timeout_ms, V4l2Buffer* out);
  Status lost() const { return lost_; }  // why, after kLost

  // The driver may fill it again. kCameraLost.
  Status give_back(const V4l2Buffer& buffer);

  // A DMA-buf of a plane of the buffer, for a device that reads it without a copy; the caller closes it. The picture
  // stays in it until the buffer is given back. kCameraUnsupported where the driver exports none.
  Result<int> export_plane(const V4l2Buffer& buffer, uint32_t plane) const;

 private:
  struct Mapped {
    void* memory[kMostPlanes] = {};
    size_t bytes[kMostPlanes] = {};
    uint32_t planes = 0;
  };
  explicit V4l2Stream(std::unique_ptr<V4l2Device> device) : device_(std::move(device)) {}
  Status begin(const V4l2Mode& mode, uint32_t buffers);
  Status set_format(const V4l2Mode& mode);
  void set_interval(const Interval& wanted);
  Status map_buffers(uint32_t count);
  Status queue(uint32_t index);
  void release();
  Outcome fail(Status why);

  std::unique_ptr<V4l2Device> device_;
  V4l2Format format_;
  std::vector<Mapped> mapped_;
  bool requested_ = false;  // the driver has buffers for us
  bool streaming_ = false;
  bool rate_asked_ = false;
  bool no_room_ = false;  // on the bus, when it was started
  uint32_t errors_ = 0;   // one after another
  Status lost_;
};

}  // namespace lineament
