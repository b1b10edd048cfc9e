#include "cuda/geometry.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

namespace lineament::cuda {
namespace {

constexpr uint64_t kMostPixels = uint64_t{1} << 28;
constexpr uint32_t kMostRadius = 16;
constexpr size_t kMostVolumeBlocks = size_t{1} << 26;

static_assert(sizeof(lineament_cuda_sample) == sizeof(DepthSample) && sizeof(DepthSample) == 16);
static_assert(sizeof(Voxel) == 2 * sizeof(float) && sizeof(VoxelColour) == 4 * sizeof(float));

Failure invalid(const char* why) { return {LINEAMENT_CUDA_INVALID, why}; }

bool is_map(uint32_t width, uint32_t height) {
  return width > 0 && height > 0 && width < (1u << 24) && height < (1u << 24) &&
         uint64_t{width} * height <= kMostPixels;
}

FusionView view_of(const lineament_cuda_view& view, const DepthSample* samples) {
  FusionView out{};
  std::copy_n(view.rotation, 9, out.rotation);
  std::copy_n(view.translation, 3, out.translation);
  out.fx = view.fx;
  out.fy = view.fy;
  out.cx = view.cx;
  out.cy = view.cy;
  out.width = static_cast<int>(view.width);
  out.height = static_cast<int>(view.height);
  out.samples = samples;
  out.coloured = view.coloured != 0;
  return out;
}

}  // namespace

Geometry::Geometry(std::unique_ptr<Device> device, uint64_t most_bytes)
    : device_(std::move(device)),
      memory_(*device_, most_bytes),
      first_(&memory_),
      second_(&memory_),
      third_(&memory_),
      fourth_(&memory_) {}

Failure Geometry::Scratch::need(size_t bytes) {
  if (bytes <= bytes_) return {};
  bytes_ = 0;
  Failure failure = loan_.take(bytes);
  if (!failure.failed()) bytes_ = bytes;
  return failure;
}

Failure Geometry::enter() { return broken_.failed() ? broken_ : device_->enter(); }

Failure Geometry::note(Failure failure) {
  if (failure.code == LINEAMENT_CUDA_FAILED) broken_ = failure;
  return failure;
}

Failure Geometry::send(Scratch& to, const void* from, size_t bytes) {
  Failure failure = to.need(bytes);
  return failure.failed() ? failure : device_->upload(to.as<void>(), from, bytes);
}

uint64_t Geometry::bytes() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return memory_.taken();
}

Failure Geometry::project(const lineament_cuda_projection& projection, float* points, float* normals) {
  if (!is_map(projection.width, projection.height)) return invalid("A depth map of no or too many pixels");
  if (projection.radius > kMostRadius) return invalid("A window of normals has a radius of at most 16 pixels");
  const std::lock_guard<std::mutex> lock(mutex_);
  Failure failure = enter();
  return failure.failed() ? failure : note(run(projection, points, normals));
}

Failure Geometry::run(const lineament_cuda_projection& projection, float* points, float* normals) {
  const size_t pixels = size_t{projection.width} * projection.height, bytes = pixels * sizeof(float);
  Failure failure = send(first_, projection.depth, bytes);
  if (!failure.failed() && projection.confidence != nullptr) failure = send(second_, projection.confidence, bytes);
  if (!failure.failed()) failure = third_.need(3 * bytes);
  if (!failure.failed() && projection.radius > 0) failure = fourth_.need(3 * bytes);
  if (failure.failed()) return failure;
  ProjectTask task{};
  task.rays = {projection.inverse_fx, projection.inverse_fy, projection.cx, projection.cy};
  task.width = projection.width;
  task.height = projection.height;
  task.depth = first_.as<float>();
  task.confidence = projection.confidence == nullptr ? nullptr : second_.as<float>();
  task.least_confidence = projection.least_confidence;
  task.radius = static_cast<int32_t>(projection.radius);
  task.most_step = static_cast<float>(projection.most_step);
  task.points = third_.as<float>();
  task.normals = fourth_.as<float>();
  failure = device_->project(task);
  if (!failure.failed()) failure = device_->download(points, task.points, 3 * bytes);
  if (!failure.failed() && task.radius > 0) failure = device_->download(normals, task.normals, 3 * bytes);
  return failure;
}

Failure Geometry::smooth(const lineament_cuda_smoothing& smoothing, float* out) {
  if (!is_map(smoothing.width, smoothing.height)) return invalid("A depth map of no or too many pixels");
  if (smoothing.radius < 1 || smoothing.radius > kMostRadius) return invalid("A filter has a radius of 1 to 16 pixels");
  const std::lock_guard<std::mutex> lock(mutex_);
  Failure failure = enter();
  return failure.failed() ? failure : note(run(smoothing, out));
}

Failure Geometry::run(const lineament_cuda_smoothing& smoothing, float* out) {
  const size_t bytes = size_t{smoothing.width} * smoothing.height * sizeof(float), side = 2 * smoothing.radius + 1;
  Failure failure = send(first_, smoothing.depth, bytes);
  if (!failure.failed()) failure = send(second_, smoothing.spatial, side * side * sizeof(float));
  if (!failure.failed()) failure = third_.need(bytes);
  if (failure.failed()) return failure;
  const SmoothTask task{
      smoothing.width,     smoothing.height,        first_.as<float>(), static_cast<int32_t>(smoothing.radius),
      second_.as<float>(), smoothing.inverse_range, third_.as<float>()};
  failure = device_->smooth(task);
  return failure.failed() ? failure : device_->download(out, task.out, bytes);
}

Volume::~Volume() {
  const std::lock_guard<std::mutex> lock(geometry_->mutex_);
  for (const Piece& piece : pieces_) {
    geometry_->memory_.give_back(piece.voxels);
    if (piece.colours != nullptr) geometry_->memory_.give_back(piece.colours);
  }
}

Failure Volume::grow(size_t blocks) {
  if (blocks == 0) return {};
  const std::lock_guard<std::mutex> lock(geometry_->mutex_);
  if (blocks > kMostVolumeBlocks - blocks_) return invalid("A volume has at most 2^26 blocks");
  Failure failure = geometry_->enter();
  if (failure.failed()) return failure;
  pieces_.reserve(pieces_.size() + 1);
  Memory& memory = geometry_->memory_;
  const size_t voxels = blocks * kBlockVoxels;
  Loan distances(&memory), colours(&memory);
  failure = distances.take(voxels * sizeof(Voxel));
  if (!failure.failed() && coloured_) failure = colours.take(voxels * sizeof(VoxelColour));
  // All bits 0: nothing is known.
  if (!failure.failed()) failure = geometry_->device_->clear(distances.data(), voxels * sizeof(Voxel));
  if (!failure.failed() && coloured_) failure = geometry_->device_->clear(colours.data(), voxels * sizeof(VoxelColour));
  if (failure.failed()) return geometry_->note(failure);
  pieces_.push_back({blocks_, blocks, reinterpret_cast<Voxel*>(distances.keep()),
                     coloured_ ? reinterpret_cast<VoxelColour*>(colours.keep()) : nullptr});
  blocks_ += blocks;
  return failure;
}

Failure Volume::fuse(const lineament_cuda_view& view, uint32_t* changed) {
  if (!is_map(view.width, view.height)) return invalid("A depth map of no or too many pixels");
  const std::lock_guard<std::mutex> lock(geometry_->mutex_);
  Failure failure = geometry_->enter();
  return failure.failed() || blocks_ == 0 ? failure : geometry_->note(run(view, changed));
}

Failure Volume::run(const lineament_cuda_view& view, uint32_t* changed) {
  Geometry& geometry = *geometry_;
  const size_t samples = size_t{view.width} * view.height * sizeof(DepthSample);
  Failure failure = geometry.send(geometry.first_, view.samples, samples);
  if (!failure.failed()) failure = geometry.send(geometry.second_, view.starts, blocks_ * 3 * sizeof(float));
  if (!failure.failed()) failure = geometry.third_.need(blocks_ * sizeof(uint32_t));
  for (size_t i = 0; !failure.failed() && i < pieces_.size(); ++i) {
    const Piece& piece = pieces_[i];
    FuseTask task{};
    task.view = view_of(view, geometry.first_.as<DepthSample>());
    task.rule = {view.truncation, view.fade, view.carve, view.colour_band, view.max_weight};
    task.voxel = view.voxel;
    task.starts = geometry.second_.as<float>() + 3 * piece.first;
    task.voxels = piece.voxels;
    task.colours = piece.colours;
    task.changed = geometry.third_.as<uint32_t>() + piece.first;
    failure = geometry.device_->fuse(task, static_cast<uint32_t>(piece.blocks));
  }
  if (failure.failed()) return failure;
  return geometry.device_->download(changed, geometry.third_.as<uint32_t>(), blocks_ * sizeof(uint32_t));
}

Failure Volume::read(size_t first, size_t blocks, float* voxels, float* colours) {
  const std::lock_guard<std::mutex> lock(geometry_->mutex_);
  if (first > blocks_ || blocks > blocks_ - first) return invalid("The volume has not so many blocks");
  if (colours != nullptr && !coloured_) return invalid("The volume has no colours");
  Failure failure = geometry_->enter();
  return failure.failed() ? failure : geometry_->note(copy(first, blocks, voxels, colours));
}

Failure Volume::copy(size_t first, size_t blocks, float* voxels, float* colours) {
  Failure failure;
  for (const Piece& piece : pieces_) {
    const size_t begin = std::max(first, piece.first), end = std::min(first + blocks, piece.first + piece.blocks);
    if (begin >= end) continue;
    const size_t from = (begin - piece.first) * kBlockVoxels, to = (begin - first) * kBlockVoxels;
    const size_t many = (end - begin) * kBlockVoxels;
    failure = geometry_->device_->download(voxels + 2 * to, piece.voxels + from, many * sizeof(Voxel));
    if (failure.failed()) return failure;
    if (colours == nullptr) continue;
    failure = geometry_->device_->download(colours + 4 * to, piece.colours + from, many * sizeof(VoxelColour));
    if (failure.failed()) return failure;
  }
  return failure;
}

}  // namespace lineament::cuda
