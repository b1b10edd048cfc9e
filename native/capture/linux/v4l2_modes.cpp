#include "capture/linux/v4l2_modes.h"

#ifdef __linux__

#include <linux/videodev2.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <tuple>

namespace lineament {
namespace {

using Kind = V4l2Layout::Kind;

constexpr V4l2Layout kLayouts[] = {
    {V4L2_PIX_FMT_NV12, CaptureFormat::kNv12, Kind::kSemiPlanar, 1, false, 1},
    {V4L2_PIX_FMT_NV12M, CaptureFormat::kNv12, Kind::kSemiPlanar, 1, false, 2},
    {V4L2_PIX_FMT_NV21, CaptureFormat::kNv12, Kind::kSemiPlanar, 1, true, 1},
    {V4L2_PIX_FMT_NV21M, CaptureFormat::kNv12, Kind::kSemiPlanar, 1, true, 2},
    {V4L2_PIX_FMT_YUV420, CaptureFormat::kI420, Kind::kPlanar, 1, false, 1},
    {V4L2_PIX_FMT_YUV420M, CaptureFormat::kI420, Kind::kPlanar, 1, false, 3},
    {V4L2_PIX_FMT_YVU420, CaptureFormat::kI420, Kind::kPlanar, 1, true, 1},
    {V4L2_PIX_FMT_YVU420M, CaptureFormat::kI420, Kind::kPlanar, 1, true, 3},
    {V4L2_PIX_FMT_YUYV, CaptureFormat::kYuyv, Kind::kPacked, 2, false, 1},
    {V4L2_PIX_FMT_UYVY, CaptureFormat::kYuyv, Kind::kUyvy, 2, false, 1},
    {V4L2_PIX_FMT_RGB24, CaptureFormat::kRgb, Kind::kPacked, 3, false, 1},
    {V4L2_PIX_FMT_BGR24, CaptureFormat::kBgr, Kind::kPacked, 3, false, 1},
    {V4L2_PIX_FMT_RGBA32, CaptureFormat::kRgba, Kind::kPacked, 4, false, 1},
    {V4L2_PIX_FMT_ABGR32, CaptureFormat::kBgra, Kind::kPacked, 4, false, 1},
    {V4L2_PIX_FMT_GREY, CaptureFormat::kGray, Kind::kPacked, 1, false, 1},
    {V4L2_PIX_FMT_Z16, CaptureFormat::kZ16, Kind::kPacked, 2, false, 1},
    {V4L2_PIX_FMT_MJPEG, CaptureFormat::kMjpeg, Kind::kFile, 0, false, 1},
    {V4L2_PIX_FMT_JPEG, CaptureFormat::kMjpeg, Kind::kFile, 0, false, 1},
};

// The first of min, min + step, … that is not below `wanted`; max where none is.
int snap_up(int min, int max, int step, int wanted) {
  if (wanted <= min) return min;
  if (wanted >= max || step <= 0) return wanted >= max ? max : wanted;
  const int64_t steps = (static_cast<int64_t>(wanted) - min + step - 1) / step;
  return static_cast<int>(std::min<int64_t>(max, min + steps * step));
}

int64_t area(PictureSize size) { return static_cast<int64_t>(size.width) * size.height; }

bool covers(PictureSize size, PictureSize wanted) { return size.width >= wanted.width && size.height >= wanted.height; }

// How far the proportions are from those wanted: 0 is the same.
double aspect_error(PictureSize size, PictureSize wanted) {
  if (wanted.width <= 0 || wanted.height <= 0 || size.width <= 0 || size.height <= 0) return 0;
  return std::abs(std::log(static_cast<double>(size.width) * wanted.height / size.height / wanted.width));
}

bool fast_enough(const Interval& interval, double fps) {
  return interval.numerator == 0 || interval.fps() >= fps * 0.98;
}

}  // namespace

const V4l2Layout* v4l2_layout(uint32_t fourcc) {
  for (const V4l2Layout& layout : kLayouts) {
    if (layout.fourcc == fourcc) return &layout;
  }
  return nullptr;
}

PictureSize nearest_size(const std::vector<SizeRange>& ranges, PictureSize wanted) {
  PictureSize best;
  auto best_key = std::make_tuple(2, std::numeric_limits<int64_t>::max(), 0.0);
  for (const SizeRange& range : ranges) {
    if (range.max_width < 1 || range.max_height < 1 || range.min_width > range.max_width ||
        range.min_height > range.max_height) {
      continue;
    }
    const PictureSize size = {snap_up(range.min_width, range.max_width, range.step_width, wanted.width),
                              snap_up(range.min_height, range.max_height, range.step_height, wanted.height)};
    const bool large = covers(size, wanted);
    // What does not cover: the largest that there is, not what comes near in one direction only.
    const PictureSize offered = large ? size : PictureSize{range.max_width, range.max_height};
    const auto key =
        std::make_tuple(large ? 0 : 1, large ? area(offered) : -area(offered), aspect_error(offered, wanted));
    if (key < best_key) {
      best_key = key;
      best = offered;
    }
  }
  return best;
}

Interval nearest_interval(const std::vector<IntervalRange>& ranges, double fps) {
  Interval best;
  for (const IntervalRange& range : ranges) {
    if (range.shortest.numerator == 0 || range.shortest.denominator == 0) continue;
    Interval offered = range.shortest;
    if (fps > 0 && fast_enough(range.longest, fps) && range.longest.numerator > 0) {
      offered = range.longest;
    } else if (fps > 0 && range.shortest.fps() > fps) {
      offered = {1000, static_cast<uint32_t>(std::lround(fps * 1000))};
    }
    const bool enough = fps > 0 && fast_enough(offered, fps);
    const bool had_enough = fps > 0 && best.numerator > 0 && fast_enough(best, fps);
    const bool better = best.numerator == 0 || (enough && !had_enough) ||
                        (enough == had_enough && (enough ? offered.fps() < best.fps() : offered.fps() > best.fps()));
    if (better) best = offered;
  }
  return best;
}

std::vector<V4l2Mode> rank_modes(std::vector<V4l2Mode> modes, const CaptureWish& wish) {
  const std::span<const CaptureFormat> formats =
      wish.formats.empty() ? std::span<const CaptureFormat>(kUsualFormats) : std::span(wish.formats);
  const auto place = [&](const V4l2Mode& mode) {
    return std::find(formats.begin(), formats.end(), mode.layout->format) - formats.begin();
  };
  const auto unwanted = [&](const V4l2Mode& mode) {
    return mode.layout == nullptr || mode.size.width < 1 || mode.size.height < 1 ||
           place(mode) == static_cast<std::ptrdiff_t>(formats.size());
  };
  modes.erase(std::remove_if(modes.begin(), modes.end(), unwanted), modes.end());
  const PictureSize wanted = {wish.width, wish.height};
  const double fps = wish.fps > 0 ? wish.fps : kLeastUsualFps;
  const auto key = [&](const V4l2Mode& mode) {
    const bool large = covers(mode.size, wanted);
    // Depth stands in for a picture only where nothing else does, however large or fast it is.
    const bool depth = wish.formats.empty() && mode.layout->format == CaptureFormat::kZ16;
    const double useful = fast_enough(mode.interval, fps) ? fps : mode.interval.fps();
    return std::make_tuple(depth, !large, -useful, large ? area(mode.size) : -area(mode.size), place(mode),
                           mode.layout->planes, -mode.interval.fps());
  };
  std::stable_sort(modes.begin(), modes.end(), [&](const V4l2Mode& a, const V4l2Mode& b) { return key(a) < key(b); });
  return modes;
}

}  // namespace lineament

#endif
