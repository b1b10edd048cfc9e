// From the memory of a driver to tight rows, and from its clocks and counters to ours.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "capture/linux/v4l2_modes.h"

namespace lineament {

constexpr int kMostPlanes = 3;

// What a driver said about its pictures after VIDIOC_S_FMT.
struct V4l2Format {
  const V4l2Layout* layout = nullptr;
  int width = 0;
  int height = 0;
  uint32_t strides[kMostPlanes] = {};  // bytes per row of each memory plane
  uint32_t sizes[kMostPlanes] = {};    // bytes of each memory plane
  Interval interval;                   // {0, 0}: the driver does not say
};

// Most bytes that copy_picture writes for such pictures: of a JPEG what the driver reserves.
size_t most_picture_bytes(const V4l2Format& format);

// Copies a picture without the padding of its rows; gives the bytes written, or 0 where a plane is too short for the
// picture or, for a JPEG, does not start with its mark or does not fit. Widths and heights that are odd round chroma
// up.
size_t copy_picture(const V4l2Format& format, const std::span<const uint8_t> planes[kMostPlanes],
                    std::span<uint8_t> out);

// Times and numbers of a stream's pictures, from what the driver stamps on them.
class V4l2Clock {
 public:
  // `epoch_us - monotonic_us` once, so that a clock that is set while the camera runs moves no picture. `first` is the
  // sequence number of the next picture and `after_us` a time that none may be before (for reconnecting).
  V4l2Clock(int64_t epoch_us, int64_t monotonic_us, uint64_t first = 0, int64_t after_us = 0);

  // Microseconds since the Unix epoch. `flags` are those of the buffer; `now_us` is CLOCK_MONOTONIC. A time of another
  // clock, of the future or more than ten seconds old is not believed: the picture is then taken to be from now.
  // Never decreases.
  int64_t timestamp(uint32_t flags, int64_t stamp_us, int64_t now_us);

  // Continues our count by the driver's, which wraps at 2^32. Drivers that do not count give a step of one.
  uint64_t sequence(uint32_t driver);

  // Pictures that the driver counted and never gave.
  uint64_t skipped() const { return skipped_; }
  uint64_t next_sequence() const { return next_; }
  int64_t last_timestamp() const { return last_us_; }

 private:
  int64_t offset_us_;
  int64_t last_us_;
  uint64_t next_;
  uint64_t skipped_ = 0;
  uint32_t driver_ = 0;
  bool counted_ = false;
};

}  // namespace lineament
