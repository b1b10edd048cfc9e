#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <fstream>
#include <random>
#include <string>
#include <thread>

#include "capture/frame_ring.h"
#include "tests/check.h"

using namespace lineament;

namespace {

std::shared_ptr<FrameRing> ring_of(size_t slots, size_t bytes, const RingLimits& limits = {}) {
  return FrameRing::make(slots, bytes, limits).value();
}

PictureInfo picture(uint64_t sequence, int64_t timestamp, size_t bytes) {
  PictureInfo info;
  info.sequence = sequence;
  info.timestamp_us = timestamp;
  info.width = static_cast<int>(bytes);
  info.height = 1;
  info.format = CaptureFormat::kGray;
  info.bytes = bytes;
  return info;
}

// The bytes say which picture they belong to.
void put(FrameRing& ring, uint64_t sequence, int64_t timestamp, size_t bytes = 64) {
  const std::span<uint8_t> memory = ring.begin(bytes);
  CHECK(memory.size() >= bytes);
  if (memory.size() < bytes) return;
  std::memset(memory.data(), static_cast<int>(sequence % 251), bytes);
  ring.commit(picture(sequence, timestamp, bytes));
}

std::string sequences(const FrameRing& ring) {
  std::string text;
  for (const PictureInfo& info :
       ring.between(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max())) {
    if (!text.empty()) text += ' ';
    text += std::to_string(info.sequence);
  }
  return text;
}

// Resident bytes of shared memory of this process; 0 where the system does not say.
size_t resident_shared() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("RssShmem:", 0) == 0) return static_cast<size_t>(std::stoull(line.substr(9))) * 1024;
  }
  return 0;
}

}  // namespace

TEST(bytes_of_pictures) {
  CHECK_EQ(picture_bytes(CaptureFormat::kI420, 1280, 720), size_t{1382400});
  CHECK_EQ(picture_bytes(CaptureFormat::kI420, 5, 3), size_t{15 + 2 * 3 * 2});
  CHECK_EQ(picture_bytes(CaptureFormat::kNv12, 5, 3), size_t{15 + 2 * 3 * 2});
  CHECK_EQ(picture_bytes(CaptureFormat::kYuyv, 5, 3), size_t{36});
  CHECK_EQ(picture_bytes(CaptureFormat::kRgb, 5, 3), size_t{45});
  CHECK_EQ(picture_bytes(CaptureFormat::kBgra, 5, 3), size_t{60});
  CHECK_EQ(picture_bytes(CaptureFormat::kZ16, 5, 3), size_t{30});
  CHECK_EQ(picture_bytes(CaptureFormat::kMjpeg, 5, 3), size_t{0});
  CHECK_EQ(picture_bytes(CaptureFormat::kGray, 0, 3), size_t{0});
  CHECK_EQ(picture_bytes(CaptureFormat::kGray, 32769, 3), size_t{0});
  CHECK_EQ(picture_bytes(CaptureFormat::kRgba, 32768, 32768), size_t{4294967296});
}

TEST(refuses_absurd_sizes) {
  CHECK(FrameRing::make(2, 64).status().code() == Code::kInvalidArgument);
  CHECK(FrameRing::make(3, 0).status().code() == Code::kInvalidArgument);
  CHECK(FrameRing::make(1000000, 64).status().code() == Code::kInvalidArgument);
  CHECK(FrameRing::make(3, 64, {1, -1}).status().code() == Code::kInvalidArgument);
  CHECK(FrameRing::make(100000, size_t{1} << 32).status().code() == Code::kOutOfMemory);
}

TEST(newest_overwrites_oldest) {
  const auto ring = ring_of(4, 64);
  CHECK(!ring->newest(-1));
  CHECK(!ring->next(-1));
  for (uint64_t i = 0; i < 10; ++i) put(*ring, i, static_cast<int64_t>(1000 * i));
  CHECK_EQ(sequences(*ring), "6 7 8 9");
  CHECK_EQ(ring->newest(-1).info().sequence, uint64_t{9});
  CHECK_EQ(ring->newest(8).info().sequence, uint64_t{9});
  CHECK(!ring->newest(9));
  CHECK_EQ(ring->next(-1).info().sequence, uint64_t{6});
  CHECK_EQ(ring->next(2).info().sequence, uint64_t{6});
  CHECK_EQ(ring->next(7).info().sequence, uint64_t{8});
  CHECK(!ring->next(9));
  CHECK_EQ(ring->at_or_before(7500).info().sequence, uint64_t{7});
  CHECK_EQ(ring->at_or_before(8000).info().sequence, uint64_t{8});
  CHECK_EQ(ring->at_or_before(1 << 30).info().sequence, uint64_t{9});
  CHECK(!ring->at_or_before(5999));
  CHECK_EQ(ring->between(6500, 8000).size(), size_t{2});
  const auto lease = ring->next(6);
  CHECK(std::all_of(lease.bytes().begin(), lease.bytes().end(), [](uint8_t byte) { return byte == 7; }));
  const RingCounts counts = ring->counts();
  CHECK_EQ(counts.committed, uint64_t{10});
  CHECK_EQ(counts.refused, uint64_t{0});
  CHECK_EQ(counts.kept, size_t{4});
  CHECK_EQ(counts.kept_bytes, size_t{4 * 64});
}

TEST(leased_pictures_stay) {
  const auto ring = ring_of(3, 64);
  for (uint64_t i = 0; i < 3; ++i) put(*ring, i, 0);
  auto oldest = ring->next(-1);
  auto again = ring->next(-1);
  for (uint64_t i = 3; i < 9; ++i) put(*ring, i, 0);
  CHECK_EQ(sequences(*ring), "0 7 8");
  CHECK(std::all_of(oldest.bytes().begin(), oldest.bytes().end(), [](uint8_t byte) { return byte == 0; }));
  oldest = {};
  put(*ring, 9, 0);
  CHECK_EQ(sequences(*ring), "0 8 9");
  const auto second = ring->next(0), third = ring->next(8);
  CHECK(ring->begin(64).empty());
  CHECK(ring->begin(64).empty());
  CHECK_EQ(ring->counts().refused, uint64_t{2});
  FrameRing::Lease moved(std::move(again));
  CHECK(!again);  // NOLINT: moved from on purpose
  moved = FrameRing::Lease();
  put(*ring, 12, 0);
  CHECK_EQ(sequences(*ring), "8 9 12");
}

TEST(a_lease_keeps_the_ring) {
  auto ring = ring_of(3, 64);
  put(*ring, 5, 0);
  const auto lease = ring->newest(-1);
  ring.reset();
  CHECK_EQ(static_cast<int>(lease.bytes()[63]), 5);
}

TEST(cancelled_pictures_leave_no_trace) {
  const auto ring = ring_of(3, 64);
  put(*ring, 0, 0);
  CHECK(!ring->begin().empty());
  CHECK(ring->begin().empty());  // one at a time
  ring->cancel();
  ring->cancel();
  ring->commit(picture(1, 0, 64));  // nothing was begun
  CHECK_EQ(sequences(*ring), "0");
  CHECK(ring->begin(65).empty());
  CHECK_EQ(ring->counts().refused, uint64_t{0});
}

TEST(sequences_and_times_never_go_back) {
  const auto ring = ring_of(8, 64);
  put(*ring, 5, 1000);
  put(*ring, 5, 500);
  put(*ring, 3, 2000);
  put(*ring, 20, -7);
  CHECK_EQ(sequences(*ring), "5 6 7 20");
  CHECK_EQ(ring->next(5).info().timestamp_us, int64_t{1000});
  CHECK_EQ(ring->newest(-1).info().timestamp_us, int64_t{2000});
  CHECK_EQ(ring->next_sequence(), uint64_t{21});
}

TEST(limits_of_bytes_and_time) {
  const auto by_bytes = ring_of(100, 64, {5 * 64, 1 << 30});
  for (uint64_t i = 0; i < 20; ++i) put(*by_bytes, i, 0);
  CHECK_EQ(sequences(*by_bytes), "15 16 17 18 19");
  const auto by_time = ring_of(100, 64, {1 << 30, 4000});
  for (uint64_t i = 0; i < 20; ++i) put(*by_time, i, static_cast<int64_t>(i) * 1000);
  CHECK_EQ(sequences(*by_time), "14 15 16 17 18 19");  // what was older when the last one came
  put(*by_time, 20, 1000000000);
  put(*by_time, 21, 1000000001);
  CHECK_EQ(sequences(*by_time), "18 19 20 21");  // three were left when the last one came
  // A leased picture holds up nobody else's going, and nobody else goes in its place.
  const auto leased = ring_of(100, 64, {1 << 30, 4000});
  put(*leased, 0, 0);
  const auto lease = leased->newest(-1);
  for (uint64_t i = 10; i < 20; ++i) put(*leased, i, static_cast<int64_t>(i) * 1000);
  CHECK_EQ(sequences(*leased), "0 14 15 16 17 18 19");
}

TEST(memory_is_taken_when_written_and_given_back) {
  const size_t before = resident_shared();
  const size_t large = size_t{8} << 20, small = size_t{64} << 10;
  const auto ring = ring_of(1000, large, {size_t{64} << 20, 1 << 30});
  for (uint64_t i = 0; i < 4; ++i) put(*ring, i, 0, small);
  if (before == 0 && resident_shared() == 0) SKIP("this system does not tell resident shared memory");
  CHECK(resident_shared() - before < size_t{2} << 20);
  for (uint64_t i = 4; i < 100; ++i) put(*ring, i, 0, large);
  const size_t full = resident_shared() - before;
  CHECK(full >= size_t{56} << 20 && full <= size_t{80} << 20);
  for (uint64_t i = 100; i < 2000; ++i) put(*ring, i, 0, small);
  CHECK(resident_shared() - before < size_t{72} << 20);
}

TEST(a_callback_hears_of_commits_and_the_end) {
  const auto ring = ring_of(3, 64);
  int heard = 0;
  ring->on_commit([&] {
    ++heard;
    (void)ring->newest(-1);  // readers may be called
  });
  put(*ring, 0, 0);
  put(*ring, 1, 0);
  CHECK_EQ(heard, 2);
  CHECK(!ring->ended());
  ring->end(Status(Code::kCameraLost, "unplugged"));
  ring->end(Status(Code::kClosed, "later"));
  CHECK_EQ(heard, 3);
  CHECK(ring->ended());
  CHECK(ring->ending().code() == Code::kCameraLost);
  CHECK_EQ(ring->newest(-1).info().sequence, uint64_t{1});
  ring->reopen();
  CHECK(!ring->ended());
  CHECK(ring->ending().ok());
  ring->on_commit({});
  put(*ring, 0, 0);
  CHECK_EQ(heard, 3);
  CHECK_EQ(sequences(*ring), "0 1 2");
}

TEST(nothing_is_lost_where_the_producer_waits) {
  const auto ring = ring_of(4, 64);
  constexpr uint64_t kPictures = 3000;
  std::thread producer([&] {
    for (uint64_t i = 0; i < kPictures; ++i) {
      const std::span<uint8_t> memory = ring->begin_waiting(64);
      std::memset(memory.data(), static_cast<int>(i % 251), 64);
      ring->commit(picture(i, 0, 64));
    }
    ring->end(Status());
  });
  uint64_t next = 0;
  std::mt19937 random(1);
  while (true) {
    const bool ended = ring->ended();
    const auto lease = ring->next(static_cast<int64_t>(next) - 1);
    if (!lease) {
      if (ended) break;
      std::this_thread::yield();
      continue;
    }
    CHECK_EQ(lease.info().sequence, next);
    CHECK_EQ(static_cast<uint64_t>(lease.bytes()[0]), next % 251);
    if (random() % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    ring->taken(next++);
  }
  producer.join();
  CHECK_EQ(next, kPictures);
}

TEST(a_producer_that_waits_stays_within_its_bytes) {
  constexpr size_t kBytes = 64, kMost = 5 * kBytes;
  const auto ring = ring_of(100, kBytes, {kMost, std::numeric_limits<int64_t>::max()});
  constexpr uint64_t kPictures = 500;
  std::atomic<size_t> most{0};
  std::thread producer([&] {
    for (uint64_t i = 0; i < kPictures; ++i) {
      if (ring->begin_waiting(kBytes).empty()) break;
      ring->commit(picture(i, 0, kBytes));
      most = std::max<size_t>(most, ring->counts().kept_bytes);
    }
    ring->end(Status());
  });
  uint64_t next = 0;
  while (next < kPictures) {
    const auto lease = ring->next(static_cast<int64_t>(next) - 1);
    if (!lease) {
      std::this_thread::yield();
      continue;
    }
    CHECK_EQ(lease.info().sequence, next);
    if (next % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    ring->taken(next++);
  }
  producer.join();
  CHECK_EQ(most.load(), kMost);
}

TEST(interrupting_ends_the_wait) {
  const auto ring = ring_of(3, 64);
  for (uint64_t i = 0; i < 3; ++i) put(*ring, i, 0);
  std::atomic<bool> returned{false};
  std::thread producer([&] {
    CHECK(ring->begin_waiting().empty());
    returned = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  CHECK(!returned);
  ring->interrupt();
  producer.join();
  ring->reopen();
  CHECK_EQ(ring->last_us(), int64_t{0});
  ring->taken(0);
  CHECK(!ring->begin_waiting().empty());
}

// Every byte of a picture says which one it is: a reader that saw a picture change under its hands would see two
// values.
TEST(no_picture_is_ever_torn) {
  constexpr size_t kBytes = 4096;
  const auto ring = ring_of(5, kBytes, {4 * kBytes, 1 << 30});
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> torn{0}, read{0}, backwards{0}, woken{0}, committed{0};
  ring->on_commit([&] { ++woken; });
  std::thread producer([&] {
    std::mt19937 random(7);
    for (uint64_t i = 0; committed < 20000 || read < 1000; ++i) {
      const size_t bytes = 1 + random() % kBytes;
      const std::span<uint8_t> memory = ring->begin(bytes);
      if (memory.empty()) {
        std::this_thread::yield();
        continue;
      }
      std::memset(memory.data(), static_cast<int>(i % 251), bytes);
      if (random() % 16 == 0) {
        ring->cancel();
        continue;
      }
      ring->commit(picture(i, static_cast<int64_t>(i), bytes));
      ++committed;
    }
    ring->end(Status());
    stop = true;
  });
  const auto look = [&](const FrameRing::Lease& lease) {
    if (!lease) return;
    const auto expected = static_cast<uint8_t>(lease.info().sequence % 251);
    if (lease.bytes().empty() || lease.bytes().size() != static_cast<size_t>(lease.info().width)) ++torn;
    for (const uint8_t byte : lease.bytes()) {
      if (byte != expected) {
        ++torn;
        break;
      }
    }
    ++read;
  };
  std::vector<std::thread> readers;
  for (int reader = 0; reader < 3; ++reader) {
    readers.emplace_back([&, reader] {
      int64_t after = -1;
      FrameRing::Lease held;
      while (!stop) {
        FrameRing::Lease lease = reader == 0   ? ring->newest(after)
                                 : reader == 1 ? ring->next(after)
                                               : ring->at_or_before(after + 3);
        if (!lease) {
          if (reader == 2) ++after;
          std::this_thread::yield();
          continue;
        }
        const auto sequence = static_cast<int64_t>(lease.info().sequence);
        if (reader != 2 && sequence <= after) ++backwards;
        after = std::max(after, sequence);
        look(lease);
        if (sequence % 5 == 0) {
          look(held);  // still whole after all this time
          held = std::move(lease);
        }
      }
    });
  }
  producer.join();
  for (std::thread& reader : readers) reader.join();
  CHECK_EQ(torn.load(), uint64_t{0});
  CHECK_EQ(backwards.load(), uint64_t{0});
  CHECK_EQ(woken.load(), committed + 1);
  CHECK_EQ(ring->counts().committed, committed.load());
}

TEST_MAIN()
