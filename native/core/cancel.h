// Cooperative cancellation: an atomic flag that loops poll, and callbacks for work that can only be stopped from
// outside.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>

namespace lineament {

// Shared between the thread that cancels and the job that polls. All members are thread-safe.
class CancelToken {
 public:
  // Sets the flag and runs the registered callbacks once, on the calling thread. Idempotent.
  void cancel();
  bool cancelled() const { return flag_.load(std::memory_order_relaxed); }

  // Registers `callback` to run at cancel() (at once, when already cancelled). Returns an id for unsubscribe().
  uint64_t subscribe(std::function<void()> callback);
  // After return the callback is not running and will not run. Must not be called from inside a callback.
  void unsubscribe(uint64_t id);

 private:
  std::atomic<bool> flag_{false};
  std::mutex mutex_;
  uint64_t next_id_ = 1;
  std::map<uint64_t, std::function<void()>> callbacks_;
};

using CancelTokenPtr = std::shared_ptr<CancelToken>;

// True where `token` is present and cancelled.
inline bool is_cancelled(const CancelToken* token) { return token != nullptr && token->cancelled(); }
inline bool is_cancelled(const CancelTokenPtr& token) { return is_cancelled(token.get()); }

// Subscribes for its own lifetime. A null token is allowed and does nothing.
class CancelSubscription {
 public:
  CancelSubscription(CancelTokenPtr token, std::function<void()> callback);
  ~CancelSubscription();
  CancelSubscription(const CancelSubscription&) = delete;
  CancelSubscription& operator=(const CancelSubscription&) = delete;

 private:
  CancelTokenPtr token_;
  uint64_t id_ = 0;
};

}  // namespace lineament
