// The index: thousands of random changes against a plain map, filters, and searches that overlap changes.
#include <atomic>
#include <chrono>
#include <limits>
#include <thread>
#include <unordered_map>

#include "tests/search/index_model.h"

using namespace lineament;
using namespace index_model;

namespace {

IndexFilter in_groups(std::vector<uint32_t> groups) {
  IndexFilter filter;
  filter.some_groups = true;
  filter.groups = std::move(groups);
  return filter;
}

std::vector<int64_t> range(int64_t from, int64_t count) {
  std::vector<int64_t> keys;
  for (int64_t i = 0; i < count; ++i) keys.push_back(from + i);
  return keys;
}

IndexFilter random_filter(std::mt19937& random) {
  IndexFilter filter;
  if (random() % 3 == 0) filter = in_groups({static_cast<uint32_t>(random() % 4)});
  if (random() % 5 == 0) filter = in_groups({0, 2, 0xffffffffU});
  for (size_t i = random() % 3 == 0 ? random() % 40 : 0; i > 0; --i) filter.except.push_back(random() % 400);
  if (random() % 4 == 0) {
    filter.some_keys = true;
    for (size_t i = random() % 30; i > 0; --i) filter.only.push_back(random() % 400);
  }
  return filter;
}

}  // namespace

TEST(key_map_agrees_with_a_standard_map) {
  std::mt19937 random(1);
  KeyMap map;
  std::unordered_map<uint64_t, uint32_t> model;
  for (uint32_t step = 0; step < 200000; ++step) {
    const uint64_t key = random() % 3000 * (random() % 2 ? 1 : uint64_t{1} << 40);
    const auto known = model.find(key);
    const Place* found = map.find(key);
    CHECK_EQ(found != nullptr, known != model.end());
    if (found != nullptr && known != model.end()) CHECK_EQ(found->slot, known->second);
    if (random() % 2 == 0) {
      CHECK_EQ(map.erase(key), model.erase(key) > 0);
    } else if (found == nullptr) {
      CHECK(map.reserve(map.size() + 1));
      map.insert(key, {7, step});
      model[key] = step;
    }
    CHECK_EQ(map.size(), model.size());
  }
  CHECK(!map.reserve(SIZE_MAX / 2));
  CHECK(map.find(KeyMap::kNone) == nullptr);
  CHECK(!KeyMap().erase(3));
}

TEST(random_changes_agree_with_a_map) {
  for (const IndexPrecision precision : kPrecisions) {
    for (const size_t dims : {size_t{2}, size_t{37}, size_t{128}}) {
      std::mt19937 random(static_cast<unsigned>(dims) + static_cast<unsigned>(precision));
      Executor executor(2);
      VectorIndex index(dims, precision);
      Model model;
      Pair both{index, model, executor};
      uint64_t revision = 0;
      for (int step = 0; step < 600; ++step) {
        std::set<int64_t> chosen;
        for (size_t i = 1 + random() % 20; i > 0; --i) chosen.insert(random() % 400);
        const std::vector<int64_t> keys(chosen.begin(), chosen.end());
        const size_t there = std::count_if(keys.begin(), keys.end(), [&](int64_t k) { return model.contains(k); });
        const std::vector<float> values = vectors(keys.size(), dims, random);
        std::vector<uint32_t> groups;
        for (size_t i = 0; i < keys.size(); ++i) groups.push_back(random() % 4);
        const std::vector<uint32_t>* given = random() % 2 == 0 ? &groups : nullptr;
        switch (random() % 4) {
          case 0:
            CHECK_EQ(both.remove(keys), there);
            revision += there > 0;
            break;
          case 1: {
            const Status status = both.put(keys, values, given, false);
            CHECK(status.code() == (there > 0 ? Code::kDuplicateId : Code::kOk));
            revision += status.ok();
            break;
          }
          default:
            CHECK(both.put(keys, values, given, true).ok());
            ++revision;
        }
        CHECK_EQ(index.revision(), revision);
        CHECK_EQ(index.size(), model.size());
        if (step % 7 != 0) continue;
        IndexSearch search;
        search.k = 1 + random() % 20;
        if (random() % 3 == 0) search.threshold = (static_cast<double>(random() % 100) - 30) / 100;
        search.filter = random_filter(random);
        both.check(vectors(1 + random() % 3, dims, random), search);
      }
      std::vector<int64_t> found;
      std::vector<uint32_t> groups;
      index.lookup(range(0, 400), &found, &groups);
      CHECK_EQ(found.size(), model.size());
      for (size_t i = 0; i < found.size(); ++i) CHECK_EQ(groups[i], model[found[i]].group);
    }
  }
}

TEST(many_segments_agree_with_the_oracle) {
  for (const size_t clusters : {0, 12}) {
    std::mt19937 random(3);
    const size_t dims = 64;
    Executor executor(2);
    VectorIndex index(dims, IndexPrecision::kExact);
    Model model;
    Pair both{index, model, executor};
    for (int64_t i = 0; i < 20; ++i) {
      const auto count = 1000 + 97 * i;
      std::vector<uint32_t> groups(count, static_cast<uint32_t>(i % 3));
      CHECK(both.put(range(10000 * i, count), vectors(count, dims, random, clusters), &groups, false).ok());
    }
    CHECK_EQ(both.remove(range(70000, 500)), size_t{500});
    const std::vector<float> queries = vectors(12, dims, random, clusters);
    both.check(queries, {});
    both.check(queries, {100, -2, in_groups({1})});
    both.check(queries, {100000, 0.3, {}});
    IndexFilter few;
    few.some_keys = true;
    few.only = {0, 10001, 70100, 70900, 999999, 150000};
    both.check(queries, {10, -2, few});
    few.except = {0, 150000};
    both.check(queries, {10, -2, few});
    few.only.clear();
    both.check(queries, {10, -2, few});
    both.check(queries, {10, -2, in_groups({})});
    CHECK(index.work().rows > 0);
    CHECK(index.work().scored < index.work().rows);
  }
}

TEST(equal_vectors_come_by_smaller_key) {
  Executor executor(2);
  VectorIndex index(8, IndexPrecision::kExact);
  std::mt19937 random(2);
  const std::vector<float> one = vectors(1, 8, random);
  for (const int64_t key : {kMostKey, int64_t{5}, int64_t{900}, int64_t{0}, int64_t{77}}) {
    CHECK(index.put(&key, one.data(), nullptr, 1, false, executor, nullptr).ok());
  }
  std::vector<std::vector<Hit>> hits;
  CHECK(index.search(one.data(), 1, {4, -2, {}}, executor, nullptr, &hits).ok());
  CHECK_EQ(hits[0].size(), size_t{4});
  const int64_t wanted[] = {0, 5, 77, 900};
  for (size_t i = 0; i < hits[0].size(); ++i) CHECK_EQ(hits[0][i].key, wanted[i]);
}

TEST(bad_input_changes_nothing) {
  Executor executor(2);
  std::mt19937 random(5);
  const size_t dims = 16;
  VectorIndex index(dims, IndexPrecision::kExact);
  Model model;
  Pair both{index, model, executor};
  CHECK(both.put(range(0, 300), vectors(300, dims, random), nullptr, false).ok());
  const size_t bytes = index.bytes();
  const std::vector<float> good = vectors(300, dims, random);
  const float bad_values[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                              -std::numeric_limits<float>::infinity()};
  for (const float value : bad_values) {
    std::vector<float> bad = good;
    bad[299 * dims + 3] = value;
    CHECK(both.put(range(1000, 300), bad, nullptr, false).code() == Code::kInvalidArgument);
    CHECK(both.put(range(0, 300), bad, nullptr, true).code() == Code::kInvalidArgument);
  }
  std::vector<float> zero = good;
  std::fill_n(zero.begin() + 150 * dims, dims, 0.0F);
  CHECK(both.put(range(1000, 300), zero, nullptr, false).code() == Code::kInvalidArgument);
  std::vector<int64_t> twice = range(1000, 300);
  twice[299] = 1000;
  CHECK(both.put(twice, good, nullptr, true).code() == Code::kDuplicateId);
  std::vector<int64_t> known = range(1000, 300);
  known[299] = 7;
  const Status duplicate = both.put(known, good, nullptr, false);
  CHECK(duplicate.code() == Code::kDuplicateId);
  CHECK_EQ(duplicate.message(), "Key 7 is in the index");
  for (const int64_t key : {int64_t{-1}, kMostKey + 1, std::numeric_limits<int64_t>::min()}) {
    std::vector<int64_t> keys = range(1000, 300);
    keys[0] = key;
    CHECK(both.put(keys, good, nullptr, false).code() == Code::kInvalidArgument);
    CHECK_EQ(both.remove({key}), size_t{0});
  }
  CancelToken cancelled;
  cancelled.cancel();
  const std::vector<int64_t> keys = range(1000, 300);
  CHECK(index.put(keys.data(), good.data(), nullptr, 300, false, executor, &cancelled).code() == Code::kAborted);
  CHECK_EQ(index.revision(), uint64_t{1});
  std::vector<std::vector<Hit>> hits;
  CHECK(index.search(zero.data() + 150 * dims, 1, {}, executor, nullptr, &hits).code() == Code::kInvalidArgument);
  CHECK(index.search(good.data(), 1, {0, -2, {}}, executor, nullptr, &hits).code() == Code::kInvalidArgument);
  CHECK(index.search(good.data(), 4, {}, executor, &cancelled, &hits).code() == Code::kAborted);
  both.check(good, {});
  // What was refused has left no slot behind.
  CHECK(both.put(range(1000, 300), good, nullptr, false).ok());
  CHECK(index.bytes() <= 3 * bytes);
  both.check(good, {});
}

TEST(slots_are_used_again_and_memory_given_back) {
  Executor executor(2);
  std::mt19937 random(6);
  const size_t dims = 32;
  VectorIndex index(dims, IndexPrecision::kHalf);
  Model model;
  Pair both{index, model, executor};
  const std::vector<float> values = vectors(3000, dims, random);
  CHECK(both.put(range(0, 3000), values, nullptr, false).ok());
  size_t most = 0;
  for (int i = 0; i < 50; ++i) {
    CHECK(both.put(range(0, 3000), values, nullptr, true).ok());
    if (i < 5) most = std::max(most, index.bytes());
    CHECK(index.bytes() <= most);
  }
  for (int64_t i = 0; i < 200; ++i) {
    CHECK_EQ(both.remove(range(i, 1)), size_t{1});
    CHECK(both.put(range(5000 + i, 1), vectors(1, dims, random), nullptr, false).ok());
    CHECK(index.bytes() < most + 100000);
  }
  both.check(vectors(4, dims, random), {50, -2, {}});
  both.remove(range(0, 10000));
  CHECK_EQ(index.size(), size_t{0});
  CHECK(index.bytes() < most * 3 / 4);
  both.check(vectors(2, dims, random), {});
  CHECK(both.put(range(0, 3000), values, nullptr, false).ok());
  both.check(vectors(4, dims, random), {50, -2, {}});
}

// Keys 2i and 2i + 1 are always added, replaced and removed together, with one vector for both: a search that sees a
// pair half, or its two vectors differ, has seen a state that never was.
TEST(searches_see_one_revision) {
  const size_t dims = 24;
  constexpr int64_t kPairs = 300;
  Executor executor(2);
  VectorIndex index(dims, IndexPrecision::kExact);
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0}, searches{0}, changes{0};
  const auto change = [&](unsigned seed) {
    std::mt19937 random(seed);
    while (!stop) {
      std::vector<int64_t> keys;
      std::vector<float> values;
      std::set<int64_t> chosen;
      for (size_t i = 1 + random() % 6; i > 0; --i) chosen.insert(random() % kPairs);
      for (const int64_t pair : chosen) {
        const std::vector<float> one = vectors(1, dims, random);
        for (const int64_t key : {2 * pair, 2 * pair + 1}) {
          keys.push_back(key);
          values.insert(values.end(), one.begin(), one.end());
        }
      }
      if (random() % 3 == 0) {
        if (!index.remove(keys.data(), keys.size()).ok()) ++torn;
      } else if (!index.put(keys.data(), values.data(), nullptr, keys.size(), true, executor, nullptr).ok()) {
        ++torn;
      }
      ++changes;
    }
  };
  const auto search = [&](unsigned seed) {
    std::mt19937 random(seed);
    while (!stop) {
      std::vector<std::vector<Hit>> hits;
      const std::vector<float> query = vectors(1, dims, random);
      if (!index.search(query.data(), 1, {2 * kPairs, -2, {}}, executor, nullptr, &hits).ok()) ++torn;
      std::map<int64_t, double> scores;
      for (const Hit& hit : hits[0]) {
        if (!scores.emplace(hit.key, hit.score).second) ++torn;
      }
      for (const auto& [key, score] : scores) {
        const auto other = scores.find(key ^ 1);
        if (other == scores.end() || other->second != score) ++torn;
      }
      ++searches;
    }
  };
  std::vector<std::thread> threads;
  threads.emplace_back(change, 1);
  threads.emplace_back(change, 2);
  threads.emplace_back(search, 3);
  threads.emplace_back(search, 4);
  const auto began = std::chrono::steady_clock::now();
  const auto lasted = [&](int seconds) {
    return std::chrono::steady_clock::now() - began >= std::chrono::seconds(seconds);
  };
  while (!lasted(1) || ((searches <= 10 || changes <= 10) && !lasted(60))) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(torn.load(), 0);
  CHECK(searches > 10);
  CHECK(changes > 10);
  CHECK_EQ(index.size() % 2, size_t{0});
  CHECK(index.bytes() < 4000000);
}

TEST_MAIN()
