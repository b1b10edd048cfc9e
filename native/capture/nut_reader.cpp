#include "capture/nut_reader.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace lineament {
namespace {

using nut::Cursor;

constexpr size_t kAtOnce = 4096;           // headers are small, and what follows one is copied out of the buffer
constexpr size_t kMostPacket = 64 * 1024;  // headers that are larger are damaged; other packets are passed over
constexpr size_t kMostFrameHeader = 1024;
constexpr uint64_t kMostPassed = static_cast<uint64_t>(1) << 32;
constexpr uint64_t kMostFrame = static_cast<uint64_t>(1) << 33;
constexpr uint64_t kMostWithoutNut = static_cast<uint64_t>(1) << 20;
constexpr size_t kFileIdBytes = sizeof(nut::kFileId);
constexpr size_t kCodeBytes = 8, kChecksumBytes = 4, kMostSync = 4096;

std::string printable(const std::string& text) {
  std::string out;
  for (const char character : text) out += character >= ' ' && character <= '~' ? character : '?';
  return out;
}

}  // namespace

NutReader::NutReader(NutSink& sink) : sink_(sink), buffer_(kMostPacket + 2 * kAtOnce) {}

std::span<uint8_t> NutReader::want() {
  if (!status_.ok()) return {};
  if (payload_ && !payload_->memory.empty()) {
    return payload_->memory.subspan(payload_->filled, payload_->bytes - payload_->filled);
  }
  if (begin_ == end_) begin_ = end_ = 0;
  // What is passed over goes through the whole buffer; otherwise little is read at a time, as pictures begin in it.
  if (payload_ && begin_ == end_) return {buffer_.data(), std::min(payload_->bytes - payload_->filled, buffer_.size())};
  if (passing_ > 0) return {buffer_.data(), static_cast<size_t>(std::min<uint64_t>(passing_, buffer_.size()))};
  if (begin_ > 0 && buffer_.size() - end_ < kAtOnce) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= std::exchange(begin_, 0);
  }
  return {buffer_.data() + end_, std::min(kAtOnce, buffer_.size() - end_)};
}

void NutReader::filled(size_t bytes) {
  if (!status_.ok()) return;
  if (payload_ && !payload_->memory.empty()) {
    payload_->filled += std::min(bytes, payload_->bytes - payload_->filled);
    if (payload_->filled == payload_->bytes) end_payload();
  } else {
    end_ += std::min(bytes, buffer_.size() - end_);
  }
  parse();
}

Status NutReader::finish() {
  if (!status_.ok()) return status_;
  const bool within = payload_.has_value() || (begin_ != end_ && !seeking_);
  if (payload_) {
    if (!payload_->memory.empty()) sink_.cancel();
    payload_.reset();
    ++counts_.damaged;
  }
  if (!main_ && (within || counts_.skipped > 0)) return Status(Code::kVideoCorrupt, "What came is not a NUT stream");
  if (within) return Status(Code::kVideoCorrupt, "The stream ended within a picture");
  return Status();
}

void NutReader::damaged() {
  if (!std::exchange(lost_, true)) ++counts_.damaged;
  seeking_ = true;
  synced_ = false;
}

void NutReader::parse() {
  while (status_.ok()) {
    if (payload_) {
      feed_payload();
      if (payload_) return;
      continue;
    }
    if (passing_ > 0) {
      const size_t now = static_cast<size_t>(std::min<uint64_t>(passing_, end_ - begin_));
      drop(now);
      passing_ -= now;
      if (passing_ > 0) return;
    }
    if (seeking_) {
      seek();
      if (seeking_) return;
    }
    const Step step = element();
    if (step == Step::kMore) return;
    if (step == Step::kDamaged) {
      damaged();
      counts_.skipped += 1;  // not the same startcode again
      drop(1);
    }
  }
}

void NutReader::seek() {
  while (end_ - begin_ >= kCodeBytes) {
    const auto* from = buffer_.data() + begin_;
    const auto* found = static_cast<const uint8_t*>(std::memchr(from, 'N', end_ - begin_ - kCodeBytes + 1));
    const size_t passed = found == nullptr ? end_ - begin_ - kCodeBytes + 1 : static_cast<size_t>(found - from);
    counts_.skipped += passed;
    drop(passed);
    if (found == nullptr) break;
    // Others say nothing about the time of what follows.
    const uint64_t code = nut::big_endian(found, kCodeBytes);
    if (code == nut::kMainCode || code == nut::kSyncCode) {
      seeking_ = false;
      return;
    }
    counts_.skipped += 1;
    drop(1);
  }
  if (!main_ && counts_.skipped > kMostWithoutNut) {
    status_ = Status(Code::kVideoCorrupt, "What comes is not a NUT stream");
  }
}

NutReader::Step NutReader::element() {
  const std::span<const uint8_t> bytes = pending();
  if (bytes.empty()) return Step::kMore;
  const size_t same = std::min(bytes.size(), kFileIdBytes);
  // A frame may begin with an n, too, but hardly with all of it.
  if (std::memcmp(bytes.data(), nut::kFileId, same) == 0) return file_id();
  return bytes[0] == 'N' ? packet() : frame();
}

NutReader::Step NutReader::file_id() {
  if (pending().size() < kFileIdBytes) return Step::kMore;
  drop(kFileIdBytes);
  restarted_ = main_.has_value();
  main_contents_.clear();
  main_.reset();
  streams_.clear();
  video_.reset();
  synced_ = false;
  return Step::kDone;
}

NutReader::Step NutReader::packet() {
  const std::span<const uint8_t> bytes = pending();
  if (bytes.size() < kCodeBytes) return Step::kMore;
  const uint64_t code = nut::big_endian(bytes.data(), kCodeBytes);
  // Numbers may begin with any count of zeros: what is longer than this is none.
  constexpr size_t kMostPacketHeader = 32;
  Cursor in(bytes.subspan(kCodeBytes, std::min(bytes.size() - kCodeBytes, kMostPacketHeader)));
  const uint64_t size = in.number();
  const bool large = size > 4096;
  const size_t until_checksum = kCodeBytes + in.position();
  if (large) in.fixed(kChecksumBytes);
  if (in.short_of_bytes()) return bytes.size() - kCodeBytes < kMostPacketHeader ? Step::kMore : Step::kDamaged;
  const size_t header = kCodeBytes + in.position();
  if (!in.ok() || size < kChecksumBytes) return Step::kDamaged;
  if (large && nut::crc32(bytes.first(until_checksum + kChecksumBytes)) != 0) return Step::kDamaged;
  // The sum over a packet that is none costs as much as over a real one: sync points are small.
  if (code == nut::kSyncCode && size > kMostSync) return Step::kDamaged;
  const bool needed = code == nut::kMainCode || code == nut::kStreamCode || code == nut::kSyncCode;
  if (large && !needed) {
    if (size > kMostPassed) return Step::kDamaged;
    drop(header);
    passing_ = size;
    return Step::kDone;
  }
  if (size > kMostPacket - header) return Step::kDamaged;
  if (bytes.size() < header + size) return Step::kMore;
  const std::span<const uint8_t> body = bytes.subspan(header, static_cast<size_t>(size));
  if (nut::crc32(body) != 0) return Step::kDamaged;
  const Step step = apply(code, body.first(body.size() - kChecksumBytes));
  if (step == Step::kDone) drop(header + body.size());
  return step;
}

NutReader::Step NutReader::apply(uint64_t code, std::span<const uint8_t> contents) {
  if (code == nut::kMainCode) {
    if (main_ && std::equal(contents.begin(), contents.end(), main_contents_.begin(), main_contents_.end())) {
      return Step::kDone;
    }
    std::optional<nut::MainHeader> main = nut::read_main(contents);
    if (!main) return Step::kDamaged;
    main_ = std::move(main);
    main_contents_.assign(contents.begin(), contents.end());
    streams_.assign(static_cast<size_t>(main_->streams), {});
    video_.reset();
    synced_ = false;
  } else if (code == nut::kStreamCode && main_) {
    std::optional<nut::StreamHeader> header = nut::read_stream(contents, *main_);
    if (!header) return Step::kDamaged;
    Stream& stream = streams_[static_cast<size_t>(header->id)];
    const bool read = header->video && (!video_ || *video_ == header->id);
    if (read && !format_of(*header)) {
      status_ = Status(Code::kCameraUnsupported,
                       "The video stream is not one of plain pictures but " + printable(header->fourcc) + " of " +
                           std::to_string(header->width) + " x " + std::to_string(header->height));
      return Step::kDone;
    }
    if (read) {
      video_ = header->id;
    } else if (video_ == header->id) {
      video_.reset();  // it is another kind of stream by now
    }
    stream.header = std::move(*header);
    stream.known = true;
  } else if (code == nut::kSyncCode && main_) {
    const std::optional<nut::SyncPoint> point = nut::read_sync(contents, *main_);
    if (!point) return Step::kDamaged;
    const nut::TimeBase& base = main_->time_bases[static_cast<size_t>(point->time_base)];
    for (Stream& stream : streams_) {
      if (!stream.known) continue;
      const nut::TimeBase& own = main_->time_bases[static_cast<size_t>(stream.header.time_base)];
      const std::optional<int64_t> time = nut::rescale(point->time, base.num * own.den, base.den * own.num);
      if (!time) return Step::kDamaged;
      stream.last = *time;
    }
    synced_ = true;
    lost_ = false;
  }
  return Step::kDone;
}

std::optional<CaptureFormat> NutReader::format_of(const nut::StreamHeader& stream) const {
  using namespace std::string_literals;
  static const std::pair<std::string, CaptureFormat> kFormats[] = {
      {"I420"s, CaptureFormat::kI420},   {"IYUV"s, CaptureFormat::kI420},   {"NV12"s, CaptureFormat::kNv12},
      {"YUY2"s, CaptureFormat::kYuyv},   {"Y800"s, CaptureFormat::kGray},   {"Y1\0\x10"s, CaptureFormat::kZ16},
      {"RGB\x18"s, CaptureFormat::kRgb}, {"BGR\x18"s, CaptureFormat::kBgr}, {"RGBA"s, CaptureFormat::kRgba},
      {"BGRA"s, CaptureFormat::kBgra},
  };
  if (stream.width > 32768 || stream.height > 32768) return std::nullopt;
  for (const auto& [fourcc, format] : kFormats) {
    if (fourcc == stream.fourcc &&
        picture_bytes(format, static_cast<int>(stream.width), static_cast<int>(stream.height)) > 0) {
      return format;
    }
  }
  return std::nullopt;
}

NutReader::Step NutReader::frame() {
  if (!main_ || !synced_) return Step::kDamaged;
  const std::span<const uint8_t> bytes = pending();
  Cursor in(bytes.first(std::min(bytes.size(), kMostFrameHeader)));
  const nut::FrameCode& code = main_->codes[in.byte()];
  uint32_t flags = code.flags;
  if ((flags & nut::kInvalid) != 0) return Step::kDamaged;
  if ((flags & nut::kCodedFlags) != 0) flags ^= static_cast<uint32_t>(in.number());
  const uint64_t stream_id = (flags & nut::kStreamId) != 0 ? in.number() : code.stream;
  const uint64_t coded_pts = (flags & nut::kCodedPts) != 0 ? in.number() : 0;
  const uint64_t high_size = (flags & nut::kSizeMsb) != 0 ? in.number() : 0;
  if ((flags & nut::kMatchTime) != 0) in.signed_number();
  uint64_t header_idx = (flags & nut::kHeaderIdx) != 0 ? in.number() : code.header_idx;
  const uint64_t reserved = (flags & nut::kReserved) != 0 ? in.number() : code.reserved;
  for (uint64_t i = 0; i < reserved && in.ok(); ++i) in.number();
  const size_t until_checksum = in.position();
  if ((flags & nut::kChecksum) != 0) in.fixed(kChecksumBytes);
  if (in.short_of_bytes()) return bytes.size() >= kMostFrameHeader ? Step::kDamaged : Step::kMore;
  if (!in.ok() || high_size > kMostFrame || stream_id >= streams_.size()) return Step::kDamaged;
  Stream& stream = streams_[static_cast<size_t>(stream_id)];
  const uint64_t size = code.size_lsb + code.size_mul * high_size;
  // Large frames leave nothing out, and say so with a checksum.
  if (size > 4096) header_idx = 0;
  if (!stream.known || size > kMostFrame || header_idx >= main_->elided.size()) return Step::kDamaged;
  const std::vector<uint8_t>& elided = main_->elided[static_cast<size_t>(header_idx)];
  if (size < elided.size()) return Step::kDamaged;
  if ((flags & nut::kChecksum) != 0) {
    if (nut::crc32(bytes.first(until_checksum + kChecksumBytes)) != 0) return Step::kDamaged;
  } else if (!main_->broadcast && size > 2 * main_->max_distance) {
    return Step::kDamaged;
  }
  if ((flags & nut::kCodedPts) != 0) {
    const uint64_t low = static_cast<uint64_t>(1) << stream.header.pts_shift;
    stream.last = coded_pts < low
                      ? nut::full_time(static_cast<int64_t>(coded_pts), stream.last, stream.header.pts_shift)
                      : static_cast<int64_t>(coded_pts - low);
  } else {
    stream.last = static_cast<int64_t>(static_cast<uint64_t>(stream.last) + static_cast<uint64_t>(code.pts_delta));
  }
  const Step step = start_payload(static_cast<size_t>(size), stream, elided, flags);
  if (step == Step::kDone) drop(in.position());
  return step;
}

NutReader::Step NutReader::start_payload(size_t bytes, const Stream& stream, const std::vector<uint8_t>& elided,
                                         uint32_t flags) {
  Payload payload;
  payload.bytes = bytes;
  const nut::StreamHeader& header = stream.header;
  if (video_ == header.id && bytes > 0) {
    NutPicture& picture = payload.picture;
    picture.format = *format_of(header);
    picture.width = static_cast<int>(header.width);
    picture.height = static_cast<int>(header.height);
    picture.bytes = picture_bytes(picture.format, picture.width, picture.height);
    const std::optional<int64_t> us =
        nut::microseconds(stream.last, main_->time_bases[static_cast<size_t>(header.time_base)]);
    // Side data would lie before the pixels; FFmpeg writes it only where it is asked for an experiment.
    payload.wanted = us && picture.bytes == bytes && (flags & nut::kSideData) == 0;
    if (!payload.wanted && (flags & nut::kChecksum) == 0) return Step::kDamaged;
    if (payload.wanted) {
      picture.time_us = *us;
      picture.restarted = std::exchange(restarted_, false);
      payload.memory = sink_.begin(picture);
      if (!payload.memory.empty()) std::copy(elided.begin(), elided.end(), payload.memory.begin());
    } else {
      ++counts_.damaged;
    }
  }
  payload.filled = elided.size();
  payload_ = payload;
  return Step::kDone;
}

void NutReader::feed_payload() {
  const size_t now = std::min(payload_->bytes - payload_->filled, end_ - begin_);
  if (!payload_->memory.empty()) std::memcpy(payload_->memory.data() + payload_->filled, pending().data(), now);
  payload_->filled += now;
  drop(now);
  if (payload_->filled == payload_->bytes) end_payload();
}

void NutReader::end_payload() {
  const Payload payload = *payload_;
  payload_.reset();
  if (!payload.wanted) return;
  ++counts_.pictures;
  if (!payload.memory.empty()) sink_.done(payload.picture);
}

}  // namespace lineament
