#include "search/snapshot_stream.h"

#include <algorithm>
#include <string>

#include "core/spread.h"
#include "search/index_parts.h"

namespace lineament {

SnapshotStream::SnapshotStream(const std::string& path, size_t dims, IndexPrecision precision)
    : coder_(dims), precision_(precision), writer_(path, dims, precision) {}

Status SnapshotStream::status() {
  std::lock_guard<std::mutex> lock(mutex_);
  return failed_.ok() ? writer_.status() : failed_;
}

Status SnapshotStream::write_segment() {
  if (used_ < segment_->rows()) {
    std::shared_ptr<Segment> shorter = Segment::make(dims(), precision_, used_);
    if (!shorter) return Status(Code::kOutOfMemory, "Out of memory for the snapshot");
    shorter->copy_rows(*segment_, 0, 0, used_);
    segment_ = std::move(shorter);
  }
  written_ += std::exchange(used_, 0);
  return writer_.append(*segment_);
}

Status SnapshotStream::encode(const int64_t* keys, const float* vectors, const uint32_t* groups, size_t count,
                              Executor& executor, const CancelToken* token) {
  constexpr size_t kChunk = 128;
  return spread(executor, (count + kChunk - 1) / kChunk, [&](size_t chunk) {
    if (is_cancelled(token)) return Status(Code::kAborted, "The snapshot was aborted");
    AlignedBuffer<float> scratch(encode_scratch(dims()));
    if (scratch.size() == 0) return Status(Code::kOutOfMemory, "Out of memory for coding vectors");
    const size_t end = std::min(count, (chunk + 1) * kChunk);
    for (size_t i = chunk * kChunk; i < end; ++i) {
      segment_->keys()[used_ + i] = keys[i];
      segment_->groups()[used_ + i] = groups == nullptr ? 0 : groups[i];
      if (segment_->encode(coder_, vectors + i * dims(), used_ + i, scratch.data())) continue;
      return Status(Code::kInvalidArgument,
                    "The vector of key " + std::to_string(keys[i]) + " is zero or has a number that is not finite");
    }
    return Status();
  });
}

Status SnapshotStream::add(const int64_t* keys, const float* vectors, const uint32_t* groups, size_t count,
                           Executor& executor, const CancelToken* token) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!failed_.ok()) return failed_;
  failed_ = without_exceptions([&] {
    for (size_t i = 0; i < count; ++i) {
      if (keys[i] <= last_key_ || keys[i] > kMostKey) {
        return Status(Code::kInvalidArgument, "Keys of a snapshot rise; " + std::to_string(keys[i]) + " comes after " +
                                                  std::to_string(last_key_));
      }
      last_key_ = keys[i];
    }
    const size_t full = segment_rows(dims(), precision_);
    for (size_t done = 0; done < count;) {
      if (!segment_) segment_ = Segment::make(dims(), precision_, full);
      if (!segment_) return Status(Code::kOutOfMemory, "Out of memory for the snapshot");
      const size_t part = std::min(count - done, full - used_);
      Status status = encode(keys + done, vectors + done * dims(), groups == nullptr ? nullptr : groups + done, part,
                             executor, token);
      used_ += part;
      done += part;
      if (status.ok() && used_ == full) status = write_segment();
      if (!status.ok()) return status;
    }
    return Status();
  });
  return failed_;
}

Result<uint64_t> SnapshotStream::finish() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!failed_.ok()) return failed_;
  failed_ = without_exceptions([&] {
    Status status = used_ > 0 ? write_segment() : Status();
    return status.ok() ? writer_.finish(written_) : status;
  });
  if (!failed_.ok()) return failed_;
  failed_ = Status(Code::kClosed, "The snapshot is finished");
  return written_;
}

}  // namespace lineament
