// sample_to_tensor() against the plain double-precision reference, at every SIMD level.
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "image/sample.h"
#include "tests/check.h"
#include "tests/image/reference.h"
#include "tests/image/sampling.h"

using namespace lineament;
using reference::make_image;
using sampling::at_every_level;
using sampling::kSamplings;
using sampling::spec_of;

namespace {

// The largest error seen, in pixel units, over all tests.
double g_worst_float = 0, g_worst_byte = 0;

// Runs ours with guard bytes around the output; returns the elements as doubles in pixel units. Empty when it failed.
std::vector<double> ours(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling,
                         bool mirror) {
  const size_t n = item_elements(spec), bytes = n * (spec.type == TensorType::kFloat32 ? 4 : 1);
  // Odd address for bytes, 4-aligned for floats: no more is promised.
  std::vector<uint8_t> memory(bytes + 72, 0xa5);
  uint8_t* out = memory.data() + (spec.type == TensorType::kFloat32 ? 36 : 35);
  const Status status = sample_to_tensor(image, region, spec, sampling, mirror, out, nullptr);
  if (!status.ok()) {
    check::fail(__FILE__, __LINE__, status.message());
    return {};
  }
  for (uint8_t* p = memory.data(); p < out; ++p) CHECK(*p == 0xa5);
  for (uint8_t* p = out + bytes; p < memory.data() + memory.size(); ++p) CHECK(*p == 0xa5);
  std::vector<double> values(n);
  for (size_t i = 0; i < n; ++i) {
    const size_t c = reference::channel_of(spec, i);
    float v = 0;
    if (spec.type == TensorType::kFloat32) {
      std::memcpy(&v, out + 4 * i, 4);
    } else {
      v = out[i];
    }
    values[i] = (static_cast<double>(v) - spec.offset[c]) / spec.scale[c];
  }
  return values;
}

void compare(const ImageView& image, const Region& region, const TensorSpec& spec, const Sampling& sampling,
             bool mirror, const std::vector<double>& expected, const std::string& what) {
  const std::vector<double> got = ours(image, region, spec, sampling, mirror);
  if (got.size() != expected.size()) return;
  double worst = 0;
  size_t where = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double e = std::fabs(got[i] - expected[i]);
    if (!(e <= worst)) worst = e, where = i;
  }
  double& record = spec.type == TensorType::kFloat32 ? g_worst_float : g_worst_byte;
  record = std::max(record, worst);
  if (!(worst <= 1)) {
    check::fail(__FILE__, __LINE__,
                what + ": element " + std::to_string(where) + " is " + std::to_string(got[where]) + ", expected " +
                    std::to_string(expected[where]));
  }
}

std::string describe(const ImageView& im, const Region& r, const TensorSpec& spec, const Sampling& s, Simd level) {
  char text[300];
  std::snprintf(text, sizeof(text),
                "%s %s %dx%d -> %dx%d colour %d layout %d type %d filter %d border %d [%g %g %g %g %g %g]",
                simd_name(level), reference::format_name(im.format), im.width, im.height, spec.width, spec.height,
                static_cast<int>(spec.colour), static_cast<int>(spec.layout), static_cast<int>(spec.type),
                static_cast<int>(s.filter), static_cast<int>(s.border), r.a, r.b, r.c, r.d, r.e, r.f);
  return text;
}

// All colours, layouts and types for one geometry.
void sweep_specs(const ImageView& image, const Region& region, int width, int height, const Sampling& sampling,
                 bool mirror) {
  for (const Colour colour : {Colour::kRgb, Colour::kBgr, Colour::kGray}) {
    for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
      const TensorSpec floats = spec_of(width, height, colour, layout, TensorType::kFloat32);
      const TensorSpec bytes = spec_of(width, height, colour, layout, TensorType::kUint8);
      const auto expected = reference::tensor(image, region, floats, sampling, mirror);
      at_every_level([&](Simd level) {
        compare(image, region, floats, sampling, mirror, expected, describe(image, region, floats, sampling, level));
        compare(image, region, bytes, sampling, mirror, expected, describe(image, region, bytes, sampling, level));
      });
    }
  }
}

}  // namespace

TEST(aligned_matches_the_reference_for_every_format_and_layout) {
  struct Case {
    int w, h, ow, oh;
    Region r;
  };
  const Case cases[] = {
      {37, 23, 19, 11, {37.0 / 19, 0, 0, 0, 23.0 / 11, 0}},  // shrink
      {64, 48, 32, 24, {2, 0, 0, 0, 2, 0}},                  // shrink by exactly 2
      {41, 29, 33, 40, {41.0 / 33, 0, 0, 0, 29.0 / 40, 0}},  // shrink one way, enlarge the other
      {17, 13, 45, 38, {17.0 / 45, 0, 0, 0, 13.0 / 38, 0}},  // enlarge
      {50, 31, 40, 40, {1.25, 0, 0, 0, 1.25, -9.5}},         // letterbox
      {50, 31, 21, 17, {-2.3, 0, 49.5, 0, 1.7, 3.25}},       // mirrored crop that leaves the image
      {33, 33, 24, 24, {0.7, 0, -4.3, 0, 0.61, 20.2}},       // enlarging crop over two edges
  };
  uint32_t seed = 1;
  for (const Case& c : cases) {
    for (const PixelFormat format : reference::kFormats) {
      for (const Sampling& s : kSamplings) {
        const auto image = make_image(format, c.w, c.h, static_cast<int>(seed % 3) * 5, seed);
        sweep_specs(image.view, c.r, c.ow, c.oh, s, (++seed & 1) != 0);
      }
    }
  }
}

TEST(affine_matches_the_reference_for_every_format_and_layout) {
  struct Case {
    int w, h, ow, oh;
    double scale, angle, cx, cy;
  };
  const Case cases[] = {
      {61, 47, 28, 26, 1.1, 0.3, 30, 24},    // inside
      {61, 47, 33, 25, 0.45, -0.7, 31, 22},  // enlarging
      {61, 47, 21, 23, 2.4, 0.2, 28, 20},    // shrinking, over the edges
      {30, 20, 27, 27, 1.9, 2.6, 3, 18},     // mostly outside
      {40, 40, 16, 16, 1.0, 1.5707963267948966, 20, 20},
  };
  uint32_t seed = 500;
  for (const Case& c : cases) {
    const double ca = c.scale * std::cos(c.angle), sa = c.scale * std::sin(c.angle);
    const Region r{ca, -sa, c.cx - (ca * c.ow - sa * c.oh) / 2, sa, ca, c.cy - (sa * c.ow + ca * c.oh) / 2};
    for (const PixelFormat format : reference::kFormats) {
      for (const Sampling& s : kSamplings) {
        const auto image = make_image(format, c.w, c.h, static_cast<int>(seed % 3) * 5, seed);
        sweep_specs(image.view, r, c.ow, c.oh, s, (++seed & 1) != 0);
      }
    }
  }
}

TEST(random_geometry_matches_the_reference) {
  std::mt19937 random(7);
  const auto uniform = [&](double lo, double hi) {
    return lo + (hi - lo) * (static_cast<double>(random()) / 4294967296.0);
  };
  for (int i = 0; i < 400; ++i) {
    const int w = 1 + static_cast<int>(random() % 40), h = 1 + static_cast<int>(random() % 40);
    const int ow = 1 + static_cast<int>(random() % 36), oh = 1 + static_cast<int>(random() % 36);
    const PixelFormat format = reference::kFormats[random() % 8];
    const auto image = make_image(format, w, h, static_cast<int>(random() % 7), random());
    Region r{uniform(-4, 4), uniform(-3, 3), uniform(-w, 2 * w), uniform(-3, 3), uniform(-4, 4), uniform(-h, 2 * h)};
    if (i % 2 == 0) r.b = r.d = 0;
    if (i % 5 == 0) r.a = uniform(-0.9, 0.9), r.e = uniform(-0.9, 0.9);
    const TensorSpec spec = spec_of(ow, oh, static_cast<Colour>(random() % 3), static_cast<Layout>(random() % 2),
                                    static_cast<TensorType>(random() % 2));
    const Sampling s = kSamplings[random() % 4];
    const bool mirror = random() % 2 != 0;
    const auto expected = reference::tensor(image.view, r, spec, s, mirror);
    at_every_level([&](Simd level) {
      compare(image.view, r, spec, s, mirror, expected, describe(image.view, r, spec, s, level));
    });
  }
}

TEST(wide_and_tall_rows_and_extreme_scales) {
  for (const PixelFormat format : {PixelFormat::kRgb, PixelFormat::kNv12, PixelFormat::kGray}) {
    const auto wide = make_image(format, 20000, 3, 0, 11);
    const auto tall = make_image(format, 3, 20000, 1, 12);
    for (const Sampling& s : kSamplings) {
      for (const int out : {1, 7, 640}) {
        const TensorSpec spec = spec_of(out, 2, Colour::kRgb, Layout::kNchw, TensorType::kFloat32);
        const Region r{20000.0 / out, 0, 0, 0, 1.5, 0};
        const auto expected = reference::tensor(wide.view, r, spec, s, false);
        const TensorSpec upright = spec_of(2, out, Colour::kBgr, Layout::kNhwc, TensorType::kUint8);
        const Region down{1.5, 0, 0, 0, 20000.0 / out, 0};
        const auto expected_down = reference::tensor(tall.view, down, upright, s, true);
        at_every_level([&](Simd level) {
          compare(wide.view, r, spec, s, false, expected, describe(wide.view, r, spec, s, level));
          compare(tall.view, down, upright, s, true, expected_down, describe(tall.view, down, upright, s, level));
        });
      }
      // Far outside, and one output pixel that covers everything.
      for (const Region& r :
           {Region{1, 0, 1e7, 0, 1, -1e7}, Region{1e7, 0, -5e6, 0, 1e7, -5e6}, Region{0, 0, 5, 0, 0, 1}}) {
        const TensorSpec spec = spec_of(5, 4, Colour::kRgb, Layout::kNhwc, TensorType::kFloat32);
        const auto expected = reference::tensor(wide.view, r, spec, s, false);
        at_every_level([&](Simd level) {
          compare(wide.view, r, spec, s, false, expected, describe(wide.view, r, spec, s, level));
        });
      }
    }
  }
}

TEST(one_pixel_images) {
  for (const PixelFormat format : reference::kFormats) {
    const auto image = make_image(format, 1, 1, 0, 77);
    for (const Sampling& s : kSamplings) {
      sweep_specs(image.view, {1, 0, 0, 0, 1, 0}, 1, 1, s, false);
      sweep_specs(image.view, {1.0 / 9, 0, 0, 0, 1.0 / 5, 0}, 9, 5, s, true);
      sweep_specs(image.view, {0.3, 0.1, -0.5, -0.1, 0.3, -0.2}, 6, 7, s, false);
    }
  }
}

TEST(errors_stay_within_one_level) {
  std::printf("largest error against the reference: %.4f (float32), %.4f (uint8)\n", g_worst_float, g_worst_byte);
  CHECK(g_worst_float <= 1 && g_worst_byte <= 1);
}

TEST_MAIN()
