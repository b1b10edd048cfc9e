// A V4L2 camera that fills a ring: a thread takes pictures from the driver and copies them, and gives each buffer back.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "capture/capture_source.h"
#include "capture/linux/v4l2_controls.h"
#include "capture/linux/v4l2_stream.h"

namespace lineament {

class V4l2Source final : public CaptureSource {
 public:
  // Takes pictures of a stream that runs, into a ring whose slots hold most_picture_bytes of its format. Numbers and
  // times go on from those of the ring. A camera that gives nothing for `timeout_ms` is lost. kInvalidArgument: the
  // slots are too small; kOutOfMemory.
  static Result<std::shared_ptr<V4l2Source>> start(std::unique_ptr<V4l2Stream> stream, std::shared_ptr<FrameRing> ring,
                                                   int timeout_ms = 10000);
  ~V4l2Source() override;

  const std::shared_ptr<FrameRing>& ring() const override { return ring_; }
  SourceCounts counts() const override;
  // The ring ends with kCameraLost when the camera is unplugged or silent.
  void stop() override;

  const V4l2Identity& identity() const { return identity_; }
  const V4l2Format& format() const { return format_; }
  // Pictures that the driver counted and never gave: its own buffers were full.
  uint64_t skipped() const { return skipped_.load(std::memory_order_relaxed); }

  // Any thread; each is a few transfers on USB. kClosed after stop() and after it was lost.
  Result<std::vector<SettingRange>> settings() const;
  Result<int64_t> set(CameraSetting setting, int64_t value);

 private:
  V4l2Source(std::unique_ptr<V4l2Stream> stream, std::shared_ptr<FrameRing> ring, int timeout_ms);
  Status start_thread();
  void run();
  Status pump();
  bool deliver(const V4l2Buffer& buffer, V4l2Clock* clock);

  std::unique_ptr<V4l2Stream> stream_;
  std::shared_ptr<FrameRing> ring_;
  const int timeout_ms_;
  const V4l2Identity identity_;
  const V4l2Format format_;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> received_{0}, damaged_{0}, bytes_{0}, skipped_{0};
  std::mutex stop_mutex_;            // one stop() at a time
  mutable std::mutex device_mutex_;  // guards stream_ against settings while it goes
  std::thread thread_;
};

}  // namespace lineament
