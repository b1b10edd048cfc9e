// Sampling written down a second time, as plainly as possible and in double precision, straight from the definitions in
// image/taps.h, image/resample.h and image/convert.h. Shares no code with what it checks.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "image/image.h"

namespace reference {

using lineament::Border;
using lineament::Colour;
using lineament::Filter;
using lineament::ImageView;
using lineament::Layout;
using lineament::PixelFormat;
using lineament::Region;
using lineament::Sampling;
using lineament::TensorSpec;

constexpr PixelFormat kFormats[] = {PixelFormat::kRgb,  PixelFormat::kBgr,  PixelFormat::kRgba, PixelFormat::kBgra,
                                    PixelFormat::kGray, PixelFormat::kYuyv, PixelFormat::kNv12, PixelFormat::kI420};
inline const char* format_name(PixelFormat f) {
  static const char* names[] = {"rgb", "bgr", "rgba", "bgra", "gray", "yuyv", "nv12", "i420"};
  return names[static_cast<int>(f)];
}

// An image that owns its bytes; `pad` more bytes per row than needed. Exactly as many bytes as the format needs, so
// that a sanitizer sees every read past the end.
struct Image {
  std::vector<uint8_t> bytes;
  ImageView view;
};

inline Image make_image(PixelFormat format, int width, int height, int pad, uint32_t seed, int constant = -1) {
  const size_t w = static_cast<size_t>(width), h = static_cast<size_t>(height), cw = (w + 1) / 2, ch = (h + 1) / 2;
  size_t row = 0, size = 0;
  const size_t extra = static_cast<size_t>(pad);
  switch (format) {
    case PixelFormat::kRgb:
    case PixelFormat::kBgr:
      row = 3 * w;
      break;
    case PixelFormat::kRgba:
    case PixelFormat::kBgra:
      row = 4 * w;
      break;
    case PixelFormat::kYuyv:
      row = 4 * cw;
      break;
    case PixelFormat::kNv12:
      row = 2 * cw;
      break;
    default:
      row = w;
      break;
  }
  const size_t stride = row + extra;
  size = stride * (h - 1) + row;
  if (format == PixelFormat::kNv12) size = stride * (h + ch - 1) + row;
  if (format == PixelFormat::kI420) size = stride * h + (stride + 1) / 2 * (2 * ch - 1) + cw;
  Image image;
  image.bytes.resize(size);
  std::mt19937 random(seed);
  for (uint8_t& b : image.bytes) b = static_cast<uint8_t>(constant >= 0 ? constant : static_cast<int>(random() & 255));
  image.view = {image.bytes.data(), size, width, height, stride, format};
  return image;
}

inline double clamp255(double v) { return std::clamp(v, 0.0, 255.0); }

// ITU-R BT.601, limited range, not rounded.
inline std::array<double, 3> bt601(double y, double u, double v) {
  y = 255.0 / 219 * (std::max(y, 16.0) - 16);
  u = 255.0 / 224 * (u - 128), v = 255.0 / 224 * (v - 128);
  return {clamp255(y + 1.402 * v), clamp255(y - 0.344136 * u - 0.714136 * v), clamp255(y + 1.772 * u)};
}

// Colour of one pixel. `gray` gives luma in all three.
inline std::array<double, 3> colour_at(const ImageView& im, int x, int y, bool gray) {
  const size_t ux = static_cast<size_t>(x), uy = static_cast<size_t>(y), h = static_cast<size_t>(im.height);
  const uint8_t* row = im.data + uy * im.stride;
  double r = 0, g = 0, b = 0;
  switch (im.format) {
    case PixelFormat::kRgb:
      r = row[3 * ux], g = row[3 * ux + 1], b = row[3 * ux + 2];
      break;
    case PixelFormat::kBgr:
      b = row[3 * ux], g = row[3 * ux + 1], r = row[3 * ux + 2];
      break;
    case PixelFormat::kRgba:
      r = row[4 * ux], g = row[4 * ux + 1], b = row[4 * ux + 2];
      break;
    case PixelFormat::kBgra:
      b = row[4 * ux], g = row[4 * ux + 1], r = row[4 * ux + 2];
      break;
    case PixelFormat::kGray:
      r = g = b = row[ux];
      break;
    default: {
      double luma, u, v;
      if (im.format == PixelFormat::kYuyv) {
        luma = row[2 * ux], u = row[4 * (ux / 2) + 1], v = row[4 * (ux / 2) + 3];
      } else if (im.format == PixelFormat::kNv12) {
        const uint8_t* c = im.data + (h + uy / 2) * im.stride + ux / 2 * 2;
        luma = row[ux], u = c[0], v = c[1];
      } else {
        const size_t cs = (im.stride + 1) / 2;
        const uint8_t* c = im.data + h * im.stride + uy / 2 * cs + ux / 2;
        luma = row[ux], u = c[0], v = c[(h + 1) / 2 * cs];
      }
      const auto exact = bt601(luma, u, v);
      // Pixels are 8-bit before they are filtered: the fixed-point form that image/convert.h states.
      const auto q = [](double value, double factor) { return std::floor(value * factor * 64 + 0.5); };
      luma = q(std::max(luma, 16.0) - 16, 19077 / 16384.0), u -= 128, v -= 128;
      const auto byte = [](double value) { return clamp255(std::floor((value + 32) / 64)); };
      if (gray) return {byte(luma), byte(luma), byte(luma)};
      r = byte(luma + q(v, 13075 / 8192.0));
      g = byte(luma + q(u, -3209 / 8192.0) + q(v, -6660 / 8192.0));
      b = byte(luma + q(u, 16525 / 8192.0));
      const double worst = std::max({std::fabs(r - exact[0]), std::fabs(g - exact[1]), std::fabs(b - exact[2])});
      if (worst > 0.6) r = g = b = std::nan("");  // the fixed-point form itself must follow the standard
      return {r, g, b};
    }
  }
  if (gray) r = g = b = 0.299 * r + 0.587 * g + 0.114 * b;
  return {r, g, b};
}

inline double share(double p, double half, double size) {
  return std::clamp(0.5 + p / (2 * half), 0.0, 1.0) * std::clamp(0.5 + (size - p) / (2 * half), 0.0, 1.0);
}

struct Weight {
  int at;
  double value;
};

inline std::vector<Weight> axis(double scale, double p, int size, const Sampling& s) {
  const double length = std::fabs(scale);
  std::vector<Weight> out;
  if (s.filter == Filter::kArea && length > 1) {
    const double lo = p - length / 2, hi = p + length / 2;
    for (int i = std::max(0, static_cast<int>(std::floor(std::max(lo, 0.0)))); i < size && i < hi; ++i) {
      const double w = (std::min(hi, i + 1.0) - std::max(lo, static_cast<double>(i))) / length;
      if (w > 0) out.push_back({i, w});
    }
    if (s.border == Border::kReplicate) {
      if (lo < 0) out.push_back({0, (std::min(hi, 0.0) - lo) / length});
      if (hi > size) out.push_back({size - 1, (hi - std::max(lo, static_cast<double>(size))) / length});
    }
    return out;
  }
  const double f = s.border == Border::kZero ? share(p, std::max(std::min(length, 1.0), 1.0 / 1024) / 2, size) : 1;
  const double q = std::floor(p - 0.5), t = p - 0.5 - q;
  const auto clamped = [&](double v) { return static_cast<int>(std::clamp(v, 0.0, size - 1.0)); };
  out.push_back({clamped(q), (1 - t) * f});
  out.push_back({clamped(q + 1), t * f});
  return out;
}

inline std::array<double, 3> sample(const ImageView& im, const Region& r, const Sampling& s, double u, double v,
                                    bool gray) {
  std::array<double, 3> sum{};
  const auto add = [&](int x, int y, double w) {
    if (w == 0) return;
    const auto c = colour_at(im, x, y, gray);
    for (size_t i = 0; i < 3; ++i) sum[i] += w * c[i];
  };
  if (r.b == 0 && r.d == 0) {
    const auto wx = axis(r.a, r.a * u + r.c, im.width, s), wy = axis(r.e, r.e * v + r.f, im.height, s);
    for (const Weight& y : wy) {
      for (const Weight& x : wx) add(x.at, y.at, x.value * y.value);
    }
    return sum;
  }
  int nu = 1, nv = 1;
  const double su = std::sqrt(r.a * r.a + r.d * r.d), sv = std::sqrt(r.b * r.b + r.e * r.e);
  if (s.filter == Filter::kArea && su > 1.5) nu = std::min(32, static_cast<int>(std::ceil(su)));
  if (s.filter == Filter::kArea && sv > 1.5) nv = std::min(32, static_cast<int>(std::ceil(sv)));
  const auto half = [&](double a, double b) { return std::clamp(std::hypot(a / nu, b / nv), 1.0 / 1024, 1.0) / 2; };
  const double hx = half(r.a, r.b), hy = half(r.d, r.e);
  const auto clamped = [](double q, int size) { return static_cast<int>(std::clamp(q, 0.0, size - 1.0)); };
  for (int j = 0; j < nv; ++j) {
    for (int i = 0; i < nu; ++i) {
      const double uu = u - 0.5 + (i + 0.5) / nu, vv = v - 0.5 + (j + 0.5) / nv;
      const double x = r.a * uu + r.b * vv + r.c, y = r.d * uu + r.e * vv + r.f;
      double f = 1.0 / (nu * nv);
      if (s.border == Border::kZero) f *= share(x, hx, im.width) * share(y, hy, im.height);
      const double x0 = std::floor(x - 0.5), y0 = std::floor(y - 0.5), tx = x - 0.5 - x0, ty = y - 0.5 - y0;
      add(clamped(x0, im.width), clamped(y0, im.height), f * (1 - tx) * (1 - ty));
      add(clamped(x0 + 1, im.width), clamped(y0, im.height), f * tx * (1 - ty));
      add(clamped(x0, im.width), clamped(y0 + 1, im.height), f * (1 - tx) * ty);
      add(clamped(x0 + 1, im.width), clamped(y0 + 1, im.height), f * tx * ty);
    }
  }
  return sum;
}

// Pixel value (before scale and offset) of every element of the tensor, in the tensor's order.
inline std::vector<double> tensor(const ImageView& im, const Region& r, const TensorSpec& spec, const Sampling& s,
                                  bool mirror) {
  const int channels = spec.colour == Colour::kGray ? 1 : 3;
  const size_t w = static_cast<size_t>(spec.width), h = static_cast<size_t>(spec.height),
               n = static_cast<size_t>(channels);
  std::vector<double> out(w * h * n);
  for (size_t y = 0; y < h; ++y) {
    for (size_t x = 0; x < w; ++x) {
      const double u = static_cast<double>(mirror ? w - 1 - x : x) + 0.5;
      auto c = sample(im, r, s, u, static_cast<double>(y) + 0.5, spec.colour == Colour::kGray);
      if (spec.colour == Colour::kBgr) std::swap(c[0], c[2]);
      for (size_t k = 0; k < n; ++k) {
        out[spec.layout == Layout::kNchw ? (k * h + y) * w + x : (y * w + x) * n + k] = c[k];
      }
    }
  }
  return out;
}

// Channel of an element's index.
inline size_t channel_of(const TensorSpec& spec, size_t index) {
  if (spec.colour == Colour::kGray) return 0;
  const size_t plane = static_cast<size_t>(spec.width) * static_cast<size_t>(spec.height);
  return spec.layout == Layout::kNchw ? index / plane : index % 3;
}

}  // namespace reference
