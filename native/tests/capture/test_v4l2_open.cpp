// Opening cameras: what is there, what is negotiated, what goes wrong, against a scripted driver.
#include "tests/check.h"

#ifdef __linux__

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "capture/linux/v4l2_stream.h"
#include "tests/capture/v4l2_script.h"

using namespace lineament;

namespace {

Result<std::unique_ptr<V4l2Stream>> stream_of(script::Calls& calls, const CaptureWish& wish = {}) {
  Result<std::unique_ptr<V4l2Device>> device = V4l2Device::open(calls, "/dev/video0");
  if (!device.ok()) return device.status();
  return V4l2Stream::start(std::move(device.value()), wish);
}

script::Calls& with(script::Calls& calls, script::Device device) {
  calls.devices = {std::move(device)};
  return calls;
}

std::string code_of(const Status& status) { return status.ok() ? "OK" : code_name(status.code()); }

std::string open_code(script::Device device) {
  script::Calls calls;
  const Result<std::unique_ptr<V4l2Stream>> stream = stream_of(with(calls, std::move(device)));
  return code_of(stream.status());
}

std::string open_code_failing(unsigned long request, int error) {
  script::Device device = script::webcam();
  device.failing[request] = error;
  return open_code(device);
}

}  // namespace

TEST(the_rate_is_left_alone_unless_it_is_asked_for) {
  script::Calls calls;
  with(calls, script::webcam()).devices[0].interval = {1, 20};
  CHECK_NEAR(stream_of(calls, {640, 480, 0, {}}).value()->format().interval.fps(), 20, 1e-9);
  CHECK_NEAR(stream_of(calls, {640, 480, 14, {}}).value()->format().interval.fps(), 15, 1e-9);
}

TEST(the_driver_makes_another_format_of_it) {
  script::Device device = script::webcam();
  // It lists YUYV and gives JPEG all the same; asked for JPEG it gives what it says.
  device.adjust = [](uint32_t* fourcc, uint32_t*, uint32_t*) { *fourcc = V4L2_PIX_FMT_MJPEG; };
  script::Calls calls;
  with(calls, device);
  const auto stream = stream_of(calls, {640, 480, 30, {}});
  CHECK(stream.ok());
  if (stream.ok()) CHECK(stream.value()->format().layout->format == CaptureFormat::kMjpeg);
  device.adjust = [](uint32_t* fourcc, uint32_t*, uint32_t*) { *fourcc = v4l2_fourcc('B', 'A', '8', '1'); };
  CHECK_EQ(open_code(device), "CAMERA_UNSUPPORTED");
  device.adjust = [](uint32_t*, uint32_t* width, uint32_t*) { *width = 0; };
  CHECK_EQ(open_code(device), "CAMERA_UNSUPPORTED");
}

TEST(a_bus_without_bandwidth) {
  script::Calls calls;
  script::Device device = script::webcam();
  device.stream_on = [](uint32_t fourcc, uint32_t, uint32_t) { return fourcc == V4L2_PIX_FMT_YUYV ? ENOSPC : 0; };
  with(calls, device);
  {
    const auto stream = stream_of(calls, {640, 480, 30, {}});
    CHECK(stream.ok());
    if (stream.ok()) CHECK(stream.value()->format().layout->format == CaptureFormat::kMjpeg);
    CHECK_EQ(calls.devices[0].starts, 2u);
  }
  CHECK_EQ(calls.mapped, size_t{0});
  device.stream_on = [](uint32_t, uint32_t, uint32_t) { return ENOSPC; };
  with(calls, device);
  const auto stream = stream_of(calls, {640, 480, 30, {}});
  CHECK_EQ(code_of(stream.status()), "CAMERA_BUSY");
  CHECK(stream.status().message().find("bandwidth") != std::string::npos);
  CHECK_EQ(calls.open_fds, 0);
  CHECK_EQ(calls.mapped, size_t{0});
}

TEST(errors_of_opening) {
  script::Device device = script::webcam();
  CHECK_EQ(open_code(device), "OK");
  for (const auto& [error, code] : std::vector<std::pair<int, std::string>>{{ENOENT, "CAMERA_NOT_FOUND"},
                                                                            {EACCES, "CAMERA_NOT_FOUND"},
                                                                            {EPERM, "CAMERA_NOT_FOUND"},
                                                                            {ENODEV, "CAMERA_NOT_FOUND"},
                                                                            {ENXIO, "CAMERA_NOT_FOUND"},
                                                                            {EBUSY, "CAMERA_BUSY"},
                                                                            {EIO, "CAMERA_LOST"}}) {
    device.open_error = error;
    CHECK_EQ(open_code(device), code);
  }
  script::Calls calls;
  with(calls, script::webcam()).devices[0].open_error = EACCES;
  CHECK(V4l2Device::open(calls, "/dev/video0").status().message().find("'video'") != std::string::npos);
  CHECK_EQ(code_of(V4l2Device::open(calls, "/dev/video1").status()), "CAMERA_NOT_FOUND");

  CHECK_EQ(open_code_failing(VIDIOC_QUERYCAP, ENOTTY), "CAMERA_NOT_FOUND");  // some other device
  CHECK_EQ(open_code_failing(VIDIOC_QUERYCAP, ENODEV), "CAMERA_LOST");
  CHECK_EQ(open_code_failing(VIDIOC_S_FMT, EBUSY), "CAMERA_BUSY");
  CHECK_EQ(open_code_failing(VIDIOC_S_FMT, ENODEV), "CAMERA_LOST");
  CHECK_EQ(open_code_failing(VIDIOC_REQBUFS, EBUSY), "CAMERA_BUSY");
  CHECK_EQ(open_code_failing(VIDIOC_REQBUFS, ENOMEM), "OUT_OF_MEMORY");
  CHECK_EQ(open_code_failing(VIDIOC_REQBUFS, EINVAL), "CAMERA_UNSUPPORTED");
  CHECK_EQ(open_code_failing(VIDIOC_STREAMON, EBUSY), "CAMERA_BUSY");
  CHECK_EQ(open_code_failing(VIDIOC_STREAMON, ENODEV), "CAMERA_LOST");
  CHECK_EQ(open_code_failing(VIDIOC_QBUF, EIO), "CAMERA_LOST");
  CHECK_EQ(open_code_failing(VIDIOC_ENUM_FMT, EINVAL), "CAMERA_UNSUPPORTED");
  CHECK_EQ(open_code_failing(VIDIOC_G_PARM, ENOTTY), "OK");  // a camera without a rate
  CHECK_EQ(open_code_failing(VIDIOC_S_PARM, EINVAL), "OK");
  CHECK_EQ(open_code_failing(VIDIOC_G_FMT, EINVAL), "OK");

  device = script::webcam();
  device.caps = V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING;
  CHECK_EQ(open_code(device), "CAMERA_NOT_FOUND");
  device.caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_READWRITE;
  CHECK_EQ(open_code(device), "CAMERA_UNSUPPORTED");
  device = script::webcam();
  device.has_device_caps = false;  // drivers of before 2012
  CHECK_EQ(open_code(device), "OK");
  device.most_buffers = 1;
  CHECK_EQ(open_code(device), "OUT_OF_MEMORY");
}

TEST(memory_that_cannot_be_shared) {
  script::Calls calls;
  with(calls, script::webcam()).refuse_mmap = true;
  CHECK_EQ(code_of(stream_of(calls).status()), "OUT_OF_MEMORY");
  CHECK_EQ(calls.open_fds, 0);
}

TEST(buffers) {
  script::Calls calls;
  script::Device device = script::webcam();
  device.least_buffers = 6;  // drivers may want more
  with(calls, device);
  CHECK_EQ(stream_of(calls).value()->buffers(), size_t{6});
  calls.devices[0].least_buffers = 0;
  const auto stream = std::move(stream_of(calls).value());
  CHECK_EQ(stream->buffers(), size_t{4});
  CHECK_EQ(calls.queued(), size_t{4});
  // A buffer that is held is not filled, and its memory may be handed to a device.
  calls.picture(0, {1, 2, 3});
  V4l2Buffer held;
  CHECK(stream->take(-1, 1000, &held) == V4l2Stream::Outcome::kTaken);
  CHECK_EQ(calls.queued(), size_t{3});
  CHECK_EQ(int{held.planes[0][1]}, 2);
  CHECK_EQ(stream->export_plane(held, 0).value(), 9000);
  calls.devices[0].exports = false;
  CHECK_EQ(code_of(stream->export_plane(held, 0).status()), "CAMERA_UNSUPPORTED");
  CHECK(stream->give_back(held).ok());
  CHECK_EQ(calls.queued(), size_t{4});
  CHECK_EQ(code_of(stream->give_back(held)), "CAMERA_LOST");  // twice: the driver refuses
}

TEST(all_cameras_of_a_machine) {
  script::Calls calls;
  script::Device metadata = script::webcam(), busy = script::webcam(), locked = script::webcam();
  metadata.caps = V4L2_CAP_META_CAPTURE | V4L2_CAP_STREAMING;
  busy.open_error = EBUSY;
  locked.open_error = EACCES;
  calls.devices = {script::webcam(), metadata, script::depth_camera(), busy, locked, script::board_camera()};
  calls.other_nodes = {"/dev/video64"};
  const std::vector<V4l2Listing> all = list_v4l2_devices(calls);
  CHECK_EQ(all.size(), size_t{5});
  if (all.size() != 5) return;
  CHECK_EQ(all[0].identity.name, "HD Webcam C525");
  CHECK_EQ(all[0].identity.driver, "uvcvideo");
  CHECK_EQ(all[0].identity.bus, "usb-0000:00:14.0-1");
  CHECK_EQ(all[0].offers.size(), size_t{8});
  CHECK_NEAR(all[0].offers[4].fps, 10, 1e-9);
  CHECK(all[0].problem.ok());
  CHECK_EQ(all[1].identity.path, "/dev/video2");
  CHECK_EQ(code_of(all[2].problem), "CAMERA_BUSY");
  CHECK_EQ(code_of(all[3].problem), "CAMERA_NOT_FOUND");
  CHECK_EQ(all[4].offers[0].sizes.max_width, 2592);
  CHECK_EQ(all[4].offers[0].sizes.min_width, 32);
  CHECK_EQ(calls.open_fds, 0);
}

#else
TEST(needs_linux) { SKIP("not Linux"); }
#endif

TEST_MAIN()
