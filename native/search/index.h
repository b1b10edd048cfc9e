// Vectors with keys and groups that can be added, replaced, removed and searched at any time, from any thread.
//
// Every change makes a new version: a list of segments with a bitmap each of the slots that are taken. A search (and a
// snapshot that is being written) holds the version at its start and so sees exactly one revision; changes never wait
// for searches nor searches for changes. What a version still shows is not overwritten: a replaced vector gets a new
// slot, and slots that were given up are filled again when the last version that shows them is gone.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "search/index_keys.h"
#include "search/index_segment.h"
#include "search/scan.h"

namespace lineament {

constexpr int64_t kMostKey = (int64_t{1} << 53) - 1;

// A segment as one version shows it. Constant.
struct SegmentState {
  std::shared_ptr<Segment> segment;
  size_t rows = 0;             // slots from here on are not taken
  size_t taken = 0;            // bits that are set
  std::vector<uint64_t> live;  // bit s % 64 of word s / 64: slot s is taken
};

inline bool is_live(const SegmentState& state, uint32_t slot) {
  return slot < state.rows && (state.live[slot / 64] >> (slot % 64) & 1) != 0;
}

// All that a search sees. Constant; null where a segment was given up.
struct IndexVersion {
  uint64_t revision = 0;
  size_t size = 0;
  std::vector<std::shared_ptr<const SegmentState>> segments;
};

// Which vectors a search may find.
struct IndexFilter {
  bool some_groups = false, some_keys = false;  // `groups` and `only` say something
  std::vector<uint32_t> groups;
  std::vector<int64_t> only, except;
};

struct IndexSearch {
  size_t k = 10;          // 1 … kMostHits
  double threshold = -2;  // least score
  IndexFilter filter;
};
constexpr size_t kMostHits = 1000000;

struct SnapshotTable;

enum class SnapshotMode { kMap, kLoad };

// Thread-safe. Vectors are `dims` floats one after another. kAborted where `token` is cancelled, kOutOfMemory; nothing
// has changed then.
class VectorIndex {
 public:
  // dims: kMinDims … kMaxDims.
  VectorIndex(size_t dims, IndexPrecision precision);
  ~VectorIndex();
  VectorIndex(const VectorIndex&) = delete;
  VectorIndex& operator=(const VectorIndex&) = delete;

  // A snapshot, see snapshot.h. kStoreCorrupt, kStoreVersion.
  static Result<std::shared_ptr<VectorIndex>> open(const std::string& path, SnapshotMode mode, Executor& executor,
                                                   const CancelToken* token);

  size_t dims() const { return coder_.dims(); }
  IndexPrecision precision() const { return precision_; }
  size_t size() const { return current()->size; }
  uint64_t revision() const { return current()->revision; }
  size_t bytes() const;         // in memory
  size_t mapped_bytes() const;  // mapped from a snapshot
  SearchWork work() const;      // of all searches
  uint64_t queries() const { return queries_.load(std::memory_order_relaxed); }

  // Adds `count` vectors of any length above zero. `groups` may be null: 0, or what a replaced vector has. A key that
  // is there is kDuplicateId unless `replace`; a key twice among `keys` always is. kInvalidArgument: a key below 0 or
  // above kMostKey, a vector of zeros or with a number that is not finite.
  Status put(const int64_t* keys, const float* vectors, const uint32_t* groups, size_t count, bool replace,
             Executor& executor, const CancelToken* token);

  // Gives how many were there.
  Result<size_t> remove(const int64_t* keys, size_t count);

  // hits[q]: best first, equal scores by smaller key. kInvalidArgument: a query of zeros or not finite.
  Status search(const float* queries, size_t count, const IndexSearch& search, Executor& executor,
                const CancelToken* token, std::vector<std::vector<Hit>>* hits);

  // The groups of those of `keys` that are there, in their order.
  void lookup(const std::vector<int64_t>& keys, std::vector<int64_t>* found, std::vector<uint32_t>* groups);

  // Writes a snapshot of one revision, see snapshot.h. kStoreFull, kStoreFailed.
  Status save(const std::string& path, const CancelToken* token);

  // Compares what is mapped with its check sums. kStoreCorrupt.
  Status verify(const CancelToken* token);

 private:
  class Pin;
  class Source;
  struct Reserved;
  struct Mapped;

  std::shared_ptr<const IndexVersion> current() const;

  // With keys_mutex_ held:
  bool find(const IndexVersion& version, int64_t key, Place* place) const;
  Status reserve(size_t count, Reserved* reserved);
  bool add_segment(size_t wanted);
  void give_back(const Reserved& reserved);
  void reuse_retired();
  // The next version: slots of `set` are taken, those of `cleared` are not, and room is made to retire them.
  std::shared_ptr<IndexVersion> revise(const std::vector<Place>& set, const std::vector<Place>& cleared);
  void publish(std::shared_ptr<IndexVersion> next, const std::vector<Place>& cleared);
  void drop_empty(IndexVersion* next, const std::vector<Place>& cleared);
  std::vector<Place> places(const IndexVersion& version, const std::vector<int64_t>& keys) const;

  // Without:
  Status encode(const Reserved& reserved, const int64_t* keys, const float* vectors, Executor& executor,
                const CancelToken* token);
  Status commit(const Reserved& reserved, const int64_t* keys, const uint32_t* groups, bool replace);
  Status adopt(std::shared_ptr<const MappedFile> file, SnapshotTable table, SnapshotMode mode, Executor& executor,
               const CancelToken* token);

  const VectorCoder coder_;
  const IndexPrecision precision_;

  // Guards keys and slots; held while a change is put in place, not while vectors are coded or searched.
  mutable std::mutex keys_mutex_;
  KeyMap keys_;  // of slots in memory
  struct Room {
    std::shared_ptr<Segment> segment;
    size_t used = 0;       // slots that were ever given out
    size_t in_flight = 0;  // given out, not yet published
  };
  std::vector<Room> rooms_;  // by segment; null where it was given up
  size_t open_ = SIZE_MAX;   // the room with slots that were never given out
  size_t in_flight_ = 0;
  std::vector<Place> free_;  // slots that no version shows
  struct Retired {
    uint64_t revision;  // the first that does not show it
    Place place;
  };
  std::vector<Retired> retired_;    // oldest first
  std::unique_ptr<Mapped> mapped_;  // what a mapped snapshot brought: the first segments; null without one

  // Guards the versions; taken after keys_mutex_ where both are.
  mutable std::mutex version_mutex_;
  std::shared_ptr<const IndexVersion> current_;
  mutable std::map<uint64_t, size_t> pins_;  // revisions that are being looked at, and how often

  std::atomic<uint64_t> queries_{0}, compared_{0}, refined_{0}, scored_{0};
};

}  // namespace lineament
