#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <thread>

#include "capture/pipe_source.h"
#include "tests/capture/nut_samples.h"
#include "tests/check.h"

#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace lineament;
using samples::Bytes;

namespace {

struct Opened {
  std::shared_ptr<PipeSource> source;
  Descriptor write;
  std::shared_ptr<FrameRing> ring;
};

Opened opened(const PipeOptions& options, size_t slots = 8, size_t slot_bytes = 4096) {
  Opened out;
  out.ring = FrameRing::make(slots, slot_bytes).value();
  PipeEnds pipe = std::move(make_pipe(PipeUse::kPictures).value());
  out.write = std::move(pipe.write);
  out.source = PipeSource::start(std::move(pipe.read), out.ring, options).value();
  return out;
}

bool write_all(const Descriptor& to, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(to.get(), bytes.data(), bytes.size());
    if (written < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(written));
  }
  return true;
}

template <typename F>
bool soon(F condition) {
  for (int i = 0; i < 20000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

PipeOptions raw_grey(int width, int height, double fps = 0, Pace pace = Pace::kArrival) {
  PipeOptions options;
  options.raw = RawPictures{CaptureFormat::kGray, width, height, fps};
  options.pace = pace;
  return options;
}

std::string kept(const FrameRing& ring) {
  std::string text;
  for (const PictureInfo& info :
       ring.between(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max())) {
    if (!text.empty()) text += ' ';
    text += std::to_string(info.sequence);
  }
  return text;
}

}  // namespace

TEST(raw_pictures_from_a_pipe) {
  Opened pipe = opened(raw_grey(10, 10));
  const auto before =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count();
  for (int i = 0; i < 5; ++i) CHECK(write_all(pipe.write, Bytes(100, static_cast<uint8_t>(i))));
  CHECK(soon([&] { return pipe.ring->counts().committed == 5; }));
  CHECK(!pipe.ring->ended());
  int64_t last = before - 1000;
  for (int i = 0; i < 5; ++i) {
    const auto lease = pipe.ring->next(i - 1);
    CHECK_EQ(lease.info().sequence, static_cast<uint64_t>(i));
    CHECK_EQ(lease.info().width, 10);
    CHECK(lease.info().timestamp_us >= last && lease.info().timestamp_us < before + 60000000);
    CHECK_EQ(lease.info().position_us, int64_t{-1});
    CHECK(std::all_of(lease.bytes().begin(), lease.bytes().end(), [i](uint8_t byte) { return byte == i; }));
    last = lease.info().timestamp_us;
  }
  pipe.write.close();
  CHECK(soon([&] { return pipe.ring->ended(); }));
  CHECK(pipe.ring->ending().ok());
  const SourceCounts counts = pipe.source->counts();
  CHECK_EQ(counts.received, uint64_t{5});
  CHECK_EQ(counts.bytes, uint64_t{500});
  CHECK_EQ(counts.damaged, uint64_t{0});
  pipe.source->stop();
  pipe.source->stop();
  CHECK(pipe.ring->ending().ok());
}

TEST(an_end_within_a_picture_is_damage) {
  Opened pipe = opened(raw_grey(10, 10));
  CHECK(write_all(pipe.write, Bytes(150, 1)));
  pipe.write.close();
  CHECK(soon([&] { return pipe.ring->ended(); }));
  CHECK(pipe.ring->ending().code() == Code::kVideoCorrupt);
  CHECK_EQ(pipe.source->counts().damaged, uint64_t{1});
  CHECK_EQ(kept(*pipe.ring), "0");
}

TEST(nut_from_a_pipe) {
  Opened pipe = opened({}, 8, 64 * 64);
  const Bytes stream = samples::grey_stream(64, 64, 6);
  CHECK(write_all(pipe.write, stream));
  pipe.write.close();
  CHECK(soon([&] { return pipe.ring->ended(); }));
  CHECK_EQ(pipe.ring->ending().message(), "");
  CHECK_EQ(kept(*pipe.ring), "0 1 2 3 4 5");
  CHECK_EQ(static_cast<int>(pipe.ring->newest(-1).bytes()[4095]), 5);
  CHECK_EQ(pipe.source->counts().bytes, static_cast<uint64_t>(stream.size()));
}

TEST(pictures_larger_than_slots_end_it) {
  Opened pipe = opened({}, 8, 64 * 64 - 1);
  (void)write_all(pipe.write, samples::grey_stream(64, 64, 2));
  CHECK(soon([&] { return pipe.ring->ended(); }));
  CHECK(pipe.ring->ending().code() == Code::kCameraUnsupported);
  CHECK(pipe.ring->ending().message().find("64 x 64") != std::string::npos);
  Opened html = opened({});
  CHECK(write_all(html.write, Bytes(5000, '<')));
  html.write.close();
  CHECK(soon([&] { return html.ring->ended(); }));
  CHECK(html.ring->ending().code() == Code::kVideoCorrupt);
}

TEST(made_up_times_stay_within_64_bits) {
  PipeOptions options;
  options.pace = Pace::kFast;
  Opened pipe = opened(options, 64);
  samples::Nut seconds;
  seconds.den = 1;
  Bytes all;
  constexpr uint64_t kSections = 16, kFar = 1'000'000'000'000;
  for (uint64_t i = 0; i < kSections; ++i) {
    samples::append(all, seconds.head());
    samples::append(all, samples::Nut::stream(0, true, "Y800", 8, 8));
    samples::append(all, samples::Nut::sync(0));
    samples::append(all, samples::Nut::frame(0, 128, samples::grey(64, 1)));
    samples::append(all, samples::Nut::frame(0, 128 + kFar, samples::grey(64, 2)));
  }
  CHECK(write_all(pipe.write, all));
  pipe.write.close();
  CHECK(soon([&] { return pipe.ring->ended(); }));
  CHECK_EQ(pipe.ring->counts().committed, uint64_t{2 * kSections});
  int64_t last = 0;
  for (int64_t i = 0; i < static_cast<int64_t>(2 * kSections); ++i) {
    const int64_t position = pipe.ring->next(i - 1).info().position_us;
    CHECK(position >= last && position <= 2'000'000'000'000'000'000);
    last = position;
  }
}

TEST(a_clock_that_is_set_back_stops_no_times) {
  Opened pipe = opened(raw_grey(10, 10));
  // As if an hour had been taken off the clock since the last picture.
  PictureInfo info;
  info.width = info.height = 10;
  info.bytes = 100;
  info.format = CaptureFormat::kGray;
  const int64_t ahead =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count() +
      3600'000'000;
  pipe.source->stop();
  CHECK(!pipe.ring->begin(100).empty());
  info.timestamp_us = ahead;
  pipe.ring->commit(info);
  pipe.ring->reopen();
  PipeEnds again = std::move(make_pipe(PipeUse::kPictures).value());
  const auto source = PipeSource::start(std::move(again.read), pipe.ring, raw_grey(10, 10)).value();
  for (int i = 0; i < 2; ++i) {
    CHECK(write_all(again.write, Bytes(100, static_cast<uint8_t>(i))));
    CHECK(soon([&] { return pipe.ring->counts().committed == static_cast<uint64_t>(i) + 2; }));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const int64_t first = pipe.ring->next(0).info().timestamp_us, second = pipe.ring->next(1).info().timestamp_us;
  CHECK(first >= ahead && second > first);
  again.write.close();
  CHECK(soon([&] { return pipe.ring->ended(); }));
}

TEST(readers_that_hold_everything_do_not_stop_the_writer) {
  Opened pipe = opened(raw_grey(50, 50), 3);
  for (int i = 0; i < 3; ++i) CHECK(write_all(pipe.write, Bytes(2500, 1)));
  CHECK(soon([&] { return pipe.ring->counts().committed == 3; }));
  std::vector<FrameRing::Lease> held;
  for (int i = -1; i < 2; ++i) held.push_back(pipe.ring->next(i));
  for (int i = 0; i < 2000; ++i) CHECK(write_all(pipe.write, Bytes(2500, 2)));
  CHECK(soon([&] { return pipe.source->counts().received == 2003; }));
  CHECK(pipe.ring->counts().refused >= 2000);
  held.clear();
  CHECK(write_all(pipe.write, Bytes(2500, 3)));
  CHECK(soon([&] { return pipe.ring->newest(2002) ? true : false; }));
}

TEST(fast_loses_nothing) {
  PipeOptions options;
  options.pace = Pace::kFast;
  options.start_us = 1000000;
  Opened pipe = opened(options, 4, 64 * 64);
  std::thread writer([&] {
    CHECK(write_all(pipe.write, samples::grey_stream(64, 64, 200)));
    pipe.write.close();
  });
  for (int i = 0; i < 200; ++i) {
    CHECK(soon([&] { return static_cast<bool>(pipe.ring->next(i - 1)); }));
    const auto lease = pipe.ring->next(i - 1);
    CHECK_EQ(lease.info().sequence, static_cast<uint64_t>(i));
    CHECK_EQ(static_cast<int>(lease.bytes()[0]), i);
    CHECK_EQ(lease.info().position_us, static_cast<int64_t>(i) * 40000);
    CHECK_EQ(lease.info().timestamp_us, 1000000 + static_cast<int64_t>(i) * 40000);
    pipe.ring->taken(static_cast<uint64_t>(i));
  }
  writer.join();
  CHECK(soon([&] { return pipe.ring->ended(); }));
  CHECK(pipe.ring->ending().ok());
}

TEST(live_waits_until_pictures_are_due) {
  PipeOptions options = raw_grey(10, 10, 50, Pace::kLive);
  options.start_us = 5000000;
  Opened pipe = opened(options);
  const auto began = std::chrono::steady_clock::now();
  CHECK(write_all(pipe.write, Bytes(600, 1)));
  pipe.write.close();
  CHECK(soon([&] { return pipe.ring->ended(); }));
  // Six pictures, 20 ms apart: never sooner.
  CHECK(std::chrono::steady_clock::now() - began >= std::chrono::milliseconds(100));
  CHECK_EQ(pipe.ring->newest(-1).info().timestamp_us, int64_t{5100000});
  CHECK_EQ(kept(*pipe.ring), "0 1 2 3 4 5");
}

TEST(stopping_ends_every_wait) {
  // For bytes.
  Opened silent = opened({});
  silent.source->stop();
  CHECK(silent.ring->ended());
  CHECK(silent.ring->ending().code() == Code::kClosed);
  // Within a picture.
  Opened partly = opened(raw_grey(10, 10));
  CHECK(write_all(partly.write, Bytes(50, 1)));
  CHECK(soon([&] { return partly.source->counts().bytes == 50; }));
  partly.source->stop();
  CHECK(partly.ring->ending().code() == Code::kClosed);
  CHECK_EQ(kept(*partly.ring), "");
  // Until a picture is due, hours from now.
  Opened due = opened(raw_grey(10, 10, 0.0001, Pace::kLive));
  CHECK(write_all(due.write, Bytes(200, 1)));
  CHECK(soon([&] { return due.source->counts().received == 2; }));
  due.source->stop();
  CHECK_EQ(kept(*due.ring), "0");
  // For somebody who takes a picture.
  Opened full = opened(raw_grey(10, 10, 25, Pace::kFast), 3);
  CHECK(write_all(full.write, Bytes(1000, 1)));
  CHECK(soon([&] { return full.ring->counts().committed == 3; }));
  std::thread other([&] { full.source->stop(); });
  full.source->stop();
  other.join();
  CHECK(full.ring->ending().code() == Code::kClosed);
  // By being given up.
  Opened gone = opened({});
  gone.source.reset();
  CHECK(gone.ring->ended());
}

TEST(a_source_takes_over_a_ring) {
  Opened first = opened(raw_grey(10, 10));
  CHECK(write_all(first.write, Bytes(300, 1)));
  first.write.close();
  CHECK(soon([&] { return first.ring->ended(); }));
  first.source->stop();
  first.ring->reopen();
  PipeEnds pipe = std::move(make_pipe(PipeUse::kPictures).value());
  const auto second = PipeSource::start(std::move(pipe.read), first.ring, raw_grey(20, 20)).value();
  CHECK(write_all(pipe.write, Bytes(800, 2)));
  CHECK(soon([&] { return first.ring->counts().committed == 5; }));
  CHECK_EQ(kept(*first.ring), "0 1 2 3 4");
  CHECK_EQ(first.ring->newest(-1).info().width, 20);
  CHECK(first.ring->next(2).info().timestamp_us >= first.ring->next(1).info().timestamp_us);
}

TEST(files_and_fifos) {
  const std::string base = "/tmp/lineament-capture-" + std::to_string(getpid());
  const std::string fifo = base + ".fifo", file = base + ".raw";
  FILE* out = std::fopen(file.c_str(), "wb");
  const Bytes bytes(300, 4);
  CHECK_EQ(std::fwrite(bytes.data(), 1, bytes.size(), out), bytes.size());
  std::fclose(out);
  const auto ring = FrameRing::make(8, 4096).value();
  const auto from_file = PipeSource::start(std::move(open_pictures(file).value()), ring, raw_grey(10, 10)).value();
  CHECK(soon([&] { return ring->ended(); }));
  CHECK(ring->ending().ok());
  CHECK_EQ(kept(*ring), "0 1 2");

  CHECK_EQ(mkfifo(fifo.c_str(), 0600), 0);
  const auto other = FrameRing::make(8, 4096).value();
  const auto from_fifo = PipeSource::start(std::move(open_pictures(fifo).value()), other, raw_grey(10, 10)).value();
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(!other->ended());  // nobody writes yet: that is no end
  Descriptor writer(::open(fifo.c_str(), O_WRONLY));
  CHECK(write_all(writer, bytes));
  CHECK(soon([&] { return other->counts().committed == 3; }));
  writer.close();
  CHECK(soon([&] { return other->ended(); }));
  std::remove(fifo.c_str());
  std::remove(file.c_str());

  CHECK(open_pictures(file).status().code() == Code::kCameraNotFound);
  CHECK(open_pictures("/tmp").status().code() == Code::kInvalidArgument);
  CHECK(duplicate(-1).status().code() == Code::kInvalidArgument);
  CHECK(duplicate(99999).status().code() == Code::kInvalidArgument);
}

TEST(refuses_options_that_make_no_sense) {
  const auto refused = [](const PipeOptions& options) {
    PipeEnds pipe = std::move(make_pipe(PipeUse::kPictures).value());
    const auto ring = FrameRing::make(3, 4096).value();
    const auto started = PipeSource::start(std::move(pipe.read), ring, options);
    return !started.ok() && started.status().code() == Code::kInvalidArgument && !ring->ended();
  };
  CHECK(refused(raw_grey(0, 10)));
  CHECK(refused(raw_grey(100, 100)));
  CHECK(refused(raw_grey(10, 10, -1)));
  CHECK(refused(raw_grey(10, 10, 0, Pace::kLive)));
  PipeOptions jpeg = raw_grey(10, 10);
  jpeg.raw->format = CaptureFormat::kMjpeg;
  CHECK(refused(jpeg));
}

#endif

TEST_MAIN()
