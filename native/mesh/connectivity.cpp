#include "mesh/connectivity.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace lineament {
namespace {

// −0 and 0 are the same place.
uint32_t bits(float value) { return std::bit_cast<uint32_t>(value + 0.0F); }

bool same_place(const MeshView& mesh, uint32_t v, uint32_t w) {
  const float *p = mesh.positions + 3 * size_t{v}, *q = mesh.positions + 3 * size_t{w};
  return p[0] == q[0] && p[1] == q[1] && p[2] == q[2];
}

bool same_vertex(const MeshView& mesh, uint32_t v, uint32_t w) {
  const auto same = [v, w](const auto* values, size_t per) {
    return values == nullptr || std::equal(values + per * v, values + per * v + per, values + per * w);
  };
  return same_place(mesh, v, w) && same(mesh.uvs, 2) && same(mesh.normals, 3) && same(mesh.colours, 3);
}

// `first[v]`: the first vertex w with same(v, w); open addressing by place.
template <typename Same>
bool weld(const MeshView& mesh, bool with_uvs, const Same& same, uint32_t* first) {
  const size_t n = mesh.vertices;
  const size_t slots = std::bit_ceil(2 * n + 1);
  std::vector<uint32_t> table(slots, kNoVertex);
  bool any = false;
  for (uint32_t v = 0; v < n; ++v) {
    const float* p = mesh.positions + 3 * size_t{v};
    uint64_t hash = bits(p[0]) * 0x9e3779b97f4a7c15ull;
    hash = (hash ^ bits(p[1])) * 0xbf58476d1ce4e5b9ull;
    hash = (hash ^ bits(p[2]) ^ hash >> 32) * 0x94d049bb133111ebull;
    if (with_uvs) {
      hash = (hash ^ bits(mesh.uvs[2 * size_t{v}]) ^ hash >> 32) * 0x9e3779b97f4a7c15ull;
      hash = (hash ^ bits(mesh.uvs[2 * size_t{v} + 1])) * 0xbf58476d1ce4e5b9ull;
    }
    size_t slot = (hash ^ hash >> 29) & (slots - 1);
    while (table[slot] != kNoVertex && !same(table[slot], v)) slot = (slot + 1) & (slots - 1);
    if (table[slot] == kNoVertex) table[slot] = v;
    first[v] = table[slot];
    any |= table[slot] != v;
  }
  return any;
}

}  // namespace

bool weld_points(const MeshView& mesh, uint32_t* point) {
  return weld(
      mesh, false, [&mesh](uint32_t v, uint32_t w) { return same_place(mesh, v, w); }, point);
}

void weld_vertices(const MeshView& mesh, uint32_t* vertex) {
  weld(
      mesh, mesh.uvs != nullptr, [&mesh](uint32_t v, uint32_t w) { return same_vertex(mesh, v, w); }, vertex);
}

Status Stars::build(const uint32_t* corners, size_t m, size_t n, size_t spare) {
  if (!begin.reset(n + 2) || !triangles.reset(std::max<size_t>(3 * m + spare, 1)))
    return Status(Code::kOutOfMemory, "Out of memory for the triangles around vertices");
  uint32_t* next = begin.data() + 1;  // after the last step: begin of the vertex itself
  std::fill_n(begin.data(), n + 2, 0);
  for (size_t t = 0; t < m; ++t) {
    if (corners[3 * t] == kNoVertex) continue;
    for (size_t i = 0; i < 3; ++i) ++next[corners[3 * t + i] + 1];
  }
  for (size_t v = 1; v <= n; ++v) next[v] += next[v - 1];
  for (size_t t = 0; t < m; ++t) {
    if (corners[3 * t] == kNoVertex) continue;
    for (size_t i = 0; i < 3; ++i) triangles[next[corners[3 * t + i]]++] = static_cast<uint32_t>(t);
  }
  return Status();
}

}  // namespace lineament
