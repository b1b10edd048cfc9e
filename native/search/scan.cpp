#include "search/scan.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <mutex>
#include <new>

#include "core/spread.h"
#include "search/kernels.h"
#include "search/top_hits.h"

namespace lineament {
namespace {

constexpr size_t kChunk = 1024;  // rows whose upper plane (256 KiB at 512 dimensions) stays in the second-level cache
constexpr size_t kBatchChunk = 64;    // rows that a batch compares at a time: their sums for 256 queries are 64 KiB
constexpr size_t kBatchQueries = 12;  // from here on packing tiles pays
constexpr size_t kLine = 64;

void ask_for(const void* begin, size_t bytes) {
#if defined(__GNUC__)
  const char* p = static_cast<const char*>(begin);
  for (size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(p + i);
#else
  (void)begin, (void)bytes, (void)kLine;
#endif
}

// What all threads of a search share.
struct Search {
  const VectorCoder& coder;
  BlockSource& source;
  const SearchOptions& options;
  std::vector<CodedQuery> queries;
  AlignedBuffer<int8_t> codes;              // of all queries, one after the other
  std::vector<std::atomic<double>> floors;  // for each query: no row below it is among its best
  std::atomic<size_t> next{0};
  std::mutex mutex;
  std::vector<TopHits> best;

  Search(const VectorCoder& with, BlockSource& from, const SearchOptions& how, size_t count)
      : coder(with), source(from), options(how), queries(count), floors(count), best(count, TopHits(how.k)) {
    for (auto& floor : floors) floor.store(how.threshold, std::memory_order_relaxed);
  }
};

// A row that the bounds of all eight bits did not exclude.
struct Candidate {
  uint32_t row;
  float estimate;
  float upper;
};

// One thread's part of a search.
class Scanner {
 public:
  explicit Scanner(Search* search)
      : search_(*search),
        kernels_(search_kernels()),
        stride_(search->coder.stride()),
        dims_(search->coder.dims()),
        count_(search->queries.size()),
        batch_(count_ >= kBatchQueries),
        best_(count_, TopHits(search->options.k)) {}

  bool reserve() {
    const size_t pitch = kBatchChunk;
    return dots_.reset(batch_ ? std::max(count_ * pitch, kChunk) : kChunk) && kept_.reset(kChunk) &&
           floats_.reset(2 * stride_) &&
           (!batch_ || tiles_.reset((kBatchChunk / static_cast<size_t>(kernels_.lanes)) *
                                    static_cast<size_t>(kernels_.lanes) * 2 * stride_));
  }

  Status run() {
    while (true) {
      if (is_cancelled(search_.options.cancel)) return Status(Code::kAborted, "The search was cancelled");
      const size_t block = search_.next.fetch_add(1, std::memory_order_relaxed);
      if (block >= search_.source.blocks()) break;
      BlockView view;
      if (!search_.source.open(block, &view)) continue;
      const Closer closer{search_.source, block};
      Status status = batch_ ? scan_batch(view) : scan_single(view);
      if (!status.ok()) return status;
    }
    const std::lock_guard<std::mutex> lock(search_.mutex);
    for (size_t q = 0; q < count_; ++q) search_.best[q].merge(best_[q]);
    if (search_.options.work != nullptr) {
      search_.options.work->rows += work_.rows;
      search_.options.work->refined += work_.refined;
      search_.options.work->scored += work_.scored;
    }
    return Status();
  }

 private:
  struct Closer {
    BlockSource& source;
    size_t block;
    ~Closer() { source.close(block); }
  };

  double floor_of(size_t q) const { return search_.floors[q].load(std::memory_order_relaxed); }

  // After a hit: tells the other threads what is out of question now.
  void raise(size_t q) {
    if (!best_[q].full()) return;
    const double mine = best_[q].worst();
    double seen = floor_of(q);
    while (seen < mine && !search_.floors[q].compare_exchange_weak(seen, mine, std::memory_order_relaxed)) {
    }
  }

  Status scan_single(const BlockView& view) {
    for (size_t begin = 0; begin < view.rows; begin += kChunk) {
      if (is_cancelled(search_.options.cancel)) return Status(Code::kAborted, "The search was cancelled");
      const size_t end = std::min(view.rows, begin + kChunk);
      if (view.mask == nullptr) {
        compare_rows(view, begin, end);
        continue;
      }
      // Runs of words of the mask in which any bit is set.
      for (size_t from = begin; from < end;) {
        if (view.mask[from / 64] == 0) {
          from += 64;
          continue;
        }
        size_t to = from;
        while (to < end && view.mask[to / 64] != 0) to += 64;
        compare_rows(view, from, std::min(to, end));
        from = to;
      }
    }
    return Status();
  }

  void compare_rows(const BlockView& view, size_t begin, size_t end) {
    for (size_t q = 0; q < count_; ++q) {
      kernels_.dot_high(view.high + begin * stride_, stride_, end - begin, search_.queries[q].code.data(),
                        dots_.data());
      refine(view, q, dots_.data(), begin, end, 4);
    }
  }

  Status scan_batch(const BlockView& view) {
    const size_t lanes = static_cast<size_t>(kernels_.lanes);
    for (size_t begin = 0; begin < view.rows; begin += kBatchChunk) {
      if (is_cancelled(search_.options.cancel)) return Status(Code::kAborted, "The search was cancelled");
      if (view.mask != nullptr && view.mask[begin / 64] == 0) continue;
      const size_t end = std::min(view.rows, begin + kBatchChunk);
      const size_t groups = (end - begin + lanes - 1) / lanes;
      for (size_t g = 0; g < groups; ++g) {
        const size_t row = begin + g * lanes;
        kernels_.pack_tile(view.high + row * stride_, view.low + row * stride_, stride_, std::min(lanes, end - row),
                           tiles_.data() + g * lanes * 2 * stride_);
      }
      kernels_.dot_tile(tiles_.data(), groups, stride_, search_.codes.data(), count_, dots_.data(), kBatchChunk);
      for (size_t q = 0; q < count_; ++q) {
        refine(view, q, dots_.data() + q * kBatchChunk, begin, end, kernels_.tile_bits);
      }
    }
    return Status();
  }

  // The rule by which sums over codes of so many bits are judged.
  static KeepRule rule_for(const CodedQuery& query, int bits, double floor) {
    const float middle = static_cast<float>((1 << bits) - 1) / 2;
    // Rounded down; float differences are looked after by query.error.
    const float needed = std::nextafter(static_cast<float>(floor - query.error), -4.0f);
    return {query.scale, middle * static_cast<float>(query.sum), query.length, needed};
  }

  // Goes on with the rows begin … end, whose codes of so many bits gave `dots`.
  void refine(const BlockView& view, size_t q, const int32_t* dots, size_t begin, size_t end, int bits) {
    const CodedQuery& query = search_.queries[q];
    const CodeBound* bounds = bits == 4 ? view.coarse : bits == 5 ? view.middle : view.fine;
    const size_t count =
        kernels_.keep(dots, bounds + begin, end - begin, rule_for(query, bits, floor_of(q)), kept_.data());
    work_.rows += end - begin;
    if (count == 0) return;

    const KeepRule fine = rule_for(query, 8, floor_of(q));
    candidates_.clear();
    for (size_t i = 0; i < count; ++i) {
      if (bits < 8 && i + kAhead < count) ask_for(view.low + (begin + kept_[i + kAhead]) * stride_, stride_);
      const size_t row = begin + kept_[i];
      if (view.mask != nullptr && (view.mask[row / 64] >> (row % 64) & 1) == 0) continue;
      int32_t dot = dots[kept_[i]];
      if (bits < 8) {
        if (bits == 5) dot = kernels_.dot_row(view.high + row * stride_, stride_, query.code.data());
        dot = 16 * dot + kernels_.dot_row(view.low + row * stride_, stride_, query.code.data());
        ++work_.refined;
      }
      const float estimate = view.fine[row].scale * fine.scale * (static_cast<float>(dot) - fine.offset);
      const float upper = estimate + view.fine[row].error * fine.length;
      if (upper >= fine.needed) candidates_.push_back({static_cast<uint32_t>(row), estimate, upper});
    }
    score(view, q);
  }

  // Scores what is left, the most promising first, since they raise the floor for the others.
  void score(const BlockView& view, size_t q) {
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.estimate > b.estimate; });
    double floor = floor_of(q);
    float needed = rule_for(search_.queries[q], 8, floor).needed;
    for (const Candidate& candidate : candidates_) {
      if (candidate.upper < needed) continue;
      const double score = exact(view, candidate.row, search_.queries[q]);
      ++work_.scored;
      if (score < floor) continue;
      if (!best_[q].offer({view.keys[candidate.row], score})) continue;
      raise(q);
      floor = floor_of(q);
      needed = rule_for(search_.queries[q], 8, floor).needed;
    }
  }

  double exact(const BlockView& view, size_t row, const CodedQuery& query) {
    if (view.stored == StoredVectors::kFloat32) {
      return kernels_.dot_f32(static_cast<const float*>(view.vectors) + row * dims_, query.vector.data(), dims_);
    }
    if (view.stored == StoredVectors::kFloat16) {
      kernels_.from_half(static_cast<const uint16_t*>(view.vectors) + row * dims_, dims_, floats_.data());
      return kernels_.dot_f32(floats_.data(), query.vector.data(), dims_);
    }
    const uint8_t* high = view.high + row * stride_;
    const uint8_t* low = view.low + row * stride_;
    for (size_t i = 0; i < stride_; ++i) {
      floats_[i] = static_cast<float>((high[i] & 15) * 16 + (low[i] & 15)) - 127.5f;
      floats_[stride_ + i] = static_cast<float>((high[i] & 0xf0) + (low[i] >> 4)) - 127.5f;
    }
    return static_cast<double>(view.fine[row].scale) *
           kernels_.dot_f32(floats_.data(), query.rotated.data(), 2 * stride_);
  }

  static constexpr size_t kAhead = 6;  // rows between asking for one and reading it

  Search& search_;
  const SearchKernels& kernels_;
  const size_t stride_;
  const size_t dims_;
  const size_t count_;
  const bool batch_;
  std::vector<TopHits> best_;
  AlignedBuffer<int32_t> dots_;
  AlignedBuffer<uint32_t> kept_;
  AlignedBuffer<float> floats_;
  AlignedBuffer<uint8_t> tiles_;
  std::vector<Candidate> candidates_;
  SearchWork work_;
};

Status check(const VectorCoder& coder, const float* queries, size_t count, const SearchOptions& options) {
  if (options.k == 0) return Status(Code::kInvalidArgument, "A search asks for at least one hit");
  for (size_t q = 0; q < count; ++q) {
    double square = 0;
    for (size_t i = 0; i < coder.dims(); ++i) {
      const double value = queries[q * coder.dims() + i];
      square += value * value;
    }
    if (!(std::abs(square - 1) < 1e-3)) return Status(Code::kInvalidArgument, "A query is not of unit length");
  }
  return Status();
}

Status run_search(const VectorCoder& coder, BlockSource& source, const float* queries, size_t count,
                  const SearchOptions& options, Executor& executor, std::vector<std::vector<Hit>>* hits) {
  Search search(coder, source, options, count);
  const size_t width = 2 * coder.stride();
  const Status no_memory(Code::kOutOfMemory, "Not enough memory for the search");
  if (!search.codes.reset(count * width)) return no_memory;
  for (size_t q = 0; q < count; ++q) {
    if (!coder.prepare(queries + q * coder.dims(), &search.queries[q])) return no_memory;
    std::copy_n(search.queries[q].code.data(), width, search.codes.data() + q * width);
  }
  const size_t threads = std::max<size_t>(1, std::min(options.threads, source.blocks()));
  Status status = spread(executor, threads, [&search, &no_memory](size_t) {
    try {
      Scanner scanner(&search);
      return scanner.reserve() ? scanner.run() : no_memory;
    } catch (const std::bad_alloc&) {
      return no_memory;
    }
  });
  if (!status.ok()) return status;
  for (TopHits& best : search.best) hits->push_back(best.take());
  return Status();
}

}  // namespace

Status search_blocks(const VectorCoder& coder, BlockSource& source, const float* queries, size_t count,
                     const SearchOptions& options, Executor& executor, std::vector<std::vector<Hit>>* hits) {
  hits->clear();
  Status status = check(coder, queries, count, options);
  if (!status.ok()) return status;
  try {
    return run_search(coder, source, queries, count, options, executor, hits);
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Not enough memory for the search");
  }
}

}  // namespace lineament
