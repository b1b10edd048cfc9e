#include "mesh/repair.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

#include "mesh/topology.h"

namespace lineament {
namespace {

// Keeps the triangles that `keep` says, in their order.
template <typename Keep>
size_t filter(TriangleMesh* mesh, Keep keep) {
  size_t kept = 0;
  const size_t count = mesh->triangles();
  for (size_t t = 0; t < count; ++t) {
    if (!keep(t)) continue;
    for (size_t k = 0; k < 3; ++k) mesh->indices[3 * kept + k] = mesh->indices[3 * t + k];
    ++kept;
  }
  mesh->indices.resize(3 * kept);
  return count - kept;
}

Status drop_small(const CleanOptions& options, const CancelToken* token, TriangleMesh* mesh, CleanReport* report) {
  std::vector<uint32_t> twins, pieces;
  EdgeCounts counts;
  size_t count = 0;
  const Status done = find_twins(*mesh, token, &twins, &counts, &pieces, &count);
  if (!done.ok()) return done;
  std::vector<size_t> triangles(count, 0);
  std::vector<double> area(count, 0);
  for (size_t t = 0; t < pieces.size(); ++t) {
    double twice[3];
    area_vector(*mesh, t, twice);
    ++triangles[pieces[t]];
    area[pieces[t]] += std::sqrt(twice[0] * twice[0] + twice[1] * twice[1] + twice[2] * twice[2]);
  }
  const double largest = count == 0 ? 0 : *std::max_element(area.begin(), area.end());
  const auto small = [&](uint32_t piece) {
    return triangles[piece] < options.min_triangles || area[piece] < options.min_area_share * largest;
  };
  for (uint32_t piece = 0; piece < count; ++piece) report->small_pieces += small(piece) ? 1 : 0;
  report->small_triangles = filter(mesh, [&](size_t t) { return !small(pieces[t]); });
  return Status();
}

// The other half-edge of each edge that has exactly two, whichever way they run.
std::vector<uint32_t> neighbours(const TriangleMesh& mesh, const std::vector<uint32_t>& twins) {
  // find_twins tells those that run opposite ways; the others of two are found by their ends.
  struct End {
    uint32_t low, high, half;
  };
  std::vector<End> open;
  std::vector<uint32_t> out = twins;
  for (uint32_t half = 0; half < twins.size(); ++half) {
    if (twins[half] != kIrregular) continue;
    const uint32_t a = mesh.indices[half], b = mesh.indices[next_half(half)];
    if (a != b) open.push_back({std::min(a, b), std::max(a, b), half});
  }
  std::sort(open.begin(), open.end(), [](const End& a, const End& b) {
    return a.low != b.low ? a.low < b.low : a.high != b.high ? a.high < b.high : a.half < b.half;
  });
  for (size_t i = 0; i < open.size();) {
    size_t end = i + 1;
    while (end < open.size() && open[end].low == open[i].low && open[end].high == open[i].high) ++end;
    if (end - i == 2) {
      out[open[i].half] = open[i + 1].half;
      out[open[i + 1].half] = open[i].half;
    }
    i = end;
  }
  return out;
}

Status orient(const CancelToken* token, TriangleMesh* mesh, CleanReport* report) {
  std::vector<uint32_t> twins;
  EdgeCounts counts;
  const Status done = find_twins(*mesh, token, &twins, &counts);
  if (!done.ok()) return done;
  const std::vector<uint32_t> other = neighbours(*mesh, twins);
  std::vector<int8_t> turn(mesh->triangles(), 0);  // 1 as it is, −1 the other way round
  std::vector<uint32_t> piece;
  for (uint32_t first = 0; first < turn.size(); ++first) {
    if (turn[first] != 0) continue;
    if (is_cancelled(token)) return Status(Code::kAborted, "Aborted");
    piece.assign(1, first);
    turn[first] = 1;
    bool closed = true;
    double volume = 0, origin[3];
    for (size_t k = 0; k < 3; ++k)
      origin[k] = static_cast<double>(mesh->positions[3 * size_t{mesh->indices[3 * size_t{first}]} + k]);
    size_t as_is = 0;
    for (size_t i = 0; i < piece.size(); ++i) {
      const uint32_t t = piece[i];
      as_is += turn[t] > 0 ? 1 : 0;
      double twice[3];
      area_vector(*mesh, t, twice);
      for (size_t k = 0; k < 3; ++k) {
        volume += turn[t] * twice[k] *
                  (static_cast<double>(mesh->positions[3 * size_t{mesh->indices[3 * size_t{t}]} + k]) - origin[k]);
      }
      for (uint32_t half = 3 * t; half < 3 * t + 3; ++half) {
        const uint32_t next = other[half];
        if (next >= kIrregular) {
          closed = false;
          continue;
        }
        const bool same = mesh->indices[half] == mesh->indices[next];
        if (turn[next / 3] != 0) continue;
        turn[next / 3] = static_cast<int8_t>(same ? -turn[t] : turn[t]);
        piece.push_back(next / 3);
      }
    }
    const bool reverse = closed ? volume < 0 : 2 * as_is < piece.size();
    for (const uint32_t t : piece) {
      if ((turn[t] < 0) == reverse) continue;
      std::swap(mesh->indices[3 * size_t{t} + 1], mesh->indices[3 * size_t{t} + 2]);
      ++report->flipped;
    }
  }
  return Status();
}

template <typename T>
void repeat(std::vector<T>* values, size_t from, size_t per) {
  if (values->empty()) return;
  for (size_t k = 0; k < per; ++k) values->push_back((*values)[per * from + k]);
}

// Each fan of triangles around a vertex but the first gets a vertex of its own.
Status split_pinches(const CancelToken* token, TriangleMesh* mesh, CleanReport* report) {
  std::vector<uint32_t> twins;
  EdgeCounts counts;
  const Status done = find_twins(*mesh, token, &twins, &counts);
  if (!done.ok()) return done;
  std::vector<uint8_t> seen(mesh->vertices(), 0), placed(twins.size(), 0);
  const std::vector<uint32_t> before = mesh->indices;
  std::vector<uint32_t> fan;
  for (uint32_t half = 0; half < twins.size(); ++half) {
    if (placed[half] != 0) continue;
    const uint32_t vertex = before[half];
    // Corners that are joined by regular edges, both ways round.
    fan.assign(1, half);
    placed[half] = 1;
    for (size_t i = 0; i < fan.size(); ++i) {
      const uint32_t here = fan[i], back = next_half(next_half(here));
      const uint32_t one = twins[here] < kIrregular ? next_half(twins[here]) : kBorder;
      const uint32_t two = twins[back] < kIrregular ? twins[back] : kBorder;
      for (const uint32_t corner : {one, two}) {
        if (corner == kBorder || placed[corner] != 0) continue;
        placed[corner] = 1;
        fan.push_back(corner);
      }
    }
    if (seen[vertex] == 0) {
      seen[vertex] = 1;
      continue;
    }
    const auto fresh = static_cast<uint32_t>(mesh->vertices());
    repeat(&mesh->positions, vertex, 3);
    repeat(&mesh->normals, vertex, 3);
    repeat(&mesh->uvs, vertex, 2);
    repeat(&mesh->colours, vertex, 3);
    for (const uint32_t corner : fan) mesh->indices[corner] = fresh;
    ++report->split_vertices;
  }
  return Status();
}

template <typename T>
void compact(std::vector<T>* values, const std::vector<uint32_t>& name, size_t kept, size_t per) {
  if (values->empty()) return;
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] == kBorder) continue;
    for (size_t k = 0; k < per; ++k) (*values)[per * name[i] + k] = (*values)[per * i + k];
  }
  values->resize(per * kept);
}

}  // namespace

size_t drop_unused_vertices(TriangleMesh* mesh) {
  const size_t count = mesh->vertices();
  std::vector<uint32_t> name(count, kBorder);
  for (const uint32_t index : mesh->indices) name[index] = 0;
  uint32_t kept = 0;
  for (uint32_t& one : name) {
    if (one == 0) one = kept++;
  }
  if (kept == count) return 0;
  compact(&mesh->positions, name, kept, 3);
  compact(&mesh->normals, name, kept, 3);
  compact(&mesh->uvs, name, kept, 2);
  compact(&mesh->colours, name, kept, 3);
  for (uint32_t& index : mesh->indices) index = name[index];
  return count - kept;
}

Status clean_mesh(const CleanOptions& options, const CancelToken* token, TriangleMesh* mesh, CleanReport* report) {
  try {
    *report = CleanReport();
    report->degenerate = filter(mesh, [&](size_t t) { return !is_degenerate(*mesh, t); });
    const std::vector<uint8_t> duplicates = find_duplicates(*mesh);
    report->duplicate = filter(mesh, [&](size_t t) { return duplicates[t] == 0; });
    Status done;
    if (options.min_triangles > 1 || options.min_area_share > 0) done = drop_small(options, token, mesh, report);
    if (done.ok() && options.orient) done = orient(token, mesh, report);
    if (done.ok() && options.split) done = split_pinches(token, mesh, report);
    if (done.ok()) report->unused_vertices = drop_unused_vertices(mesh);
    return done;
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the edges of a mesh");
  }
}

void compute_normals(TriangleMesh* mesh) {
  const size_t count = mesh->vertices();
  std::vector<double> sum(3 * count, 0);
  for (size_t t = 0; t < mesh->triangles(); ++t) {
    const uint32_t* corner = mesh->indices.data() + 3 * t;
    double normal[3], side[3][3], length[3];
    area_vector(*mesh, t, normal);
    const double area = std::sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]);
    if (!(area > 0)) continue;
    for (size_t e = 0; e < 3; ++e) {
      length[e] = 0;
      for (size_t k = 0; k < 3; ++k) {
        side[e][k] = static_cast<double>(mesh->positions[3 * size_t{corner[(e + 1) % 3]} + k]) -
                     static_cast<double>(mesh->positions[3 * size_t{corner[e]} + k]);
        length[e] += side[e][k] * side[e][k];
      }
      length[e] = std::sqrt(length[e]);
    }
    for (size_t e = 0; e < 3; ++e) {
      const size_t back = (e + 2) % 3;
      double dot = 0;
      for (size_t k = 0; k < 3; ++k) dot -= side[e][k] * side[back][k];
      const double angle = std::acos(std::clamp(dot / (length[e] * length[back]), -1.0, 1.0));
      for (size_t k = 0; k < 3; ++k) sum[3 * size_t{corner[e]} + k] += normal[k] / area * angle;
    }
  }
  mesh->normals.resize(3 * count);
  for (size_t i = 0; i < count; ++i) {
    const double* n = sum.data() + 3 * i;
    const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
    for (size_t k = 0; k < 3; ++k) {
      mesh->normals[3 * i + k] = length > 1e-12 ? static_cast<float>(n[k] / length) : k == 2 ? -1.0f : 0.0f;
    }
  }
}

}  // namespace lineament
