#include "cloud/cells.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "cloud/ranges.h"

namespace lineament {
namespace {

constexpr size_t kStep = 1 << 15;
// Points of a bucket, about: its table of cells stays in the cache.
constexpr size_t kBucket = 4096;
constexpr uint32_t kNone = 0xffffffffU;

struct Entry {
  uint64_t cell;
  uint32_t index;
  uint32_t local;  // the cell's number within its bucket
};

uint64_t scrambled(uint64_t cell) { return cell * 0x9e3779b97f4a7c15ULL; }

class Grouping {
 public:
  Grouping(const CloudView& cloud, Executor& executor, const CancelToken* token)
      : cloud_(cloud), executor_(executor), token_(token), chunks_((cloud.size + kStep - 1) / kStep) {
    bits_ = std::bit_width(cloud.size / kBucket);
    buckets_ = size_t{1} << bits_;
  }

  Status run(double size, double margin, CellGroups* out) {
    Status done = bounds(size, margin);
    if (done.ok()) done = number(size);
    if (done.ok()) done = sort();
    if (done.ok()) done = find_cells();
    if (done.ok()) done = put(out);
    return done;
  }

 private:
  size_t bucket_of(uint64_t cell) const {
    return bits_ == 0 ? 0 : static_cast<size_t>(scrambled(cell) >> (64 - bits_));
  }

  Status bounds(double size, double margin) {
    std::vector<float> low(3 * chunks_), high(3 * chunks_);
    const Status done = for_ranges(executor_, token_, cloud_.size, kStep, [&](size_t begin, size_t end) {
      float* least = low.data() + 3 * (begin / kStep);
      float* most = high.data() + 3 * (begin / kStep);
      for (size_t c = 0; c < 3; ++c) least[c] = most[c] = cloud_.positions[3 * begin + c];
      for (size_t i = 3 * begin; i < 3 * end; i += 3) {
        for (size_t c = 0; c < 3; ++c) {
          least[c] = std::min(least[c], cloud_.positions[i + c]);
          most[c] = std::max(most[c], cloud_.positions[i + c]);
        }
      }
    });
    if (!done.ok()) return done;
    for (size_t c = 0; c < 3; ++c) {
      float least = low[c], most = high[c];
      for (size_t k = 1; k < chunks_; ++k) {
        least = std::min(least, low[3 * k + c]);
        most = std::max(most, high[3 * k + c]);
      }
      origin_[c] = static_cast<double>(least) - size * margin;
      if (!((static_cast<double>(most) - origin_[c]) / size < static_cast<double>(kMostCells))) {
        return too_fine();
      }
    }
    return Status();
  }

  Status number(double size) {
    cells_.resize(cloud_.size);
    counts_.assign(chunks_ * buckets_, 0);
    return for_ranges(executor_, token_, cloud_.size, kStep, [&](size_t begin, size_t end) {
      uint32_t* counts = counts_.data() + begin / kStep * buckets_;
      for (size_t i = begin; i < end; ++i) {
        uint64_t cell = 0;
        for (size_t c = 3; c-- > 0;) {
          const double at = (static_cast<double>(cloud_.positions[3 * i + c]) - origin_[c]) / size;
          cell = cell << 21 | static_cast<uint64_t>(static_cast<int64_t>(at));  // at ≥ 0: the same as its floor
        }
        cells_[i] = cell;
        ++counts[bucket_of(cell)];
      }
    });
  }

  Status sort() {
    ends_.resize(buckets_);
    uint32_t sum = 0;
    for (size_t b = 0; b < buckets_; ++b) {
      for (size_t k = 0; k < chunks_; ++k) {
        const uint32_t count = counts_[k * buckets_ + b];
        counts_[k * buckets_ + b] = sum;
        sum += count;
      }
      ends_[b] = sum;
    }
    entries_.resize(cloud_.size);
    return for_ranges(executor_, token_, cloud_.size, kStep, [&](size_t begin, size_t end) {
      uint32_t* to = counts_.data() + begin / kStep * buckets_;
      for (size_t i = begin; i < end; ++i) {
        entries_[to[bucket_of(cells_[i])]++] = {cells_[i], static_cast<uint32_t>(i), 0};
      }
    });
  }

  // Numbers the cells of each bucket, and marks in rank_ where each begins.
  Status find_cells() {
    rank_.assign(cloud_.size, 0);
    sizes_.resize(buckets_);
    return for_ranges(executor_, token_, buckets_, 1, [&](size_t b, size_t) {
      const size_t begin = b == 0 ? 0 : ends_[b - 1], end = ends_[b];
      const int bits = std::bit_width(2 * (end - begin) + 1);
      const uint64_t mask = (uint64_t{1} << bits) - 1;
      std::vector<uint32_t> table(size_t{1} << bits, kNone), first;
      std::vector<uint32_t>& counts = sizes_[b];
      for (size_t i = begin; i < end; ++i) {
        Entry& entry = entries_[i];
        uint64_t slot = (scrambled(entry.cell) << bits_ >> 20) & mask;
        while (table[slot] != kNone && entries_[first[table[slot]]].cell != entry.cell) slot = (slot + 1) & mask;
        if (table[slot] == kNone) {
          table[slot] = static_cast<uint32_t>(counts.size());
          first.push_back(static_cast<uint32_t>(i));
          counts.push_back(0);
          rank_[entry.index] = 1;
        }
        entry.local = table[slot];
        ++counts[entry.local];
      }
    });
  }

  Status put(CellGroups* out) {
    uint32_t cells = 0;
    for (uint32_t& rank : rank_) {
      if (rank != 0) rank = cells++;
    }
    out->cells.resize(cells);
    out->starts.resize(cells + size_t{1});
    out->members.resize(cloud_.size);
    // Entries keep the cloud's order: the first one of a cell is its first point.
    const Status done = for_ranges(executor_, token_, buckets_, 1, [&](size_t b, size_t) {
      std::vector<uint32_t>& sizes = sizes_[b];
      uint32_t seen = 0;
      for (size_t i = b == 0 ? 0 : ends_[b - 1]; seen < sizes.size(); ++i) {
        if (entries_[i].local != seen) continue;
        const uint32_t rank = rank_[entries_[i].index];
        out->cells[rank] = entries_[i].cell;
        out->starts[rank + size_t{1}] = sizes[seen];
        sizes[seen++] = rank;
      }
    });
    if (!done.ok()) return done;
    for (size_t c = 0; c < cells; ++c) out->starts[c + 1] += out->starts[c];
    return for_ranges(executor_, token_, buckets_, 1, [&](size_t b, size_t) {
      std::vector<uint32_t>& to = sizes_[b];
      for (uint32_t& place : to) place = out->starts[place];
      for (size_t i = b == 0 ? 0 : ends_[b - 1]; i < ends_[b]; ++i) {
        out->members[to[entries_[i].local]++] = entries_[i].index;
      }
    });
  }

  const CloudView cloud_;
  Executor& executor_;
  const CancelToken* token_;
  const size_t chunks_;
  int bits_ = 0;
  size_t buckets_ = 1;
  double origin_[3] = {};
  std::vector<uint64_t> cells_;
  std::vector<uint32_t> counts_;  // chunk by chunk: points of each bucket, then where they go
  std::vector<uint32_t> ends_;    // of the buckets
  std::vector<Entry> entries_;
  std::vector<uint32_t> rank_;
  std::vector<std::vector<uint32_t>> sizes_;  // of the cells of each bucket, then where they are
};

}  // namespace

Status check_cell_size(double size) {
  if (std::isfinite(size) && size > 0) return Status();
  return Status(Code::kInvalidArgument, "Expected a size of cells above zero");
}

Status too_fine() {
  return Status(Code::kInvalidArgument, "The cloud would have more than two million cells along an axis");
}

Result<CellGroups> group_by_cell(const CloudView& cloud, double size, double margin, Executor& executor,
                                 const CancelToken* token) {
  if (const Status good = check_cell_size(size); !good.ok()) return good;
  CellGroups out;
  out.starts.assign(1, 0);
  if (cloud.size == 0) return out;
  const Status done = Grouping(cloud, executor, token).run(size, margin, &out);
  if (!done.ok()) return done;
  return out;
}

}  // namespace lineament
