#include "capture/pipe_source.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <new>
#include <system_error>
#include <utility>

#if !defined(_WIN32)
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#endif

namespace lineament {
namespace {

int64_t monotonic_us() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

int64_t epoch_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

Status stopped() { return Status(Code::kClosed, "The source was closed"); }

}  // namespace

Descriptor::~Descriptor() { close(); }
Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

// Puts pictures into the ring: memory, numbers, times.
class PipeSource::Filler final : public NutSink {
 public:
  explicit Filler(PipeSource& source)
      : source_(source),
        ring_(*source.ring_),
        sequence_(ring_.next_sequence()),
        epoch_us_(std::max(epoch_us(), ring_.last_us())),
        monotonic_us_(monotonic_us()) {}

  std::span<uint8_t> begin(const NutPicture& picture) override {
    if (!status_.ok()) return {};
    if (picture.bytes > ring_.slot_bytes()) {
      status_ = Status(Code::kCameraUnsupported, "A picture of " + std::to_string(picture.width) + " x " +
                                                     std::to_string(picture.height) + " takes " +
                                                     std::to_string(picture.bytes) + " bytes, and there is room for " +
                                                     std::to_string(ring_.slot_bytes()));
      return {};
    }
    const bool fast = source_.options_.pace == Pace::kFast;
    const std::span<uint8_t> memory = fast ? ring_.begin_waiting(picture.bytes) : ring_.begin(picture.bytes);
    if (memory.empty() && fast) status_ = stopped();
    if (memory.empty()) {
      place(picture);
      ++sequence_;
    }
    return memory;
  }

  void done(const NutPicture& picture) override {
    PictureInfo info;
    info.sequence = sequence_++;
    info.width = picture.width;
    info.height = picture.height;
    info.format = picture.format;
    info.bytes = picture.bytes;
    info.position_us = place(picture);
    const int64_t now = monotonic_us();
    if (source_.options_.pace == Pace::kArrival || info.position_us < 0) {
      info.position_us = -1;
      info.timestamp_us = epoch_us_ + (now - monotonic_us_);
    } else {
      if (!started_) {
        monotonic_us_ = now;
        started_ = source_.options_.start_us.value_or(epoch_us());
      }
      info.timestamp_us = *started_ + info.position_us;
      const int64_t early = monotonic_us_ + info.position_us - now;
      if (source_.options_.pace == Pace::kLive && early > 0 && source_.wait(false, early) == Wait::kStopped) {
        status_ = stopped();
        ring_.cancel();
        return;
      }
    }
    ring_.commit(info);
  }

  void cancel() override { ring_.cancel(); }

  // 63 000 years: with any clock added it stays within 64 bits, whatever times a stream makes up.
  static constexpr int64_t kMostPosition = 2'000'000'000'000'000'000;

  // Of raw pictures whose rate is not known.
  static constexpr int64_t kNoTime = std::numeric_limits<int64_t>::min();

  const Status& status() const { return status_; }

 private:
  // Microseconds since the first picture; the next file's pictures follow the last one's. -1 where none is known.
  int64_t place(const NutPicture& picture) {
    if (picture.time_us == kNoTime) return -1;
    if (!first_us_ || picture.restarted) {
      base_us_ = first_us_ ? std::min(last_position_us_ + step_us_, kMostPosition) : 0;
      first_us_ = picture.time_us;
    }
    // Both times are within 10^18 of zero (nut::microseconds), so nothing here leaves 64 bits.
    const int64_t position = std::clamp(base_us_ + (picture.time_us - *first_us_), last_position_us_, kMostPosition);
    if (position > last_position_us_) step_us_ = position - last_position_us_;
    last_position_us_ = position;
    return position;
  }

  PipeSource& source_;
  FrameRing& ring_;
  Status status_;
  uint64_t sequence_;
  const int64_t epoch_us_;
  int64_t monotonic_us_;
  std::optional<int64_t> started_;
  std::optional<int64_t> first_us_;
  int64_t base_us_ = 0;  // position of the picture at first_us_
  int64_t last_position_us_ = 0;
  int64_t step_us_ = 40000;
};

PipeSource::PipeSource(Descriptor pictures, PipeEnds wake, std::shared_ptr<FrameRing> ring, const PipeOptions& options)
    : pictures_(std::move(pictures)), wake_(std::move(wake)), ring_(std::move(ring)), options_(options) {}

PipeSource::~PipeSource() { stop(); }

Result<std::shared_ptr<PipeSource>> PipeSource::start(Descriptor pictures, std::shared_ptr<FrameRing> ring,
                                                      const PipeOptions& options) {
  if (options.raw) {
    const RawPictures& raw = *options.raw;
    const size_t bytes = picture_bytes(raw.format, raw.width, raw.height);
    if (bytes == 0) return Status(Code::kInvalidArgument, "Expected a format and a size of raw pictures");
    if (bytes > ring->slot_bytes()) return Status(Code::kInvalidArgument, "A picture does not fit into a slot");
    const bool rate = raw.fps > 0 && raw.fps <= 1e6;
    if (!rate && raw.fps != 0) return Status(Code::kInvalidArgument, "Expected pictures a second, or 0 for none known");
    if (!rate && options.pace == Pace::kLive) {
      return Status(Code::kInvalidArgument, "Raw pictures at their own times need pictures a second");
    }
  }
  Result<PipeEnds> wake = make_pipe(PipeUse::kWake);
  if (!wake.ok()) return wake.status();
  std::shared_ptr<PipeSource> source(
      new PipeSource(std::move(pictures), std::move(wake.value()), std::move(ring), options));
  try {
    source->thread_ = std::thread([raw = source.get()] { raw->run(); });
  } catch (const std::system_error& error) {
    return Status(Code::kInternal, std::string("No thread for a source: ") + error.what());
  }
  return source;
}

SourceCounts PipeSource::counts() const { return {received_, damaged_, bytes_}; }

void PipeSource::run() {
  Status why;
  try {
    why = pump();
  } catch (const std::bad_alloc&) {
    why = Status(Code::kOutOfMemory, "No memory for reading pictures");
  }
  ring_->cancel();
  pictures_.close();  // a writer learns of it
  ring_->end(stopping_ ? stopped() : why);
}

Status PipeSource::pump() {
  Filler filler(*this);
  return options_.raw ? read_raw(filler) : read_nut(filler);
}

Status PipeSource::read_nut(Filler& filler) {
  NutReader reader(filler);
  for (;;) {
    if (!filler.status().ok()) return filler.status();
    const std::span<uint8_t> where = reader.want();
    if (where.empty()) return reader.status();
    Status why;
    const std::optional<size_t> got = read(where, &why);
    if (!got) return why;
    if (*got == 0) {
      why = reader.finish();
      damaged_ = reader.counts().damaged;
      return why;
    }
    reader.filled(*got);
    received_ = reader.counts().pictures;
    damaged_ = reader.counts().damaged;
  }
}

Status PipeSource::read_raw(Filler& filler) {
  const RawPictures& raw = *options_.raw;
  NutPicture picture;
  picture.format = raw.format;
  picture.width = raw.width;
  picture.height = raw.height;
  picture.bytes = picture_bytes(raw.format, raw.width, raw.height);
  std::vector<uint8_t> scratch(std::min<size_t>(picture.bytes, 65536));  // for pictures that the ring has no room for
  for (uint64_t index = 0;; ++index) {
    picture.time_us =
        raw.fps > 0 ? std::llround(std::min(static_cast<double>(index) * 1e6 / raw.fps, 1e18)) : Filler::kNoTime;
    // Memory is asked for once the picture begins to come: at the end of the bytes none of the kept ones is to go.
    Status why;
    std::optional<size_t> got = read(std::span(scratch).first(std::min<size_t>(scratch.size(), 4096)), &why);
    if (!got) return why;
    if (*got == 0) return Status();
    const std::span<uint8_t> memory = filler.begin(picture);
    if (!filler.status().ok()) return filler.status();
    if (!memory.empty()) std::copy_n(scratch.begin(), *got, memory.begin());
    for (size_t filled = *got; filled < picture.bytes; filled += *got) {
      const size_t left = picture.bytes - filled;
      got =
          read(memory.empty() ? std::span(scratch).first(std::min(scratch.size(), left)) : memory.subspan(filled, left),
               &why);
      if (!got) return why;
      if (*got == 0) {
        ++damaged_;
        return Status(Code::kVideoCorrupt, "The pictures ended within one of them");
      }
    }
    ++received_;
    if (!memory.empty()) filler.done(picture);
    if (!filler.status().ok()) return filler.status();
  }
}

#if defined(_WIN32)

namespace {
Status unsupported() { return Status(Code::kCameraUnsupported, "Pictures from pipes are not read on this system"); }
}  // namespace

void Descriptor::close() {}
Result<PipeEnds> make_pipe(PipeUse) { return unsupported(); }
Result<Descriptor> open_pictures(const std::string&) { return unsupported(); }
Result<Descriptor> duplicate(int) { return unsupported(); }
void PipeSource::stop() {}
PipeSource::Wait PipeSource::wait(bool, int64_t) const { return Wait::kFailed; }
std::optional<size_t> PipeSource::read(std::span<uint8_t>, Status*) { return std::nullopt; }

#else

void Descriptor::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<PipeEnds> make_pipe(PipeUse use) {
  int ends[2];
#if defined(__linux__)
  const int failed = pipe2(ends, O_CLOEXEC);
#else
  const int failed = pipe(ends);
#endif
  if (failed != 0) return Status(Code::kInternal, std::string("No pipe could be made: ") + std::strerror(errno));
  PipeEnds pipe{Descriptor(ends[0]), Descriptor(ends[1])};
#if defined(F_SETPIPE_SZ)
  // Fewer turns of writer and reader. Where the user's share of large pipes is used up it stays as it is.
  if (use == PipeUse::kPictures) (void)fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
#endif
  (void)use;
#if !defined(__linux__)
  for (const int end : ends) (void)fcntl(end, F_SETFD, FD_CLOEXEC);
#endif
  return pipe;
}

Result<Descriptor> open_pictures(const std::string& path) {
  // Without waiting for the writer of a FIFO; afterwards poll() says when there is something.
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) {
    const int error = errno;
    const Code code = error == ENOENT || error == ENOTDIR ? Code::kCameraNotFound
                      : error == EACCES || error == EPERM ? Code::kCameraBusy
                                                          : Code::kCameraLost;
    return Status(code, path + " cannot be read: " + std::strerror(error));
  }
  struct stat facts;
  if (fstat(file.get(), &facts) == 0 && S_ISDIR(facts.st_mode)) {
    return Status(Code::kInvalidArgument, path + " is a folder");
  }
  return file;
}

Result<Descriptor> duplicate(int fd) {
  Descriptor own(fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3));
  if (!own) return Status(Code::kInvalidArgument, "Descriptor " + std::to_string(fd) + " is not open");
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (flags & O_ACCMODE) == O_WRONLY) {
    return Status(Code::kInvalidArgument, "Descriptor " + std::to_string(fd) + " cannot be read");
  }
  return own;
}

void PipeSource::stop() {
  const std::lock_guard<std::mutex> lock(stop_mutex_);
  if (!thread_.joinable()) return;
  stopping_ = true;
  ring_->interrupt();
  const char byte = 0;
  while (::write(wake_.write.get(), &byte, 1) < 0 && errno == EINTR) {
  }
  thread_.join();
}

PipeSource::Wait PipeSource::wait(bool for_bytes, int64_t most_us) const {
  const int64_t until = most_us < 0 ? 0 : monotonic_us() + most_us;
  for (;;) {
    if (stopping_) return Wait::kStopped;
    int timeout = -1;
    if (most_us >= 0) {
      const int64_t left = until - monotonic_us();
      if (left <= 0) return Wait::kTimeout;
      timeout = static_cast<int>(std::min<int64_t>((left + 999) / 1000, 60000));
    }
    pollfd polled[2] = {{wake_.read.get(), POLLIN, 0}, {pictures_.get(), POLLIN, 0}};
    const int ready = poll(polled, for_bytes ? 2 : 1, timeout);
    if (ready < 0 && errno != EINTR) return Wait::kFailed;
    if (ready > 0 && polled[0].revents != 0) return Wait::kStopped;
    if (ready > 0 && polled[1].revents != 0) return Wait::kReady;
  }
}

std::optional<size_t> PipeSource::read(std::span<uint8_t> where, Status* why) {
  for (;;) {
    const Wait waited = wait(true, -1);
    if (waited == Wait::kStopped) {
      *why = stopped();
      return std::nullopt;
    }
    const ssize_t got = waited == Wait::kReady ? ::read(pictures_.get(), where.data(), where.size()) : -1;
    if (got >= 0) {
      bytes_ += static_cast<uint64_t>(got);
      return static_cast<size_t>(got);
    }
    if (errno == EINTR || errno == EAGAIN) continue;
    *why = Status(Code::kCameraLost, std::string("Pictures could not be read: ") + std::strerror(errno));
    return std::nullopt;
  }
}

#endif

}  // namespace lineament
