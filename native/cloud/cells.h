// Points sorted into cubes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cloud/point_cloud.h"

namespace lineament {

// Cells along each axis: cell numbers then fit 63 bits.
constexpr uint64_t kMostCells = uint64_t{1} << 21;

// The cells that have points, in the order in which their first points come; the points of cell c are
// members[starts[c]] … members[starts[c + 1] − 1], ascending.
struct CellGroups {
  std::vector<uint64_t> cells;  // x + y × 2^21 + z × 2^42
  std::vector<uint32_t> starts;
  std::vector<uint32_t> members;
};

// kInvalidArgument where it is no size.
Status check_cell_size(double size);
// What is said of sizes that would give more than kMostCells cells along an axis.
Status too_fine();

// Cubes of `size`; the lowest cell's corner lies `margin` × size below the lowest coordinate on each axis. The cloud is
// checked (check_cloud). kInvalidArgument where the size is none, or so small that there were more than kMostCells
// cells along an axis.
Result<CellGroups> group_by_cell(const CloudView& cloud, double size, double margin, Executor& executor,
                                 const CancelToken* token);

}  // namespace lineament
