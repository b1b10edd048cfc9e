// Which of a camera's formats, sizes and rates suits what is asked for. Pure: nothing here touches a device.
#pragma once

#include <cstdint>
#include <vector>

#include "capture/frame_ring.h"

namespace lineament {

// How the bytes of a V4L2 pixel format become those of a CaptureFormat when a picture is copied.
struct V4l2Layout {
  enum class Kind : uint8_t {
    kPacked,      // one plane, `bytes` per pixel
    kUyvy,        // one plane, 2 bytes per pixel, every pair of bytes the other way round
    kSemiPlanar,  // luma, then pairs of chroma at half the size
    kPlanar,      // luma, then two planes of chroma at half the size
    kFile,        // one JPEG
  };
  uint32_t fourcc = 0;
  CaptureFormat format = CaptureFormat::kYuyv;
  Kind kind = Kind::kPacked;
  uint8_t bytes = 1;         // per pixel, of kPacked
  bool chroma_swap = false;  // V before U
  uint8_t planes = 1;        // separate memory planes
};

// Nothing for formats that are not supported.
const V4l2Layout* v4l2_layout(uint32_t fourcc);

// Sizes that a format comes in: min, min + step, … max. A discrete size has min = max.
struct SizeRange {
  int min_width = 0, max_width = 0, step_width = 1;
  int min_height = 0, max_height = 0, step_height = 1;
};

// Seconds from one picture to the next, as a fraction.
struct Interval {
  uint32_t numerator = 0;
  uint32_t denominator = 0;
  double fps() const { return numerator == 0 ? 0 : static_cast<double>(denominator) / numerator; }
};

// Intervals from shortest to longest; a discrete one has both the same.
struct IntervalRange {
  Interval shortest;
  Interval longest;
};

struct PictureSize {
  int width = 0;
  int height = 0;
};

// What is asked for: 0 where it does not matter (the rate is then the driver's own). `formats` are tried in this order;
// empty is kUsualFormats.
struct CaptureWish {
  int width = 0;
  int height = 0;
  double fps = 0;
  std::vector<CaptureFormat> formats;
};

// What networks read with the least work first: 12 bits a pixel, 16 bits, three bytes; grey; a JPEG only where nothing
// else is fast enough; depth where a camera has nothing else.
inline constexpr CaptureFormat kUsualFormats[] = {
    CaptureFormat::kNv12, CaptureFormat::kI420, CaptureFormat::kYuyv, CaptureFormat::kRgb,   CaptureFormat::kBgr,
    CaptureFormat::kRgba, CaptureFormat::kBgra, CaptureFormat::kGray, CaptureFormat::kMjpeg, CaptureFormat::kZ16};

// A mode slower than this is passed over for one that is faster where no rate is asked for.
inline constexpr double kLeastUsualFps = 15;

// The smallest size that is not smaller than the one asked for in either direction, else the largest. Among equal areas
// the one of the nearest proportions. {0, 0} where there are no ranges.
PictureSize nearest_size(const std::vector<SizeRange>& ranges, PictureSize wanted);

// The slowest rate that is not slower than `fps` (within 2 %), else the fastest; the fastest where fps is 0.
// {0, 0} where there are no ranges.
Interval nearest_interval(const std::vector<IntervalRange>& ranges, double fps);

struct V4l2Mode {
  const V4l2Layout* layout = nullptr;
  PictureSize size;
  Interval interval;  // {0, 0}: the driver does not say
};

// Sorts from the best to the worst: large enough, fast enough, the size nearest, the format's place, the faster.
// Formats that are not wanted are left out. A rate that is not known counts as fast enough.
std::vector<V4l2Mode> rank_modes(std::vector<V4l2Mode> modes, const CaptureWish& wish);

}  // namespace lineament
