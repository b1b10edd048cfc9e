// The pictures of one camera in memory that can be shared: one thread writes, any thread reads, the newest overwrites
// the oldest. It is what a slow reader falls behind in, and the rolling buffer that clips are cut from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/status.h"

namespace lineament {

// How the bytes of a captured picture are laid out. MJPEG is one JPEG file, z16 is depth in 16-bit little-endian steps.
enum class CaptureFormat : uint8_t { kRgb, kBgr, kRgba, kBgra, kGray, kYuyv, kNv12, kI420, kMjpeg, kZ16 };

// Bytes of a picture whose rows are tight (chroma rows rounded up); 0 for kMjpeg and for sizes below 1 or above 32768.
size_t picture_bytes(CaptureFormat format, int width, int height);

struct PictureInfo {
  uint64_t sequence = 0;     // counts what the source gave, also what was dropped before it came here
  int64_t timestamp_us = 0;  // since the Unix epoch; never decreases
  int64_t position_us = -1;  // within a file; -1 for live sources
  int width = 0;
  int height = 0;
  CaptureFormat format = CaptureFormat::kI420;
  size_t bytes = 0;
};

struct RingCounts {
  uint64_t committed = 0;
  uint64_t refused = 0;  // pictures for which every slot was leased
  size_t kept = 0;       // pictures that can be read now
  size_t kept_bytes = 0;
};

// What bounds the pictures that are kept, besides the number of slots. The newest three are always kept.
struct RingLimits {
  size_t most_bytes = std::numeric_limits<size_t>::max();
  int64_t keep_us = std::numeric_limits<int64_t>::max();  // older than this, seen from the newest, may go
};

class FrameRing : public std::enable_shared_from_this<FrameRing> {
 public:
  // A picture that is not overwritten while this lives. Move-only; may outlive nothing but the ring, which it keeps
  // alive.
  class Lease {
   public:
    Lease() = default;
    Lease(Lease&& other) noexcept;
    Lease& operator=(Lease&& other) noexcept;
    ~Lease();
    explicit operator bool() const { return ring_ != nullptr; }
    const PictureInfo& info() const { return info_; }
    std::span<const uint8_t> bytes() const { return {data_, info_.bytes}; }

   private:
    friend class FrameRing;
    void release();

    std::shared_ptr<const FrameRing> ring_;
    size_t slot_ = 0;
    const uint8_t* data_ = nullptr;
    PictureInfo info_;
  };

  // slots >= 3 of slot_bytes each, touched only when they are first written: slot_bytes may be the largest picture that
  // could come. kInvalidArgument, kOutOfMemory.
  static Result<std::shared_ptr<FrameRing>> make(size_t slots, size_t slot_bytes, const RingLimits& limits = {});
  ~FrameRing();

  // Producer, one thread: memory for the next picture (slot_bytes long), or nothing when every slot is leased: then the
  // picture is dropped and counted. Never waits for readers. Follow it with commit or cancel. `bytes`: how many the
  // picture will have, at most; what is kept makes room for them. More than slot_bytes gives nothing, uncounted.
  std::span<uint8_t> begin(size_t bytes = 0);
  // The same for a producer that must lose nothing: waits until a picture that taken() named can be overwritten. Empty
  // only after interrupt().
  std::span<uint8_t> begin_waiting(size_t bytes = 0);
  // A sequence number that is not above the last one becomes the next; a timestamp below the last one becomes that one.
  void commit(PictureInfo info);
  void cancel();

  // Readers, any thread; none of them waits. `after` is a sequence number, or -1 for any.
  Lease newest(int64_t after) const;
  Lease next(int64_t after) const;  // the oldest that is kept and later than `after`
  Lease at_or_before(int64_t timestamp_us) const;
  // Sequence numbers and times of what is kept between two times, both included, oldest first.
  std::vector<PictureInfo> between(int64_t first_us, int64_t last_us) const;
  RingCounts counts() const;
  // One above the highest sequence number so far; 0 at first. For a producer that takes over.
  uint64_t next_sequence() const;
  // Time of the newest picture so far, or the least value. A producer that takes over goes on from there where the
  // clock was set back meanwhile.
  int64_t last_us() const;

  // Any thread. All pictures up to this sequence number may be overwritten: for begin_waiting.
  void taken(uint64_t sequence);
  // begin_waiting gives nothing from now on, until reopen().
  void interrupt();

  // Called after each commit and once after end(), on the producer's thread, without a lock held that readers need. One
  // at a time; empty to stop: when this returns the earlier one is not running and will not be called again. Must not
  // be called from inside the callback.
  void on_commit(std::function<void()> wake);
  // No picture will follow. Pictures that are kept stay readable. Only the first reason counts.
  void end(Status why);
  // Another producer takes over after end(): pictures, sequence numbers and times go on.
  void reopen();
  bool ended() const;
  Status ending() const;  // why, after end()

  size_t slots() const;
  size_t slot_bytes() const;

 private:
  struct State;
  explicit FrameRing(std::unique_ptr<State> state);
  Lease lease(size_t position) const;  // of a kept picture; with the lock
  void wake() const;
  std::unique_ptr<State> state_;
};

}  // namespace lineament
