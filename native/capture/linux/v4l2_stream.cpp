#include "capture/linux/v4l2_stream.h"

#ifdef __linux__

#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace lineament {
namespace {

// A driver that says so many times in a row that it could not read is given up.
constexpr uint32_t kMostErrors = 32;

// The planes of a buffer live in an array beside it where the interface is the multi-planar one.
struct BufferCall {
  v4l2_buffer buffer{};
  v4l2_plane planes[VIDEO_MAX_PLANES] = {};

  BufferCall(uint32_t type, uint32_t index) {
    buffer.type = type;
    buffer.memory = V4L2_MEMORY_MMAP;
    buffer.index = index;
    if (type == V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE) {
      buffer.m.planes = planes;
      buffer.length = VIDEO_MAX_PLANES;
    }
  }
  BufferCall(const BufferCall&) = delete;
  BufferCall& operator=(const BufferCall&) = delete;
};

// Bytes that need to be moved each second; a file is taken for a tenth of its pixels.
double bandwidth(const V4l2Mode& mode) {
  const double area = static_cast<double>(mode.size.width) * mode.size.height;
  const bool file = mode.layout->kind == V4l2Layout::Kind::kFile;
  const double bytes =
      file ? area / 5 : static_cast<double>(picture_bytes(mode.layout->format, mode.size.width, mode.size.height));
  return bytes * (mode.interval.fps() > 0 ? mode.interval.fps() : 30);
}

}  // namespace

Result<std::unique_ptr<V4l2Stream>> V4l2Stream::start(std::unique_ptr<V4l2Device> device, const CaptureWish& wish,
                                                      uint32_t buffers) {
  const std::vector<V4l2Mode> modes = device->modes(wish);
  const std::string path = device->identity().path;
  if (modes.empty()) {
    return Status(Code::kCameraUnsupported, path + " (" + device->identity().name + "): none of its formats " +
                                                (wish.formats.empty() ? "is supported" : "is one that is asked for"));
  }
  std::unique_ptr<V4l2Stream> stream(new V4l2Stream(std::move(device)));
  stream->rate_asked_ = wish.fps > 0;
  Status worst;
  double full = 0;
  for (const V4l2Mode& mode : modes) {
    if (full > 0 && bandwidth(mode) >= full) continue;
    Status status = stream->begin(mode, std::max<uint32_t>(buffers, 4));
    if (status.ok()) return stream;
    const bool no_room = stream->no_room_;
    stream->release();
    const bool next = no_room || status.code() == Code::kCameraUnsupported;
    if (no_room) full = bandwidth(mode);
    if (worst.ok() || no_room) worst = status;
    if (!next) return status;
  }
  return worst;
}

V4l2Stream::~V4l2Stream() { release(); }

void V4l2Stream::release() {
  if (streaming_) {
    int type = static_cast<int>(device_->buffer_type());
    device_->control(VIDIOC_STREAMOFF, &type);
    streaming_ = false;
  }
  for (const Mapped& mapped : mapped_) {
    for (uint32_t p = 0; p < mapped.planes; ++p) device_->calls().munmap(mapped.memory[p], mapped.bytes[p]);
  }
  mapped_.clear();
  if (std::exchange(requested_, false)) {
    v4l2_requestbuffers none{};
    none.type = device_->buffer_type();
    none.memory = V4L2_MEMORY_MMAP;
    device_->control(VIDIOC_REQBUFS, &none);
  }
}

Status V4l2Stream::begin(const V4l2Mode& mode, uint32_t buffers) {
  no_room_ = false;
  Status status = set_format(mode);
  if (!status.ok()) return status;
  set_interval(rate_asked_ ? mode.interval : Interval{});
  status = map_buffers(buffers);
  if (!status.ok()) return status;
  for (uint32_t i = 0; i < mapped_.size(); ++i) {
    status = queue(i);
    if (!status.ok()) return status;
  }
  int type = static_cast<int>(device_->buffer_type());
  if (device_->control(VIDIOC_STREAMON, &type) < 0) {
    no_room_ = errno == ENOSPC;
    return device_->failure("starting the stream");
  }
  streaming_ = true;
  return Status();
}

// Takes what the driver makes of the wish, as long as it is something that is understood.
Status V4l2Stream::set_format(const V4l2Mode& mode) {
  v4l2_format format{};
  format.type = device_->buffer_type();
  const auto width = static_cast<__u32>(mode.size.width), height = static_cast<__u32>(mode.size.height);
  if (device_->multi_planar()) {
    format.fmt.pix_mp.width = width;
    format.fmt.pix_mp.height = height;
    format.fmt.pix_mp.pixelformat = mode.layout->fourcc;
    format.fmt.pix_mp.field = V4L2_FIELD_NONE;
    format.fmt.pix_mp.num_planes = mode.layout->planes;
  } else {
    format.fmt.pix.width = width;
    format.fmt.pix.height = height;
    format.fmt.pix.pixelformat = mode.layout->fourcc;
    format.fmt.pix.field = V4L2_FIELD_NONE;
  }
  if (device_->control(VIDIOC_S_FMT, &format) < 0) return device_->failure("setting the format");

  const std::string& path = device_->identity().path;
  format_ = V4l2Format();
  __u32 field = 0;
  if (device_->multi_planar()) {
    const v4l2_pix_format_mplane& given = format.fmt.pix_mp;
    format_.layout = v4l2_layout(given.pixelformat);
    format_.width = static_cast<int>(std::min<__u32>(given.width, 1 << 16));
    format_.height = static_cast<int>(std::min<__u32>(given.height, 1 << 16));
    field = given.field;
    if (format_.layout != nullptr && given.num_planes != format_.layout->planes) format_.layout = nullptr;
    for (uint32_t p = 0; format_.layout != nullptr && p < format_.layout->planes; ++p) {
      format_.strides[p] = given.plane_fmt[p].bytesperline;
      format_.sizes[p] = given.plane_fmt[p].sizeimage;
    }
  } else {
    const v4l2_pix_format& given = format.fmt.pix;
    format_.layout = v4l2_layout(given.pixelformat);
    format_.width = static_cast<int>(std::min<__u32>(given.width, 1 << 16));
    format_.height = static_cast<int>(std::min<__u32>(given.height, 1 << 16));
    field = given.field;
    format_.strides[0] = given.bytesperline;
    format_.sizes[0] = given.sizeimage;
  }
  if (format_.layout == nullptr || format_.layout->format != mode.layout->format) {
    return Status(Code::kCameraUnsupported, path + ": its driver gives another format than the one that it lists");
  }
  if (field == V4L2_FIELD_ALTERNATE || field == V4L2_FIELD_SEQ_TB || field == V4L2_FIELD_SEQ_BT) {
    return Status(Code::kCameraUnsupported, path + ": it gives half pictures (interlaced), not whole ones");
  }
  if (most_picture_bytes(format_) == 0) {
    return Status(Code::kCameraUnsupported, path + ": its driver gives pictures without a size");
  }
  // Old drivers leave the bytes per row out where rows are tight.
  const V4l2Layout& layout = *format_.layout;
  const uint32_t tight = static_cast<uint32_t>(format_.width) * layout.bytes;
  const auto half = static_cast<uint32_t>((format_.width + 1) / 2);
  const bool pairs = layout.kind == V4l2Layout::Kind::kSemiPlanar;
  for (uint32_t p = 0; p < layout.planes && layout.kind != V4l2Layout::Kind::kFile; ++p) {
    if (format_.strides[p] == 0) format_.strides[p] = p == 0 ? tight : pairs ? 2 * half : half;
  }
  return Status();
}

// Not every driver has a rate to set; then it is what it is.
void V4l2Stream::set_interval(const Interval& wanted) {
  v4l2_streamparm parameters{};
  parameters.type = device_->buffer_type();
  if (device_->control(VIDIOC_G_PARM, &parameters) < 0) return;
  const bool settable = (parameters.parm.capture.capability & V4L2_CAP_TIMEPERFRAME) != 0;
  if (settable && wanted.numerator > 0) {
    v4l2_streamparm asked = parameters;
    asked.parm.capture.timeperframe = {wanted.numerator, wanted.denominator};
    if (device_->control(VIDIOC_S_PARM, &asked) == 0) parameters = asked;
  }
  const v4l2_fract& given = parameters.parm.capture.timeperframe;
  format_.interval = {given.numerator, given.denominator};
}

Status V4l2Stream::map_buffers(uint32_t count) {
  v4l2_requestbuffers request{};
  request.count = count;
  request.type = device_->buffer_type();
  request.memory = V4L2_MEMORY_MMAP;
  if (device_->control(VIDIOC_REQBUFS, &request) < 0) return device_->failure("asking for buffers");
  requested_ = true;
  if (request.count < 2) {
    return Status(Code::kOutOfMemory, device_->identity().path + ": its driver has no memory for two pictures");
  }
  for (uint32_t i = 0; i < request.count; ++i) {
    BufferCall call(request.type, i);
    if (device_->control(VIDIOC_QUERYBUF, &call.buffer) < 0) return device_->failure("asking where a buffer is");
    mapped_.emplace_back();
    Mapped& mapped = mapped_.back();
    const uint32_t planes = device_->multi_planar() ? std::min<uint32_t>(call.buffer.length, kMostPlanes) : 1;
    for (uint32_t p = 0; p < planes; ++p) {
      const size_t bytes = device_->multi_planar() ? call.planes[p].length : call.buffer.length;
      const uint32_t offset = device_->multi_planar() ? call.planes[p].m.mem_offset : call.buffer.m.offset;
      void* memory = device_->calls().mmap(device_->fd(), bytes, offset);
      if (memory == MAP_FAILED) return device_->failure("sharing a buffer");
      mapped.memory[p] = memory;
      mapped.bytes[p] = bytes;
      mapped.planes = p + 1;
    }
    if (mapped.planes < format_.layout->planes) {
      return Status(Code::kCameraUnsupported,
                    device_->identity().path + ": its buffers have fewer planes than it said");
    }
  }
  return Status();
}

Status V4l2Stream::queue(uint32_t index) {
  BufferCall call(device_->buffer_type(), index);
  if (device_->multi_planar()) call.buffer.length = mapped_[index].planes;
  if (device_->control(VIDIOC_QBUF, &call.buffer) < 0) return device_->failure("giving a buffer back");
  return Status();
}

Status V4l2Stream::give_back(const V4l2Buffer& buffer) {
  const Status status = queue(buffer.index);
  if (status.ok()) return status;
  return Status(Code::kCameraLost, status.message());
}

V4l2Stream::Outcome V4l2Stream::fail(Status why) {
  lost_ = why.code() == Code::kCameraLost ? std::move(why) : Status(Code::kCameraLost, why.message());
  return Outcome::kLost;
}

V4l2Stream::Outcome V4l2Stream::take(int wake_fd, int timeout_ms, V4l2Buffer* out) {
  pollfd waits[2] = {{device_->fd(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
  const int ready = device_->calls().poll(waits, wake_fd >= 0 ? 2 : 1, timeout_ms);
  if (ready < 0) return errno == EINTR || errno == EAGAIN ? Outcome::kSkipped : fail(device_->failure("waiting"));
  if (ready == 0) return Outcome::kTimedOut;
  if (wake_fd >= 0 && waits[1].revents != 0) return Outcome::kWoken;

  BufferCall call(device_->buffer_type(), 0);
  if (device_->control(VIDIOC_DQBUF, &call.buffer) < 0) {
    const int error = errno;
    const bool gone = (waits[0].revents & (POLLHUP | POLLNVAL)) != 0;
    if (error == ENODEV || error == ENXIO || error == ESHUTDOWN || gone) {
      return fail(Status(Code::kCameraLost, device_->identity().path + ": it was unplugged"));
    }
    if (error == EAGAIN && (waits[0].revents & POLLERR) == 0) return Outcome::kSkipped;  // taken back by the driver
    // EIO is a transfer that failed, after which the next may come; a poll error with nothing to take comes without
    // end.
    if ((error == EIO || error == EAGAIN) && ++errors_ < kMostErrors) {
      pollfd pause = {wake_fd, POLLIN, 0};
      if (device_->calls().poll(&pause, wake_fd >= 0 ? 1 : 0, 10) > 0) return Outcome::kWoken;
      return error == EIO ? Outcome::kFailed : Outcome::kSkipped;
    }
    return fail(v4l2_failure(error, device_->identity().path, "taking a picture"));
  }
  errors_ = 0;
  const v4l2_buffer& given = call.buffer;
  if (given.index >= mapped_.size()) {
    return fail(
        Status(Code::kCameraLost, device_->identity().path + ": its driver gave a buffer that it does not have"));
  }
  *out = V4l2Buffer();
  out->index = given.index;
  out->flags = given.flags;
  out->sequence = given.sequence;
  out->stamp_us = static_cast<int64_t>(given.timestamp.tv_sec) * 1000000 + given.timestamp.tv_usec;
  out->damaged = (given.flags & V4L2_BUF_FLAG_ERROR) != 0;
  const Mapped& mapped = mapped_[given.index];
  for (uint32_t p = 0; p < mapped.planes; ++p) {
    const v4l2_plane& plane = call.planes[p];
    const auto* memory = static_cast<const uint8_t*>(mapped.memory[p]);
    const size_t used = std::min<size_t>(device_->multi_planar() ? plane.bytesused : given.bytesused, mapped.bytes[p]);
    const size_t skip = std::min<size_t>(device_->multi_planar() ? plane.data_offset : 0, used);
    out->planes[p] = {memory + skip, used - skip};
  }
  return Outcome::kTaken;
}

Result<int> V4l2Stream::export_plane(const V4l2Buffer& buffer, uint32_t plane) const {
  v4l2_exportbuffer request{};
  request.type = device_->buffer_type();
  request.index = buffer.index;
  request.plane = plane;
  request.flags = O_RDONLY | O_CLOEXEC;
  if (device_->control(VIDIOC_EXPBUF, &request) < 0) {
    return Status(Code::kCameraUnsupported, device_->identity().path + ": its driver exports no DMA-buf");
  }
  return static_cast<int>(request.fd);
}

}  // namespace lineament

#endif
