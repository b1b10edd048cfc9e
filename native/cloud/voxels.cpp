#include "cloud/voxels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <utility>

#include "cloud/cells.h"
#include "cloud/ranges.h"

namespace lineament {
namespace {

constexpr size_t kCellsAtOnce = 1 << 13;

// SplitMix64 (G. L. Steele et al., OOPSLA 2014): a number for a point that has nothing to do with where it lies.
uint64_t mixed(uint64_t value) {
  value += 0x9e3779b97f4a7c15ULL;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

// Where each cell is in CellGroups.
class CellIndex {
 public:
  explicit CellIndex(const std::vector<uint64_t>& cells) : cells_(cells), shift_(63 - std::bit_width(cells.size())) {
    table_.assign(size_t{1} << (64 - shift_), kNone);
    for (size_t c = 0; c < cells.size(); ++c) {
      size_t slot = start(cells[c]);
      while (table_[slot] != kNone) slot = next(slot);
      table_[slot] = static_cast<uint32_t>(c);
    }
  }
  static constexpr uint32_t kNone = 0xffffffffU;
  uint32_t find(uint64_t cell) const {
    size_t slot = start(cell);
    while (table_[slot] != kNone && cells_[table_[slot]] != cell) slot = next(slot);
    return table_[slot];
  }

 private:
  size_t start(uint64_t cell) const { return static_cast<size_t>(mixed(cell) >> shift_); }
  size_t next(size_t slot) const { return (slot + 1) & (table_.size() - 1); }

  const std::vector<uint64_t>& cells_;
  const int shift_;
  std::vector<uint32_t> table_;
};

// Cells of odd and even coordinates in turn, so that those thrown at at the same time are a cell apart.
class DartThrower {
 public:
  DartThrower(const CloudView& cloud, CellGroups& groups, double radius, uint64_t seed)
      : cloud_(cloud),
        groups_(groups),
        index_(groups.cells),
        squared_radius_(radius * radius),
        seed_(mixed(seed)),
        hits_(groups.cells.size(), 0) {}

  Status run(Executor& executor, const CancelToken* token) {
    std::array<std::vector<uint32_t>, 8> classes;
    for (size_t c = 0; c < groups_.cells.size(); ++c) {
      const uint64_t cell = groups_.cells[c];
      classes[(cell & 1) | (cell >> 20 & 2) | (cell >> 40 & 4)].push_back(static_cast<uint32_t>(c));
    }
    for (const std::vector<uint32_t>& cells : classes) {
      const Status done = for_ranges(executor, token, cells.size(), kCellsAtOnce / 8, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) throw_at(cells[i]);
      });
      if (!done.ok()) return done;
    }
    return Status();
  }

  std::vector<uint32_t> hits() const {
    std::vector<uint32_t> out;
    for (size_t c = 0; c < hits_.size(); ++c) {
      const uint32_t* first = groups_.members.data() + groups_.starts[c];
      out.insert(out.end(), first, first + hits_[c]);
    }
    std::sort(out.begin(), out.end());
    return out;
  }

 private:
  bool near(const float* a, uint32_t cell) const {
    const uint32_t* other = groups_.members.data() + groups_.starts[cell];
    for (uint32_t i = 0; i < hits_[cell]; ++i) {
      const float* b = cloud_.positions + 3 * static_cast<size_t>(other[i]);
      double sum = 0;
      for (size_t c = 0; c < 3; ++c) {
        const double d = static_cast<double>(a[c]) - static_cast<double>(b[c]);
        sum += d * d;
      }
      if (sum < squared_radius_) return true;
    }
    return false;
  }

  // The cell's points that hit come to stand in front.
  void throw_at(uint32_t c) {
    uint32_t* members = groups_.members.data() + groups_.starts[c];
    const size_t count = groups_.starts[c + size_t{1}] - groups_.starts[c];
    std::vector<std::pair<uint64_t, uint32_t>> darts(count);
    for (size_t i = 0; i < count; ++i) darts[i] = {mixed(seed_ ^ members[i]), members[i]};
    std::sort(darts.begin(), darts.end());
    uint32_t around[27];
    size_t others = 0;
    around[others++] = c;
    const uint64_t cell = groups_.cells[c];
    const uint64_t at[3] = {cell & (kMostCells - 1), cell >> 21 & (kMostCells - 1), cell >> 42};
    for (uint64_t k = 0; k < 27; ++k) {
      // Unsigned: what would lie below 0 is far above every cell.
      const uint64_t x = at[0] + k % 3 - 1, y = at[1] + k / 3 % 3 - 1, z = at[2] + k / 9 - 1;
      if (k == 13 || x >= kMostCells || y >= kMostCells || z >= kMostCells) continue;
      const uint32_t found = index_.find(x | y << 21 | z << 42);
      if (found != CellIndex::kNone && hits_[found] > 0) around[others++] = found;
    }
    for (const auto& [priority, point] : darts) {
      const float* p = cloud_.positions + 3 * static_cast<size_t>(point);
      if (std::any_of(around, around + others, [&](uint32_t other) { return near(p, other); })) continue;
      members[hits_[c]++] = point;
    }
  }

  const CloudView& cloud_;
  CellGroups& groups_;
  const CellIndex index_;
  const double squared_radius_;
  const uint64_t seed_;
  std::vector<uint32_t> hits_;  // of each cell
};

}  // namespace

Result<std::vector<uint32_t>> poisson_disk(const CloudView& cloud, double radius, uint64_t seed, Executor& executor,
                                           const CancelToken* token) {
  if (const Status good = check_cloud(cloud, executor, token); !good.ok()) return good;
  // Cells a little wider than the radius: rounding then never hides a neighbour.
  Result<CellGroups> grouped = group_by_cell(cloud, radius * (1 + 1e-6), 0, executor, token);
  if (!grouped.ok()) return grouped.status();
  DartThrower thrower(cloud, grouped.value(), radius, seed);
  const Status done = thrower.run(executor, token);
  if (!done.ok()) return done;
  return thrower.hits();
}

}  // namespace lineament
