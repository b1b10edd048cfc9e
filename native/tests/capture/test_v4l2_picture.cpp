// Rows without their padding, and the clocks and counters of drivers.
#include "tests/check.h"

#ifdef __linux__

#include <linux/videodev2.h>

#include <cstdint>
#include <numeric>
#include <vector>

#include "capture/linux/v4l2_picture.h"

using namespace lineament;

namespace {

using Bytes = std::vector<uint8_t>;

// 0, 1, 2 … so that every place of the memory can be told.
Bytes counted(size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), uint8_t{0});
  return bytes;
}

V4l2Format format_of(uint32_t fourcc, int width, int height, std::initializer_list<uint32_t> strides) {
  V4l2Format format;
  format.layout = v4l2_layout(fourcc);
  format.width = width;
  format.height = height;
  std::copy(strides.begin(), strides.end(), format.strides);
  return format;
}

// The bytes that come out, or none where the picture is refused.
Bytes copied(const V4l2Format& format, const std::vector<Bytes>& memory) {
  std::span<const uint8_t> planes[kMostPlanes];
  for (size_t p = 0; p < memory.size(); ++p) planes[p] = memory[p];
  Bytes out(format.layout->kind == V4l2Layout::Kind::kFile ? 64 : most_picture_bytes(format), 0xee);
  out.resize(copy_picture(format, planes, out));
  return out;
}

}  // namespace

TEST(padding_is_left_out) {
  const Bytes memory = counted(24);
  CHECK(copied(format_of(V4L2_PIX_FMT_GREY, 3, 2, {5}), {memory}) == (Bytes{0, 1, 2, 5, 6, 7}));
  CHECK(copied(format_of(V4L2_PIX_FMT_YUYV, 2, 2, {6}), {memory}) == (Bytes{0, 1, 2, 3, 6, 7, 8, 9}));
  CHECK(copied(format_of(V4L2_PIX_FMT_UYVY, 2, 2, {6}), {memory}) == (Bytes{1, 0, 3, 2, 7, 6, 9, 8}));
  CHECK(copied(format_of(V4L2_PIX_FMT_RGB24, 1, 2, {4}), {memory}) == (Bytes{0, 1, 2, 4, 5, 6}));
  CHECK(copied(format_of(V4L2_PIX_FMT_Z16, 2, 2, {4}), {memory}) == (Bytes{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(planes_in_one_piece) {
  const Bytes memory = counted(24);
  // 4 × 2 with rows of 6: luma at 0 and 6, chroma after both.
  CHECK(copied(format_of(V4L2_PIX_FMT_NV12, 4, 2, {6}), {memory}) == (Bytes{0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15}));
  CHECK(copied(format_of(V4L2_PIX_FMT_NV21, 4, 2, {6}), {memory}) == (Bytes{0, 1, 2, 3, 6, 7, 8, 9, 13, 12, 15, 14}));
  CHECK(copied(format_of(V4L2_PIX_FMT_YUV420, 4, 2, {6}), {memory}) == (Bytes{0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 15, 16}));
  CHECK(copied(format_of(V4L2_PIX_FMT_YVU420, 4, 2, {6}), {memory}) == (Bytes{0, 1, 2, 3, 6, 7, 8, 9, 15, 16, 12, 13}));
}

TEST(planes_apart) {
  const Bytes luma = counted(16);
  const Bytes u = {50, 51, 52, 53}, v = {60, 61, 62, 63};
  CHECK(copied(format_of(V4L2_PIX_FMT_YUV420M, 4, 2, {8, 3, 3}), {luma, u, v}) ==
        (Bytes{0, 1, 2, 3, 8, 9, 10, 11, 50, 51, 60, 61}));
  CHECK(copied(format_of(V4L2_PIX_FMT_YVU420M, 4, 2, {8, 3, 3}), {luma, v, u}) ==
        (Bytes{0, 1, 2, 3, 8, 9, 10, 11, 50, 51, 60, 61}));
  CHECK(copied(format_of(V4L2_PIX_FMT_NV12M, 4, 2, {8, 4}), {luma, u}) ==
        (Bytes{0, 1, 2, 3, 8, 9, 10, 11, 50, 51, 52, 53}));
}

TEST(odd_sides_have_a_chroma_sample_more) {
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_YUV420, 3, 3, {4}), {counted(12 + 2 * 4)}).size(), size_t{9 + 8});
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_NV12, 3, 3, {4}), {counted(12 + 8)}).size(), size_t{9 + 8});
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_YUYV, 3, 1, {8}), {counted(8)}).size(), size_t{8});
}

TEST(what_is_too_short_is_refused) {
  // The last row need not have its padding, and not a byte may be missing.
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_GREY, 3, 2, {5}), {counted(8)}).size(), size_t{6});
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_GREY, 3, 2, {5}), {counted(7)}).size(), size_t{0});
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_GREY, 3, 2, {5}), {{}}).size(), size_t{0});
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_GREY, 3, 2, {2}), {counted(64)}).size(), size_t{0});  // rows overlap
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_YUV420, 4, 2, {4}), {counted(11)}).size(), size_t{0});
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_NV12, 4, 2, {4}), {counted(11)}).size(), size_t{0});
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_YUV420M, 4, 2, {4, 2, 2}), {counted(8), counted(2), counted(1)}).size(),
           size_t{0});
  CHECK_EQ(copied(format_of(V4L2_PIX_FMT_NV12M, 4, 2, {4, 0}), {counted(8), counted(4)}).size(), size_t{0});
}

TEST(files_keep_their_length) {
  const V4l2Format format = format_of(V4L2_PIX_FMT_MJPEG, 640, 480, {0});
  const Bytes file = {0xff, 0xd8, 1, 2, 3, 0xff, 0xd9};
  CHECK(copied(format, {file}) == file);
  CHECK(copied(format, {{0x00, 0xd8, 1, 2, 3}}).empty());  // not a JPEG
  CHECK(copied(format, {{0xff, 0xd8}}).empty());           // nothing but the mark
  CHECK(copied(format, {Bytes(65, 0xff)}).empty());        // larger than there is room
}

TEST(times_of_the_monotonic_clock) {
  V4l2Clock clock(1'700'000'000'000'000, 5'000'000);
  const uint32_t monotonic = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  CHECK_EQ(clock.timestamp(monotonic, 5'010'000, 5'020'000), int64_t{1'700'000'000'010'000});
  CHECK_EQ(clock.timestamp(monotonic, 5'043'333, 5'050'000), int64_t{1'700'000'000'043'333});
  CHECK_EQ(clock.timestamp(monotonic, 5'040'000, 5'060'000), int64_t{1'700'000'000'043'333});  // never back
}

TEST(times_that_are_not_believed) {
  const uint32_t unknown = V4L2_BUF_FLAG_TIMESTAMP_UNKNOWN, monotonic = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  const int64_t epoch = 1'700'000'000'000'000, start = 50'000'000;
  const auto clock = [&] { return V4l2Clock(epoch, start); };
  CHECK_EQ(clock().timestamp(unknown, epoch + 70'000, start + 100'000), epoch + 70'000);         // the time of day
  CHECK_EQ(clock().timestamp(unknown, start + 70'000, start + 100'000), epoch + 70'000);         // monotonic after all
  CHECK_EQ(clock().timestamp(unknown, 0, start + 100'000), epoch + 100'000);                     // none
  CHECK_EQ(clock().timestamp(monotonic, start + 900'000, start + 100'000), epoch + 100'000);     // from the future
  CHECK_EQ(clock().timestamp(monotonic, start - 20'000'000, start + 100'000), epoch + 100'000);  // from long ago
  CHECK_EQ(clock().timestamp(monotonic, -5, start + 100'000), epoch + 100'000);
  CHECK_EQ(clock().timestamp(monotonic, INT64_MIN, start + 100'000), epoch + 100'000);
}

TEST(numbers_go_on_after_a_reconnection) {
  V4l2Clock clock(1'000'000'000, 1'000'000, 77, 1'000'900'000);
  CHECK_EQ(clock.sequence(0), uint64_t{77});
  CHECK_EQ(clock.sequence(1), uint64_t{78});
  CHECK_EQ(clock.timestamp(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC, 1'500'000, 1'600'000), int64_t{1'000'900'000});
  CHECK_EQ(clock.timestamp(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC, 2'500'000, 2'600'000), int64_t{1'001'500'000});
}

TEST(gaps_are_pictures_that_were_dropped) {
  V4l2Clock clock(0, 0);
  CHECK_EQ(clock.sequence(40), uint64_t{0});  // where a driver begins says nothing
  CHECK_EQ(clock.sequence(41), uint64_t{1});
  CHECK_EQ(clock.sequence(45), uint64_t{5});
  CHECK_EQ(clock.skipped(), uint64_t{3});
  CHECK_EQ(clock.sequence(45), uint64_t{6});  // a driver that does not count
  CHECK_EQ(clock.sequence(45), uint64_t{7});
  CHECK_EQ(clock.sequence(3), uint64_t{8});  // one that begins again
  CHECK_EQ(clock.skipped(), uint64_t{3});
  V4l2Clock late(0, 0);
  CHECK_EQ(late.sequence(0xfffffffe), uint64_t{0});
  CHECK_EQ(late.sequence(1), uint64_t{3});  // over the end of 32 bits
  CHECK_EQ(late.skipped(), uint64_t{2});
}

#else
TEST(needs_linux) { SKIP("not Linux"); }
#endif

TEST_MAIN()
