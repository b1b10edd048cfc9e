#include "core/spread.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

namespace lineament {
namespace {

// Parts that run out of memory fail; nothing that they throw reaches the executor's threads.
Status guarded(const std::function<Status(size_t)>& part, size_t i) {
  try {
    return part(i);
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory");
  } catch (const std::exception& error) {
    return Status(Code::kInternal, error.what());
  }
}

// Outlives the call: helpers that begin late look at it and leave.
struct Shared {
  std::mutex mutex;
  std::condition_variable idle;
  const std::function<Status(size_t)>* part = nullptr;  // null once the caller has left
  size_t next = 0;
  size_t parts = 0;
  size_t helping = 0;
  Status status;

  // Takes parts until none is left.
  void work(std::unique_lock<std::mutex>& lock) {
    while (next < parts && status.ok()) {
      const size_t mine = next++;
      lock.unlock();
      Status done = guarded(*part, mine);
      lock.lock();
      if (!done.ok() && status.ok()) status = std::move(done);
    }
  }
};

}  // namespace

Status spread(Executor& executor, size_t parts, const std::function<Status(size_t)>& part) {
  const auto shared = std::make_shared<Shared>();
  shared->part = &part;
  shared->parts = parts;
  const size_t helpers = std::min(parts, executor.threads());
  const auto help = [shared](bool run) {
    std::unique_lock<std::mutex> lock(shared->mutex);
    if (!run || shared->part == nullptr) return;
    ++shared->helping;
    shared->work(lock);
    if (--shared->helping == 0) shared->idle.notify_all();
  };
  try {
    for (size_t i = 1; i < helpers && executor.submit(help); ++i) {
    }
  } catch (const std::bad_alloc&) {
    // Fewer helpers.
  }
  std::unique_lock<std::mutex> lock(shared->mutex);
  shared->work(lock);
  shared->idle.wait(lock, [&shared] { return shared->helping == 0; });
  shared->part = nullptr;
  return shared->status;
}

}  // namespace lineament
