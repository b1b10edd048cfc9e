// The two files of a shape model: what is written is read again.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
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

// A folder of its own, removed with what is in it.
struct Folder {
  std::filesystem::path path;
  Folder() {
    static int count = 0;
    path = std::filesystem::temp_directory_path() /
           ("lineament-shape-" + std::to_string(reinterpret_cast<uintptr_t>(this)) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path);
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
  size_t files() const { return static_cast<size_t>(std::distance(std::filesystem::directory_iterator(path), {})); }
};

std::vector<uint8_t> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
}

void write(const std::string& path, const std::vector<uint8_t>& bytes) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<long>(bytes.size()));
}

bool same_splits(const std::vector<ShapeSplit>& a, const std::vector<ShapeSplit>& b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](const ShapeSplit& x, const ShapeSplit& y) {
           return x.first == y.first && x.second == y.second && x.threshold == y.threshold;
         });
}

void check_same(const ShapeModel& a, const ShapeModel& b, bool leaves) {
  CHECK_EQ(a.points, b.points);
  CHECK_EQ(a.cascades, b.cascades);
  CHECK_EQ(a.trees, b.trees);
  CHECK_EQ(a.depth, b.depth);
  CHECK_EQ(a.features, b.features);
  CHECK(a.initial == b.initial);
  CHECK(a.anchors == b.anchors);
  CHECK(a.deltas == b.deltas);
  CHECK(same_splits(a.splits, b.splits));
  if (leaves) CHECK(a.leaves == b.leaves);
}

const Counts kShapes[] = {{7, 3, 11, 3, 20}, {1, 1, 1, 1, 1}, {68, 2, 5, 4, 50}, {5, 2, 3, 0, 4}, {194, 1, 2, 6, 300}};

}  // namespace

TEST(dlib_numbers_have_their_known_bytes) {
  // One point at (1, −0.75), one tree with one split and two leaves.
  ShapeModel m;
  m.points = m.cascades = m.trees = m.depth = m.features = 1;
  m.initial = {1.0f, -0.75f};
  m.anchors = {0};
  m.deltas = {0.0f, 300.0f};
  m.splits = {{0, 0, 0.5f}};
  m.leaves = {0.0f, 1.0f, -0.75f, 1e-7f};
  const uint8_t expected[] = {
      1,    1,    0x81, 2, 0x81, 1,                                                   // version 1, −2 × −1
      1,    0x80, 0x81, 7, 0x81, 0xc0, 0x81, 8,                                       // 128 × 2^−7, −192 × 2^−8
      1,    1,    1,    1,                                                            // one cascade, one tree
      1,    1,    1,    0, 1,    0,    1,    0x80, 0x81, 8,                           // one split: 0, 0, 128 × 2^−8
      1,    2,                                                                        // two leaves
      0x81, 2,    0x81, 1, 1,    0,    1,    40,   1,    0x80, 0x81, 7,               // zero is 0 × 2^40
      0x81, 2,    0x81, 1, 0x81, 0xc0, 0x81, 8,    3,    0x95, 0xbf, 0xd6, 0x81, 47,  // 14073749 × 2^−47
      1,    1,    1,    1, 1,    0,                                                   // anchors
      1,    1,    1,    1, 1,    0,    1,    40,   1,    0x96, 1,    1,               // deltas: 0, 300 = 150 × 2^1
  };
  const std::vector<uint8_t> written = dlib_bytes(m);
  CHECK_EQ(written.size(), sizeof(expected));
  for (size_t i = 0; i < std::min(written.size(), sizeof(expected)); ++i) {
    if (written[i] != expected[i])
      CHECK_EQ(std::to_string(i) + ": " + std::to_string(written[i]), std::to_string(expected[i]));
  }
  const auto read = read_dlib_shape(expected, sizeof(expected), nullptr);
  CHECK(read.ok());
  if (read.ok()) check_same(read.value(), m, true);
}

TEST(dlib_files_come_back_as_they_were) {
  for (const Counts& n : kShapes) {
    const ShapeModel m = make_model(n, n.points);
    const std::vector<uint8_t> bytes = dlib_bytes(m);
    CHECK(looks_like_dlib_shape(bytes.data(), bytes.size()));
    CHECK(!looks_like_compact_shape(bytes.data(), bytes.size()));
    const auto read = read_dlib_shape(bytes.data(), bytes.size(), nullptr);
    CHECK_EQ(read.status().message(), std::string());
    if (read.ok()) check_same(read.value(), m, true);
  }
}

TEST(matrices_with_positive_sizes_are_older_dlib_files) {
  const ShapeModel m = make_model({2, 1, 1, 1, 2}, 3);
  std::vector<uint8_t> bytes = dlib_bytes(m);
  CHECK_EQ(int{bytes[2]}, 0x81);
  bytes[2] = bytes[4] = 1;
  const auto read = read_dlib_shape(bytes.data(), bytes.size(), nullptr);
  CHECK(read.ok());
  if (read.ok()) check_same(read.value(), m, true);
}

TEST(compact_files_come_back_within_half_a_step) {
  for (const Counts& n : kShapes) {
    const ShapeModel m = make_model(n, n.points);
    const std::vector<uint8_t> bytes = compact_bytes(m);
    CHECK(looks_like_compact_shape(bytes.data(), bytes.size()));
    CHECK(!looks_like_dlib_shape(bytes.data(), bytes.size()));
    const auto read = read_compact_shape(bytes.data(), bytes.size());
    CHECK_EQ(read.status().message(), std::string());
    if (!read.ok()) continue;
    const CompactShape& compact = read.value();
    check_same(compact.model, m, false);
    CHECK_EQ(compact.leaves_offset % 64, size_t{0});
    CHECK_EQ(bytes.size(), compact.leaves_offset + m.leaves.size() * sizeof(int16_t));
    const size_t values = m.values(), of_cascade = m.trees * m.leaves_per_tree();
    for (size_t i = 0; i < m.leaves.size(); ++i) {
      const size_t row = i / values;
      const double scale = static_cast<double>(compact.scales[row / of_cascade * values + i % values]);
      const double step = std::ldexp(scale, compact.shifts[row / m.leaves_per_tree()]);
      CHECK_NEAR(compact.leaves[i] * step, static_cast<double>(m.leaves[i]), 0.5001 * step);
    }
    CHECK(compact.leaf_error > 0 && compact.leaf_error < 1e-4);
  }
}

TEST(compact_header_is_as_documented) {
  const ShapeModel m = make_model({7, 3, 11, 3, 20}, 1);
  const std::vector<uint8_t> bytes = compact_bytes(m);
  const auto u32 = [&bytes](size_t at) {
    return static_cast<uint32_t>(bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | bytes[at + 3] << 24);
  };
  CHECK(std::memcmp(bytes.data(), "LMSM", 4) == 0);
  const uint32_t words[] = {1, 0x01020304, u32(12), 7, 3, 11, 3, 20, 0};
  for (size_t i = 0; i < std::size(words); ++i) CHECK_EQ(u32(4 + 4 * i), words[i]);
  CHECK_EQ(size_t{u32(48)}, bytes.size());
  // initial 56 B, scales 168 B, shifts 33 B, anchors 120 B, deltas 480 B, splits 33 × 7 × 8 B, each from a multiple of
  // 64 on.
  const size_t scales = 128, shifts = 320, anchors = 384, deltas = 512, splits = 1024, leaves = 2880;
  const auto f32 = [&](size_t at) {
    float v;
    std::memcpy(&v, bytes.data() + at, 4);
    return v;
  };
  CHECK_EQ(f32(64), m.initial[0]);
  CHECK(f32(scales) > 0);
  CHECK_EQ(int{*std::max_element(&bytes[shifts], &bytes[shifts] + 33)}, 8);
  CHECK_EQ(bytes[anchors] | bytes[anchors + 1] << 8, int{m.anchors[0]});
  CHECK_EQ(f32(deltas), m.deltas[0]);
  CHECK_EQ(bytes[splits] | bytes[splits + 1] << 8, int{m.splits[0].first});
  CHECK_EQ(f32(splits + 4), m.splits[0].threshold);
  CHECK_EQ(bytes.size(), leaves + m.leaves.size() * 2);
}

TEST(saving_and_opening_keeps_the_model) {
  const Folder folder;
  const ShapeModel m = make_model({7, 3, 11, 3, 20}, 9);
  const auto made = ShapePredictor::make(m);
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK(made.value()->format() == ShapeFormat::kMemory);
  CHECK_EQ(made.value()->leaf_error(), 0.0);
  const std::string dlib = folder / "model.dat", compact = folder / "model.lmsm", back = folder / "back.dat";
  CHECK(made.value()->save(dlib, ShapeFormat::kDlib, nullptr).ok());
  CHECK(made.value()->save(compact, ShapeFormat::kCompact, nullptr).ok());
  CHECK(bytes_of(dlib) == dlib_bytes(m));
  CHECK(bytes_of(compact) == compact_bytes(m));
  const auto a = ShapePredictor::open(dlib, nullptr), b = ShapePredictor::open(compact, nullptr);
  CHECK(a.ok() && b.ok());
  if (!a.ok() || !b.ok()) return;
  CHECK(a.value()->format() == ShapeFormat::kDlib);
  CHECK(b.value()->format() == ShapeFormat::kCompact);
  CHECK(b.value()->leaf_error() > 0);
  CHECK(b.value()->bytes() < a.value()->bytes());
  check_same(a.value()->model(), m, true);

  // From compact to dlib the leaves are the rounded ones.
  CHECK(b.value()->save(back, ShapeFormat::kDlib, nullptr).ok());
  const auto c = ShapePredictor::open(back, nullptr);
  CHECK(c.ok());
  if (!c.ok()) return;
  check_same(c.value()->model(), m, false);
  for (size_t i = 0; i < m.leaves.size(); ++i) CHECK_NEAR(c.value()->model().leaves[i], m.leaves[i], 1e-6);
  // A compact file may be saved over itself while it is mapped.
  CHECK(b.value()->save(compact, ShapeFormat::kCompact, nullptr).ok());
  CHECK(bytes_of(compact) == compact_bytes(m));
  CHECK_EQ(folder.files(), size_t{3});
}

TEST(a_file_that_cannot_be_written_leaves_nothing_behind) {
  const Folder folder;
  const auto made = ShapePredictor::make(make_model({3, 2, 2, 2, 5}, 6));
  CHECK(made.ok());
  if (!made.ok()) return;
  CHECK(made.value()->save(folder / "no/such/folder.dat", ShapeFormat::kDlib, nullptr).code() ==
        Code::kInvalidArgument);
  std::filesystem::create_directory(folder / "taken");
  CHECK(made.value()->save(folder / "taken", ShapeFormat::kCompact, nullptr).code() == Code::kInvalidArgument);
  CancelToken token;
  token.cancel();
  write(folder / "old.dat", {1, 2, 3});
  for (const ShapeFormat format : {ShapeFormat::kDlib, ShapeFormat::kCompact}) {
    CHECK(made.value()->save(folder / "old.dat", format, &token).code() == Code::kAborted);
  }
  CHECK_EQ(bytes_of(folder / "old.dat").size(), size_t{3});
  CHECK_EQ(folder.files(), size_t{2});
}

TEST(files_that_are_no_models_are_refused) {
  const Folder folder;
  const auto code = [](const std::string& path) { return ShapePredictor::open(path, nullptr).status().code(); };
  CHECK(code(folder / "absent") == Code::kModelCorrupt);
  CHECK(code(folder.path.string()) == Code::kModelCorrupt);
  write(folder / "empty", {});
  CHECK(code(folder / "empty") == Code::kModelCorrupt);
  write(folder / "text", {'h', 'e', 'l', 'l', 'o', ' ', 'y', 'o', 'u', '\n'});
  CHECK(code(folder / "text") == Code::kModelCorrupt);
  write(folder / "bzip2", {'B', 'Z', 'h', '9', '1', 'A', 'Y', '&', 'S', 'Y'});
  CHECK(code(folder / "bzip2") == Code::kModelCorrupt);
  CancelToken token;
  token.cancel();
  write(folder / "good", dlib_bytes(make_model({3, 2, 2, 2, 5}, 6)));
  CHECK(code(folder / "good") == Code::kOk);
  CHECK(ShapePredictor::open(folder / "good", &token).status().code() == Code::kAborted);
}

TEST_MAIN()
