// Snapshots of an index: files that can be searched where they are mapped.
//
// All numbers are little-endian, all parts begin on 4096 bytes:
//
//   header    4096 bytes: magic, version, byte order, dims, precision; zeros; XXH64 of what is before it
//   segments  one after another, each as it lies in memory (index_segment.h); keys rise from row to row and on
//   table     a SnapshotSegment for each; zeros up to 4096
//   trailer   4096 bytes: magic, size of an entry, revision, vectors, segments, place and XXH64 of the table, length of
//             the file; zeros; XXH64 of what is before it
//
// The header's layout is that of every version. A file that was cut short has no trailer. What is verified when:
// opening looks at header, trailer, table and, segment by segment, at keys and groups (their check sum and order);
// codes and vectors are compared with their check sums where a file is loaded, and by VectorIndex::verify.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/atomic_file.h"
#include "core/status.h"
#include "search/index_segment.h"

namespace lineament {

constexpr uint32_t kSnapshotVersion = 1;
constexpr size_t kSnapshotPage = 4096;

// An entry of the table.
struct SnapshotSegment {
  uint64_t offset;    // of its first byte in the file
  uint64_t rows;      // 1 … kMostSegmentRows
  int64_t first_key;  // rising from entry to entry
  uint64_t head_sum;  // XXH64 of keys and groups
  uint64_t rest_sum;  // XXH64 of codes and vectors
};
static_assert(sizeof(SnapshotSegment) == 40, "stands in files");

struct SnapshotTable {
  size_t dims = 0;
  IndexPrecision precision = IndexPrecision::kExact;
  uint64_t revision = 0;
  uint64_t vectors = 0;
  std::vector<SnapshotSegment> segments;
};

// Looks at header, trailer and table. kStoreCorrupt: truncated, damaged, foreign, of the other byte order; nothing
// beyond `size` is then ever asked for. kStoreVersion.
Result<SnapshotTable> read_snapshot(const uint8_t* bytes, size_t size);

// Keys and groups of one segment: check sum, order, range. kStoreCorrupt.
Status check_snapshot_head(const uint8_t* bytes, const SnapshotTable& table, size_t segment);
// Codes and vectors of one segment: check sum. kStoreCorrupt.
Status check_snapshot_rest(const uint8_t* bytes, const SnapshotTable& table, size_t segment);

// Writes a snapshot, segment by segment: no more than one segment needs to be in memory. The file appears, or the old
// one is replaced, when finish() has succeeded. Not thread-safe.
class SnapshotWriter {
 public:
  SnapshotWriter(const std::string& path, size_t dims, IndexPrecision precision);

  // The first `rows` rows of `segment`, which is of the writer's dims and precision and was made for `rows` rows. The
  // memory between its arrays is set to 0. Keys go on rising from what was written before (kInvalidArgument).
  Status append(Segment& segment);

  // kStoreFull, kStoreFailed.
  Status finish(uint64_t revision);

  // What has gone wrong with the file so far.
  Status status() const;

 private:
  const std::string path_;
  AtomicFile file_;
  SnapshotTable table_;
  uint64_t offset_ = kSnapshotPage;
  int64_t last_key_ = -1;
};

}  // namespace lineament
