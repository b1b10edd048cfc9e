// The parts of NUT ("NUT Open Container Format", draft of 2008, as FFmpeg's muxer writes it, versions 3 and 4):
// numbers, checksums, headers. nut_reader.h puts them in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace lineament::nut {

// The first bytes of a file, with the null character.
inline constexpr char kFileId[] = "nut/multimedia container";

inline constexpr uint64_t kMainCode = 0x4E4D7A561F5F04ADULL;
inline constexpr uint64_t kStreamCode = 0x4E5311405BF2F9DBULL;
inline constexpr uint64_t kSyncCode = 0x4E4BE4ADEECA4569ULL;

// CRC-32 with the generator 0x04C11DB7, most significant bit first, from 0 and not inverted: over bytes that end with
// their own checksum (big-endian) it is 0.
uint32_t crc32(std::span<const uint8_t> bytes, uint32_t start = 0);

uint64_t big_endian(const uint8_t* bytes, int count);

// Reads numbers one after another. Past the end, or where a number needs more than 63 bits, it gives 0 and says so.
class Cursor {
 public:
  explicit Cursor(std::span<const uint8_t> bytes) : bytes_(bytes) {}
  bool short_of_bytes() const { return short_; }
  bool ok() const { return !short_ && !wrong_; }
  size_t position() const { return position_; }
  size_t left() const { return bytes_.size() - position_; }
  uint8_t byte();
  uint64_t number();                // "v"
  int64_t signed_number();          // "s"
  std::span<const uint8_t> text();  // "vb": bytes with their length before them
  uint64_t fixed(int count);        // big-endian

 private:
  std::span<const uint8_t> bytes_;
  size_t position_ = 0;
  bool short_ = false;
  bool wrong_ = false;
};

enum FrameFlags : uint32_t {
  kCodedPts = 8,
  kStreamId = 16,
  kSizeMsb = 32,
  kChecksum = 64,
  kReserved = 128,
  kSideData = 256,
  kHeaderIdx = 1024,
  kMatchTime = 2048,
  kCodedFlags = 4096,
  kInvalid = 8192,
};

struct TimeBase {
  int64_t num = 1, den = 1;
};

// What a frame's first byte stands for.
struct FrameCode {
  uint32_t flags = kInvalid;
  int64_t pts_delta = 0;
  uint64_t size_mul = 1, size_lsb = 0;
  uint64_t stream = 0;
  uint64_t reserved = 0;
  uint64_t header_idx = 0;
};

struct MainHeader {
  uint64_t version = 0;
  uint64_t max_distance = 0;
  uint64_t streams = 0;
  bool broadcast = false;
  std::vector<TimeBase> time_bases;
  std::array<FrameCode, 256> codes;
  std::vector<std::vector<uint8_t>> elided{1};  // beginnings of frames that the file leaves out; the first is empty
};

struct StreamHeader {
  uint64_t id = 0;
  bool video = false;
  std::string fourcc;
  uint64_t time_base = 0;
  int pts_shift = 0;  // a coded time below 1 << pts_shift gives the low bits only
  uint64_t width = 0, height = 0;
};

struct SyncPoint {
  uint64_t time_base = 0;
  int64_t time = 0;
};

// The contents of packets, between the packet's header and its checksum. Nothing where they are not sound.
std::optional<MainHeader> read_main(std::span<const uint8_t> contents);
std::optional<StreamHeader> read_stream(std::span<const uint8_t> contents, const MainHeader& main);
std::optional<SyncPoint> read_sync(std::span<const uint8_t> contents, const MainHeader& main);

// a × b / c, rounded down; nothing where it does not fit. b and c are positive.
std::optional<int64_t> rescale(int64_t a, int64_t b, int64_t c);
// A time in microseconds; nothing where it is beyond ± 30 000 years.
std::optional<int64_t> microseconds(int64_t time, const TimeBase& base);
// The time whose low bits these are, nearest to the one before it.
int64_t full_time(int64_t low_bits, int64_t last, int shift);

}  // namespace lineament::nut
