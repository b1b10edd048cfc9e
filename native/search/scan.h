// Exact nearest neighbours by cosine over blocks of coded vectors.
//
// Every row is either excluded by a bound that proves its similarity below the k-th best already found (or below the
// threshold), or scored exactly: the result is that of comparing the query with every vector in double precision.
// Scores are the same bits at every SIMD level and for every number of threads; equal scores are ordered by key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "search/codes.h"

namespace lineament {

// What a row's score is computed from.
enum class StoredVectors : uint8_t {
  kFloat32,  // float rows of `dims`
  kFloat16,  // uint16_t rows of `dims` (binary16); the codes were made from the rounded values
  kNone,     // nothing but the codes (CodeTruth::kFineCode)
};

// Rows as they lie in memory or in a mapped file. All arrays have `rows` entries; the planes should begin on 64 bytes.
struct BlockView {
  size_t rows = 0;
  const uint8_t* high = nullptr;  // rows × stride
  const uint8_t* low = nullptr;   // rows × stride
  const CodeBound* coarse = nullptr;
  const CodeBound* middle = nullptr;
  const CodeBound* fine = nullptr;
  const void* vectors = nullptr;  // by `stored`, rows × dims; null for kNone
  StoredVectors stored = StoredVectors::kNone;
  const int64_t* keys = nullptr;
  // Bit r % 64 of word r / 64 is set where row r may be found. Null: all rows. Where few bits are set, only
  // their rows are read.
  const uint64_t* mask = nullptr;
};

// Where a search finds its rows. open() and close() are called from several threads at a time, for different blocks. A
// search opens each block once for some hundred queries (all of a smaller batch) and may open it once more, mostly to
// look at few of its rows: it must find the same rows and mask then. Blocks of 4 096 … 16 384 rows serve both caches
// and threads.
class BlockSource {
 public:
  virtual ~BlockSource() = default;
  virtual size_t blocks() const = 0;
  // False: there is nothing in this block for this search, and close() is not called.
  virtual bool open(size_t block, BlockView* view) = 0;
  virtual void close(size_t /*block*/) {}
};

struct Hit {
  int64_t key;
  double score;
};

// How far the rows of a search went; added up over queries.
struct SearchWork {
  uint64_t rows = 0;     // compared by the upper plane
  uint64_t refined = 0;  // and by both
  uint64_t scored = 0;   // and exactly
};

struct SearchOptions {
  size_t k = 10;          // at most so many hits for a query; > 0
  double threshold = -2;  // no hit with a lower score
  size_t threads = 1;     // at most so many of the executor's
  const CancelToken* cancel = nullptr;
  SearchWork* work = nullptr;
};

// hits[q]: the best rows for query q (queries: count × dims floats, unit length as by normalise()), best first, equal
// scores by smaller key. May be called from a thread of `executor`. kAborted, kInvalidArgument (a query that is not of
// unit length), kOutOfMemory.
Status search_blocks(const VectorCoder& coder, BlockSource& source, const float* queries, size_t count,
                     const SearchOptions& options, Executor& executor, std::vector<std::vector<Hit>>* hits);

}  // namespace lineament
