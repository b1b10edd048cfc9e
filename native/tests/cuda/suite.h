// The tests of the index on a device, run on each library that there is: the reference (the kernels' bodies on the
// processor, always) and a real plugin (LINEAMENT_CUDA, or where the build puts it) on each machine that has a device.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "search/cuda_index.h"
#include "tests/check.h"
#include "tests/search/index_model.h"

namespace cuda_suite {

using namespace lineament;

// A library to test with, or why there is none.
struct Library {
  std::string path;
  std::string missing;
};

inline Library reference() { return {LINEAMENT_CUDA_REFERENCE, ""}; }

inline Library device() {
  const char* named = std::getenv("LINEAMENT_CUDA");
  const std::string path = named != nullptr && *named != '\0' ? named : "build/Release/liblineament_cuda.so";
  const CudaReport report = cuda_report(path);
  if (report.state != CudaState::kReady) return {"", "no CUDA device: " + report.problem};
  if (report.reference) return {"", "no CUDA device: LINEAMENT_CUDA names the reference"};
  return {path, ""};
}

// TEST(name_on_reference) and TEST(name_on_device).
#define ON_BOTH(name)                                                \
  static void name(const std::string& library);                      \
  TEST(name##_on_reference) { name(cuda_suite::reference().path); }  \
  TEST(name##_on_device) {                                           \
    static const cuda_suite::Library library = cuda_suite::device(); \
    if (library.path.empty()) SKIP(library.missing);                 \
    name(library.path);                                              \
  }                                                                  \
  static void name(const std::string& library)

inline std::shared_ptr<CudaIndex> open(const std::string& library, size_t dims, uint64_t most_bytes = 0) {
  Result<std::shared_ptr<CudaIndex>> made = CudaIndex::make(library, 0, dims, most_bytes);
  CHECK_EQ(made.status().message(), "");
  return made.ok() ? made.value() : nullptr;
}

// The same vectors in an index on the processor and in one on the device.
struct Twins {
  VectorIndex host;
  std::shared_ptr<CudaIndex> device;
  Executor executor{2};

  Twins(const std::string& library, size_t dims) : host(dims, IndexPrecision::kExact), device(open(library, dims)) {}

  void put(const std::vector<int64_t>& keys, const std::vector<float>& vectors,
           const std::vector<uint32_t>* groups = nullptr, bool replace = false) {
    const uint32_t* g = groups != nullptr ? groups->data() : nullptr;
    CHECK(host.put(keys.data(), vectors.data(), g, keys.size(), replace, executor, nullptr).ok());
    const Status status = device->put(keys.data(), vectors.data(), g, keys.size(), replace, executor, nullptr);
    CHECK_EQ(status.message(), "");
  }

  // Same keys in the same order, and the same bits of every score.
  void compare(const std::vector<float>& queries, const IndexSearch& search) {
    const size_t count = queries.size() / host.dims();
    std::vector<std::vector<Hit>> wanted, found;
    CHECK(host.search(queries.data(), count, search, executor, nullptr, &wanted).ok());
    const Status status = device->search(queries.data(), count, search, executor, nullptr, &found);
    CHECK_EQ(status.message(), "");
    CHECK_EQ(found.size(), wanted.size());
    for (size_t q = 0; q < std::min(wanted.size(), found.size()); ++q) {
      CHECK_EQ(found[q].size(), wanted[q].size());
      for (size_t i = 0; i < std::min(wanted[q].size(), found[q].size()); ++i) {
        CHECK_EQ(found[q][i].key, wanted[q][i].key);
        CHECK_EQ(found[q][i].score, wanted[q][i].score);
      }
    }
  }
};

inline std::vector<int64_t> keys_from(int64_t first, size_t count) {
  std::vector<int64_t> keys(count);
  for (size_t i = 0; i < count; ++i) keys[i] = first + static_cast<int64_t>(i);
  return keys;
}

}  // namespace cuda_suite
