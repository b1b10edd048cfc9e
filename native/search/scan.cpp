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
constexpr int kFew = 4;               // rows among 64 that are looked at one by one
constexpr size_t kQueryBytes = size_t{1} << 17;  // codes of the queries that are compared at a time
constexpr size_t kMostLater = size_t{1} << 20;   // rows put off before they are looked at
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
  std::mutex mutex;  // guards what follows
  std::vector<TopHits> best;

  Search(const VectorCoder& with, BlockSource& from, const SearchOptions& how, size_t count)
      : coder(with), source(from), options(how), queries(count), floors(count), best(count, TopHits(how.k)) {
    for (auto& floor : floors) floor.store(how.threshold, std::memory_order_relaxed);
  }
};

// A row that the upper plane did not exclude and did not make likely either: it is looked at again when all blocks have
// been seen, and most such rows are out of question by then.
struct Later {
  uint32_t row;
  int32_t dot;  // of the upper plane
  float upper;  // bound on the score
};

// The rows of one block put off for one query, up to `end` in the list of all (from where the one before it ends).
struct LaterRun {
  size_t block;
  size_t query;
  size_t end;
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
        batch_(count_ >= kBatchQueries) {}

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
      Status status = batch_ ? scan_batch(view, block) : scan_single(view, block);
      if (status.ok() && later_.size() > kMostLater) status = look_again();
      if (!status.ok()) return status;
    }
    Status status = look_again();
    if (!status.ok()) return status;
    const std::lock_guard<std::mutex> lock(search_.mutex);
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

  // Offers a hit; the floor rises where it was among the best.
  void offer(size_t q, const Hit& hit) {
    const std::lock_guard<std::mutex> lock(search_.mutex);
    TopHits& best = search_.best[q];
    if (!best.offer(hit) || !best.full()) return;
    search_.floors[q].store(std::max(best.worst(), search_.options.threshold), std::memory_order_relaxed);
  }

  Status scan_single(const BlockView& view, size_t block) {
    for (size_t begin = 0; begin < view.rows; begin += kChunk) {
      if (is_cancelled(search_.options.cancel)) return Status(Code::kAborted, "The search was cancelled");
      const size_t end = std::min(view.rows, begin + kChunk);
      if (view.mask == nullptr) {
        compare_rows(view, block, begin, end);
        continue;
      }
      // Runs of words of the mask in which many bits are set; rows of the others one by one.
      for (size_t from = begin; from < end;) {
        if (few(view.mask[from / 64])) {
          compare_few(view, block, from);
          from += 64;
          continue;
        }
        size_t to = from;
        while (to < end && !few(view.mask[to / 64])) to += 64;
        compare_rows(view, block, from, std::min(to, end));
        from = to;
      }
    }
    return Status();
  }

  static bool few(uint64_t word) { return std::popcount(word) <= kFew; }

  void compare_few(const BlockView& view, size_t block, size_t begin) {
    for (uint64_t word = view.mask[begin / 64]; word != 0; word &= word - 1) {
      const size_t row = begin + static_cast<size_t>(std::countr_zero(word));
      if (row < view.rows) compare_rows(view, block, row, row + 1);
    }
  }

  void compare_rows(const BlockView& view, size_t block, size_t begin, size_t end) {
    for (size_t q = 0; q < count_; ++q) {
      const CodedQuery& query = search_.queries[q];
      kernels_.dot_high(view.high + begin * stride_, stride_, end - begin, query.code.data(), dots_.data());
      work_.rows += end - begin;
      const double floor = floor_of(q);
      const KeepRule rule = rule_for(query, 4, floor);
      const size_t count = kernels_.keep(dots_.data(), view.coarse + begin, end - begin, rule, kept_.data());
      if (count == 0) continue;
      const KeepRule fine = rule_for(query, 8, floor);
      candidates_.clear();
      for (size_t i = 0; i < count; ++i) {
        const size_t row = begin + kept_[i];
        if (!may_be_found(view, row)) continue;
        const int32_t dot = dots_[kept_[i]];
        const CodeBound bound = view.coarse[row];
        const float estimate = bound.scale * rule.scale * (static_cast<float>(dot) - rule.offset);
        if (estimate >= fine.needed) {
          consider(view, row, 16 * dot + low_dot(view, row, query), fine);
        } else {
          later_.push_back({static_cast<uint32_t>(row), dot, estimate + bound.error * rule.length});
        }
      }
      score(view, q);
      if (later_.size() > (runs_.empty() ? 0 : runs_.back().end)) {
        if (!runs_.empty() && runs_.back().block == block && runs_.back().query == q) {
          runs_.back().end = later_.size();
        } else {
          runs_.push_back({block, q, later_.size()});
        }
      }
    }
  }

  // Refines the rows that were put off and are still in question.
  Status look_again() {
    size_t begin = 0;
    for (const LaterRun& run : runs_) {
      if (is_cancelled(search_.options.cancel)) return Status(Code::kAborted, "The search was cancelled");
      const CodedQuery& query = search_.queries[run.query];
      const double floor = floor_of(run.query);
      const float needed = rule_for(query, 4, floor).needed;
      size_t kept = begin;
      for (size_t i = begin; i < run.end; ++i) {
        later_[kept] = later_[i];
        kept += later_[i].upper >= needed ? 1 : 0;
      }
      BlockView view;
      if (kept > begin && search_.source.open(run.block, &view)) {
        const Closer closer{search_.source, run.block};
        const KeepRule fine = rule_for(query, 8, floor);
        candidates_.clear();
        for (size_t i = begin; i < kept; ++i) {
          if (i + kAhead < kept) ask_for(view.low + later_[i + kAhead].row * stride_, stride_);
          const size_t row = later_[i].row;
          consider(view, row, 16 * later_[i].dot + low_dot(view, row, query), fine);
        }
        score(view, run.query);
      }
      begin = run.end;
    }
    later_.clear();
    runs_.clear();
    return Status();
  }

  static bool may_be_found(const BlockView& view, size_t row) {
    return view.mask == nullptr || (view.mask[row / 64] >> (row % 64) & 1) != 0;
  }

  int32_t low_dot(const BlockView& view, size_t row, const CodedQuery& query) {
    ++work_.refined;
    return kernels_.dot_row(view.low + row * stride_, stride_, query.code.data());
  }

  // Makes a row, whose whole codes gave `dot`, a candidate where their bound allows it.
  void consider(const BlockView& view, size_t row, int32_t dot, const KeepRule& fine) {
    const CodeBound bound = view.fine[row];
    const float estimate = bound.scale * fine.scale * (static_cast<float>(dot) - fine.offset);
    const float upper = estimate + bound.error * fine.length;
    if (upper >= fine.needed) candidates_.push_back({static_cast<uint32_t>(row), estimate, upper});
  }

  Status scan_batch(const BlockView& view, size_t block) {
    const size_t lanes = static_cast<size_t>(kernels_.lanes);
    for (size_t begin = 0; begin < view.rows; begin += kBatchChunk) {
      if (is_cancelled(search_.options.cancel)) return Status(Code::kAborted, "The search was cancelled");
      if (view.mask != nullptr && few(view.mask[begin / 64])) {
        compare_few(view, block, begin);
        continue;
      }
      const size_t end = std::min(view.rows, begin + kBatchChunk);
      const size_t groups = (end - begin + lanes - 1) / lanes;
      for (size_t g = 0; g < groups; ++g) {
        const size_t row = begin + g * lanes;
        kernels_.pack_tile(view.high + row * stride_, view.low + row * stride_, stride_, std::min(lanes, end - row),
                           tiles_.data() + g * lanes * 2 * stride_);
      }
      kernels_.dot_tile(tiles_.data(), groups, stride_, search_.codes.data(), count_, dots_.data(), kBatchChunk);
      for (size_t q = 0; q < count_; ++q) {
        refine(view, q, dots_.data() + q * kBatchChunk, begin, end);
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

  // Goes on with the rows begin … end of a batch, whose tile codes gave `dots`.
  void refine(const BlockView& view, size_t q, const int32_t* dots, size_t begin, size_t end) {
    const CodedQuery& query = search_.queries[q];
    const bool whole = kernels_.tile_bits == 8;
    const CodeBound* bounds = whole ? view.fine : view.middle;
    const double floor = floor_of(q);
    const size_t count =
        kernels_.keep(dots, bounds + begin, end - begin, rule_for(query, kernels_.tile_bits, floor), kept_.data());
    work_.rows += end - begin;
    if (count == 0) return;
    const KeepRule fine = rule_for(query, 8, floor);
    candidates_.clear();
    for (size_t i = 0; i < count; ++i) {
      const size_t row = begin + kept_[i];
      if (!may_be_found(view, row)) continue;
      int32_t dot = dots[kept_[i]];
      if (!whole) {
        dot = 16 * kernels_.dot_row(view.high + row * stride_, stride_, query.code.data()) + low_dot(view, row, query);
      }
      consider(view, row, dot, fine);
    }
    score(view, q);
  }

  // Scores what is left, the most promising first, since they raise the floor for the others.
  void score(const BlockView& view, size_t q) {
    if (candidates_.empty()) return;
    std::sort(candidates_.begin(), candidates_.end(),
              [](const Candidate& a, const Candidate& b) { return a.estimate > b.estimate; });
    double floor = floor_of(q);
    float needed = rule_for(search_.queries[q], 8, floor).needed;
    for (const Candidate& candidate : candidates_) {
      if (candidate.upper < needed) continue;
      const double score = exact(view, candidate.row, search_.queries[q]);
      ++work_.scored;
      if (score < floor) continue;
      offer(q, {view.keys[candidate.row], score});
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
  AlignedBuffer<int32_t> dots_;
  AlignedBuffer<uint32_t> kept_;
  AlignedBuffer<float> floats_;
  AlignedBuffer<uint8_t> tiles_;
  std::vector<Candidate> candidates_;
  std::vector<Later> later_;
  std::vector<LaterRun> runs_;
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
  // So many queries at a time as stay in the second-level cache beside what they are compared with.
  const size_t together = std::clamp(kQueryBytes / (2 * coder.stride()), size_t{64}, size_t{512});
  try {
    for (size_t q = 0; q < count && status.ok(); q += together) {
      status =
          run_search(coder, source, queries + q * coder.dims(), std::min(together, count - q), options, executor, hits);
    }
  } catch (const std::bad_alloc&) {
    status = Status(Code::kOutOfMemory, "Not enough memory for the search");
  }
  if (!status.ok()) hits->clear();
  return status;
}

}  // namespace lineament
