#include "inference/in_flight.h"

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

namespace lineament {

namespace {

struct Registry {
  std::mutex mutex;
  std::condition_variable empty;
  std::map<uint64_t, std::function<void()>> running;
  uint64_t next = 1;
  bool exiting = false;
};

// Never freed: threads may use it until the very end of the process.
Registry& registry() {
  static auto* const instance = new Registry;
  return *instance;
}

// A run ends at the next operator after it was told to stop; making a session cannot be stopped and takes a second at
// most.
constexpr auto kPatience = std::chrono::seconds(5);

void drain() {
  Registry& all = registry();
  std::unique_lock<std::mutex> lock(all.mutex);
  all.exiting = true;
  for (auto& [id, stop] : all.running) stop();
  all.empty.wait_for(lock, kPatience, [&all] { return all.running.empty(); });
}

}  // namespace

InFlight::InFlight(std::function<void()> stop) {
  Registry& all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  if (all.exiting) return;
  id_ = all.next++;
  all.running.emplace(id_, std::move(stop));
}

InFlight::~InFlight() {
  if (id_ == 0) return;
  Registry& all = registry();
  std::lock_guard<std::mutex> lock(all.mutex);
  all.running.erase(id_);
  if (all.running.empty()) all.empty.notify_all();
}

void InFlight::watch_exit() { std::atexit(drain); }

}  // namespace lineament
