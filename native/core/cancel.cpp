#include "core/cancel.h"

#include <utility>

namespace lineament {

void CancelToken::cancel() {
  // Callbacks run under the lock, so that unsubscribe() returning means "not running"; they must not call back into the
  // token.
  std::lock_guard<std::mutex> lock(mutex_);
  if (flag_.exchange(true)) return;
  for (auto& [id, callback] : callbacks_) callback();
  callbacks_.clear();
}

uint64_t CancelToken::subscribe(std::function<void()> callback) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (flag_.load()) {
    callback();
    return 0;
  }
  const uint64_t id = next_id_++;
  callbacks_.emplace(id, std::move(callback));
  return id;
}

void CancelToken::unsubscribe(uint64_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  callbacks_.erase(id);
}

CancelSubscription::CancelSubscription(CancelTokenPtr token, std::function<void()> callback)
    : token_(std::move(token)) {
  if (token_) id_ = token_->subscribe(std::move(callback));
}

CancelSubscription::~CancelSubscription() {
  if (token_) token_->unsubscribe(id_);
}

}  // namespace lineament
