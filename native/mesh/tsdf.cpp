#include "mesh/tsdf.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <new>
#include <string>

#include "cloud/camera.h"
#include "core/spread.h"

namespace lineament {
namespace {

// Rows of a depth map in one part of the work, and blocks.
constexpr int kRows = 16;
// The longest side and the most pixels of a depth map, as in depth/depth_map.h.
constexpr int kMostDepthSide = 16384;
constexpr size_t kMostDepthPixels = size_t{64} << 20;
constexpr size_t kBlocksOfPart = 32;
// Below this cosine of the viewing angle (some 75°) a pixel has no say: the tangent plane tells little of the surface
// beside it, and zero moves outwards. On a sphere of 50 mm, voxels of 2 mm, the cosine's square as weight and this
// limit leave an RMS error of 0.01 mm; the cosine itself and a limit of 0.1 left 0.14 mm.
constexpr float kGrazing = 0.25f;
// Neighbouring pixels of one surface differ in depth by at most this many times the width of a pixel there.
constexpr float kSteepest = 12;

Status invalid(const std::string& what) { return Status(Code::kInvalidArgument, what); }

Status check_frame(const FusionFrame& frame) {
  if (frame.width < 1 || frame.height < 1 || frame.width > kMostDepthSide || frame.height > kMostDepthSide ||
      static_cast<size_t>(frame.width) * static_cast<size_t>(frame.height) > kMostDepthPixels) {
    return invalid("A depth map of " + std::to_string(frame.width) + " × " + std::to_string(frame.height) +
                   " pixels cannot be fused");
  }
  const Status camera = check_camera({frame.fx, frame.fy, frame.cx, frame.cy});
  return camera.ok() ? check_pose(frame.pose) : camera;
}

std::array<double, 3> world_from_camera(const Pose& pose, const std::array<double, 3>& camera) {
  std::array<double, 3> out{};
  for (size_t k = 0; k < 3; ++k) {
    for (size_t row = 0; row < 3; ++row) out[k] += pose[4 * row + k] * (camera[row] - pose[4 * row + 3]);
  }
  return out;
}

// Change of depth per pixel at `at`, from the neighbours that belong to the same surface. False: there is none.
bool depth_slope(const float* at, bool has_low, bool has_high, ptrdiff_t step, float limit, float* slope) {
  float sum = 0;
  int count = 0;
  if (has_low && std::abs(*at - at[-step]) <= limit) {
    sum += *at - at[-step];
    ++count;
  }
  if (has_high && std::abs(at[step] - *at) <= limit) {
    sum += at[step] - *at;
    ++count;
  }
  *slope = count > 0 ? sum / static_cast<float>(count) : 0;
  return count > 0;
}

}  // namespace

Status check_pose(const Pose& pose) {
  for (const double number : pose) {
    if (!std::isfinite(number)) return invalid("A pose is not finite");
  }
  const double* m = pose.data();
  const double determinant =
      m[0] * (m[5] * m[10] - m[6] * m[9]) - m[1] * (m[4] * m[10] - m[6] * m[8]) + m[2] * (m[4] * m[9] - m[5] * m[8]);
  double off = std::abs(determinant - 1) + std::abs(m[12]) + std::abs(m[13]) + std::abs(m[14]) + std::abs(m[15] - 1);
  for (size_t a = 0; a < 3; ++a) {
    for (size_t b = 0; b < 3; ++b) {
      double dot = a == b ? -1 : 0;
      for (size_t k = 0; k < 3; ++k) dot += m[4 * a + k] * m[4 * b + k];
      off = std::max(off, std::abs(dot));
    }
  }
  return off <= 1e-3 ? Status() : invalid("A pose is no rigid transform");
}

Status prepare_view(const FusionFrame& frame, Executor& executor, const CancelToken* token,
                    std::vector<DepthSample>* samples) {
  const int width = frame.width, height = frame.height;
  samples->resize(static_cast<size_t>(width) * static_cast<size_t>(height));
  const auto fx = static_cast<float>(frame.fx), fy = static_cast<float>(frame.fy);
  const auto cx = static_cast<float>(frame.cx), cy = static_cast<float>(frame.cy);
  const auto row_of = [&](int y) {
    for (int x = 0; x < width; ++x) {
      const size_t i = static_cast<size_t>(y) * static_cast<size_t>(width) + static_cast<size_t>(x);
      DepthSample& out = (*samples)[i];
      out = {0, 0, 0, 0};
      const float* at = frame.depth + i;
      const float depth = *at;
      if (std::isnan(depth)) continue;
      if (!(depth > 0) || !std::isfinite(depth)) return invalid("A depth is not above zero");
      const float confidence = frame.confidence == nullptr ? 1.0f : frame.confidence[i];
      if (!(confidence > 0)) continue;
      float du = 0, dv = 0;
      if (!depth_slope(at, x > 0, x + 1 < width, 1, kSteepest * depth / fx, &du)) continue;
      if (!depth_slope(at, y > 0, y + 1 < height, width, kSteepest * depth / fy, &dv)) continue;
      // The surface's normal is along (fx du, fy dv, −depth − (u − cx) du − (v − cy) dv), towards the camera.
      const float u = static_cast<float>(x) + 0.5f - cx, v = static_cast<float>(y) + 0.5f - cy;
      const float nx = fx * du, ny = fy * dv, nz = -depth - u * du - v * dv;
      const float rx = u / fx, ry = v / fy;
      const float length = std::sqrt(nx * nx + ny * ny + nz * nz), ray = std::sqrt(rx * rx + ry * ry + 1);
      const float slope = depth / length;  // −normal · ray
      const float cosine = slope / ray;
      if (!(cosine >= kGrazing)) continue;
      out.depth = depth;
      out.weight = std::min(confidence, 1.0f) * cosine * cosine;
      out.slope = slope;
      if (frame.rgb != nullptr) {
        const uint8_t* rgb = frame.rgb + 3 * i;
        out.colour = rgb[0] | uint32_t{rgb[1]} << 8 | uint32_t{rgb[2]} << 16;
      }
    }
    return Status();
  };
  return spread(executor, static_cast<size_t>((height + kRows - 1) / kRows), [&](size_t part) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Aborted");
    const int first = static_cast<int>(part) * kRows;
    for (int y = first; y < std::min(height, first + kRows); ++y) {
      Status done = row_of(y);
      if (!done.ok()) return done;
    }
    return Status();
  });
}

Status frame_bounds(const FusionFrame& frame, std::array<double, 3>* low, std::array<double, 3>* high) {
  const Status done = check_frame(frame);
  if (!done.ok()) return done;
  low->fill(std::numeric_limits<double>::infinity());
  high->fill(-std::numeric_limits<double>::infinity());
  for (int y = 0; y < frame.height; ++y) {
    for (int x = 0; x < frame.width; ++x) {
      const size_t i = static_cast<size_t>(y) * static_cast<size_t>(frame.width) + static_cast<size_t>(x);
      const double depth = static_cast<double>(frame.depth[i]);
      if (std::isnan(depth) || (frame.confidence != nullptr && !(frame.confidence[i] > 0))) continue;
      if (!(depth > 0) || !std::isfinite(depth)) return invalid("A depth is not above zero");
      const std::array<double, 3> point = world_from_camera(
          frame.pose, {(x + 0.5 - frame.cx) / frame.fx * depth, (y + 0.5 - frame.cy) / frame.fy * depth, depth});
      for (size_t k = 0; k < 3; ++k) {
        (*low)[k] = std::min((*low)[k], point[k]);
        (*high)[k] = std::max((*high)[k], point[k]);
      }
    }
  }
  return (*low)[0] <= (*high)[0] ? Status() : Status(Code::kNoSurface, "No pixel of this depth map is known");
}

Result<std::shared_ptr<TsdfVolume>> TsdfVolume::make(const VolumeOptions& options,
                                                     std::unique_ptr<VoxelDevice> device) {
  if (!(options.voxel > 0) || !std::isfinite(options.voxel)) return invalid("Expected voxels of a side above zero");
  if (!(options.truncation >= 2 * options.voxel) || !std::isfinite(options.truncation)) {
    return invalid("Expected a truncation of at least two voxels");
  }
  if (!(options.carve >= options.truncation)) return invalid("Expected to carve at least as far as the truncation");
  if (!(options.max_weight >= 1)) return invalid("Expected a largest weight of at least 1");
  double cells = 1;
  for (size_t k = 0; k < 3; ++k) {
    const double side = options.high[k] - options.low[k];
    if (!(side > 0) || !std::isfinite(side) || !std::isfinite(options.low[k]))
      return invalid("Expected bounds with a volume");
    cells *= std::ceil(side / (options.voxel * kBlockSide)) + 1;
  }
  // The directory, and as many marks while a frame is fused.
  const double bytes = cells * (sizeof(int32_t) + 1);
  if (bytes > static_cast<double>(options.max_bytes) || cells > std::numeric_limits<int32_t>::max()) {
    return invalid("The directory of this volume would need " +
                   std::to_string(static_cast<uint64_t>(std::min(bytes, 1e18))) + " bytes, more than the " +
                   std::to_string(options.max_bytes) + " it may have. Use larger voxels or smaller bounds");
  }
  try {
    return std::shared_ptr<TsdfVolume>(new TsdfVolume(options, std::move(device)));
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for a volume");
  }
}

TsdfVolume::TsdfVolume(const VolumeOptions& options, std::unique_ptr<VoxelDevice> device)
    : options_(options), device_(std::move(device)) {
  size_t cells = 1;
  for (size_t k = 0; k < 3; ++k) {
    size_[k] = static_cast<int>(std::ceil((options.high[k] - options.low[k]) / (options.voxel * kBlockSide))) + 1;
    cells *= static_cast<size_t>(size_[k]);
  }
  directory_.assign(cells, -1);
}

uint64_t TsdfVolume::block_bytes() const {
  const size_t colours = options_.coloured ? sizeof(VoxelColour) * kBlockSamples : 0;
  return sizeof(Block) + colours + sizeof(std::array<int, 3>) + sizeof(void*);
}

size_t TsdfVolume::cell(const std::array<int, 3>& at) const {
  return (static_cast<size_t>(at[2]) * static_cast<size_t>(size_[1]) + static_cast<size_t>(at[1])) *
             static_cast<size_t>(size_[0]) +
         static_cast<size_t>(at[0]);
}

size_t TsdfVolume::blocks() const { return block_count_.load(std::memory_order_relaxed); }

// The directory keeps its length.
uint64_t TsdfVolume::bytes() const { return directory_.size() * sizeof(int32_t) + blocks() * block_bytes(); }

// Blocks that come within the truncation (and a voxel, for the cells between blocks) of a pixel's point.
Status TsdfVolume::mark(const FusionFrame& frame, const std::vector<DepthSample>& samples, Executor& executor,
                        const CancelToken* token, std::vector<uint8_t>* marks) const {
  marks->assign(directory_.size(), 0);
  std::atomic<bool> any{false};
  const double reach = options_.truncation + options_.voxel, side = options_.voxel * kBlockSide;
  const auto row_of = [&](int y) {
    bool here = false;
    // Neighbouring pixels mostly mark the same blocks.
    std::array<int, 6> last_marked{-1, -1, -1, -1, -1, -1};
    for (int x = 0; x < frame.width; ++x) {
      const DepthSample& sample =
          samples[static_cast<size_t>(y) * static_cast<size_t>(frame.width) + static_cast<size_t>(x)];
      if (!(sample.weight > 0)) continue;
      const double depth = static_cast<double>(sample.depth);
      const std::array<double, 3> point = world_from_camera(
          frame.pose, {(x + 0.5 - frame.cx) / frame.fx * depth, (y + 0.5 - frame.cy) / frame.fy * depth, depth});
      std::array<int, 3> first{}, last{};
      bool within = true;
      for (size_t k = 0; k < 3 && within; ++k) {
        const double low = std::floor((point[k] - reach - options_.low[k]) / side);
        const double high = std::floor((point[k] + reach - options_.low[k]) / side);
        within = high >= 0 && low < size_[k];
        first[k] = static_cast<int>(std::max(low, 0.0));
        last[k] = static_cast<int>(std::min(high, size_[k] - 1.0));
      }
      if (!within) continue;
      here = true;
      const std::array<int, 6> range{first[0], first[1], first[2], last[0], last[1], last[2]};
      if (range == last_marked) continue;
      last_marked = range;
      for (int bz = first[2]; bz <= last[2]; ++bz) {
        for (int by = first[1]; by <= last[1]; ++by) {
          for (int bx = first[0]; bx <= last[0]; ++bx) {
            // Several threads may write the same 1.
            std::atomic_ref<uint8_t>((*marks)[cell({bx, by, bz})]).store(1, std::memory_order_relaxed);
          }
        }
      }
    }
    if (here) any.store(true, std::memory_order_relaxed);
  };
  const Status done = spread(executor, static_cast<size_t>((frame.height + kRows - 1) / kRows), [&](size_t part) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Aborted");
    const int first = static_cast<int>(part) * kRows;
    for (int y = first; y < std::min(frame.height, first + kRows); ++y) row_of(y);
    return Status();
  });
  if (!done.ok()) return done;
  return any.load() ? Status() : Status(Code::kNoSurface, "No pixel of this depth map falls within the volume");
}

Status TsdfVolume::allocate(const std::vector<uint8_t>& marks) {
  size_t fresh = 0;
  for (size_t i = 0; i < marks.size(); ++i) fresh += marks[i] != 0 && directory_[i] < 0 ? 1 : 0;
  const uint64_t needed = directory_.size() * sizeof(int32_t) + (blocks_.size() + fresh) * block_bytes();
  const auto refuse = [needed](const std::string& why) {
    return Status(Code::kOutOfMemory, "The volume would need " + std::to_string(needed) + " bytes" + why +
                                          ". Use larger voxels or smaller bounds");
  };
  if (needed > options_.max_bytes)
    return refuse(", more than the " + std::to_string(options_.max_bytes) + " it may have");
  std::vector<std::unique_ptr<Block>> made;
  try {
    made.reserve(fresh);
    blocks_.reserve(blocks_.size() + fresh);
    places_.reserve(places_.size() + fresh);
    for (size_t i = 0; i < fresh; ++i) {
      made.push_back(std::make_unique<Block>());
      if (options_.coloured) made.back()->colours = std::make_unique<std::array<VoxelColour, kBlockSamples>>();
    }
  } catch (const std::bad_alloc&) {
    return refuse(" and there is no more memory");
  }
  size_t next = 0;
  for (size_t i = 0; i < marks.size(); ++i) {
    if (marks[i] == 0 || directory_[i] >= 0) continue;
    const size_t nx = static_cast<size_t>(size_[0]), ny = static_cast<size_t>(size_[1]);
    directory_[i] = static_cast<int32_t>(blocks_.size());
    places_.push_back({static_cast<int>(i % nx), static_cast<int>(i / nx % ny), static_cast<int>(i / (nx * ny))});
    blocks_.push_back(std::move(made[next++]));
    block_count_.store(blocks_.size(), std::memory_order_relaxed);
  }
  return Status();
}

// Where its first voxel lies in the camera's frame.
void TsdfVolume::block_start(size_t index, const FusionView& view, float start[3]) const {
  const std::array<int, 3>& at = places_[index];
  for (size_t row = 0; row < 3; ++row) {
    double sum = static_cast<double>(view.translation[row]);
    for (size_t k = 0; k < 3; ++k) {
      sum += static_cast<double>(view.rotation[3 * row + k]) * (options_.low[k] + at[k] * kBlockSide * options_.voxel);
    }
    start[row] = static_cast<float>(sum);
  }
}

size_t TsdfVolume::fuse_block(size_t index, const FusionView& view, const FusionRule& rule) {
  const auto voxel = static_cast<float>(options_.voxel);
  float start[3];
  block_start(index, view, start);
  // A block whose bounding sphere lies beside the picture or behind the camera.
  const float radius = voxel * kBlockSide * 0.8661f;
  float middle[3];
  for (size_t row = 0; row < 3; ++row) {
    const float* r = view.rotation + 3 * row;
    middle[row] = start[row] + (r[0] + r[1] + r[2]) * voxel * (kBlockSide / 2);
  }
  if (middle[2] < -radius) return 0;
  if (middle[2] > radius) {
    const float close = middle[2] - radius;
    const float u = view.fx * middle[0] / middle[2] + view.cx, v = view.fy * middle[1] / middle[2] + view.cy;
    const float lean = (std::abs(middle[0]) + std::abs(middle[1])) / middle[2] + 1;
    const float ru = view.fx * radius * lean / close + 1, rv = view.fy * radius * lean / close + 1;
    if (u < -ru || v < -rv || u > static_cast<float>(view.width) + ru || v > static_cast<float>(view.height) + rv)
      return 0;
  }
  Block& block = *blocks_[index];
  size_t changed = 0, i = 0;
  for (int z = 0; z < kBlockSide; ++z) {
    for (int y = 0; y < kBlockSide; ++y) {
      float row[3];
      for (size_t k = 0; k < 3; ++k) {
        const float* r = view.rotation + 3 * k;
        row[k] = start[k] + (r[1] * static_cast<float>(y) + r[2] * static_cast<float>(z)) * voxel;
      }
      for (int x = 0; x < kBlockSide; ++x, ++i) {
        const float along = static_cast<float>(x) * voxel;
        changed += fuse_voxel(view, rule, row[0] + view.rotation[0] * along, row[1] + view.rotation[3] * along,
                              row[2] + view.rotation[6] * along, &block.voxels[i],
                              block.colours ? &(*block.colours)[i] : nullptr)
                       ? 1
                       : 0;
      }
    }
  }
  return changed;
}

Status TsdfVolume::integrate(const FusionFrame& frame, Executor& executor, const CancelToken* token,
                             IntegrateReport* report) {
  Status done = check_frame(frame);
  if (!done.ok()) return done;
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<DepthSample> samples;
  std::vector<uint8_t> marks;
  try {
    done = prepare_view(frame, executor, token, &samples);
    if (done.ok()) done = mark(frame, samples, executor, token, &marks);
  } catch (const std::bad_alloc&) {
    done = Status(Code::kOutOfMemory, "Out of memory for a depth map");
  }
  if (done.ok()) done = allocate(marks);
  if (!done.ok()) return done;

  FusionView view{};
  for (size_t row = 0; row < 3; ++row) {
    for (size_t k = 0; k < 3; ++k) view.rotation[3 * row + k] = static_cast<float>(frame.pose[4 * row + k]);
    view.translation[row] = static_cast<float>(frame.pose[4 * row + 3]);
  }
  view.fx = static_cast<float>(frame.fx);
  view.fy = static_cast<float>(frame.fy);
  view.cx = static_cast<float>(frame.cx);
  view.cy = static_cast<float>(frame.cy);
  view.width = frame.width;
  view.height = frame.height;
  view.samples = samples.data();
  view.coloured = frame.rgb != nullptr;
  FusionRule rule{};
  rule.truncation = static_cast<float>(options_.truncation);
  rule.fade = static_cast<float>(options_.voxel);
  rule.carve = static_cast<float>(options_.carve);
  rule.colour_band = static_cast<float>(2 * options_.voxel);
  rule.max_weight = static_cast<float>(options_.max_weight);

  if (device_) return fuse_on_device(view, rule, report);
  std::atomic<size_t> changed{0}, touched{0};
  const size_t count = blocks_.size();
  done = spread(executor, (count + kBlocksOfPart - 1) / kBlocksOfPart, [&](size_t part) {
    for (size_t i = part * kBlocksOfPart; i < std::min(count, (part + 1) * kBlocksOfPart); ++i) {
      const size_t here = fuse_block(i, view, rule);
      changed.fetch_add(here, std::memory_order_relaxed);
      touched.fetch_add(here > 0 ? 1 : 0, std::memory_order_relaxed);
    }
    return Status();
  });
  report->blocks = touched.load();
  report->voxels = changed.load();
  return done;
}

}  // namespace lineament
