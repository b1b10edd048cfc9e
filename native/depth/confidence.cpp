#include "depth/confidence.h"

#include <algorithm>
#include <cmath>

#include "core/spread.h"
#include "depth/patches.h"

namespace lineament {
namespace {

constexpr size_t kBand = 32;  // rows

struct Reader {
  const DepthMap& map;
  double step;

  float at(int x, int y) const {
    return map.depth[static_cast<size_t>(y) * static_cast<size_t>(map.width) + static_cast<size_t>(x)];
  }
  // NaN stands beside nothing.
  bool together(float a, float b) const {
    const double most = std::max(step, 3 * a / std::min(map.camera.fx, map.camera.fy));
    return std::abs(static_cast<double>(a) - b) <= most;
  }
  Vector3 point(int x, int y, float z) const {
    const Camera& c = map.camera;
    return {(x + 0.5 - c.cx) / c.fx * z, (y + 0.5 - c.cy) / c.fy * z, z};
  }
  // The difference of two neighbours of (x, y), or of one and (x, y) itself.
  bool along(int x, int y, int dx, int dy, Vector3* out) const {
    const float here = at(x, y);
    const auto neighbour = [&](int nx, int ny, Vector3* point_out) {
      if (nx < 0 || ny < 0 || nx >= map.width || ny >= map.height) return false;
      const float z = at(nx, ny);
      if (!together(here, z)) return false;
      *point_out = point(nx, ny, z);
      return true;
    };
    Vector3 before = point(x, y, here), after = before;
    const bool has_before = neighbour(x - dx, y - dy, &before), has_after = neighbour(x + dx, y + dy, &after);
    *out = after - before;
    return has_before || has_after;
  }
  double angle(int x, int y) const {
    Vector3 right, down;
    if (!along(x, y, 1, 0, &right) || !along(x, y, 0, 1, &down)) return 0;
    const Vector3 normal = cross(right, down), ray = point(x, y, at(x, y));
    const double length = std::sqrt(dot(normal, normal) * dot(ray, ray));
    return length > 0 ? std::min(1.0, std::abs(dot(normal, ray)) / length) : 0;
  }
  bool on_silhouette(int x, int y) const {
    const float z = at(x, y);
    return (x > 0 && !together(z, at(x - 1, y))) || (x + 1 < map.width && !together(z, at(x + 1, y))) ||
           (y > 0 && !together(z, at(x, y - 1))) || (y + 1 < map.height && !together(z, at(x, y + 1)));
  }
};

// Thirds of pixels to the nearest zero, at most `most`; two passes over the whole, steps of 3 and 4.
void chamfer(std::vector<uint16_t>& d, size_t width, size_t height) {
  const auto reach = [&](size_t i, size_t from, uint16_t cost) {
    d[i] = std::min<uint16_t>(d[i], static_cast<uint16_t>(d[from] + cost));
  };
  for (size_t y = 0; y < height; ++y) {
    for (size_t x = 0; x < width; ++x) {
      const size_t i = y * width + x;
      if (x > 0) reach(i, i - 1, 3);
      if (y == 0) continue;
      reach(i, i - width, 3);
      if (x > 0) reach(i, i - width - 1, 4);
      if (x + 1 < width) reach(i, i - width + 1, 4);
    }
  }
  for (size_t y = height; y-- > 0;) {
    for (size_t x = width; x-- > 0;) {
      const size_t i = y * width + x;
      if (x + 1 < width) reach(i, i + 1, 3);
      if (y + 1 == height) continue;
      reach(i, i + width, 3);
      if (x > 0) reach(i, i + width - 1, 4);
      if (x + 1 < width) reach(i, i + width + 1, 4);
    }
  }
}

// The rows and columns that have any depth.
struct Bounds {
  int x0, y0, x1, y1;  // one past the last
};
Bounds known_bounds(const DepthMap& map) {
  Bounds b{map.width, map.height, 0, 0};
  for (int y = 0; y < map.height; ++y) {
    const float* row = map.depth.data() + static_cast<size_t>(y) * static_cast<size_t>(map.width);
    int first = 0, last = map.width;
    while (first < last && std::isnan(row[first])) ++first;
    while (last > first && std::isnan(row[last - 1])) --last;
    if (first == last) continue;
    b = {std::min(b.x0, first), std::min(b.y0, y), std::max(b.x1, last), y + 1};
  }
  return b;
}

}  // namespace

Status rate_depth(DepthMap* map, const ConfidenceOptions& options, Executor& executor, const CancelToken* token) {
  const auto positive = [](double v) { return v > 0 && std::isfinite(v); };
  if (!positive(options.margin) || options.margin > 1000 || !positive(options.step) || !positive(options.tolerance))
    return Status(Code::kInvalidArgument, "Expected a margin of at most 1000, a step and a tolerance above zero");
  const Status checked = check_depth(*map);
  if (!checked.ok()) return checked;
  map->confidence.assign(map->size(), 0.0F);
  const Bounds bounds = known_bounds(*map);
  if (bounds.x0 >= bounds.x1) return Status();

  const Reader reader{*map, options.step};
  const auto width = static_cast<size_t>(bounds.x1 - bounds.x0), height = static_cast<size_t>(bounds.y1 - bounds.y0);
  const auto stride = static_cast<size_t>(map->width);
  const auto most = static_cast<uint16_t>(3 * std::ceil(options.margin));
  std::vector<uint16_t> distance(width * height, most);
  const size_t bands = (height + kBand - 1) / kBand;
  const auto each_pixel = [&](const auto& work) {
    return spread(executor, bands, [&](size_t band) {
      for (size_t row = band * kBand; row < std::min(height, (band + 1) * kBand); ++row) {
        if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
        const int y = bounds.y0 + static_cast<int>(row);
        for (size_t column = 0; column < width; ++column) {
          const int x = bounds.x0 + static_cast<int>(column);
          const size_t at = static_cast<size_t>(y) * stride + static_cast<size_t>(x);
          if (!std::isnan(map->depth[at])) work(x, y, at, row * width + column);
        }
      }
      return Status();
    });
  };
  const Status found = each_pixel([&](int x, int y, size_t, size_t i) {
    if (reader.on_silhouette(x, y)) distance[i] = 0;
  });
  if (!found.ok()) return found;
  chamfer(distance, width, height);
  return each_pixel([&](int x, int y, size_t at, size_t i) {
    double rating = std::min(1.0, (distance[i] / 3.0 + 0.5) / options.margin) * reader.angle(x, y);
    if (options.other != nullptr && !std::isnan(options.other[at])) {
      const double off = (static_cast<double>(options.other[at]) - map->depth[at]) / options.tolerance;
      rating /= 1 + off * off;
    }
    map->confidence[at] = static_cast<float>(rating);
  });
}

}  // namespace lineament
