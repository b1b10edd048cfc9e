#include "depth/confidence.h"

#include <algorithm>
#include <cmath>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr size_t kBand = 32;  // rows

// One row of pixels with the rows above and below it (null beyond the map).
class RowReader {
 public:
  RowReader(const DepthMap& map, int y, double step)
      : width_(map.width), step_(static_cast<float>(step)), camera_(map.camera), v_(y + 0.5 - map.camera.cy) {
    const size_t stride = static_cast<size_t>(map.width);
    row_ = map.depth.data() + static_cast<size_t>(y) * stride;
    above_ = y > 0 ? row_ - stride : nullptr;
    below_ = y + 1 < map.height ? row_ + stride : nullptr;
    footprint_ = static_cast<float>(3 / std::min(camera_.fx, camera_.fy));
  }

  // Gives the cosine between normal and ray. With Z(x, y) the normal is along (−fx Zx, −fy Zy, Z + u Zx + v Zy) for
  // u = x − cx and v = y − cy, and its product with the point is Z².
  float look(int x, bool* silhouette) const {
    const float z = row_[x], most = std::max(step_, footprint_ * z);
    Slope across{z, most}, down{z, most};
    if (x > 0) across.before(row_[x - 1]);
    if (x + 1 < width_) across.after(row_[x + 1]);
    if (above_ != nullptr) down.before(above_[x]);
    if (below_ != nullptr) down.after(below_[x]);
    *silhouette = across.torn || down.torn;
    if (across.span == 0 || down.span == 0) return 0;
    const double zx = across.value(), zy = down.value(), u = x + 0.5 - camera_.cx;
    const double mx = camera_.fx * zx, my = camera_.fy * zy, mz = z + u * zx + v_ * zy;
    const double rx = u / camera_.fx, ry = v_ / camera_.fy;
    return static_cast<float>(z / std::sqrt((mx * mx + my * my + mz * mz) * (1 + rx * rx + ry * ry)));
  }

 private:
  // The change from one neighbour to the other, or to the middle where only one lies on the same surface.
  struct Slope {
    float z, most;
    float low = z, high = z;
    int span = 0;
    bool torn = false;

    void before(float near) { take(near, &low); }
    void after(float near) { take(near, &high); }
    double value() const { return (static_cast<double>(high) - low) / span; }
    void take(float near, float* into) {
      if (std::abs(near - z) <= most) {  // false for NaN
        *into = near;
        ++span;
      } else {
        torn = true;
      }
    }
  };

  int width_;
  float step_, footprint_ = 0;
  Camera camera_;
  double v_;
  const float *row_, *above_, *below_;
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

  const auto width = static_cast<size_t>(bounds.x1 - bounds.x0), height = static_cast<size_t>(bounds.y1 - bounds.y0);
  const auto stride = static_cast<size_t>(map->width);
  const auto most = static_cast<uint16_t>(3 * std::ceil(options.margin));
  std::vector<uint16_t> distance(width * height, most);
  // work(y, offset of the row's first pixel within the bounds in the map, and in `distance`).
  const auto each_row = [&](const auto& work) {
    return spread(executor, (height + kBand - 1) / kBand, [&](size_t band) {
      for (size_t row = band * kBand; row < std::min(height, (band + 1) * kBand); ++row) {
        if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
        const int y = bounds.y0 + static_cast<int>(row);
        work(y, static_cast<size_t>(y) * stride + static_cast<size_t>(bounds.x0), row * width);
      }
      return Status();
    });
  };
  const Status looked = each_row([&](int y, size_t at, size_t i) {
    const RowReader reader(*map, y, options.step);
    for (size_t x = 0; x < width; ++x) {
      if (std::isnan(map->depth[at + x])) continue;
      bool silhouette = false;
      map->confidence[at + x] = reader.look(bounds.x0 + static_cast<int>(x), &silhouette);
      if (silhouette) distance[i + x] = 0;
    }
  });
  if (!looked.ok()) return looked;
  chamfer(distance, width, height);
  return each_row([&](int, size_t at, size_t i) {
    for (size_t x = 0; x < width; ++x) {
      const double visible = std::min(1.0, (distance[i + x] / 3.0 + 0.5) / options.margin);
      double rating = visible * std::min(1.0F, map->confidence[at + x]);
      if (options.other != nullptr && !std::isnan(options.other[at + x])) {
        const double off = (static_cast<double>(options.other[at + x]) - map->depth[at + x]) / options.tolerance;
        if (!std::isnan(off)) rating /= 1 + off * off;
      }
      map->confidence[at + x] = static_cast<float>(rating);
    }
  });
}

}  // namespace lineament
