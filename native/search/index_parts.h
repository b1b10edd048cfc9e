// What the sources of VectorIndex share.
#pragma once

#include <new>
#include <utility>

#include "search/index.h"
#include "search/snapshot.h"

namespace lineament {

// A version that is held: its slots keep what they have for as long.
class VectorIndex::Pin {
 public:
  explicit Pin(const VectorIndex& index) : index_(index) {
    std::lock_guard<std::mutex> lock(index_.version_mutex_);
    version_ = index_.current_;
    ++index_.pins_[version_->revision];
  }
  ~Pin() {
    std::lock_guard<std::mutex> lock(index_.version_mutex_);
    const auto pin = index_.pins_.find(version_->revision);
    if (--pin->second == 0) index_.pins_.erase(pin);
  }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

  const IndexVersion& operator*() const { return *version_; }
  const IndexVersion* operator->() const { return version_.get(); }

 private:
  const VectorIndex& index_;
  std::shared_ptr<const IndexVersion> version_;
};

// Slots that were given out for a change.
struct VectorIndex::Reserved {
  std::vector<Place> places;
  std::map<uint32_t, std::shared_ptr<Segment>> segments;
};

// Segments 0 … count − 1 are mapped, keys rise from row to row and from segment to segment.
struct VectorIndex::Mapped {
  std::shared_ptr<const MappedFile> file;
  SnapshotTable table;
};

// Standard containers throw where memory runs out; nothing of the core does.
template <typename F>
Status without_exceptions(F&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the index");
  }
}

}  // namespace lineament
