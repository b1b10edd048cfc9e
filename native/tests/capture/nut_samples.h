// Writes small NUT streams, for tests and fuzzers.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "capture/nut_format.h"

namespace samples {

using Bytes = std::vector<uint8_t>;

inline void append(Bytes& out, std::span<const uint8_t> more) { out.insert(out.end(), more.begin(), more.end()); }

inline void number(Bytes& out, uint64_t value) {
  for (int shift = 63; shift >= 7; shift -= 7) {
    if (value >> shift != 0) out.push_back(static_cast<uint8_t>(128 | (value >> shift & 127)));
  }
  out.push_back(static_cast<uint8_t>(value & 127));
}

inline void signed_number(Bytes& out, int64_t value) {
  number(out, value > 0 ? static_cast<uint64_t>(value) * 2 - 1 : static_cast<uint64_t>(-value) * 2);
}

inline void fixed(Bytes& out, uint64_t value, int count) {
  for (int i = count - 1; i >= 0; --i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

inline void text(Bytes& out, const std::string& value) {
  number(out, value.size());
  out.insert(out.end(), value.begin(), value.end());
}

inline Bytes packet(uint64_t code, const Bytes& contents) {
  Bytes out;
  fixed(out, code, 8);
  number(out, contents.size() + 4);
  if (contents.size() + 4 > 4096) fixed(out, lineament::nut::crc32(out), 4);
  append(out, contents);
  fixed(out, lineament::nut::crc32(contents), 4);
  return out;
}

// One time base, streams that share it, frames whose header states stream, time and size; `count` ≥ 0 codes of the
// description may be damaged by tests.
struct Nut {
  uint64_t streams = 1;
  uint64_t num = 1, den = 25;
  uint64_t version = 3;

  Bytes main_contents() const {
    Bytes out;
    number(out, version);
    if (version > 3) number(out, 0);
    number(out, streams);
    number(out, 32767);
    number(out, 1);
    number(out, num);
    number(out, den);
    // Codes 0: all fields in the frame's header, with a checksum. 1: no checksum, next time. 2 …: not valid.
    run(out,
        lineament::nut::kCodedPts | lineament::nut::kStreamId | lineament::nut::kSizeMsb | lineament::nut::kChecksum, 0,
        1, 1);
    run(out, lineament::nut::kSizeMsb, 1, 1, 1);
    run(out, lineament::nut::kSizeMsb | lineament::nut::kHeaderIdx, 1, 1, 1);
    run(out, lineament::nut::kInvalid, 0, 1, 252);
    number(out, 1);  // beginnings that frames leave out
    text(out, std::string("\x07\x08\x09", 3));
    return out;
  }

  static void run(Bytes& out, uint64_t flags, int64_t pts, uint64_t mul, uint64_t count) {
    number(out, flags);
    number(out, 6);
    signed_number(out, pts);
    number(out, mul);
    number(out, 0);  // stream
    number(out, 0);  // size
    number(out, 0);  // reserved
    number(out, count);
  }

  Bytes head() const {
    Bytes out(lineament::nut::kFileId, lineament::nut::kFileId + sizeof(lineament::nut::kFileId));
    append(out, packet(lineament::nut::kMainCode, main_contents()));
    return out;
  }

  static Bytes stream(uint64_t id, bool video, const std::string& fourcc, uint64_t width, uint64_t height) {
    Bytes out;
    number(out, id);
    number(out, video ? 0 : 1);
    text(out, fourcc);
    number(out, 0);   // time base
    number(out, 7);   // bits of short times
    number(out, 99);  // most distance
    number(out, 0);
    number(out, 0);
    text(out, "");
    if (video) {
      for (const uint64_t value : {width, height, uint64_t{1}, uint64_t{1}, uint64_t{0}}) number(out, value);
    }
    return packet(lineament::nut::kStreamCode, out);
  }

  static Bytes sync(uint64_t time) {
    Bytes out;
    number(out, time);
    number(out, 0);
    return packet(lineament::nut::kSyncCode, out);
  }

  // `time` as it is coded: below 128 the low bits, else 128 more than the time.
  static Bytes frame(uint64_t stream, uint64_t time, const Bytes& payload) {
    Bytes out = {0};
    number(out, stream);
    number(out, time);
    number(out, payload.size());
    fixed(out, lineament::nut::crc32(out), 4);
    append(out, payload);
    return out;
  }
};

// A grey picture each of whose bytes is `value`.
inline Bytes grey(size_t pixels, uint8_t value) { return Bytes(pixels, value); }

// `pictures` of width × height in Y800, each with a syncpoint before it.
inline Bytes grey_stream(int width, int height, int pictures) {
  const Nut nut;
  Bytes out = nut.head();
  append(out, Nut::stream(0, true, "Y800", static_cast<uint64_t>(width), static_cast<uint64_t>(height)));
  for (int i = 0; i < pictures; ++i) {
    append(out, Nut::sync(static_cast<uint64_t>(i)));
    append(out, Nut::frame(0, 128 + static_cast<uint64_t>(i),
                           grey(static_cast<size_t>(width) * static_cast<size_t>(height), static_cast<uint8_t>(i))));
  }
  return out;
}

}  // namespace samples
