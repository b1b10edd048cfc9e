#include "mesh/charts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <unordered_map>

#include "mesh/texel_rows.h"

namespace lineament {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr float kLeastTowards = 0.1f;
constexpr int kSmoothings = 4;
constexpr size_t kSmallChart = 32;  // triangles

float towards(const Vec3& normal, int axis) {
  const float along = axis / 2 == 0 ? normal.x : axis / 2 == 1 ? normal.y : normal.z;
  return axis % 2 == 0 ? along : -along;
}

// Charts of `list`'s triangles: connected ones of one axis.
void flood(const Neighbours& neighbours, const std::vector<signed char>& axes, const std::vector<uint32_t>& list,
           std::vector<char>* pending, std::vector<Chart>* out) {
  for (const uint32_t t : list) (*pending)[t] = 1;
  for (const uint32_t first : list) {
    if (!(*pending)[first]) continue;
    Chart chart;
    chart.axis = axes[first];
    chart.triangles.push_back(first);
    (*pending)[first] = 0;
    for (size_t at = 0; at < chart.triangles.size(); ++at) {
      for (const uint32_t next : neighbours.of[chart.triangles[at]]) {
        if (next == kNone || !(*pending)[next] || axes[next] != chart.axis) continue;
        (*pending)[next] = 0;
        chart.triangles.push_back(next);
      }
    }
    std::sort(chart.triangles.begin(), chart.triangles.end());
    out->push_back(std::move(chart));
  }
}

// The neighbouring axis that a small chart may take, by the number of edges; −1 where it may none.
int better_axis(const Chart& chart, const Neighbours& neighbours, const std::vector<signed char>& axes,
                const std::vector<Vec3>& normals) {
  std::array<int, 6> edges{};
  for (const uint32_t t : chart.triangles) {
    for (const uint32_t next : neighbours.of[t]) {
      if (next != kNone && axes[next] >= 0 && axes[next] != chart.axis) ++edges[static_cast<size_t>(axes[next])];
    }
  }
  int best = -1;
  for (int axis = 0; axis < 6; ++axis) {
    if (edges[static_cast<size_t>(axis)] == 0) continue;
    if (best >= 0 && edges[static_cast<size_t>(axis)] <= edges[static_cast<size_t>(best)]) continue;
    const bool fits = std::all_of(chart.triangles.begin(), chart.triangles.end(),
                                  [&](uint32_t t) { return towards(normals[t], axis) >= 2 * kLeastTowards; });
    if (fits) best = axis;
  }
  return best;
}

}  // namespace

Flat flatten(const float* p, int axis) {
  const double x = p[0], y = p[1], z = p[2];
  // right × down looks inwards.
  switch (axis) {
    case 0:
      return {z, y};
    case 1:
      return {-z, y};
    case 2:
      return {x, z};
    case 3:
      return {x, -z};
    case 4:
      return {-x, y};
    default:
      return {x, y};
  }
}

Neighbours::Neighbours(const MeshView& mesh) : of(mesh.triangles, {kNone, kNone, kNone}) {
  std::unordered_map<uint64_t, uint32_t> open;
  open.reserve(3 * mesh.triangles);
  for (uint32_t t = 0; t < mesh.triangles; ++t) {
    for (uint32_t k = 0; k < 3; ++k) {
      const uint32_t a = mesh.indices[3 * size_t{t} + k], b = mesh.indices[3 * size_t{t} + (k + 1) % 3];
      const auto [found, is_new] = open.emplace((uint64_t{std::min(a, b)} << 32) | std::max(a, b), 3 * t + k);
      if (is_new) continue;
      const uint32_t other = found->second;
      if (other == kNone) continue;
      of[t][k] = other / 3;
      of[other / 3][other % 3] = t;
      found->second = kNone;
    }
  }
}

Status cut_charts(const MeshView& mesh, const Neighbours& neighbours, const CancelToken* token,
                  std::vector<Chart>* out) {
  std::vector<Vec3> normals(mesh.triangles);
  std::vector<signed char> axes(mesh.triangles, -1);
  std::vector<uint32_t> list;
  for (uint32_t t = 0; t < mesh.triangles; ++t) {
    const uint32_t* index = mesh.indices + 3 * size_t{t};
    const Vec3 a = vec3_at(mesh.positions, index[0]);
    const Vec3 normal = cross(vec3_at(mesh.positions, index[1]) - a, vec3_at(mesh.positions, index[2]) - a);
    const float size = length(normal);
    if (!(size > 0) || !std::isfinite(size)) continue;
    normals[t] = (1 / size) * normal;
    int best = 0;
    for (int axis = 1; axis < 6; ++axis) {
      if (towards(normals[t], axis) > towards(normals[t], best)) best = axis;
    }
    axes[t] = static_cast<signed char>(best);
    list.push_back(t);
  }
  if (list.empty()) return Status(Code::kNoSurface, "No triangle has an area");
  if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");

  // A triangle that two of its neighbours outvote takes their axis: straighter borders.
  for (int round = 0; round < kSmoothings; ++round) {
    const std::vector<signed char> before = axes;
    for (const uint32_t t : list) {
      const auto axis_of = [&](size_t k) {
        return neighbours.of[t][k] == kNone ? -1 : static_cast<int>(before[neighbours.of[t][k]]);
      };
      for (size_t k = 0; k < 3; ++k) {
        const int axis = axis_of(k);
        if (axis < 0 || axis != axis_of((k + 1) % 3) || axis == before[t]) continue;
        if (towards(normals[t], axis) >= 3 * kLeastTowards) axes[t] = static_cast<signed char>(axis);
      }
    }
  }
  std::vector<char> pending(mesh.triangles, 0);
  for (int round = 0; round < kSmoothings; ++round) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    out->clear();
    flood(neighbours, axes, list, &pending, out);
    bool joined = false;
    for (const Chart& chart : *out) {
      if (chart.triangles.size() >= kSmallChart) continue;
      const int axis = better_axis(chart, neighbours, axes, normals);
      if (axis < 0) continue;
      for (const uint32_t t : chart.triangles) axes[t] = static_cast<signed char>(axis);
      joined = true;
    }
    if (!joined) return Status();
  }
  out->clear();
  flood(neighbours, axes, list, &pending, out);
  return Status();
}

TexelUv Placement::uv(const float* position, int axis, const ChartBox& box) const {
  const Flat p = flatten(position, axis);
  return {static_cast<float>((box.left + inset + (p.x - box.x) * scale) / size),
          static_cast<float>((box.top + inset + (p.y - box.y) * scale) / size)};
}

Status take_apart(const MeshView& mesh, const Neighbours& neighbours, const std::vector<ChartBox>& boxes,
                  const Placement& placement, const CancelToken* token, std::vector<Chart>* charts, size_t* moved) {
  const int size = placement.size;
  std::vector<signed char> axes(mesh.triangles, -1);
  std::vector<char> pending(mesh.triangles, 0);
  std::vector<char> texels(static_cast<size_t>(size) * static_cast<size_t>(size), 0);
  std::vector<Chart> out;
  *moved = 0;
  for (size_t c = 0; c < charts->size(); ++c) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    Chart& chart = (*charts)[c];
    std::vector<uint32_t> kept, others;
    for (const uint32_t t : chart.triangles) {
      RasterPoint p[3];
      for (size_t k = 0; k < 3; ++k) {
        const uint32_t vertex = mesh.indices[3 * size_t{t} + k];
        const TexelUv uv = placement.uv(mesh.positions + 3 * size_t{vertex}, chart.axis, boxes[c]);
        p[k] = RasterPoint::at(double{uv.u} * size, double{uv.v} * size);
      }
      bool taken = false;
      const auto each_texel = [&](auto act) {
        texel_rows(p, size, 0, size, [&](int y, int first, int end) {
          char* row = texels.data() + static_cast<size_t>(y) * static_cast<size_t>(size);
          for (int x = first; x < end; ++x) act(row[x]);
        });
      };
      each_texel([&](char& texel) { taken = taken || texel != 0; });
      if (taken) {
        others.push_back(t);
        continue;
      }
      each_texel([](char& texel) { texel = 1; });
      kept.push_back(t);
    }
    if (others.empty()) {
      out.push_back(std::move(chart));
      continue;
    }
    *moved += others.size();
    for (const std::vector<uint32_t>& part : {kept, others}) {
      for (const uint32_t t : part) axes[t] = static_cast<signed char>(chart.axis);
      flood(neighbours, axes, part, &pending, &out);
      for (const uint32_t t : part) axes[t] = -1;
    }
  }
  *charts = std::move(out);
  return Status();
}

double pack_boxes(std::vector<ChartBox>* boxes, int size, int padding) {
  std::vector<size_t> order(boxes->size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return (*boxes)[a].height > (*boxes)[b].height; });
  const auto fits = [&](double scale) {
    const auto texels = [&](double length) { return std::ceil(length * scale) + 1 + padding; };
    double x = 0, y = 0, shelf = 0;
    for (const size_t i : order) {
      ChartBox& box = (*boxes)[i];
      const double width = texels(box.width), height = texels(box.height);
      if (width > size) return false;
      if (x + width > size) {
        x = 0;
        y += shelf;
        shelf = 0;
      }
      if (y + height > size) return false;
      box.left = static_cast<int>(x);
      box.top = static_cast<int>(y);
      shelf = std::max(shelf, height);
      x += width;
    }
    return true;
  };
  double longest = 0;
  for (const ChartBox& box : *boxes) longest = std::max({longest, box.width, box.height});
  double low = 0, high = size / longest;
  if (!fits(high * 1e-6)) return 0;
  low = high * 1e-6;
  for (int round = 0; round < 40; ++round) {
    const double middle = (low + high) / 2;
    (fits(middle) ? low : high) = middle;
  }
  fits(low);
  return low;
}

}  // namespace lineament
