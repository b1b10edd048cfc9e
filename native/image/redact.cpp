#include "image/redact.h"

#include <algorithm>
#include <cmath>

#include "image/rows.h"
#include "image/sample.h"

namespace lineament {
namespace {

// One channel: every `step`-th byte; `across` and `down` are the picture's pixels in one sample.
struct Channel {
  uint8_t* data;
  size_t stride;
  int step;
  int width, height;
  int across, down;
};

// A region cut into blocks along one axis of a channel.
struct Axis {
  double origin, size, side;  // of the region and of a block, in samples
  int first, last;            // blocks that the picture shows, inclusive
  int edge[kMostRedactBlocks + 2];

  // Sample at which block i begins, within the picture.
  int begin(int i) const { return edge[i - first]; }
  int end(int i) const { return edge[i - first + 1]; }
  double centre(int i) const { return origin + (i + 0.5) * side; }
};

int within(double v, int most) { return static_cast<int>(std::clamp(v, 0.0, static_cast<double>(most))); }

// False where the picture shows nothing of the region.
bool cut(double origin, double size, double side, int samples, Axis* axis) {
  const int begin = within(std::floor(origin), samples), end = within(std::ceil(origin + size), samples);
  if (begin >= end) return false;
  const int most = static_cast<int>(std::ceil(std::min(size / side, double{kMostRedactBlocks}) - 1e-9)) - 1;
  const auto block_at = [&](double sample) { return within(std::floor((sample - origin) / side), std::max(most, 0)); };
  *axis = {origin, size, side, block_at(begin + 0.5), block_at(end - 0.5), {}};
  int* edge = axis->edge;
  edge[0] = begin;
  for (int i = axis->first; i < axis->last; ++i) {
    // A sample belongs to the block that holds its centre.
    edge[i - axis->first + 1] = std::clamp(within(std::ceil(origin + (i + 1) * side - 0.5), samples), begin, end);
  }
  edge[axis->last - axis->first + 1] = end;
  return true;
}

// Samples of row y that the shape touches, [from, to).
void span(const Axis& h, const Axis& v, RedactShape shape, int y, int* from, int* to) {
  *from = h.begin(h.first), *to = h.end(h.last);
  if (shape == RedactShape::kBox) return;
  const double rx = h.size / 2, ry = v.size / 2, cx = h.origin + rx, cy = v.origin + ry;
  const double near =
      std::clamp(cy, static_cast<double>(y), y + 1.0) - cy;  // the row's part that is nearest to the middle
  const double share = 1 - (near / ry) * (near / ry);
  const double half = share > 0 ? rx * std::sqrt(share) : 0;
  const int left = std::max(*from, within(std::floor(cx - half), *to));
  *to = std::min(*to, within(std::ceil(cx + half), *to));
  *from = left;
}

using Means = float[kMostRedactBlocks + 1][kMostRedactBlocks + 1];

void measure(const Channel& channel, const Axis& h, const Axis& v, Means means) {
  for (int j = v.first; j <= v.last; ++j) {
    for (int i = h.first; i <= h.last; ++i) {
      uint64_t sum = 0;
      const int x0 = h.begin(i), x1 = h.end(i), y0 = v.begin(j), y1 = v.end(j);
      for (int y = y0; y < y1; ++y) {
        const uint8_t* p = channel.data + static_cast<size_t>(y) * channel.stride;
        uint32_t row = 0;
        if (channel.step == 1) {
          for (int x = x0; x < x1; ++x) row += p[x];
        } else {
          for (ptrdiff_t x = x0; x < x1; ++x) row += p[x * channel.step];
        }
        sum += row;
      }
      const auto n = static_cast<double>(std::max(x1 - x0, 0)) * std::max(y1 - y0, 0);
      // A block without a sample (its neighbours took them) is never written; interpolation sees the one before it.
      means[j - v.first][i - h.first] = n > 0         ? static_cast<float>(static_cast<double>(sum) / n)
                                        : i > h.first ? means[j - v.first][i - h.first - 1]
                                        : j > v.first ? means[j - v.first - 1][i - h.first]
                                                      : 0.0F;
    }
  }
}

void fill(uint8_t* row, int step, int from, int to, float value) {
  const auto level = static_cast<uint8_t>(value + 0.5F);
  if (step == 1) {
    if (to > from) std::fill(row + from, row + to, level);
    return;
  }
  for (ptrdiff_t x = from; x < to; ++x) row[x * step] = level;
}

// From `a` at the centre of block i to `b` at the centre of the next.
void ramp(uint8_t* row, int step, int from, int to, double centre, double side, float a, float b) {
  const auto slope = static_cast<float>((b - a) / side);
  const auto start = static_cast<float>(a + 0.5 + (from + 0.5 - centre) * static_cast<double>(slope));
  for (ptrdiff_t x = from; x < to; ++x)
    row[x * step] = static_cast<uint8_t>(std::clamp(start + slope * static_cast<float>(x - from), 0.0F, 255.0F));
}

void blur_row(const Axis& h, const Axis& v, const Means means, int y, uint8_t* row, int step, int from, int to) {
  const double at = std::clamp((y + 0.5 - v.origin) / v.side - 0.5, double(v.first), double(v.last));
  const int above = std::min(static_cast<int>(at), v.last), below = std::min(above + 1, v.last);
  const auto weight = static_cast<float>(at - above);
  const int columns = h.last - h.first;
  float line[kMostRedactBlocks + 1];
  for (int i = 0; i <= columns; ++i) {
    const float a = means[above - v.first][i];
    line[i] = a + weight * (means[below - v.first][i] - a);
  }
  int x = std::min(std::max(from, within(std::ceil(h.centre(h.first) - 0.5), to)), to);
  fill(row, step, from, x, line[0]);
  for (int i = 0; i < columns; ++i) {
    const int next = std::max(x, std::min(to, within(std::ceil(h.centre(h.first + i + 1) - 0.5), to)));
    ramp(row, step, x, next, h.centre(h.first + i), h.side, line[i], line[i + 1]);
    x = next;
  }
  fill(row, step, x, to, line[columns]);
}

Status redact_channel(const Channel& channel, const RedactRegion& region, RedactShape shape,
                      const RedactOptions& options, const CancelToken* cancel) {
  const double side = std::max(std::max(region.width, region.height) / options.blocks, double{kLeastRedactBlock});
  Axis h, v;
  if (!cut(region.x / channel.across, region.width / channel.across, side / channel.across, channel.width, &h) ||
      !cut(region.y / channel.down, region.height / channel.down, side / channel.down, channel.height, &v))
    return Status();
  Means means;
  measure(channel, h, v, means);
  for (int j = v.first; j <= v.last; ++j) {
    for (int y = v.begin(j); y < v.end(j); ++y) {
      if ((y & 63) == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
      int from, to;
      span(h, v, shape, y, &from, &to);
      if (from >= to) continue;
      uint8_t* row = channel.data + static_cast<size_t>(y) * channel.stride;
      if (options.method == RedactMethod::kBlur) {
        blur_row(h, v, means, y, row, channel.step, from, to);
        continue;
      }
      for (int i = h.first; i <= h.last; ++i)
        fill(row, channel.step, std::max(from, h.begin(i)), std::min(to, h.end(i)), means[j - v.first][i - h.first]);
    }
  }
  return Status();
}

// At most four; gives their number.
int channels_of(uint8_t* pixels, const ImageView& image, Channel* out) {
  const int w = image.width, h = image.height, cw = (w + 1) / 2, ch = (h + 1) / 2;
  const size_t luma = image.stride * static_cast<size_t>(h), half = (image.stride + 1) / 2;
  switch (image.format) {
    case PixelFormat::kYuyv:
      out[0] = {pixels, image.stride, 2, w, h, 1, 1};
      out[1] = {pixels + 1, image.stride, 4, cw, h, 2, 1};
      out[2] = {pixels + 3, image.stride, 4, cw, h, 2, 1};
      return 3;
    case PixelFormat::kNv12:
      out[0] = {pixels, image.stride, 1, w, h, 1, 1};
      out[1] = {pixels + luma, image.stride, 2, cw, ch, 2, 2};
      out[2] = {pixels + luma + 1, image.stride, 2, cw, ch, 2, 2};
      return 3;
    case PixelFormat::kI420:
      out[0] = {pixels, image.stride, 1, w, h, 1, 1};
      out[1] = {pixels + luma, half, 1, cw, ch, 2, 2};
      out[2] = {pixels + luma + half * static_cast<size_t>(ch), half, 1, cw, ch, 2, 2};
      return 3;
    default: {
      const int step = pixel_bytes(image.format), colours = std::min(step, 3);
      for (int c = 0; c < colours; ++c) out[c] = {pixels + c, image.stride, step, w, h, 1, 1};
      return colours;
    }
  }
}

bool is_place(const RedactRegion& r) {
  return std::isfinite(r.x) && std::isfinite(r.y) && r.width > 0 && r.height > 0 && std::isfinite(r.x + r.width) &&
         std::isfinite(r.y + r.height);
}

}  // namespace

Status redact(uint8_t* pixels, ImageView image, const RedactRegion* regions, size_t count, const RedactOptions& options,
              const CancelToken* cancel) {
  image.data = pixels;
  if (Status s = validate(image); !s.ok()) return s;
  if (options.blocks < 1 || options.blocks > kMostRedactBlocks)
    return Status(Code::kInvalidArgument, "Expected 1 to 32 blocks");
  if (count > 0 && regions == nullptr) return Status(Code::kInvalidArgument, "No regions");
  Channel channels[4];
  const int n = channels_of(pixels, image, channels);
  for (size_t i = 0; i < count; ++i) {
    RedactRegion region = regions[i];
    RedactShape shape = options.shape;
    if (!is_place(region)) {
      region = {0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
      shape = RedactShape::kBox;
    }
    for (int c = 0; c < n; ++c) {
      if (Status s = redact_channel(channels[c], region, shape, options, cancel); !s.ok()) return s;
    }
  }
  return Status();
}

}  // namespace lineament
