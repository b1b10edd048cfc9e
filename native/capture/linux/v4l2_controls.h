// Settings of a camera: exposure, gain, white balance, the frequency of the lamps.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "capture/linux/v4l2_device.h"

namespace lineament {

enum class CameraSetting : uint8_t {
  kExposure,      // units of 100 µs (of lines, where a sensor's driver knows nothing else)
  kAutoExposure,  // 0 or 1
  kGain,
  kAutoGain,      // 0 or 1
  kWhiteBalance,  // kelvin
  kAutoWhite,     // 0 or 1
  kPowerLine,     // 0 off, 1 50 Hz, 2 60 Hz, 3 by itself
  kBrightness,
};
inline constexpr CameraSetting kCameraSettings[] = {
    CameraSetting::kExposure,     CameraSetting::kAutoExposure, CameraSetting::kGain,      CameraSetting::kAutoGain,
    CameraSetting::kWhiteBalance, CameraSetting::kAutoWhite,    CameraSetting::kPowerLine, CameraSetting::kBrightness};

// "exposure", "autoExposure", …; the names that JavaScript sees.
const char* setting_name(CameraSetting setting);
std::optional<CameraSetting> setting_named(std::string_view name);

struct SettingRange {
  CameraSetting setting = CameraSetting::kExposure;
  int64_t least = 0;
  int64_t most = 0;
  int64_t step = 1;
  int64_t usual = 0;   // the driver's default
  int64_t value = 0;   // now
  bool lines = false;  // an exposure in lines of the sensor, not in 100 µs
};

// What this camera has, as its driver states it.
std::vector<SettingRange> camera_settings(const V4l2Device& device);

// Sets one, to the nearest step; gives what the driver made of it. A number for exposure, gain or white balance
// switches the camera's own control of it off first, where it has one. kCameraUnsupported: this camera does not have
// it. kInvalidArgument: out of its range, which the message states. kCameraLost.
Result<int64_t> set_camera_setting(const V4l2Device& device, CameraSetting setting, int64_t value);

}  // namespace lineament
