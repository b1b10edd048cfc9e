#include "device/cuda_geometry.h"

#include <algorithm>
#include <new>
#include <utility>

namespace lineament {
namespace {

Status out_of_memory() { return Status(Code::kOutOfMemory, "Out of memory for geometry on a device"); }
Status aborted() { return Status(Code::kAborted, "Aborted"); }

class CudaVolume final : public VoxelDevice {
 public:
  CudaVolume(std::shared_ptr<const void> owner, const lineament_cuda_functions& call, lineament_cuda_volume* volume)
      : owner_(std::move(owner)), call_(call), volume_(volume) {}
  ~CudaVolume() override { call_.destroy_volume(volume_); }

  Status grow(size_t blocks) override {
    lineament_cuda_error error{};
    if (call_.grow_volume(volume_, blocks, &error) != LINEAMENT_CUDA_OK) return cuda_status(error);
    blocks_ += blocks;
    return Status();
  }

  Status fuse(const FusionView& view, const FusionRule& rule, float voxel, const std::vector<float>& starts,
              std::vector<uint32_t>* changed) override {
    lineament_cuda_view sent{};
    std::copy_n(view.rotation, 9, sent.rotation);
    std::copy_n(view.translation, 3, sent.translation);
    sent.fx = view.fx;
    sent.fy = view.fy;
    sent.cx = view.cx;
    sent.cy = view.cy;
    sent.width = static_cast<uint32_t>(view.width);
    sent.height = static_cast<uint32_t>(view.height);
    static_assert(sizeof(DepthSample) == sizeof(lineament_cuda_sample));
    sent.samples = reinterpret_cast<const lineament_cuda_sample*>(view.samples);
    sent.coloured = view.coloured ? 1 : 0;
    sent.truncation = rule.truncation;
    sent.fade = rule.fade;
    sent.carve = rule.carve;
    sent.colour_band = rule.colour_band;
    sent.max_weight = rule.max_weight;
    sent.voxel = voxel;
    sent.starts = starts.data();
    changed->assign(blocks_, 0);
    lineament_cuda_error error{};
    return call_.fuse(volume_, &sent, changed->data(), &error) == LINEAMENT_CUDA_OK ? Status() : cuda_status(error);
  }

  Status read(size_t first, size_t blocks, Voxel* voxels, VoxelColour* colours) override {
    lineament_cuda_error error{};
    const int32_t code = call_.read_volume(volume_, first, blocks, reinterpret_cast<float*>(voxels),
                                           reinterpret_cast<float*>(colours), &error);
    return code == LINEAMENT_CUDA_OK ? Status() : cuda_status(error);
  }

 private:
  const std::shared_ptr<const void> owner_;
  const lineament_cuda_functions& call_;
  lineament_cuda_volume* const volume_;
  size_t blocks_ = 0;
};

}  // namespace

Result<std::shared_ptr<CudaGeometry>> CudaGeometry::open(const std::string& library, int device, uint64_t most_bytes) {
  auto plugin = CudaPlugin::load(library);
  if (!plugin.ok()) return plugin.status();
  lineament_cuda_geometry* geometry = nullptr;
  lineament_cuda_error error{};
  const lineament_cuda_functions& call = plugin.value()->functions();
  if (call.open_geometry(device, most_bytes, &geometry, &error) != LINEAMENT_CUDA_OK) return cuda_status(error);
  try {
    return std::shared_ptr<CudaGeometry>(new CudaGeometry(std::move(plugin.value()), geometry));
  } catch (const std::bad_alloc&) {
    call.close_geometry(geometry);
    return out_of_memory();
  }
}

CudaGeometry::~CudaGeometry() { plugin_->functions().close_geometry(geometry_); }

uint64_t CudaGeometry::bytes() const { return plugin_->functions().geometry_bytes(geometry_); }

Status CudaGeometry::points(const DepthView& map, float least_confidence, const NormalWindow* window,
                            std::vector<float>* points, std::vector<float>* normals) {
  lineament_cuda_projection sent{};
  sent.width = static_cast<uint32_t>(map.width);
  sent.height = static_cast<uint32_t>(map.height);
  sent.depth = map.depth;
  sent.confidence = map.confidence;
  sent.least_confidence = least_confidence;
  sent.inverse_fx = 1 / map.camera.fx;
  sent.inverse_fy = 1 / map.camera.fy;
  sent.cx = map.camera.cx;
  sent.cy = map.camera.cy;
  const size_t pixels = static_cast<size_t>(map.width) * static_cast<size_t>(map.height);
  points->resize(3 * pixels);
  if (window != nullptr) {
    sent.radius = static_cast<uint32_t>(window->radius);
    sent.most_step = window->most_step;
    normals->resize(3 * pixels);
  }
  lineament_cuda_error error{};
  const int32_t code = plugin_->functions().project(geometry_, &sent, points->data(), normals->data(), &error);
  return code == LINEAMENT_CUDA_OK ? Status() : cuda_status(error);
}

Result<Projected> CudaGeometry::project(const DepthView& map, float least_confidence, const ColourView* colours,
                                        const NormalWindow* window, Executor& executor, const CancelToken* token) {
  try {
    if (window != nullptr) {
      if (const Status good = check_window(*window); !good.ok()) return good;
    }
    // Which pixels count, in which order, and what colours they have; checks everything.
    Result<Projected> out = project_depth(map, least_confidence, colours, nullptr, executor, token);
    if (!out.ok()) return out;
    if (is_cancelled(token)) return aborted();
    std::vector<float> all_points, all_normals;
    if (const Status done = points(map, least_confidence, window, &all_points, &all_normals); !done.ok()) return done;
    PointCloud& cloud = out.value().cloud;
    if (window != nullptr) cloud.normals.resize(cloud.positions.size());
    for (size_t i = 0; i < cloud.size(); ++i) {
      const size_t pixel = out.value().pixels[i];
      std::copy_n(all_points.data() + 3 * pixel, 3, cloud.positions.data() + 3 * i);
      if (window != nullptr) std::copy_n(all_normals.data() + 3 * pixel, 3, cloud.normals.data() + 3 * i);
    }
    return out;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Result<std::vector<float>> CudaGeometry::normals(const DepthView& map, float least_confidence,
                                                 const NormalWindow& window, const CancelToken* token) {
  try {
    if (const Status good = check_map(map); !good.ok()) return good;
    if (const Status good = check_window(window); !good.ok()) return good;
    if (is_cancelled(token)) return aborted();
    std::vector<float> all_points, all_normals;
    const Status done = points(map, least_confidence, &window, &all_points, &all_normals);
    if (!done.ok()) return done;
    return all_normals;
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Status CudaGeometry::filter(const float* depth, int width, int height, const BilateralOptions& options,
                            const CancelToken* token, float* out) {
  try {
    if (width < 1 || height < 1) return Status(Code::kInvalidArgument, "Expected sides above zero");
    const Result<BilateralWeights> weights = bilateral_weights(options);
    if (!weights.ok()) return weights.status();
    if (is_cancelled(token)) return aborted();
    const lineament_cuda_smoothing sent{
        static_cast<uint32_t>(width),          static_cast<uint32_t>(height),  depth,
        static_cast<uint32_t>(options.radius), weights.value().spatial.data(), weights.value().inverse_range};
    lineament_cuda_error error{};
    const int32_t code = plugin_->functions().smooth(geometry_, &sent, out, &error);
    return code == LINEAMENT_CUDA_OK ? Status() : cuda_status(error);
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

Result<std::unique_ptr<VoxelDevice>> CudaGeometry::volume(bool coloured) {
  lineament_cuda_volume* volume = nullptr;
  lineament_cuda_error error{};
  const lineament_cuda_functions& call = plugin_->functions();
  if (call.create_volume(geometry_, coloured ? 1 : 0, &volume, &error) != LINEAMENT_CUDA_OK) return cuda_status(error);
  try {
    return std::unique_ptr<VoxelDevice>(std::make_unique<CudaVolume>(shared_from_this(), call, volume));
  } catch (const std::bad_alloc&) {
    call.destroy_volume(volume);
    return out_of_memory();
  }
}

}  // namespace lineament
