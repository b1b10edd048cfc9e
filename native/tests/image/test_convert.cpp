// convert() against its definition: every pair of formats, odd sizes, padded rows, every SIMD level.
#include "core/dispatch.h"
#include "image/convert.h"

#include <string>

#include "image/kernels_select.h"
#include "tests/check.h"
#include "tests/image/reference.h"

using namespace lineament;
using reference::make_image;

namespace {

constexpr PixelFormat kTargets[] = {PixelFormat::kRgb, PixelFormat::kBgr, PixelFormat::kRgba, PixelFormat::kBgra,
                                    PixelFormat::kGray};

int alpha_of(const ImageView& im, int x, int y) {
  if (im.format != PixelFormat::kRgba && im.format != PixelFormat::kBgra) return 255;
  return im.data[static_cast<size_t>(y) * im.stride + static_cast<size_t>(x) * 4 + 3];
}

// What one output byte should be.
int expected(const ImageView& im, PixelFormat to, int x, int y, int c) {
  if (to == PixelFormat::kGray) {
    if (im.format == PixelFormat::kGray) return static_cast<int>(reference::colour_at(im, x, y, false)[0]);
    if (im.format >= PixelFormat::kYuyv) return static_cast<int>(reference::colour_at(im, x, y, true)[0]);
    const auto p = reference::colour_at(im, x, y, false);
    return static_cast<int>(std::floor((4899 * p[0] + 9617 * p[1] + 1868 * p[2] + 8192) / 16384));
  }
  if (c == 3) return alpha_of(im, x, y);
  const bool reversed = to == PixelFormat::kBgr || to == PixelFormat::kBgra;
  return static_cast<int>(reference::colour_at(im, x, y, false)[static_cast<size_t>(reversed ? 2 - c : c)]);
}

}  // namespace

TEST(every_format_to_every_other_exactly) {
  Simd levels[2];
  const int n = available_simd(levels);
  uint32_t seed = 1;
  for (int level = 0; level < n; ++level) {
    CHECK(force_image_simd(levels[level]));
    for (const PixelFormat from : reference::kFormats) {
      for (const PixelFormat to : kTargets) {
        for (const auto& [w, h] : {std::pair{1, 1}, std::pair{2, 2}, std::pair{7, 5}, std::pair{33, 3},
                                   std::pair{131, 6}, std::pair{640, 3}}) {
          const auto image = make_image(from, w, h, static_cast<int>(seed % 4), seed);
          ++seed;
          const int bytes = to == PixelFormat::kGray ? 1 : (to == PixelFormat::kRgb || to == PixelFormat::kBgr ? 3 : 4);
          const size_t size = converted_bytes(image.view, to);
          CHECK_EQ(size, static_cast<size_t>(w * h * bytes));
          std::vector<uint8_t> out(size + 32, 0x5a);
          CHECK(convert(image.view, to, out.data(), nullptr).ok());
          for (size_t i = size; i < out.size(); ++i) CHECK_EQ(static_cast<int>(out[i]), 0x5a);
          const uint8_t* p = out.data();
          int wrong = 0;
          for (int y = 0; y < h; ++y) {
            for (int x = 0; x < w; ++x) {
              for (int c = 0; c < bytes; ++c) wrong += *p++ != expected(image.view, to, x, y, c);
            }
          }
          if (wrong > 0) {
            check::fail(__FILE__, __LINE__,
                        std::string(simd_name(levels[level])) + " " + reference::format_name(from) + " to " +
                            reference::format_name(to) + " " + std::to_string(w) + "x" + std::to_string(h) + ": " +
                            std::to_string(wrong) + " bytes differ");
          }
        }
      }
    }
  }
  force_image_simd(active_simd());
}

// All 2^24 YUV triples are too many for every run; a dense grid with the ends included is not.
TEST(yuv_follows_bt601_over_its_whole_range) {
  Simd levels[2];
  const int n = available_simd(levels);
  const auto values = [](int i) { return std::min(255, i * 5); };
  auto image = make_image(PixelFormat::kYuyv, 2 * 52, 52 * 52, 0, 1);
  for (int u = 0; u < 52; ++u) {
    for (int v = 0; v < 52; ++v) {
      uint8_t* row = image.bytes.data() + static_cast<size_t>(u * 52 + v) * image.view.stride;
      for (int y = 0; y < 52; ++y, row += 4) {
        row[0] = static_cast<uint8_t>(values(y)), row[2] = static_cast<uint8_t>(255 - values(y));
        row[1] = static_cast<uint8_t>(values(u)), row[3] = static_cast<uint8_t>(values(v));
      }
    }
  }
  std::vector<uint8_t> out(converted_bytes(image.view, PixelFormat::kRgb));
  for (int level = 0; level < n; ++level) {
    force_image_simd(levels[level]);
    CHECK(convert(image.view, PixelFormat::kRgb, out.data(), nullptr).ok());
    double worst = 0;
    const uint8_t* p = out.data();
    for (int y = 0; y < image.view.height; ++y) {
      const uint8_t* row = image.bytes.data() + static_cast<size_t>(y) * image.view.stride;
      for (int x = 0; x < image.view.width; ++x) {
        const auto e = reference::bt601(row[2 * x], row[4 * (x / 2) + 1], row[4 * (x / 2) + 3]);
        for (size_t c = 0; c < 3; ++c) worst = std::max(worst, std::fabs(*p++ - e[c]));
      }
    }
    CHECK(worst <= 0.56);
  }
  force_image_simd(active_simd());
}

TEST(bad_requests_are_refused) {
  const auto image = make_image(PixelFormat::kRgb, 4, 4, 0, 1);
  uint8_t out[64];
  for (const PixelFormat to : {PixelFormat::kYuyv, PixelFormat::kNv12, PixelFormat::kI420}) {
    CHECK(convert(image.view, to, out, nullptr).code() == Code::kInvalidArgument);
    CHECK_EQ(converted_bytes(image.view, to), size_t{0});
  }
  CHECK(convert(image.view, PixelFormat::kRgb, nullptr, nullptr).code() == Code::kInvalidArgument);
  ImageView shorter = image.view;
  --shorter.size;
  CHECK(convert(shorter, PixelFormat::kRgb, out, nullptr).code() == Code::kInvalidArgument);
  CancelToken token;
  token.cancel();
  CHECK(convert(image.view, PixelFormat::kRgb, out, &token).code() == Code::kAborted);
}

TEST_MAIN()
