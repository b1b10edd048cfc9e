#include <atomic>
#include <chrono>
#include <future>
#include <new>
#include <set>
#include <stdexcept>
#include <thread>

#include "core/executor.h"
#include "core/spread.h"
#include "tests/check.h"

using lineament::Executor;

TEST(runs_every_job_once) {
  std::atomic<int> ran{0};
  {
    Executor executor(3);
    for (int i = 0; i < 1000; ++i) CHECK(executor.submit([&](bool run) { ran += run ? 1 : 1000000; }));
    while (executor.pending() > 0) std::this_thread::yield();
  }
  CHECK_EQ(ran.load(), 1000);
}

TEST(one_thread_keeps_the_order) {
  std::vector<int> order;
  Executor executor(1);
  for (int i = 0; i < 200; ++i) CHECK(executor.submit([&order, i](bool) { order.push_back(i); }));
  while (executor.pending() > 0) std::this_thread::yield();
  CHECK_EQ(order.size(), 200u);
  for (int i = 0; i < 200; ++i) CHECK_EQ(order[static_cast<size_t>(i)], i);
}

TEST(runs_as_many_at_once_as_it_has_threads) {
  Executor executor(4);
  std::promise<void> gate;
  const std::shared_future<void> open = gate.get_future().share();
  std::atomic<int> waiting{0};
  for (int i = 0; i < 4; ++i) {
    CHECK(executor.submit([&, open](bool) {
      ++waiting;
      open.wait();
    }));
  }
  const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (waiting.load() < 4 && std::chrono::steady_clock::now() < limit) std::this_thread::yield();
  CHECK_EQ(waiting.load(), 4);
  CHECK_EQ(executor.pending(), 4u);
  gate.set_value();
}

TEST(shutdown_finishes_the_running_job_and_refuses_the_queued_ones) {
  Executor executor(1);
  std::promise<void> started, gate;
  std::atomic<int> ran{0}, refused{0};
  CHECK(executor.submit([&](bool run) {
    started.set_value();
    gate.get_future().wait();
    ran += run;
  }));
  started.get_future().wait();
  for (int i = 0; i < 5; ++i) {
    CHECK(executor.submit([&](bool run) { (run ? ran : refused) += 1; }));
  }
  std::thread closer([&] { executor.shutdown(); });
  while (refused.load() < 5) std::this_thread::yield();
  CHECK_EQ(ran.load(), 0);
  gate.set_value();
  closer.join();
  CHECK_EQ(ran.load(), 1);
  CHECK_EQ(refused.load(), 5);
  CHECK(!executor.submit([](bool) {}));
  executor.shutdown();  // again: nothing happens
}

TEST(frees_what_a_job_holds_before_it_counts_as_done) {
  auto held = std::make_shared<int>(1);
  Executor executor(1);
  CHECK(executor.submit([held](bool) {}));
  while (executor.pending() > 0) std::this_thread::yield();
  CHECK_EQ(held.use_count(), 1);
}

TEST(thread_counts_are_clamped) {
  CHECK_EQ(Executor(0).threads(), 1u);
  CHECK_EQ(Executor(1).threads(), 1u);
}

TEST(a_part_that_throws_fails_and_ends_nothing_else) {
  Executor executor(3);
  for (int round = 0; round < 50; ++round) {
    const lineament::Status done = lineament::spread(executor, 8, [](size_t i) -> lineament::Status {
      if (i % 3 == 1) throw std::bad_alloc();
      return lineament::Status();
    });
    CHECK(done.code() == lineament::Code::kOutOfMemory);
  }
  const lineament::Status other = lineament::spread(executor, 4, [](size_t i) -> lineament::Status {
    if (i == 2) throw std::runtime_error("no");
    return lineament::Status();
  });
  CHECK(other.code() == lineament::Code::kInternal);
}

TEST(closing_from_two_threads_at_once_is_safe) {
  for (int i = 0; i < 50; ++i) {
    Executor executor(2);
    std::atomic<int> seen{0};
    for (int j = 0; j < 20; ++j) CHECK(executor.submit([&](bool) { ++seen; }));
    std::thread other([&] { executor.shutdown(); });
    executor.shutdown();
    other.join();
    CHECK_EQ(seen.load(), 20);
  }
}

TEST_MAIN()
