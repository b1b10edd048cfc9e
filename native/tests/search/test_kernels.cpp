// Every kernel at every level of this machine against plain loops.
#include <bit>
#include <limits>

#include "search/kernels.h"
#include "tests/check.h"
#include "tests/search/gallery.h"

using namespace lineament;
using namespace lineament::testing;

namespace {

const size_t kStrides[] = {32, 64, 96, 128, 160, 256, 352, 1024, 2048};

template <typename Body>
void at_every_level(Body body) {
  NamedSearchKernels levels[5];
  const int count = available_search_kernels(levels);
  for (int i = 0; i < count; ++i) body(levels[i].name, *levels[i].kernels);
}

struct Planes {
  std::vector<uint8_t> high, low;
  std::vector<int8_t> queries;
};

// `extreme`: the values with the largest sums.
Planes make_planes(size_t stride, size_t rows, size_t queries, bool extreme) {
  std::mt19937 random(static_cast<uint32_t>(stride + rows));
  Planes out{std::vector<uint8_t>(stride * rows), std::vector<uint8_t>(stride * rows),
             std::vector<int8_t>(2 * stride * queries)};
  for (uint8_t& byte : out.high) byte = static_cast<uint8_t>(extreme ? 255 : random());
  for (uint8_t& byte : out.low) byte = static_cast<uint8_t>(extreme ? 255 : random());
  const int sign = random() % 2 == 0 ? 1 : -1;
  for (int8_t& code : out.queries) code = static_cast<int8_t>(extreme ? sign * 127 : int(random() % 255) - 127);
  return out;
}

int nibble(const std::vector<uint8_t>& plane, size_t stride, size_t row, size_t i) {
  const int byte = plane[row * stride + (i < stride ? i : i - stride)];
  return i < stride ? byte & 15 : byte >> 4;
}

}  // namespace

TEST(plane_sums_are_exact) {
  at_every_level([](const char*, const SearchKernels& kernels) {
    for (const size_t stride : kStrides) {
      for (const bool extreme : {false, true}) {
        const size_t rows = 11;
        const Planes planes = make_planes(stride, rows, 1, extreme);
        std::vector<int32_t> dots(rows);
        kernels.dot_high(planes.high.data(), stride, rows, planes.queries.data(), dots.data());
        for (size_t r = 0; r < rows; ++r) {
          int64_t expected = 0;
          for (size_t i = 0; i < 2 * stride; ++i) expected += nibble(planes.high, stride, r, i) * planes.queries[i];
          CHECK_EQ(static_cast<int64_t>(dots[r]), expected);
          CHECK_EQ(kernels.dot_row(planes.high.data() + r * stride, stride, planes.queries.data()), dots[r]);
        }
      }
    }
  });
}

TEST(tile_sums_are_exact) {
  at_every_level([](const char*, const SearchKernels& kernels) {
    const size_t lanes = static_cast<size_t>(kernels.lanes);
    for (const size_t stride : kStrides) {
      for (const bool extreme : {false, true}) {
        for (const size_t groups : {1, 2, 3}) {
          const size_t rows = groups * lanes - (lanes > 3 ? 3 : 0), queries = 13, pitch = groups * lanes + 5;
          const Planes planes = make_planes(stride, rows, queries, extreme);
          AlignedBuffer<uint8_t> tiles(groups * lanes * 2 * stride);
          for (size_t g = 0; g < groups; ++g) {
            const size_t row = g * lanes;
            kernels.pack_tile(planes.high.data() + row * stride, planes.low.data() + row * stride, stride,
                              std::min(lanes, rows - row), tiles.data() + row * 2 * stride);
          }
          std::vector<int32_t> dots(queries * pitch, 123456789);
          kernels.dot_tile(tiles.data(), groups, stride, planes.queries.data(), queries, dots.data(), pitch);
          for (size_t q = 0; q < queries; ++q) {
            for (size_t r = 0; r < rows; ++r) {
              int64_t expected = 0;
              for (size_t i = 0; i < 2 * stride; ++i) {
                const int code = nibble(planes.high, stride, r, i) * 16 + nibble(planes.low, stride, r, i);
                expected += (code >> (8 - kernels.tile_bits)) * planes.queries[q * 2 * stride + i];
              }
              CHECK_EQ(static_cast<int64_t>(dots[q * pitch + r]), expected);
            }
            for (size_t r = groups * lanes; r < pitch; ++r) CHECK_EQ(dots[q * pitch + r], 123456789);
          }
        }
      }
    }
  });
}

TEST(rows_are_kept_by_the_rule) {
  at_every_level([](const char*, const SearchKernels& kernels) {
    std::mt19937 random(4);
    for (size_t rows = 0; rows < 70; ++rows) {
      std::vector<int32_t> dots(rows);
      std::vector<CodeBound> bounds(rows);
      const KeepRule rule = {0.01f, 1000, 1.0001f, 0.3f};
      std::vector<uint32_t> expected, kept(rows + 1);
      for (size_t r = 0; r < rows; ++r) {
        dots[r] = static_cast<int32_t>(random() % 8000);
        bounds[r] = {0.01f + static_cast<float>(random() % 100) * 1e-4f, static_cast<float>(random() % 100) * 1e-3f};
        const double value = static_cast<double>(bounds[r].scale) * rule.scale * (dots[r] - 1000.0) +
                             static_cast<double>(bounds[r].error) * rule.length;
        if (std::abs(value - rule.needed) < 1e-6) dots[r] = 0;  // too near to call
        if (value >= rule.needed && dots[r] != 0) expected.push_back(static_cast<uint32_t>(r));
      }
      kept.resize(kernels.keep(dots.data(), bounds.data(), rows, rule, kept.data()));
      CHECK(kept == expected);
    }
  });
}

TEST(double_sums_have_the_same_bits_at_every_level) {
  for (const size_t count : {2, 3, 15, 16, 17, 31, 100, 512, 1021, 4096}) {
    const std::vector<float> a = make_vectors(Kind::kRandom, 1, count, 8), b = make_vectors(Kind::kSpiky, 1, count, 9);
    const double scalar = kSearchKernelsScalar.dot_f32(a.data(), b.data(), count);
    CHECK_NEAR(scalar, exact_dot(a.data(), b.data(), count), 1e-15);
    at_every_level([&](const char*, const SearchKernels& kernels) {
      CHECK_EQ(kernels.dot_f32(a.data(), b.data(), count), scalar);
    });
  }
}

TEST(halves_go_there_and_back) {
  at_every_level([](const char*, const SearchKernels& kernels) {
    std::vector<uint16_t> all(65536), back(65536);
    std::vector<float> values(65536);
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
    kernels.from_half(all.data(), all.size(), values.data());
    kernels.to_half(values.data(), values.size(), back.data());
    for (size_t i = 0; i < all.size(); ++i) {
      const bool nan = (i & 0x7c00) == 0x7c00 && (i & 0x3ff) != 0;
      if (nan) {
        CHECK(std::isnan(values[i]) && (back[i] & 0x7c00) == 0x7c00 && (back[i] & 0x3ff) != 0);
      } else {
        CHECK_EQ(back[i], all[i]);
      }
    }
    CHECK_EQ(values[0x3c00], 1.0f);
    CHECK_EQ(values[0x0001], 0x1p-24f);
    CHECK_EQ(values[0x7bff], 65504.0f);
  });
}

TEST(halves_are_rounded_to_the_nearest_even) {
  std::mt19937 random(15);
  std::vector<float> values;
  for (int i = 0; i < 20000; ++i) {
    const uint32_t bits = random();
    const float value = std::bit_cast<float>(bits);
    if (std::isfinite(value)) values.push_back(std::fmod(value, 70000.0f));
    values.push_back(static_cast<float>(random() % 4096) * 0x1p-25f);  // ties among the denormals
    values.push_back(1 + static_cast<float>(random() % 4096) * 0x1p-12f);
  }
  values.insert(values.end(), {65519.996f, 65520.0f, -65520.0f, INFINITY, -0.0f});
  std::vector<uint16_t> scalar(values.size()), halves(values.size());
  kSearchKernelsScalar.to_half(values.data(), values.size(), scalar.data());
  std::vector<float> back(values.size());
  kSearchKernelsScalar.from_half(scalar.data(), scalar.size(), back.data());
  for (size_t i = 0; i < values.size(); ++i) {
    const double magnitude = std::abs(values[i]);
    const double place = magnitude < 0x1p-14 ? 0x1p-24 : std::ldexp(1.0, std::ilogb(magnitude) - 10);
    if (magnitude < 65520) CHECK(std::abs(static_cast<double>(back[i]) - values[i]) <= place / 2);
  }
  CHECK_EQ(scalar[scalar.size() - 5], uint16_t{0x7bff});
  CHECK_EQ(scalar[scalar.size() - 4], uint16_t{0x7c00});
  at_every_level([&](const char*, const SearchKernels& kernels) {
    kernels.to_half(values.data(), values.size(), halves.data());
    CHECK(halves == scalar);
  });
}

TEST_MAIN()
