// Cameras as their drivers describe them, for the scripted device of v4l2_script.h.
#pragma once

#include <linux/videodev2.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <vector>

namespace script {

struct Mode {
  uint32_t width, height;
  std::vector<v4l2_fract> intervals;  // discrete; empty: the driver does not say
};

struct Format {
  uint32_t fourcc;
  std::vector<Mode> modes;          // discrete sizes
  v4l2_frmsize_stepwise range{};    // or a range, where max_width > 0
  v4l2_fract fastest{}, slowest{};  // rates of a range, where the denominators are not 0
};

struct Control {
  uint32_t id;
  int32_t least, most, step, usual, value;
  uint32_t flags = 0;
  std::vector<uint32_t> menu;  // entries that are there
};

// What the next DQBUF says.
struct Event {
  enum Kind { kPicture, kError, kNothing } kind = kPicture;
  int error = 0;  // for kError
  uint32_t sequence = 0;
  uint32_t flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  int64_t stamp_us = -1;         // -1: now
  int64_t wait_us = 33333;       // that go by before it
  double share = 1;              // of the bytes that a picture has
  std::vector<uint8_t> content;  // at the start of the first plane
};

class Device {
 public:
  std::string card = "Scripted camera", driver = "script", bus = "usb-0000:00:14.0-1";
  uint32_t caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
  bool has_device_caps = true;
  std::vector<Format> formats;
  std::vector<Control> controls;
  uint32_t padding = 0;  // bytes at the end of each row
  bool zero_strides = false;
  uint32_t default_width = 640, default_height = 480, default_fourcc = 0;
  uint32_t most_buffers = 32, least_buffers = 0;
  bool exports = true, settable_rate = true, old_controls = false;
  std::function<void(uint32_t* fourcc, uint32_t* width, uint32_t* height)> adjust;  // in S_FMT
  std::function<int(uint32_t fourcc, uint32_t width, uint32_t height)> stream_on;   // an errno, or 0
  int open_error = 0;
  std::map<unsigned long, int> failing;  // request → errno, every time
  int interrupted = 0;                   // so many ioctls say EINTR first

  // Seen by tests.
  uint32_t fourcc = 0, width = 0, height = 0;
  v4l2_fract interval{1, 30};
  bool streaming = false;
  uint32_t starts = 0;
};

inline std::vector<v4l2_fract> rates(std::initializer_list<uint32_t> fps) {
  std::vector<v4l2_fract> all;
  for (const uint32_t one : fps) all.push_back({1, one});
  return all;
}

// A webcam of the usual kind: raw pictures are slow at 720p, JPEGs are not.
inline Device webcam() {
  Device device;
  device.card = "HD Webcam C525";
  device.driver = "uvcvideo";
  device.formats = {
      {V4L2_PIX_FMT_YUYV,
       {{640, 480, rates({30, 24, 20, 15, 10, 5})},
        {160, 120, rates({30})},
        {320, 240, rates({30, 15})},
        {960, 720, rates({15, 10, 5})},
        {1280, 720, rates({10, 5})}}},
      {V4L2_PIX_FMT_MJPEG, {{640, 480, rates({30, 15})}, {1280, 720, rates({30, 24, 15})}, {1920, 1080, rates({30})}}}};
  device.default_fourcc = V4L2_PIX_FMT_YUYV;
  device.controls = {
      {V4L2_CID_EXPOSURE_AUTO, 0, 3, 1, 3, 3, 0, {1, 3}},
      {V4L2_CID_EXPOSURE_ABSOLUTE, 3, 2047, 1, 250, 250, 0, {}},
      {V4L2_CID_GAIN, 0, 255, 1, 64, 64, 0, {}},
      {V4L2_CID_AUTO_WHITE_BALANCE, 0, 1, 1, 1, 1, 0, {}},
      {V4L2_CID_WHITE_BALANCE_TEMPERATURE, 2800, 6500, 10, 4000, 4000, 0, {}},
      {V4L2_CID_POWER_LINE_FREQUENCY, 0, 2, 1, 2, 2, 0, {0, 1, 2}},
  };
  return device;
}

// The depth node of a stereo camera.
inline Device depth_camera() {
  Device device;
  device.card = "Intel(R) RealSense(TM) Depth Ca";
  device.driver = "uvcvideo";
  device.formats = {{V4L2_PIX_FMT_Z16,
                     {{256, 144, rates({90})},
                      {480, 270, rates({90, 60, 30, 15})},
                      {640, 480, rates({90, 60, 30, 15, 6})},
                      {848, 480, rates({90, 60, 30})},
                      {1280, 720, rates({30, 15, 6})}}}};
  device.default_fourcc = V4L2_PIX_FMT_Z16;
  device.default_width = 848;
  device.default_height = 480;
  return device;
}

// A board's camera interface: any size in steps, only the multi-planar interface.
inline Device board_camera() {
  Device device;
  device.card = "unicam";
  device.driver = "bm2835 mmal";
  device.bus = "platform:bcm2835_v4l2";
  device.caps = V4L2_CAP_VIDEO_CAPTURE_MPLANE | V4L2_CAP_STREAMING;
  const v4l2_frmsize_stepwise any = {32, 2592, 2, 32, 1944, 2};
  device.formats = {{V4L2_PIX_FMT_YUV420M, {}, any, {1, 90}, {1, 1}},
                    {V4L2_PIX_FMT_YUYV, {}, any, {1, 90}, {1, 1}},
                    {V4L2_PIX_FMT_RGB24, {}, any, {1, 90}, {1, 1}},
                    {V4L2_PIX_FMT_MJPEG, {}, any, {1, 90}, {1, 1}},
                    {V4L2_PIX_FMT_NV12M, {}, any, {1, 90}, {1, 1}}};
  device.default_fourcc = V4L2_PIX_FMT_YUV420M;
  device.default_width = 1024;
  device.default_height = 768;
  return device;
}

}  // namespace script
