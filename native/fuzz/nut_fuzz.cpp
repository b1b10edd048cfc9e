// Any bytes as a NUT stream of pictures, and sound streams with some bytes changed.
#include <algorithm>
#include <cstdlib>

#include "capture/nut_reader.h"
#include "tests/capture/nut_samples.h"

namespace {

void demand(bool condition) {
  if (!condition) std::abort();
}

class Sink final : public lineament::NutSink {
 public:
  std::span<uint8_t> begin(const lineament::NutPicture& picture) override {
    demand(!open_ && picture.bytes == lineament::picture_bytes(picture.format, picture.width, picture.height));
    if (picture.bytes > 1 << 20) return {};
    open_ = true;
    memory_.resize(picture.bytes);
    memory_.shrink_to_fit();  // so that a byte too many is seen
    return memory_;
  }
  void done(const lineament::NutPicture&) override { close(); }
  void cancel() override { close(); }
  bool open() const { return open_; }

 private:
  void close() {
    demand(open_);
    open_ = false;
  }
  samples::Bytes memory_;
  bool open_ = false;
};

void read(const samples::Bytes& bytes, size_t most) {
  Sink sink;
  lineament::NutReader reader(sink);
  size_t at = 0;
  while (at < bytes.size()) {
    const std::span<uint8_t> where = reader.want();
    demand(where.empty() == !reader.status().ok());
    if (where.empty()) break;
    const size_t now = std::min({where.size(), bytes.size() - at, most});
    std::copy_n(bytes.begin() + static_cast<ptrdiff_t>(at), now, where.begin());
    reader.filled(now);
    at += now;
  }
  (void)reader.finish();
  demand(!sink.open());
  demand(reader.counts().skipped <= bytes.size());
}

}  // namespace

// The first byte says how: bytes as they are, behind a sound header, or changes (three bytes each: where, to what) of a
// sound stream. The second is how many bytes come at a time.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t most = 1 + data[1] * 16U;
  const std::span<const uint8_t> rest(data + 2, size - 2);
  samples::Bytes bytes;
  if (data[0] % 4 == 0) {
    samples::append(bytes, rest);
  } else if (data[0] % 4 == 1) {
    // With a right checksum whatever its contents are.
    bytes = samples::Bytes(lineament::nut::kFileId, lineament::nut::kFileId + sizeof(lineament::nut::kFileId));
    samples::append(bytes, samples::packet(lineament::nut::kMainCode, samples::Bytes(rest.begin(), rest.end())));
    samples::append(bytes, samples::Nut::stream(0, true, "Y800", 4, 4));
    samples::append(bytes, samples::Nut::sync(0));
    samples::append(bytes, rest);
  } else if (data[0] % 4 == 2) {
    bytes = samples::Nut().head();
    samples::append(bytes, samples::packet(lineament::nut::kStreamCode, samples::Bytes(rest.begin(), rest.end())));
    samples::append(bytes, samples::packet(lineament::nut::kSyncCode, samples::Bytes(rest.begin(), rest.end())));
    samples::append(bytes, samples::Nut::stream(0, true, "I420", 3, 3));
    samples::append(bytes, samples::Nut::sync(1));
    samples::append(bytes, rest);
  } else {
    bytes = samples::grey_stream(9, 7, 4);
    for (size_t i = 0; i + 2 < rest.size(); i += 3) {
      bytes[(rest[i] * 256U + rest[i + 1]) % bytes.size()] = rest[i + 2];
    }
  }
  read(bytes, most);
  return 0;
}
