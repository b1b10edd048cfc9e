#include "mesh/photo_view.h"

#include <algorithm>
#include <cmath>

#include "core/spread.h"
#include "image/convert.h"

namespace lineament {
namespace {

constexpr int kMostDepthCells = 1024;  // along the longer side
constexpr int kBandRows = 32;
constexpr float kTolerance = 0.002f;  // of the mesh's extent
constexpr float kTap = 1.5f;          // cells

bool is_seen(float z, float px, float py) {
  return z > 0 && std::abs(px) < RasterPoint::kFarthest && std::abs(py) < RasterPoint::kFarthest;
}

}  // namespace

Status PhotoView::open(const MeshView& mesh, const float* normals, const Photograph& photograph, Executor& executor,
                       const CancelToken* token) {
  photograph_ = photograph;
  const Camera& camera = photograph.camera;
  const double* m = photograph.pose;
  vertices_.resize(mesh.vertices);
  constexpr size_t kChunk = 8192;
  Status done = spread(executor, (mesh.vertices + kChunk - 1) / kChunk, [&](size_t part) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    for (size_t i = part * kChunk; i < std::min(mesh.vertices, (part + 1) * kChunk); ++i) {
      const float* p = mesh.positions + 3 * i;
      const float* n = normals + 3 * i;
      double at[3], normal[3];
      for (int r = 0; r < 3; ++r) {
        at[r] = m[4 * r] * p[0] + m[4 * r + 1] * p[1] + m[4 * r + 2] * p[2] + m[4 * r + 3];
        normal[r] = m[4 * r] * n[0] + m[4 * r + 1] * n[1] + m[4 * r + 2] * n[2];
      }
      Vertex& v = vertices_[i];
      v.x = static_cast<float>(at[0]);
      v.y = static_cast<float>(at[1]);
      v.z = static_cast<float>(at[2]);
      v.px = v.py = v.weight = 0;
      if (!(at[2] > 0)) {
        v.z = 0;
        continue;
      }
      v.px = static_cast<float>(camera.fx * at[0] / at[2] + camera.cx);
      v.py = static_cast<float>(camera.fy * at[1] / at[2] + camera.cy);
      if (!is_seen(v.z, v.px, v.py)) {
        v.z = 0;
        continue;
      }
      const double square = at[0] * at[0] + at[1] * at[1] + at[2] * at[2];
      const double towards = -(normal[0] * at[0] + normal[1] * at[1] + normal[2] * at[2]) / std::sqrt(square);
      v.weight = static_cast<float>(towards * camera.fx * camera.fy / square);
    }
    return Status();
  });
  if (!done.ok()) return done;
  float low[3] = {INFINITY, INFINITY, INFINITY}, high[3] = {-INFINITY, -INFINITY, -INFINITY};
  for (size_t i = 0; i < 3 * mesh.vertices; ++i) {
    low[i % 3] = std::min(low[i % 3], mesh.positions[i]);
    high[i % 3] = std::max(high[i % 3], mesh.positions[i]);
  }
  tolerance_ = kTolerance * std::hypot(high[0] - low[0], high[1] - low[1], high[2] - low[2]);
  fade_ = std::max(1.0f, 0.02f * static_cast<float>(std::min(photograph.image.width, photograph.image.height)));
  return draw_depth(mesh, executor, token);
}

Status PhotoView::draw_depth(const MeshView& mesh, Executor& executor, const CancelToken* token) {
  float left = INFINITY, top = INFINITY, right = -INFINITY, bottom = -INFINITY;
  for (const Vertex& v : vertices_) {
    if (v.z <= 0) continue;
    left = std::min(left, v.px);
    right = std::max(right, v.px);
    top = std::min(top, v.py);
    bottom = std::max(bottom, v.py);
  }
  const int width = photograph_.image.width, height = photograph_.image.height;
  const auto cut = [](float v, int most) { return static_cast<int>(std::clamp(v, 0.0f, static_cast<float>(most))); };
  window_[0] = cut(std::floor(left), width);
  window_[1] = cut(std::floor(top), height);
  window_[2] = cut(std::ceil(right), width);
  window_[3] = cut(std::ceil(bottom), height);
  const int span_x = window_[2] - window_[0], span_y = window_[3] - window_[1];
  if (!(left <= right) || span_x <= 0 || span_y <= 0) {
    depth_width_ = depth_height_ = 0;
    return Status();
  }
  scale_ = std::min(1.0f, static_cast<float>(kMostDepthCells) / static_cast<float>(std::max(span_x, span_y)));
  origin_x_ = static_cast<float>(window_[0]);
  origin_y_ = static_cast<float>(window_[1]);
  depth_width_ = std::max(1, static_cast<int>(std::ceil(static_cast<float>(span_x) * scale_)));
  depth_height_ = std::max(1, static_cast<int>(std::ceil(static_cast<float>(span_y) * scale_)));
  depth_.assign(static_cast<size_t>(depth_width_) * static_cast<size_t>(depth_height_), 0);

  std::vector<RasterPoint> corners(3 * mesh.triangles);
  for (size_t t = 0; t < mesh.triangles; ++t) {
    const uint32_t* index = mesh.indices + 3 * t;
    const bool in_front = vertices_[index[0]].z > 0 && vertices_[index[1]].z > 0 && vertices_[index[2]].z > 0;
    if (!in_front) continue;  // three equal corners cover nothing
    for (size_t k = 0; k < 3; ++k) {
      const Vertex& v = vertices_[index[k]];
      corners[3 * t + k] = RasterPoint::at((v.px - origin_x_) * scale_, (v.py - origin_y_) * scale_);
    }
  }
  const RowBands bands(corners.data(), mesh.triangles, depth_height_, kBandRows);
  return spread(executor, bands.bands(), [&](size_t band) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    for (const uint32_t* t = bands.begin(band); t != bands.end(band); ++t) {
      const RasterPoint* p = corners.data() + 3 * size_t{*t};
      const uint32_t* index = mesh.indices + 3 * size_t{*t};
      const float w[3] = {1 / vertices_[index[0]].z, 1 / vertices_[index[1]].z, 1 / vertices_[index[2]].z};
      const Gradient inverse(p, w[0], w[1], w[2]);
      const float least = std::min({w[0], w[1], w[2]}), most = std::max({w[0], w[1], w[2]});
      texel_rows(p, depth_width_, bands.first_row(band), bands.end_row(band), [&](int y, int first, int end) {
        float* row = depth_.data() + static_cast<size_t>(y) * static_cast<size_t>(depth_width_);
        const double from = inverse.at(first + 0.5, y + 0.5);
        for (int x = first; x < end; ++x) {
          // A centre inside a sliver is still between its corners.
          const float near = std::clamp(static_cast<float>(from + inverse.right * (x - first)), least, most);
          if (near > row[x]) row[x] = near;
        }
      });
    }
    return Status();
  });
}

double PhotoView::pixels(const MeshView& mesh) const {
  double sum = 0;
  for (size_t t = 0; t < mesh.triangles; ++t) {
    const uint32_t* index = mesh.indices + 3 * t;
    const Vertex &a = vertices_[index[0]], &b = vertices_[index[1]], &c = vertices_[index[2]];
    if (a.z <= 0 || b.z <= 0 || c.z <= 0) continue;
    const double twice = (double{b.px} - a.px) * (double{c.py} - a.py) - (double{c.px} - a.px) * (double{b.py} - a.py);
    if (twice < 0) sum -= twice / 2;  // counterclockwise with y down
  }
  return sum;
}

Status PhotoView::load(int halvings, const CancelToken* token) {
  const ImageView& image = photograph_.image;
  width_ = image.width;
  height_ = image.height;
  stride_ = image.stride;
  pixels_ = image.data;
  switch (image.format) {
    case PixelFormat::kRgb:
      break;
    case PixelFormat::kBgr:
      red_ = 2, blue_ = 0;
      break;
    case PixelFormat::kRgba:
      step_ = 4;
      break;
    case PixelFormat::kBgra:
      step_ = 4, red_ = 2, blue_ = 0;
      break;
    case PixelFormat::kGray:
      step_ = 1, red_ = green_ = blue_ = 0;
      break;
    default: {
      own_.resize(converted_bytes(image, PixelFormat::kRgb));
      Status done = convert(image, PixelFormat::kRgb, own_.data(), token);
      if (!done.ok()) return done;
      pixels_ = own_.data();
      stride_ = static_cast<size_t>(width_) * 3;
    }
  }
  if (halvings <= 0 || depth_width_ == 0) return Status();
  // Means of 2^halvings squares of the part that the mesh is in, as RGB.
  const int side = 1 << halvings;
  const int x0 = window_[0], y0 = window_[1];
  const int columns = (window_[2] - x0 + side - 1) / side, rows = (window_[3] - y0 + side - 1) / side;
  std::vector<uint8_t> small(static_cast<size_t>(columns) * static_cast<size_t>(rows) * 3);
  for (int r = 0; r < rows; ++r) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    for (int c = 0; c < columns; ++c) {
      uint32_t sum[3] = {0, 0, 0}, count = 0;
      for (int y = y0 + r * side; y < std::min(y0 + (r + 1) * side, height_); ++y) {
        const uint8_t* row = pixels_ + static_cast<size_t>(y) * stride_;
        for (int x = x0 + c * side; x < std::min(x0 + (c + 1) * side, width_); ++x, ++count) {
          const uint8_t* p = row + static_cast<size_t>(x) * static_cast<size_t>(step_);
          sum[0] += p[red_];
          sum[1] += p[green_];
          sum[2] += p[blue_];
        }
      }
      uint8_t* out =
          small.data() + (static_cast<size_t>(r) * static_cast<size_t>(columns) + static_cast<size_t>(c)) * 3;
      for (int k = 0; k < 3; ++k) out[k] = static_cast<uint8_t>((sum[k] + count / 2) / count);
    }
  }
  own_ = std::move(small);
  pixels_ = own_.data();
  width_ = columns;
  height_ = rows;
  stride_ = static_cast<size_t>(columns) * 3;
  step_ = 3, red_ = 0, green_ = 1, blue_ = 2;
  pixel_x_ = static_cast<float>(x0);
  pixel_y_ = static_cast<float>(y0);
  pixel_scale_ = 1 / static_cast<float>(side);
  return Status();
}

bool PhotoView::triangle(const uint32_t* corners, const RasterPoint* texels, Triangle* out) const {
  const Vertex &a = vertices_[corners[0]], &b = vertices_[corners[1]], &c = vertices_[corners[2]];
  if (a.z <= 0 || b.z <= 0 || c.z <= 0 || depth_width_ == 0) return false;
  if (a.weight <= 0 && b.weight <= 0 && c.weight <= 0) return false;
  const double abx = double{b.px} - a.px, aby = double{b.py} - a.py;
  const double acx = double{c.px} - a.px, acy = double{c.py} - a.py;
  const double area = abx * acy - acx * aby;
  if (area >= 0) return false;  // its back, whatever its neighbours' normals are
  const Camera& camera = photograph_.camera;
  const auto along_x = [&](const Vertex& v) { return camera.fx * v.x + camera.cx * v.z; };
  const auto along_y = [&](const Vertex& v) { return camera.fy * v.y + camera.cy * v.z; };
  out->u = Gradient(texels, along_x(a), along_x(b), along_x(c));
  out->v = Gradient(texels, along_y(a), along_y(b), along_y(c));
  out->z = Gradient(texels, a.z, b.z, c.z);
  out->weight = Gradient(texels, a.weight, b.weight, c.weight);
  const double ia = 1.0 / a.z, ib = 1.0 / b.z - ia, ic = 1.0 / c.z - ia;
  out->slope_x = static_cast<float>((ib * acy - ic * aby) / area / scale_);
  out->slope_y = static_cast<float>((ic * abx - ib * acx) / area / scale_);
  out->inverse_tolerance = std::abs(out->slope_x) + std::abs(out->slope_y) + tolerance_ * static_cast<float>(ia * ia);
  return true;
}

inline float PhotoView::visible_share(const Triangle& triangle, float px, float py, float inverse, bool soft) const {
  const float x = (px - origin_x_) * scale_, y = (py - origin_y_) * scale_;
  const auto open_at = [&](float dx, float dy) {
    const float at_x = x + dx, at_y = y + dy;
    if (!(at_x >= 0 && at_y >= 0)) return true;
    const int column = static_cast<int>(at_x), row = static_cast<int>(at_y);
    if (column >= depth_width_ || row >= depth_height_) return true;
    const float nearest =
        depth_[static_cast<size_t>(row) * static_cast<size_t>(depth_width_) + static_cast<size_t>(column)];
    return inverse + triangle.slope_x * dx + triangle.slope_y * dy >= nearest - triangle.inverse_tolerance;
  };
  if (!open_at(0, 0)) return 0;
  if (!soft) return 1;
  const int open = 1 + open_at(-kTap, -kTap) + open_at(kTap, -kTap) + open_at(-kTap, kTap) + open_at(kTap, kTap);
  return static_cast<float>(open * open) * (1.0f / 25);
}

// In 1/256 pixels from the middle of the first; places beyond the middles of the last pixels take those.
inline void PhotoView::pixel(float px, float py, PhotoSample* out) const {
  const float sx = (px - pixel_x_) * pixel_scale_, sy = (py - pixel_y_) * pixel_scale_;
  const int fx = std::clamp(static_cast<int>(sx * 256) - 128, 0, (width_ - 1) * 256);
  const int fy = std::clamp(static_cast<int>(sy * 256) - 128, 0, (height_ - 1) * 256);
  const int x = fx >> 8, y = fy >> 8, wx = fx & 255, wy = fy & 255;
  const uint8_t* above =
      pixels_ + static_cast<size_t>(y) * stride_ + static_cast<size_t>(x) * static_cast<size_t>(step_);
  const uint8_t* under = y + 1 < height_ ? above + stride_ : above;
  const int next = x + 1 < width_ ? step_ : 0;
  const int right_low = wx * wy, left_low = (256 - wx) * wy, right_top = wx * (256 - wy);
  const int left_top = 65536 - right_low - left_low - right_top;
  const auto mix = [&](int channel) {
    const int sum = above[channel] * left_top + above[next + channel] * right_top + under[channel] * left_low +
                    under[next + channel] * right_low;
    return static_cast<float>(sum) * (1.0f / 65536);
  };
  out->red = mix(red_);
  out->green = mix(green_);
  out->blue = mix(blue_);
}

void PhotoView::span(const Triangle& triangle, double x, double y, int count, bool soft, PhotoSample* out) const {
  float px[kMostSpan], py[kMostSpan], inverse[kMostSpan], weight[kMostSpan];
  const float u = static_cast<float>(triangle.u.at(x, y)), du = static_cast<float>(triangle.u.right);
  const float v = static_cast<float>(triangle.v.at(x, y)), dv = static_cast<float>(triangle.v.right);
  const float z = static_cast<float>(triangle.z.at(x, y)), dz = static_cast<float>(triangle.z.right);
  const float w = static_cast<float>(triangle.weight.at(x, y)), dw = static_cast<float>(triangle.weight.right);
  for (int i = 0; i < count; ++i) {
    const float step = static_cast<float>(i);
    inverse[i] = 1 / (z + dz * step);
    px[i] = (u + du * step) * inverse[i];
    py[i] = (v + dv * step) * inverse[i];
    weight[i] = w + dw * step;
  }
  const float width = static_cast<float>(photograph_.image.width),
              height = static_cast<float>(photograph_.image.height);
  const float fade = 1 / fade_;
  for (int i = 0; i < count; ++i) {
    out[i].weight = 0;
    if (!(weight[i] > 0) || !(inverse[i] > 0)) continue;
    const float inside = std::min(std::min(px[i], py[i]), std::min(width - px[i], height - py[i]));
    if (!(inside > 0)) continue;
    const float share = visible_share(triangle, px[i], py[i], inverse[i], soft);
    if (share == 0) continue;
    out[i].weight = weight[i] * share * std::min(1.0f, inside * fade);
    pixel(px[i], py[i], out + i);
  }
}

}  // namespace lineament
