#include "mesh/unwrap.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "mesh/charts.h"
#include "mesh/normals.h"
#include "mesh/texture.h"

namespace lineament {
namespace {

constexpr uint32_t kNone = UINT32_MAX;
constexpr int kMostRounds = 24;

double flat_area(const MeshView& mesh, uint32_t triangle, int axis) {
  Flat p[3];
  for (size_t k = 0; k < 3; ++k)
    p[k] = flatten(mesh.positions + 3 * size_t{mesh.indices[3 * size_t{triangle} + k]}, axis);
  return std::abs((p[1].x - p[0].x) * (p[2].y - p[0].y) - (p[2].x - p[0].x) * (p[1].y - p[0].y)) / 2;
}

ChartBox box_of(const MeshView& mesh, const Chart& chart) {
  double left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
  for (const uint32_t t : chart.triangles) {
    for (size_t k = 0; k < 3; ++k) {
      const Flat p = flatten(mesh.positions + 3 * size_t{mesh.indices[3 * size_t{t} + k]}, chart.axis);
      left = std::min(left, p.x);
      right = std::max(right, p.x);
      top = std::min(top, p.y);
      bottom = std::max(bottom, p.y);
    }
  }
  return {left, top, right - left, bottom - top, 0, 0};
}

Status unwrap(const MeshView& mesh, const UnwrapOptions& options, Executor& executor, const CancelToken* token,
              Atlas* out) {
  const Neighbours neighbours(mesh);
  std::vector<Chart> charts;
  Status done = cut_charts(mesh, neighbours, token, &charts);
  if (!done.ok()) return done;
  double area = 0;
  for (const Chart& chart : charts) {
    for (const uint32_t t : chart.triangles) area += flat_area(mesh, t, chart.axis);
  }
  if (!(area > 0) || !std::isfinite(area)) return Status(Code::kNoSurface, "No triangle has an area");
  std::vector<ChartBox> boxes;
  Placement placement;
  placement.inset = (options.padding + 1) / 2.0;
  placement.size = options.size;
  size_t moved = 1;
  for (int round = 0; moved > 0 && round < kMostRounds; ++round) {
    boxes.clear();
    for (const Chart& chart : charts) boxes.push_back(box_of(mesh, chart));
    placement.scale = pack_boxes(&boxes, options.size, options.padding);
    if (!(placement.scale > 0)) {
      return Status(Code::kInvalidArgument, "The texture is too small for the charts of this mesh");
    }
    if (round + 1 == kMostRounds) break;
    done = take_apart(mesh, neighbours, boxes, placement, token, &charts, &moved);
    if (!done.ok()) return done;
  }

  std::vector<float> found;
  if (mesh.normals == nullptr) {
    Result<std::vector<float>> computed = vertex_normals(mesh, executor, token);
    if (!computed.ok()) return computed.status();
    found = std::move(computed.value());
  }
  const float* normals = mesh.normals != nullptr ? mesh.normals : found.data();
  std::vector<uint32_t> chart_of(mesh.triangles, kNone);
  for (uint32_t c = 0; c < charts.size(); ++c) {
    for (const uint32_t t : charts[c].triangles) chart_of[t] = c;
  }
  TriangleMesh& made = out->mesh;
  made.indices.resize(3 * mesh.triangles);
  std::vector<uint32_t> known(mesh.vertices, kNone);
  const auto add = [&](uint32_t vertex, TexelUv uv) {
    const auto id = static_cast<uint32_t>(out->sources.size());
    out->sources.push_back(vertex);
    for (size_t k = 0; k < 3; ++k) made.positions.push_back(mesh.positions[3 * size_t{vertex} + k]);
    for (size_t k = 0; k < 3; ++k) made.normals.push_back(normals[3 * size_t{vertex} + k]);
    if (mesh.colours != nullptr) {
      for (size_t k = 0; k < 3; ++k) made.colours.push_back(mesh.colours[3 * size_t{vertex} + k]);
    }
    made.uvs.push_back(uv.u);
    made.uvs.push_back(uv.v);
    return id;
  };
  for (size_t c = 0; c < charts.size(); ++c) {
    for (const uint32_t t : charts[c].triangles) {
      for (size_t k = 0; k < 3; ++k) {
        const uint32_t vertex = mesh.indices[3 * size_t{t} + k];
        if (known[vertex] == kNone) {
          const TexelUv uv = placement.uv(mesh.positions + 3 * size_t{vertex}, charts[c].axis, boxes[c]);
          known[vertex] = add(vertex, uv);
        }
        made.indices[3 * size_t{t} + k] = known[vertex];
      }
    }
    for (const uint32_t t : charts[c].triangles) {
      for (size_t k = 0; k < 3; ++k) known[mesh.indices[3 * size_t{t} + k]] = kNone;
    }
  }
  // Triangles without an area lie in a corner of the texture.
  for (uint32_t t = 0; t < mesh.triangles; ++t) {
    if (chart_of[t] != kNone) continue;
    for (size_t k = 0; k < 3; ++k) made.indices[3 * size_t{t} + k] = add(mesh.indices[3 * size_t{t} + k], TexelUv());
  }
  out->charts = charts.size();
  out->filled = area * placement.scale * placement.scale / (static_cast<double>(options.size) * options.size);
  return Status();
}

}  // namespace

Status unwrap_mesh(const MeshView& mesh, const UnwrapOptions& options, Executor& executor, const CancelToken* token,
                   Atlas* out) {
  Status status = check_mesh(mesh, Code::kNoSurface);
  if (!status.ok()) return status;
  if (options.size < 1 || options.size > kMostTextureSide || options.padding < 0 || options.padding > 64) {
    return Status(Code::kInvalidArgument, "Expected a side of 1 to 8192 and a padding of 0 to 64 texels");
  }
  try {
    return unwrap(mesh, options, executor, token, out);
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the charts of a mesh");
  }
}

}  // namespace lineament
