// Takes a NUT stream of uncompressed pictures apart, as `ffmpeg -c:v rawvideo -f nut` writes it, byte by byte as it
// comes. The bytes of pictures go straight to where they will stay. Nothing that the stream says is believed: memory is
// bounded, and after damage the reader goes on at the next startcode whose packet has the right checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "capture/frame_ring.h"
#include "capture/nut_format.h"
#include "core/status.h"

namespace lineament {

struct NutPicture {
  int64_t time_us = 0;     // as the stream says; may be negative, and go back
  bool restarted = false;  // the first picture of another file that follows in the same stream: times begin anew
  CaptureFormat format = CaptureFormat::kI420;
  int width = 0;
  int height = 0;
  size_t bytes = 0;  // picture_bytes(format, width, height)
};

// Where pictures go. After a begin() that gave memory comes either done() or cancel().
class NutSink {
 public:
  virtual ~NutSink() = default;
  // At least picture.bytes, or nothing: then the picture is passed over.
  virtual std::span<uint8_t> begin(const NutPicture& picture) = 0;
  virtual void done(const NutPicture& picture) = 0;
  virtual void cancel() = 0;
};

struct NutCounts {
  uint64_t pictures = 0;  // that the stream held whole, also those that the sink passed over
  uint64_t damaged = 0;   // stretches that were not understood, and frames that are no whole picture
  uint64_t skipped = 0;   // bytes of such stretches
};

// Only the first video stream is read; it must be one of: I420, NV12, YUY2, Y800, 16-bit grey (as z16), and packed RGB,
// BGR, RGBA, BGRA. Not thread-safe.
class NutReader {
 public:
  explicit NutReader(NutSink& sink);

  // Where the next bytes belong: at least one. Nothing once status() is not ok.
  std::span<uint8_t> want();
  // So many of them were put there.
  void filled(size_t bytes);
  // No more bytes come. kVideoCorrupt where they end within a picture or a packet, or where none of them was NUT.
  Status finish();

  // kCameraUnsupported for a video stream of another kind, kVideoCorrupt for a first megabyte without NUT in it.
  const Status& status() const { return status_; }
  const NutCounts& counts() const { return counts_; }

 private:
  enum class Step { kMore, kDone, kDamaged };
  struct Stream {
    nut::StreamHeader header;
    bool known = false;
    int64_t last = 0;  // time of the frame before
  };
  struct Payload {
    NutPicture picture;
    std::span<uint8_t> memory;  // empty: passed over
    size_t filled = 0;
    size_t bytes = 0;
    bool wanted = false;  // a picture, not a frame of another stream
  };

  std::span<const uint8_t> pending() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void drop(size_t bytes) { begin_ += bytes; }
  void parse();
  void seek();  // the next startcode
  void damaged();
  Step element();
  Step file_id();
  Step packet();
  Step apply(uint64_t code, std::span<const uint8_t> contents);
  Step frame();
  void feed_payload();
  void end_payload();
  Step start_payload(size_t bytes, const Stream& stream, const std::vector<uint8_t>& elided, uint32_t flags);
  std::optional<CaptureFormat> format_of(const nut::StreamHeader& stream) const;

  NutSink& sink_;
  Status status_;
  NutCounts counts_;
  std::vector<uint8_t> buffer_;
  size_t begin_ = 0, end_ = 0;  // what lies in the buffer and was not read
  bool seeking_ = false;        // for a startcode, after damage
  bool lost_ = false;           // damage was counted, and no syncpoint came since
  bool synced_ = false;         // a syncpoint came: times are known
  bool restarted_ = false;
  uint64_t passing_ = 0;  // bytes of a large packet that are passed over
  std::optional<Payload> payload_;

  std::vector<uint8_t> main_contents_;  // repeated headers are recognised by it
  std::optional<nut::MainHeader> main_;
  std::vector<Stream> streams_;
  std::optional<uint64_t> video_;  // the stream that is read
};

}  // namespace lineament
