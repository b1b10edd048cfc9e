#include "mesh/grid.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/spread.h"
#include "mesh/grid_rows.h"

namespace lineament {
namespace {

constexpr size_t kBand = 16;  // rows of vertices in one part of the work
constexpr uint32_t kNone = 0xffffffffu;

Status check(const DepthGrid& grid, const GridMeshOptions& options) {
  const auto bad = [](const char* what) { return Status(Code::kInvalidArgument, what); };
  const auto side = [](int pixels) { return pixels >= 1 && pixels <= kMostGridSide; };
  if (!side(grid.width) || !side(grid.height)) return bad("Expected sides of 1 to 16384 pixels for a depth map");
  if (static_cast<size_t>(grid.width) * static_cast<size_t>(grid.height) > kMostGridPixels)
    return bad("Expected at most 64 Mi pixels for a depth map");
  if (options.step < 1 || options.step > kMostGridSide) return bad("Expected a step of 1 to 16384 pixels");
  if (!(options.jump >= 0 && std::isfinite(options.jump))) return bad("Expected a finite jump of at least 0");
  if (!(options.angle >= 0 && options.angle < 90)) return bad("Expected an angle of 0 to below 90 degrees");
  if (!(options.sliver >= 0 && options.sliver < 0.86)) return bad("Expected a sliver of 0 to below 0.86");
  if (!(options.min_confidence >= 0 && options.min_confidence <= 1)) return bad("Expected a confidence of 0 to 1");
  return check_camera(grid.camera);
}

// What all bands share. Squares are numbered by the vertex at their top left.
struct Plan {
  const DepthGrid& grid;
  const GridMeshOptions& options;
  GridRules rules;
  size_t columns, rows;
  std::vector<float> ray_x;                 // X for Z = 1 of each column
  std::vector<uint8_t> codes;               // of each square; the last of each row and the last row stay 0
  std::vector<uint32_t> names;              // of each vertex within its band, or kNone
  std::vector<size_t> vertices, triangles;  // before each band; the last: of all

  Plan(const DepthGrid& g, const GridMeshOptions& o) : grid(g), options(o) {
    const auto step = static_cast<size_t>(o.step);
    columns = (static_cast<size_t>(g.width) + step - 1) / step;
    rows = (static_cast<size_t>(g.height) + step - 1) / step;
    const double tangent = std::tan(o.angle * std::numbers::pi / 180) * static_cast<double>(step);
    rules.across = static_cast<float>(std::max(o.jump, tangent / g.camera.fx));
    rules.down = static_cast<float>(std::max(o.jump, tangent / g.camera.fy));
    rules.diagonal = static_cast<float>(std::max(o.jump, tangent * std::hypot(1 / g.camera.fx, 1 / g.camera.fy)));
    rules.sliver = static_cast<float>(o.sliver * o.sliver);
    for (size_t i = 0; i < columns; ++i)
      ray_x.push_back(static_cast<float>((static_cast<double>(i * step) + 0.5 - g.camera.cx) / g.camera.fx));
    codes.resize(columns * rows);
    names.resize(columns * rows);
    vertices.resize(bands() + 1);
    triangles.resize(bands() + 1);
  }

  size_t bands() const { return (rows + kBand - 1) / kBand; }
  size_t pixel(size_t column, size_t row) const {
    const auto step = static_cast<size_t>(options.step);
    return row * step * static_cast<size_t>(grid.width) + column * step;
  }

  // Points of a row; NaN where nothing is known.
  void load(size_t row, GridRow* out) const {
    const auto step = static_cast<size_t>(options.step);
    const double y = (static_cast<double>(row * step) + 0.5 - grid.camera.cy) / grid.camera.fy;
    const float* depth = grid.depth + pixel(0, row);
    for (size_t i = 0; i < columns; ++i) out->z[i] = depth[i * step];
    if (grid.confidence != nullptr && options.min_confidence > 0) {
      const float* confidence = grid.confidence + pixel(0, row);
      const auto least = static_cast<float>(options.min_confidence);
      for (size_t i = 0; i < columns; ++i)
        if (!(confidence[i * step] >= least)) out->z[i] = std::numeric_limits<float>::quiet_NaN();
    }
    place_row(ray_x.data(), static_cast<float>(y), columns, out);
  }

  // Which triangles there are.
  void judge_band(size_t band) {
    GridRow above(columns), below(columns);
    GridSquares squares(columns);
    const size_t end = std::min(rows, (band + 1) * kBand);
    load(band * kBand, &above);
    size_t count = 0;
    for (size_t row = band * kBand; row < end && row + 1 < rows; ++row) {
      load(row + 1, &below);
      judge_squares(above, below, rules, columns - 1, &squares);
      uint8_t* to = codes.data() + row * columns;
      for (size_t i = 0; i + 1 < columns; ++i) {
        to[i] = static_cast<uint8_t>(squares.code[i]);
        count += (squares.code[i] & 1) + (squares.code[i] >> 1 & 1);
      }
      std::swap(above, below);
    }
    triangles[band + 1] = count;
  }

  // Which vertices they use. A square's code says it for each corner.
  void name_band(size_t band) {
    uint32_t next = 0;
    const size_t end = std::min(rows, (band + 1) * kBand);
    for (size_t row = band * kBand; row < end; ++row) {
      const uint8_t* here = codes.data() + row * columns;
      const uint8_t* over = row > 0 ? here - columns : nullptr;
      uint32_t* to = names.data() + row * columns;
      for (size_t i = 0; i < columns; ++i) {
        unsigned used = corners_of(here[i]) & kTopLeft;
        if (i > 0) used |= corners_of(here[i - 1]) & kTopRight;
        if (over != nullptr) used |= corners_of(over[i]) & kBottomLeft;
        if (over != nullptr && i > 0) used |= corners_of(over[i - 1]) & kBottomRight;
        to[i] = used != 0 ? next++ : kNone;
      }
    }
    vertices[band + 1] = next;
  }

  void write_band(size_t band, GridMesh* out) const {
    write_vertices(band, out);
    uint32_t* to = out->mesh.indices.data() + 3 * triangles[band];
    const size_t end = std::min(rows - 1, (band + 1) * kBand);
    for (size_t row = band * kBand; row < end; ++row) {
      const uint8_t* code = codes.data() + row * columns;
      const uint32_t* top = names.data() + row * columns;
      const uint32_t* bottom = top + columns;
      const auto first = static_cast<uint32_t>(vertices[band]);
      const auto first_below = static_cast<uint32_t>(vertices[(row + 1) / kBand]);
      for (size_t i = 0; i + 1 < columns; ++i) {
        if (code[i] == 0) continue;
        const uint32_t a = first + top[i], b = first + top[i + 1];
        const uint32_t c = first_below + bottom[i], d = first_below + bottom[i + 1];
        const bool rising = (code[i] & kRising) != 0;
        if ((code[i] & 1) != 0) *to++ = a, *to++ = c, *to++ = rising ? b : d;
        if ((code[i] & 2) != 0) *to++ = b, *to++ = rising ? c : a, *to++ = d;
      }
    }
  }

 private:
  void write_vertices(size_t band, GridMesh* out) const {
    GridRow above(columns), below(columns);
    GridSquares squares(columns);
    GridNormals here(columns), next(columns);  // what the squares above and below a row of vertices give
    const size_t begin = band * kBand, end = std::min(rows, begin + kBand);
    const bool normals = options.normals;
    if (normals && begin > 0) {
      load(begin - 1, &below);
      load(begin, &above);
      judge_squares(below, above, rules, columns - 1, &squares);
      spread_normals(squares, columns - 1, &next, &here);  // `next` is overwritten below
    } else {
      load(begin, &above);
      here.clear(columns);
    }
    size_t to = vertices[band];
    for (size_t row = begin; row < end; ++row) {
      next.clear(columns);
      if (row + 1 < rows && (normals || row + 1 < end)) load(row + 1, &below);
      if (normals && row + 1 < rows) {
        judge_squares(above, below, rules, columns - 1, &squares);
        spread_normals(squares, columns - 1, &here, &next);
      }
      if (normals) here.normalise(columns);
      write_row(row, above, here, out, &to);
      std::swap(above, below);
      std::swap(here, next);
    }
  }

  void write_row(size_t row, const GridRow& points, const GridNormals& normals, GridMesh* out, size_t* next) const {
    const uint32_t* name = names.data() + row * columns;
    const auto step = static_cast<size_t>(options.step);
    const float per_column = 1.0F / static_cast<float>(grid.width);
    const float v = (static_cast<float>(row * step) + 0.5F) / static_cast<float>(grid.height);
    TriangleMesh& mesh = out->mesh;
    size_t n = *next;
    for (size_t i = 0; i < columns; ++i) {
      if (name[i] == kNone) continue;
      mesh.positions[3 * n] = points.x[i];
      mesh.positions[3 * n + 1] = points.y[i];
      mesh.positions[3 * n + 2] = points.z[i];
      mesh.uvs[2 * n] = (static_cast<float>(i * step) + 0.5F) * per_column;
      mesh.uvs[2 * n + 1] = v;
      if (options.normals) {
        mesh.normals[3 * n] = normals.x[i];
        mesh.normals[3 * n + 1] = normals.y[i];
        mesh.normals[3 * n + 2] = normals.z[i];
      }
      const size_t from = pixel(i, row);
      if (grid.colours != nullptr) std::copy_n(grid.colours + 3 * from, 3, mesh.colours.data() + 3 * n);
      out->pixels[n++] = static_cast<uint32_t>(from);
    }
    *next = n;
  }
};

}  // namespace

Result<GridMesh> grid_mesh(const DepthGrid& grid, const GridMeshOptions& options, Executor& executor,
                           const CancelToken* token) {
  if (Status status = check(grid, options); !status.ok()) return status;
  Plan plan(grid, options);
  const auto each_band = [&](auto work) {
    return spread(executor, plan.bands(), [&](size_t band) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Triangulation was cancelled");
      work(band);
      return Status();
    });
  };
  if (Status done = each_band([&](size_t band) { plan.judge_band(band); }); !done.ok()) return done;
  if (Status done = each_band([&](size_t band) { plan.name_band(band); }); !done.ok()) return done;
  for (size_t i = 0; i < plan.bands(); ++i) {
    plan.vertices[i + 1] += plan.vertices[i];
    plan.triangles[i + 1] += plan.triangles[i];
  }
  const size_t n = plan.vertices.back(), m = plan.triangles.back();
  if (m == 0) return Status(Code::kNoSurface, "The depth map holds no two neighbours that belong together");
  GridMesh out;
  out.mesh.positions.resize(3 * n);
  out.mesh.uvs.resize(2 * n);
  if (options.normals) out.mesh.normals.resize(3 * n);
  if (grid.colours != nullptr) out.mesh.colours.resize(3 * n);
  out.pixels.resize(n);
  out.mesh.indices.resize(3 * m);
  if (Status done = each_band([&](size_t band) { plan.write_band(band, &out); }); !done.ok()) return done;
  return out;
}

}  // namespace lineament
