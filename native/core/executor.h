// Lineament's own compute threads. libuv's pool also serves fs and dns, and long jobs there delay both; these threads
// serve only us.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace lineament {

// A fixed pool, first in first out. Thread-safe.
class Executor {
 public:
  // A job is called exactly once: with run = true on a pool thread, or with run = false when the executor shuts down
  // first (on the thread that calls shutdown). It must not throw.
  using Job = std::function<void(bool run)>;

  // threads >= 1; values outside 1..256 are clamped.
  explicit Executor(size_t threads);
  // Calls shutdown(). Must not run on a pool thread of its own.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Queues the job; false (and the job is not called) after shutdown.
  bool submit(Job job);
  // Lets running jobs finish, refuses queued ones with run = false, joins. Idempotent.
  void shutdown();

  size_t threads() const { return size_; }
  // Jobs queued or running at this moment.
  size_t pending() const;

 private:
  void work(size_t index);

  const size_t size_;
  mutable std::mutex mutex_;
  std::mutex shutdown_mutex_;
  std::condition_variable wake_;
  std::deque<Job> queue_;
  size_t running_ = 0;
  bool closed_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace lineament
