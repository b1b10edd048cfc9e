#include "capture/nut_format.h"

#include <cmath>
#include <limits>
#include <numeric>

namespace lineament::nut {
namespace {

constexpr uint64_t kMostStreams = 64;
constexpr uint64_t kMostTimeBases = 64;
constexpr uint64_t kMostElided = 128;
constexpr uint64_t kMostElidedBytes = 256;
constexpr uint64_t kMostReserved = 64;

std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i << 24;
    for (int bit = 0; bit < 8; ++bit) value = (value << 1) ^ ((value & 0x80000000U) != 0 ? 0x04C11DB7U : 0U);
    table[i] = value;
  }
  return table;
}

bool sound(const TimeBase& base) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  return base.num > 0 && base.den > 0 && base.num <= kMost && base.den <= kMost;
}

// The frame codes are described in runs; a field that a run does not state is that of the run before, or its default.
bool read_codes(Cursor& in, std::array<FrameCode, 256>* codes) {
  int64_t pts = 0;
  uint64_t mul = 1, stream = 0, header_idx = 0;
  for (uint64_t i = 0; i < 256;) {
    const uint64_t flags = in.number();
    const uint64_t fields = in.number();
    if (fields > 0) pts = in.signed_number();
    if (fields > 1) mul = in.number();
    if (fields > 2) stream = in.number();
    const uint64_t size = fields > 3 ? in.number() : 0;
    const uint64_t reserved = fields > 4 ? in.number() : 0;
    uint64_t count = fields > 5 ? in.number() : 0;
    if (fields <= 5) {
      if (mul <= size) return false;
      count = mul - size;
    }
    if (fields > 6) in.signed_number();
    if (fields > 7) header_idx = in.number();
    for (uint64_t extra = 8; extra < fields && in.ok(); ++extra) in.number();
    if (!in.ok() || count == 0 || count > 256 - i - (i <= 'N' ? 1 : 0)) return false;
    if (mul > 65535 || size > 65535 || reserved > kMostReserved) return false;
    for (uint64_t j = 0; j < count; ++i) {
      if (i == 'N') continue;  // startcodes begin with it
      (*codes)[i] = {static_cast<uint32_t>(flags), pts, mul, size + j, stream, reserved, header_idx};
      ++j;
    }
    if (i == 'N') ++i;
  }
  return true;
}

}  // namespace

uint32_t crc32(std::span<const uint8_t> bytes, uint32_t start) {
  static const std::array<uint32_t, 256> table = make_table();
  uint32_t value = start;
  for (const uint8_t byte : bytes) value = (value << 8) ^ table[(value >> 24) ^ byte];
  return value;
}

uint64_t big_endian(const uint8_t* bytes, int count) {
  uint64_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | bytes[i];
  return value;
}

uint8_t Cursor::byte() {
  if (position_ >= bytes_.size()) {
    short_ = true;
    return 0;
  }
  return bytes_[position_++];
}

uint64_t Cursor::number() {
  uint64_t value = 0;
  for (;;) {
    const uint8_t next = byte();
    if (short_) return 0;
    if (value >> 56 != 0) {
      wrong_ = true;
      return 0;
    }
    value = value << 7 | (next & 127U);
    if (next < 128) return value;
  }
}

int64_t Cursor::signed_number() {
  const uint64_t value = number() + 1;
  const auto half = static_cast<int64_t>(value >> 1);
  return (value & 1) != 0 ? -half : half;
}

std::span<const uint8_t> Cursor::text() {
  const uint64_t size = number();
  if (size > left()) {
    short_ = true;
    return {};
  }
  const std::span<const uint8_t> found = bytes_.subspan(position_, static_cast<size_t>(size));
  position_ += found.size();
  return found;
}

uint64_t Cursor::fixed(int count) {
  if (left() < static_cast<size_t>(count)) {
    short_ = true;
    return 0;
  }
  const uint64_t value = big_endian(bytes_.data() + position_, count);
  position_ += static_cast<size_t>(count);
  return value;
}

std::optional<MainHeader> read_main(std::span<const uint8_t> contents) {
  Cursor in(contents);
  MainHeader main;
  main.version = in.number();
  if (main.version < 2 || main.version > 4) return std::nullopt;
  if (main.version > 3) in.number();  // minor version
  main.streams = in.number();
  main.max_distance = in.number();
  const uint64_t time_bases = in.number();
  if (!in.ok() || main.streams < 1 || main.streams > kMostStreams || time_bases < 1 || time_bases > kMostTimeBases) {
    return std::nullopt;
  }
  if (main.max_distance > 65536) main.max_distance = 65536;
  for (uint64_t i = 0; i < time_bases; ++i) {
    TimeBase base;
    base.num = static_cast<int64_t>(in.number());
    base.den = static_cast<int64_t>(in.number());
    if (!in.ok() || !sound(base)) return std::nullopt;
    main.time_bases.push_back(base);
  }
  if (!read_codes(in, &main.codes)) return std::nullopt;
  if (in.left() > 0) {
    const uint64_t elided = in.number();
    if (elided >= kMostElided) return std::nullopt;
    for (uint64_t i = 0; i < elided; ++i) {
      const std::span<const uint8_t> bytes = in.text();
      if (bytes.empty() || bytes.size() >= kMostElidedBytes) return std::nullopt;
      main.elided.emplace_back(bytes.begin(), bytes.end());
    }
  }
  if (main.version > 3 && in.left() > 0) main.broadcast = (in.number() & 1) != 0;
  return in.ok() ? std::optional(std::move(main)) : std::nullopt;
}

std::optional<StreamHeader> read_stream(std::span<const uint8_t> contents, const MainHeader& main) {
  Cursor in(contents);
  StreamHeader stream;
  stream.id = in.number();
  stream.video = in.number() == 0;
  const std::span<const uint8_t> fourcc = in.text();
  stream.fourcc.assign(fourcc.begin(), fourcc.end());
  stream.time_base = in.number();
  const uint64_t shift = in.number();
  in.number();  // most distance between times
  in.number();  // delay of decoding
  in.number();  // flags
  in.text();    // the codec's own
  if (stream.video) {
    stream.width = in.number();
    stream.height = in.number();
    in.number();  // shape of a sample
    in.number();
    in.number();  // colour space
  }
  if (!in.ok() || stream.id >= main.streams || stream.time_base >= main.time_bases.size() || shift > 16) {
    return std::nullopt;
  }
  stream.pts_shift = static_cast<int>(shift);
  return stream;
}

std::optional<SyncPoint> read_sync(std::span<const uint8_t> contents, const MainHeader& main) {
  Cursor in(contents);
  const uint64_t coded = in.number();
  in.number();  // how far back the syncpoint before lies
  if (!in.ok()) return std::nullopt;
  SyncPoint point;
  point.time_base = coded % main.time_bases.size();
  point.time = static_cast<int64_t>(coded / main.time_bases.size());
  return point;
}

std::optional<int64_t> rescale(int64_t a, int64_t b, int64_t c) {
  const int64_t common = std::gcd(b, c);
  b /= common;
  c /= common;
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  if (b > kMost || c > kMost) return std::nullopt;
  const int64_t whole = a >= 0 ? a / c : -((-(a + 1)) / c) - 1;
  const int64_t rest = a - whole * c;  // 0 … c − 1
  const int64_t limit = std::numeric_limits<int64_t>::max() / b - b;
  if (whole > limit || whole < -limit) return std::nullopt;
  return whole * b + rest * b / c;
}

std::optional<int64_t> microseconds(int64_t time, const TimeBase& base) {
  // Seconds and their parts apart: the parts are below num ≤ 2^31 seconds, which a double holds to better than 1 µs.
  const int64_t whole = time / base.den, rest = time % base.den;
  const double parts = static_cast<double>(rest) / static_cast<double>(base.den) * static_cast<double>(base.num) * 1e6;
  if (std::abs(static_cast<double>(whole) * static_cast<double>(base.num)) > 1e12 || std::abs(parts) > 1e18) {
    return std::nullopt;
  }
  return whole * base.num * 1000000 + static_cast<int64_t>(std::llround(parts));
}

int64_t full_time(int64_t low_bits, int64_t last, int shift) {
  const uint64_t mask = (static_cast<uint64_t>(1) << shift) - 1;
  const uint64_t delta = static_cast<uint64_t>(last) - mask / 2;
  return static_cast<int64_t>(((static_cast<uint64_t>(low_bits) - delta) & mask) + delta);
}

}  // namespace lineament::nut
