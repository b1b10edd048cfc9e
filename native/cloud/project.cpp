#include "cloud/project.h"

#include <algorithm>
#include <cmath>

#include "cloud/project_body.h"
#include "cloud/ranges.h"

namespace lineament {

Status check_map(const DepthView& map) {
  if (map.width < 1 || map.height < 1 ||
      static_cast<size_t>(map.width) * static_cast<size_t>(map.height) > kMostPoints) {
    return Status(Code::kInvalidArgument, "A depth map of no or too many pixels");
  }
  return check_camera(map.camera);
}

Status check_window(const NormalWindow& window) {
  const bool good = window.radius >= 1 && window.radius <= kMostNormalRadius && std::isfinite(window.most_step) &&
                    window.most_step > 0;
  return good ? Status() : Status(Code::kInvalidArgument, "Expected a radius of 1 to 16 pixels and a step above zero");
}

namespace {

using cloud::Rays;

constexpr size_t kRowsAtOnce = 16;

Rays rays_of(const Camera& camera) { return {1 / camera.fx, 1 / camera.fy, camera.cx, camera.cy}; }

Status check_colours(const ColourView& colours, const DepthView& map) {
  if (colours.same) {
    if (colours.width == map.width && colours.height == map.height) return Status();
    return Status(Code::kInvalidArgument, "A picture of another size than the depth map needs its own camera");
  }
  if (colours.width < 1 || colours.height < 1) return Status(Code::kInvalidArgument, "A picture of no pixels");
  for (const double v : colours.rotation) {
    if (!std::isfinite(v)) return Status(Code::kInvalidArgument, "Expected a finite rotation");
  }
  for (const double v : colours.translation) {
    if (!std::isfinite(v)) return Status(Code::kInvalidArgument, "Expected a finite translation");
  }
  return check_camera(colours.camera);
}

class Projection {
 public:
  Projection(const DepthView& map, float least) : map_(map), least_(least), rays_(rays_of(map.camera)) {}

  bool counts(size_t pixel) const {
    const float confidence = map_.confidence == nullptr ? 1 : map_.confidence[pixel];
    return cloud::counts(map_.depth[pixel], confidence, least_);
  }

  void point(int i, int j, float out[3]) const {
    const size_t pixel = static_cast<size_t>(j) * static_cast<size_t>(map_.width) + static_cast<size_t>(i);
    cloud::point_of_pixel(rays_, static_cast<uint32_t>(i), static_cast<uint32_t>(j), map_.depth[pixel], out);
  }

  void normal(const NormalWindow& window, int i, int j, float out[3]) const {
    const auto width = static_cast<size_t>(map_.width);
    const float depth = map_.depth[static_cast<size_t>(j) * width + static_cast<size_t>(i)];
    const float step = static_cast<float>(window.most_step) * depth;
    cloud::PlaneSums sums;
    const int left = std::max(0, i - window.radius), right = std::min(map_.width - 1, i + window.radius);
    const int top = std::max(0, j - window.radius), bottom = std::min(map_.height - 1, j + window.radius);
    for (int y = top; y <= bottom; ++y) {
      for (int x = left; x <= right; ++x) {
        const size_t pixel = static_cast<size_t>(y) * width + static_cast<size_t>(x);
        const int way = std::max({1, std::abs(x - i), std::abs(y - j)});
        if (!counts(pixel) || !(std::abs(map_.depth[pixel] - depth) <= step * static_cast<float>(way))) continue;
        cloud::add_pixel(sums, x - i, y - j, map_.depth[pixel]);
      }
    }
    out[0] = out[1] = out[2] = 0;
    cloud::plane_normal(sums, rays_, static_cast<uint32_t>(i), static_cast<uint32_t>(j), out);
  }

 private:
  const DepthView& map_;
  const float least_;
  const Rays rays_;
};

// Bilinear; black where the picture's camera does not see the point.
void colour_of(const ColourView& view, const float p[3], uint8_t out[3]) {
  out[0] = out[1] = out[2] = 0;
  double q[3];
  for (size_t r = 0; r < 3; ++r) {
    q[r] = view.translation[r];
    for (size_t c = 0; c < 3; ++c) q[r] += view.rotation[3 * r + c] * static_cast<double>(p[c]);
  }
  if (!(q[2] > 0)) return;
  const double x = view.camera.fx * q[0] / q[2] + view.camera.cx, y = view.camera.fy * q[1] / q[2] + view.camera.cy;
  if (!(x >= 0 && y >= 0 && x <= view.width && y <= view.height)) return;
  const double u = std::clamp(x - 0.5, 0.0, static_cast<double>(view.width - 1));
  const double v = std::clamp(y - 0.5, 0.0, static_cast<double>(view.height - 1));
  const auto i = static_cast<size_t>(u), j = static_cast<size_t>(v);
  const size_t right = std::min(i + 1, static_cast<size_t>(view.width) - 1);
  const size_t below = std::min(j + 1, static_cast<size_t>(view.height) - 1);
  const double a = u - static_cast<double>(i), b = v - static_cast<double>(j);
  const uint8_t* upper = view.pixels + 3 * j * static_cast<size_t>(view.width);
  const uint8_t* lower = view.pixels + 3 * below * static_cast<size_t>(view.width);
  for (size_t c = 0; c < 3; ++c) {
    const double first = upper[3 * i + c] * (1 - a) + upper[3 * right + c] * a;
    const double second = lower[3 * i + c] * (1 - a) + lower[3 * right + c] * a;
    out[c] = static_cast<uint8_t>(first * (1 - b) + second * b + 0.5);
  }
}

}  // namespace

Result<Projected> project_depth(const DepthView& map, float least_confidence, const ColourView* colours,
                                const NormalWindow* window, Executor& executor, const CancelToken* token) {
  if (const Status good = check_map(map); !good.ok()) return good;
  if (window != nullptr) {
    if (const Status good = check_window(*window); !good.ok()) return good;
  }
  if (colours != nullptr) {
    if (const Status good = check_colours(*colours, map); !good.ok()) return good;
  }
  const Projection projection(map, least_confidence);
  const auto width = static_cast<size_t>(map.width), height = static_cast<size_t>(map.height);
  // Where each row's points go.
  std::vector<uint32_t> starts(height + 1);
  Status done = for_ranges(executor, token, height, kRowsAtOnce, [&](size_t begin, size_t end) {
    for (size_t j = begin; j < end; ++j) {
      uint32_t found = 0;
      for (size_t i = 0; i < width; ++i) found += projection.counts(j * width + i) ? 1U : 0U;
      starts[j + 1] = found;
    }
  });
  if (!done.ok()) return done;
  for (size_t j = 0; j < height; ++j) starts[j + 1] += starts[j];
  Projected out;
  const size_t count = starts[height];
  out.pixels.resize(count);
  out.cloud.positions.resize(3 * count);
  if (colours != nullptr) out.cloud.colours.resize(3 * count);
  if (window != nullptr) out.cloud.normals.resize(3 * count);
  done = for_ranges(executor, token, height, kRowsAtOnce, [&](size_t begin, size_t end) {
    for (size_t j = begin; j < end; ++j) {
      size_t to = starts[j];
      for (size_t i = 0; i < width; ++i) {
        const size_t pixel = j * width + i;
        if (!projection.counts(pixel)) continue;
        const int x = static_cast<int>(i), y = static_cast<int>(j);
        float* point = out.cloud.positions.data() + 3 * to;
        projection.point(x, y, point);
        if (window != nullptr) projection.normal(*window, x, y, out.cloud.normals.data() + 3 * to);
        if (colours != nullptr) {
          uint8_t* colour = out.cloud.colours.data() + 3 * to;
          if (colours->same) {
            std::copy_n(colours->pixels + 3 * pixel, 3, colour);
          } else {
            colour_of(*colours, point, colour);
          }
        }
        out.pixels[to++] = static_cast<uint32_t>(pixel);
      }
    }
  });
  if (!done.ok()) return done;
  // A camera beside the picture throws points as far as a float goes.
  if (const Status good = check_cloud(view(out.cloud), executor, token); !good.ok()) return good;
  return out;
}

Result<std::vector<float>> depth_normals(const DepthView& map, float least_confidence, const NormalWindow& window,
                                         Executor& executor, const CancelToken* token) {
  if (const Status good = check_map(map); !good.ok()) return good;
  if (const Status good = check_window(window); !good.ok()) return good;
  const Projection projection(map, least_confidence);
  const auto width = static_cast<size_t>(map.width);
  std::vector<float> normals(3 * width * static_cast<size_t>(map.height));
  const auto rows = static_cast<size_t>(map.height);
  const Status done = for_ranges(executor, token, rows, kRowsAtOnce, [&](size_t begin, size_t end) {
    for (size_t j = begin; j < end; ++j) {
      for (size_t i = 0; i < width; ++i) {
        if (!projection.counts(j * width + i)) continue;
        projection.normal(window, static_cast<int>(i), static_cast<int>(j), normals.data() + 3 * (j * width + i));
      }
    }
  });
  if (!done.ok()) return done;
  return normals;
}

}  // namespace lineament
