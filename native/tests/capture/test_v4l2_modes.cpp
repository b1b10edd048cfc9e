// Negotiation with the tables of real cameras.
#include "tests/check.h"

#ifdef __linux__

#include <string>

#include "capture/linux/v4l2_device.h"
#include "tests/capture/v4l2_script.h"

using namespace lineament;

namespace {

std::string name(const V4l2Mode& mode) {
  const uint32_t code = mode.layout->fourcc;
  const char text[5] = {static_cast<char>(code), static_cast<char>(code >> 8), static_cast<char>(code >> 16),
                        static_cast<char>(code >> 24), 0};
  return std::string(text) + " " + std::to_string(mode.size.width) + "x" + std::to_string(mode.size.height) + "@" +
         std::to_string(static_cast<int>(mode.interval.fps() + 0.5));
}

std::string best(const script::Device& camera, const CaptureWish& wish) {
  script::Calls calls;
  calls.devices = {camera};
  const auto device = V4l2Device::open(calls, "/dev/video0");
  if (!device.ok()) return device.status().message();
  const std::vector<V4l2Mode> modes = device.value()->modes(wish);
  return modes.empty() ? "none" : name(modes.front());
}

std::string size(const std::vector<SizeRange>& ranges, PictureSize wanted) {
  const PictureSize found = nearest_size(ranges, wanted);
  return std::to_string(found.width) + "x" + std::to_string(found.height);
}

SizeRange one(int width, int height) { return {width, width, 1, height, height, 1}; }

}  // namespace

TEST(the_smallest_size_that_is_large_enough) {
  const std::vector<SizeRange> sizes = {one(640, 480), one(160, 120), one(1280, 720), one(960, 720), one(1920, 1080)};
  CHECK_EQ(size(sizes, {640, 480}), "640x480");
  CHECK_EQ(size(sizes, {641, 480}), "960x720");
  CHECK_EQ(size(sizes, {1000, 100}), "1280x720");
  CHECK_EQ(size(sizes, {1, 1}), "160x120");
  CHECK_EQ(size(sizes, {0, 700}), "960x720");       // only the height matters
  CHECK_EQ(size(sizes, {4000, 100}), "1920x1080");  // none is: the largest
  CHECK_EQ(size(sizes, {720, 1280}), "1920x1080");
  CHECK_EQ(size({}, {1, 1}), "0x0");
  // The same area: the nearer proportions.
  CHECK_EQ(size({one(400, 900), one(900, 400)}, {300, 200}), "900x400");
}

TEST(sizes_in_steps) {
  const std::vector<SizeRange> sizes = {{32, 2592, 2, 32, 1944, 2}};
  CHECK_EQ(size(sizes, {641, 480}), "642x480");
  CHECK_EQ(size(sizes, {16, 16}), "32x32");
  CHECK_EQ(size(sizes, {2592, 1944}), "2592x1944");
  CHECK_EQ(size(sizes, {5000, 100}), "2592x1944");
  CHECK_EQ(size({{48, 101, 16, 48, 101, 16}}, {97, 50}), "101x64");  // the end of the range is not on a step
  CHECK_EQ(size({{100, 50, 1, 10, 20, 1}}, {60, 15}), "0x0");        // a driver's nonsense
  CHECK_EQ(size({{1, 1000, 0, 1, 1000, 0}}, {500, 400}), "500x400");
}

TEST(rates) {
  const std::vector<IntervalRange> list = {{{1, 5}, {1, 5}}, {{1, 30}, {1, 30}}, {{1, 15}, {1, 15}}};
  CHECK_NEAR(nearest_interval(list, 12).fps(), 15, 1e-9);
  CHECK_NEAR(nearest_interval(list, 15).fps(), 15, 1e-9);
  CHECK_NEAR(nearest_interval(list, 60).fps(), 30, 1e-9);
  CHECK_NEAR(nearest_interval(list, 0).fps(), 30, 1e-9);
  CHECK_NEAR(nearest_interval({{{1001, 30000}, {1001, 30000}}}, 30).fps(), 29.97, 0.001);  // taken for 30
  const std::vector<IntervalRange> range = {{{1, 90}, {1, 1}}};
  CHECK_NEAR(nearest_interval(range, 24.5).fps(), 24.5, 1e-6);
  CHECK_NEAR(nearest_interval(range, 0.1).fps(), 1, 1e-9);
  CHECK_NEAR(nearest_interval(range, 200).fps(), 90, 1e-9);
  CHECK_EQ(nearest_interval({}, 30).numerator, 0u);
  CHECK_EQ(nearest_interval({{{0, 0}, {0, 0}}}, 30).numerator, 0u);
}

TEST(a_webcam) {
  const script::Device camera = script::webcam();
  CHECK_EQ(best(camera, {}), "YUYV 640x480@30");                  // what it is set to
  CHECK_EQ(best(camera, {640, 480, 30, {}}), "YUYV 640x480@30");  // raw is fast enough
  CHECK_EQ(best(camera, {640, 480, 12, {}}), "YUYV 640x480@15");
  CHECK_EQ(best(camera, {1280, 720, 30, {}}), "MJPG 1280x720@30");  // raw is not
  CHECK_EQ(best(camera, {1280, 720, 0, {}}), "MJPG 1280x720@30");
  CHECK_EQ(best(camera, {1280, 720, 10, {}}), "YUYV 1280x720@10");
  CHECK_EQ(best(camera, {1280, 720, 60, {}}), "MJPG 1280x720@30");    // nothing is: the faster
  CHECK_EQ(best(camera, {1920, 1080, 15, {}}), "MJPG 1920x1080@30");  // only there is it so large
  CHECK_EQ(best(camera, {4096, 2160, 0, {}}), "MJPG 1920x1080@30");
  CHECK_EQ(best(camera, {1280, 720, 30, {CaptureFormat::kYuyv}}), "YUYV 1280x720@10");
  CHECK_EQ(best(camera, {640, 480, 0, {CaptureFormat::kMjpeg, CaptureFormat::kYuyv}}), "MJPG 640x480@30");
  CHECK_EQ(best(camera, {640, 480, 0, {CaptureFormat::kNv12}}), "none");
}

TEST(a_depth_camera) {
  const script::Device camera = script::depth_camera();
  CHECK_EQ(best(camera, {}), "Z16  848x480@90");
  CHECK_EQ(best(camera, {640, 360, 30, {CaptureFormat::kZ16}}), "Z16  640x480@30");
  CHECK_EQ(best(camera, {640, 360, 30, {CaptureFormat::kYuyv}}), "none");
  // Depth is no picture where there is one.
  script::Device both = camera;
  both.formats.push_back({V4L2_PIX_FMT_GREY, {{480, 270, script::rates({30})}}});
  CHECK_EQ(best(both, {640, 480, 30, {}}), "GREY 480x270@30");
}

TEST(a_board_camera) {
  const script::Device camera = script::board_camera();
  CHECK_EQ(best(camera, {1280, 720, 15, {}}), "NM12 1280x720@15");  // before three planes
  CHECK_EQ(best(camera, {1279, 719, 0, {}}), "NM12 1280x720@90");
  CHECK_EQ(best(camera, {1280, 720, 15, {CaptureFormat::kI420}}), "YM12 1280x720@15");
  CHECK_EQ(best(camera, {}), "NM12 1024x768@90");
}

TEST(drivers_that_list_little) {
  script::Device camera;
  camera.formats = {{V4L2_PIX_FMT_GREY, {}}, {V4L2_PIX_FMT_YUV420, {}}, {v4l2_fourcc('B', 'A', '8', '1'), {}}};
  camera.default_fourcc = V4L2_PIX_FMT_GREY;
  CHECK_EQ(best(camera, {320, 240, 30, {}}), "YU12 320x240@0");
  CHECK_EQ(best(camera, {}), "YU12 640x480@0");
  camera.formats.resize(1);
  camera.formats[0].fourcc = v4l2_fourcc('B', 'A', '8', '1');  // raw Bayer
  CHECK_EQ(best(camera, {}), "none");
}

#else
TEST(needs_linux) { SKIP("not Linux"); }
#endif

TEST_MAIN()
