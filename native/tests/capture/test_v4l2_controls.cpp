// Settings of scripted cameras.
#include "tests/check.h"

#ifdef __linux__

#include <memory>
#include <string>

#include "capture/linux/v4l2_controls.h"
#include "tests/capture/v4l2_script.h"

using namespace lineament;

namespace {

struct Camera {
  explicit Camera(script::Device one) {
    calls.devices = {std::move(one)};
    device = std::move(V4l2Device::open(calls, "/dev/video0").value());
  }
  int32_t value(uint32_t id) const {
    for (const script::Control& control : calls.devices[0].controls) {
      if (control.id == id) return control.value;
    }
    return -1;
  }
  std::string set(CameraSetting setting, int64_t number) {
    const Result<int64_t> given = set_camera_setting(*device, setting, number);
    return given.ok() ? std::to_string(given.value()) : code_name(given.status().code());
  }

  script::Calls calls;
  std::unique_ptr<V4l2Device> device;
};

}  // namespace

TEST(what_a_webcam_has) {
  for (const bool old : {false, true}) {
    script::Device webcam = script::webcam();
    webcam.old_controls = old;
    const Camera camera(webcam);
    const std::vector<SettingRange> all = camera_settings(*camera.device);
    CHECK_EQ(all.size(), size_t{6});
    if (all.size() != 6) return;
    CHECK_EQ(std::string(setting_name(all[0].setting)), "exposure");
    CHECK_EQ(all[0].least, 3);
    CHECK_EQ(all[0].most, 2047);
    CHECK_EQ(all[0].value, 250);
    CHECK_EQ(std::string(setting_name(all[1].setting)), "autoExposure");
    CHECK_EQ(all[1].most, 1);
    CHECK_EQ(all[1].value, 1);
    CHECK_EQ(all[1].usual, 1);
    CHECK_EQ(std::string(setting_name(all[3].setting)), "whiteBalance");
    CHECK_EQ(all[3].step, 10);
  }
}

TEST(names) {
  for (const CameraSetting setting : kCameraSettings) CHECK(setting_named(setting_name(setting)) == setting);
  CHECK(!setting_named("zoom"));
  CHECK(!setting_named(""));
}

TEST(a_number_switches_the_camera_off_its_own_control) {
  Camera camera(script::webcam());
  CHECK_EQ(camera.set(CameraSetting::kExposure, 100), "100");
  CHECK_EQ(camera.value(V4L2_CID_EXPOSURE_AUTO), int32_t{V4L2_EXPOSURE_MANUAL});
  CHECK_EQ(camera.value(V4L2_CID_EXPOSURE_ABSOLUTE), 100);
  CHECK_EQ(camera.set(CameraSetting::kWhiteBalance, 3004), "3000");  // the nearest step
  CHECK_EQ(camera.set(CameraSetting::kWhiteBalance, 3005), "3010");
  CHECK_EQ(camera.value(V4L2_CID_AUTO_WHITE_BALANCE), 0);
  CHECK_EQ(camera.set(CameraSetting::kAutoExposure, 1), "1");
  CHECK_EQ(camera.value(V4L2_CID_EXPOSURE_AUTO), int32_t{V4L2_EXPOSURE_APERTURE_PRIORITY});  // all that it has
  CHECK_EQ(camera.set(CameraSetting::kAutoExposure, 0), "0");
  CHECK_EQ(camera.set(CameraSetting::kGain, 12), "12");  // without a switch
  CHECK_EQ(camera.set(CameraSetting::kPowerLine, 1), "1");
}

TEST(ranges_are_stated) {
  Camera camera(script::webcam());
  CHECK_EQ(camera.set(CameraSetting::kExposure, 2), "INVALID_ARGUMENT");
  CHECK_EQ(camera.set(CameraSetting::kExposure, 2048), "INVALID_ARGUMENT");
  const Status status = set_camera_setting(*camera.device, CameraSetting::kExposure, 1).status();
  CHECK(status.message().find("between 3 and 2047") != std::string::npos);
  CHECK_EQ(camera.value(V4L2_CID_EXPOSURE_AUTO), 3);  // nothing was touched
  CHECK_EQ(camera.set(CameraSetting::kAutoExposure, 2), "INVALID_ARGUMENT");
  CHECK_EQ(camera.set(CameraSetting::kPowerLine, 3), "INVALID_ARGUMENT");
}

TEST(what_a_camera_does_not_have) {
  Camera camera(script::depth_camera());
  CHECK(camera_settings(*camera.device).empty());
  for (const CameraSetting setting : kCameraSettings) CHECK_EQ(camera.set(setting, 1), "CAMERA_UNSUPPORTED");
  script::Device device = script::webcam();
  for (script::Control& control : device.controls) control.flags = V4L2_CTRL_FLAG_DISABLED;
  Camera disabled(device);
  CHECK(camera_settings(*disabled.device).empty());
  device = script::webcam();
  device.controls[2].flags = V4L2_CTRL_FLAG_READ_ONLY;
  Camera fixed(device);
  CHECK_EQ(fixed.set(CameraSetting::kGain, 1), "CAMERA_UNSUPPORTED");
}

TEST(other_names_for_the_same) {
  script::Device sensor = script::webcam();
  sensor.controls = {{V4L2_CID_EXPOSURE, 4, 1000, 1, 500, 500, 0, {}},
                     {V4L2_CID_ANALOGUE_GAIN, 16, 232, 8, 16, 16, 0, {}}};
  Camera camera(sensor);
  CHECK(camera_settings(*camera.device)[0].lines);
  CHECK(!camera_settings(*Camera(script::webcam()).device)[0].lines);
  CHECK_EQ(camera.set(CameraSetting::kExposure, 42), "42");
  CHECK_EQ(camera.set(CameraSetting::kGain, 33), "32");
  CHECK_EQ(camera.set(CameraSetting::kGain, 232), "232");
}

TEST(failures_of_setting) {
  const auto fails = [](int error) {
    script::Device device = script::webcam();
    device.failing[VIDIOC_S_CTRL] = error;
    Camera camera(device);
    return camera.set(CameraSetting::kGain, 5);
  };
  CHECK_EQ(fails(EACCES), "CAMERA_UNSUPPORTED");
  CHECK_EQ(fails(EBUSY), "CAMERA_BUSY");
  CHECK_EQ(fails(ERANGE), "INVALID_ARGUMENT");
  CHECK_EQ(fails(ENODEV), "CAMERA_LOST");
  CHECK_EQ(fails(EIO), "CAMERA_LOST");
}

#else
TEST(needs_linux) { SKIP("not Linux"); }
#endif

TEST_MAIN()
