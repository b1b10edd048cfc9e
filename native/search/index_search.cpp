// Searching a version of an index, with filters.
#include <algorithm>
#include <cstring>
#include <string>

#include "search/index_parts.h"
#include "search/vectors.h"

namespace lineament {
namespace {

uint64_t bit(size_t slot) { return uint64_t{1} << (slot % 64); }

// The places of one segment among places that are sorted.
std::pair<const Place*, const Place*> places_in(const std::vector<Place>& places, size_t segment) {
  const auto before = [](const Place& place, size_t wanted) { return place.segment < wanted; };
  const auto first = std::lower_bound(places.begin(), places.end(), segment, before);
  const auto last = std::lower_bound(first, places.end(), segment + 1, before);
  return {places.data() + (first - places.begin()), places.data() + (last - places.begin())};
}

// Which of 64 rows are of the one group. Rows that are not taken may be being written: their bit means nothing.
uint64_t of_group(const uint32_t* groups, size_t count, uint32_t group) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits |= uint64_t{groups[i] == group} << i;
  return bits;
}

uint64_t of_groups(const uint32_t* groups, size_t count, const KeyMap& wanted) {
  uint64_t bits = 0;
  for (size_t i = 0; i < count; ++i) bits |= uint64_t{wanted.find(groups[i]) != nullptr} << i;
  return bits;
}

}  // namespace

// Blocks are the segments of one version; a block's mask is made when it is opened, and lives until it is closed.
class VectorIndex::Source final : public BlockSource {
 public:
  Source(const IndexVersion& version, const IndexFilter& filter, std::vector<Place> only, std::vector<Place> except)
      : version_(version), filter_(filter), only_(std::move(only)), except_(std::move(except)) {
    masks_.resize(version.segments.size());
  }

  // False when memory ran out.
  bool prepare() {
    if (!groups_.reserve(filter_.groups.size())) return false;
    for (const uint32_t group : filter_.groups) {
      if (groups_.find(group) == nullptr) groups_.insert(group, {});
    }
    return true;
  }

  size_t blocks() const override { return version_.segments.size(); }

  bool open(size_t block, BlockView* view) override {
    const SegmentState* state = version_.segments[block].get();
    if (state == nullptr || state->taken == 0) return false;
    const auto [except, except_end] = places_in(except_, block);
    *view = state->segment->view();
    view->rows = state->rows;
    if (!filter_.some_groups && !filter_.some_keys && except == except_end) {
      view->mask = state->taken == state->rows ? nullptr : state->live.data();
      return true;
    }
    std::vector<uint64_t>& mask = masks_[block];
    if (filter_.some_keys) {
      const auto [first, last] = places_in(only_, block);
      if (first == last) return false;
      mask.assign(state->live.size(), 0);
      for (const Place* place = first; place != last; ++place) mask[place->slot / 64] |= bit(place->slot);
      for (size_t i = 0; i < mask.size(); ++i) mask[i] &= state->live[i];
    } else {
      mask = state->live;
    }
    for (const Place* place = except; place != except_end; ++place) mask[place->slot / 64] &= ~bit(place->slot);
    if (filter_.some_groups) keep_groups(*state, &mask);
    if (std::all_of(mask.begin(), mask.end(), [](uint64_t word) { return word == 0; })) {
      close(block);
      return false;
    }
    view->mask = mask.data();
    return true;
  }

  void close(size_t block) override { std::vector<uint64_t>().swap(masks_[block]); }

 private:
  void keep_groups(const SegmentState& state, std::vector<uint64_t>* mask) const {
    const uint32_t* groups = state.segment->groups();
    for (size_t word = 0; word < mask->size(); ++word) {
      uint64_t& bits = (*mask)[word];
      if (bits == 0) continue;
      const uint32_t* first = groups + word * 64;
      const size_t count = std::min<size_t>(64, state.segment->rows() - word * 64);
      bits &= filter_.groups.size() == 1 ? of_group(first, count, filter_.groups[0]) : of_groups(first, count, groups_);
    }
  }

  const IndexVersion& version_;
  const IndexFilter& filter_;
  const std::vector<Place> only_, except_;  // sorted
  KeyMap groups_;
  std::vector<std::vector<uint64_t>> masks_;
};

SearchWork VectorIndex::work() const {
  SearchWork work;
  work.rows = compared_.load(std::memory_order_relaxed);
  work.refined = refined_.load(std::memory_order_relaxed);
  work.scored = scored_.load(std::memory_order_relaxed);
  return work;
}

Status VectorIndex::search(const float* queries, size_t count, const IndexSearch& search, Executor& executor,
                           const CancelToken* token, std::vector<std::vector<Hit>>* hits) {
  return without_exceptions([&] {
    hits->assign(count, {});
    if (search.k == 0 || search.k > kMostHits) return Status(Code::kInvalidArgument, "k is from 1 to 1 000 000");
    AlignedBuffer<float> units;
    if (count > SIZE_MAX / 8 / dims() || !units.reset(count * dims())) {
      return Status(Code::kOutOfMemory, "Out of memory for the queries");
    }
    // Copied first and once: others may be writing them.
    if (count > 0) std::memcpy(units.data(), queries, count * dims() * sizeof(float));
    for (size_t q = 0; q < count; ++q) {
      if (normalise(units.data() + q * dims(), dims(), units.data() + q * dims())) continue;
      return Status(Code::kInvalidArgument,
                    "Query " + std::to_string(q) + " is zero or has a number that is not finite");
    }
    std::vector<Place> only, except;
    std::unique_ptr<Pin> pin;
    const IndexFilter& filter = search.filter;
    if (filter.some_keys || !filter.except.empty()) {
      std::lock_guard<std::mutex> lock(keys_mutex_);
      pin = std::make_unique<Pin>(*this);
      only = places(**pin, filter.only);
      except = places(**pin, filter.except);
    } else {
      pin = std::make_unique<Pin>(*this);
    }
    const IndexVersion& version = **pin;
    queries_.fetch_add(count, std::memory_order_relaxed);
    const bool none = (filter.some_keys && only.empty()) || (filter.some_groups && filter.groups.empty());
    if (version.size == 0 || count == 0 || none) return Status();
    Source source(version, filter, std::move(only), std::move(except));
    if (!source.prepare()) return Status(Code::kOutOfMemory, "Out of memory for the groups");
    SearchWork work;
    SearchOptions options;
    options.k = std::min(search.k, version.size);
    options.threshold = search.threshold;
    options.threads = executor.threads();
    options.cancel = token;
    options.work = &work;
    const Status status = search_blocks(coder_, source, units.data(), count, options, executor, hits);
    compared_.fetch_add(work.rows, std::memory_order_relaxed);
    refined_.fetch_add(work.refined, std::memory_order_relaxed);
    scored_.fetch_add(work.scored, std::memory_order_relaxed);
    return status;
  });
}

}  // namespace lineament
