#include "capture/frame_ring.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

#include "capture/shared_memory.h"

namespace lineament {
namespace {

constexpr int kMostSide = 32768;
constexpr size_t kAlwaysKept = 3;
constexpr size_t kWorthForgetting = static_cast<size_t>(1) << 20;
constexpr size_t kNoSlot = static_cast<size_t>(-1);

// Slots are handed to others as they are: a cache line's alignment is what kernels like, a page's what forgetting
// needs.
size_t slot_stride(size_t slot_bytes) {
  const size_t page = SharedMemory::page_bytes();
  return (slot_bytes + page - 1) / page * page;
}

}  // namespace

size_t picture_bytes(CaptureFormat format, int width, int height) {
  if (width < 1 || height < 1 || width > kMostSide || height > kMostSide) return 0;
  const auto w = static_cast<size_t>(width), h = static_cast<size_t>(height);
  const size_t half_w = (w + 1) / 2, half_h = (h + 1) / 2;
  switch (format) {
    case CaptureFormat::kRgb:
    case CaptureFormat::kBgr:
      return w * h * 3;
    case CaptureFormat::kRgba:
    case CaptureFormat::kBgra:
      return w * h * 4;
    case CaptureFormat::kGray:
      return w * h;
    case CaptureFormat::kYuyv:
      return half_w * 4 * h;
    case CaptureFormat::kNv12:
    case CaptureFormat::kI420:
      return w * h + 2 * half_w * half_h;
    case CaptureFormat::kZ16:
      return w * h * 2;
    case CaptureFormat::kMjpeg:
      return 0;
  }
  return 0;
}

struct FrameRing::State {
  struct Slot {
    PictureInfo info;
    size_t leases = 0;
    size_t touched = 0;  // bytes that were ever written, less what was given back
  };

  SharedMemory memory;
  size_t slot_bytes = 0;
  size_t stride = 0;
  RingLimits limits;

  std::mutex mutex;  // guards what follows
  std::condition_variable room;
  std::vector<Slot> slots;
  std::vector<size_t> free;  // the last one is used first, so that few slots are ever touched
  std::deque<size_t> kept;   // oldest first
  size_t writing = kNoSlot;
  size_t kept_bytes = 0;
  uint64_t committed = 0, refused = 0;
  uint64_t next_sequence = 0;
  int64_t last_us = std::numeric_limits<int64_t>::min();
  std::optional<uint64_t> taken;
  bool interrupted = false;
  bool ended = false;
  Status ending;

  std::mutex wake_mutex;  // held while the callback runs
  std::function<void()> callback;

  uint8_t* data(size_t slot) const { return memory.data() + slot * stride; }

  bool may_go(size_t slot, bool taken_only) const {
    return slots[slot].leases == 0 && (!taken_only || (taken && slots[slot].info.sequence <= *taken));
  }

  auto oldest_that_may_go(bool taken_only) {
    return std::find_if(kept.begin(), kept.end(), [&](size_t slot) { return may_go(slot, taken_only); });
  }

  void drop(std::deque<size_t>::iterator picture) {
    kept_bytes -= slots[*picture].info.bytes;
    free.push_back(*picture);
    kept.erase(picture);
  }

  // Whether the limits say that this picture should go before one of so many bytes is added.
  bool in_the_way(const PictureInfo& info, size_t bytes) const {
    if (kept.size() <= kAlwaysKept) return false;
    if (too_full(bytes)) return true;
    const uint64_t age = static_cast<uint64_t>(last_us) - static_cast<uint64_t>(info.timestamp_us);  // never negative
    return age > static_cast<uint64_t>(limits.keep_us);
  }

  bool too_full(size_t bytes) const { return bytes > limits.most_bytes || kept_bytes > limits.most_bytes - bytes; }

  std::span<uint8_t> take(size_t bytes, bool taken_only) {
    auto oldest = oldest_that_may_go(taken_only);
    while (oldest != kept.end() && (free.empty() || in_the_way(slots[*oldest].info, bytes))) {
      drop(oldest);
      oldest = oldest_that_may_go(taken_only);
    }
    if (free.empty()) return {};
    // A producer that must lose nothing waits for room; one that may drop keeps what is leased beyond the limits.
    if (taken_only && kept.size() > kAlwaysKept && too_full(bytes)) return {};
    writing = free.back();
    free.pop_back();
    Slot& slot = slots[writing];
    // After larger pictures: memory that smaller ones do not need goes back.
    if (slot.touched / 2 > bytes && slot.touched - bytes > kWorthForgetting) {
      memory.forget(writing * stride + bytes, slot.touched - bytes);
      slot.touched = 0;
    }
    slot.touched = std::max(slot.touched, bytes);
    return {data(writing), slot_bytes};
  }
};

FrameRing::Lease::Lease(Lease&& other) noexcept
    : ring_(std::move(other.ring_)),
      slot_(other.slot_),
      data_(std::exchange(other.data_, nullptr)),
      info_(other.info_) {
  other.info_ = {};
}

FrameRing::Lease& FrameRing::Lease::operator=(Lease&& other) noexcept {
  if (this != &other) {
    release();
    ring_ = std::move(other.ring_);
    slot_ = other.slot_;
    data_ = std::exchange(other.data_, nullptr);
    info_ = std::exchange(other.info_, {});
  }
  return *this;
}

FrameRing::Lease::~Lease() { release(); }

void FrameRing::Lease::release() {
  if (!ring_) return;
  {
    State& state = *ring_->state_;
    const std::lock_guard<std::mutex> lock(state.mutex);
    --state.slots[slot_].leases;
    state.room.notify_all();
  }
  ring_.reset();
}

FrameRing::FrameRing(std::unique_ptr<State> state) : state_(std::move(state)) {}
FrameRing::~FrameRing() = default;

Result<std::shared_ptr<FrameRing>> FrameRing::make(size_t slots, size_t slot_bytes, const RingLimits& limits) {
  constexpr size_t kMostSlots = 100000, kMostSlotBytes = static_cast<size_t>(1) << 32;
  if (slots < kAlwaysKept || slots > kMostSlots || slot_bytes < 1 || slot_bytes > kMostSlotBytes ||
      limits.keep_us < 0) {
    return Status(Code::kInvalidArgument,
                  "Expected 3 to 100000 slots of 1 byte to 4 GiB, and times that are not negative");
  }
  auto state = std::make_unique<State>();
  state->slot_bytes = slot_bytes;
  state->stride = slot_stride(slot_bytes);
  state->limits = limits;
  state->memory = SharedMemory(slots * state->stride);
  if (state->memory.empty()) return Status(Code::kOutOfMemory, "No address space for the pictures of a camera");
  state->slots.resize(slots);
  for (size_t i = slots; i-- > 0;) state->free.push_back(i);
  return std::shared_ptr<FrameRing>(new FrameRing(std::move(state)));
}

std::span<uint8_t> FrameRing::begin(size_t bytes) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (bytes > state_->slot_bytes || state_->writing != kNoSlot) return {};
  const std::span<uint8_t> memory = state_->take(bytes == 0 ? state_->slot_bytes : bytes, false);
  if (memory.empty()) ++state_->refused;
  return memory;
}

std::span<uint8_t> FrameRing::begin_waiting(size_t bytes) {
  std::unique_lock<std::mutex> lock(state_->mutex);
  if (bytes > state_->slot_bytes || state_->writing != kNoSlot) return {};
  while (!state_->interrupted) {
    const std::span<uint8_t> memory = state_->take(bytes == 0 ? state_->slot_bytes : bytes, true);
    if (!memory.empty()) return memory;
    state_->room.wait(lock);
  }
  return {};
}

void FrameRing::commit(PictureInfo info) {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    State& state = *state_;
    if (state.writing == kNoSlot) return;
    info.sequence = std::max(info.sequence, state.next_sequence);
    info.timestamp_us = std::max(info.timestamp_us, state.last_us);
    info.bytes = std::min(info.bytes, state.slot_bytes);
    state.next_sequence = info.sequence + 1;
    state.last_us = info.timestamp_us;
    state.slots[state.writing].info = info;
    state.kept.push_back(std::exchange(state.writing, kNoSlot));
    state.kept_bytes += info.bytes;
    ++state.committed;
  }
  wake();
}

void FrameRing::cancel() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->writing != kNoSlot) state_->free.push_back(std::exchange(state_->writing, kNoSlot));
}

FrameRing::Lease FrameRing::lease(size_t position) const {
  Lease lease;
  lease.slot_ = state_->kept[position];
  State::Slot& slot = state_->slots[lease.slot_];
  ++slot.leases;
  lease.ring_ = shared_from_this();
  lease.data_ = state_->data(lease.slot_);
  lease.info_ = slot.info;
  return lease;
}

FrameRing::Lease FrameRing::newest(int64_t after) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  if (state_->kept.empty()) return {};
  const uint64_t sequence = state_->slots[state_->kept.back()].info.sequence;
  return after >= 0 && sequence <= static_cast<uint64_t>(after) ? Lease() : lease(state_->kept.size() - 1);
}

FrameRing::Lease FrameRing::next(int64_t after) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const auto& kept = state_->kept;
  const auto later = [&](size_t slot) {
    return after >= 0 && state_->slots[slot].info.sequence <= static_cast<uint64_t>(after);
  };
  const auto found = std::partition_point(kept.begin(), kept.end(), later);
  return found == kept.end() ? Lease() : lease(static_cast<size_t>(found - kept.begin()));
}

FrameRing::Lease FrameRing::at_or_before(int64_t timestamp_us) const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  const auto& kept = state_->kept;
  const auto end = std::partition_point(
      kept.begin(), kept.end(), [&](size_t slot) { return state_->slots[slot].info.timestamp_us <= timestamp_us; });
  return end == kept.begin() ? Lease() : lease(static_cast<size_t>(end - kept.begin()) - 1);
}

std::vector<PictureInfo> FrameRing::between(int64_t first_us, int64_t last_us) const {
  std::vector<PictureInfo> found;
  const std::lock_guard<std::mutex> lock(state_->mutex);
  for (const size_t slot : state_->kept) {
    const PictureInfo& info = state_->slots[slot].info;
    if (info.timestamp_us >= first_us && info.timestamp_us <= last_us) found.push_back(info);
  }
  return found;
}

RingCounts FrameRing::counts() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return {state_->committed, state_->refused, state_->kept.size(), state_->kept_bytes};
}

int64_t FrameRing::last_us() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->last_us;
}

uint64_t FrameRing::next_sequence() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->next_sequence;
}

void FrameRing::taken(uint64_t sequence) {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->taken = std::max(state_->taken.value_or(0), sequence);
  state_->room.notify_all();
}

void FrameRing::interrupt() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->interrupted = true;
  state_->room.notify_all();
}

void FrameRing::on_commit(std::function<void()> wake) {
  const std::lock_guard<std::mutex> lock(state_->wake_mutex);
  state_->callback = std::move(wake);
}

void FrameRing::wake() const {
  const std::lock_guard<std::mutex> lock(state_->wake_mutex);
  if (state_->callback) state_->callback();
}

void FrameRing::end(Status why) {
  {
    const std::lock_guard<std::mutex> lock(state_->mutex);
    if (std::exchange(state_->ended, true)) return;
    state_->ending = std::move(why);
  }
  wake();
}

void FrameRing::reopen() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->ended = state_->interrupted = false;
  state_->ending = Status();
}

bool FrameRing::ended() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->ended;
}

Status FrameRing::ending() const {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  return state_->ending;
}

size_t FrameRing::slots() const { return state_->slots.size(); }
size_t FrameRing::slot_bytes() const { return state_->slot_bytes; }

}  // namespace lineament
