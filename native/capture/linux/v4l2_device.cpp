#include "capture/linux/v4l2_device.h"

#ifdef __linux__

#include <linux/videodev2.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace lineament {
namespace {

// A driver that never ends its lists is left after so many entries.
constexpr uint32_t kMostEntries = 256;
constexpr int kMostSide = 32768;

template <size_t N>
std::string text_of(const __u8 (&field)[N]) {
  const char* text = reinterpret_cast<const char*>(field);
  return std::string(text, strnlen(text, N));
}

Interval interval_of(const v4l2_fract& fraction) { return {fraction.numerator, fraction.denominator}; }

int side_of(__u32 value) { return value > static_cast<__u32>(kMostSide) ? kMostSide : static_cast<int>(value); }
int step_of(__u32 value) { return std::max(1, side_of(value)); }

}  // namespace

Status v4l2_failure(int error, const std::string& path, const char* what) {
  const std::string said = path + ": " + what + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
      return Status(Code::kCameraNotFound, path + ": there is no such device");
    case EACCES:
    case EPERM:
      return Status(Code::kCameraNotFound,
                    path + ": this user may not open it; add the user to the group that owns it (usually 'video')");
    case EBUSY:
      return Status(Code::kCameraBusy, path + ": " + what + ": another program uses it");
    case ENOSPC:
      return Status(Code::kCameraBusy,
                    path + ": the bus has no bandwidth left; ask for a smaller size or rate, or plug it in elsewhere");
    case ENODEV:
    case ENXIO:
    case ESHUTDOWN:
    case EIO:
      return Status(Code::kCameraLost, said);
    case ENOMEM:
      return Status(Code::kOutOfMemory, said);
    default:
      return Status(Code::kCameraUnsupported, said);
  }
}

V4l2Device::V4l2Device(V4l2Calls& calls, int fd, std::string path) : calls_(calls), fd_(fd) {
  identity_.path = std::move(path);
}

V4l2Device::~V4l2Device() { calls_.close(fd_); }

uint32_t V4l2Device::buffer_type() const {
  return multi_planar_ ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
}

Status V4l2Device::failure(const char* what) const { return v4l2_failure(errno, identity_.path, what); }

Result<std::unique_ptr<V4l2Device>> V4l2Device::open(V4l2Calls& calls, const std::string& path, bool* denied) {
  const int fd = calls.open(path.c_str());
  if (fd < 0) {
    if (denied != nullptr) *denied = errno == EACCES || errno == EPERM;
    // A node that is left of a device that went says ENODEV or ENXIO: nobody had it yet, so nothing was lost.
    if (errno == ENODEV || errno == ENXIO) return Status(Code::kCameraNotFound, path + ": there is no such device");
    return v4l2_failure(errno, path, "opening it");
  }
  std::unique_ptr<V4l2Device> device(new V4l2Device(calls, fd, path));
  const Status status = device->query();
  if (!status.ok()) return status;
  return device;
}

Status V4l2Device::query() {
  v4l2_capability found{};
  if (control(VIDIOC_QUERYCAP, &found) < 0) {
    if (errno == ENOTTY || errno == EINVAL) {
      return Status(Code::kCameraNotFound, identity_.path + ": not a camera");
    }
    return failure("asking what it is");
  }
  identity_.name = text_of(found.card);
  identity_.driver = text_of(found.driver);
  identity_.bus = text_of(found.bus_info);
  const uint32_t can = (found.capabilities & V4L2_CAP_DEVICE_CAPS) != 0 ? found.device_caps : found.capabilities;
  if ((can & (V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_VIDEO_CAPTURE_MPLANE)) == 0) {
    return Status(Code::kCameraNotFound, identity_.path + " (" + identity_.name + "): not a camera");
  }
  multi_planar_ = (can & V4L2_CAP_VIDEO_CAPTURE) == 0;
  if ((can & V4L2_CAP_STREAMING) == 0) {
    return Status(Code::kCameraUnsupported, identity_.path + ": its driver does not stream into shared memory");
  }
  return Status();
}

std::vector<uint32_t> V4l2Device::formats() const {
  std::vector<uint32_t> found;
  for (uint32_t i = 0; i < kMostEntries; ++i) {
    v4l2_fmtdesc entry{};
    entry.index = i;
    entry.type = buffer_type();
    if (control(VIDIOC_ENUM_FMT, &entry) < 0) break;
    if (v4l2_layout(entry.pixelformat) != nullptr) found.push_back(entry.pixelformat);
  }
  return found;
}

std::vector<SizeRange> V4l2Device::sizes(uint32_t fourcc) const {
  std::vector<SizeRange> found;
  for (uint32_t i = 0; i < kMostEntries; ++i) {
    v4l2_frmsizeenum entry{};
    entry.index = i;
    entry.pixel_format = fourcc;
    if (control(VIDIOC_ENUM_FRAMESIZES, &entry) < 0) break;
    if (entry.type == V4L2_FRMSIZE_TYPE_DISCRETE) {
      const int width = side_of(entry.discrete.width), height = side_of(entry.discrete.height);
      found.push_back({width, width, 1, height, height, 1});
      continue;
    }
    const v4l2_frmsize_stepwise& range = entry.stepwise;
    found.push_back({side_of(range.min_width), side_of(range.max_width), step_of(range.step_width),
                     side_of(range.min_height), side_of(range.max_height), step_of(range.step_height)});
    break;  // a range is the only entry
  }
  return found;
}

std::vector<IntervalRange> V4l2Device::intervals(uint32_t fourcc, PictureSize size) const {
  std::vector<IntervalRange> found;
  for (uint32_t i = 0; i < kMostEntries; ++i) {
    v4l2_frmivalenum entry{};
    entry.index = i;
    entry.pixel_format = fourcc;
    entry.width = static_cast<__u32>(size.width);
    entry.height = static_cast<__u32>(size.height);
    if (control(VIDIOC_ENUM_FRAMEINTERVALS, &entry) < 0) break;
    if (entry.type == V4L2_FRMIVAL_TYPE_DISCRETE) {
      found.push_back({interval_of(entry.discrete), interval_of(entry.discrete)});
      continue;
    }
    found.push_back({interval_of(entry.stepwise.min), interval_of(entry.stepwise.max)});
    break;
  }
  return found;
}

PictureSize V4l2Device::current_size() const {
  v4l2_format format{};
  format.type = buffer_type();
  if (control(VIDIOC_G_FMT, &format) < 0) return {};
  return multi_planar_ ? PictureSize{side_of(format.fmt.pix_mp.width), side_of(format.fmt.pix_mp.height)}
                       : PictureSize{side_of(format.fmt.pix.width), side_of(format.fmt.pix.height)};
}

std::vector<V4l2Offer> V4l2Device::offers() const {
  std::vector<V4l2Offer> found;
  for (const uint32_t fourcc : formats()) {
    for (const SizeRange& range : sizes(fourcc)) {
      const std::vector<IntervalRange> rates = intervals(fourcc, {range.max_width, range.max_height});
      found.push_back({v4l2_layout(fourcc), range, nearest_interval(rates, 0).fps()});
    }
  }
  return found;
}

std::vector<V4l2Mode> V4l2Device::modes(const CaptureWish& wish) const {
  CaptureWish wanted = wish;
  const PictureSize current = current_size();
  if (wish.width <= 0 && wish.height <= 0) {
    wanted.width = current.width;
    wanted.height = current.height;
  }
  std::vector<V4l2Mode> found;
  for (const uint32_t fourcc : formats()) {
    const std::vector<SizeRange> ranges = sizes(fourcc);
    // A driver that lists no sizes is asked for the one that is wanted, and says what it makes of it.
    PictureSize size = nearest_size(ranges, {wanted.width, wanted.height});
    if (ranges.empty()) size = {std::max(wanted.width, 1), std::max(wanted.height, 1)};
    found.push_back({v4l2_layout(fourcc), size, nearest_interval(intervals(fourcc, size), wish.fps)});
  }
  return rank_modes(std::move(found), wanted);
}

std::vector<V4l2Listing> list_v4l2_devices(V4l2Calls& calls) {
  std::vector<V4l2Listing> found;
  for (const std::string& path : calls.nodes()) {
    bool denied = false;
    Result<std::unique_ptr<V4l2Device>> device = V4l2Device::open(calls, path, &denied);
    V4l2Listing listing;
    if (device.ok()) {
      listing.identity = device.value()->identity();
      listing.offers = device.value()->offers();
      if (listing.offers.empty()) continue;
    } else {
      // What is no camera or has gone again is not listed; what may not be opened is.
      if (!denied && device.status().code() != Code::kCameraBusy) continue;
      listing.identity.path = path;
      listing.problem = device.status();
    }
    found.push_back(std::move(listing));
  }
  return found;
}

}  // namespace lineament

#endif
