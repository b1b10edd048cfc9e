// An index whose vectors lie on a CUDA device. Same vectors, same answers as VectorIndex (search/index.h): rows are
// coded by the same VectorCoder, excluded by the same bounds, and scored in the same order of additions.
//
// Keys, groups and what is taken are kept here; the plugin knows numbered slots. Calls take turns: the device does one
// thing at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "search/codes.h"
#include "search/cuda_plugin.h"
#include "search/index.h"

namespace lineament {

// Thread-safe. Errors as VectorIndex, and kInternal where the device fails: the index is then of no more use.
class CudaIndex {
 public:
  // device: which of the report's. most_bytes: of device memory, 0: all there is. kProviderUnavailable, kOutOfMemory.
  static Result<std::shared_ptr<CudaIndex>> make(const std::string& library, int device, size_t dims,
                                                 uint64_t most_bytes);
  ~CudaIndex();
  CudaIndex(const CudaIndex&) = delete;
  CudaIndex& operator=(const CudaIndex&) = delete;

  size_t dims() const { return coder_.dims(); }
  size_t size() const;
  uint64_t revision() const;
  size_t bytes() const;         // of this process's memory
  size_t device_bytes() const;  // of the device's
  SearchWork work() const;
  uint64_t queries() const;

  // As VectorIndex::put, remove, search, lookup.
  Status put(const int64_t* keys, const float* vectors, const uint32_t* groups, size_t count, bool replace,
             Executor& executor, const CancelToken* token);
  Result<size_t> remove(const int64_t* keys, size_t count);
  Status search(const float* queries, size_t count, const IndexSearch& search, Executor& executor,
                const CancelToken* token, std::vector<std::vector<Hit>>* hits);
  void lookup(const std::vector<int64_t>& keys, std::vector<int64_t>* found, std::vector<uint32_t>* groups);

  // Writes a snapshot that VectorIndex opens too. kStoreFull, kStoreFailed.
  Status save(const std::string& path, Executor& executor, const CancelToken* token);

  // Adds what a snapshot of exact precision and of these dims holds to an index that is empty. kStoreCorrupt,
  // kStoreVersion, kInvalidArgument.
  Status load(const std::string& path, Executor& executor, const CancelToken* token);

 private:
  CudaIndex(std::shared_ptr<const CudaPlugin> plugin, lineament_cuda_store* store, size_t dims);

  struct Coded;
  // With mutex_ held:
  Status write(const int64_t* keys, const float* vectors, bool units, size_t count, Executor& executor,
               const CancelToken* token, std::vector<uint32_t>* slots);
  Status take_slots(size_t count, std::vector<uint32_t>* slots);
  std::vector<uint64_t> mask_for(const IndexFilter& filter) const;
  void set_live(uint32_t slot, bool live);
  Status clear(Status why);

  const std::shared_ptr<const CudaPlugin> plugin_;
  lineament_cuda_store* const store_;
  const VectorCoder coder_;

  mutable std::mutex mutex_;  // guards what follows, and the order of calls to the plugin
  KeyMap slots_;              // key → slot
  std::vector<int64_t> keys_;
  std::vector<uint32_t> groups_;
  std::vector<uint64_t> live_;
  std::vector<uint32_t> free_;  // slots below used_ that are not taken
  uint32_t used_ = 0;
  uint64_t revision_ = 0;
  uint64_t queries_ = 0;
  SearchWork work_;
};

}  // namespace lineament
