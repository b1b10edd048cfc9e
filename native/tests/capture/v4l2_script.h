// A device that does what a script says: the answers of a V4L2 driver, its buffers, and everything that goes wrong.
#pragma once

#include <fcntl.h>
#include <linux/videodev2.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "capture/linux/v4l2_calls.h"
#include "tests/capture/v4l2_cameras.h"

namespace script {

// One device at /dev/video0 … each. Thread-safe, as the kernel is. Time is the script's, but for waiting for the wake
// descriptor.
class Calls final : public lineament::V4l2Calls {
 public:
  std::vector<Device> devices{1};
  std::deque<Event> events;  // of the device that streams
  int64_t now_us = 50'000'000;
  int64_t epoch_offset_us = 1'700'000'000'000'000;
  // Where the events end: 0 lets time go by, so that the camera falls silent; 1 waits for the wake descriptor.
  bool idle = false;
  int open_fds = 0;
  size_t mapped = 0;  // bytes
  std::vector<std::string> other_nodes;

  void picture(uint32_t sequence, std::vector<uint8_t> content = {}) {
    Event event;
    event.sequence = sequence;
    event.content = std::move(content);
    events.push_back(event);
  }
  void error(int code) {
    Event event;
    event.kind = Event::kError;
    event.error = code;
    events.push_back(event);
  }

  int open(const char* path) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    const int index = std::strncmp(path, "/dev/video", 10) == 0 ? std::atoi(path + 10) : -1;
    if (index < 0 || static_cast<size_t>(index) >= devices.size()) return fail(ENOENT);
    if (devices[static_cast<size_t>(index)].open_error != 0) {
      return fail(devices[static_cast<size_t>(index)].open_error);
    }
    ++open_fds;
    return kFirstFd + index;
  }
  int close(int fd) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    --open_fds;
    return fd >= kFirstFd ? 0 : fail(EBADF);
  }

  int ioctl(int fd, unsigned long request, void* argument) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    Device& device = devices[static_cast<size_t>(fd - kFirstFd)];
    if (device.interrupted > 0) {
      --device.interrupted;
      return fail(EINTR);
    }
    if (const auto failing = device.failing.find(request); failing != device.failing.end()) {
      return fail(failing->second);
    }
    switch (request) {
      case VIDIOC_QUERYCAP:
        return query(device, static_cast<v4l2_capability*>(argument));
      case VIDIOC_ENUM_FMT:
        return enum_format(device, static_cast<v4l2_fmtdesc*>(argument));
      case VIDIOC_ENUM_FRAMESIZES:
        return enum_size(device, static_cast<v4l2_frmsizeenum*>(argument));
      case VIDIOC_ENUM_FRAMEINTERVALS:
        return enum_interval(device, static_cast<v4l2_frmivalenum*>(argument));
      case VIDIOC_G_FMT:
      case VIDIOC_S_FMT:
        return format(device, static_cast<v4l2_format*>(argument), request == VIDIOC_S_FMT);
      case VIDIOC_G_PARM:
      case VIDIOC_S_PARM:
        return parameters(device, static_cast<v4l2_streamparm*>(argument), request == VIDIOC_S_PARM);
      case VIDIOC_REQBUFS:
        return request_buffers(device, static_cast<v4l2_requestbuffers*>(argument));
      case VIDIOC_QUERYBUF:
        return query_buffer(device, static_cast<v4l2_buffer*>(argument));
      case VIDIOC_QBUF:
        return queue(device, static_cast<v4l2_buffer*>(argument));
      case VIDIOC_DQBUF:
        return dequeue(device, static_cast<v4l2_buffer*>(argument));
      case VIDIOC_STREAMON:
        return start(device);
      case VIDIOC_STREAMOFF:
        device.streaming = false;
        queued_.clear();
        return 0;
      case VIDIOC_EXPBUF:
        if (!device.exports) return fail(ENOTTY);
        static_cast<v4l2_exportbuffer*>(argument)->fd =
            static_cast<__s32>(9000 + static_cast<v4l2_exportbuffer*>(argument)->index);
        return 0;
      case VIDIOC_QUERY_EXT_CTRL:
        return query_control(device, static_cast<v4l2_query_ext_ctrl*>(argument));
      case VIDIOC_QUERYCTRL:
        return query_old_control(device, static_cast<v4l2_queryctrl*>(argument));
      case VIDIOC_QUERYMENU:
        return query_menu(device, static_cast<v4l2_querymenu*>(argument));
      case VIDIOC_G_CTRL:
      case VIDIOC_S_CTRL:
        return control_value(device, static_cast<v4l2_control*>(argument), request == VIDIOC_S_CTRL);
      default:
        return fail(ENOTTY);
    }
  }

  void* mmap(int, size_t length, int64_t offset) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (refuse_mmap) {
      errno = ENOMEM;
      return MAP_FAILED;
    }
    mapped += length;
    return memory_.at(static_cast<size_t>(offset / kPage)).data();
  }
  int munmap(void*, size_t length) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    mapped -= length;
    return 0;
  }
  bool refuse_mmap = false;

  int poll(pollfd* fds, size_t count, int timeout_ms) override {
    int wake_fd = -1;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      for (size_t i = 0; i < count; ++i) {
        fds[i].revents = 0;
        if (fds[i].fd >= 0 && fds[i].fd < kFirstFd) wake_fd = fds[i].fd;
      }
      pollfd* video = count > 0 && fds[0].fd >= kFirstFd ? &fds[0] : nullptr;
      if (video != nullptr && interrupted_polls > 0) {
        --interrupted_polls;
        return fail(EINTR);
      }
      if (video != nullptr && !events.empty() && events.front().wait_us <= int64_t{1000} * timeout_ms) {
        now_us += events.front().wait_us;
        events.front().wait_us = 0;
        video->revents = POLLIN;
        if (events.front().kind == Event::kError && events.front().error == ENODEV) video->revents = POLLERR | POLLHUP;
        return 1;
      }
      if (video != nullptr && idle && events.empty()) {
        // falls through to waiting
      } else {
        now_us += int64_t{1000} * timeout_ms;
        if (!events.empty() && video != nullptr) events.front().wait_us -= int64_t{1000} * timeout_ms;
        timeout_ms = 0;
      }
    }
    if (wake_fd < 0) return 0;
    pollfd real = {wake_fd, POLLIN, 0};
    const int ready = ::poll(&real, 1, timeout_ms);
    if (ready > 0) fds[count - 1].revents = real.revents;
    return ready;
  }
  int interrupted_polls = 0;

  std::vector<std::string> nodes() override {
    std::vector<std::string> all;
    for (size_t i = 0; i < devices.size(); ++i) all.push_back("/dev/video" + std::to_string(i));
    all.insert(all.end(), other_nodes.begin(), other_nodes.end());
    return all;
  }
  int64_t monotonic_us() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return now_us;
  }
  int64_t epoch_us() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    return now_us + epoch_offset_us;
  }

  size_t queued() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return queued_.size();
  }

 private:
  static constexpr int kFirstFd = 100000;
  static constexpr int64_t kPage = 4096;  // each plane has a page of the offsets

  static int fail(int error) {
    errno = error;
    return -1;
  }
  static bool multi(const Device& device) { return (device.caps & V4L2_CAP_VIDEO_CAPTURE) == 0; }
  static uint32_t type(const Device& device) {
    return multi(device) ? V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE : V4L2_BUF_TYPE_VIDEO_CAPTURE;
  }

  static int query(const Device& device, v4l2_capability* out) {
    std::strncpy(reinterpret_cast<char*>(out->card), device.card.c_str(), sizeof out->card - 1);
    std::strncpy(reinterpret_cast<char*>(out->driver), device.driver.c_str(), sizeof out->driver - 1);
    std::strncpy(reinterpret_cast<char*>(out->bus_info), device.bus.c_str(), sizeof out->bus_info - 1);
    out->capabilities = device.has_device_caps
                            ? V4L2_CAP_DEVICE_CAPS | V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING
                            : device.caps;
    out->device_caps = device.has_device_caps ? device.caps : 0;
    return 0;
  }
  static int enum_format(const Device& device, v4l2_fmtdesc* entry) {
    if (entry->type != type(device) || entry->index >= device.formats.size()) return fail(EINVAL);
    entry->pixelformat = device.formats[entry->index].fourcc;
    return 0;
  }
  static const Format* find(const Device& device, uint32_t fourcc) {
    for (const Format& one : device.formats) {
      if (one.fourcc == fourcc) return &one;
    }
    return nullptr;
  }
  static int enum_size(const Device& device, v4l2_frmsizeenum* entry) {
    const Format* found = find(device, entry->pixel_format);
    if (found == nullptr) return fail(EINVAL);
    if (found->range.max_width > 0) {
      if (entry->index > 0) return fail(EINVAL);
      entry->type = V4L2_FRMSIZE_TYPE_STEPWISE;
      entry->stepwise = found->range;
      return 0;
    }
    if (found->modes.empty()) return fail(ENOTTY);
    if (entry->index >= found->modes.size()) return fail(EINVAL);
    entry->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    entry->discrete = {found->modes[entry->index].width, found->modes[entry->index].height};
    return 0;
  }
  static int enum_interval(const Device& device, v4l2_frmivalenum* entry) {
    const Format* found = find(device, entry->pixel_format);
    if (found == nullptr) return fail(EINVAL);
    if (found->fastest.denominator > 0) {
      if (entry->index > 0) return fail(EINVAL);
      entry->type = V4L2_FRMIVAL_TYPE_CONTINUOUS;
      entry->stepwise = {found->fastest, found->slowest, {1, 1}};
      return 0;
    }
    for (const Mode& mode : found->modes) {
      if (mode.width != entry->width || mode.height != entry->height) continue;
      if (entry->index >= mode.intervals.size()) return fail(EINVAL);
      entry->type = V4L2_FRMIVAL_TYPE_DISCRETE;
      entry->discrete = mode.intervals[entry->index];
      return 0;
    }
    return fail(EINVAL);
  }

  struct Layout {
    uint32_t planes = 1;
    uint32_t strides[3] = {}, sizes[3] = {};
  };
  static Layout layout_of(const Device& device, uint32_t fourcc, uint32_t width, uint32_t height) {
    Layout out;
    const uint32_t pad = device.padding;
    const auto plane = [&](uint32_t p, uint32_t bytes, uint32_t rows) {
      out.strides[p] = bytes + pad;
      out.sizes[p] = (bytes + pad) * rows;
    };
    switch (fourcc) {
      case V4L2_PIX_FMT_YUYV:
      case V4L2_PIX_FMT_UYVY:
      case V4L2_PIX_FMT_Z16:
        plane(0, width * 2, height);
        break;
      case V4L2_PIX_FMT_RGB24:
        plane(0, width * 3, height);
        break;
      case V4L2_PIX_FMT_GREY:
        plane(0, width, height);
        break;
      case V4L2_PIX_FMT_NV12:
      case V4L2_PIX_FMT_NV21:
      case V4L2_PIX_FMT_YUV420:
      case V4L2_PIX_FMT_YVU420:
        plane(0, width, height * 3 / 2);
        break;
      case V4L2_PIX_FMT_NV12M:
        out.planes = 2;
        plane(0, width, height);
        plane(1, width, height / 2);
        break;
      case V4L2_PIX_FMT_YUV420M:
      case V4L2_PIX_FMT_YVU420M:
        out.planes = 3;
        plane(0, width, height);
        plane(1, width / 2, height / 2);
        plane(2, width / 2, height / 2);
        break;
      default:  // files
        out.sizes[0] = width * height;
    }
    return out;
  }

  int format(Device& device, v4l2_format* given, bool set) {
    if (given->type != type(device)) return fail(EINVAL);
    uint32_t fourcc =
        set ? (multi(device) ? given->fmt.pix_mp.pixelformat : given->fmt.pix.pixelformat) : device.default_fourcc;
    uint32_t width = set ? (multi(device) ? given->fmt.pix_mp.width : given->fmt.pix.width) : device.default_width;
    uint32_t height = set ? (multi(device) ? given->fmt.pix_mp.height : given->fmt.pix.height) : device.default_height;
    if (set && device.streaming) return fail(EBUSY);
    if (set && device.adjust) device.adjust(&fourcc, &width, &height);
    Layout layout = layout_of(device, fourcc, width, height);
    if (device.zero_strides) std::fill(std::begin(layout.strides), std::end(layout.strides), 0);
    if (multi(device)) {
      given->fmt.pix_mp = {};
      given->fmt.pix_mp.width = width;
      given->fmt.pix_mp.height = height;
      given->fmt.pix_mp.pixelformat = fourcc;
      given->fmt.pix_mp.field = V4L2_FIELD_NONE;
      given->fmt.pix_mp.num_planes = static_cast<__u8>(layout.planes);
      for (uint32_t p = 0; p < layout.planes; ++p) {
        given->fmt.pix_mp.plane_fmt[p].bytesperline = layout.strides[p];
        given->fmt.pix_mp.plane_fmt[p].sizeimage = layout.sizes[p];
      }
    } else {
      given->fmt.pix = {};
      given->fmt.pix.width = width;
      given->fmt.pix.height = height;
      given->fmt.pix.pixelformat = fourcc;
      given->fmt.pix.field = V4L2_FIELD_NONE;
      given->fmt.pix.bytesperline = layout.strides[0];
      given->fmt.pix.sizeimage = layout.sizes[0];
    }
    if (set) {
      device.fourcc = fourcc;
      device.width = width;
      device.height = height;
    }
    return 0;
  }
  static int parameters(Device& device, v4l2_streamparm* given, bool set) {
    if (set && !device.settable_rate) return fail(EINVAL);
    if (set) device.interval = given->parm.capture.timeperframe;
    given->parm.capture.timeperframe = device.interval;
    given->parm.capture.capability = device.settable_rate ? V4L2_CAP_TIMEPERFRAME : 0;
    return 0;
  }

  int request_buffers(Device& device, v4l2_requestbuffers* given) {
    if (device.streaming) return fail(EBUSY);
    given->count = given->count == 0 ? 0 : std::clamp(given->count, device.least_buffers, device.most_buffers);
    const Layout layout = layout_of(device, device.fourcc, device.width, device.height);
    memory_.clear();
    planes_ = layout.planes;
    for (uint32_t i = 0; i < given->count; ++i) {
      for (uint32_t p = 0; p < layout.planes; ++p) memory_.emplace_back(layout.sizes[p]);
    }
    queued_.clear();
    return 0;
  }
  int query_buffer(Device& device, v4l2_buffer* given) {
    if (given->index * planes_ >= memory_.size()) return fail(EINVAL);
    if (!multi(device)) {
      given->length = static_cast<__u32>(memory_[given->index].size());
      given->m.offset = static_cast<__u32>(given->index * kPage);
      return 0;
    }
    given->length = planes_;
    for (uint32_t p = 0; p < planes_; ++p) {
      const uint32_t at = given->index * planes_ + p;
      given->m.planes[p].length = static_cast<__u32>(memory_[at].size());
      given->m.planes[p].m.mem_offset = static_cast<__u32>(at * kPage);
    }
    return 0;
  }
  int queue(Device& device, v4l2_buffer* given) {
    if (given->index * planes_ >= memory_.size()) return fail(EINVAL);
    if (multi(device) && given->length != planes_) return fail(EINVAL);
    if (std::count(queued_.begin(), queued_.end(), given->index) > 0) return fail(EINVAL);  // it has it already
    queued_.push_back(given->index);
    return 0;
  }
  int start(Device& device) {
    ++device.starts;
    const int refused = device.stream_on ? device.stream_on(device.fourcc, device.width, device.height) : 0;
    if (refused != 0) return fail(refused);
    device.streaming = true;
    return 0;
  }
  int dequeue(Device& device, v4l2_buffer* given) {
    if (!device.streaming) return fail(EINVAL);
    if (events.empty()) return fail(EAGAIN);
    const Event event = events.front();
    events.pop_front();
    if (event.kind == Event::kError) return fail(event.error);
    if (event.kind == Event::kNothing || queued_.empty()) return fail(EAGAIN);
    const uint32_t index = queued_.front();
    queued_.pop_front();
    given->index = index;
    given->flags = event.flags;
    given->sequence = event.sequence;
    const int64_t stamp = event.stamp_us >= 0 ? event.stamp_us : now_us;
    given->timestamp = {static_cast<time_t>(stamp / 1000000), static_cast<suseconds_t>(stamp % 1000000)};
    std::vector<uint8_t>& first = memory_[index * planes_];
    std::copy_n(event.content.begin(), std::min(event.content.size(), first.size()), first.begin());
    const bool file = device.fourcc == V4L2_PIX_FMT_MJPEG;
    for (uint32_t p = 0; p < planes_; ++p) {
      const size_t whole = file ? event.content.size() : memory_[index * planes_ + p].size();
      const auto used = static_cast<__u32>(static_cast<double>(whole) * event.share);
      if (multi(device)) {
        given->m.planes[p].bytesused = used;
      } else {
        given->bytesused = used;
      }
    }
    return 0;
  }

  Control* find_control(Device& device, uint32_t id) {
    for (Control& one : device.controls) {
      if (one.id == id) return &one;
    }
    return nullptr;
  }
  int query_control(Device& device, v4l2_query_ext_ctrl* given) {
    if (device.old_controls) return fail(ENOTTY);
    const Control* found = find_control(device, given->id);
    if (found == nullptr) return fail(EINVAL);
    given->minimum = found->least;
    given->maximum = found->most;
    given->step = static_cast<__u64>(found->step);
    given->default_value = found->usual;
    given->flags = found->flags;
    return 0;
  }
  int query_old_control(Device& device, v4l2_queryctrl* given) {
    const Control* found = find_control(device, given->id);
    if (found == nullptr) return fail(EINVAL);
    given->minimum = found->least;
    given->maximum = found->most;
    given->step = found->step;
    given->default_value = found->usual;
    given->flags = found->flags;
    return 0;
  }
  int query_menu(Device& device, v4l2_querymenu* given) {
    const Control* found = find_control(device, given->id);
    if (found == nullptr) return fail(EINVAL);
    return std::count(found->menu.begin(), found->menu.end(), given->index) > 0 ? 0 : fail(EINVAL);
  }
  int control_value(Device& device, v4l2_control* given, bool set) {
    Control* found = find_control(device, given->id);
    if (found == nullptr) return fail(EINVAL);
    if (set) {
      if (given->value < found->least || given->value > found->most) return fail(ERANGE);
      if (!found->menu.empty() && std::count(found->menu.begin(), found->menu.end(), given->value) == 0) {
        return fail(EINVAL);
      }
      found->value = given->value;
    }
    given->value = found->value;
    return 0;
  }

  std::mutex mutex_;
  std::deque<uint32_t> queued_;
  std::deque<std::vector<uint8_t>> memory_;
  uint32_t planes_ = 1;
};

}  // namespace script
