// What an index on a device finds, against the index on the processor and against double precision.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include "tests/cuda/suite.h"

using namespace lineament;
using cuda_suite::keys_from;
using cuda_suite::Twins;

namespace {

IndexSearch best(size_t k, double threshold = -2) {
  IndexSearch search;
  search.k = k;
  search.threshold = threshold;
  return search;
}

}  // namespace

ON_BOTH(finds_what_the_processor_finds) {
  std::mt19937 random(1);
  for (const size_t dims : {2u, 3u, 63u, 64u, 65u, 128u, 130u}) {
    for (const size_t clusters : {0u, 7u}) {
      Twins twins(library, dims);
      if (!twins.device) return;
      const std::vector<float> gallery = index_model::vectors(1500, dims, random, clusters);
      std::vector<int64_t> keys = keys_from(1000, 1500);
      std::shuffle(keys.begin(), keys.end(), random);
      twins.put(keys, gallery);
      for (const size_t count : {1u, 16u, 17u, 70u}) {
        const std::vector<float> queries = index_model::vectors(count, dims, random);
        twins.compare(queries, best(count == 1 ? 1 : 10));
      }
    }
  }
}

ON_BOTH(agrees_with_double_precision) {
  constexpr size_t kDims = 96;
  std::mt19937 random(2);
  Executor executor(2);
  const auto index = cuda_suite::open(library, kDims);
  if (!index) return;
  const std::vector<float> gallery = index_model::vectors(5000, kDims, random, 40);
  const std::vector<int64_t> keys = keys_from(0, 5000);
  CHECK(index->put(keys.data(), gallery.data(), nullptr, 5000, false, executor, nullptr).ok());
  index_model::Model model;
  for (size_t i = 0; i < 5000; ++i) {
    model[keys[i]] = {index_model::stored(&gallery[i * kDims], kDims, IndexPrecision::kExact), 0};
  }
  const std::vector<float> queries = index_model::vectors(20, kDims, random);
  std::vector<std::vector<Hit>> hits;
  CHECK(index->search(queries.data(), 20, best(25), executor, nullptr, &hits).ok());
  for (size_t q = 0; q < 20; ++q) {
    index_model::check_hits(model, hits[q], &queries[q * kDims], kDims, best(25), IndexPrecision::kExact);
  }
  CHECK(index->work().scored >= 20 * 25);
  // The bound leaves most rows out.
  CHECK(index->work().scored < index->work().rows / 2);
}

ON_BOTH(goes_through_several_segments) {
  // The rows of one allocation at these dimensions are 2048, so that this takes five.
  constexpr size_t kDims = 4096, kRows = 8300;
  std::mt19937 random(3);
  Twins twins(library, kDims);
  if (!twins.device) return;
  std::vector<float> few = index_model::vectors(83, kDims, random), gallery(kRows * kDims);
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t d = 0; d < kDims; ++d) gallery[i * kDims + d] = few[i % 83 * kDims + (d + i / 83) % kDims];
  }
  twins.put(keys_from(0, kRows), gallery);
  const std::vector<float> queries(gallery.end() - 3 * static_cast<ptrdiff_t>(kDims), gallery.end());
  twins.compare(queries, best(5));
}

ON_BOTH(breaks_ties_by_smaller_key) {
  constexpr size_t kDims = 32;
  std::mt19937 random(4);
  Twins twins(library, kDims);
  if (!twins.device) return;
  // 40 different vectors, 75 times each, under keys in no order.
  const std::vector<float> few = index_model::vectors(40, kDims, random);
  std::vector<float> gallery;
  for (size_t i = 0; i < 3000; ++i) {
    gallery.insert(gallery.end(), &few[i % 40 * kDims], &few[i % 40 * kDims] + kDims);
  }
  std::vector<int64_t> keys = keys_from(0, 3000);
  std::shuffle(keys.begin(), keys.end(), random);
  twins.put(keys, gallery);
  for (const size_t k : {1u, 10u, 74u, 75u, 76u, 500u}) twins.compare(few, best(k));
}

ON_BOTH(finds_more_candidates_than_it_has_room_for) {
  // Far rows first, so that steps grow long; then rows that are nearly the same and come nearer towards the end: bounds
  // exclude hardly any of them, and a step finds more candidates than fit.
  constexpr size_t kDims = 24, kRows = 20000;
  std::mt19937 random(5);
  std::normal_distribution<float> normal;
  Twins twins(library, kDims);
  if (!twins.device) return;
  std::vector<float> query(kDims), gallery(kRows * kDims);
  for (float& v : query) v = normal(random);
  for (size_t i = 0; i < kRows; ++i) {
    const float away = i < 5000 ? 30 : 0.002F * (1 - static_cast<float>(i) / kRows);
    for (size_t d = 0; d < kDims; ++d) gallery[i * kDims + d] = query[d] + away * normal(random);
  }
  twins.put(keys_from(0, kRows), gallery);
  std::vector<float> queries = query;
  const std::vector<float> others = index_model::vectors(20, kDims, random);
  twins.compare(queries, best(10));
  const uint64_t alone = twins.device->work().rows;
  CHECK(alone > kRows);  // some steps were done again
  queries.insert(queries.end(), others.begin(), others.end());
  twins.compare(queries, best(10));
}

ON_BOTH(gives_all_above_a_threshold) {
  constexpr size_t kDims = 64, kRows = 6000;
  std::mt19937 random(6);
  Twins twins(library, kDims);
  if (!twins.device) return;
  twins.put(keys_from(0, kRows), index_model::vectors(kRows, kDims, random, 6));
  const std::vector<float> queries = index_model::vectors(18, kDims, random, 6);
  for (const double threshold : {-1.0, -0.2, 0.0, 0.3, 0.95}) {
    twins.compare(queries, best(kRows, threshold));  // more than are sorted in shared memory
    twins.compare(queries, best(3, threshold));
  }
  // A threshold that is somebody's score lets that one through.
  std::vector<std::vector<Hit>> hits;
  CHECK(twins.host.search(queries.data(), 1, best(9), twins.executor, nullptr, &hits).ok());
  const double exactly = hits[0][8].score;
  CHECK(twins.device->search(queries.data(), 1, best(100, exactly), twins.executor, nullptr, &hits).ok());
  CHECK_EQ(hits[0].size(), 9u);
  const double above = std::nextafter(exactly, 2);
  CHECK(twins.device->search(queries.data(), 1, best(100, above), twins.executor, nullptr, &hits).ok());
  CHECK_EQ(hits[0].size(), 8u);
}

ON_BOTH(gives_everything_where_k_is_large) {
  constexpr size_t kDims = 8, kRows = 5000;
  std::mt19937 random(7);
  Twins twins(library, kDims);
  if (!twins.device) return;
  twins.put(keys_from(0, kRows), index_model::vectors(kRows, kDims, random));
  const std::vector<float> queries = index_model::vectors(3, kDims, random);
  for (const size_t k : {1023u, 1024u, 1025u, 2048u, 4999u, 5000u, 1000000u}) twins.compare(queries, best(k));
}

ON_BOTH(filters_by_group_and_key) {
  constexpr size_t kDims = 48, kRows = 4000;
  std::mt19937 random(8);
  Twins twins(library, kDims);
  if (!twins.device) return;
  std::vector<uint32_t> groups(kRows);
  for (uint32_t& group : groups) group = random() % 5 == 4 ? UINT32_MAX : random() % 4;
  twins.put(keys_from(0, kRows), index_model::vectors(kRows, kDims, random), &groups);
  const std::vector<float> queries = index_model::vectors(20, kDims, random);
  for (int round = 0; round < 12; ++round) {
    IndexSearch search = best(15);
    search.filter.some_groups = round % 2 == 1;
    if (round % 4 == 1) search.filter.groups = {2, UINT32_MAX};
    if (round % 4 == 3) search.filter.groups = {1};
    search.filter.some_keys = round % 3 == 1;
    for (size_t i = 0; i < static_cast<size_t>(round) * 40; ++i) search.filter.only.push_back(random() % (kRows + 50));
    for (size_t i = 0; round % 3 == 2 && i < 900; ++i) search.filter.except.push_back(random() % kRows);
    twins.compare(queries, search);
  }
  IndexSearch nothing = best(5);
  nothing.filter.some_groups = true;
  twins.compare(queries, nothing);
}

ON_BOTH(follows_changes) {
  constexpr size_t kDims = 40;
  std::mt19937 random(9);
  Twins twins(library, kDims);
  if (!twins.device) return;
  const std::vector<float> queries = index_model::vectors(5, kDims, random);
  twins.compare(queries, best(4));  // empty
  for (int round = 0; round < 25; ++round) {
    std::vector<int64_t> keys = keys_from(0, 600);
    std::shuffle(keys.begin(), keys.end(), random);
    keys.resize(1 + random() % 300);
    if (round % 4 == 3) {
      const Result<size_t> a = twins.host.remove(keys.data(), keys.size());
      const Result<size_t> b = twins.device->remove(keys.data(), keys.size());
      CHECK(a.ok() && b.ok());
      CHECK_EQ(a.value(), b.value());
    } else {
      std::vector<uint32_t> groups(keys.size(), static_cast<uint32_t>(round));
      twins.put(keys, index_model::vectors(keys.size(), kDims, random), round % 2 == 0 ? &groups : nullptr, true);
    }
    CHECK_EQ(twins.host.size(), twins.device->size());
    CHECK_EQ(twins.host.revision(), twins.device->revision());
    IndexSearch search = best(7);
    search.filter.some_groups = round % 5 == 4;
    search.filter.groups = {0, 2, 4, 8};
    twins.compare(queries, search);
    std::vector<int64_t> some = keys_from(0, 700), a, b;
    std::vector<uint32_t> ga, gb;
    twins.host.lookup(some, &a, &ga);
    twins.device->lookup(some, &b, &gb);
    CHECK(a == b && ga == gb);
  }
}

ON_BOTH(is_not_moved_by_odd_values) {
  constexpr size_t kDims = 64;
  Twins twins(library, kDims);
  if (!twins.device) return;
  std::vector<float> gallery;
  const auto add = [&](auto value) {
    for (size_t d = 0; d < kDims; ++d) gallery.push_back(static_cast<float>(value(d)));
  };
  add([](size_t d) { return d == 5 ? 1.0 : 0.0; });  // one coordinate
  add([](size_t d) { return d == 5 ? -1.0 : 0.0; });
  add([](size_t) { return 1.0; });  // all the same
  add([](size_t d) { return d % 2 == 0 ? 1e30 : -1e30; });
  add([](size_t d) { return d == 0 ? 1e-38 : 1e-42; });  // below the normal numbers
  add([](size_t d) { return std::pow(0.5, static_cast<double>(d)); });
  add([](size_t d) { return d == 63 ? std::numeric_limits<float>::max() : 0.0; });
  twins.put(keys_from(7, 7), gallery);
  twins.compare(gallery, best(7));
}

TEST_MAIN()
