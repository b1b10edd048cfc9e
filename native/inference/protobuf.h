// As much of protobuf's wire format as reading and rebuilding an ONNX file needs. Source: the protocol buffers
// documentation, "Encoding".
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace lineament::protobuf {

enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Span {
  const uint8_t* data = nullptr;
  size_t size = 0;

  std::string_view text() const { return {reinterpret_cast<const char*>(data), size}; }
};

// One field of a message: its content, and all of its bytes (tag included) as they lie in the file.
struct Field {
  uint32_t number = 0;
  uint32_t wire = 0;
  uint64_t value = 0;  // kVarint, kFixed64, kFixed32
  Span bytes;          // kBytes
  Span whole;
};

// Walks over a message's fields and never reads outside of it.
class Reader {
 public:
  explicit Reader(Span message) : at_(message.data), end_(message.data + message.size) {}

  // False at the end and where the message is malformed; failed() tells which.
  bool next(Field* field) {
    if (at_ == end_) return false;
    const uint8_t* const start = at_;
    uint64_t tag = 0;
    if (!varint(&tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return fail();
    field->number = static_cast<uint32_t>(tag >> 3);
    field->wire = static_cast<uint32_t>(tag & 7);
    field->bytes = {};
    field->value = 0;
    uint64_t length = 0;
    switch (field->wire) {
      case kVarint:
        if (!varint(&field->value)) return fail();
        break;
      case kFixed64:
        if (!fixed(&field->value, 8)) return fail();
        break;
      case kFixed32:
        if (!fixed(&field->value, 4)) return fail();
        break;
      case kBytes:
        if (!varint(&length) || length > static_cast<uint64_t>(end_ - at_)) return fail();
        field->bytes = {at_, static_cast<size_t>(length)};
        at_ += length;
        break;
      default:
        return fail();  // groups are long gone
    }
    field->whole = {start, static_cast<size_t>(at_ - start)};
    return true;
  }

  // A bare varint, for packed lists.
  bool varint(uint64_t* out) {
    *out = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail();
      const uint8_t byte = *at_++;
      *out |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return fail();
  }

  bool done() const { return at_ == end_; }
  bool failed() const { return failed_; }

 private:
  bool fail() {
    failed_ = true;
    at_ = end_;
    return false;
  }

  bool fixed(uint64_t* out, size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) return fail();
    *out = 0;
    std::memcpy(out, at_, bytes);  // little-endian, as every machine that we build for
    at_ += bytes;
    return true;
  }

  const uint8_t* at_;
  const uint8_t* end_;
  bool failed_ = false;
};

inline size_t varint_size(uint64_t value) {
  size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

// Writes and returns the position after it.
inline uint8_t* put_varint(uint8_t* at, uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<uint8_t>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<uint8_t>(value);
  return at;
}

inline uint8_t* put(uint8_t* at, Span span) {
  if (span.size != 0) std::memcpy(at, span.data, span.size);
  return at + span.size;
}

}  // namespace lineament::protobuf
