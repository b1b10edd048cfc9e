// Cameras that stream, misbehave and go, against a scripted driver.
#include "tests/check.h"

#ifdef __linux__

#include <chrono>
#include <condition_variable>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "capture/linux/v4l2_source.h"
#include "tests/capture/v4l2_script.h"

using namespace lineament;

namespace {

constexpr uint32_t kMonotonic = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;

Result<std::unique_ptr<V4l2Stream>> stream_of(script::Calls& calls, const CaptureWish& wish = {}) {
  Result<std::unique_ptr<V4l2Device>> device = V4l2Device::open(calls, "/dev/video0");
  if (!device.ok()) return device.status();
  return V4l2Stream::start(std::move(device.value()), wish);
}

// A camera whose pictures end up in a ring of so many slots.
struct Camera {
  explicit Camera(script::Calls& calls, const CaptureWish& wish = {}, int timeout_ms = 1000,
                  std::shared_ptr<FrameRing> existing = nullptr) {
    Result<std::unique_ptr<V4l2Stream>> stream = stream_of(calls, wish);
    if (!stream.ok()) {
      status = stream.status();
      return;
    }
    format = stream.value()->format();
    ring = existing ? std::move(existing) : FrameRing::make(64, most_picture_bytes(format)).value();
    ring->on_commit([this] { changed.notify_all(); });
    source = V4l2Source::start(std::move(stream.value()), ring, timeout_ms).value();
  }
  ~Camera() {
    if (ring) ring->on_commit({});
  }

  template <typename Done>
  bool wait(const Done& done) {
    std::unique_lock<std::mutex> lock(mutex);
    for (int i = 0; i < 2000 && !done(); ++i) changed.wait_for(lock, std::chrono::milliseconds(10));
    return done();
  }
  bool wait_for_end() {
    return wait([this] { return ring->ended(); });
  }
  std::vector<PictureInfo> pictures() const { return ring->between(INT64_MIN, INT64_MAX); }

  Status status;
  V4l2Format format;
  std::shared_ptr<FrameRing> ring;
  std::shared_ptr<V4l2Source> source;
  std::mutex mutex;
  std::condition_variable changed;
};

std::string numbers(const std::vector<PictureInfo>& pictures) {
  std::string out;
  for (const PictureInfo& picture : pictures) {
    if (!out.empty()) out += ' ';
    out += std::to_string(picture.sequence);
  }
  return out;
}

// A camera of 4 × 2 grey pixels.
script::Device tiny() {
  script::Device device;
  device.formats = {{V4L2_PIX_FMT_GREY, {{4, 2, script::rates({30})}}}};
  device.default_fourcc = V4L2_PIX_FMT_GREY;
  device.default_width = 4;
  device.default_height = 2;
  return device;
}

script::Calls& with(script::Calls& calls, script::Device device) {
  calls.devices = {std::move(device)};
  return calls;
}

std::string code_of(const Status& status) { return status.ok() ? "OK" : code_name(status.code()); }

}  // namespace

TEST(pictures_come_through) {
  script::Calls calls;
  script::Device device = tiny();
  device.padding = 3;
  with(calls, device);
  for (uint8_t i = 0; i < 10; ++i) calls.picture(i, {i, 1, 2, 3, 99, 99, 99, 4, 5, 6, 7});
  Camera camera(calls);
  CHECK(camera.wait_for_end());
  CHECK_EQ(code_of(camera.ring->ending()), "CAMERA_LOST");  // it fell silent
  CHECK_EQ(camera.source->counts().received, uint64_t{10});
  CHECK_EQ(camera.source->counts().damaged, uint64_t{0});
  CHECK_EQ(camera.source->counts().bytes, uint64_t{80});
  const std::vector<PictureInfo> all = camera.pictures();
  CHECK_EQ(numbers(all), "0 1 2 3 4 5 6 7 8 9");
  for (size_t i = 1; i < all.size(); ++i) CHECK_EQ(all[i].timestamp_us - all[i - 1].timestamp_us, int64_t{33333});
  const FrameRing::Lease last = camera.ring->newest(-1);
  CHECK_EQ(last.info().width, 4);
  CHECK_EQ(last.info().height, 2);
  CHECK(last.info().format == CaptureFormat::kGray);
  CHECK_EQ(last.info().position_us, int64_t{-1});
  const std::vector<uint8_t> bytes(last.bytes().begin(), last.bytes().end());
  CHECK(bytes == (std::vector<uint8_t>{9, 1, 2, 3, 4, 5, 6, 7}));
  camera.source->stop();
  CHECK_EQ(calls.open_fds, 0);
  CHECK_EQ(calls.mapped, size_t{0});
}

TEST(stopping_a_camera_that_is_silent) {
  script::Calls calls;
  with(calls, tiny()).idle = true;
  calls.picture(0);
  Camera camera(calls, {}, 1'000'000);
  CHECK(camera.wait([&] { return camera.source->counts().received == 1; }));
  camera.source->stop();
  CHECK_EQ(code_of(camera.ring->ending()), "CLOSED");
  camera.source->stop();
  CHECK_EQ(calls.open_fds, 0);
  CHECK_EQ(calls.mapped, size_t{0});
  CHECK(!calls.devices[0].streaming);
  CHECK_EQ(code_of(camera.source->set(CameraSetting::kGain, 3).status()), "CLOSED");
}

TEST(unplugged) {
  script::Calls calls;
  with(calls, tiny());
  calls.picture(0);
  calls.picture(1);
  calls.error(ENODEV);
  Camera camera(calls);
  CHECK(camera.wait_for_end());
  CHECK_EQ(code_of(camera.ring->ending()), "CAMERA_LOST");
  CHECK(camera.ring->ending().message().find("unplugged") != std::string::npos);
  CHECK_EQ(numbers(camera.pictures()), "0 1");
  // The node is let go at once: it keeps its number for the camera that comes back.
  CHECK_EQ(calls.open_fds, 0);

  // It goes on in the same ring.
  with(calls, tiny()).idle = true;
  calls.picture(7);
  calls.picture(9);
  const std::shared_ptr<FrameRing> ring = camera.ring;
  ring->on_commit({});
  ring->reopen();
  Camera again(calls, {}, 1000, ring);
  CHECK(again.wait([&] { return again.source->counts().received == 2; }));
  CHECK_EQ(numbers(again.pictures()), "0 1 2 4");
  CHECK_EQ(again.source->skipped(), uint64_t{1});
  // The earlier source no longer ends the ring when it goes.
  camera.source->stop();
  camera.source.reset();
  CHECK(!ring->ended());
  again.source->stop();
  CHECK(ring->ended());
}

TEST(damaged_pictures_are_counted_and_left_out) {
  script::Calls calls;
  with(calls, tiny());
  for (uint32_t i = 0; i < 6; ++i) calls.picture(i);
  calls.events[1].flags = kMonotonic | V4L2_BUF_FLAG_ERROR;
  calls.events[2].share = 0.5;
  calls.events[4].share = 0;
  Camera camera(calls);
  CHECK(camera.wait_for_end());
  CHECK_EQ(numbers(camera.pictures()), "0 3 5");
  CHECK_EQ(camera.source->counts().received, uint64_t{3});
  CHECK_EQ(camera.source->counts().damaged, uint64_t{3});
}

TEST(a_camera_that_gives_only_damaged_pictures_is_lost) {
  script::Calls calls;
  with(calls, tiny());
  for (uint32_t i = 0; i < 100; ++i) {
    calls.picture(i);
    calls.events.back().flags |= V4L2_BUF_FLAG_ERROR;
  }
  Camera camera(calls, {}, 500);
  CHECK(camera.wait_for_end());
  CHECK_EQ(code_of(camera.ring->ending()), "CAMERA_LOST");
  CHECK(camera.ring->ending().message().find("no picture for 500 milliseconds") != std::string::npos);
  CHECK(!calls.events.empty());
}

TEST(a_picture_after_a_long_exposure_is_no_silence) {
  script::Calls calls;
  with(calls, tiny());
  for (uint32_t i = 0; i < 5; ++i) {
    calls.picture(i);
    calls.events.back().wait_us = 900'000;
  }
  Camera camera(calls, {}, 1000);
  CHECK(camera.wait_for_end());
  CHECK_EQ(numbers(camera.pictures()), "0 1 2 3 4");
}

TEST(interruptions_and_second_thoughts) {
  script::Calls calls;
  script::Device device = tiny();
  device.interrupted = 25;
  with(calls, device);
  calls.interrupted_polls = 3;
  calls.picture(0);
  calls.error(EAGAIN);
  calls.picture(1);
  calls.error(EIO);  // a transfer that failed
  calls.picture(3);
  calls.error(EINTR);
  calls.picture(4);
  Camera camera(calls);
  CHECK(camera.wait_for_end());
  CHECK_EQ(numbers(camera.pictures()), "0 1 3 4");
  CHECK_EQ(camera.source->counts().damaged, uint64_t{1});
  CHECK_EQ(camera.source->skipped(), uint64_t{1});
}

TEST(errors_without_end) {
  script::Calls calls;
  with(calls, tiny());
  for (int i = 0; i < 200; ++i) calls.error(EIO);
  Camera camera(calls, {}, 100'000);
  CHECK(camera.wait_for_end());
  CHECK_EQ(code_of(camera.ring->ending()), "CAMERA_LOST");
  CHECK(calls.events.size() > 100);
}

TEST(a_driver_with_its_own_clock_and_count) {
  script::Calls calls;
  with(calls, tiny());
  for (uint32_t i = 0; i < 4; ++i) {
    calls.picture(0);  // never counts
    calls.events.back().flags = V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN;
  }
  calls.events[0].stamp_us = 0;
  calls.events[1].stamp_us = calls.now_us + calls.epoch_offset_us + 50'000;  // the time of day
  calls.events[2].stamp_us = 123;                                            // its own
  calls.events[3].stamp_us = calls.now_us + 100'000;                         // monotonic, unsaid
  Camera camera(calls);
  const int64_t start = 50'000'000 + calls.epoch_offset_us;
  CHECK(camera.wait_for_end());
  const std::vector<PictureInfo> all = camera.pictures();
  CHECK_EQ(numbers(all), "0 1 2 3");
  if (all.size() != 4) return;
  CHECK_EQ(all[0].timestamp_us - start, int64_t{33333});
  CHECK_EQ(all[1].timestamp_us - start, int64_t{50000});
  CHECK_EQ(all[2].timestamp_us - start, int64_t{99999});
  CHECK_EQ(all[3].timestamp_us - start, int64_t{100000});
}

TEST(the_driver_makes_another_size_of_it) {
  script::Calls calls;
  script::Device device = script::webcam();
  device.adjust = [](uint32_t*, uint32_t* width, uint32_t* height) {
    *width = 352;
    *height = 288;
  };
  with(calls, device);
  calls.picture(0);
  Camera camera(calls, {640, 480, 30, {}});
  CHECK(camera.wait_for_end());
  CHECK_EQ(camera.format.width, 352);
  CHECK_EQ(camera.ring->newest(-1).info().height, 288);
  CHECK_EQ(camera.ring->newest(-1).info().bytes, size_t{352 * 288 * 2});
}

TEST(three_planes_of_a_board_camera) {
  script::Calls calls;
  with(calls, script::board_camera());
  calls.devices[0].padding = 16;
  calls.picture(0, {10, 11, 12});
  Camera camera(calls, {64, 48, 15, {CaptureFormat::kI420}});
  CHECK(camera.status.ok());
  CHECK(camera.wait_for_end());
  CHECK_EQ(camera.format.strides[0], 80u);
  CHECK_NEAR(camera.format.interval.fps(), 15, 1e-6);
  const FrameRing::Lease picture = camera.ring->newest(-1);
  CHECK_EQ(picture.info().bytes, size_t{64 * 48 * 3 / 2});
  CHECK(picture.info().format == CaptureFormat::kI420);
}

TEST(a_driver_that_leaves_out_the_bytes_per_row) {
  script::Calls calls;
  script::Device device = script::webcam();
  device.zero_strides = true;
  with(calls, device);
  calls.picture(0);
  Camera camera(calls);
  CHECK(camera.wait_for_end());
  CHECK_EQ(camera.source->counts().received, uint64_t{1});
}

TEST(jpegs_keep_their_length) {
  script::Calls calls;
  with(calls, script::webcam());
  calls.picture(0, {0xff, 0xd8, 1, 2, 3, 0xff, 0xd9});
  calls.picture(1, {0, 0, 0, 0, 0});
  Camera camera(calls, {1280, 720, 30, {}});
  CHECK(camera.wait_for_end());
  CHECK_EQ(camera.source->counts().damaged, uint64_t{1});
  const FrameRing::Lease picture = camera.ring->newest(-1);
  CHECK(picture.info().format == CaptureFormat::kMjpeg);
  CHECK_EQ(picture.info().bytes, size_t{7});
}

TEST(a_reader_that_keeps_everything_does_not_stop_the_camera) {
  script::Calls calls;
  with(calls, tiny()).idle = true;
  Result<std::unique_ptr<V4l2Stream>> stream = stream_of(calls);
  const std::shared_ptr<FrameRing> ring = FrameRing::make(3, 8).value();
  for (uint32_t i = 0; i < 3; ++i) calls.picture(i);
  std::vector<FrameRing::Lease> held;
  const auto source = V4l2Source::start(std::move(stream.value()), ring, 100'000).value();
  for (int i = 0; i < 2000 && source->counts().received < 3; ++i) ::usleep(1000);
  for (int64_t after = -1; after < 2; ++after) held.push_back(ring->next(after));
  source->stop();
  CHECK_EQ(held.size(), size_t{3});
  for (const FrameRing::Lease& lease : held) CHECK(static_cast<bool>(lease));
}

TEST(slots_that_are_too_small) {
  script::Calls calls;
  with(calls, tiny());
  Result<std::unique_ptr<V4l2Stream>> stream = stream_of(calls);
  const auto source = V4l2Source::start(std::move(stream.value()), FrameRing::make(3, 7).value());
  CHECK_EQ(code_of(source.status()), "INVALID_ARGUMENT");
  CHECK_EQ(calls.open_fds, 0);
}

#else
TEST(needs_linux) { SKIP("not Linux"); }
#endif

TEST_MAIN()
