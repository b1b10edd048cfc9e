#include "capture/linux/v4l2_picture.h"

#ifdef __linux__

#include <linux/videodev2.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace lineament {
namespace {

using Kind = V4l2Layout::Kind;
using Plane = std::span<const uint8_t>;

// More than this between two numbers is a driver that starts again, not pictures that it dropped.
constexpr uint32_t kMostSkipped = 100000;
constexpr int64_t kOldest = 10'000'000;

// Rows of a plane, somewhere in memory.
struct Rows {
  Plane memory;
  size_t offset = 0;
  size_t stride = 0;
  size_t count = 0;
  size_t bytes = 0;  // that count in each row

  bool fits() const {
    if (count == 0 || stride < bytes || offset > memory.size()) return false;
    return (count - 1) * stride + bytes <= memory.size() - offset;
  }
};

size_t copy_rows(const Rows& rows, uint8_t* out) {
  const uint8_t* from = rows.memory.data() + rows.offset;
  if (rows.stride == rows.bytes) {
    std::memcpy(out, from, rows.bytes * rows.count);
  } else {
    for (size_t y = 0; y < rows.count; ++y) std::memcpy(out + y * rows.bytes, from + y * rows.stride, rows.bytes);
  }
  return rows.bytes * rows.count;
}

// Every pair of bytes the other way round.
size_t copy_swapped(const Rows& rows, uint8_t* out) {
  for (size_t y = 0; y < rows.count; ++y) {
    const uint8_t* from = rows.memory.data() + rows.offset + y * rows.stride;
    uint8_t* to = out + y * rows.bytes;
    for (size_t x = 0; x + 1 < rows.bytes; x += 2) {
      to[x] = from[x + 1];
      to[x + 1] = from[x];
    }
  }
  return rows.bytes * rows.count;
}

size_t copy_file(Plane file, std::span<uint8_t> out) {
  if (file.size() < 4 || file.size() > out.size() || file[0] != 0xff || file[1] != 0xd8) return 0;
  std::memcpy(out.data(), file.data(), file.size());
  return file.size();
}

}  // namespace

size_t most_picture_bytes(const V4l2Format& format) {
  if (format.layout == nullptr) return 0;
  if (format.layout->kind == Kind::kFile) return format.sizes[0];
  return picture_bytes(format.layout->format, format.width, format.height);
}

size_t copy_picture(const V4l2Format& format, const Plane planes[kMostPlanes], std::span<uint8_t> out) {
  const V4l2Layout& layout = *format.layout;
  if (layout.kind == Kind::kFile) return copy_file(planes[0], out);
  const size_t width = static_cast<size_t>(format.width), height = static_cast<size_t>(format.height);
  if (picture_bytes(layout.format, format.width, format.height) > out.size()) return 0;
  const size_t stride = format.strides[0];

  if (layout.kind == Kind::kPacked || layout.kind == Kind::kUyvy) {
    // Two pixels share their colour: an odd width has half a pair more.
    const bool pairs = layout.format == CaptureFormat::kYuyv;
    const size_t bytes = pairs ? (width + 1) / 2 * 4 : width * layout.bytes;
    const Rows rows = {planes[0], 0, stride, height, bytes};
    if (!rows.fits() || bytes * height > out.size()) return 0;
    return layout.kind == Kind::kUyvy ? copy_swapped(rows, out.data()) : copy_rows(rows, out.data());
  }

  const bool apart = layout.planes > 1;
  const size_t half_width = (width + 1) / 2, half_height = (height + 1) / 2;
  const Rows luma = {planes[0], 0, stride, height, width};
  if (!luma.fits()) return 0;
  if (layout.kind == Kind::kSemiPlanar) {
    const Rows chroma = {apart ? planes[1] : planes[0], apart ? 0 : stride * height, apart ? format.strides[1] : stride,
                         half_height, half_width * 2};
    if (!chroma.fits()) return 0;
    const size_t at = copy_rows(luma, out.data());
    return at + (layout.chroma_swap ? copy_swapped : copy_rows)(chroma, out.data() + at);
  }
  const size_t chroma_stride = (stride + 1) / 2;
  Rows parts[2];
  for (size_t i = 0; i < 2; ++i) {
    parts[i] = apart ? Rows{planes[1 + i], 0, format.strides[1 + i], half_height, half_width}
                     : Rows{planes[0], stride * height + i * chroma_stride * half_height, chroma_stride, half_height,
                            half_width};
    if (!parts[i].fits()) return 0;
  }
  if (layout.chroma_swap) std::swap(parts[0], parts[1]);
  size_t at = copy_rows(luma, out.data());
  for (const Rows& part : parts) at += copy_rows(part, out.data() + at);
  return at;
}

V4l2Clock::V4l2Clock(int64_t epoch_us, int64_t monotonic_us, uint64_t first, int64_t after_us)
    : offset_us_(epoch_us - monotonic_us), last_us_(after_us), next_(first) {}

int64_t V4l2Clock::timestamp(uint32_t flags, int64_t stamp_us, int64_t now_us) {
  const auto believable = [now_us](int64_t time) { return time > 0 && time <= now_us && now_us - time < kOldest; };
  int64_t monotonic = now_us;
  if (believable(stamp_us)) {
    monotonic = stamp_us;
  } else if ((flags & V4L2_BUF_FLAG_TIMESTAMP_MASK) != V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC &&
             believable(stamp_us - offset_us_)) {
    monotonic = stamp_us - offset_us_;  // older drivers stamp with the time of day
  }
  last_us_ = std::max(last_us_, monotonic + offset_us_);
  return last_us_;
}

uint64_t V4l2Clock::sequence(uint32_t driver) {
  if (counted_) {
    const uint32_t step = driver - driver_;  // wraps as the driver does
    if (step > 1 && step <= kMostSkipped) {
      skipped_ += step - 1;
      next_ += step - 1;
    }
  }
  counted_ = true;
  driver_ = driver;
  return next_++;
}

}  // namespace lineament

#endif
