#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>

#include "capture/nut_reader.h"
#include "tests/capture/nut_samples.h"
#include "tests/check.h"

using namespace lineament;
using samples::Bytes;
using samples::Nut;

namespace {

struct Taken {
  NutPicture head;
  Bytes bytes;
};

class Sink final : public NutSink {
 public:
  std::span<uint8_t> begin(const NutPicture& picture) override {
    CHECK(!open);
    if (refuse) return {};
    open = true;
    memory.assign(picture.bytes + 16, 0xEE);  // more than is needed
    return memory;
  }
  void done(const NutPicture& picture) override {
    CHECK(open);
    open = false;
    CHECK(std::all_of(memory.end() - 16, memory.end(), [](uint8_t byte) { return byte == 0xEE; }));
    memory.resize(picture.bytes);
    taken.push_back({picture, std::move(memory)});
  }
  void cancel() override {
    CHECK(open);
    open = false;
    ++cancelled;
  }
  std::vector<Taken> taken;
  Bytes memory;
  bool open = false, refuse = false;
  int cancelled = 0;
};

struct Outcome {
  std::vector<Taken> taken;
  NutCounts counts;
  Status ending;
  int cancelled = 0;
};

// Gives the bytes in pieces of at most `most`.
Outcome read(std::span<const uint8_t> bytes, size_t most = static_cast<size_t>(-1), bool refuse = false) {
  Sink sink;
  sink.refuse = refuse;
  NutReader reader(sink);
  while (!bytes.empty()) {
    const std::span<uint8_t> where = reader.want();
    if (where.empty()) break;
    const size_t now = std::min({where.size(), bytes.size(), most});
    std::copy_n(bytes.begin(), now, where.begin());
    bytes = bytes.subspan(now);
    reader.filled(now);
  }
  Outcome out;
  out.ending = reader.finish();
  CHECK(!sink.open);
  out.taken = std::move(sink.taken);
  out.counts = reader.counts();
  out.cancelled = sink.cancelled;
  return out;
}

std::string firsts(const Outcome& outcome) {
  std::string text;
  for (const Taken& one : outcome.taken) {
    const bool even =
        std::all_of(one.bytes.begin(), one.bytes.end(), [&](uint8_t byte) { return byte == one.bytes[0]; });
    if (!text.empty()) text += ' ';
    text += even ? std::to_string(one.bytes[0]) : std::string("mixed");
  }
  return text;
}

std::string times(const Outcome& outcome) {
  std::string text;
  for (const Taken& one : outcome.taken) {
    if (!text.empty()) text += ' ';
    text += std::to_string(one.head.time_us);
  }
  return text;
}

Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes out;
  for (const Bytes& part : parts) samples::append(out, part);
  return out;
}

Bytes grey_head(uint64_t width = 8, uint64_t height = 8) {
  return joined({Nut().head(), Nut::stream(0, true, "Y800", width, height)});
}

// What the ffmpeg on this machine writes; empty where there is none.
Bytes from_ffmpeg(const std::string& arguments, const std::string& container = "nut") {
  Bytes out;
#if !defined(_WIN32)
  FILE* pipe = popen(("ffmpeg -nostdin -v error " + arguments + " -f " + container + " - 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return out;
  uint8_t piece[65536];
  for (size_t got = 0; (got = fread(piece, 1, sizeof piece, pipe)) > 0;) out.insert(out.end(), piece, piece + got);
  pclose(pipe);
#endif
  return out;
}

}  // namespace

TEST(checksum_and_numbers) {
  const uint8_t digits[] = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  // The check value of CRC-32 with this generator, unreflected, from 0 and not inverted.
  CHECK_EQ(nut::crc32(digits), 0x89A1897FU);
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, uint64_t{16384}, (uint64_t{1} << 62) + 5}) {
    Bytes bytes;
    samples::number(bytes, value);
    nut::Cursor in(bytes);
    CHECK_EQ(in.number(), value);
    CHECK(in.ok() && in.left() == 0);
  }
  for (const int64_t value : {int64_t{0}, int64_t{1}, int64_t{-1}, int64_t{1000}, int64_t{-1000}}) {
    Bytes bytes;
    samples::signed_number(bytes, value);
    CHECK_EQ(nut::Cursor(bytes).signed_number(), value);
  }
  const Bytes endless(20, 0xFF);
  nut::Cursor in(endless);
  (void)in.number();
  CHECK(!in.ok() && !in.short_of_bytes());
}

TEST(times_are_scaled) {
  CHECK_EQ(*nut::rescale(10, 3, 4), int64_t{7});
  CHECK_EQ(*nut::rescale(-10, 3, 4), int64_t{-8});
  CHECK_EQ(*nut::rescale(int64_t{1} << 50, 90000, 45000), int64_t{1} << 51);
  CHECK(!nut::rescale(int64_t{1} << 62, 90000, 1));
  CHECK_EQ(*nut::microseconds(51200 * 3600 + 1, {1, 51200}), int64_t{3600000020});
  CHECK_EQ(*nut::microseconds(-1, {1, 25}), int64_t{-40000});
  CHECK_EQ(*nut::microseconds(30000, {1001, 30000}), int64_t{1001000000});
  CHECK(!nut::microseconds(int64_t{1} << 61, {1, 25}));
  CHECK_EQ(nut::full_time(3, 257, 7), int64_t{259});
  CHECK_EQ(nut::full_time(126, 257, 7), int64_t{254});
  CHECK_EQ(nut::full_time(0, -1, 7), int64_t{0});
}

TEST(pictures_come_out_whole_in_pieces_of_any_size) {
  const Bytes stream = samples::grey_stream(100, 90, 5);
  for (const size_t most : {size_t{1}, size_t{7}, size_t{4096}, size_t{100000}}) {
    const Outcome out = read(stream, most);
    CHECK(out.ending.ok());
    CHECK_EQ(firsts(out), "0 1 2 3 4");
    CHECK_EQ(times(out), "0 40000 80000 120000 160000");
    CHECK_EQ(out.counts.damaged, uint64_t{0});
    CHECK_EQ(out.counts.skipped, uint64_t{0});
    CHECK_EQ(out.counts.pictures, uint64_t{5});
    CHECK_EQ(out.taken[0].head.width, 100);
    CHECK_EQ(out.taken[0].head.height, 90);
    CHECK(out.taken[0].head.format == CaptureFormat::kGray);
  }
}

TEST(pictures_that_the_sink_refuses_are_passed_over) {
  const Outcome out = read(samples::grey_stream(100, 90, 5), 1000, true);
  CHECK(out.ending.ok());
  CHECK_EQ(out.counts.pictures, uint64_t{5});
  CHECK(out.taken.empty());
}

TEST(times_of_frames) {
  const Bytes next = {1, 64}, picture = samples::grey(64, 9);
  // Low bits, a full time, the next time by the frame's code, and back.
  const Outcome out =
      read(joined({grey_head(), Nut::sync(1000), Nut::frame(0, 1003 % 128, picture), Nut::frame(0, 128 + 5000, picture),
                   next, picture, Nut::frame(0, 128 + 1, picture)}));
  CHECK(out.ending.ok());
  CHECK_EQ(times(out), "40120000 200000000 200040000 40000");
}

TEST(beginnings_that_are_left_out_are_put_back) {
  Bytes rest = samples::grey(61, 5);
  const Outcome out = read(joined({grey_head(), Nut::sync(0), Bytes{2, 64, 1}, rest}), 3);
  CHECK(out.ending.ok());
  CHECK_EQ(out.taken.size(), size_t{1});
  CHECK(out.taken[0].bytes[0] == 7 && out.taken[0].bytes[2] == 9 && out.taken[0].bytes[3] == 5);
}

TEST(other_streams_are_passed_over) {
  Nut two;
  two.streams = 2;
  const Bytes stream =
      joined({two.head(), Nut::stream(0, false, "MP3", 0, 0), Nut::stream(1, true, "Y800", 8, 8), Nut::sync(0),
              Nut::frame(0, 128, Bytes(5000, 'N')), Nut::frame(1, 128, samples::grey(64, 3)),
              samples::packet(0x4E58DD672F23E64EULL, Bytes(10000, 1))});
  const Outcome out = read(stream, 100);
  CHECK(out.ending.ok());
  CHECK_EQ(firsts(out), "3");
  CHECK_EQ(out.counts.damaged, uint64_t{0});
}

TEST(a_stream_may_become_another_kind) {
  const Bytes frame = Nut::frame(0, 128, samples::grey(64, 7));
  const Outcome outcome = read(joined({grey_head(), Nut::sync(0), frame, Nut::stream(0, false, "PSD\x10", 0, 0),
                                       Nut::sync(1), frame, Nut::sync(2), frame}));
  CHECK_EQ(firsts(outcome), "7");
}

TEST(numbers_that_do_not_end_are_damage) {
  // More of it than the reader's memory holds: it must neither stop nor take it for the end.
  Bytes zeros = {'N', 'X', 0, 0, 0, 0, 0, 1};
  zeros.resize(200000, 0x80);
  const Bytes frame = Nut::frame(0, 128, samples::grey(64, 7));
  for (const size_t most : {static_cast<size_t>(-1), size_t{1000}}) {
    const Outcome outcome = read(joined({grey_head(), Nut::sync(0), frame, zeros, Nut::sync(1), frame}), most);
    CHECK_EQ(firsts(outcome), "7 7");
    CHECK(outcome.ending.ok());
  }
}

TEST(another_file_may_follow) {
  const Bytes second =
      joined({Nut().head(), Nut::stream(0, true, "RGBA", 3, 2), Nut::sync(0), Nut::frame(0, 128, Bytes(24, 8))});
  const Outcome out = read(joined({samples::grey_stream(8, 8, 2), second}), 5);
  CHECK(out.ending.ok());
  CHECK_EQ(firsts(out), "0 1 8");
  CHECK(out.taken[2].head.format == CaptureFormat::kRgba);
  CHECK(!out.taken[1].head.restarted);
  CHECK(out.taken[2].head.restarted);
}

TEST(goes_on_after_damage) {
  const Bytes clean = samples::grey_stream(64, 64, 8);
  // Bytes that are missing in the middle of a picture: that one swallows what follows, and the next is lost.
  Bytes missing = clean;
  missing.erase(missing.begin() + 10000, missing.begin() + 10500);
  const Outcome lost = read(missing, 999);
  CHECK(lost.ending.ok());
  CHECK_EQ(firsts(lost), "0 1 mixed 4 5 6 7");
  CHECK_EQ(lost.counts.damaged, uint64_t{1});
  CHECK(lost.counts.skipped > 3000);
  // Garbage between pictures.
  Bytes garbage = clean;
  std::mt19937 random(3);
  Bytes noise(3000);
  for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random());
  noise[0] = 0xFF;
  Bytes one = joined({grey_head(64, 64), Nut::sync(0), Nut::frame(0, 128, samples::grey(4096, 1)), noise, Nut::sync(1),
                      Nut::frame(0, 129, samples::grey(4096, 2))});
  const Outcome noisy = read(one, 100);
  CHECK_EQ(firsts(noisy), "1 2");
  CHECK_EQ(noisy.counts.damaged, uint64_t{1});
  CHECK_EQ(noisy.counts.skipped, uint64_t{3000});
  // A frame whose header has a wrong checksum.
  Bytes wrong = joined({grey_head(), Nut::sync(0), Nut::frame(0, 128, samples::grey(64, 1))});
  wrong[wrong.size() - 66] ^= 1;
  samples::append(wrong, Nut::sync(1));
  samples::append(wrong, Nut::frame(0, 129, samples::grey(64, 2)));
  const Outcome header = read(wrong);
  CHECK_EQ(firsts(header), "2");
  CHECK_EQ(header.counts.damaged, uint64_t{1});
  // A frame that is no whole picture, and says so: only that one is lost.
  const Outcome half = read(joined(
      {grey_head(), Nut::sync(0), Nut::frame(0, 128, samples::grey(63, 1)), Nut::frame(0, 129, samples::grey(64, 2))}));
  CHECK_EQ(firsts(half), "2");
  CHECK_EQ(half.counts.damaged, uint64_t{1});
}

TEST(says_how_it_ended) {
  const Bytes clean = samples::grey_stream(64, 64, 2);
  const Outcome cut = read(std::span(clean).first(clean.size() - 100));
  CHECK(cut.ending.code() == Code::kVideoCorrupt);
  CHECK_EQ(cut.cancelled, 1);
  CHECK_EQ(cut.counts.damaged, uint64_t{1});
  CHECK_EQ(firsts(cut), "0");
  CHECK(read({}).ending.ok());
  const Bytes html(500, '<');
  CHECK(read(html).ending.code() == Code::kVideoCorrupt);
  const Outcome endless = read(Bytes(3 << 20, 'N'));
  CHECK(endless.ending.code() == Code::kVideoCorrupt);
  CHECK(endless.counts.skipped < 2 << 20);  // it gave up
}

TEST(refuses_what_is_no_plain_picture) {
  const auto status_of = [](const std::string& fourcc, uint64_t width, uint64_t height) {
    return read(joined({Nut().head(), Nut::stream(0, true, fourcc, width, height)})).ending;
  };
  CHECK(status_of("H264", 64, 64).code() == Code::kCameraUnsupported);
  CHECK(status_of("H264", 64, 64).message().find("H264 of 64 x 64") != std::string::npos);
  CHECK(status_of("Y800", 0, 64).code() == Code::kCameraUnsupported);
  CHECK(status_of("Y800", 32769, 64).code() == Code::kCameraUnsupported);
  CHECK(status_of("Y800", uint64_t{1} << 40, 64).code() == Code::kCameraUnsupported);
  CHECK(status_of("Y800", 32768, 32768).ok());
}

// Any change of any few bytes gives neither a crash nor a picture of another size (also run under sanitizers).
TEST(survives_any_change) {
  const Bytes clean = samples::grey_stream(16, 16, 6);
  std::mt19937 random(11);
  uint64_t pictures = 0;
  for (int round = 0; round < 20000; ++round) {
    Bytes changed = clean;
    const size_t changes = 1 + random() % 4;
    for (size_t i = 0; i < changes; ++i) changed[random() % changed.size()] = static_cast<uint8_t>(random());
    if (round % 3 == 0) changed.erase(changed.begin() + static_cast<ptrdiff_t>(random() % changed.size()));
    const Outcome out = read(changed, 1 + random() % 600);
    CHECK(out.taken.size() <= 6);
    pictures += out.taken.size();
  }
  CHECK(pictures > 60000);  // most of them survive
}

TEST(reads_what_ffmpeg_writes) {
  struct Case {
    const char* pixels;
    CaptureFormat format;
    int width, height;
  };
  const Case cases[] = {{"yuv420p", CaptureFormat::kI420, 320, 240},  {"gray", CaptureFormat::kGray, 321, 241},
                        {"nv12", CaptureFormat::kNv12, 66, 50},       {"rgb24", CaptureFormat::kRgb, 33, 17},
                        {"bgr24", CaptureFormat::kBgr, 33, 17},       {"rgba", CaptureFormat::kRgba, 33, 17},
                        {"bgra", CaptureFormat::kBgra, 33, 17},       {"yuyv422", CaptureFormat::kYuyv, 34, 17},
                        {"gray16le", CaptureFormat::kZ16, 34, 17},    {"yuv420p", CaptureFormat::kI420, 7, 5},
                        {"yuv420p", CaptureFormat::kI420, 7680, 4320}};
  for (const Case& one : cases) {
    const std::string size = std::to_string(one.width) + ":" + std::to_string(one.height);
    const std::string source = "-f lavfi -i testsrc2=s=320x240:r=25 -frames:v 3 -vf scale=" + size +
                               ":flags=neighbor -pix_fmt " + one.pixels + " -c:v rawvideo";
    const Bytes stream = from_ffmpeg(source);
    if (stream.empty()) SKIP("no ffmpeg");
    const Outcome out = read(stream, 65536);
    CHECK_EQ(out.ending.message(), "");
    CHECK_EQ(times(out), "0 40000 80000");
    CHECK_EQ(out.counts.damaged, uint64_t{0});
    if (out.taken.empty()) continue;
    CHECK(out.taken[0].head.format == one.format);
    CHECK_EQ(out.taken[0].head.width, one.width);
    CHECK_EQ(out.taken[0].head.height, one.height);
    // The same pictures without a container.
    const Bytes bare = from_ffmpeg(source, "rawvideo");
    Bytes together;
    for (const Taken& picture : out.taken) samples::append(together, picture.bytes);
    CHECK(together == bare);
  }
}

TEST(variable_rates_of_ffmpeg) {
  const Bytes stream = from_ffmpeg(
      "-f lavfi -i testsrc2=s=160x120:r=25 -vf \"select='lt(n,3)+eq(n,10)+eq(n,60)'\" -fps_mode passthrough "
      "-frames:v 5 -pix_fmt yuv420p -c:v rawvideo");
  if (stream.empty()) SKIP("no ffmpeg");
  const Outcome out = read(stream, 5000);
  CHECK(out.ending.ok());
  CHECK_EQ(times(out), "0 40000 80000 400000 2400000");
  const Bytes negative = from_ffmpeg(
      "-f lavfi -i testsrc2=s=160x120:r=30000/1001 -frames:v 3 -vf setpts=PTS-1/TB -pix_fmt gray -c:v rawvideo "
      "-avoid_negative_ts disabled -copyts");
  const Outcome early = read(negative);
  CHECK(early.ending.ok());
  CHECK_EQ(early.taken.size(), size_t{3});
}

TEST_MAIN()
