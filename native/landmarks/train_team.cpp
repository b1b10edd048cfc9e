#include "landmarks/train_team.h"

#include <system_error>

#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
#endif

namespace lineament {
namespace {

constexpr int kSpins = 2000;  // tens of microseconds
constexpr uint64_t kField = (uint64_t{1} << 20) - 1;

inline void relax() {
#if defined(__x86_64__) || defined(_M_X64)
  _mm_pause();
#endif
}

inline bool open(uint64_t state) { return (state & kField) < (state >> 20 & kField); }

}  // namespace

Team::Team(size_t threads) {
  for (size_t i = 1; i < threads && i < 256; ++i) {
    try {
      threads_.emplace_back([this, i] { serve(i); });
    } catch (const std::system_error&) {
      break;
    }
  }
}

Team::~Team() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    over_.store(true);
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool Team::take(size_t member) {
  uint64_t state = state_.load(std::memory_order_acquire);
  while (open(state)) {
    if (state_.compare_exchange_weak(state, state + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
      const Call call = call_.load(std::memory_order_relaxed);
      call(context_.load(std::memory_order_relaxed), state & kField, member);
      done_.fetch_add(1, std::memory_order_release);
      return true;
    }
  }
  return false;
}

void Team::start(size_t items, Call call, const void* context) {
  if (threads_.empty() || items == 1) {
    for (size_t i = 0; i < items; ++i) call(context, i, 0);
    return;
  }
  call_.store(call, std::memory_order_relaxed);
  context_.store(context, std::memory_order_relaxed);
  done_.store(0, std::memory_order_relaxed);
  const uint64_t round = (state_.load(std::memory_order_relaxed) >> 40) + 1;
  state_.store(round << 40 | static_cast<uint64_t>(items) << 20);
  if (sleepers_.load() > 0) {
    std::lock_guard<std::mutex> lock(mutex_);
    wake_.notify_all();
  }
  while (take(0)) {
  }
  for (int spins = 0; done_.load(std::memory_order_acquire) < items; ++spins) {
    if (spins < kSpins) {
      relax();
    } else {
      std::this_thread::yield();
    }
  }
}

void Team::serve(size_t member) {
  while (!over_.load(std::memory_order_relaxed)) {
    if (take(member)) continue;
    int spins = 0;
    while (spins < kSpins && !open(state_.load(std::memory_order_relaxed))) {
      relax();
      ++spins;
    }
    if (spins < kSpins) continue;
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1);
    wake_.wait(lock, [this] { return over_.load() || open(state_.load()); });
    sleepers_.fetch_sub(1);
  }
}

}  // namespace lineament
