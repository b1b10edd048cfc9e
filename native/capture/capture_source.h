// Whatever fills a ring with the pictures of a camera: a driver's thread, the reader of a pipe.
#pragma once

#include <cstdint>
#include <memory>

#include "capture/frame_ring.h"

namespace lineament {

struct SourceCounts {
  uint64_t received = 0;  // pictures that came whole, also those that the ring refused
  uint64_t damaged = 0;   // pictures, or stretches of bytes, that could not be read
  uint64_t bytes = 0;
};

// Has a thread of its own from the moment it is made, which ends the ring (FrameRing::end) when it is done. All members
// are thread-safe.
class CaptureSource {
 public:
  virtual ~CaptureSource() = default;  // as stop()
  virtual const std::shared_ptr<FrameRing>& ring() const = 0;
  virtual SourceCounts counts() const = 0;
  // Ends the thread, waiting for it (milliseconds, not a picture), and gives devices and descriptors back. The ring is
  // ended after it: kClosed where it had not ended by itself. Idempotent; also from several threads at once.
  virtual void stop() = 0;
};

}  // namespace lineament
