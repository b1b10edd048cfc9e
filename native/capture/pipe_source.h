// Pictures from a file descriptor: a pipe that ffmpeg writes into, a FIFO, a file. One thread reads, straight into the
// ring.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "capture/capture_source.h"
#include "capture/nut_reader.h"

namespace lineament {

// Pictures one after another with nothing in between.
struct RawPictures {
  CaptureFormat format = CaptureFormat::kI420;  // not kMjpeg
  int width = 0;
  int height = 0;
  double fps = 0;  // for positions; 0: none, not for kLive
};

// When pictures are committed, and what time they get.
enum class Pace {
  kArrival,  // at once; the time when the last byte came. No position
  kLive,     // when they are due by their own times, from the first one on; the start plus the position
  kFast,     // at once, but none is overwritten that was not taken (FrameRing::taken); the start plus the position
};

struct PipeOptions {
  std::optional<RawPictures> raw;  // NUT where absent
  Pace pace = Pace::kArrival;
  std::optional<int64_t> start_us;  // time of the first picture for kLive and kFast; now where absent
};

// A file descriptor that is closed with its owner. Move-only.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

struct PipeEnds {
  Descriptor read, write;
};

enum class PipeUse { kPictures, kWake };
// A pipe that child processes do not inherit by themselves; for pictures as large as the system lets it be up to 1 MiB.
// kCameraUnsupported on systems without POSIX pipes, as the two below.
Result<PipeEnds> make_pipe(PipeUse use);
// A file or FIFO; does not wait for a FIFO's writer. kCameraNotFound, kCameraBusy where it may not be read,
// kInvalidArgument for a folder.
Result<Descriptor> open_pictures(const std::string& path);
// A descriptor of one's own for the file that `fd` stands for; kInvalidArgument.
Result<Descriptor> duplicate(int fd);

class PipeSource final : public CaptureSource {
 public:
  // The sequence goes on where the ring's is. kInvalidArgument (a raw picture without size, larger than the ring's
  // slots, or kLive without fps), kOutOfMemory, kInternal; the ring is not ended then.
  //
  // The ring ends: ok at the end of the bytes, kVideoCorrupt where that lies within a picture or the stream is none,
  // kCameraUnsupported for pictures of a kind that is not read or larger than the ring's slots, kCameraLost where
  // reading fails, kClosed after stop().
  static Result<std::shared_ptr<PipeSource>> start(Descriptor pictures, std::shared_ptr<FrameRing> ring,
                                                   const PipeOptions& options);
  ~PipeSource() override;

  const std::shared_ptr<FrameRing>& ring() const override { return ring_; }
  SourceCounts counts() const override;
  void stop() override;

 private:
  class Filler;
  PipeSource(Descriptor pictures, PipeEnds wake, std::shared_ptr<FrameRing> ring, const PipeOptions& options);
  void run();
  Status pump();
  enum class Wait { kReady, kTimeout, kStopped, kFailed };
  Wait wait(bool for_bytes, int64_t most_us) const;
  Status read_raw(Filler& filler);
  Status read_nut(Filler& filler);
  // Bytes read; 0 at the end; nothing where it failed or stop() was called (then *why says so).
  std::optional<size_t> read(std::span<uint8_t> where, Status* why);

  Descriptor pictures_;
  const PipeEnds wake_;
  const std::shared_ptr<FrameRing> ring_;
  const PipeOptions options_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> received_{0}, damaged_{0}, bytes_{0};
  std::mutex stop_mutex_;
  std::thread thread_;
};

}  // namespace lineament
