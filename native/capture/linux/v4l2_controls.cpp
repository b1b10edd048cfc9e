#include "capture/linux/v4l2_controls.h"

#ifdef __linux__

#include <linux/videodev2.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace lineament {
namespace {

struct Known {
  CameraSetting setting;
  const char* name;
  uint32_t id;
  uint32_t stand_in;  // another control that does, where the first is not there; or 0
};

constexpr Known kKnown[] = {
    {CameraSetting::kExposure, "exposure", V4L2_CID_EXPOSURE_ABSOLUTE, V4L2_CID_EXPOSURE},
    {CameraSetting::kAutoExposure, "autoExposure", V4L2_CID_EXPOSURE_AUTO, 0},
    {CameraSetting::kGain, "gain", V4L2_CID_GAIN, V4L2_CID_ANALOGUE_GAIN},
    {CameraSetting::kAutoGain, "autoGain", V4L2_CID_AUTOGAIN, 0},
    {CameraSetting::kWhiteBalance, "whiteBalance", V4L2_CID_WHITE_BALANCE_TEMPERATURE, 0},
    {CameraSetting::kAutoWhite, "autoWhiteBalance", V4L2_CID_AUTO_WHITE_BALANCE, 0},
    {CameraSetting::kPowerLine, "powerLine", V4L2_CID_POWER_LINE_FREQUENCY, 0},
    {CameraSetting::kBrightness, "brightness", V4L2_CID_BRIGHTNESS, 0},
};

const Known& known(CameraSetting setting) {
  return *std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& one) { return one.setting == setting; });
}

struct Control {
  uint32_t id = 0;
  int64_t least = 0, most = 0, step = 1, usual = 0;
  uint32_t flags = 0;
};

std::optional<Control> query_id(const V4l2Device& device, uint32_t id) {
  v4l2_query_ext_ctrl extended{};
  extended.id = id;
  if (device.control(VIDIOC_QUERY_EXT_CTRL, &extended) == 0) {
    if ((extended.flags & V4L2_CTRL_FLAG_DISABLED) != 0) return std::nullopt;
    return Control{id,
                   extended.minimum,
                   extended.maximum,
                   std::max<int64_t>(1, static_cast<int64_t>(extended.step)),
                   extended.default_value,
                   extended.flags};
  }
  if (errno != ENOTTY) return std::nullopt;
  v4l2_queryctrl plain{};  // drivers of before 2014
  plain.id = id;
  if (device.control(VIDIOC_QUERYCTRL, &plain) < 0 || (plain.flags & V4L2_CTRL_FLAG_DISABLED) != 0) return std::nullopt;
  return Control{id, plain.minimum, plain.maximum, std::max<int64_t>(1, plain.step), plain.default_value, plain.flags};
}

std::optional<Control> query(const V4l2Device& device, CameraSetting setting) {
  const Known& one = known(setting);
  std::optional<Control> found = query_id(device, one.id);
  if (!found && one.stand_in != 0) found = query_id(device, one.stand_in);
  return found;
}

std::optional<int64_t> read(const V4l2Device& device, uint32_t id) {
  v4l2_control control{};
  control.id = id;
  if (device.control(VIDIOC_G_CTRL, &control) < 0) return std::nullopt;
  return control.value;
}

// Exposure has a menu: a camera's own control of it (0), none (1), or one that leaves aperture (2) or time (3) alone.
bool in_menu(const V4l2Device& device, uint32_t id, uint32_t index) {
  v4l2_querymenu entry{};
  entry.id = id;
  entry.index = index;
  return device.control(VIDIOC_QUERYMENU, &entry) == 0;
}

int64_t exposure_mode(const V4l2Device& device, uint32_t id, bool automatic) {
  if (!automatic) return V4L2_EXPOSURE_MANUAL;
  for (const uint32_t mode : {V4L2_EXPOSURE_AUTO, V4L2_EXPOSURE_APERTURE_PRIORITY, V4L2_EXPOSURE_SHUTTER_PRIORITY}) {
    if (in_menu(device, id, mode)) return mode;
  }
  return V4L2_EXPOSURE_AUTO;
}

bool is_switch(CameraSetting setting) {
  return setting == CameraSetting::kAutoExposure || setting == CameraSetting::kAutoGain ||
         setting == CameraSetting::kAutoWhite;
}

std::optional<CameraSetting> switch_of(CameraSetting setting) {
  switch (setting) {
    case CameraSetting::kExposure:
      return CameraSetting::kAutoExposure;
    case CameraSetting::kGain:
      return CameraSetting::kAutoGain;
    case CameraSetting::kWhiteBalance:
      return CameraSetting::kAutoWhite;
    default:
      return std::nullopt;
  }
}

Status write(const V4l2Device& device, uint32_t id, int64_t value, CameraSetting setting) {
  v4l2_control control{};
  control.id = id;
  control.value = static_cast<__s32>(value);
  if (device.control(VIDIOC_S_CTRL, &control) == 0) return Status();
  const std::string what = device.identity().path + ": " + setting_name(setting) + " ";
  switch (errno) {
    case EACCES:
    case EPERM:
      return Status(Code::kCameraUnsupported, what + "cannot be changed on this camera");
    case EBUSY:
      return Status(Code::kCameraBusy, what + "cannot be changed now");
    case ERANGE:
    case EINVAL:
      return Status(Code::kInvalidArgument, what + "cannot be " + std::to_string(value));
    default:
      return device.failure(setting_name(setting));
  }
}

}  // namespace

const char* setting_name(CameraSetting setting) { return known(setting).name; }

std::optional<CameraSetting> setting_named(std::string_view name) {
  for (const Known& one : kKnown) {
    if (name == one.name) return one.setting;
  }
  return std::nullopt;
}

std::vector<SettingRange> camera_settings(const V4l2Device& device) {
  std::vector<SettingRange> found;
  for (const CameraSetting setting : kCameraSettings) {
    const std::optional<Control> control = query(device, setting);
    if (!control) continue;
    SettingRange range;
    range.setting = setting;
    range.least = control->least;
    range.most = control->most;
    range.step = control->step;
    range.usual = control->usual;
    range.lines = control->id == V4L2_CID_EXPOSURE;
    range.value = read(device, control->id).value_or(control->usual);
    if (setting == CameraSetting::kAutoExposure) {
      range.least = 0;
      range.most = range.step = 1;
      range.usual = control->usual != V4L2_EXPOSURE_MANUAL;
      range.value = range.value != V4L2_EXPOSURE_MANUAL;
    }
    found.push_back(range);
  }
  return found;
}

Result<int64_t> set_camera_setting(const V4l2Device& device, CameraSetting setting, int64_t value) {
  const std::optional<Control> control = query(device, setting);
  if (!control || (control->flags & V4L2_CTRL_FLAG_READ_ONLY) != 0) {
    return Status(Code::kCameraUnsupported, device.identity().path + " (" + device.identity().name +
                                                "): it has no setting for " + setting_name(setting));
  }
  const int64_t least = is_switch(setting) ? 0 : control->least, most = is_switch(setting) ? 1 : control->most;
  if (value < least || value > most) {
    return Status(Code::kInvalidArgument, std::string(setting_name(setting)) + " is between " + std::to_string(least) +
                                              " and " + std::to_string(most) + " on this camera");
  }
  if (const std::optional<CameraSetting> automatic = switch_of(setting)) {
    if (const std::optional<Control> own = query(device, *automatic)) {
      const bool menu = *automatic == CameraSetting::kAutoExposure;
      const int64_t off = menu ? V4L2_EXPOSURE_MANUAL : 0;
      if (read(device, own->id) != off) {
        const Status status = write(device, own->id, off, *automatic);
        if (!status.ok()) return status;
      }
    }
  }
  int64_t wanted = control->least + (value - control->least + control->step / 2) / control->step * control->step;
  wanted = std::min(wanted, control->most);
  if (setting == CameraSetting::kAutoExposure) wanted = exposure_mode(device, control->id, value != 0);
  const Status status = write(device, control->id, wanted, setting);
  if (!status.ok()) return status;
  const int64_t given = read(device, control->id).value_or(wanted);
  return setting == CameraSetting::kAutoExposure ? given != V4L2_EXPOSURE_MANUAL : given;
}

}  // namespace lineament

#endif
