// Any affine map: bilinear samples along the map's lines in 32.32 fixed point, several per output pixel where it
// shrinks.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "image/packer.h"
#include "image/resample.h"
#include "image/rows.h"
#include "image/taps.h"

namespace lineament {
namespace {

constexpr double kSupersampleAbove = 1.5;
constexpr int kMostSamples = 32;
constexpr double kFixed = 4294967296.0;

struct Scratch {
  Packer packer;
  AlignedBuffer<float> pixels;
  AlignedBuffer<uint8_t> converted;
};

// The run of i in [0, count) with 0 <= at + i * step < limit.
struct Run {
  int begin, end;
};

int64_t ceil_div(int64_t n, int64_t d) { return n / d + ((n % d != 0 && (n > 0) == (d > 0)) ? 1 : 0); }

Run inside_run(int64_t at, int64_t step, int64_t limit, int count) {
  if (limit <= 0) return {0, 0};
  int64_t begin = 0, end = count;
  if (step > 0) {
    begin = ceil_div(-at, step);
    end = ceil_div(limit - at, step);
  } else if (step < 0) {
    begin = ceil_div(limit - 1 - at, step);
    end = ceil_div(-1 - at, step);
  } else if (at < 0 || at >= limit) {
    end = 0;
  }
  begin = std::clamp<int64_t>(begin, 0, count);
  end = std::clamp<int64_t>(end, begin, count);
  return {static_cast<int>(begin), static_cast<int>(end)};
}

// One batch item's geometry, in samples.
struct Job {
  const ImageView* image;
  Sampling sampling;
  Region region;
  int pixel, lanes;
  double half_x, half_y;  // half the footprint of a sample, for the zero border
  float gain;
  bool mirror;
};

// A sample whose neighbourhood leaves the image (or that must not read past its end).
void border_sample(const Job& job, double sx, double sy, float* out) {
  const ImageView& image = *job.image;
  double share = job.gain;
  if (job.sampling.border == Border::kZero) {
    share *= inside_share(sx, job.half_x, image.width) * inside_share(sy, job.half_y, image.height);
    if (share <= 0) return;
  }
  const double x = std::clamp(sx - 0.5, 0.0, image.width - 1.0), y = std::clamp(sy - 0.5, 0.0, image.height - 1.0);
  const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
  const int x1 = std::min(x0 + 1, image.width - 1), y1 = std::min(y0 + 1, image.height - 1);
  const double fx = x - x0, fy = y - y0;
  const auto at = [&](int px, int py) {
    return image.data + static_cast<size_t>(py) * image.stride +
           static_cast<size_t>(px) * static_cast<size_t>(job.pixel);
  };
  const uint8_t *p = at(x0, y0), *q = at(x1, y0), *r = at(x0, y1), *s = at(x1, y1);
  for (int c = 0; c < std::min(job.pixel, 3); ++c) {
    const double v = (p[c] * (1 - fx) + q[c] * fx) * (1 - fy) + (r[c] * (1 - fx) + s[c] * fx) * fy;
    out[c] += static_cast<float>(v * share);
  }
}

// A line of samples, one per output pixel, and which of them have all they need inside the image.
struct SampleLine {
  BilinearRow row;
  double base_x, base_y, du;
  int begin, end;
};

// The samples at output row coordinate v and column offset du within each pixel. A mirrored line runs backwards.
SampleLine open_line(const Job& job, double du, double v, int width) {
  const Region& r = job.region;
  const ImageView& image = *job.image;
  const auto fixed = [](double value) { return static_cast<int64_t>(std::llround(value * kFixed)); };
  SampleLine line{};
  line.base_x = r.b * v + r.c;
  line.base_y = r.e * v + r.f;
  line.du = du;
  BilinearRow& row = line.row;
  row.x = fixed(r.a * du + line.base_x - 0.5);
  row.y = fixed(r.d * du + line.base_y - 0.5);
  row.step_x = fixed(r.a);
  row.step_y = fixed(r.d);
  if (job.mirror) {
    row.x += (width - 1) * row.step_x;
    row.y += (width - 1) * row.step_y;
    row.step_x = -row.step_x;
    row.step_y = -row.step_y;
  }
  // Eight bytes from the left neighbour must lie within the row: with 3 bytes per pixel that takes one pixel more.
  const int64_t most_x = image.width - (job.pixel == 3 ? 2 : 1), most_y = image.height - 1;
  const Run rx = inside_run(row.x, row.step_x, most_x * (int64_t{1} << 32), width);
  const Run ry = inside_run(row.y, row.step_y, most_y * (int64_t{1} << 32), width);
  line.begin = std::max(rx.begin, ry.begin);
  line.end = std::min(rx.end, ry.end);
  if (line.begin >= line.end) line.begin = line.end = 0;
  row.x += line.begin * row.step_x;
  row.y += line.begin * row.step_y;
  row.data = image.data;
  row.stride = image.stride;
  row.pixel = job.pixel;
  row.count = line.end - line.begin;
  row.gain = job.gain;
  return line;
}

// Adds the samples of pixels [from, to) that kernels cannot take.
void border_samples(const Job& job, const SampleLine& line, int from, int to, int width, float* pixels) {
  const Region& r = job.region;
  for (int i = from; i < to; ++i) {
    const double u = (job.mirror ? width - 1 - i : i) + line.du;
    border_sample(job, r.a * u + line.base_x, r.d * u + line.base_y,
                  pixels + static_cast<size_t>(i) * static_cast<size_t>(job.lanes));
  }
}

// Adds a line to the pixel row.
void add_line(const Job& job, SampleLine line, int width, const ImageKernels& kernels, float* pixels) {
  border_samples(job, line, 0, line.begin, width, pixels);
  border_samples(job, line, line.end, width, width, pixels);
  line.row.accumulate = 1;
  line.row.out = pixels + static_cast<size_t>(line.begin) * static_cast<size_t>(job.lanes);
  if (line.row.count > 0) kernels.bilinear(line.row);
}

// Writes a line straight to the tensor, except for what lies at the image's border. One sample per pixel, colour.
void pack_line(const Job& job, SampleLine line, int width, int y, const ImageKernels& kernels, Packer* packer,
               float* pixels) {
  const auto fused = packer->plain_bytes() ? kernels.bilinear_packed_u8 : kernels.bilinear_planar_f32;
  const int done = line.row.count > 0 ? fused(line.row, packer->target(line.begin, y)) : 0;
  const auto rest = [&](int from, int to) {
    if (from < to) packer->part(pixels, from, to - from, y);
  };
  border_samples(job, line, 0, line.begin, width, pixels);
  border_samples(job, line, line.end, width, width, pixels);
  BilinearRow& row = line.row;
  row.x += done * row.step_x;
  row.y += done * row.step_y;
  row.count -= done;
  row.out = pixels + 4 * static_cast<size_t>(line.begin + done);
  if (row.count > 0) kernels.bilinear(row);
  rest(0, line.begin);
  rest(line.begin + done, width);
}

// Converts the part of a YUV image that the region can touch and moves image and region there.
bool convert_part(const TensorSpec& spec, const ImageKernels& kernels, AlignedBuffer<uint8_t>* buffer, ImageView* image,
                  Region* region) {
  double x_least = 1e300, x_most = -1e300, y_least = 1e300, y_most = -1e300;
  for (const double u : {0.0, static_cast<double>(spec.width)}) {
    for (const double v : {0.0, static_cast<double>(spec.height)}) {
      const double x = region->a * u + region->b * v + region->c, y = region->d * u + region->e * v + region->f;
      x_least = std::min(x_least, x), x_most = std::max(x_most, x);
      y_least = std::min(y_least, y), y_most = std::max(y_most, y);
    }
  }
  const int x0 = static_cast<int>(std::clamp(std::floor(x_least) - 2, 0.0, image->width - 1.0)) & ~1;
  const int y0 = static_cast<int>(std::clamp(std::floor(y_least) - 2, 0.0, image->height - 1.0));
  const int x1 = static_cast<int>(std::clamp(std::ceil(x_most) + 2, x0 + 1.0, static_cast<double>(image->width)));
  const int y1 = static_cast<int>(std::clamp(std::ceil(y_most) + 2, y0 + 1.0, static_cast<double>(image->height)));
  const bool gray = spec.colour == Colour::kGray;
  const size_t pixel = gray ? 1 : 4;
  const auto w = static_cast<size_t>(x1 - x0), h = static_cast<size_t>(y1 - y0);
  const size_t stride = (w * pixel + 63) / 64 * 64;
  if (!buffer->reset(stride * h)) return false;
  for (int y = y0; y < y1; ++y) {
    YuvRow job = yuv_row(*image, x0, y, x1 - x0);
    uint8_t* out = buffer->data() + static_cast<size_t>(y - y0) * stride;
    if (gray) {
      kernels.expand_luma(job.y, job.kind == YuvKind::kPacked ? 2 : 1, job.count, out);
    } else {
      job.pixel = 4;
      job.out = out;
      kernels.yuv(job);
    }
  }
  region->c -= x0;
  region->f -= y0;
  *image = {buffer->data(), stride * h, x1 - x0, y1 - y0, stride, gray ? PixelFormat::kGray : PixelFormat::kRgba};
  return true;
}

}  // namespace

Status resample_affine(const ImageView& whole, const Region& region, const TensorSpec& spec, const Sampling& sampling,
                       bool mirror, void* out, const CancelToken* cancel, const ImageKernels& kernels) {
  static thread_local Scratch s;
  const auto no_memory = [] { return Status(Code::kOutOfMemory, "Out of memory while sampling an image"); };
  ImageView image = whole;
  Job job{};
  job.region = region;
  if (is_yuv(image.format) && !convert_part(spec, kernels, &s.converted, &image, &job.region)) return no_memory();
  job.image = &image;
  job.sampling = sampling;
  job.pixel = pixel_bytes(image.format);
  job.lanes = job.pixel == 1 ? 1 : 4;
  const int red = image.format == PixelFormat::kBgr || image.format == PixelFormat::kBgra ? 2 : 0;

  const double size_u = std::hypot(region.a, region.d), size_v = std::hypot(region.b, region.e);
  int nu = 1, nv = 1;
  if (sampling.filter == Filter::kArea) {
    if (size_u > kSupersampleAbove) nu = static_cast<int>(std::min<double>(kMostSamples, std::ceil(size_u)));
    if (size_v > kSupersampleAbove) nv = static_cast<int>(std::min<double>(kMostSamples, std::ceil(size_v)));
  }
  const auto half = [&](double du, double dv) { return std::clamp(std::hypot(du / nu, dv / nv), 1.0 / 1024, 1.0) / 2; };
  job.half_x = half(region.a, region.b);
  job.half_y = half(region.d, region.e);
  job.gain = 1.0f / static_cast<float>(nu * nv);
  job.mirror = mirror;

  const size_t floats = static_cast<size_t>(spec.width) * static_cast<size_t>(job.lanes);
  if (!s.pixels.reset(floats + 16) || !s.packer.open(spec, job.lanes, red, out, kernels)) return no_memory();
  const bool fused = nu * nv == 1 && ((s.packer.plain_bytes() && kernels.bilinear_packed_u8 != nullptr) ||
                                      (s.packer.planar_floats() && kernels.bilinear_planar_f32 != nullptr));
  for (int y = 0; y < spec.height; ++y) {
    std::memset(s.pixels.data(), 0, floats * sizeof(float));
    if (fused) {
      if ((y & 15) == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
      pack_line(job, open_line(job, 0.5, y + 0.5, spec.width), spec.width, y, kernels, &s.packer, s.pixels.data());
      continue;
    }
    for (int j = 0; j < nv; ++j) {
      if (((y * nv + j) & 15) == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
      for (int i = 0; i < nu; ++i) {
        add_line(job, open_line(job, (i + 0.5) / nu, y + (j + 0.5) / nv, spec.width), spec.width, kernels,
                 s.pixels.data());
      }
    }
    s.packer.row(s.pixels.data(), y);
  }
  return Status();
}

}  // namespace lineament
