#include "capture/linux/v4l2_source.h"

#ifdef __linux__

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <new>
#include <system_error>
#include <utility>

namespace lineament {

Result<std::shared_ptr<V4l2Source>> V4l2Source::start(std::unique_ptr<V4l2Stream> stream,
                                                      std::shared_ptr<FrameRing> ring, int timeout_ms) {
  if (ring->slot_bytes() < most_picture_bytes(stream->format())) {
    return Status(Code::kInvalidArgument, stream->device().identity().path + ": its pictures do not fit the ring");
  }
  std::shared_ptr<V4l2Source> source(new V4l2Source(std::move(stream), std::move(ring), timeout_ms));
  const Status status = source->start_thread();
  if (!status.ok()) return status;
  return source;
}

V4l2Source::V4l2Source(std::unique_ptr<V4l2Stream> stream, std::shared_ptr<FrameRing> ring, int timeout_ms)
    : stream_(std::move(stream)),
      ring_(std::move(ring)),
      timeout_ms_(timeout_ms),
      identity_(stream_->device().identity()),
      format_(stream_->format()) {}

V4l2Source::~V4l2Source() { stop(); }

Status V4l2Source::start_thread() {
  wake_fd_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_fd_ < 0) return Status(Code::kOutOfMemory, "No descriptor is left for the camera's thread");
  try {
    thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    return Status(Code::kOutOfMemory, "No thread is left for the camera");
  }
  return Status();
}

SourceCounts V4l2Source::counts() const {
  return {received_.load(std::memory_order_relaxed), damaged_.load(std::memory_order_relaxed),
          bytes_.load(std::memory_order_relaxed)};
}

void V4l2Source::stop() {
  const std::lock_guard<std::mutex> one(stop_mutex_);
  stopping_.store(true);
  if (wake_fd_ >= 0) {
    const uint64_t more = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_fd_, &more, sizeof more);
  }
  if (thread_.joinable()) thread_.join();
  if (wake_fd_ >= 0) ::close(std::exchange(wake_fd_, -1));
  // The thread has ended the ring, which may be another source's by now.
}

void V4l2Source::run() {
  Status why;
  try {
    why = pump();
  } catch (const std::bad_alloc&) {
    why = Status(Code::kOutOfMemory, "No memory for reading pictures");
  }
  ring_->cancel();
  {
    // A node that is held open keeps its number from a camera that is plugged in again.
    const std::lock_guard<std::mutex> lock(device_mutex_);
    stream_.reset();
  }
  ring_->end(stopping_.load() ? Status(Code::kClosed, "The camera is closed") : std::move(why));
}

Status V4l2Source::pump() {
  V4l2Calls& calls = stream_->device().calls();
  V4l2Clock clock(std::max(calls.epoch_us(), ring_->last_us()), calls.monotonic_us(), ring_->next_sequence());
  int64_t last_us = calls.monotonic_us();
  while (!stopping_.load(std::memory_order_relaxed)) {
    const int64_t silent_ms = (calls.monotonic_us() - last_us) / 1000;
    if (silent_ms >= timeout_ms_) {
      return Status(Code::kCameraLost,
                    identity_.path + ": no picture for " + std::to_string(timeout_ms_) + " milliseconds");
    }
    V4l2Buffer buffer;
    switch (stream_->take(wake_fd_, static_cast<int>(timeout_ms_ - silent_ms), &buffer)) {
      case V4l2Stream::Outcome::kTaken:
        break;
      case V4l2Stream::Outcome::kFailed:
        damaged_.fetch_add(1, std::memory_order_relaxed);
        continue;
      case V4l2Stream::Outcome::kLost:
        return stream_->lost();
      case V4l2Stream::Outcome::kWoken:
      case V4l2Stream::Outcome::kTimedOut:
      case V4l2Stream::Outcome::kSkipped:
        continue;
    }
    if (deliver(buffer, &clock)) last_us = calls.monotonic_us();
    const Status returned = stream_->give_back(buffer);
    if (!returned.ok()) return returned;
  }
  return Status();
}

// False for a picture that is damaged: a camera that gives nothing else is as good as silent.
bool V4l2Source::deliver(const V4l2Buffer& buffer, V4l2Clock* clock) {
  PictureInfo info;
  info.sequence = clock->sequence(buffer.sequence);
  skipped_.store(clock->skipped(), std::memory_order_relaxed);
  info.timestamp_us = clock->timestamp(buffer.flags, buffer.stamp_us, stream_->device().calls().monotonic_us());
  info.width = format_.width;
  info.height = format_.height;
  info.format = format_.layout->format;
  const bool file = format_.layout->kind == V4l2Layout::Kind::kFile;
  const size_t most = file ? buffer.planes[0].size() : most_picture_bytes(format_);
  bool good = !buffer.damaged && most > 0 && most <= ring_->slot_bytes();
  if (good) {
    const std::span<uint8_t> slot = ring_->begin(most);
    if (!slot.empty()) {
      info.bytes = copy_picture(format_, buffer.planes, slot);
      good = info.bytes > 0;
      if (good) {
        ring_->commit(info);
      } else {
        ring_->cancel();
      }
    }
  }
  if (!good) {
    damaged_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  received_.fetch_add(1, std::memory_order_relaxed);
  bytes_.fetch_add(info.bytes, std::memory_order_relaxed);
  return true;
}

Result<std::vector<SettingRange>> V4l2Source::settings() const {
  const std::lock_guard<std::mutex> lock(device_mutex_);
  if (!stream_) return Status(Code::kClosed, "The camera is closed");
  return camera_settings(stream_->device());
}

Result<int64_t> V4l2Source::set(CameraSetting setting, int64_t value) {
  const std::lock_guard<std::mutex> lock(device_mutex_);
  if (!stream_) return Status(Code::kClosed, "The camera is closed");
  return set_camera_setting(stream_->device(), setting, value);
}

}  // namespace lineament

#endif
