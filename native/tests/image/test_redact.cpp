// redact() against its definition, pixel by pixel, in every format.
#include "image/redact.h"

#include <cmath>
#include <limits>
#include <set>

#include "image/convert.h"
#include "tests/check.h"
#include "tests/image/reference.h"

using namespace lineament;
using reference::make_image;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN(), kInf = std::numeric_limits<double>::infinity();

// The byte of channel c (luma, U, V or colour) that shows pixel (x, y); alpha is no channel.
size_t offset_of(const ImageView& im, int c, int x, int y) {
  const auto ux = static_cast<size_t>(x), uy = static_cast<size_t>(y), h = static_cast<size_t>(im.height);
  const size_t channel = static_cast<size_t>(c), luma = im.stride * h, half = (im.stride + 1) / 2;
  switch (im.format) {
    case PixelFormat::kGray:
      return uy * im.stride + ux;
    case PixelFormat::kRgb:
    case PixelFormat::kBgr:
      return uy * im.stride + 3 * ux + channel;
    case PixelFormat::kRgba:
    case PixelFormat::kBgra:
      return uy * im.stride + 4 * ux + channel;
    case PixelFormat::kYuyv:
      return uy * im.stride + (c == 0 ? 2 * ux : 4 * (ux / 2) + 2 * channel - 1);
    case PixelFormat::kNv12:
      return c == 0 ? uy * im.stride + ux : luma + uy / 2 * im.stride + ux / 2 * 2 + channel - 1;
    case PixelFormat::kI420:
      return c == 0 ? uy * im.stride + ux : luma + (channel - 1) * half * ((h + 1) / 2) + uy / 2 * half + ux / 2;
  }
  return 0;
}
int channels_of(PixelFormat f) { return f == PixelFormat::kGray ? 1 : 3; }

// Whether the square of pixel (x, y) has a point in common with the shape.
bool touches(const RedactRegion& r, RedactShape shape, int x, int y) {
  if (x + 1 <= r.x || y + 1 <= r.y || x >= r.x + r.width || y >= r.y + r.height) return false;
  if (shape == RedactShape::kBox) return true;
  const double cx = r.x + r.width / 2, cy = r.y + r.height / 2;
  const double dx = (std::clamp(cx, double(x), x + 1.0) - cx) / (r.width / 2);
  const double dy = (std::clamp(cy, double(y), y + 1.0) - cy) / (r.height / 2);
  return dx * dx + dy * dy < 1;
}

struct Case {
  int w, h;
  RedactRegion region;
};
const Case kCases[] = {{64, 48, {8, 8, 32, 32}},
                       {37, 21, {-9.3, 2.5, 30.1, 44}},
                       {63, 63, {3.7, 5.2, 40.9, 31.3}},
                       {5, 3, {0, 0, 5, 3}},
                       {1, 1, {0, 0, 1, 1}},
                       {41, 40, {20, 20, 5, 5}},
                       {50, 50, {-1e12, -1e12, 2e12, 2e12}},
                       {30, 90, {4, -60, 22, 170}}};

}  // namespace

TEST(touches_its_shape_and_nothing_else) {
  for (const PixelFormat format : reference::kFormats) {
    for (const Case& one : kCases) {
      for (const auto shape : {RedactShape::kBox, RedactShape::kEllipse}) {
        for (const auto method : {RedactMethod::kPixelate, RedactMethod::kBlur}) {
          auto image = make_image(format, one.w, one.h, 3, 7);
          const auto before = image.bytes;
          CHECK(redact(image.bytes.data(), image.view, &one.region, 1, {method, shape, 6}, nullptr).ok());
          std::set<size_t> may;
          for (int y = 0; y < one.h; ++y) {
            for (int x = 0; x < one.w; ++x) {
              if (!touches(one.region, shape, x, y)) continue;
              for (int c = 0; c < channels_of(format); ++c) may.insert(offset_of(image.view, c, x, y));
            }
          }
          size_t outside = 0, same = 0;
          for (size_t i = 0; i < before.size(); ++i) {
            if (may.count(i) == 0) outside += before[i] != image.bytes[i] ? 1 : 0;
          }
          for (const size_t i : may) same += before[i] == image.bytes[i] ? 1 : 0;
          // Noise meets its own mean by chance, one time in some tens; a pixel that is a block of its own does not
          // occur, but for pictures of a single block's size.
          CHECK_EQ(outside, size_t{0});
          if (may.size() > 400) CHECK(same * 12 < may.size());
        }
      }
    }
  }
}

TEST(pixelates_to_the_means_of_its_blocks) {
  for (const PixelFormat format : reference::kFormats) {
    auto image = make_image(format, 80, 60, 1, 11);
    const auto before = image.bytes;
    const RedactRegion region{8, 12, 48, 32};  // blocks of 8 by 8
    CHECK(redact(image.bytes.data(), image.view, &region, 1, {RedactMethod::kPixelate, RedactShape::kBox, 6}, nullptr)
              .ok());
    for (int c = 0; c < channels_of(format); ++c) {
      for (int y0 = 12; y0 < 44; y0 += 8) {
        for (int x0 = 8; x0 < 56; x0 += 8) {
          double sum = 0;
          for (int i = 0; i < 64; ++i) sum += before[offset_of(image.view, c, x0 + i % 8, y0 + i / 8)];
          for (int i = 0; i < 64; ++i)
            CHECK_NEAR(image.bytes[offset_of(image.view, c, x0 + i % 8, y0 + i / 8)], sum / 64, 0.51);
        }
      }
    }
  }
}

// What is lost is lost: pictures with the same block means cannot be told apart afterwards.
TEST(keeps_nothing_but_the_means) {
  for (const auto method : {RedactMethod::kPixelate, RedactMethod::kBlur}) {
    auto a = make_image(PixelFormat::kGray, 128, 128, 0, 21);
    auto b = a;
    for (int y0 = 16; y0 < 112; y0 += 12) {
      for (int x0 = 16; x0 < 112; x0 += 12) {
        for (int i = 0; i < 72; ++i) {  // each block upside down
          const auto at = [&](int j) { return static_cast<size_t>((y0 + j / 12) * 128 + x0 + j % 12); };
          std::swap(b.bytes[at(i)], b.bytes[at(143 - i)]);
        }
      }
    }
    CHECK(a.bytes != b.bytes);
    const RedactRegion region{16, 16, 96, 96};
    const RedactOptions options{method, RedactShape::kBox, 8};
    CHECK(redact(a.bytes.data(), a.view, &region, 1, options, nullptr).ok());
    CHECK(redact(b.bytes.data(), b.view, &region, 1, options, nullptr).ok());
    CHECK(a.bytes == b.bytes);
  }
}

TEST(blurs_a_slope_into_itself_and_noise_into_smoothness) {
  auto slope = make_image(PixelFormat::kGray, 200, 100, 0, 1);
  for (size_t i = 0; i < slope.bytes.size(); ++i) slope.bytes[i] = static_cast<uint8_t>(20 + i % 200);
  const RedactRegion region{20, 10, 160, 80};
  CHECK(redact(slope.bytes.data(), slope.view, &region, 1, {RedactMethod::kBlur, RedactShape::kBox, 8}, nullptr).ok());
  for (int y = 10; y < 90; ++y) {
    for (int x = 30; x < 170; ++x) CHECK_NEAR(slope.bytes[static_cast<size_t>(y * 200 + x)], 20 + x, 1.01);
  }
  auto noise = make_image(PixelFormat::kI420, 201, 101, 0, 5);
  CHECK(redact(noise.bytes.data(), noise.view, &region, 1, {RedactMethod::kBlur, RedactShape::kBox, 8}, nullptr).ok());
  for (int y = 10; y < 89; ++y) {
    for (int x = 20; x < 179; ++x) {
      const auto at = [&](int dx, int dy) { return noise.bytes[static_cast<size_t>((y + dy) * 201 + x + dx)]; };
      CHECK_NEAR(at(1, 0), at(0, 0), 6);
      CHECK_NEAR(at(0, 1), at(0, 0), 6);
    }
  }
}

TEST(covers_everything_when_a_region_is_no_place) {
  const RedactRegion bad[] = {{kNan, 0, 5, 5}, {0, kInf, 5, 5}, {0, 0, -3, 5},         {0, 0, 5, 0},
                              {0, 0, 5, kNan}, {0, 0, kInf, 5}, {1e308, 0, 1.7e308, 4}};
  for (const RedactRegion& region : bad) {
    auto image = make_image(PixelFormat::kRgba, 97, 61, 0, 3);
    const auto before = image.bytes;
    CHECK(redact(image.bytes.data(), image.view, &region, 1, {}, nullptr).ok());
    std::set<int> colours;
    for (size_t i = 0; i < image.bytes.size(); i += 4) {
      colours.insert(image.bytes[i] << 16 | image.bytes[i + 1] << 8 | image.bytes[i + 2]);
      CHECK_EQ(int{image.bytes[i + 3]}, int{before[i + 3]});
    }
    CHECK(colours.size() <= 8 * 6);
  }
}

TEST(leaves_alone_what_lies_beyond_the_picture) {
  auto image = make_image(PixelFormat::kNv12, 40, 30, 0, 3);
  const auto before = image.bytes;
  const RedactRegion regions[] = {{40, 0, 10, 10}, {-20, -20, 20, 20}, {0, 30, 9, 1e9}, {1e300, 1e300, 1e300, 1e300}};
  CHECK(redact(image.bytes.data(), image.view, regions, 4, {}, nullptr).ok());
  CHECK(image.bytes == before);
  CHECK(redact(image.bytes.data(), image.view, nullptr, 0, {}, nullptr).ok());
}

TEST(refuses_what_it_cannot_do) {
  auto image = make_image(PixelFormat::kI420, 40, 30, 0, 3);
  const RedactRegion region{0, 0, 9, 9};
  for (const int blocks : {0, -1, 33})
    CHECK(redact(image.bytes.data(), image.view, &region, 1, {RedactMethod::kBlur, RedactShape::kBox, blocks}, nullptr)
              .code() == Code::kInvalidArgument);
  CHECK(redact(nullptr, image.view, &region, 1, {}, nullptr).code() == Code::kInvalidArgument);
  CHECK(redact(image.bytes.data(), image.view, nullptr, 1, {}, nullptr).code() == Code::kInvalidArgument);
  ImageView shorter = image.view;
  shorter.size -= 1;
  CHECK(redact(image.bytes.data(), shorter, &region, 1, {}, nullptr).code() == Code::kInvalidArgument);
  CancelToken token;
  token.cancel();
  CHECK(redact(image.bytes.data(), image.view, &region, 1, {}, &token).code() == Code::kAborted);
}

TEST_MAIN()
