#include "mesh/poisson.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "mesh/dense_field.h"
#include "mesh/marching_cubes.h"
#include "mesh/poisson_solve.h"
#include "mesh/repair.h"

namespace lineament {
namespace {

constexpr size_t kFewest = 16;
// Cells of the finest grid along one of the density's grid, as a power of two.
constexpr int kDensityShift = 2;
// Room between the points and the box, as a share of the points' longest side, and in cells.
constexpr double kMargin = 0.1;
constexpr int kMarginCells = 4;
constexpr int kCoarsest = 8;

Status invalid(const std::string& what) { return Status(Code::kInvalidArgument, what); }

struct Box {
  std::array<double, 3> low{}, high{};
  double longest() const { return std::max({high[0] - low[0], high[1] - low[1], high[2] - low[2]}); }
};

// Where the grid lies, and how it is halved.
struct Frame {
  PoissonGrid grid;
  std::array<double, 3> origin{};
  double spacing = 1;

  std::array<int, 3> nodes() const {
    return {grid.nodes(grid.levels - 1, 0), grid.nodes(grid.levels - 1, 1), grid.nodes(grid.levels - 1, 2)};
  }
  std::array<int, 3> coarse_nodes() const {
    const auto up = [](int n) { return ((n - 1) >> kDensityShift) + 2; };
    const std::array<int, 3> n = nodes();
    return {up(n[0]), up(n[1]), up(n[2])};
  }
};

// All points of a cell.
struct Gathered {
  double position[3] = {}, normal[3] = {}, colour[3] = {};
  double count = 0;
};

Frame frame_for(const Box& box, int resolution) {
  Frame out;
  const double longest = box.longest();
  const double margin = std::max(kMargin * longest, kMarginCells * longest / (resolution - 2 * kMarginCells));
  out.spacing = (longest + 2 * margin) / resolution;
  out.grid.levels = 1;
  while (resolution >> out.grid.levels >= kCoarsest) ++out.grid.levels;
  const int step = 1 << (out.grid.levels - 1);
  for (size_t k = 0; k < 3; ++k) {
    const double side = box.high[k] - box.low[k] + 2 * margin;
    out.grid.cells[k] = std::max(2, static_cast<int>(std::ceil(side / (out.spacing * step) - 1e-9)));
    const double whole = out.grid.cells[k] * step * out.spacing;
    out.origin[k] = (box.low[k] + box.high[k] - whole) / 2;
  }
  return out;
}

class Reconstruction {
 public:
  Reconstruction(const PointCloud& cloud, const PoissonOptions& options, Executor& executor, const CancelToken* token)
      : cloud_(cloud), options_(options), executor_(executor), token_(token) {}

  Status run(TriangleMesh* mesh, PoissonReport* report) {
    Status done = choose_grid();
    if (!done.ok()) return done;
    report->resolution = resolution_;
    report->spacing = frame_.spacing;
    report->samples = gathered_.size();
    measure_density();
    make_samples();
    done = solve_poisson(frame_.grid, samples_, static_cast<float>(options_.screening), options_.iterations, executor_,
                         token_, &values_);
    if (done.ok()) done = extract(mesh);
    return done;
  }

 private:
  Status choose_grid() {
    Box box;
    box.low.fill(std::numeric_limits<double>::infinity());
    box.high.fill(-std::numeric_limits<double>::infinity());
    for (size_t i = 0; i < cloud_.size(); ++i) {
      const float* normal = cloud_.normals.data() + 3 * i;
      const float length = normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2];
      if (!(length > 0.25f) || !std::isfinite(length)) continue;
      for (size_t k = 0; k < 3; ++k) {
        const double at = static_cast<double>(cloud_.positions[3 * i + k]);
        box.low[k] = std::min(box.low[k], at);
        box.high[k] = std::max(box.high[k], at);
      }
      used_.push_back(static_cast<uint32_t>(i));
    }
    if (used_.size() < kFewest) {
      return Status(Code::kNoSurface, "Expected " + std::to_string(kFewest) + " points with normals or more");
    }
    if (!(box.longest() > 1e-6)) return Status(Code::kNoSurface, "All points lie in one place");
    for (resolution_ = options_.resolution;; resolution_ = std::max(16, resolution_ * 3 / 4)) {
      frame_ = frame_for(box, resolution_);
      const size_t nodes = frame_.grid.size(frame_.grid.levels - 1);
      const uint64_t bytes = static_cast<uint64_t>(nodes) * 7 * sizeof(float);
      if (bytes > options_.max_bytes) {
        return invalid("The grid would need " + std::to_string(bytes) + " bytes, more than the " +
                       std::to_string(options_.max_bytes) + " it may have. Use a lower resolution");
      }
      if (is_cancelled(token_)) return Status(Code::kAborted, "Aborted");
      gather();
      // Cells that hold one point each would leave gaps between them.
      if (resolution_ == 16 || 2 * gathered_.size() <= used_.size()) return Status();
    }
  }

  std::array<size_t, 3> cell_of(const double* at) const {
    const std::array<int, 3> nodes = frame_.nodes();
    std::array<size_t, 3> cell{};
    for (size_t k = 0; k < 3; ++k) {
      const double place = std::floor((at[k] - frame_.origin[k]) / frame_.spacing);
      cell[k] = static_cast<size_t>(std::clamp(place, 0.0, nodes[k] - 2.0));
    }
    return cell;
  }

  size_t cell_number(const std::array<size_t, 3>& cell) const {
    const std::array<int, 3> nodes = frame_.nodes();
    return (cell[2] * static_cast<size_t>(nodes[1]) + cell[1]) * static_cast<size_t>(nodes[0]) + cell[0];
  }

  void gather() {
    cell_sample_.assign(frame_.grid.size(frame_.grid.levels - 1), -1);
    gathered_.clear();
    const bool coloured = !cloud_.colours.empty();
    for (const uint32_t i : used_) {
      double at[3];
      for (size_t k = 0; k < 3; ++k) at[k] = static_cast<double>(cloud_.positions[3 * size_t{i} + k]);
      int32_t& number = cell_sample_[cell_number(cell_of(at))];
      if (number < 0) {
        number = static_cast<int32_t>(gathered_.size());
        gathered_.emplace_back();
      }
      Gathered& to = gathered_[static_cast<size_t>(number)];
      for (size_t k = 0; k < 3; ++k) {
        to.position[k] += at[k];
        to.normal[k] += static_cast<double>(cloud_.normals[3 * size_t{i} + k]);
        if (coloured) to.colour[k] += cloud_.colours[3 * size_t{i} + k];
      }
      ++to.count;
    }
    for (Gathered& one : gathered_) {
      for (size_t k = 0; k < 3; ++k) {
        one.position[k] /= one.count;
        one.normal[k] /= one.count;
        one.colour[k] /= one.count;
      }
    }
  }

  Trilinear coarse_at(const float* position) const {
    constexpr float kCells = 1 << kDensityShift;
    return trilinear(frame_.coarse_nodes(), position[0] / kCells, position[1] / kCells, position[2] / kCells);
  }

  void in_cells(const double* at, float* out) const {
    for (size_t k = 0; k < 3; ++k) out[k] = static_cast<float>((at[k] - frame_.origin[k]) / frame_.spacing);
  }

  // Points and their colours on a coarser grid, and how many cells hold points.
  void measure_density() {
    const std::array<int, 3> nodes = frame_.coarse_nodes();
    const std::array<size_t, 8> corners = cell_corners(nodes);
    density_.assign(static_cast<size_t>(nodes[0]) * static_cast<size_t>(nodes[1]) * static_cast<size_t>(nodes[2]), {});
    for (const Gathered& one : gathered_) {
      float at[3];
      in_cells(one.position, at);
      const Trilinear near = coarse_at(at);
      for (size_t c = 0; c < 8; ++c) {
        std::array<float, 5>& to = density_[near.first + corners[c]];
        const float weight = near.weight[c] * static_cast<float>(one.count);
        to[0] += weight;
        for (size_t k = 0; k < 3; ++k) to[k + 1] += weight * static_cast<float>(one.colour[k]);
        to[4] += near.weight[c];
      }
    }
  }

  std::array<float, 5> density_at(const float* position) const {
    const std::array<size_t, 8> corners = cell_corners(frame_.coarse_nodes());
    const Trilinear near = coarse_at(position);
    std::array<float, 5> sum{};
    for (size_t c = 0; c < 8; ++c) {
      for (size_t k = 0; k < 5; ++k) sum[k] += near.weight[c] * density_[near.first + corners[c]][k];
    }
    return sum;
  }

  // Points are spread and looked up trilinearly, which across a surface is a cubic B-spline: 2/3 in its middle.
  void make_samples() {
    constexpr float kCell = 1 << kDensityShift;
    std::vector<float> filled;
    for (const Gathered& one : gathered_) {
      PoissonSample sample{};
      in_cells(one.position, sample.position);
      const std::array<float, 5> around = density_at(sample.position);
      const float density = around[0];
      filled.push_back(around[4]);
      for (size_t k = 0; k < 3; ++k) sample.normal[k] = static_cast<float>(one.normal[k]);
      sample.area = static_cast<float>(one.count) * (2.0f / 3.0f) * kCell * kCell / std::max(density, 1e-6f);
      samples_.push_back(sample);
    }
    const auto middle = filled.begin() + static_cast<std::ptrdiff_t>(filled.size() / 2);
    std::nth_element(filled.begin(), middle, filled.end());
    median_filled_ = *middle;
  }

  // Mean over the samples, by area.
  float level_of_surface() const {
    const std::array<int, 3> nodes = frame_.nodes();
    const std::array<size_t, 8> corners = cell_corners(nodes);
    double sum = 0, area = 0;
    for (const PoissonSample& sample : samples_) {
      const Trilinear at = trilinear(nodes, sample.position[0], sample.position[1], sample.position[2]);
      for (size_t c = 0; c < 8; ++c) {
        sum += static_cast<double>(sample.area * at.weight[c] * values_[at.first + corners[c]]);
      }
      area += static_cast<double>(sample.area);
    }
    return std::clamp(static_cast<float>(sum / area), -0.4f, 0.4f);
  }

  Status extract(TriangleMesh* mesh);
  void colour(TriangleMesh* mesh) const;
  void trim(TriangleMesh* mesh) const;

  const PointCloud& cloud_;
  const PoissonOptions& options_;
  Executor& executor_;
  const CancelToken* token_;
  std::vector<uint32_t> used_;
  int resolution_ = 0;
  Frame frame_;
  std::vector<int32_t> cell_sample_;  // sample of a cell or −1
  std::vector<Gathered> gathered_;
  std::vector<PoissonSample> samples_;
  std::vector<std::array<float, 5>> density_;  // points, their colours, and cells with points
  float median_filled_ = 0;
  std::vector<float> values_;
};

Status Reconstruction::extract(TriangleMesh* mesh) {
  GridFrame grid;
  grid.origin = frame_.origin;
  grid.spacing = frame_.spacing;
  const Status done = march(DenseField(values_, frame_.nodes(), level_of_surface()), grid, executor_, token_, mesh);
  if (!done.ok()) return done;
  if (options_.trim > 0) trim(mesh);
  if (mesh->indices.empty()) return Status(Code::kNoSurface, "These points make no surface");
  if (!cloud_.colours.empty()) colour(mesh);
  return Status();
}

void Reconstruction::trim(TriangleMesh* mesh) const {
  const float least = static_cast<float>(options_.trim) * median_filled_;
  std::vector<uint8_t> keep(mesh->vertices());
  for (size_t i = 0; i < keep.size(); ++i) {
    double at[3];
    float cells[3];
    for (size_t k = 0; k < 3; ++k) at[k] = static_cast<double>(mesh->positions[3 * i + k]);
    in_cells(at, cells);
    keep[i] = density_at(cells)[4] >= least ? 1 : 0;
  }
  size_t kept = 0;
  for (size_t t = 0; t < mesh->indices.size(); t += 3) {
    const uint32_t* corner = mesh->indices.data() + t;
    if (keep[corner[0]] == 0 || keep[corner[1]] == 0 || keep[corner[2]] == 0) continue;
    for (size_t k = 0; k < 3; ++k) mesh->indices[kept + k] = corner[k];
    kept += 3;
  }
  mesh->indices.resize(kept);
  drop_unused_vertices(mesh);
}

// Of the points in the cells around; further away, of those on the coarser grid; else the mean of all.
void Reconstruction::colour(TriangleMesh* mesh) const {
  double mean[3] = {}, all = 0;
  for (const Gathered& one : gathered_) {
    for (size_t k = 0; k < 3; ++k) mean[k] += one.colour[k] * one.count;
    all += one.count;
  }
  const std::array<int, 3> nodes = frame_.nodes();
  mesh->colours.resize(mesh->positions.size());
  for (size_t i = 0; i < mesh->vertices(); ++i) {
    double at[3];
    for (size_t k = 0; k < 3; ++k) at[k] = static_cast<double>(mesh->positions[3 * i + k]);
    const std::array<size_t, 3> cell = cell_of(at);
    double sum[3] = {}, weights = 0;
    for (int n = 0; n < 27; ++n) {
      const int near[3] = {static_cast<int>(cell[0]) + n % 3 - 1, static_cast<int>(cell[1]) + n / 3 % 3 - 1,
                           static_cast<int>(cell[2]) + n / 9 - 1};
      if (near[0] < 0 || near[1] < 0 || near[2] < 0 || near[0] >= nodes[0] || near[1] >= nodes[1] ||
          near[2] >= nodes[2]) {
        continue;
      }
      const int32_t number = cell_sample_[cell_number(
          {static_cast<size_t>(near[0]), static_cast<size_t>(near[1]), static_cast<size_t>(near[2])})];
      if (number < 0) continue;
      const Gathered& one = gathered_[static_cast<size_t>(number)];
      double away = 0;
      for (size_t k = 0; k < 3; ++k) away += (one.position[k] - at[k]) * (one.position[k] - at[k]);
      const double weight = one.count * std::exp(-away / (0.5 * frame_.spacing * frame_.spacing));
      for (size_t k = 0; k < 3; ++k) sum[k] += weight * one.colour[k];
      weights += weight;
    }
    if (!(weights > 1e-9)) {
      float cells[3];
      in_cells(at, cells);
      const std::array<float, 5> around = density_at(cells);
      const bool some = around[0] > 1e-6f;
      for (size_t k = 0; k < 3; ++k) sum[k] = some ? static_cast<double>(around[k + 1]) : mean[k];
      weights = some ? static_cast<double>(around[0]) : all;
    }
    for (size_t k = 0; k < 3; ++k) {
      mesh->colours[3 * i + k] = static_cast<uint8_t>(std::clamp(sum[k] / weights + 0.5, 0.0, 255.0));
    }
  }
}

}  // namespace

Status poisson_surface(const PointCloud& cloud, const PoissonOptions& options, Executor& executor,
                       const CancelToken* token, TriangleMesh* mesh, PoissonReport* report) {
  const size_t n = cloud.size();
  if (cloud.positions.size() != 3 * n || (!cloud.colours.empty() && cloud.colours.size() != 3 * n)) {
    return invalid("Expected three numbers for each point");
  }
  if (cloud.normals.size() != 3 * n) return invalid("Expected a normal for each point");
  for (const float at : cloud.positions) {
    if (!std::isfinite(at)) return invalid("A position is not finite");
  }
  if (options.resolution < 16 || options.resolution > 512) return invalid("Expected a resolution from 16 to 512");
  if (!(options.screening >= 0) || !(options.screening <= 1e6)) return invalid("Expected a screening from 0 to 10^6");
  if (options.iterations < 1 || options.iterations > 1000) return invalid("Expected 1 to 1000 iterations");
  if (!(options.trim >= 0) || !(options.trim < 1e6)) return invalid("Expected a trim of at least 0");
  try {
    return Reconstruction(cloud, options, executor, token).run(mesh, report);
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the grid");
  }
}

}  // namespace lineament
