// Writing a snapshot that was never an index in memory: vectors come in the order of their keys, and one segment of
// them is held at a time.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "search/snapshot.h"

namespace lineament {

// Thread-safe; calls that overlap are done one after another, in no stated order.
class SnapshotStream {
 public:
  // dims: kMinDims … kMaxDims.
  SnapshotStream(const std::string& path, size_t dims, IndexPrecision precision);
  SnapshotStream(const SnapshotStream&) = delete;
  SnapshotStream& operator=(const SnapshotStream&) = delete;

  size_t dims() const { return coder_.dims(); }
  IndexPrecision precision() const { return precision_; }

  // kStoreFull, kStoreFailed: the file cannot be written.
  Status status();

  // `groups` may be null: 0. kInvalidArgument: keys that do not rise, from here or from what was added before; a vector
  // of zeros or with a number that is not finite. kStoreFull, kStoreFailed, kAborted. After any failure the stream is
  // of no use: nothing will be written.
  Status add(const int64_t* keys, const float* vectors, const uint32_t* groups, size_t count, Executor& executor,
             const CancelToken* token);

  // Makes the file appear, or replaces the old one; gives how many vectors it holds. Its revision is that number.
  Result<uint64_t> finish();

 private:
  Status write_segment();
  Status encode(const int64_t* keys, const float* vectors, const uint32_t* groups, size_t count, Executor& executor,
                const CancelToken* token);

  const VectorCoder coder_;
  const IndexPrecision precision_;
  std::mutex mutex_;
  SnapshotWriter writer_;
  std::shared_ptr<Segment> segment_;  // being filled
  size_t used_ = 0;
  uint64_t written_ = 0;
  int64_t last_key_ = -1;
  Status failed_;
};

}  // namespace lineament
