#include "depth/rasterise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr int kSubpixels = 256;
constexpr double kFarthest = 1 << 20;  // pixels
constexpr int kBand = 48;              // rows

struct Corner {
  int64_t x, y;    // 1/256 pixels
  double inverse;  // 1 / Z
};

// (b − a) × (p − a), in 1/65536 square pixels: above zero to the right of a → b, with y pointing down.
int64_t side_of(const Corner& a, const Corner& b, int64_t px, int64_t py) {
  return (b.x - a.x) * (py - a.y) - (b.y - a.y) * (px - a.x);
}

int64_t floor_pixel(int64_t v) { return (v - kSubpixels / 2) >> 8; }                  // last centre at or before v
int64_t ceil_pixel(int64_t v) { return (v - kSubpixels / 2 + kSubpixels - 1) >> 8; }  // first centre at or after v

struct EdgeWalk {
  int64_t value, right, down;

  EdgeWalk(const Corner& a, const Corner& b, int64_t px, int64_t py)
      : value(side_of(a, b, px, py)), right(-(b.y - a.y) * kSubpixels), down((b.x - a.x) * kSubpixels) {
    const bool top_left = b.y < a.y || (b.y == a.y && b.x > a.x);
    if (!top_left) value -= 1;
  }
};

// Rows y0 … y1 − 1 of the window; `inverse` holds 1/Z, 0 where there is nothing.
void draw(const Corner& a, Corner b, Corner c, const Window& window, int y0, int y1, float* inverse) {
  const int64_t area = side_of(a, b, c.x, c.y);
  if (area >= 0) return;  // clockwise on the screen: from behind
  std::swap(b, c);
  const int64_t left = window.x, top = window.y;
  const int64_t first_x = std::max(ceil_pixel(std::min({a.x, b.x, c.x})) - left, int64_t{0});
  const int64_t last_x = std::min(floor_pixel(std::max({a.x, b.x, c.x})) - left, int64_t{window.width - 1});
  const int64_t first_y = std::max(ceil_pixel(std::min({a.y, b.y, c.y})) - top, int64_t{y0});
  const int64_t last_y = std::min(floor_pixel(std::max({a.y, b.y, c.y})) - top, int64_t{y1 - 1});
  if (first_x > last_x || first_y > last_y) return;

  const int64_t px = (first_x + left) * kSubpixels + kSubpixels / 2;
  const int64_t py = (first_y + top) * kSubpixels + kSubpixels / 2;
  EdgeWalk ab(a, b, px, py), bc(b, c, px, py), ca(c, a, px, py);
  const double scale = -1.0 / static_cast<double>(area);
  const double db = b.inverse - a.inverse, dc = c.inverse - a.inverse;
  const double bx = static_cast<double>(b.x - a.x), by = static_cast<double>(b.y - a.y);
  const double cx = static_cast<double>(c.x - a.x), cy = static_cast<double>(c.y - a.y);
  const double right = (db * cy - dc * by) * scale, down = (dc * bx - db * cx) * scale;
  const double start = a.inverse + right * static_cast<double>(px - a.x) + down * static_cast<double>(py - a.y);
  // A centre inside a sliver is still between its corners.
  const double least = std::min({a.inverse, b.inverse, c.inverse});
  const double most = std::max({a.inverse, b.inverse, c.inverse});
  for (int64_t y = first_y; y <= last_y; ++y) {
    int64_t e0 = ab.value, e1 = bc.value, e2 = ca.value;
    float* row = inverse + static_cast<size_t>(y) * static_cast<size_t>(window.width);
    const double from = start + down * kSubpixels * static_cast<double>(y - first_y);
    for (int64_t x = first_x; x <= last_x; ++x) {
      if ((e0 | e1 | e2) >= 0) {
        const double w = from + right * kSubpixels * static_cast<double>(x - first_x);
        const float near = static_cast<float>(std::clamp(w, least, most));
        if (near > row[x]) row[x] = near;
      }
      e0 += ab.right;
      e1 += bc.right;
      e2 += ca.right;
    }
    ab.value += ab.down;
    bc.value += bc.down;
    ca.value += ca.down;
  }
}

Status project(const PatchMesh& mesh, const Camera& camera, std::vector<Corner>* corners) {
  corners->resize(mesh.positions.size());
  for (size_t i = 0; i < mesh.positions.size(); ++i) {
    const Vector3 p = mesh.positions[i];
    const double inverse = 1 / p.z;
    const double x = camera.fx * p.x * inverse + camera.cx, y = camera.fy * p.y * inverse + camera.cy;
    if (!(p.z > 0) || !std::isfinite(inverse))
      return Status(Code::kInvalidArgument, "A point of the surface is not in front of the camera");
    if (!(std::abs(x) < kFarthest && std::abs(y) < kFarthest))
      return Status(Code::kInvalidArgument, "A point of the surface is too far off the picture");
    (*corners)[i] = {std::llround(x * kSubpixels), std::llround(y * kSubpixels), inverse};
  }
  return Status();
}

}  // namespace

Status rasterise_depth(const PatchMesh& mesh, const Camera& camera, const Window& window, Executor& executor,
                       const CancelToken* token, float* depth) {
  std::vector<Corner> corners;
  const Status projected = project(mesh, camera, &corners);
  if (!projected.ok()) return projected;
  const size_t triangles = mesh.indices.size() / 3;
  // The columns that any corner reaches; beyond them there is nothing to look for.
  int64_t left = window.width, right = 0;
  for (const Corner& corner : corners) {
    left = std::min(left, (corner.x >> 8) - window.x);
    right = std::max(right, (corner.x >> 8) + 1 - window.x);
  }
  const auto first = static_cast<size_t>(std::max(left, int64_t{0}));
  const auto end = static_cast<size_t>(std::clamp(right, int64_t{0}, int64_t{window.width}));
  const auto width = static_cast<size_t>(window.width);
  const int bands = (window.height + kBand - 1) / kBand;
  constexpr float kNothing = std::numeric_limits<float>::quiet_NaN();
  return spread(executor, static_cast<size_t>(bands), [&](size_t band) {
    const int y0 = static_cast<int>(band) * kBand, y1 = std::min(y0 + kBand, window.height);
    for (int y = y0; y < y1; ++y) {
      float* row = depth + static_cast<size_t>(y) * width;
      std::fill(row, row + width, kNothing);
      if (first < end) std::fill(row + first, row + end, 0.0F);
    }
    const int64_t above = (int64_t{y0} + window.y) * kSubpixels, below = (int64_t{y1} + window.y) * kSubpixels;
    for (size_t t = 0; t < triangles; ++t) {
      if ((t & 4095) == 0 && is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
      const Corner& a = corners[mesh.indices[3 * t]];
      const Corner& b = corners[mesh.indices[3 * t + 1]];
      const Corner& c = corners[mesh.indices[3 * t + 2]];
      if (std::max({a.y, b.y, c.y}) < above || std::min({a.y, b.y, c.y}) > below) continue;
      draw(a, b, c, window, y0, y1, depth);
    }
    for (int y = y0; y < y1; ++y) {
      float* row = depth + static_cast<size_t>(y) * width;
      for (size_t x = first; x < end; ++x) row[x] = row[x] > 0 ? 1 / row[x] : kNothing;
    }
    return Status();
  });
}

}  // namespace lineament
