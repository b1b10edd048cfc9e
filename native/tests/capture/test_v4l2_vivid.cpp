// Against the kernel's own camera that is none, the vivid driver: scripts/vivid.mjs runs it in a guest that has it.
#include "tests/check.h"

#ifdef __linux__

#include <linux/dma-buf.h>
#include <linux/videodev2.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "capture/linux/v4l2_source.h"

using namespace lineament;

namespace {

constexpr const char* kCameras[] = {"/dev/video0", "/dev/video1"};  // the second has only the multi-planar interface

bool in_guest() { return std::getenv("LINEAMENT_VIVID") != nullptr; }

Result<std::unique_ptr<V4l2Stream>> stream_of(const char* path, const CaptureWish& wish) {
  Result<std::unique_ptr<V4l2Device>> device = V4l2Device::open(V4l2Calls::system(), path);
  if (!device.ok()) return device.status();
  return V4l2Stream::start(std::move(device.value()), wish);
}

// One of vivid's own controls, which fail on demand, by what it is called.
bool press(const V4l2Device& device, const char* name, int value) {
  v4l2_query_ext_ctrl entry{};
  entry.id = V4L2_CTRL_FLAG_NEXT_CTRL;
  while (device.control(VIDIOC_QUERY_EXT_CTRL, &entry) == 0) {
    if (std::strcmp(entry.name, name) == 0) {
      v4l2_control control{};
      control.id = entry.id;
      control.value = value;
      return device.control(VIDIOC_S_CTRL, &control) == 0;
    }
    entry.id |= V4L2_CTRL_FLAG_NEXT_CTRL;
  }
  return false;
}

std::string code_of(const Status& status) { return status.ok() ? "OK" : code_name(status.code()); }

template <typename Done>
bool wait(const Done& done) {
  for (int i = 0; i < 3000 && !done(); ++i) ::usleep(10000);
  return done();
}

struct Camera {
  Camera(const char* path, const CaptureWish& wish) {
    Result<std::unique_ptr<V4l2Stream>> stream = stream_of(path, wish);
    if (!stream.ok()) {
      std::printf("    %s\n", stream.status().message().c_str());
      return;
    }
    device = &stream.value()->device();
    ring = FrameRing::make(256, most_picture_bytes(stream.value()->format())).value();
    source = V4l2Source::start(std::move(stream.value()), ring, 10000).value();
  }
  const V4l2Device* device = nullptr;
  std::shared_ptr<FrameRing> ring;
  std::shared_ptr<V4l2Source> source;
};

}  // namespace

TEST(what_is_no_camera) {
  // With the system's own calls, on every machine.
  const auto open = [](const char* path) { return code_of(V4l2Device::open(V4l2Calls::system(), path).status()); };
  CHECK_EQ(open("/dev/null"), "CAMERA_NOT_FOUND");
  CHECK_EQ(open("/dev/video4095"), "CAMERA_NOT_FOUND");
  for (const V4l2Listing& one : list_v4l2_devices(V4l2Calls::system())) {
    CHECK_EQ(one.identity.path.rfind("/dev/video", 0), size_t{0});
  }
  const int64_t before = V4l2Calls::system().monotonic_us();
  CHECK(V4l2Calls::system().monotonic_us() >= before);
}

TEST(cameras_are_found) {
  if (!in_guest()) SKIP("no vivid driver here: scripts/vivid.mjs boots a guest that has one");
  const std::vector<V4l2Listing> all = list_v4l2_devices(V4l2Calls::system());
  CHECK_EQ(all.size(), size_t{2});
  for (const V4l2Listing& one : all) {
    CHECK_EQ(one.identity.driver, "vivid");
    CHECK(one.offers.size() > 20);
    CHECK(one.problem.ok());
  }
}

TEST(every_format_streams) {
  if (!in_guest()) SKIP("no vivid driver here");
  for (const char* path : kCameras) {
    auto device = std::move(V4l2Device::open(V4l2Calls::system(), path).value());
    CHECK_EQ(device->multi_planar(), path == kCameras[1]);
    std::vector<uint32_t> fourccs;
    for (const V4l2Offer& offer : device->offers()) {
      if (std::count(fourccs.begin(), fourccs.end(), offer.layout->fourcc) == 0)
        fourccs.push_back(offer.layout->fourcc);
    }
    device.reset();
    std::printf("    %s: %zu formats that are supported\n", path, fourccs.size());
    for (const CaptureFormat format : kUsualFormats) {
      if (format == CaptureFormat::kMjpeg || format == CaptureFormat::kZ16) continue;  // vivid has none
      auto stream = stream_of(path, {320, 180, 0, {format}});
      CHECK(stream.ok());
      if (!stream.ok()) continue;
      CHECK_EQ(stream.value()->format().width, 320);
      CHECK_EQ(stream.value()->format().height, 180);
      std::vector<uint8_t> out(most_picture_bytes(stream.value()->format()));
      V4l2Buffer buffer;
      CHECK(stream.value()->take(-1, 20000, &buffer) == V4l2Stream::Outcome::kTaken);
      CHECK_EQ(copy_picture(stream.value()->format(), buffer.planes, out), out.size());
      // The bars: something is there, and it is not the same everywhere.
      CHECK(*std::max_element(out.begin(), out.end()) > 100);
      CHECK(*std::min_element(out.begin(), out.end()) < 60);
      CHECK(stream.value()->give_back(buffer).ok());
    }
  }
}

TEST(a_dma_buffer_is_the_picture) {
  if (!in_guest()) SKIP("no vivid driver here");
  for (const char* path : kCameras) {
    auto stream = stream_of(path, {640, 360, 0, {CaptureFormat::kNv12}});
    CHECK(stream.ok());
    if (!stream.ok()) continue;
    V4l2Buffer buffer;
    CHECK(stream.value()->take(-1, 20000, &buffer) == V4l2Stream::Outcome::kTaken);
    for (uint32_t p = 0; p < stream.value()->format().layout->planes; ++p) {
      const Result<int> fd = stream.value()->export_plane(buffer, p);
      CHECK(fd.ok());
      if (!fd.ok()) continue;
      const size_t size = buffer.planes[p].size();
      void* memory = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd.value(), 0);
      CHECK(memory != MAP_FAILED);
      if (memory != MAP_FAILED) {
        dma_buf_sync sync = {DMA_BUF_SYNC_START | DMA_BUF_SYNC_READ};
        CHECK_EQ(::ioctl(fd.value(), DMA_BUF_IOCTL_SYNC, &sync), 0);
        CHECK(memory != buffer.planes[p].data());
        CHECK_EQ(std::memcmp(memory, buffer.planes[p].data(), size), 0);
        sync.flags = DMA_BUF_SYNC_END | DMA_BUF_SYNC_READ;
        ::ioctl(fd.value(), DMA_BUF_IOCTL_SYNC, &sync);
        ::munmap(memory, size);
      }
      ::close(fd.value());
    }
    CHECK(stream.value()->give_back(buffer).ok());
  }
}

TEST(damaged_and_dropped_pictures_are_counted) {
  if (!in_guest()) SKIP("no vivid driver here");
  Camera camera(kCameras[0], {320, 180, 30, {CaptureFormat::kYuyv}});
  CHECK(camera.source != nullptr);
  if (!camera.source) return;
  CHECK(wait([&] { return camera.source->counts().received >= 3; }));
  CHECK(press(*camera.device, "Inject V4L2_BUF_FLAG_ERROR", 1));
  CHECK(wait([&] { return camera.source->counts().damaged >= 1; }));
  const uint64_t before = camera.source->skipped();
  CHECK(press(*camera.device, "Percentage of Dropped Buffers", 60));
  CHECK(wait([&] { return camera.source->skipped() >= before + 5; }));
  CHECK(press(*camera.device, "Percentage of Dropped Buffers", 0));
  // A slow guest loses so many at once that hardly a picture lies between: some more, the gaps before them.
  const uint64_t taken = std::max<uint64_t>(camera.source->counts().received, 8);
  CHECK(wait([&] { return camera.source->counts().received >= taken + 2; }));
  camera.source->stop();
  CHECK_EQ(code_of(camera.ring->ending()), "CLOSED");
  const std::vector<PictureInfo> all = camera.ring->between(INT64_MIN, INT64_MAX);
  CHECK(all.size() > 5);
  uint64_t gaps = 0;
  for (size_t i = 1; i < all.size(); ++i) {
    CHECK(all[i].timestamp_us > all[i - 1].timestamp_us);
    gaps += all[i].sequence - all[i - 1].sequence - 1;
  }
  CHECK(gaps >= 5);
  // By the driver's clock: the last picture is from just now (a guest without virtualisation takes its time).
  CHECK(V4l2Calls::system().epoch_us() - all.back().timestamp_us < 60'000'000);
  CHECK(V4l2Calls::system().epoch_us() >= all.back().timestamp_us);
}

TEST(who_comes_second_hears_that_it_is_busy) {
  if (!in_guest()) SKIP("no vivid driver here");
  const auto first = stream_of(kCameras[0], {320, 180, 0, {}});
  CHECK(first.ok());
  CHECK_EQ(code_of(stream_of(kCameras[0], {320, 180, 0, {}}).status()), "CAMERA_BUSY");
}

TEST(settings_of_a_real_driver) {
  if (!in_guest()) SKIP("no vivid driver here");
  const auto device = std::move(V4l2Device::open(V4l2Calls::system(), kCameras[0]).value());
  const std::vector<SettingRange> all = camera_settings(*device);
  for (const SettingRange& range : all) {
    std::printf("    %s %lld-%lld, now %lld\n", setting_name(range.setting), static_cast<long long>(range.least),
                static_cast<long long>(range.most), static_cast<long long>(range.value));
  }
  const auto has = [&](CameraSetting setting) {
    return std::any_of(all.begin(), all.end(), [&](const SettingRange& one) { return one.setting == setting; });
  };
  CHECK(has(CameraSetting::kGain));
  CHECK(has(CameraSetting::kAutoGain));
  CHECK(has(CameraSetting::kBrightness));
  CHECK_EQ(set_camera_setting(*device, CameraSetting::kGain, 77).value(), 77);
  CHECK_EQ(code_of(set_camera_setting(*device, CameraSetting::kGain, 256).status()), "INVALID_ARGUMENT");
  CHECK_EQ(code_of(set_camera_setting(*device, CameraSetting::kExposure, 100).status()), "CAMERA_UNSUPPORTED");
}

TEST(a_camera_that_is_pulled_out) {
  if (!in_guest()) SKIP("no vivid driver here");
  Camera camera(kCameras[1], {320, 180, 30, {CaptureFormat::kI420}});
  CHECK(camera.source != nullptr);
  if (!camera.source) return;
  CHECK(wait([&] { return camera.source->counts().received >= 2; }));
  CHECK(press(*camera.device, "Disconnect", 1));
  CHECK(wait([&] { return camera.ring->ended(); }));
  CHECK_EQ(code_of(camera.ring->ending()), "CAMERA_LOST");
  std::printf("    %s\n", camera.ring->ending().message().c_str());
  CHECK(camera.ring->newest(-1).bytes().size() > 0);
}

#else
TEST(needs_linux) { SKIP("not Linux"); }
#endif

TEST_MAIN()
