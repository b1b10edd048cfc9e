#include "core/executor.h"

#include <algorithm>
#include <string>
#include <utility>

#if defined(__linux__)
#include <pthread.h>
#endif

namespace lineament {

Executor::Executor(size_t threads) : size_(std::clamp<size_t>(threads, 1, 256)) {
  threads_.reserve(size_);
  for (size_t i = 0; i < size_; ++i) threads_.emplace_back([this, i] { work(i); });
}

Executor::~Executor() { shutdown(); }

bool Executor::submit(Job job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return false;
    queue_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

size_t Executor::pending() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return queue_.size() + running_;
}

void Executor::shutdown() {
  std::lock_guard<std::mutex> one_at_a_time(shutdown_mutex_);
  std::deque<Job> refused;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    refused.swap(queue_);
  }
  wake_.notify_all();
  for (Job& job : refused) job(false);
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Executor::work(size_t index) {
#if defined(__linux__)
  pthread_setname_np(pthread_self(), ("lineament-" + std::to_string(index)).substr(0, 15).c_str());
#else
  (void)index;
#endif
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return closed_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    ++running_;
    lock.unlock();
    job(true);
    job = nullptr;  // free what it holds before it counts as done
    lock.lock();
    --running_;
  }
}

}  // namespace lineament
