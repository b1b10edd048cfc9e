#include <array>
#include <vector>

#include "mesh/marching_cubes.h"

namespace lineament {
namespace {

using Table = std::array<MarchCase, 256>;

int edge_between(int a, int b) {
  const int axis = (a ^ b) == 1 ? 0 : (a ^ b) == 2 ? 1 : 2;
  return axis * 8 + (a < b ? a : b);
}

// Corners of the six faces, counterclockwise seen from outside.
std::array<std::array<int, 4>, 6> faces() {
  std::array<std::array<int, 4>, 6> out{};
  for (int axis = 0; axis < 3; ++axis) {
    const int u = 1 << (axis + 1) % 3, v = 1 << (axis + 2) % 3, side = 1 << axis;
    out[static_cast<size_t>(2 * axis)] = {0, v, u | v, u};
    out[static_cast<size_t>(2 * axis + 1)] = {side, side | u, side | u | v, side | v};
  }
  return out;
}

// Whether both edges of the cell lie in one face: they agree on a coordinate that neither runs along.
bool share_face(int a, int b) {
  for (int axis = 0; axis < 3; ++axis) {
    if (a / 8 == axis || b / 8 == axis) continue;
    if ((a & 1 << axis) == (b & 1 << axis)) return true;
  }
  return false;
}

// Cuts the polygon of the loop's vertices first … last with the fewest diagonals in faces (none, as the tests check),
// among those with the shortest fans.
struct Cutter {
  const std::vector<int>& loop;
  std::vector<std::vector<int>> cost, middle;

  explicit Cutter(const std::vector<int>& of)
      : loop(of), cost(of.size(), std::vector<int>(of.size(), 0)), middle(cost) {
    const size_t n = loop.size();
    for (size_t span = 2; span < n; ++span) {
      for (size_t first = 0; first + span < n; ++first) {
        const size_t last = first + span;
        int best = 1 << 20;
        for (size_t m = first + 1; m < last; ++m) {
          const int here = cost[first][m] + cost[m][last];
          if (here < best) {
            best = here;
            middle[first][last] = static_cast<int>(m);
          }
        }
        const bool whole = first == 0 && last == n - 1;
        cost[first][last] = best + (!whole && share_face(loop[first], loop[last]) ? 1 : 0);
      }
    }
  }

  void emit(size_t first, size_t last, MarchCase* out) const {
    if (last < first + 2) return;
    const auto m = static_cast<size_t>(middle[first][last]);
    uint8_t* at = out->edges.data() + 3 * out->triangles++;
    at[0] = static_cast<uint8_t>(loop[first]);
    at[1] = static_cast<uint8_t>(loop[m]);
    at[2] = static_cast<uint8_t>(loop[last]);
    emit(first, m, out);
    emit(m, last, out);
  }
};

MarchCase derive(int inside) {
  std::array<int, kCellEdges> next;
  next.fill(-1);
  for (const std::array<int, 4>& face : faces()) {
    const auto in = [&](size_t i) { return (inside >> face[i % 4] & 1) != 0; };
    for (size_t i = 0; i < 4; ++i) {
      if (in(i) || !in(i + 1)) continue;
      size_t end = i + 1;
      while (in(end + 1)) ++end;
      next[static_cast<size_t>(edge_between(face[i], face[(i + 1) % 4]))] =
          edge_between(face[end % 4], face[(end + 1) % 4]);
    }
  }
  MarchCase out;
  std::array<bool, kCellEdges> done{};
  for (int start = 0; start < kCellEdges; ++start) {
    std::vector<int> loop;
    for (int at = start; next[static_cast<size_t>(at)] >= 0 && !done[static_cast<size_t>(at)];
         at = next[static_cast<size_t>(at)]) {
      done[static_cast<size_t>(at)] = true;
      loop.push_back(at);
    }
    if (!loop.empty()) Cutter(loop).emit(0, loop.size() - 1, &out);
  }
  return out;
}

Table derive_all() {
  Table table;
  for (int inside = 0; inside < 256; ++inside) table[static_cast<size_t>(inside)] = derive(inside);
  return table;
}

}  // namespace

const MarchCase& march_case(uint8_t inside) {
  static const Table table = derive_all();
  return table[inside];
}

}  // namespace lineament
