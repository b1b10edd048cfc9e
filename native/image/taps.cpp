#include "image/taps.h"

#include <algorithm>
#include <cmath>

namespace lineament {
namespace {

// Overlaps shorter than this (in source pixels) are rounding noise of the region's arithmetic.
constexpr double kNoise = 1e-7;

struct Span {
  int start = 0, count = 0;
};

// Weights of one output pixel into `w` (room for `sources` + 2 or the bound below); weights sum to at most 1.
Span area_span(double p, double length, int sources, Border border, double* w) {
  const double lo = p - length / 2, hi = p + length / 2;
  const double in_lo = std::clamp(lo, 0.0, static_cast<double>(sources));
  const double in_hi = std::clamp(hi, 0.0, static_cast<double>(sources));
  Span span;
  if (in_hi - in_lo > kNoise) {
    int begin = std::min(static_cast<int>(std::floor(in_lo)), sources - 1);
    int end = std::clamp(static_cast<int>(std::ceil(in_hi)), begin + 1, sources);
    if (begin + 1 - in_lo < kNoise && begin + 1 < end) ++begin;
    if (in_hi - (end - 1) < kNoise && end - 1 > begin) --end;
    span = {begin, end - begin};
    for (int i = begin; i < end; ++i)
      w[i - begin] = std::max(0.0, std::min(in_hi, i + 1.0) - std::max(in_lo, double(i))) / length;
  }
  if (border == Border::kZero) return span;
  const double before = std::max(0.0, std::min(hi, 0.0) - lo) / length;
  const double after = std::max(0.0, hi - std::max(lo, static_cast<double>(sources))) / length;
  if (span.count == 0) {
    span = {before >= after ? 0 : sources - 1, 1};
    w[0] = 1;
    return span;
  }
  if (before > 0) w[0] += before;  // the interval then begins at pixel 0
  if (after > 0) w[span.count - 1] += after;
  return span;
}

Span linear_span(double p, double half, int sources, Border border, double* w) {
  double share = 1;
  if (border == Border::kZero) {
    share = inside_share(p, half, sources);
    if (share <= 1e-7) return {};
  }
  const double at = std::clamp(p - 0.5, 0.0, sources - 1.0);
  int start = std::min(static_cast<int>(std::floor(at)), std::max(0, sources - 2));
  const double t = at - start;
  if (t < kNoise) {
    w[0] = share;
    return {start, 1};
  }
  if (t > 1 - kNoise) {
    w[0] = share;
    return {start + 1, 1};
  }
  w[0] = (1 - t) * share;
  w[1] = t * share;
  return {start, 2};
}

}  // namespace

double inside_share(double p, double half, double size) {
  const double left = std::clamp(0.5 + p / (2 * half), 0.0, 1.0);
  const double right = std::clamp(0.5 + (size - p) / (2 * half), 0.0, 1.0);
  return left * right;
}

bool build_taps(double scale, double shift, int outputs, int sources, Filter filter, Border border, bool reverse,
                AxisTaps* taps) {
  const double size = std::fabs(scale);
  const bool area = filter == Filter::kArea && size > 1;
  const double half = std::max(std::min(size, 1.0) / 2, 1.0 / 2048);
  const auto n = static_cast<size_t>(outputs);
  // Every output needs at most this many; an area filter that is wider than the image cannot need more than the image.
  const auto bound = static_cast<size_t>(area ? std::min(std::floor(size) + 2, static_cast<double>(sources)) : 2);
  AlignedBuffer<double> one;
  if (!taps->start.reset(n) || !taps->count.reset(n) || !taps->offset.reset(n) ||
      !one.reset(std::max<size_t>(bound, 4)))
    return false;

  // Two passes where the bound is large: the sum of counts is far below outputs * bound when most outputs lie outside.
  taps->first = outputs;
  taps->last = 0;
  taps->most = 0;
  taps->source_begin = sources;
  taps->source_end = 0;
  size_t used = 0;
  for (int pass = bound <= 16 ? 1 : 0; pass < 2; ++pass) {
    if (pass == 1 && !taps->weights.reset(bound <= 16 ? n * bound : used + 1)) return false;
    used = 0;
    for (int i = 0; i < outputs; ++i) {
      const int from = reverse ? outputs - 1 - i : i;
      const double p = scale * (from + 0.5) + shift;
      const Span span =
          area ? area_span(p, size, sources, border, one.data()) : linear_span(p, half, sources, border, one.data());
      if (pass == 1) {
        taps->start[static_cast<size_t>(i)] = span.start;
        taps->count[static_cast<size_t>(i)] = span.count;
        taps->offset[static_cast<size_t>(i)] = static_cast<int64_t>(used);
        for (int k = 0; k < span.count; ++k)
          taps->weights[used + static_cast<size_t>(k)] = static_cast<float>(one[static_cast<size_t>(k)]);
        if (span.count > 0) {
          taps->first = std::min(taps->first, i);
          taps->last = i + 1;
          taps->most = std::max(taps->most, span.count);
          taps->source_begin = std::min(taps->source_begin, span.start);
          taps->source_end = std::max(taps->source_end, span.start + span.count);
        }
      }
      used += static_cast<size_t>(span.count);
    }
  }
  if (taps->last == 0) {
    taps->first = 0;
    taps->source_begin = taps->source_end = 0;
    return true;
  }
  // The outputs that have weights are one run, because the axis is monotone; index them from `first`.
  const auto shiftBy = static_cast<size_t>(taps->first);
  const auto kept = static_cast<size_t>(taps->last - taps->first);
  for (size_t i = 0; shiftBy > 0 && i < kept; ++i) {
    taps->start[i] = taps->start[i + shiftBy];
    taps->count[i] = taps->count[i + shiftBy];
    taps->offset[i] = taps->offset[i + shiftBy];
  }
  return true;
}

}  // namespace lineament
