// Geometry on a device beside the processor: equal bits on the reference, which runs the same bodies with the same
// compiler. On a GPU products and sums are not contracted either (native/cuda/CMakeLists.txt), so the same is expected
// there; what is tested is kTolerance of the largest coordinate, some 20 units of the last place.
#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "core/cpu.h"
#include "depth/bilateral_body.h"
#include "device/cuda_geometry.h"
#include "tests/cuda/suite.h"
#include "tests/mesh/views.h"

using namespace lineament;
using surfaces::View;

namespace {

constexpr double kTolerance = 2e-6;
const double kNan = std::numeric_limits<double>::quiet_NaN();

bool exact(const std::string& library) { return library == cuda_suite::reference().path; }

std::shared_ptr<CudaGeometry> open(const std::string& library, uint64_t most_bytes = 0) {
  auto made = CudaGeometry::open(library, 0, most_bytes);
  CHECK_EQ(made.status().message(), "");
  return made.ok() ? made.value() : nullptr;
}

template <typename T>
void compare(const std::string& library, const std::vector<T>& found, const std::vector<T>& wanted, double scale) {
  CHECK_EQ(found.size(), wanted.size());
  if (found.size() != wanted.size()) return;
  double worst = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    const auto a = static_cast<double>(found[i]), b = static_cast<double>(wanted[i]);
    if (std::isnan(a) != std::isnan(b)) worst = INFINITY;
    if (!std::isnan(a) && !std::isnan(b)) worst = std::max(worst, std::abs(a - b));
  }
  CHECK(worst <= (exact(library) ? 0 : kTolerance * scale));
}

// A wavy wall with noise, holes and a step, seen by a camera that is off its middle.
struct Wall {
  static constexpr int kWidth = 97, kHeight = 71;
  std::vector<float> depth, confidence;
  std::vector<uint8_t> rgb;

  explicit Wall(unsigned seed) {
    std::mt19937 random(seed);
    for (int y = 0; y < kHeight; ++y) {
      for (int x = 0; x < kWidth; ++x) {
        const double z = 480 + 30 * std::sin(x * 0.1) + 20 * std::cos(y * 0.13) + (x > 60 ? 90 : 0);
        depth.push_back(random() % 11 == 0 ? static_cast<float>(kNan)
                                           : static_cast<float>(z + (random() % 1000) / 1000.0));
        confidence.push_back(static_cast<float>(random() % 1001) / 1000.0f);
        for (int k = 0; k < 3; ++k) rgb.push_back(static_cast<uint8_t>(random() % 256));
      }
    }
    depth[5] = std::numeric_limits<float>::infinity();
    depth[6] = -3;
    depth[7] = 0;
  }
  DepthView view(bool sure = false) const {
    return {kWidth, kHeight, depth.data(), sure ? nullptr : confidence.data(), {103.7, 99.2, 47.3, 37.9}};
  }
};

VolumeOptions around(double half, double voxel) {
  VolumeOptions options;
  options.low.fill(-half);
  options.high.fill(half);
  options.voxel = voxel;
  options.truncation = 4 * voxel;
  options.carve = 1e9;
  return options;
}

std::vector<View> ball_views(int size) {
  return surfaces::look_around([](double x, double y, double z) { return std::sqrt(x * x + y * y + z * z) - 60; }, 4,
                               size, 400, size * 1.6);
}

std::shared_ptr<TsdfVolume> on_device(CudaGeometry& geometry, const VolumeOptions& options) {
  auto device = geometry.volume(options.coloured);
  CHECK_EQ(device.status().message(), "");
  if (!device.ok()) return nullptr;
  auto made = TsdfVolume::make(options, std::move(device.value()));
  CHECK_EQ(made.status().message(), "");
  return made.ok() ? made.value() : nullptr;
}

void compare(const std::string& library, const TriangleMesh& found, const TriangleMesh& wanted) {
  if (exact(library)) CHECK(found.indices == wanted.indices);
  compare(library, found.positions, wanted.positions, 120);
  compare(library, found.normals, wanted.normals, 100);
  compare(library, found.colours, wanted.colours, exact(library) ? 1 : 1 / kTolerance);
}

double rms_from_ball(const TriangleMesh& mesh) {
  double sum = 0;
  for (size_t i = 0; i < mesh.vertices(); ++i) {
    const float* p = mesh.positions.data() + 3 * i;
    const double off = std::sqrt(static_cast<double>(p[0] * p[0] + p[1] * p[1] + p[2] * p[2])) - 60;
    sum += off * off;
  }
  return std::sqrt(sum / static_cast<double>(mesh.vertices()));
}

}  // namespace

ON_BOTH(projects_as_the_processor) {
  const auto geometry = open(library);
  if (!geometry) return;
  Executor executor(2);
  const Wall wall(1);
  ColourView own{Wall::kWidth, Wall::kHeight, wall.rgb.data(), {}};
  own.same = true;
  ColourView other{Wall::kWidth, Wall::kHeight, wall.rgb.data(), {88, 91, 50, 30}};
  other.translation[0] = 25;
  const NormalWindow windows[] = {{1, 0.02}, {2, 0.02}, {5, 0.004}, {16, 0.1}};
  const ColourView* const colours[] = {nullptr, &own, &other};
  for (const bool sure : {false, true}) {
    for (size_t i = 0; i < 5; ++i) {
      const NormalWindow* window = i < 4 ? &windows[i] : nullptr;
      const DepthView map = wall.view(sure);
      const auto wanted = project_depth(map, 0.25f, colours[i % 3], window, executor, nullptr);
      const auto found = geometry->project(map, 0.25f, colours[i % 3], window, executor, nullptr);
      CHECK(wanted.ok());
      CHECK_EQ(found.status().message(), "");
      if (!wanted.ok() || !found.ok()) return;
      CHECK(found.value().pixels == wanted.value().pixels);
      CHECK(found.value().cloud.size() > 4000);
      compare(library, found.value().cloud.positions, wanted.value().cloud.positions, 700);
      compare(library, found.value().cloud.normals, wanted.value().cloud.normals, 1000);
      CHECK(found.value().cloud.colours == wanted.value().cloud.colours);
      if (window == nullptr) continue;
      const auto wanted_normals = depth_normals(map, 0.25f, *window, executor, nullptr);
      const auto found_normals = geometry->normals(map, 0.25f, *window, nullptr);
      CHECK(wanted_normals.ok() && found_normals.ok());
      if (wanted_normals.ok() && found_normals.ok()) {
        compare(library, found_normals.value(), wanted_normals.value(), 1000);
      }
    }
  }
  CHECK(geometry->bytes() > 0);
}

ON_BOTH(projects_maps_of_many_sizes) {
  const auto geometry = open(library);
  if (!geometry) return;
  Executor executor(1);
  for (const auto& [width, height] : {std::pair{1, 1}, {1, 300}, {513, 1}, {3, 2}, {640, 480}, {2, 2}}) {
    std::vector<float> depth(static_cast<size_t>(width * height));
    for (size_t i = 0; i < depth.size(); ++i) depth[i] = 300 + static_cast<float>(i % 97);
    const DepthView map{width, height, depth.data(), nullptr, {500, 500, width / 2.0, height / 2.0}};
    const NormalWindow window{2, 1};
    const auto wanted = project_depth(map, 0, nullptr, &window, executor, nullptr);
    const auto found = geometry->project(map, 0, nullptr, &window, executor, nullptr);
    CHECK(wanted.ok() && found.ok());
    if (!wanted.ok() || !found.ok()) return;
    compare(library, found.value().cloud.positions, wanted.value().cloud.positions, 400);
    compare(library, found.value().cloud.normals, wanted.value().cloud.normals, 1000);
  }
}

ON_BOTH(filters_as_the_processor) {
  const auto geometry = open(library);
  if (!geometry) return;
  Executor executor(2);
  Wall wall(5);
  for (const size_t i : {5, 6, 7}) wall.depth[i] = static_cast<float>(kNan);  // what a depth map may not hold
  const float* depth = wall.depth.data();
  for (const BilateralOptions& options : {BilateralOptions{1, 1, 10}, {2, 1.5, 3}, {5, 2, 40}, {16, 6, 0.7}}) {
    std::vector<float> wanted(wall.depth.size()), found(wall.depth.size()), bodies(wall.depth.size());
    CHECK(filter_depth(depth, Wall::kWidth, Wall::kHeight, options, executor, nullptr, wanted.data()).ok());
    const Status status = geometry->filter(depth, Wall::kWidth, Wall::kHeight, options, nullptr, found.data());
    CHECK_EQ(status.message(), "");
    // The processor's kernel for AVX2 multiplies and adds at once.
    const auto weights = bilateral_weights(options);
    for (int i = 0; i < Wall::kWidth * Wall::kHeight; ++i) {
      bodies[static_cast<size_t>(i)] =
          bilateral_pixel(depth, Wall::kWidth, Wall::kHeight, i % Wall::kWidth, i / Wall::kWidth, options.radius,
                          weights.value().spatial.data(), weights.value().inverse_range);
    }
    compare(library, found, bodies, 700);
    for (size_t i = 0; i < found.size(); ++i) {
      CHECK_EQ(std::isnan(found[i]), std::isnan(wall.depth[i]));
      if (!std::isnan(found[i])) CHECK_NEAR(found[i], wanted[i], kTolerance * 700);
    }
    if (active_simd() == Simd::kScalar) compare(library, found, wanted, 700);
  }
  std::vector<float> out(wall.depth.size());
  for (const BilateralOptions& bad : {BilateralOptions{0, 1, 1}, {17, 1, 1}, {2, 0, 1}, {2, 1, kNan}, {2, 1, 1e-30}}) {
    CHECK(geometry->filter(depth, Wall::kWidth, Wall::kHeight, bad, nullptr, out.data()).code() ==
          Code::kInvalidArgument);
  }
  CHECK(geometry->filter(depth, 0, 5, {}, nullptr, out.data()).code() == Code::kInvalidArgument);
  CancelToken token;
  token.cancel();
  CHECK(geometry->filter(depth, Wall::kWidth, Wall::kHeight, {}, &token, out.data()).code() == Code::kAborted);
}

ON_BOTH(fuses_as_the_processor) {
  const auto geometry = open(library);
  if (!geometry) return;
  Executor executor(2);
  for (const bool coloured : {true, false}) {
    VolumeOptions options = around(70, 3);
    options.coloured = coloured;
    const auto host = TsdfVolume::make(options).value();
    const auto device = on_device(*geometry, options);
    if (!device) return;
    TriangleMesh wanted, found;
    for (const View& view : ball_views(80)) {
      IntegrateReport on_host, there;
      CHECK(host->integrate(view.frame(coloured), executor, nullptr, &on_host).ok());
      CHECK_EQ(device->integrate(view.frame(coloured), executor, nullptr, &there).message(), "");
      if (exact(library)) {
        CHECK_EQ(there.blocks, on_host.blocks);
        CHECK_EQ(there.voxels, on_host.voxels);
      }
      CHECK(there.voxels > 0);
      // Between frames too: what is fused afterwards goes on from there.
      CHECK(host->extract(0, executor, nullptr, &wanted).ok());
      CHECK(device->extract(0, executor, nullptr, &found).ok());
      compare(library, found, wanted);
    }
    CHECK_EQ(device->blocks(), host->blocks());
    CHECK(rms_from_ball(found) < 0.25);
    TriangleMesh again;
    CHECK(device->extract(0, executor, nullptr, &again).ok());
    CHECK(again.positions == found.positions && again.indices == found.indices);
  }
}

ON_BOTH(fuses_several_volumes_at_once) {
  const auto geometry = open(library);
  if (!geometry) return;
  const std::vector<View> views = ball_views(48);
  std::vector<TriangleMesh> meshes(3);
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (TriangleMesh& mesh : meshes) {
    threads.emplace_back([&] {
      Executor executor(1);
      auto device = geometry->volume(true);
      const auto volume = TsdfVolume::make(around(70, 5), std::move(device.value())).value();
      for (const View& view : views) {
        IntegrateReport report;
        if (!volume->integrate(view.frame(true), executor, nullptr, &report).ok()) ++failures;
      }
      if (!volume->extract(0, executor, nullptr, &mesh).ok()) ++failures;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK_EQ(failures.load(), 0);
  for (const TriangleMesh& mesh : meshes) {
    CHECK(mesh.positions == meshes[0].positions && mesh.indices == meshes[0].indices &&
          mesh.colours == meshes[0].colours);
  }
}

ON_BOTH(a_volume_outlives_its_geometry) {
  auto geometry = open(library);
  if (!geometry) return;
  Executor executor(1);
  const auto volume = on_device(*geometry, around(70, 5));
  geometry.reset();
  const View view = ball_views(48)[0];
  IntegrateReport report;
  CHECK(volume->integrate(view.frame(), executor, nullptr, &report).ok());
  TriangleMesh mesh;
  CHECK(volume->extract(0, executor, nullptr, &mesh).ok());
  CHECK(mesh.triangles() > 100);
}

ON_BOTH(keeps_to_its_memory) {
  Executor executor(1);
  const std::vector<View> views = ball_views(64);
  uint64_t all = 0;
  if (const auto unbounded = open(library)) {
    const auto volume = on_device(*unbounded, around(70, 3));
    for (const View& view : views) {
      IntegrateReport report;
      CHECK(volume->integrate(view.frame(true), executor, nullptr, &report).ok());
    }
    all = unbounded->bytes();
  }
  // Enough for the first frames, not for all blocks.
  const uint64_t most = all / 10 * 9;
  const auto geometry = open(library, most);
  if (!geometry) return;
  const auto volume = on_device(*geometry, around(70, 3));
  size_t fused = 0;
  Status status;
  TriangleMesh before, after;
  for (const View& view : views) {
    IntegrateReport report;
    status = volume->integrate(view.frame(true), executor, nullptr, &report);
    if (!status.ok()) break;
    ++fused;
    CHECK(volume->extract(0, executor, nullptr, &before).ok());
  }
  CHECK(status.code() == Code::kOutOfMemory);
  CHECK(fused > 0 && fused < views.size());
  CHECK(geometry->bytes() <= most);
  // The frame that did not fit has left nothing behind.
  CHECK(volume->extract(0, executor, nullptr, &after).ok());
  CHECK(after.positions == before.positions && after.indices == before.indices);
  const Wall wall(2);
  const auto none = open(library, 1000);
  CHECK(none->project(wall.view(), 0, nullptr, nullptr, executor, nullptr).status().code() == Code::kOutOfMemory);
}

ON_BOTH(refuses_bad_input) {
  const auto geometry = open(library);
  if (!geometry) return;
  Executor executor(1);
  const Wall wall(3);
  const NormalWindow window{2, 0.02};
  const auto code = [&](const DepthView& map, const NormalWindow& of) {
    CHECK(geometry->normals(map, 0, of, nullptr).status().code() ==
          geometry->project(map, 0, nullptr, &of, executor, nullptr).status().code());
    return geometry->project(map, 0, nullptr, &of, executor, nullptr).status().code();
  };
  DepthView map = wall.view();
  CHECK(code(map, {0, 0.02}) == Code::kInvalidArgument);
  CHECK(code(map, {17, 0.02}) == Code::kInvalidArgument);
  CHECK(code(map, {2, kNan}) == Code::kInvalidArgument);
  map.width = 0;
  CHECK(code(map, window) == Code::kInvalidArgument);
  map = wall.view();
  map.camera.fx = kNan;
  CHECK(code(map, window) == Code::kInvalidArgument);
  map.camera.fx = 0;
  CHECK(code(map, window) == Code::kInvalidArgument);

  CancelToken token;
  token.cancel();
  map = wall.view();
  CHECK(geometry->project(map, 0, nullptr, &window, executor, &token).status().code() == Code::kAborted);
  CHECK(geometry->normals(map, 0, window, &token).status().code() == Code::kAborted);
  const auto volume = on_device(*geometry, around(70, 5));
  const View view = ball_views(32)[0];
  IntegrateReport report;
  CHECK(volume->integrate(view.frame(), executor, &token, &report).code() == Code::kAborted);
  TriangleMesh mesh;
  CHECK(volume->extract(0, executor, nullptr, &mesh).code() == Code::kNoSurface);

  // All of it unknown: nothing to project, nothing to fuse.
  const std::vector<float> unknown(64, static_cast<float>(kNan));
  const auto empty =
      geometry->project({8, 8, unknown.data(), nullptr, {10, 10, 4, 4}}, 0, nullptr, &window, executor, nullptr);
  CHECK(empty.ok() && empty.value().cloud.size() == 0);
}

TEST(geometry_says_what_is_missing) {
  for (const int device : {-1, 1, 100}) {
    const Status status = CudaGeometry::open(cuda_suite::reference().path, device, 0).status();
    CHECK(status.code() == Code::kProviderUnavailable);
  }
  const Status status = CudaGeometry::open("/nonexistent/liblineament_cuda.so", 0, 0).status();
  CHECK(status.code() == Code::kProviderUnavailable);
  CHECK(status.message().find("LINEAMENT_CUDA") != std::string::npos);
}

TEST(the_plugin_checks_what_it_is_given) {
  const auto plugin = CudaPlugin::load(cuda_suite::reference().path);
  CHECK(plugin.ok());
  if (!plugin.ok()) return;
  const lineament_cuda_functions& call = plugin.value()->functions();
  lineament_cuda_error error{};
  lineament_cuda_geometry* geometry = nullptr;
  CHECK_EQ(call.open_geometry(0, 0, &geometry, &error), LINEAMENT_CUDA_OK);
  lineament_cuda_projection projection{};
  projection.radius = 17;
  projection.width = projection.height = 1;
  CHECK_EQ(call.project(geometry, &projection, nullptr, nullptr, &error), LINEAMENT_CUDA_INVALID);
  projection.radius = 0;
  projection.width = 1u << 24;
  CHECK_EQ(call.project(geometry, &projection, nullptr, nullptr, &error), LINEAMENT_CUDA_INVALID);
  lineament_cuda_smoothing smoothing{};
  smoothing.width = smoothing.height = 1;
  for (const uint32_t radius : {0u, 17u}) {
    smoothing.radius = radius;
    CHECK_EQ(call.smooth(geometry, &smoothing, nullptr, &error), LINEAMENT_CUDA_INVALID);
  }
  lineament_cuda_volume* volume = nullptr;
  CHECK_EQ(call.create_volume(geometry, 0, &volume, &error), LINEAMENT_CUDA_OK);
  CHECK_EQ(call.grow_volume(volume, size_t{1} << 40, &error), LINEAMENT_CUDA_INVALID);
  CHECK_EQ(call.grow_volume(volume, 3, &error), LINEAMENT_CUDA_OK);
  std::vector<float> voxels(2 * 512 * 3, 7.0f), colours(4 * 512 * 3);
  CHECK_EQ(call.read_volume(volume, 1, 3, voxels.data(), nullptr, &error), LINEAMENT_CUDA_INVALID);
  CHECK_EQ(call.read_volume(volume, 0, 3, voxels.data(), colours.data(), &error), LINEAMENT_CUDA_INVALID);
  CHECK_EQ(call.read_volume(volume, 0, 3, voxels.data(), nullptr, &error), LINEAMENT_CUDA_OK);
  for (const float number : voxels) CHECK_EQ(number, 0.0f);
  lineament_cuda_view view{};
  CHECK_EQ(call.fuse(volume, &view, nullptr, &error), LINEAMENT_CUDA_INVALID);
  call.close_geometry(geometry);
  call.destroy_volume(volume);
  call.destroy_volume(nullptr);
  call.close_geometry(nullptr);
}

TEST_MAIN()
