// The bounds of coded vectors: never violated, and not much wider than they must be.
#include <limits>

#include "search/codes.h"
#include "tests/check.h"
#include "tests/search/gallery.h"

using namespace lineament;
using namespace lineament::testing;

namespace {

const size_t kDims[] = {2, 3, 5, 31, 64, 100, 128, 193, 512, 1000, 2048};

struct Violations {
  size_t checked = 0;
  size_t found = 0;         // |true − estimate| > bound
  size_t found_shrunk = 0;  // > a fraction of the bound
};

double centred_dot(const Gallery& gallery, size_t row, const float* rotated, size_t dims, int bits) {
  double sum = 0;
  for (size_t i = 0; i < dims; ++i) {
    sum += ((gallery.code(row, i) >> (8 - bits)) - ((1 << bits) - 1) / 2.0) * static_cast<double>(rotated[i]);
  }
  return sum;
}

double centred_dot(const Gallery& gallery, size_t row, const int8_t* code, size_t dims, int bits) {
  double sum = 0;
  for (size_t i = 0; i < dims; ++i) {
    sum += ((gallery.code(row, i) >> (8 - bits)) - ((1 << bits) - 1) / 2.0) * code[i];
  }
  return sum;
}

Violations count_violations(Kind rows, Kind queries, size_t dims, double shrink) {
  Violations out;
  const VectorCoder coder(dims);
  const Gallery gallery(coder, make_vectors(rows, 10, dims, 11), StoredVectors::kFloat32, 4096);
  std::vector<float> vectors = make_vectors(queries, 4, dims, 12);
  // The worst query for a row is along what its codes leave out.
  for (size_t worst = 0; worst < (dims > 600 ? 1 : 3); ++worst) {
    std::vector<float> basis(dims), column(2 * coder.stride()), rest(dims);
    std::vector<float> rotated(2 * coder.stride());
    coder.rotate(gallery.floats.data() + worst * dims, rotated.data());
    for (size_t i = 0; i < dims; ++i) {
      rotated[i] -= gallery.coarse[worst].scale * (static_cast<float>(gallery.code(worst, i) >> 4) - 7.5f);
    }
    for (size_t i = 0; i < dims; ++i) {  // back through the transpose: ⟨R·basis(i), rest⟩
      std::fill(basis.begin(), basis.end(), 0.0f);
      basis[i] = 1;
      coder.rotate(basis.data(), column.data());
      rest[i] = static_cast<float>(exact_dot(column.data(), rotated.data(), dims));
    }
    if (normalise(rest.data(), dims, rest.data())) vectors.insert(vectors.end(), rest.begin(), rest.end());
  }
  for (size_t q = 0; q < vectors.size() / dims; ++q) {
    const float* y = vectors.data() + q * dims;
    CodedQuery query;
    CHECK(coder.prepare(y, &query));
    for (size_t r = 0; r < gallery.rows; ++r) {
      const double truth = exact_dot(gallery.floats.data() + r * dims, y, dims);
      const std::pair<int, CodeBound> all[] = {{4, gallery.coarse[r]}, {5, gallery.middle[r]}, {8, gallery.fine[r]}};
      for (const auto& [bits, bound] : all) {
        const double by_float = bound.scale * centred_dot(gallery, r, query.rotated.data(), dims, bits);
        const double by_code = bound.scale * query.scale * centred_dot(gallery, r, query.code.data(), dims, bits);
        const double row_bound = bound.error * query.length;
        out.checked += 2;
        out.found += std::abs(truth - by_float) > row_bound ? 1 : 0;
        out.found += std::abs(truth - by_code) > row_bound + query.error ? 1 : 0;
        out.found_shrunk += std::abs(truth - by_float) > row_bound * shrink ? 1 : 0;
      }
    }
  }
  return out;
}

}  // namespace

TEST(rotation_keeps_inner_products_and_lengths) {
  for (const size_t dims : kDims) {
    const VectorCoder coder(dims);
    const std::vector<float> vectors = make_vectors(Kind::kRandom, 8, dims, 3);
    std::vector<float> a(2 * coder.stride()), b(2 * coder.stride());
    for (size_t r = 0; r + 1 < 8; ++r) {
      const float* x = vectors.data() + r * dims;
      coder.rotate(x, a.data());
      coder.rotate(x + dims, b.data());
      CHECK_NEAR(exact_dot(a.data(), a.data(), a.size()), 1, 2.1 * VectorCoder::kRotationError);
      CHECK_NEAR(exact_dot(a.data(), b.data(), a.size()), exact_dot(x, x + dims, dims),
                 2.1 * VectorCoder::kRotationError);
      for (size_t i = dims; i < a.size(); ++i) CHECK_EQ(a[i], 0.0f);
    }
  }
}

TEST(rotation_spreads_what_lies_in_few_coordinates) {
  for (const size_t dims : {size_t{512}, size_t{500}, size_t{1000}}) {
    const VectorCoder coder(dims);
    std::vector<float> x(dims), out(2 * coder.stride());
    for (size_t at = 0; at < dims; at += 37) {
      std::fill(x.begin(), x.end(), 0.0f);
      x[at] = 1;
      coder.rotate(x.data(), out.data());
      float largest = 0;
      for (const float value : out) largest = std::max(largest, std::fabs(value));
      CHECK(largest < 0.35f);
    }
  }
}

TEST(bounds_hold_for_every_kind_of_vectors) {
  size_t checked = 0;
  for (const size_t dims : kDims) {
    for (const Kind rows : kKinds) {
      for (const Kind queries : {Kind::kRandom, rows}) {
        const Violations v = count_violations(rows, queries, dims, 1);
        CHECK_EQ(v.found, size_t{0});
        checked += v.checked;
      }
    }
  }
  CHECK(checked > 20000);
}

TEST(a_bound_one_percent_tighter_would_be_violated) {
  for (const size_t dims : {size_t{64}, size_t{128}, size_t{512}}) {
    CHECK(count_violations(Kind::kRandom, Kind::kRandom, dims, 0.99).found_shrunk >= 3);
  }
}

TEST(bounds_are_as_tight_as_the_bits_allow) {
  const VectorCoder coder(512);
  const Gallery gallery(coder, make_vectors(Kind::kRandom, 200, 512, 5), StoredVectors::kFloat32, 4096);
  double coarse = 0, middle = 0, fine = 0;
  for (size_t r = 0; r < gallery.rows; ++r) {
    CHECK(gallery.coarse[r].error < 0.15f);
    CHECK(gallery.middle[r].error < 0.09f);
    CHECK(gallery.fine[r].error < 0.07f);  // a coordinate far out is cut off
    coarse += gallery.coarse[r].error / 200;
    middle += gallery.middle[r].error / 200;
    fine += gallery.fine[r].error / 200;
  }
  CHECK(coarse < 0.12);
  CHECK(middle < 0.065);
  CHECK(fine < 0.02);
}

TEST(codes_alone_are_bounded_against_what_they_stand_for) {
  for (const size_t dims : {size_t{5}, size_t{128}, size_t{512}}) {
    const VectorCoder coder(dims);
    const Gallery gallery(coder, make_vectors(Kind::kRandom, 60, dims, 21), StoredVectors::kNone, 4096);
    const std::vector<float> vectors = make_vectors(Kind::kRandom, 12, dims, 22);
    for (size_t q = 0; q < 12; ++q) {
      CodedQuery query;
      CHECK(coder.prepare(vectors.data() + q * dims, &query));
      for (size_t r = 0; r < gallery.rows; ++r) {
        const double truth = gallery.fine[r].scale * centred_dot(gallery, r, query.rotated.data(), dims, 8);
        const std::pair<int, CodeBound> all[] = {{4, gallery.coarse[r]}, {5, gallery.middle[r]}, {8, gallery.fine[r]}};
        for (const auto& [bits, bound] : all) {
          const double estimate = bound.scale * query.scale * centred_dot(gallery, r, query.code.data(), dims, bits);
          CHECK(std::abs(truth - estimate) <= bound.error * query.length + query.error);
        }
      }
    }
  }
}

TEST(normalise_refuses_what_has_no_direction) {
  float out[3];
  const float zero[] = {0, -0.0f, 0}, with_nan[] = {1, NAN, 0}, with_infinity[] = {1, INFINITY, 0};
  CHECK(!normalise(zero, 3, out));
  CHECK(!normalise(with_nan, 3, out));
  CHECK(!normalise(with_infinity, 3, out));
  const float smallest = std::numeric_limits<float>::denorm_min(), largest = std::numeric_limits<float>::max();
  const float tiny[] = {smallest, 0, smallest}, huge[] = {largest, largest, -largest};
  CHECK(normalise(tiny, 3, out));
  CHECK_NEAR(exact_dot(out, out, 3), 1, 1e-6);
  CHECK(normalise(huge, 3, out));
  CHECK_NEAR(exact_dot(out, out, 3), 1, 1e-6);
  CHECK_NEAR(out[2], -std::sqrt(1 / 3.0), 1e-6);
}

TEST_MAIN()
