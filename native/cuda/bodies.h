// What the kernels do, written once for the device and for the processor.
//
// A body is run by a block of threads. It asks its Block for each(n, f), which calls f(0) … f(n − 1) in any order and
// ends with a barrier: what one each() wrote, the next one reads. A device's block spreads the calls over its threads,
// a processor's is a loop (forwards and backwards in turn, so that tests notice what depends on the order).
#pragma once

#include <cmath>
#include <cstdint>

#include "include/lineament_cuda.h"

#if defined(__CUDACC__)
#define LINEAMENT_BODY __host__ __device__ inline
#define LINEAMENT_UNROLL _Pragma("unroll")
#else
#define LINEAMENT_BODY inline
#define LINEAMENT_UNROLL
#endif

namespace lineament::cuda {

using Bound = lineament_cuda_bound;
using Rule = lineament_cuda_rule;
using Hit = lineament_cuda_hit;

// Codes lie in tiles of 16 rows × 16 coordinates, 256 bytes, as the matrix units read them: tile s of a group of 16
// rows has coordinates 16·s … 16·s + 15, row by row.
constexpr uint32_t kSide = 16;
constexpr uint32_t kTile = kSide * kSide;
// Rows that a step's ranges begin on.
constexpr uint32_t kRangeRows = 256;
// Threads of a block, and candidates that a block scores at a time: 16 sums each.
constexpr uint32_t kThreads = 256;
constexpr uint32_t kScoredAtOnce = kThreads / kSide;
// Hits that are sorted in the block's own memory; longer lists are sorted where they lie.
constexpr uint32_t kSharedHits = 2048;

// Rows of one allocation: the arrays of a segment.
struct SegmentRows {
  int8_t* codes;   // tiles; rows × width
  float* vectors;  // rows × dims
  Bound* bounds;
  int64_t* keys;
};

struct Rows {
  const SegmentRows* segments;
  uint32_t segment_shift;  // a segment has 1 << segment_shift rows
  uint32_t dims;
  uint32_t width;
};

// Bytes from the start of a segment's or a batch's codes to coordinate 16·s of `row`.
LINEAMENT_BODY uint64_t piece_at(uint32_t row, uint32_t s, uint32_t width) {
  return (static_cast<uint64_t>(row / kSide) * (width / kSide) + s) * kTile + row % kSide * kSide;
}

// ---- Writing rows
// ----------------------------------------------------------------------------------------------------

struct PlaceTask {
  Rows rows;
  uint32_t count;
  const uint32_t* slots;
  const int64_t* keys;
  const float* vectors;
  const int8_t* codes;  // row by row
  const Bound* bounds;
};

// One row.
template <typename Block>
LINEAMENT_BODY void place_row(const Block& block, const PlaceTask& task, uint32_t index) {
  const uint32_t slot = task.slots[index], row = slot & ((1u << task.rows.segment_shift) - 1);
  const SegmentRows to = task.rows.segments[slot >> task.rows.segment_shift];
  const uint32_t dims = task.rows.dims, width = task.rows.width;
  block.each(width, [&](uint32_t i) {
    to.codes[piece_at(row, i / kSide, width) + i % kSide] = task.codes[static_cast<uint64_t>(index) * width + i];
  });
  block.each(dims, [&](uint32_t i) {
    to.vectors[static_cast<uint64_t>(row) * dims + i] = task.vectors[static_cast<uint64_t>(index) * dims + i];
  });
  block.each(1, [&](uint32_t) {
    to.bounds[row] = task.bounds[index];
    to.keys[row] = task.keys[index];
  });
}

// ---- Comparing by codes
// ------------------------------------------------------------------------------------------------

// What all steps of a search over one batch of queries share.
struct Batch {
  Rows rows;
  const int8_t* codes;   // of the queries, in tiles
  const float* vectors;  // of the queries
  const Rule* rules;
  const uint64_t* mask;
  uint32_t queries;  // without those that fill the last tile
  uint32_t k;
  uint32_t room;  // candidates of a query in one step
  uint32_t list;  // a power of two, k + room
  double threshold;
  // For each query:
  double* floors;        // no row below it is among the best
  float* needed;         // and no row whose bound is below this
  uint8_t* active;       // takes part in this step
  uint32_t* counts;      // candidates of this step; above `room`: some were left out
  uint32_t* candidates;  // room each: slots
  Hit* found;            // room each: the candidates' scores
  Hit* best;             // k each, sorted
  Hit* scratch;          // list each; null where kSharedHits are enough
};

LINEAMENT_BODY Hit no_hit() { return {-INFINITY, INT64_MAX}; }
LINEAMENT_BODY bool is_hit(const Hit& hit) { return hit.score != -INFINITY; }
// A higher score is better, and of equal scores the smaller key.
LINEAMENT_BODY bool better(const Hit& a, const Hit& b) {
  return a.score != b.score ? a.score > b.score : a.key < b.key;
}

// What a bound must reach so that a score can reach `floor`. Rounded down; the rule's error allows for the float
// arithmetic of may_reach().
LINEAMENT_BODY float needed_for(double floor, const Rule& rule) {
  return nextafterf(static_cast<float>(floor - static_cast<double>(rule.error)), -4.0f);
}

// Whether a row with this sum over codes may reach what is needed. Sums of int8 products over at most 4096 coordinates
// are exact.
LINEAMENT_BODY bool may_reach(int32_t dot, const Bound& bound, const Rule& rule, float needed) {
  const float estimate = bound.scale * rule.scale * (static_cast<float>(dot) + rule.half_sum);
  return estimate + bound.error * rule.length >= needed;
}

// Whether any of the 32 rows from `row` on is looked at.
LINEAMENT_BODY bool any_wanted(const uint64_t* mask, uint32_t row) {
  return (mask[row / 64] >> (row % 64) & 0xffffffff) != 0;
}
LINEAMENT_BODY bool wanted(const uint64_t* mask, uint32_t row) { return (mask[row / 64] >> (row % 64) & 1) != 0; }

// One warp's part of comparing the rows begin … end: kRowsAtOnce rows from `row` on (a multiple of them) with kAcross ×
// 16 queries from tile `query_tile` on. Warp knows the matrix unit: sums of tile products, and how to lay a sum out as
// 16 × 16 numbers, row by row. append() adds one to a counter and gives what it was.
constexpr uint32_t kDown = 2;
constexpr uint32_t kRowsAtOnce = kDown * kSide;
static_assert(64 % kRowsAtOnce == 0 && kRangeRows % kRowsAtOnce == 0);

template <uint32_t kAcross, typename Warp>
LINEAMENT_BODY void compare_tiles(Warp& warp, const Batch& batch, uint32_t row, uint32_t end, uint32_t query_tile) {
  if (!any_wanted(batch.mask, row)) return;
  const uint32_t width = batch.rows.width, tiles = width / kSide;
  const SegmentRows segment = batch.rows.segments[row >> batch.rows.segment_shift];
  const uint32_t first = row & ((1u << batch.rows.segment_shift) - 1);
  const int8_t* codes = segment.codes + piece_at(first, 0, width);
  const int8_t* queries = batch.codes + piece_at(query_tile * kSide, 0, width);

  typename Warp::Sum sums[kDown][kAcross];
  LINEAMENT_UNROLL
  for (uint32_t i = 0; i < kDown; ++i) {
    LINEAMENT_UNROLL
    for (uint32_t j = 0; j < kAcross; ++j) warp.clear(sums[i][j]);
  }
  for (uint32_t s = 0; s < tiles; ++s) {
    typename Warp::RowTile a[kDown];
    LINEAMENT_UNROLL
    for (uint32_t i = 0; i < kDown; ++i) warp.load(a[i], codes + (static_cast<uint64_t>(i) * tiles + s) * kTile);
    LINEAMENT_UNROLL
    for (uint32_t j = 0; j < kAcross; ++j) {
      typename Warp::QueryTile b;
      warp.load(b, queries + (static_cast<uint64_t>(j) * tiles + s) * kTile);
      LINEAMENT_UNROLL
      for (uint32_t i = 0; i < kDown; ++i) warp.multiply(sums[i][j], a[i], b);
    }
  }
  LINEAMENT_UNROLL
  for (uint32_t i = 0; i < kDown; ++i) {
    LINEAMENT_UNROLL
    for (uint32_t j = 0; j < kAcross; ++j) {
      const int32_t* dots = warp.lay_out(sums[i][j]);
      warp.each(kTile, [&](uint32_t at) {
        const uint32_t r = i * kSide + at / kSide, q = (query_tile + j) * kSide + at % kSide;
        if (q >= batch.queries || row + r >= end || !wanted(batch.mask, row + r) || batch.active[q] == 0) return;
        if (!may_reach(dots[at], segment.bounds[first + r], batch.rules[q], batch.needed[q])) return;
        const uint32_t place = warp.append(&batch.counts[q]);
        if (place < batch.room) batch.candidates[static_cast<uint64_t>(q) * batch.room + place] = row + r;
      });
    }
  }
}

// ---- Scoring
// -----------------------------------------------------------------------------------------------------------

LINEAMENT_BODY uint32_t kept(const Batch& batch, uint32_t q) {
  return batch.counts[q] < batch.room ? batch.counts[q] : batch.room;
}

// Candidates first, first + 1 … first + kScoredAtOnce − 1, then again `step` further on, of query q. `sums`: kThreads.
// The products are exact in double, so that it does not matter whether they are fused with the additions; the order of
// the additions is that of the processor's kernels: the bits are the same.
template <typename Block>
LINEAMENT_BODY void score_candidates(const Block& block, const Batch& batch, uint32_t q, uint32_t first, uint32_t step,
                                     double* sums) {
  const uint32_t count = kept(batch, q), dims = batch.rows.dims, shift = batch.rows.segment_shift;
  const float* query = batch.vectors + static_cast<uint64_t>(q) * dims;
  const uint32_t* slots = batch.candidates + static_cast<uint64_t>(q) * batch.room;
  for (uint32_t begin = first; begin < count; begin += step) {
    const uint32_t here = count - begin < kScoredAtOnce ? count - begin : kScoredAtOnce;
    block.each(here * kSide, [&](uint32_t i) {
      const uint32_t slot = slots[begin + i / kSide];
      const float* row =
          batch.rows.segments[slot >> shift].vectors + static_cast<uint64_t>(slot & ((1u << shift) - 1)) * dims;
      double sum = 0;
      for (uint32_t d = i % kSide; d < dims; d += kSide)
        sum += static_cast<double>(row[d]) * static_cast<double>(query[d]);
      sums[i] = sum;
    });
    for (uint32_t half = kSide / 2; half > 0; half /= 2) {
      block.each(here * half, [&](uint32_t i) {
        const uint32_t at = i / half * kSide + i % half;
        sums[at] += sums[at + half];
      });
    }
    block.each(here, [&](uint32_t i) {
      const uint32_t slot = slots[begin + i];
      const double score = sums[i * kSide];
      Hit hit = no_hit();
      if (score >= batch.floors[q]) hit = {score, batch.rows.segments[slot >> shift].keys[slot & ((1u << shift) - 1)]};
      batch.found[static_cast<uint64_t>(q) * batch.room + begin + i] = hit;
    });
  }
}

// ---- Keeping the best
// --------------------------------------------------------------------------------------------------

// Best first; `count`: a power of two. (K. Batcher, Sorting networks and their applications, 1968.)
template <typename Block>
LINEAMENT_BODY void sort_hits(const Block& block, Hit* hits, uint32_t count) {
  for (uint32_t run = 2; run <= count; run *= 2) {
    for (uint32_t apart = run / 2; apart > 0; apart /= 2) {
      block.each(count / 2, [&](uint32_t i) {
        const uint32_t a = i / apart * 2 * apart + i % apart, b = a + apart;
        const bool best_first = (a & run) == 0;
        const Hit x = hits[a], y = hits[b];
        if (best_first ? better(y, x) : better(x, y)) {
          hits[a] = y;
          hits[b] = x;
        }
      });
    }
  }
}

// Puts what was found for query q among its best and raises the floor. Where candidates were left out the best stay as
// they are (the step is done again) but the floor may rise: the k-th of rows that are all different is a floor whether
// they are kept or not. `shared`: kSharedHits.
template <typename Block>
LINEAMENT_BODY void merge_found(const Block& block, const Batch& batch, uint32_t q, Hit* shared) {
  const uint32_t count = kept(batch, q), k = batch.k;
  if (count == 0) return;
  uint32_t total = 2;
  while (total < k + count) total *= 2;
  Hit* const list = total <= kSharedHits ? shared : batch.scratch + static_cast<uint64_t>(q) * batch.list;
  Hit* const best = batch.best + static_cast<uint64_t>(q) * k;
  const Hit* const found = batch.found + static_cast<uint64_t>(q) * batch.room;
  block.each(total, [&](uint32_t i) { list[i] = i < k ? best[i] : i < k + count ? found[i - k] : no_hit(); });
  sort_hits(block, list, total);
  if (batch.counts[q] <= batch.room) {
    block.each(k, [&](uint32_t i) { best[i] = list[i]; });
  }
  block.each(1, [&](uint32_t) {
    const Hit last = list[k - 1];
    if (!is_hit(last) || last.score <= batch.floors[q]) return;
    batch.floors[q] = last.score;
    batch.needed[q] = needed_for(last.score, batch.rules[q]);
  });
}

}  // namespace lineament::cuda
