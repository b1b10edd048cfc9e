// What tests of the index share: vectors to put in, and the plain model that the index must agree with.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "search/index.h"
#include "search/vectors.h"
#include "tests/check.h"

namespace index_model {

using namespace lineament;

// A folder of its own, removed with what is in it.
struct Folder {
  std::filesystem::path path;
  Folder() {
    static int count = 0;
    path = std::filesystem::temp_directory_path() /
           ("lineament-index-" + std::to_string(reinterpret_cast<uintptr_t>(this)) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  size_t files() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {})); }
};

// `clusters` > 0: near one of so many centres.
inline std::vector<float> vectors(size_t count, size_t dims, std::mt19937& random, size_t clusters = 0) {
  std::normal_distribution<float> normal;
  std::vector<float> centres(clusters * dims), out(count * dims);
  for (float& v : centres) v = normal(random);
  for (size_t i = 0; i < count; ++i) {
    const float* centre = clusters > 0 ? &centres[random() % clusters * dims] : nullptr;
    for (size_t d = 0; d < dims; ++d) out[i * dims + d] = centre ? centre[d] + 0.3F * normal(random) : normal(random);
  }
  return out;
}

struct Entry {
  std::vector<float> vector;  // as it is stored
  uint32_t group;
};
using Model = std::map<int64_t, Entry>;

// What an index keeps of a vector; for int8 the vector itself.
inline std::vector<float> stored(const float* vector, size_t dims, IndexPrecision precision) {
  std::vector<float> unit(dims);
  normalise(vector, dims, unit.data());
  if (precision == IndexPrecision::kHalf) {
    std::vector<uint16_t> half(dims);
    to_half(unit.data(), dims, half.data());
    from_half(half.data(), dims, unit.data());
  }
  return unit;
}

inline double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

inline bool passes(const IndexFilter& f, int64_t key, const Entry& entry) {
  const auto has = [](const auto& all, auto value) { return std::find(all.begin(), all.end(), value) != all.end(); };
  return (!f.some_groups || has(f.groups, entry.group)) && (!f.some_keys || has(f.only, key)) && !has(f.except, key);
}

inline std::vector<Hit> expected(const Model& model, const float* query, size_t dims, const IndexSearch& search) {
  const std::vector<float> unit = stored(query, dims, IndexPrecision::kExact);
  std::vector<Hit> hits;
  for (const auto& [key, entry] : model) {
    if (!passes(search.filter, key, entry)) continue;
    const double score = dot(unit, entry.vector);
    if (score >= search.threshold) hits.push_back({key, score});
  }
  std::sort(hits.begin(), hits.end(),
            [](const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.key < b.key; });
  if (hits.size() > search.k) hits.resize(search.k);
  return hits;
}

// Scores agree to the last digits of a double; a key may stand where another has the same score. For codes alone
// (int8) only that scores are near and the best are found.
inline void check_hits(const Model& model, const std::vector<Hit>& hits, const float* query, size_t dims,
                       const IndexSearch& search, IndexPrecision precision) {
  const std::vector<Hit> wanted = expected(model, query, dims, search);
  const std::vector<float> unit = stored(query, dims, IndexPrecision::kExact);
  const bool approximate = precision == IndexPrecision::kInt8;
  const double tolerance = approximate ? 0.03 : 1e-12;
  if (!approximate) CHECK_EQ(hits.size(), wanted.size());
  if (approximate && search.threshold < -1) CHECK_EQ(hits.size(), wanted.size());
  std::set<int64_t> seen;
  for (size_t i = 0; i < hits.size(); ++i) {
    const auto found = model.find(hits[i].key);
    CHECK(found != model.end());
    if (found == model.end()) continue;
    CHECK(seen.insert(hits[i].key).second);
    CHECK(passes(search.filter, hits[i].key, found->second));
    CHECK_NEAR(hits[i].score, dot(unit, found->second.vector), tolerance);
    if (i < wanted.size()) CHECK_NEAR(hits[i].score, wanted[i].score, tolerance);
    if (i > 0)
      CHECK(hits[i - 1].score > hits[i].score || (hits[i - 1].score == hits[i].score && hits[i - 1].key < hits[i].key));
  }
}

// An index and its model, changed together.
struct Pair {
  VectorIndex& index;
  Model& model;
  Executor& executor;

  Status put(const std::vector<int64_t>& keys, const std::vector<float>& values, const std::vector<uint32_t>* groups,
             bool replace) {
    const Status status = index.put(keys.data(), values.data(), groups ? groups->data() : nullptr, keys.size(), replace,
                                    executor, nullptr);
    if (!status.ok()) return status;
    for (size_t i = 0; i < keys.size(); ++i) {
      const auto old = model.find(keys[i]);
      const uint32_t group = groups ? (*groups)[i] : old != model.end() ? old->second.group : 0;
      model[keys[i]] = {stored(&values[i * index.dims()], index.dims(), index.precision()), group};
    }
    return status;
  }

  size_t remove(const std::vector<int64_t>& keys) {
    for (const int64_t key : keys) model.erase(key);
    const Result<size_t> removed = index.remove(keys.data(), keys.size());
    return removed.ok() ? removed.value() : SIZE_MAX;
  }

  void check(const std::vector<float>& queries, const IndexSearch& search) {
    const size_t count = queries.size() / index.dims();
    std::vector<std::vector<Hit>> hits;
    const Status status = index.search(queries.data(), count, search, executor, nullptr, &hits);
    CHECK_EQ(status.message(), "");
    CHECK_EQ(index.size(), model.size());
    CHECK_EQ(hits.size(), count);
    for (size_t q = 0; q < hits.size(); ++q) {
      check_hits(model, hits[q], &queries[q * index.dims()], index.dims(), search, index.precision());
    }
  }
};

constexpr IndexPrecision kPrecisions[] = {IndexPrecision::kExact, IndexPrecision::kHalf, IndexPrecision::kInt8};

}  // namespace index_model
