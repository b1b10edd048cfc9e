// statistics() against the textbook two-pass formulas, at every SIMD level.
#include "core/dispatch.h"
#include "image/statistics.h"

#include <limits>

#include "image/convert.h"
#include "image/kernels_select.h"
#include "tests/check.h"
#include "tests/image/reference.h"

using namespace lineament;
using reference::make_image;

namespace {

Statistics plain(const ImageView& image, int x0, int y0, int w, int h) {
  std::vector<uint8_t> luma(converted_bytes(image, PixelFormat::kGray));
  CHECK(convert(image, PixelFormat::kGray, luma.data(), nullptr).ok());
  const auto at = [&](int x, int y) {
    return static_cast<double>(
        luma[static_cast<size_t>(y) * static_cast<size_t>(image.width) + static_cast<size_t>(x)]);
  };
  Statistics s;
  const double n = static_cast<double>(w) * h;
  for (int y = y0; y < y0 + h; ++y) {
    for (int x = x0; x < x0 + w; ++x) {
      s.mean += at(x, y) / n;
      s.underexposed += at(x, y) <= 10 ? 1 / n : 0;
      s.overexposed += at(x, y) >= 245 ? 1 / n : 0;
    }
  }
  std::vector<double> edges;
  for (int y = y0; y < y0 + h; ++y) {
    for (int x = x0; x < x0 + w; ++x) {
      s.contrast += (at(x, y) - s.mean) * (at(x, y) - s.mean) / n;
      if (x > x0 && x < x0 + w - 1 && y > y0 && y < y0 + h - 1) {
        edges.push_back(4 * at(x, y) - at(x - 1, y) - at(x + 1, y) - at(x, y - 1) - at(x, y + 1));
      }
    }
  }
  s.contrast = std::sqrt(s.contrast);
  double mean = 0;
  for (const double e : edges) mean += e / static_cast<double>(edges.size());
  for (const double e : edges) s.laplacian_variance += (e - mean) * (e - mean) / static_cast<double>(edges.size());
  return s;
}

}  // namespace

TEST(matches_the_textbook_and_is_equal_at_every_level) {
  Simd levels[2];
  const int n = available_simd(levels);
  uint32_t seed = 3;
  for (const PixelFormat format : reference::kFormats) {
    for (const auto& [w, h] : {std::pair{3, 3}, std::pair{37, 21}, std::pair{200, 9}}) {
      const auto image = make_image(format, w, h, 3, seed++);
      struct Box {
        double x, y, w, h;
        int px, py, pw, ph;
      };
      const Box boxes[] = {{0, 0, double(w), double(h), 0, 0, w, h},
                           {-50, -50, 1000, 1000, 0, 0, w, h},
                           {0.5, 0.49, w - 0.5, h - 0.49, 0, 0, w, h},
                           {1.6, 1.4, w - 3.2, h - 1.4, 2, 1, w - 4, h - 1}};
      for (const Box& b : boxes) {
        if (b.pw < 3 || b.ph < 3) continue;
        const Statistics e = plain(image.view, b.px, b.py, b.pw, b.ph);
        Statistics first;
        for (int level = 0; level < n; ++level) {
          force_image_simd(levels[level]);
          Statistics s;
          CHECK(statistics(image.view, b.x, b.y, b.w, b.h, &s, nullptr).ok());
          CHECK_NEAR(s.laplacian_variance, e.laplacian_variance, 1e-6 * (1 + e.laplacian_variance));
          CHECK_NEAR(s.mean, e.mean, 1e-9);
          CHECK_NEAR(s.contrast, e.contrast, 1e-9);
          CHECK_NEAR(s.underexposed, e.underexposed, 1e-9);
          CHECK_NEAR(s.overexposed, e.overexposed, 1e-9);
          if (level == 0) first = s;
          CHECK(s.laplacian_variance == first.laplacian_variance && s.mean == first.mean &&
                s.contrast == first.contrast && s.underexposed == first.underexposed &&
                s.overexposed == first.overexposed);
        }
        force_image_simd(active_simd());
      }
    }
  }
}

TEST(known_pictures) {
  Statistics s;
  const auto flat = make_image(PixelFormat::kGray, 64, 64, 0, 1, 128);
  CHECK(statistics(flat.view, 0, 0, 64, 64, &s, nullptr).ok());
  CHECK(s.laplacian_variance == 0 && s.mean == 128 && s.contrast == 0 && s.underexposed == 0 && s.overexposed == 0);
  auto board = make_image(PixelFormat::kGray, 64, 64, 0, 1, 0);
  for (size_t i = 0; i < board.bytes.size(); ++i) board.bytes[i] = ((i % 64 + i / 64) & 1) != 0 ? 255 : 0;
  CHECK(statistics(board.view, 0, 0, 64, 64, &s, nullptr).ok());
  CHECK(s.laplacian_variance == 1020.0 * 1020.0 && s.mean == 127.5 && s.contrast == 127.5 && s.underexposed == 0.5 &&
        s.overexposed == 0.5);
}

// Long rows: the 32-bit partial sums must be flushed in time.
TEST(the_largest_sums_do_not_overflow) {
  auto board = make_image(PixelFormat::kGray, 600000, 3, 0, 1, 255);
  for (size_t i = 0; i < board.bytes.size(); ++i) board.bytes[i] = ((i % 600000 + i / 600000) & 1) != 0 ? 255 : 0;
  Statistics s;
  CHECK(statistics(board.view, 0, 0, 600000, 3, &s, nullptr).ok());
  CHECK_NEAR(s.laplacian_variance, 1020.0 * 1020.0, 1e-3);
  CHECK_NEAR(s.contrast, 127.5, 1e-9);
}

TEST(small_boxes_are_nan_and_bad_ones_refused) {
  const auto image = make_image(PixelFormat::kRgb, 16, 16, 0, 1);
  Statistics s;
  for (const auto& [x, y, w, h] :
       {std::array{0.0, 0.0, 2.0, 16.0}, std::array{0.0, 0.0, 16.0, 2.0}, std::array{20.0, 0.0, 9.0, 9.0},
        std::array{5.0, 5.0, -4.0, 4.0}, std::array{14.0, 14.0, 1e9, 1e9}}) {
    CHECK(statistics(image.view, x, y, w, h, &s, nullptr).ok());
    CHECK(std::isnan(s.laplacian_variance) && std::isnan(s.mean) && std::isnan(s.contrast) &&
          std::isnan(s.underexposed) && std::isnan(s.overexposed));
  }
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  CHECK(statistics(image.view, nan, 0, 4, 4, &s, nullptr).code() == Code::kInvalidArgument);
  CHECK(statistics(image.view, 0, 0, inf, 4, &s, nullptr).code() == Code::kInvalidArgument);
  CHECK(statistics(image.view, 0, 0, 4, 4, nullptr, nullptr).code() == Code::kInvalidArgument);
  CancelToken token;
  token.cancel();
  CHECK(statistics(image.view, 0, 0, 16, 16, &s, &token).code() == Code::kAborted);
}

TEST_MAIN()
