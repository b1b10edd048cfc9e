// Shape models that are damaged or impossible are refused, in their two files and in memory.
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <limits>
#include <string>

#include "landmarks/shape_check.h"
#include "landmarks/shape_predictor.h"
#include "tests/check.h"
#include "tests/landmarks/synthetic.h"

using namespace lineament;
using synthetic::compact_bytes;
using synthetic::Counts;
using synthetic::dlib_bytes;
using synthetic::make_model;

namespace {

Code dlib_code(const std::vector<uint8_t>& bytes) {
  return read_dlib_shape(bytes.data(), bytes.size(), nullptr).status().code();
}
Code compact_code(const std::vector<uint8_t>& bytes) {
  return read_compact_shape(bytes.data(), bytes.size()).status().code();
}

}  // namespace

TEST(cut_files_are_refused_wherever_they_are_cut) {
  const ShapeModel m = make_model({2, 2, 2, 1, 3}, 5);
  const std::vector<uint8_t> dlib = dlib_bytes(m), compact = compact_bytes(m);
  for (size_t size = 0; size < dlib.size(); ++size) {
    // Exactly so many bytes on the heap that a step too far is seen by a sanitizer.
    const std::vector<uint8_t> cut(dlib.begin(), dlib.begin() + static_cast<long>(size));
    CHECK(dlib_code(cut) == Code::kModelCorrupt);
  }
  for (size_t size = 0; size < compact.size(); ++size) {
    const std::vector<uint8_t> cut(compact.begin(), compact.begin() + static_cast<long>(size));
    const Code code = compact_code(cut);
    CHECK(code == Code::kModelCorrupt || (size == 0 && code == Code::kInvalidArgument));
  }
  for (std::vector<uint8_t> longer : {dlib, compact}) {
    longer.push_back(0);
    CHECK((longer[0] == 'L' ? compact_code(longer) : dlib_code(longer)) == Code::kModelCorrupt);
  }
}

TEST(every_changed_byte_before_the_leaves_of_a_compact_file_is_noticed) {
  const ShapeModel m = make_model({3, 2, 2, 2, 5}, 6);
  std::vector<uint8_t> bytes = compact_bytes(m);
  const auto read = read_compact_shape(bytes.data(), bytes.size());
  CHECK(read.ok());
  if (!read.ok()) return;
  const size_t leaves = read.value().leaves_offset;
  for (size_t i = 0; i < leaves; ++i) {
    for (const uint8_t change : {1, 128, 255}) {
      bytes[i] ^= change;
      CHECK(compact_code(bytes) == Code::kModelCorrupt);
      bytes[i] ^= change;
    }
  }
  bytes[leaves] ^= 255;
  CHECK(compact_code(bytes) == Code::kOk);  // a leaf may be any number
}

TEST(a_compact_file_with_a_right_check_sum_and_wrong_numbers_is_refused) {
  const ShapeModel good = make_model({3, 2, 2, 2, 5}, 6);
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const auto changed = [&good](const std::function<void(ShapeModel&)>& change) {
    ShapeModel m = good;
    change(m);
    return compact_code(compact_bytes(m));  // the writer takes what it is given
  };
  CHECK(changed([](ShapeModel&) {}) == Code::kOk);
  CHECK(changed([](ShapeModel& m) { m.anchors[4] = 3; }) == Code::kModelCorrupt);
  CHECK(changed([](ShapeModel& m) { m.splits[7].first = 5; }) == Code::kModelCorrupt);
  CHECK(changed([](ShapeModel& m) { m.splits[7].second = 65535; }) == Code::kModelCorrupt);
  CHECK(changed([&](ShapeModel& m) { m.splits[2].threshold = nan; }) == Code::kModelCorrupt);
  CHECK(changed([&](ShapeModel& m) { m.initial[1] = nan; }) == Code::kModelCorrupt);
  CHECK(changed([&](ShapeModel& m) { m.deltas[3] = -inf; }) == Code::kModelCorrupt);

  std::vector<uint8_t> bytes = compact_bytes(good);
  const size_t leaves = read_compact_shape(bytes.data(), bytes.size()).value().leaves_offset;
  const auto patched = [&](size_t at, auto value) {
    std::vector<uint8_t> b = bytes;
    std::memcpy(b.data() + at, &value, sizeof(value));
    const uint32_t sum = compact_shape_check_sum(b.data(), leaves);
    std::memcpy(b.data() + 12, &sum, sizeof(sum));
    return compact_code(b);
  };
  CHECK(patched(40, 0.0) == Code::kOk);  // nothing says that rounding had to cost anything
  CHECK(patched(40, 0.5) == Code::kModelCorrupt);
  CHECK(patched(40, std::numeric_limits<double>::quiet_NaN()) == Code::kModelCorrupt);
  CHECK(patched(40, -1e-9) == Code::kModelCorrupt);
  const size_t scales = 128, shifts = 192;
  for (const float bad : {nan, inf, -1.0f, 1e5f}) CHECK(patched(scales, bad) == Code::kModelCorrupt);
  CHECK(patched(shifts, uint8_t{16}) == Code::kModelCorrupt);
  CHECK(patched(shifts, uint16_t{0x0f0f}) == Code::kModelCorrupt);  // two leaves of 2^30 each
  for (const size_t count : {16, 20, 24, 28, 32}) {
    for (const uint32_t value : {0u, 9u, 65536u, 0x7fffffffu, 0xffffffffu}) {
      CHECK(patched(count, value) == Code::kModelCorrupt);
    }
  }
  CHECK(patched(48, uint64_t{1} << 63) == Code::kModelCorrupt);
  CHECK(patched(4, 2u) == Code::kModelCorrupt);           // a version to come
  CHECK(patched(8, 0x04030201u) == Code::kModelCorrupt);  // written on another kind of machine
  CHECK(patched(0, 0x4c4d534du) == Code::kModelCorrupt);  // "MSML"
}

TEST(dlib_files_with_impossible_contents_are_refused) {
  const ShapeModel good = make_model({3, 2, 2, 2, 5}, 6);
  const auto changed = [&good](const std::function<void(ShapeModel&)>& change) {
    ShapeModel m = good;
    change(m);
    return dlib_code(dlib_bytes(m));
  };
  CHECK(changed([](ShapeModel&) {}) == Code::kOk);
  CHECK(changed([](ShapeModel& m) { m.anchors[4] = 3; }) == Code::kModelCorrupt);
  CHECK(changed([](ShapeModel& m) { m.splits[7].second = 5; }) == Code::kModelCorrupt);
  CHECK(changed([](ShapeModel& m) { m.leaves[9] = 1e30f; }) == Code::kModelCorrupt);

  // version | matrix −6 × −1 | …
  const std::vector<uint8_t> bytes = dlib_bytes(good);
  const auto replaced = [&bytes](size_t at, size_t length, std::initializer_list<uint8_t> with) {
    std::vector<uint8_t> b(bytes.begin(), bytes.begin() + static_cast<long>(at));
    b.insert(b.end(), with);
    b.insert(b.end(), bytes.begin() + static_cast<long>(at + length), bytes.end());
    return dlib_code(b);
  };
  CHECK(replaced(0, 2, {1, 2}) == Code::kModelCorrupt);                             // version 2
  CHECK(replaced(2, 2, {0x81, 5}) == Code::kModelCorrupt);                          // half a point
  CHECK(replaced(2, 2, {0x84, 0xff, 0xff, 0xff, 0x7f}) == Code::kModelCorrupt);     // two billion points
  CHECK(replaced(2, 2, {0x88, 0, 0, 0, 0, 0, 0, 0, 0x80}) == Code::kModelCorrupt);  // −2^63
  CHECK(replaced(2, 2, {0x80}) == Code::kModelCorrupt);                             // no bytes
  CHECK(replaced(2, 2, {0x89, 1, 1, 1, 1, 1, 1, 1, 1, 1}) == Code::kModelCorrupt);  // nine bytes
  CHECK(replaced(4, 2, {0x81, 2}) == Code::kModelCorrupt);                          // two columns
  const auto mantissa = [&bytes](size_t at) { return 1 + (bytes[at] & 15u); };      // bytes of a packed integer
  size_t exponent = 6 + mantissa(6);
  CHECK(replaced(exponent, mantissa(exponent), {2, 0x00, 0x7d}) == Code::kModelCorrupt);  // infinity: 32000
  CHECK(replaced(exponent, mantissa(exponent), {2, 0x01, 0x7d}) == Code::kModelCorrupt);  // −infinity
  CHECK(replaced(exponent, mantissa(exponent), {2, 0x02, 0x7d}) == Code::kModelCorrupt);  // not a number
  CHECK(replaced(exponent, mantissa(exponent), {1, 100}) == Code::kModelCorrupt);         // 2^100
  CHECK(replaced(6, mantissa(6), {0x31, 5}) == Code::kModelCorrupt);                      // text of before 2013
  size_t at = 6;  // behind the mean shape: the count of cascades
  for (int i = 0; i < 12; ++i) at += mantissa(at);
  CHECK_EQ(int{bytes[at]}, 1);
  CHECK_EQ(int{bytes[at + 1]}, 2);
  CHECK(replaced(at, 2, {8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}) == Code::kModelCorrupt);
  CHECK(replaced(at, 2, {1, 0}) == Code::kModelCorrupt);
  CHECK(replaced(at + 2, 2, {4, 0xff, 0xff, 0xff, 0x0f}) == Code::kModelCorrupt);  // trees
  CHECK(replaced(at + 2, 2, {0x81, 2}) == Code::kModelCorrupt);
  CHECK(replaced(at + 4, 2, {1, 2}) == Code::kModelCorrupt);  // two splits make no full tree
}

TEST(trees_of_different_depth_and_cascades_of_different_size_are_refused) {
  // Two models of one cascade each, joined as the two cascades of one file.
  const auto joined = [](const Counts& a, const Counts& b) {
    const std::vector<uint8_t> x = dlib_bytes(make_model(a, 1)), y = dlib_bytes(make_model(b, 2));
    const auto skip = [](const std::vector<uint8_t>& v, size_t at, size_t numbers) {
      while (numbers-- > 0) at += 1 + (v[at] & 15u);
      return at;
    };
    const auto forest = [&](const std::vector<uint8_t>& v, const Counts& n) {
      const size_t begin = skip(v, 6, size_t{4} * n.points + 1), splits = (size_t{1} << n.depth) - 1;
      return std::pair(begin,
                       skip(v, begin, 1 + n.trees * (2 + splits * 4 + (splits + 1) * (2 + size_t{4} * n.points))));
    };
    const auto [xb, xe] = forest(x, a);
    const auto [yb, ye] = forest(y, b);
    const size_t xa = skip(x, xe + 2, 1 + a.features), ya = skip(y, ye + 2, 1 + b.features);
    std::vector<uint8_t> out(x.begin(), x.begin() + static_cast<long>(xb) - 1);
    const auto add = [&out](const std::vector<uint8_t>& v, size_t from, size_t to) {
      out.insert(out.end(), v.begin() + static_cast<long>(from), v.begin() + static_cast<long>(to));
    };
    const auto two = [&out] { out.insert(out.end(), {1, 2}); };
    out.push_back(2);
    add(x, xb, xe);
    add(y, yb, ye);
    two();
    add(x, xe + 2, xa);
    add(y, ye + 2, ya);
    two();
    add(x, xa + 2, x.size());
    add(y, ya + 2, y.size());
    return out;
  };
  CHECK(dlib_code(joined({2, 1, 3, 2, 4}, {2, 1, 3, 2, 4})) == Code::kOk);
  CHECK(dlib_code(joined({2, 1, 3, 2, 4}, {2, 1, 3, 3, 4})) == Code::kModelCorrupt);
  CHECK(dlib_code(joined({2, 1, 3, 2, 4}, {2, 1, 4, 2, 4})) == Code::kModelCorrupt);
  CHECK(dlib_code(joined({2, 1, 3, 2, 4}, {2, 1, 3, 2, 5})) == Code::kModelCorrupt);
  CHECK(dlib_code(joined({2, 1, 3, 2, 4}, {3, 1, 3, 2, 4})) == Code::kModelCorrupt);
}

TEST(a_huge_count_takes_no_memory) {
  // 65535 trees of 65536 leaves each are announced in a few bytes.
  const std::vector<uint8_t> bytes = {1, 1, 0x81, 2,  0x81, 1,    1,    1, 1,    0,    1, 1, 1,
                                      0, 2, 0,    16, 2,    0xff, 0xff, 2, 0xff, 0xff, 1, 0};
  CHECK(dlib_code(bytes) == Code::kModelCorrupt);
}

TEST(models_in_memory_are_checked) {
  const auto code = [](const std::function<void(ShapeModel&)>& change) {
    ShapeModel m = make_model({3, 2, 2, 2, 5}, 6);
    change(m);
    return ShapePredictor::make(std::move(m)).status().code();
  };
  CHECK(code([](ShapeModel&) {}) == Code::kOk);
  CHECK(code([](ShapeModel& m) { m.leaves.pop_back(); }) == Code::kModelCorrupt);
  CHECK(code([](ShapeModel& m) { m.leaves[5] = std::numeric_limits<float>::quiet_NaN(); }) == Code::kModelCorrupt);
  CHECK(code([](ShapeModel& m) { m.anchors.clear(); }) == Code::kModelCorrupt);
  CHECK(code([](ShapeModel& m) { m.splits.resize(1); }) == Code::kModelCorrupt);
  CHECK(code([](ShapeModel& m) { m.points = 0; }) == Code::kModelCorrupt);
  CHECK(code([](ShapeModel& m) { m.depth = 40; }) == Code::kModelCorrupt);
  CHECK(code([](ShapeModel& m) { m.splits[0].first = 5; }) == Code::kModelCorrupt);
}

TEST_MAIN()
