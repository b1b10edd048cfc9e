#include "search/index.h"

#include <algorithm>
#include <bit>
#include <string>

#include "core/spread.h"
#include "search/index_parts.h"
#include "search/vectors.h"

namespace lineament {
namespace {

// Room for so many more, in steps that double.
template <typename T>
void make_room(std::vector<T>* all, size_t more) {
  if (all->capacity() - all->size() < more) all->reserve(std::max(all->size() + more, 2 * all->capacity()));
}

}  // namespace

VectorIndex::VectorIndex(size_t dims, IndexPrecision precision)
    : coder_(dims), precision_(precision), current_(std::make_shared<IndexVersion>()) {}

VectorIndex::~VectorIndex() = default;

std::shared_ptr<const IndexVersion> VectorIndex::current() const {
  std::lock_guard<std::mutex> lock(version_mutex_);
  return current_;
}

size_t VectorIndex::bytes() const {
  std::lock_guard<std::mutex> lock(keys_mutex_);
  size_t sum = keys_.bytes() + free_.capacity() * sizeof(Place) + retired_.capacity() * sizeof(Retired);
  for (const Room& room : rooms_) {
    if (room.segment) sum += room.segment->rows() / 8 + (room.segment->mapped() ? 0 : room.segment->bytes());
  }
  return sum;
}

size_t VectorIndex::mapped_bytes() const {
  std::lock_guard<std::mutex> lock(keys_mutex_);
  return mapped_ ? mapped_->file->size() : 0;
}

bool VectorIndex::find(const IndexVersion& version, int64_t key, Place* place) const {
  if (const Place* found = keys_.find(static_cast<uint64_t>(key)); found != nullptr) {
    *place = *found;
    return true;
  }
  if (!mapped_) return false;
  const std::vector<SnapshotSegment>& table = mapped_->table.segments;
  const auto after = std::upper_bound(table.begin(), table.end(), key,
                                      [](int64_t wanted, const SnapshotSegment& s) { return wanted < s.first_key; });
  if (after == table.begin()) return false;
  const auto segment = static_cast<uint32_t>(after - table.begin() - 1);
  const SegmentState* state = version.segments[segment].get();
  if (state == nullptr) return false;
  const int64_t* keys = state->segment->keys();
  const int64_t* end = keys + state->segment->rows();
  const int64_t* at = std::lower_bound(keys, end, key);
  if (at == end || *at != key) return false;
  *place = {segment, static_cast<uint32_t>(at - keys)};
  return is_live(*state, place->slot);
}

// Slots

void VectorIndex::reuse_retired() {
  uint64_t oldest = UINT64_MAX;
  {
    std::lock_guard<std::mutex> lock(version_mutex_);
    if (!pins_.empty()) oldest = pins_.begin()->first;
  }
  size_t count = 0;
  while (count < retired_.size() && retired_[count].revision <= oldest) ++count;
  if (count == 0) return;
  make_room(&free_, in_flight_ + count);
  // Lowest slots last: they are given out first.
  for (size_t i = count; i-- > 0;) free_.push_back(retired_[i].place);
  retired_.erase(retired_.begin(), retired_.begin() + static_cast<std::ptrdiff_t>(count));
}

bool VectorIndex::add_segment(size_t wanted) {
  const size_t rows = std::clamp(std::bit_ceil(std::max<size_t>(wanted, 1)), size_t{256},
                                 std::max<size_t>(256, segment_rows(dims(), precision_)));
  size_t at = mapped_ ? mapped_->table.segments.size() : 0;
  while (at < rooms_.size() && rooms_[at].segment) ++at;
  if (at == rooms_.size()) rooms_.emplace_back();
  std::shared_ptr<Segment> made = Segment::make(dims(), precision_, rows);
  if (!made) return false;
  rooms_[at] = Room{std::move(made)};
  open_ = at;
  return true;
}

Status VectorIndex::reserve(size_t count, Reserved* reserved) {
  reuse_retired();
  reserved->places.reserve(count);
  make_room(&free_, in_flight_ + count);  // so that giving back cannot fail
  while (reserved->places.size() < count) {
    Place place;
    if (!free_.empty()) {
      place = free_.back();
    } else {
      const size_t missing = count - reserved->places.size();
      const bool full = open_ == SIZE_MAX || rooms_[open_].used == rooms_[open_].segment->rows();
      if (full && !add_segment(std::max(missing, current_->size))) {
        give_back(*reserved);
        return Status(Code::kOutOfMemory, "Out of memory for " + std::to_string(count) + " vectors");
      }
      place = {static_cast<uint32_t>(open_), static_cast<uint32_t>(rooms_[open_].used)};
    }
    Room& room = rooms_[place.segment];
    if (!reserved->segments.contains(place.segment)) reserved->segments.emplace(place.segment, room.segment);
    if (free_.empty()) {
      ++room.used;
    } else {
      free_.pop_back();
    }
    ++room.in_flight;
    ++in_flight_;
    reserved->places.push_back(place);
  }
  return Status();
}

void VectorIndex::give_back(const Reserved& reserved) {
  for (size_t i = reserved.places.size(); i-- > 0;) {
    const Place place = reserved.places[i];
    --rooms_[place.segment].in_flight;
    --in_flight_;
    free_.push_back(place);
  }
}

// Versions

std::shared_ptr<IndexVersion> VectorIndex::revise(const std::vector<Place>& set, const std::vector<Place>& cleared) {
  auto next = std::make_shared<IndexVersion>(*current_);
  ++next->revision;
  next->size = next->size + set.size() - cleared.size();
  next->segments.resize(rooms_.size());
  std::vector<std::shared_ptr<SegmentState>> fresh(rooms_.size());
  const auto writable = [&](uint32_t segment) -> SegmentState& {
    std::shared_ptr<SegmentState>& state = fresh[segment];
    if (!state) {
      const auto& old = next->segments[segment];
      state = old ? std::make_shared<SegmentState>(*old) : std::make_shared<SegmentState>();
      if (!old) {
        state->segment = rooms_[segment].segment;
        state->live.assign((state->segment->rows() + 63) / 64, 0);
      }
      next->segments[segment] = state;
    }
    return *state;
  };
  for (const Place place : set) {
    SegmentState& state = writable(place.segment);
    state.live[place.slot / 64] |= uint64_t{1} << (place.slot % 64);
    state.rows = std::max<size_t>(state.rows, place.slot + size_t{1});
    ++state.taken;
  }
  for (const Place place : cleared) {
    SegmentState& state = writable(place.segment);
    state.live[place.slot / 64] &= ~(uint64_t{1} << (place.slot % 64));
    --state.taken;
  }
  make_room(&retired_, cleared.size());
  return next;
}

void VectorIndex::drop_empty(IndexVersion* next, const std::vector<Place>& cleared) {
  for (const Place place : cleared) {
    std::shared_ptr<const SegmentState>& state = next->segments[place.segment];
    if (!state || state->taken > 0 || place.segment == open_ || rooms_[place.segment].in_flight > 0) continue;
    state.reset();
    rooms_[place.segment] = Room();  // versions that still show it hold its memory
    std::erase_if(free_, [&](const Place& p) { return p.segment == place.segment; });
    std::erase_if(retired_, [&](const Retired& r) { return r.place.segment == place.segment; });
  }
}

// Nothing here fails: `next` and room for what is retired are there.
void VectorIndex::publish(std::shared_ptr<IndexVersion> next, const std::vector<Place>& cleared) {
  for (const Place place : cleared) {
    if (!rooms_[place.segment].segment->mapped()) retired_.push_back({next->revision, place});
  }
  drop_empty(next.get(), cleared);
  std::shared_ptr<const IndexVersion> old = std::move(next);
  std::lock_guard<std::mutex> lock(version_mutex_);
  std::swap(current_, old);
}

// Changes

namespace {

Status check_keys(const int64_t* keys, size_t count) {
  KeyMap seen;
  if (!seen.reserve(count)) return Status(Code::kOutOfMemory, "Out of memory for the keys");
  for (size_t i = 0; i < count; ++i) {
    if (keys[i] < 0 || keys[i] > kMostKey) {
      return Status(Code::kInvalidArgument, "Keys are whole numbers from 0 to 2^53 - 1");
    }
    const auto key = static_cast<uint64_t>(keys[i]);
    if (seen.find(key) != nullptr) return Status(Code::kDuplicateId, "Key " + std::to_string(key) + " is given twice");
    seen.insert(key, {});
  }
  return Status();
}

Status present(int64_t key) { return Status(Code::kDuplicateId, "Key " + std::to_string(key) + " is in the index"); }

}  // namespace

Status VectorIndex::encode(const Reserved& reserved, const int64_t* keys, const float* vectors, Executor& executor,
                           const CancelToken* token) {
  constexpr size_t kChunk = 128;
  const size_t count = reserved.places.size();
  return spread(executor, (count + kChunk - 1) / kChunk, [&](size_t chunk) {
    if (is_cancelled(token)) return Status(Code::kAborted, "The change was aborted");
    AlignedBuffer<float> scratch(encode_scratch(dims()));
    if (scratch.size() == 0) return Status(Code::kOutOfMemory, "Out of memory for coding vectors");
    const size_t end = std::min(count, (chunk + 1) * kChunk);
    for (size_t i = chunk * kChunk; i < end; ++i) {
      const Place place = reserved.places[i];
      Segment& segment = *reserved.segments.find(place.segment)->second;
      if (segment.encode(coder_, vectors + i * dims(), place.slot, scratch.data())) continue;
      return Status(Code::kInvalidArgument, "Vector " + std::to_string(i) + " (key " + std::to_string(keys[i]) +
                                                ") is zero or has a number that is not finite");
    }
    return Status();
  });
}

Status VectorIndex::commit(const Reserved& reserved, const int64_t* keys, const uint32_t* groups, bool replace) {
  const size_t count = reserved.places.size();
  std::vector<Place> cleared;
  for (size_t i = 0; i < count; ++i) {
    Place old;
    const bool found = find(*current_, keys[i], &old);
    if (found && !replace) return present(keys[i]);
    const Place place = reserved.places[i];
    Segment& segment = *reserved.segments.find(place.segment)->second;
    segment.keys()[place.slot] = keys[i];
    segment.groups()[place.slot] = groups != nullptr ? groups[i]
                                   : found           ? rooms_[old.segment].segment->groups()[old.slot]
                                                     : 0;
    if (found) cleared.push_back(old);
  }
  if (!keys_.reserve(keys_.size() + count)) return Status(Code::kOutOfMemory, "Out of memory for the keys");
  std::shared_ptr<IndexVersion> next = revise(reserved.places, cleared);
  // From here on nothing fails.
  for (size_t i = 0; i < count; ++i) {
    const auto key = static_cast<uint64_t>(keys[i]);
    const Place place = reserved.places[i];
    if (Place* known = keys_.find(key); known != nullptr) {
      *known = place;
    } else {
      keys_.insert(key, place);
    }
    --rooms_[place.segment].in_flight;
    --in_flight_;
  }
  publish(std::move(next), cleared);
  return Status();
}

Status VectorIndex::put(const int64_t* keys, const float* vectors, const uint32_t* groups, size_t count, bool replace,
                        Executor& executor, const CancelToken* token) {
  if (count == 0) return Status();
  return without_exceptions([&] {
    Status status = check_keys(keys, count);
    if (!status.ok()) return status;
    Reserved reserved;
    {
      std::lock_guard<std::mutex> lock(keys_mutex_);
      Place place;
      for (size_t i = 0; !replace && i < count; ++i) {
        if (find(*current_, keys[i], &place)) return present(keys[i]);
      }
      try {
        status = reserve(count, &reserved);
      } catch (const std::bad_alloc&) {
        give_back(reserved);
        throw;
      }
    }
    if (!status.ok()) return status;
    try {
      status = encode(reserved, keys, vectors, executor, token);
      std::lock_guard<std::mutex> lock(keys_mutex_);
      if (status.ok() && is_cancelled(token)) status = Status(Code::kAborted, "The change was aborted");
      if (status.ok()) status = commit(reserved, keys, groups, replace);
      if (!status.ok()) give_back(reserved);
    } catch (const std::bad_alloc&) {
      std::lock_guard<std::mutex> lock(keys_mutex_);
      give_back(reserved);
      throw;
    }
    return status;
  });
}

Result<size_t> VectorIndex::remove(const int64_t* keys, size_t count) {
  size_t removed = 0;
  const Status status = without_exceptions([&] {
    std::lock_guard<std::mutex> lock(keys_mutex_);
    std::vector<Place> cleared = places(*current_, {keys, keys + count});
    if (cleared.empty()) return Status();
    std::shared_ptr<IndexVersion> next = revise({}, cleared);
    for (size_t i = 0; i < count; ++i) keys_.erase(static_cast<uint64_t>(keys[i]));
    publish(std::move(next), cleared);
    removed = cleared.size();
    return Status();
  });
  if (!status.ok()) return status;
  return removed;
}

std::vector<Place> VectorIndex::places(const IndexVersion& version, const std::vector<int64_t>& keys) const {
  std::vector<Place> all;
  all.reserve(keys.size());
  Place place;
  for (const int64_t key : keys) {
    if (find(version, key, &place)) all.push_back(place);
  }
  const auto before = [](const Place& a, const Place& b) {
    return a.segment != b.segment ? a.segment < b.segment : a.slot < b.slot;
  };
  std::sort(all.begin(), all.end(), before);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void VectorIndex::lookup(const std::vector<int64_t>& keys, std::vector<int64_t>* found, std::vector<uint32_t>* groups) {
  std::lock_guard<std::mutex> lock(keys_mutex_);
  Place place;
  for (const int64_t key : keys) {
    if (!find(*current_, key, &place)) continue;
    found->push_back(key);
    groups->push_back(rooms_[place.segment].segment->groups()[place.slot]);
  }
}

}  // namespace lineament
