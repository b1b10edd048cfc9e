// Points are summed where they stand: runs of points in one cube first (a depth camera gives them row by row), then the
// cubes of a part of the cloud, then the parts. Parts have a fixed length, so sums do not depend on the number of
// threads.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "cloud/cells.h"
#include "cloud/ranges.h"
#include "cloud/voxels.h"

namespace lineament {
namespace {

constexpr size_t kPart = 1 << 16;    // points
constexpr size_t kBatch = 256;       // points whose cells are worked out together
constexpr size_t kBucket = 1 << 12;  // sums, about: their table stays in the cache
constexpr uint32_t kNone = 0xffffffffU;

struct Sum {
  uint64_t cell;
  double at[3];
  uint32_t count;
};

struct Looks {
  double normal[3];
  uint64_t colour[3];
};

uint64_t scrambled(uint64_t cell) { return cell * 0x9e3779b97f4a7c15ULL; }

// Sums by cell, in the order in which their cells were first seen.
class Sums {
 public:
  explicit Sums(bool with_looks) : with_looks_(with_looks) { table_.assign(size_t{1} << bits_, kNone); }

  // The sum of a cell; a new one is zero.
  size_t find(uint64_t cell) {
    size_t slot = start(cell);
    while (table_[slot] != kNone) {
      if (sums[table_[slot]].cell == cell) return table_[slot];
      slot = (slot + 1) & (table_.size() - 1);
    }
    table_[slot] = static_cast<uint32_t>(sums.size());
    sums.push_back({cell, {0, 0, 0}, 0});
    if (with_looks_) looks.push_back({});
    if (2 * sums.size() > table_.size()) grow();
    return sums.size() - 1;
  }

  std::vector<Sum> sums;
  std::vector<Looks> looks;

 private:
  size_t start(uint64_t cell) const { return static_cast<size_t>(scrambled(cell) >> (64 - bits_)); }
  void grow() {
    ++bits_;
    table_.assign(size_t{1} << bits_, kNone);
    for (size_t i = 0; i < sums.size(); ++i) {
      size_t slot = start(sums[i].cell);
      while (table_[slot] != kNone) slot = (slot + 1) & (table_.size() - 1);
      table_[slot] = static_cast<uint32_t>(i);
    }
  }

  bool with_looks_;
  int bits_ = 13;
  std::vector<uint32_t> table_;
};

struct Part {
  std::vector<Sum> sums;
  std::vector<Looks> looks;
  std::vector<uint32_t> order;   // the sums by bucket, and in their order within one
  std::vector<uint32_t> starts;  // of the buckets in `order`
};

class Averaging {
 public:
  Averaging(const CloudView& cloud, Executor& executor, const CancelToken* token)
      : cloud_(cloud),
        executor_(executor),
        token_(token),
        looks_(cloud.normals != nullptr || cloud.colours != nullptr),
        parts_((cloud.size + kPart - 1) / kPart) {}

  Status run(double size, PointCloud* out) {
    Status done = lowest(size);
    if (done.ok()) done = sum_parts(size);
    if (done.ok()) done = sort_parts();
    if (done.ok()) done = join();
    if (done.ok()) done = write(out);
    return done;
  }

 private:
  Status lowest(double size) {
    std::vector<float> low(3 * parts_.size()), high(3 * parts_.size());
    const Status done = for_ranges(executor_, token_, cloud_.size, kPart, [&](size_t begin, size_t end) {
      // Four points side by side: minima of each of the twelve numbers.
      float least[12], most[12];
      const float* at = cloud_.positions + 3 * begin;
      const size_t count = 3 * (end - begin);
      for (size_t k = 0; k < 12; ++k) least[k] = most[k] = at[k % 3];
      size_t i = 0;
      for (; i + 12 <= count; i += 12) {
        for (size_t k = 0; k < 12; ++k) {
          least[k] = std::min(least[k], at[i + k]);
          most[k] = std::max(most[k], at[i + k]);
        }
      }
      for (; i < count; ++i) {
        least[i % 3] = std::min(least[i % 3], at[i]);
        most[i % 3] = std::max(most[i % 3], at[i]);
      }
      for (size_t c = 0; c < 3; ++c) {
        low[3 * (begin / kPart) + c] = std::min({least[c], least[c + 3], least[c + 6], least[c + 9]});
        high[3 * (begin / kPart) + c] = std::max({most[c], most[c + 3], most[c + 6], most[c + 9]});
      }
    });
    if (!done.ok()) return done;
    for (size_t c = 0; c < 3; ++c) {
      float least = low[c], most = high[c];
      for (size_t k = 1; k < parts_.size(); ++k) {
        least = std::min(least, low[3 * k + c]);
        most = std::max(most, high[3 * k + c]);
      }
      origin_[c] = static_cast<double>(least) - size * 0.5;
      if (!((static_cast<double>(most) - origin_[c]) / size < static_cast<double>(kMostCells))) return too_fine();
    }
    return Status();
  }

  Status sum_parts(double size) {
    std::vector<double> origins(3 * kBatch);
    for (size_t i = 0; i < 3 * kBatch; ++i) origins[i] = origin_[i % 3];
    return for_ranges(executor_, token_, cloud_.size, kPart, [&](size_t begin, size_t end) {
      Sums sums(looks_);
      int32_t cells[3 * kBatch];
      for (size_t first = begin; first < end; first += kBatch) {
        const size_t count = std::min(kBatch, end - first);
        const float* at = cloud_.positions + 3 * first;
        for (size_t i = 0; i < 3 * count; ++i) {
          // Not below 0: the same as the floor.
          cells[i] = static_cast<int32_t>((static_cast<double>(at[i]) - origins[i]) / size);
        }
        for (size_t i = 0; i < count;) {
          const int32_t x = cells[3 * i], y = cells[3 * i + 1], z = cells[3 * i + 2];
          const size_t run = i;
          double sum[3] = {0, 0, 0};
          do {
            for (size_t c = 0; c < 3; ++c) sum[c] += static_cast<double>(at[3 * i + c]);
            ++i;
          } while (i < count && cells[3 * i] == x && cells[3 * i + 1] == y && cells[3 * i + 2] == z);
          const size_t to =
              sums.find(static_cast<uint64_t>(x) | static_cast<uint64_t>(y) << 21 | static_cast<uint64_t>(z) << 42);
          for (size_t c = 0; c < 3; ++c) sums.sums[to].at[c] += sum[c];
          sums.sums[to].count += static_cast<uint32_t>(i - run);
          if (looks_) add_looks(first + run, first + i, &sums.looks[to]);
        }
      }
      Part& part = parts_[begin / kPart];
      part.sums = std::move(sums.sums);
      part.looks = std::move(sums.looks);
    });
  }

  void add_looks(size_t begin, size_t end, Looks* looks) const {
    for (size_t i = 3 * begin; i < 3 * end; i += 3) {
      for (size_t c = 0; c < 3; ++c) {
        if (cloud_.normals != nullptr) looks->normal[c] += static_cast<double>(cloud_.normals[i + c]);
        if (cloud_.colours != nullptr) looks->colour[c] += cloud_.colours[i + c];
      }
    }
  }

  size_t bucket_of(uint64_t cell) const {
    // Other bits than those that a table of sums begins with.
    return static_cast<size_t>(scrambled(cell ^ cell >> 31) >> 20 & (buckets_ - 1));
  }

  Status sort_parts() {
    size_t total = 0;
    offsets_.clear();
    for (const Part& part : parts_) {
      offsets_.push_back(total);
      total += part.sums.size();
    }
    offsets_.push_back(total);
    buckets_ = std::bit_ceil(total / kBucket + 1);
    return for_ranges(executor_, token_, parts_.size(), 1, [&](size_t p, size_t) {
      Part& part = parts_[p];
      part.starts.assign(buckets_ + 1, 0);
      for (const Sum& sum : part.sums) ++part.starts[bucket_of(sum.cell) + 1];
      for (size_t b = 0; b < buckets_; ++b) part.starts[b + 1] += part.starts[b];
      part.order.resize(part.sums.size());
      std::vector<uint32_t> to(part.starts.begin(), part.starts.end() - 1);
      for (size_t i = 0; i < part.sums.size(); ++i)
        part.order[to[bucket_of(part.sums[i].cell)]++] = static_cast<uint32_t>(i);
    });
  }

  // Adds up the parts' sums of each cell, and marks in rank_ where each cell was seen first.
  Status join() {
    joined_.resize(buckets_, Sums(looks_));
    firsts_.resize(buckets_);
    rank_.assign(offsets_.back(), 0);
    return for_ranges(executor_, token_, buckets_, 1, [&](size_t b, size_t) {
      Sums& all = joined_[b];
      for (size_t p = 0; p < parts_.size(); ++p) {
        const Part& part = parts_[p];
        for (size_t k = part.starts[b]; k < part.starts[b + 1]; ++k) {
          const uint32_t i = part.order[k];
          const Sum& from = part.sums[i];
          const size_t to = all.find(from.cell);
          if (to == firsts_[b].size()) {
            firsts_[b].push_back(offsets_[p] + i);
            rank_[offsets_[p] + i] = 1;
          }
          for (size_t c = 0; c < 3; ++c) all.sums[to].at[c] += from.at[c];
          all.sums[to].count += from.count;
          if (!looks_) continue;
          for (size_t c = 0; c < 3; ++c) {
            all.looks[to].normal[c] += part.looks[i].normal[c];
            all.looks[to].colour[c] += part.looks[i].colour[c];
          }
        }
      }
    });
  }

  Status write(PointCloud* out) {
    uint32_t cells = 0;
    for (uint32_t& rank : rank_) {
      if (rank != 0) rank = cells++;
    }
    out->positions.resize(3 * size_t{cells});
    if (cloud_.normals != nullptr) out->normals.resize(3 * size_t{cells});
    if (cloud_.colours != nullptr) out->colours.resize(3 * size_t{cells});
    return for_ranges(executor_, token_, buckets_, 1, [&](size_t b, size_t) {
      for (size_t i = 0; i < joined_[b].sums.size(); ++i) {
        const Sum& sum = joined_[b].sums[i];
        const size_t to = 3 * size_t{rank_[firsts_[b][i]]};
        for (size_t c = 0; c < 3; ++c) {
          out->positions[to + c] = static_cast<float>(sum.at[c] / static_cast<double>(sum.count));
        }
        if (looks_) write_looks(joined_[b].looks[i], sum.count, to, out);
      }
    });
  }

  void write_looks(const Looks& looks, uint32_t count, size_t to, PointCloud* out) const {
    const double* n = looks.normal;
    const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (size_t c = 0; c < 3; ++c) {
      if (cloud_.normals != nullptr && length > 0) out->normals[to + c] = static_cast<float>(n[c] / length);
      if (cloud_.colours != nullptr) out->colours[to + c] = static_cast<uint8_t>((looks.colour[c] + count / 2) / count);
    }
  }

  const CloudView& cloud_;
  Executor& executor_;
  const CancelToken* token_;
  const bool looks_;
  double origin_[3] = {};
  std::vector<Part> parts_;
  std::vector<size_t> offsets_;  // of the parts' sums, counted on
  size_t buckets_ = 1;
  std::vector<Sums> joined_;  // of each bucket
  std::vector<std::vector<size_t>> firsts_;
  std::vector<uint32_t> rank_;
};

}  // namespace

Result<PointCloud> voxel_means(const CloudView& cloud, double size, Executor& executor, const CancelToken* token) {
  if (const Status good = check_cloud(cloud, executor, token); !good.ok()) return good;
  if (const Status good = check_cell_size(size); !good.ok()) return good;
  PointCloud out;
  if (cloud.size == 0) return out;
  try {
    const Status done = Averaging(cloud, executor, token).run(size, &out);
    if (!done.ok()) return done;
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the points");
  }
  return out;
}

}  // namespace lineament
