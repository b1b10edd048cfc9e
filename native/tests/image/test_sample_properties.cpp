// Properties of sample_to_tensor() that need no reference, at every SIMD level; what it refuses.
#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "image/sample.h"
#include "image/warp.h"
#include "tests/check.h"
#include "tests/image/reference.h"
#include "tests/image/sampling.h"

using namespace lineament;
using reference::make_image;
using sampling::at_every_level;
using sampling::kSamplings;
using sampling::spec_of;

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

TEST_MAIN()
