// The order in which rows are compared, scored and merged.
//
// Rows are gone through in steps: compare by codes, score the candidates, merge them into the best, raise the floors. A
// step begins small, while the floors are low and nearly every row is a candidate, and grows as they rise. A query has
// room for a fixed number of candidates in a step: where more come, the step is done again for the queries it happened
// to, in halves, with the floors that it has raised meanwhile. Ranges as long as the room always fit, so this ends.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "cuda/store.h"

namespace lineament::cuda {
namespace {

constexpr size_t kMostBatch = 256;                      // queries
constexpr size_t kMostBatchBytes = size_t{256} << 20;   // of device memory
constexpr uint32_t kLeastRoom = 1024;                   // candidates of a query; at least kRangeRows
constexpr uint64_t kMostStepBytes = uint64_t{1} << 31;  // of codes: a step should not take long
static_assert(kLeastRoom >= kRangeRows && kSharedHits > kLeastRoom);

constexpr size_t up(size_t value) { return (value + 255) / 256 * 256; }
constexpr uint32_t kPad = 4 * kSide;  // queries are padded to the widest group of tiles

size_t padded(size_t queries) { return (queries + kPad - 1) / kPad * kPad; }

}  // namespace

// One batch of queries.
class Store::Scan {
 public:
  Scan(Store* store, const lineament_cuda_search& search) : store_(*store), search_(search), memory_(&store->memory_) {
    batch_.rows = store->rows();
    batch_.k = search.k;
    batch_.list = kSharedHits;
    while (batch_.list < search.k + kLeastRoom) batch_.list *= 2;
    batch_.room = batch_.list - search.k;
    batch_.threshold = search.threshold;
  }

  // The most queries whose memory stays bounded.
  size_t most_queries() const { return std::clamp<size_t>(kMostBatchBytes / bytes_for(1), 1, kMostBatch); }

  // Memory for so many queries, on the device and here.
  Failure make(size_t queries) {
    const size_t all = padded(queries);
    size_t bytes = 0;
    lay_out(all, nullptr, &bytes);
    Failure failure = memory_.take(bytes);
    if (failure.failed()) return failure;
    lay_out(all, memory_.data(), &bytes);
    tiles_.resize(all * batch_.rows.width);
    counts_.resize(all);
    return failure;
  }

  void set_mask(const uint64_t* mask) { batch_.mask = mask; }

  // Queries first … first + count − 1 of the search.
  Failure run(size_t first, size_t count, Hit* hits, uint32_t* found, lineament_cuda_work* work) {
    batch_.queries = static_cast<uint32_t>(count);
    work_ = {};
    Failure failure = send(first, count);
    const std::vector<uint8_t> everyone(count, 1);
    uint64_t step = batch_.room / kRangeRows * kRangeRows;
    const uint64_t most = std::max<uint64_t>(kRangeRows, kMostStepBytes / batch_.rows.width / kRangeRows * kRangeRows);
    for (uint64_t begin = 0; !failure.failed() && begin < search_.slots;) {
      const uint64_t end = std::min<uint64_t>(search_.slots, begin + std::min(step, most));
      uint32_t largest = 0;
      failure = scan(static_cast<uint32_t>(begin), static_cast<uint32_t>(end), everyone, &largest);
      step *= largest <= batch_.room / 8 ? 4 : largest <= batch_.room / 2 ? 2 : 1;
      step = std::min(step, most);
      begin = end;
    }
    if (failure.failed()) return failure;
    failure = store_.device_->download(hits, batch_.best, count * batch_.k * sizeof(Hit));
    if (failure.failed()) return failure;
    for (size_t q = 0; q < count; ++q) {
      const Hit* const own = hits + q * batch_.k;
      found[q] = static_cast<uint32_t>(std::find_if_not(own, own + batch_.k, is_hit) - own);
    }
    work->rows += work_.rows;
    work->scored += work_.scored;
    return failure;
  }

 private:
  // The arrays of a batch one after another from `base` on; the number of bytes where it is null.
  void lay_out(size_t queries, uint8_t* base, size_t* bytes) {
    size_t at = 0;
    const auto part = [&](auto*& pointer, size_t each) {
      using T = std::remove_cv_t<std::remove_reference_t<decltype(*pointer)>>;
      pointer = base == nullptr ? nullptr : reinterpret_cast<T*>(base + at);
      at += up(queries * each * sizeof(T));
    };
    part(batch_.codes, batch_.rows.width);
    part(batch_.vectors, batch_.rows.dims);
    part(batch_.rules, 1);
    part(batch_.floors, 1);
    part(batch_.needed, 1);
    part(batch_.active, 1);
    part(batch_.counts, 1);
    part(batch_.candidates, batch_.room);
    part(batch_.found, batch_.room);
    part(batch_.best, batch_.k);
    part(batch_.scratch, batch_.list > kSharedHits ? batch_.list : 0);
    *bytes = at;
  }

  size_t bytes_for(size_t queries) const {
    return queries * (batch_.rows.width + 4 * size_t{batch_.rows.dims} + size_t{batch_.room} * (sizeof(Hit) + 4) +
                      batch_.k * sizeof(Hit) + (batch_.list > kSharedHits ? batch_.list * sizeof(Hit) : 0) + 64);
  }

  template <typename T>
  Failure upload(const T* to, const T* from, size_t count) {
    return store_.device_->upload(const_cast<std::remove_const_t<T>*>(to), from, count * sizeof(T));
  }

  Failure send(size_t first, size_t count) {
    const uint32_t width = batch_.rows.width, dims = batch_.rows.dims, k = batch_.k;
    std::fill(tiles_.begin(), tiles_.end(), int8_t{0});
    for (uint32_t q = 0; q < count; ++q) {
      const int8_t* codes = search_.codes + (first + q) * width;
      for (uint32_t s = 0; s < width / kSide; ++s) {
        std::memcpy(tiles_.data() + piece_at(q, s, width), codes + s * kSide, kSide);
      }
    }
    const Rule* rules = search_.rules + first;
    std::vector<double> floors(count, search_.threshold);
    std::vector<float> needed(count);
    for (size_t q = 0; q < count; ++q) needed[q] = needed_for(search_.threshold, rules[q]);
    const std::vector<Hit> none(count * k, no_hit());
    Failure failure = upload(batch_.codes, static_cast<const int8_t*>(tiles_.data()), tiles_.size());
    if (!failure.failed()) failure = upload(batch_.vectors, search_.vectors + first * dims, count * dims);
    if (!failure.failed()) failure = upload(batch_.rules, rules, count);
    if (!failure.failed()) failure = upload<double>(batch_.floors, floors.data(), count);
    if (!failure.failed()) failure = upload<float>(batch_.needed, needed.data(), count);
    if (!failure.failed()) failure = upload<Hit>(batch_.best, none.data(), none.size());
    return failure;
  }

  // Rows begin … end for the queries that are active. largest: the most candidates that a query had.
  Failure scan(uint32_t begin, uint32_t end, const std::vector<uint8_t>& active, uint32_t* largest) {
    if (search_.cancelled != nullptr && search_.cancelled(search_.context) != 0) {
      return {LINEAMENT_CUDA_ABORTED, "The search was cancelled"};
    }
    Device& device = *store_.device_;
    Failure failure = upload<uint8_t>(batch_.active, active.data(), active.size());
    if (!failure.failed()) failure = device.clear(batch_.counts, active.size() * sizeof(uint32_t));
    if (!failure.failed()) failure = device.compare(batch_, begin, end);
    if (!failure.failed()) failure = device.score(batch_);
    if (!failure.failed()) failure = device.merge(batch_);
    if (!failure.failed()) {
      failure = device.download(counts_.data(), batch_.counts, active.size() * sizeof(uint32_t));
    }
    if (failure.failed()) return failure;
    std::vector<uint8_t> again(active.size(), 0);
    bool any = false;
    for (size_t q = 0; q < active.size(); ++q) {
      work_.rows += active[q] != 0 ? end - begin : 0;
      work_.scored += std::min(counts_[q], batch_.room);
      *largest = std::max(*largest, counts_[q]);
      again[q] = counts_[q] > batch_.room ? 1 : 0;
      any |= again[q] != 0;
    }
    if (!any) return failure;
    const uint32_t middle = begin + (end - begin) / 2 / kRangeRows * kRangeRows;
    if (middle == begin) return {LINEAMENT_CUDA_FAILED, "More candidates than rows"};
    uint32_t ignored = 0;
    failure = scan(begin, middle, again, &ignored);
    return failure.failed() ? failure : scan(middle, end, again, &ignored);
  }

  Store& store_;
  const lineament_cuda_search& search_;
  Loan memory_;
  Batch batch_{};
  lineament_cuda_work work_{};
  std::vector<int8_t> tiles_;
  std::vector<uint32_t> counts_;
};

Failure Store::search(const lineament_cuda_search& search, lineament_cuda_hit* hits, uint32_t* counts,
                      lineament_cuda_work* work) {
  const std::lock_guard<std::mutex> lock(mutex_);
  lineament_cuda_work ignored{};
  if (work == nullptr) work = &ignored;
  if (search.count == 0) return {};
  std::fill(counts, counts + search.count, 0u);
  if (search.k == 0 || search.k > 1u << 24 || std::isnan(search.threshold)) {
    return {LINEAMENT_CUDA_INVALID, "k is from 1 to 2^24, the threshold a number"};
  }
  if (search.slots == 0) return {};
  const uint32_t last = search.slots - 1;
  if (!holds(&last, 1)) return {LINEAMENT_CUDA_INVALID, "Slots that were not reserved"};
  Failure failure = enter();
  if (failure.failed()) return failure;

  const size_t words = (size_t{search.slots} + 63) / 64;
  Loan mask(&memory_);
  failure = mask.take(words * sizeof(uint64_t));
  if (!failure.failed()) failure = device_->upload(mask.data(), search.mask, words * sizeof(uint64_t));
  if (failure.failed()) return note(failure);
  Scan scan(this, search);
  scan.set_mask(reinterpret_cast<const uint64_t*>(mask.data()));
  size_t at_once = std::min(search.count, scan.most_queries());
  failure = scan.make(at_once);
  while (failure.code == LINEAMENT_CUDA_OUT_OF_MEMORY && at_once > 1) {
    at_once = (at_once + 1) / 2;
    failure = scan.make(at_once);
  }
  for (size_t first = 0; !failure.failed() && first < search.count; first += at_once) {
    const size_t count = std::min(at_once, search.count - first);
    failure = scan.run(first, count, hits + first * search.k, counts + first, work);
  }
  return note(failure);
}

}  // namespace lineament::cuda
