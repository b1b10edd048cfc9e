// A few threads that share many small rounds of work, with little time between rounds.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace lineament {

// Used by one thread. Its own threads look for the next round for some microseconds before they sleep.
class Team {
 public:
  // The calling thread is one of the `threads`. Fewer start where the system refuses.
  explicit Team(size_t threads);
  ~Team();
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  size_t size() const { return threads_.size() + 1; }

  // Calls work(item, member) for item = 0 … items − 1, in any order, at the same time on several threads; member <
  // size() differs between calls that run at the same time. Returns when all have ended. `work` must not throw.
  template <typename Work>
  void run(size_t items, const Work& work) {
    for (size_t begin = 0; begin < items; begin += kMostItems) {
      const size_t count = items - begin < kMostItems ? items - begin : kMostItems;
      const Round<Work> round{&work, begin};
      start(count, &Round<Work>::call, &round);
    }
  }

 private:
  static constexpr size_t kMostItems = (size_t{1} << 20) - 1;
  using Call = void (*)(const void* context, size_t item, size_t member);

  template <typename Work>
  struct Round {
    const Work* work;
    size_t begin;
    static void call(const void* context, size_t item, size_t member) {
      const auto* self = static_cast<const Round*>(context);
      (*self->work)(self->begin + item, member);
    }
  };

  void start(size_t items, Call call, const void* context);
  bool take(size_t member);
  void serve(size_t member);

  // Number of the round (24 bits), items in it (20), next item (20): whoever moves `next` on has claimed an item of
  // that very round, which then cannot end before the item is done.
  std::atomic<uint64_t> state_{0};
  std::atomic<Call> call_{nullptr};
  std::atomic<const void*> context_{nullptr};
  std::atomic<size_t> done_{0};
  std::atomic<size_t> sleepers_{0};
  std::atomic<bool> over_{false};
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> threads_;
};

}  // namespace lineament
