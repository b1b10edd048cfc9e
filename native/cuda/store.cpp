#include "cuda/store.h"

#include <algorithm>
#include <string>
#include <utility>

namespace lineament::cuda {
namespace {

constexpr size_t kSegmentBytes = size_t{64} << 20;
constexpr size_t kStagingBytes = size_t{16} << 20;
constexpr uint32_t kMostShift = 16;

constexpr size_t up(size_t value) { return (value + 255) / 256 * 256; }

struct SegmentLayout {
  size_t vectors, bounds, keys, bytes;  // codes come first
  SegmentLayout(size_t rows, size_t dims, size_t width)
      : vectors(up(rows * width)),
        bounds(vectors + up(rows * dims * sizeof(float))),
        keys(bounds + up(rows * sizeof(Bound))),
        bytes(keys + up(rows * sizeof(int64_t))) {}
};

uint32_t shift_for(size_t dims, size_t width) {
  uint32_t shift = kMostShift;
  while ((size_t{1} << shift) > kRangeRows && SegmentLayout(size_t{1} << shift, dims, width).bytes > kSegmentBytes) {
    --shift;
  }
  return shift;
}

}  // namespace

Failure Memory::take(size_t bytes, void** at) {
  *at = nullptr;
  if (most_ != 0 && (bytes > most_ || taken_ > most_ - bytes)) {
    return {LINEAMENT_CUDA_OUT_OF_MEMORY, std::to_string(bytes) + " bytes more than the " + std::to_string(taken_) +
                                              " that are taken go beyond the limit of " + std::to_string(most_)};
  }
  pieces_.reserve(pieces_.size() + 1);
  Failure failure = device_.allocate(bytes, at);
  if (failure.failed()) return failure;
  pieces_.push_back({*at, bytes});
  taken_ += bytes;
  return failure;
}

void Memory::give_back(void* at) {
  const auto piece = std::find_if(pieces_.begin(), pieces_.end(), [at](const Piece& one) { return one.at == at; });
  if (piece == pieces_.end()) return;
  taken_ -= piece->bytes;
  pieces_.erase(piece);
  device_.release(at);
}

Store::Store(std::unique_ptr<Device> device, uint32_t dims, uint32_t width, uint64_t most_bytes)
    : device_(std::move(device)),
      dims_(dims),
      width_(width),
      shift_(shift_for(dims, width)),
      memory_(*device_, most_bytes) {}

Failure Store::enter() { return broken_.failed() ? broken_ : device_->enter(); }

Failure Store::note(Failure failure) {
  if (failure.code == LINEAMENT_CUDA_FAILED) broken_ = failure;
  return failure;
}

uint64_t Store::bytes() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return memory_.taken();
}

Failure Store::reserve(uint32_t slots) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const size_t rows = size_t{1} << shift_, wanted = (slots + rows - 1) / rows;
  if (wanted <= segments_.size()) return {};
  Failure failure = enter();
  if (failure.failed()) return failure;
  return note(add_segments(wanted));
}

Failure Store::add_segments(size_t wanted) {
  const SegmentLayout layout(size_t{1} << shift_, dims_, width_);
  std::vector<SegmentRows> all = segments_;
  all.reserve(wanted);
  Failure failure;
  while (!failure.failed() && all.size() < wanted) {
    void* at = nullptr;
    failure = memory_.take(layout.bytes, &at);
    if (failure.failed()) break;
    auto* const bytes = static_cast<uint8_t*>(at);
    all.push_back({reinterpret_cast<int8_t*>(bytes), reinterpret_cast<float*>(bytes + layout.vectors),
                   reinterpret_cast<Bound*>(bytes + layout.bounds), reinterpret_cast<int64_t*>(bytes + layout.keys)});
    // What was never written is read by the matrix units beside what was; its sums are not looked at.
    failure = device_->clear(at, layout.bytes);
  }
  void* table = nullptr;
  if (!failure.failed()) failure = memory_.take(wanted * sizeof(SegmentRows), &table);
  if (!failure.failed()) failure = device_->upload(table, all.data(), wanted * sizeof(SegmentRows));
  if (failure.failed()) {
    if (table != nullptr) memory_.give_back(table);
    for (size_t i = segments_.size(); i < all.size(); ++i) memory_.give_back(all[i].codes);
    return failure;
  }
  if (table_ != nullptr) memory_.give_back(table_);
  table_ = table;
  segments_ = std::move(all);
  return failure;
}

bool Store::holds(const uint32_t* slots, size_t count) const {
  return std::all_of(slots, slots + count, [this](uint32_t slot) { return slot >> shift_ < segments_.size(); });
}

Failure Store::write(const lineament_cuda_rows& rows_in) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (rows_in.count == 0) return {};
  if (!holds(rows_in.slots, rows_in.count)) return {LINEAMENT_CUDA_INVALID, "A slot that was not reserved"};
  Failure failure = enter();
  if (failure.failed()) return failure;
  const size_t vector_bytes = dims_ * sizeof(float);
  const size_t at_once =
      std::max<size_t>(1, std::min(rows_in.count, kStagingBytes / (vector_bytes + width_ + sizeof(Bound) + 12)));
  const size_t vectors = 0, codes = vectors + up(at_once * vector_bytes), bounds = codes + up(at_once * width_),
               keys = bounds + up(at_once * sizeof(Bound)), slots = keys + up(at_once * sizeof(int64_t)),
               bytes = slots + up(at_once * sizeof(uint32_t));
  Loan staging(&memory_);
  failure = staging.take(bytes);
  for (size_t begin = 0; !failure.failed() && begin < rows_in.count; begin += at_once) {
    const size_t count = std::min(at_once, rows_in.count - begin);
    uint8_t* const to = staging.data();
    const auto send = [&](size_t offset, const auto* from, size_t each) {
      if (!failure.failed()) failure = device_->upload(to + offset, from + begin * each, count * each * sizeof(*from));
    };
    send(vectors, rows_in.vectors, dims_);
    send(codes, rows_in.codes, width_);
    send(bounds, rows_in.bounds, 1);
    send(keys, rows_in.keys, 1);
    send(slots, rows_in.slots, 1);
    if (failure.failed()) break;
    PlaceTask task{};
    task.rows = rows();
    task.count = static_cast<uint32_t>(count);
    task.slots = reinterpret_cast<const uint32_t*>(to + slots);
    task.keys = reinterpret_cast<const int64_t*>(to + keys);
    task.vectors = reinterpret_cast<const float*>(to + vectors);
    task.codes = reinterpret_cast<const int8_t*>(to + codes);
    task.bounds = reinterpret_cast<const Bound*>(to + bounds);
    failure = device_->place(task);
  }
  return note(failure);
}

Failure Store::read(const uint32_t* slots, size_t count, float* vectors) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!holds(slots, count)) return {LINEAMENT_CUDA_INVALID, "A slot that was not reserved"};
  Failure failure = enter();
  const uint32_t inside = (1u << shift_) - 1;
  for (size_t i = 0; !failure.failed() && i < count;) {
    size_t run = 1;  // neighbours are copied together
    while (i + run < count && slots[i + run] == slots[i] + run && (slots[i + run] & inside) != 0) ++run;
    const float* from = segments_[slots[i] >> shift_].vectors + size_t{slots[i] & inside} * dims_;
    failure = device_->download(vectors + i * dims_, from, run * dims_ * sizeof(float));
    i += run;
  }
  return note(failure);
}

}  // namespace lineament::cuda
