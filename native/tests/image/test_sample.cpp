// sample_to_tensor() against the plain double-precision reference, at every SIMD level, and its properties.
#include <cstring>
#include <limits>
#include <memory>
#include <string>

#include "core/dispatch.h"
#include "image/kernels_select.h"
#include "image/sample.h"
#include "image/warp.h"
#include "tests/check.h"
#include "tests/image/reference.h"

using namespace lineament;
using reference::make_image;

namespace {

// The largest error seen, in pixel units, over all tests.
double g_worst_float = 0, g_worst_byte = 0;

template <typename F>
void at_every_level(F body) {
  Simd levels[2];
  const int n = available_simd(levels);
  for (int i = 0; i < n; ++i) {
    CHECK(force_image_simd(levels[i]));
    body(levels[i]);
  }
  force_image_simd(active_simd());
}

TensorSpec spec_of(int width, int height, Colour colour, Layout layout, TensorType type) {
  TensorSpec spec;
  spec.width = width;
  spec.height = height;
  spec.colour = colour;
  spec.layout = layout;
  spec.type = type;
  if (type == TensorType::kFloat32) {
    const float scale[3] = {1 / 58.395f, -1 / 57.12f, 1 / 57.375f}, offset[3] = {-2.1179f, 2.0357f, -1.8044f};
    std::memcpy(spec.scale, scale, sizeof(scale));
    std::memcpy(spec.offset, offset, sizeof(offset));
  }
  return spec;
}

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

constexpr Sampling kSamplings[] = {{Filter::kArea, Border::kZero},
                                   {Filter::kArea, Border::kReplicate},
                                   {Filter::kBilinear, Border::kZero},
                                   {Filter::kBilinear, Border::kReplicate}};

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

TEST(identity_is_an_exact_copy) {
  const auto image = make_image(PixelFormat::kBgr, 53, 31, 4, 5);
  for (const Sampling& s : kSamplings) {
    at_every_level([&](Simd) {
      const TensorSpec bytes = spec_of(53, 31, Colour::kBgr, Layout::kNhwc, TensorType::kUint8);
      std::vector<uint8_t> out(item_elements(bytes));
      CHECK(sample_to_tensor(image.view, {}, bytes, s, false, out.data(), nullptr).ok());
      for (int y = 0; y < 31; ++y) {
        CHECK(std::memcmp(&out[static_cast<size_t>(y) * 159],
                          image.view.data + static_cast<size_t>(y) * image.view.stride, 159) == 0);
      }
      TensorSpec floats = bytes;
      floats.type = TensorType::kFloat32;
      std::vector<float> values(out.size());
      CHECK(sample_to_tensor(image.view, {}, floats, s, false, values.data(), nullptr).ok());
      for (size_t i = 0; i < out.size(); ++i) CHECK(values[i] == static_cast<float>(out[i]));
    });
  }
}

TEST(a_constant_image_stays_constant) {
  for (const int value : {0, 1, 127, 255}) {
    const auto image = make_image(PixelFormat::kRgb, 45, 37, 0, 1, value);
    for (const Region& r : {Region{1.37, 0, 0.2, 0, 2.9, 0.1}, Region{0.31, 0, 3, 0, 0.4, 2},
                            Region{0.9, 0.5, -9, -0.5, 0.9, 3}, Region{2.9, 1.5, -9, -1.5, 2.9, 3}}) {
      at_every_level([&](Simd) {
        const TensorSpec spec = spec_of(31, 12, Colour::kRgb, Layout::kNhwc, TensorType::kUint8);
        std::vector<uint8_t> out(item_elements(spec));
        for (const Filter f : {Filter::kArea, Filter::kBilinear}) {
          CHECK(sample_to_tensor(image.view, r, spec, {f, Border::kReplicate}, false, out.data(), nullptr).ok());
          for (const uint8_t v : out) CHECK_EQ(static_cast<int>(v), value);
        }
      });
    }
  }
}

TEST(bytes_are_scaled_rounded_and_saturated) {
  const auto image = make_image(PixelFormat::kRgb, 40, 10, 0, 8);
  for (const Layout layout : {Layout::kNchw, Layout::kNhwc}) {
    for (const Colour colour : {Colour::kRgb, Colour::kBgr, Colour::kGray}) {
      for (const Region& r : {Region{}, Region{0.9, 0.1, 0, -0.1, 0.9, 2}}) {
        TensorSpec spec = spec_of(37, 9, colour, layout, TensorType::kUint8);
        const float scale[3] = {2.5f, -1.25f, 1e12f}, offset[3] = {-100, 200, -1e14f};
        std::memcpy(spec.scale, scale, sizeof(scale));
        std::memcpy(spec.offset, offset, sizeof(offset));
        const auto pixels = reference::tensor(image.view, r, spec, {Filter::kBilinear, Border::kReplicate}, false);
        at_every_level([&](Simd) {
          std::vector<uint8_t> out(item_elements(spec));
          CHECK(
              sample_to_tensor(image.view, r, spec, {Filter::kBilinear, Border::kReplicate}, false, out.data(), nullptr)
                  .ok());
          for (size_t i = 0; i < out.size(); ++i) {
            const size_t c = reference::channel_of(spec, i);
            const double k = spec.scale[c], o = spec.offset[c];
            const double low = std::clamp(std::min((pixels[i] - 0.1) * k, (pixels[i] + 0.1) * k) + o, 0.0, 255.0);
            const double high = std::clamp(std::max((pixels[i] - 0.1) * k, (pixels[i] + 0.1) * k) + o, 0.0, 255.0);
            CHECK(out[i] >= low - 0.5 && out[i] <= high + 0.5);
          }
        });
      }
    }
  }
}

TEST(mirroring_twice_changes_nothing) {
  const auto image = make_image(PixelFormat::kRgba, 45, 37, 0, 9);
  for (const Region& r : {Region{1.37, 0, 0.2, 0, 2.9, 0.1}, Region{0.9, 0.5, -9, -0.5, 0.9, 3}}) {
    at_every_level([&](Simd) {
      const TensorSpec spec = spec_of(29, 12, Colour::kRgb, Layout::kNchw, TensorType::kFloat32);
      std::vector<float> plain(item_elements(spec)), mirrored(plain.size());
      CHECK(sample_to_tensor(image.view, r, spec, {}, false, plain.data(), nullptr).ok());
      CHECK(sample_to_tensor(image.view, r, spec, {}, true, mirrored.data(), nullptr).ok());
      for (size_t row = 0; row < 36; ++row) {
        // Not bit by bit: the last pixels of a row take the plain kernel, whose multiply and add round twice.
        for (size_t x = 0; x < 29; ++x) CHECK_NEAR(plain[row * 29 + x], mirrored[row * 29 + 28 - x], 1e-5);
      }
    });
  }
}

TEST(letterbox_padding_is_exactly_the_offset) {
  const auto image = make_image(PixelFormat::kRgb, 128, 72, 0, 3);
  at_every_level([&](Simd) {
    const TensorSpec spec = spec_of(64, 64, Colour::kRgb, Layout::kNchw, TensorType::kFloat32);
    std::vector<float> out(item_elements(spec), -99.0f);
    CHECK(sample_to_tensor(image.view, {2, 0, 0, 0, 2, -28}, spec, {Filter::kArea, Border::kZero}, false, out.data(),
                           nullptr)
              .ok());
    for (size_t c = 0; c < 3; ++c) {
      for (size_t y = 0; y < 64; ++y) {
        if (y >= 14 && y < 50) continue;
        for (size_t x = 0; x < 64; ++x) CHECK(out[(c * 64 + y) * 64 + x] == spec.offset[c]);
      }
    }
  });
}

TEST(an_output_pixel_inside_the_image_is_never_darkened_by_the_border) {
  const auto image = make_image(PixelFormat::kGray, 10, 10, 0, 3, 200);
  const TensorSpec spec = spec_of(40, 40, Colour::kGray, Layout::kNchw, TensorType::kUint8);
  std::vector<uint8_t> out(1600);
  CHECK(sample_to_tensor(image.view, {0.25, 0, 0, 0, 0.25, 0}, spec, {Filter::kArea, Border::kZero}, false, out.data(),
                         nullptr)
            .ok());
  for (const uint8_t v : out) CHECK_EQ(static_cast<int>(v), 200);
  // Half of each outermost output pixel lies outside.
  const TensorSpec wide = spec_of(41, 1, Colour::kGray, Layout::kNchw, TensorType::kUint8);
  CHECK(sample_to_tensor(image.view, {0.25, 0, -0.125, 0, 0.25, 5}, wide, {Filter::kArea, Border::kZero}, false,
                         out.data(), nullptr)
            .ok());
  CHECK_EQ(static_cast<int>(out[0]), 100);
  CHECK_EQ(static_cast<int>(out[1]), 200);
  CHECK_EQ(static_cast<int>(out[40]), 100);
}

TEST(warp_cuts_out_chips_one_after_another) {
  const auto image = make_image(PixelFormat::kRgb, 64, 64, 0, 21);
  const Region regions[2] = {{1, 0, 8, 0, 1, 4}, {0.8, 0.3, 10, -0.3, 0.8, 20}};
  std::vector<uint8_t> chips(2 * 16 * 12 * 3), one(16 * 12 * 3);
  CHECK(warp(image.view, regions, 2, 16, 12, Colour::kBgr, {}, chips.data(), nullptr).ok());
  CHECK(warp(image.view, regions + 1, 1, 16, 12, Colour::kBgr, {}, one.data(), nullptr).ok());
  CHECK(std::memcmp(chips.data() + one.size(), one.data(), one.size()) == 0);
  for (int c = 0; c < 3; ++c)
    CHECK_EQ(static_cast<int>(chips[static_cast<size_t>(c)]),
             static_cast<int>(image.bytes[(4 * 64 + 8) * 3 + 2 - static_cast<size_t>(c)]));
}

TEST(bad_input_is_refused) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const auto image = make_image(PixelFormat::kRgb, 8, 8, 0, 1);
  const TensorSpec spec = spec_of(4, 4, Colour::kRgb, Layout::kNchw, TensorType::kFloat32);
  float out[48];
  const auto code = [&](const ImageView& im, const Region& r, const TensorSpec& t, void* o) {
    return sample_to_tensor(im, r, t, {}, false, o, nullptr).code();
  };
  CHECK(code(image.view, {}, spec, out) == Code::kOk);
  for (const double bad : {nan, inf, -inf, 1e300, 1e9}) {
    for (int i = 0; i < 6; ++i) {
      Region r;
      double* fields[6] = {&r.a, &r.b, &r.c, &r.d, &r.e, &r.f};
      *fields[i] = bad;
      CHECK(code(image.view, r, spec, out) == Code::kInvalidArgument);
    }
  }
  for (const PixelFormat format : reference::kFormats) {
    for (const auto& [w, h] : {std::pair{8, 8}, std::pair{7, 5}, std::pair{1, 1}}) {
      auto exact = make_image(format, w, h, 2, 1);
      CHECK(validate(exact.view).ok());
      --exact.view.size;
      CHECK(validate(exact.view).code() == Code::kInvalidArgument);
    }
    auto narrow = make_image(format, 8, 8, 0, 1);
    --narrow.view.stride;
    CHECK(validate(narrow.view).code() == Code::kInvalidArgument);
  }
  ImageView broken = image.view;
  broken.data = nullptr;
  CHECK(validate(broken).code() == Code::kInvalidArgument);
  broken = image.view;
  broken.width = 0;
  CHECK(validate(broken).code() == Code::kInvalidArgument);
  broken = image.view;
  broken.height = -1;
  CHECK(validate(broken).code() == Code::kInvalidArgument);
  broken = image.view;
  broken.stride = std::numeric_limits<size_t>::max() / 2;
  CHECK(validate(broken).code() == Code::kInvalidArgument);
  TensorSpec empty = spec;
  empty.width = 0;
  CHECK(code(image.view, {}, empty, out) == Code::kInvalidArgument);
  TensorSpec wild = spec;
  wild.scale[1] = std::numeric_limits<float>::quiet_NaN();
  CHECK(code(image.view, {}, wild, out) == Code::kInvalidArgument);
  CHECK(code(image.view, {}, spec, nullptr) == Code::kInvalidArgument);
}

TEST(a_cancelled_token_stops_the_work) {
  const auto image = make_image(PixelFormat::kRgb, 64, 64, 0, 1);
  const TensorSpec spec = spec_of(32, 32, Colour::kRgb, Layout::kNchw, TensorType::kFloat32);
  std::vector<float> out(item_elements(spec));
  CancelToken token;
  CHECK(sample_to_tensor(image.view, {2, 0, 0, 0, 2, 0}, spec, {}, false, out.data(), &token).ok());
  token.cancel();
  CHECK(sample_to_tensor(image.view, {2, 0, 0, 0, 2, 0}, spec, {}, false, out.data(), &token).code() == Code::kAborted);
  CHECK(sample_to_tensor(image.view, {2, 1, 0, -1, 2, 0}, spec, {}, false, out.data(), &token).code() ==
        Code::kAborted);
}

TEST(errors_stay_within_one_level) {
  std::printf("largest error against the reference: %.4f (float32), %.4f (uint8)\n", g_worst_float, g_worst_byte);
  CHECK(g_worst_float <= 1 && g_worst_byte <= 1);
}

TEST_MAIN()
