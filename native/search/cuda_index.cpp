#include "search/cuda_index.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <unordered_set>
#include <utility>

#include "core/spread.h"
#include "search/vectors.h"

namespace lineament {
namespace {

constexpr size_t kWriteRows = 8192;  // coded and sent at a time
constexpr uint32_t kMostSlots = uint32_t{1} << 31;
constexpr size_t kMostAnswers = size_t{1} << 22;  // hits that one call to the plugin makes room for

template <typename F>
Status guarded(F&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the index");
  }
}

// Both planes as one signed code for each coordinate: a = code + 0.5 is what the bounds of all eight bits speak of.
void join_planes(const uint8_t* high, const uint8_t* low, size_t stride, int8_t* out) {
  for (size_t i = 0; i < stride; ++i) {
    out[i] = static_cast<int8_t>(((high[i] & 15) << 4 | (low[i] & 15)) - 128);
    out[stride + i] = static_cast<int8_t>(((high[i] & 0xf0) | low[i] >> 4) - 128);
  }
}

int32_t ask(void* token) { return static_cast<const CancelToken*>(token)->cancelled() ? 1 : 0; }

}  // namespace

// Rows as the plugin takes them.
struct CudaIndex::Coded {
  AlignedBuffer<float> vectors;
  AlignedBuffer<int8_t> codes;
  AlignedBuffer<lineament_cuda_bound> bounds;

  bool reset(size_t rows, const VectorCoder& coder) {
    return vectors.reset(rows * coder.dims()) && codes.reset(rows * 2 * coder.stride()) && bounds.reset(rows);
  }

  // False for a vector that has no direction.
  bool encode(const VectorCoder& coder, const float* vector, bool unit, size_t row, float* floats, uint8_t* planes) {
    const size_t dims = coder.dims(), stride = coder.stride();
    float* const own = vectors.data() + row * dims;
    std::memcpy(own, vector, dims * sizeof(float));  // once: others may be writing it
    if (!unit && !normalise(own, dims, own)) return false;
    CodeBound coarse, middle, fine;
    coder.encode(own, CodeTruth::kVector, planes, planes + stride, &coarse, &middle, &fine, floats);
    join_planes(planes, planes + stride, stride, codes.data() + row * 2 * stride);
    bounds[row] = {fine.scale, fine.error};
    return true;
  }
};

CudaIndex::CudaIndex(std::shared_ptr<const CudaPlugin> plugin, lineament_cuda_store* store, size_t dims)
    : plugin_(std::move(plugin)), store_(store), coder_(dims) {}

CudaIndex::~CudaIndex() { plugin_->functions().destroy(store_); }

Result<std::shared_ptr<CudaIndex>> CudaIndex::make(const std::string& library, int device, size_t dims,
                                                   uint64_t most_bytes) {
  auto plugin = CudaPlugin::load(library);
  if (!plugin.ok()) return plugin.status();
  lineament_cuda_store* store = nullptr;
  lineament_cuda_error error{};
  const auto width = static_cast<uint32_t>(2 * plane_stride(dims));
  const lineament_cuda_functions& call = plugin.value()->functions();
  if (call.create(device, static_cast<uint32_t>(dims), width, most_bytes, &store, &error) != LINEAMENT_CUDA_OK) {
    return cuda_status(error);
  }
  try {
    return std::shared_ptr<CudaIndex>(new CudaIndex(std::move(plugin.value()), store, dims));
  } catch (const std::bad_alloc&) {
    call.destroy(store);
    return Status(Code::kOutOfMemory, "Out of memory for the index");
  }
}

size_t CudaIndex::size() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return slots_.size();
}

uint64_t CudaIndex::revision() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return revision_;
}

size_t CudaIndex::bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return slots_.bytes() + keys_.capacity() * sizeof(int64_t) + groups_.capacity() * sizeof(uint32_t) +
         live_.capacity() * sizeof(uint64_t) + free_.capacity() * sizeof(uint32_t);
}

size_t CudaIndex::device_bytes() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return plugin_->functions().bytes(store_);
}

SearchWork CudaIndex::work() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return work_;
}

uint64_t CudaIndex::queries() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  return queries_;
}

void CudaIndex::set_live(uint32_t slot, bool live) {
  const uint64_t bit = uint64_t{1} << (slot % 64);
  if (live) {
    live_[slot / 64] |= bit;
  } else {
    live_[slot / 64] &= ~bit;
  }
}

// Slots that are free come first. Nothing is taken yet.
Status CudaIndex::take_slots(size_t count, std::vector<uint32_t>* slots) {
  const size_t reused = std::min(count, free_.size()), fresh = count - reused;
  if (fresh > kMostSlots - used_) return Status(Code::kOutOfMemory, "An index on a device holds at most 2^31 vectors");
  slots->assign(free_.end() - static_cast<ptrdiff_t>(reused), free_.end());
  std::reverse(slots->begin(), slots->end());  // in the order in which they are taken from the end
  for (size_t i = 0; i < fresh; ++i) slots->push_back(used_ + static_cast<uint32_t>(i));
  const size_t used = used_ + fresh;
  keys_.resize(std::max(keys_.size(), used));
  groups_.resize(std::max(groups_.size(), used));
  live_.resize(std::max(live_.size(), (used + 63) / 64));
  free_.reserve(used);  // so that giving up slots cannot fail
  lineament_cuda_error error{};
  if (plugin_->functions().reserve(store_, static_cast<uint32_t>(used), &error) == LINEAMENT_CUDA_OK) return Status();
  return cuda_status(error);
}

Status CudaIndex::write(const int64_t* keys, const float* vectors, bool units, size_t count, Executor& executor,
                        const CancelToken* token, std::vector<uint32_t>* slots) {
  Status status = take_slots(count, slots);
  if (!status.ok()) return status;
  const size_t dims = coder_.dims(), stride = coder_.stride(), rows = std::min(count, kWriteRows);
  const Status no_memory(Code::kOutOfMemory, "Out of memory for the vectors");
  Coded coded;
  if (!coded.reset(rows, coder_)) return no_memory;
  for (size_t begin = 0; begin < count; begin += rows) {
    const size_t here = std::min(rows, count - begin), parts = std::min(executor.threads(), (here + 255) / 256);
    status = spread(executor, parts, [&](size_t part) {
      AlignedBuffer<float> floats;
      AlignedBuffer<uint8_t> planes;
      if (!floats.reset(2 * stride) || !planes.reset(2 * stride)) return no_memory;
      for (size_t i = here * part / parts; i < here * (part + 1) / parts; ++i) {
        if (is_cancelled(token)) return Status(Code::kAborted, "The change was aborted");
        const float* vector = vectors + (begin + i) * dims;
        if (coded.encode(coder_, vector, units, i, floats.data(), planes.data())) continue;
        return Status(Code::kInvalidArgument,
                      "Vector " + std::to_string(begin + i) + " is zero or has a number that is not finite");
      }
      return Status();
    });
    if (!status.ok()) return status;
    const lineament_cuda_rows sent = {
        here, slots->data() + begin, keys + begin, coded.vectors.data(), coded.codes.data(), coded.bounds.data()};
    lineament_cuda_error error{};
    if (plugin_->functions().write(store_, &sent, &error) != LINEAMENT_CUDA_OK) return cuda_status(error);
  }
  return is_cancelled(token) ? Status(Code::kAborted, "The change was aborted") : Status();
}

Status CudaIndex::put(const int64_t* keys, const float* vectors, const uint32_t* groups, size_t count, bool replace,
                      Executor& executor, const CancelToken* token) {
  if (count == 0) return Status();
  return guarded([&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::unordered_set<int64_t> seen;
    seen.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      if (keys[i] < 0 || keys[i] > kMostKey) return Status(Code::kInvalidArgument, "A key is from 0 to 2^53 - 1");
      const std::string named = "Key " + std::to_string(keys[i]);
      if (!seen.insert(keys[i]).second) return Status(Code::kDuplicateId, named + " is given twice");
      if (!replace && slots_.find(static_cast<uint64_t>(keys[i])) != nullptr) {
        return Status(Code::kDuplicateId, named + " is there already");
      }
    }
    if (!slots_.reserve(slots_.size() + count)) return Status(Code::kOutOfMemory, "Out of memory for the keys");
    std::vector<uint32_t> slots;
    Status status = write(keys, vectors, false, count, executor, token, &slots);
    if (!status.ok()) return status;
    // Nothing fails from here on.
    const size_t reused = std::min(count, free_.size());
    free_.resize(free_.size() - reused);
    used_ += static_cast<uint32_t>(count - reused);
    for (size_t i = 0; i < count; ++i) {
      const uint32_t slot = slots[i];
      uint32_t group = groups != nullptr ? groups[i] : 0;
      if (Place* place = slots_.find(static_cast<uint64_t>(keys[i]))) {
        if (groups == nullptr) group = groups_[place->slot];
        set_live(place->slot, false);
        free_.push_back(place->slot);
        place->slot = slot;
      } else {
        slots_.insert(static_cast<uint64_t>(keys[i]), {0, slot});
      }
      keys_[slot] = keys[i];
      groups_[slot] = group;
      set_live(slot, true);
    }
    ++revision_;
    return Status();
  });
}

Result<size_t> CudaIndex::remove(const int64_t* keys, size_t count) {
  const std::lock_guard<std::mutex> lock(mutex_);
  size_t removed = 0;
  for (size_t i = 0; i < count; ++i) {
    const Place* place = slots_.find(static_cast<uint64_t>(keys[i]));
    if (place == nullptr) continue;
    set_live(place->slot, false);
    free_.push_back(place->slot);
    slots_.erase(static_cast<uint64_t>(keys[i]));
    ++removed;
  }
  if (removed > 0) ++revision_;
  return removed;
}

std::vector<uint64_t> CudaIndex::mask_for(const IndexFilter& filter) const {
  std::vector<uint64_t> mask(live_.begin(), live_.begin() + static_cast<ptrdiff_t>((size_t{used_} + 63) / 64));
  const auto bit = [](uint32_t slot) { return uint64_t{1} << (slot % 64); };
  if (filter.some_keys) {
    std::vector<uint64_t> only(mask.size(), 0);
    for (const int64_t key : filter.only) {
      if (const Place* place = slots_.find(static_cast<uint64_t>(key))) only[place->slot / 64] |= bit(place->slot);
    }
    mask.swap(only);
  }
  for (const int64_t key : filter.except) {
    if (const Place* place = slots_.find(static_cast<uint64_t>(key))) mask[place->slot / 64] &= ~bit(place->slot);
  }
  if (filter.some_groups) {
    const std::unordered_set<uint32_t> groups(filter.groups.begin(), filter.groups.end());
    for (uint32_t slot = 0; slot < used_; ++slot) {
      if ((mask[slot / 64] & bit(slot)) != 0 && groups.count(groups_[slot]) == 0) mask[slot / 64] &= ~bit(slot);
    }
  }
  return mask;
}

Status CudaIndex::search(const float* queries, size_t count, const IndexSearch& search, Executor& executor,
                         const CancelToken* token, std::vector<std::vector<Hit>>* hits) {
  return guarded([&] {
    hits->assign(count, {});
    if (search.k == 0 || search.k > kMostHits) return Status(Code::kInvalidArgument, "k is from 1 to 1 000 000");
    const size_t dims = coder_.dims(), width = 2 * coder_.stride();
    AlignedBuffer<float> units;
    AlignedBuffer<int8_t> codes;
    AlignedBuffer<lineament_cuda_rule> rules;
    if (count > SIZE_MAX / 8 / dims || !units.reset(count * dims) || !codes.reset(count * width) ||
        !rules.reset(count)) {
      return Status(Code::kOutOfMemory, "Out of memory for the queries");
    }
    const Status coded = spread(executor, std::min(count, executor.threads()), [&](size_t part) {
      const size_t parts = std::min(count, executor.threads());
      CodedQuery query;
      for (size_t q = count * part / parts; q < count * (part + 1) / parts; ++q) {
        float* const unit = units.data() + q * dims;
        std::memcpy(unit, queries + q * dims, dims * sizeof(float));  // once: others may be writing it
        if (!normalise(unit, dims, unit)) {
          return Status(Code::kInvalidArgument,
                        "Query " + std::to_string(q) + " is zero or has a number that is not finite");
        }
        if (!coder_.prepare(unit, &query)) return Status(Code::kOutOfMemory, "Out of memory for the queries");
        std::memcpy(codes.data() + q * width, query.code.data(), width);
        rules[q] = {query.scale, 0.5f * static_cast<float>(query.sum), query.length, query.error};
      }
      return Status();
    });
    if (!coded.ok()) return coded;

    const std::lock_guard<std::mutex> lock(mutex_);
    queries_ += count;
    if (slots_.size() == 0 || count == 0) return Status();
    const std::vector<uint64_t> mask = mask_for(search.filter);
    if (std::all_of(mask.begin(), mask.end(), [](uint64_t word) { return word == 0; })) return Status();
    const size_t k = std::min(search.k, slots_.size()), at_once = std::max<size_t>(1, kMostAnswers / k);
    std::vector<lineament_cuda_hit> found(std::min(count, at_once) * k);
    std::vector<uint32_t> counts(std::min(count, at_once));
    for (size_t first = 0; first < count; first += at_once) {
      lineament_cuda_search asked{};
      asked.count = std::min(at_once, count - first);
      asked.vectors = units.data() + first * dims;
      asked.codes = codes.data() + first * width;
      asked.rules = rules.data() + first;
      asked.k = static_cast<uint32_t>(k);
      asked.threshold = search.threshold;
      asked.slots = used_;
      asked.mask = mask.data();
      asked.cancelled = token != nullptr ? ask : nullptr;
      asked.context = const_cast<CancelToken*>(token);
      lineament_cuda_work work{};
      lineament_cuda_error error{};
      const int32_t code = plugin_->functions().search(store_, &asked, found.data(), counts.data(), &work, &error);
      if (code != LINEAMENT_CUDA_OK) return cuda_status(error);
      work_.rows += work.rows;
      work_.refined += work.scored;  // all eight bits are compared at once
      work_.scored += work.scored;
      for (size_t q = 0; q < asked.count; ++q) {
        std::vector<Hit>& own = (*hits)[first + q];
        own.reserve(counts[q]);
        for (uint32_t i = 0; i < counts[q]; ++i) own.push_back({found[q * k + i].key, found[q * k + i].score});
      }
    }
    return Status();
  });
}

void CudaIndex::lookup(const std::vector<int64_t>& keys, std::vector<int64_t>* found, std::vector<uint32_t>* groups) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (const int64_t key : keys) {
    const Place* place = slots_.find(static_cast<uint64_t>(key));
    if (place == nullptr) continue;
    found->push_back(key);
    groups->push_back(groups_[place->slot]);
  }
}

}  // namespace lineament
