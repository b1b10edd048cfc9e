#include "landmarks/dlib_shape.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "landmarks/shape_check.h"

namespace lineament {
namespace {

// The fewest bytes that each may take.
constexpr size_t kLeastInteger = 2;
constexpr size_t kLeastFloat = 2 * kLeastInteger;
constexpr size_t kLeastSplit = 2 * kLeastInteger + kLeastFloat;

// Reads on after a failure give zeros; the first failure is kept.
class Reader {
 public:
  Reader(const uint8_t* bytes, size_t size) : begin_(bytes), at_(bytes), end_(bytes + size) {}

  size_t left() const { return static_cast<size_t>(end_ - at_); }
  bool ok() const { return why_ == nullptr; }
  void fail(const char* why) {
    if (why_ == nullptr) {
      why_ = why;
      where_ = static_cast<size_t>(at_ - begin_);
    }
    at_ = end_;
  }
  Status status() const {
    if (ok()) return Status();
    return Status(Code::kModelCorrupt,
                  std::string("Not a dlib shape predictor: ") + why_ + " at byte " + std::to_string(where_));
  }

  int64_t integer() {
    uint64_t magnitude = 0;
    bool negative = false;
    if (!packed(&magnitude, &negative)) return 0;
    if (magnitude > uint64_t{INT64_MAX}) return fail("an integer that is too large"), 0;
    return negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
  }

  // A count of things that take at least `least` bytes each.
  size_t count(size_t least) {
    const int64_t value = integer();
    if (!ok()) return 0;
    if (value < 0 || static_cast<uint64_t>(value) > left() / least) return fail("a count larger than the file"), 0;
    return static_cast<size_t>(value);
  }

  // A number below `limit`.
  uint16_t index(uint64_t limit, const char* why) {
    const int64_t value = integer();
    if (value < 0 || static_cast<uint64_t>(value) >= limit) return fail(why), uint16_t{0};
    return static_cast<uint16_t>(value);
  }

  float number() {
    uint64_t mantissa = 0, exponent = 0;
    bool negative = false, down = false;
    if (!packed(&mantissa, &negative) || !packed(&exponent, &down)) return 0;
    // Far more than a float or a double needs, and far below the codes for infinities and NaN.
    if (exponent > 1000 || mantissa >= uint64_t{1} << 53) return fail("a number that is not finite"), 0.0f;
    const uint64_t bits =
        static_cast<uint64_t>(down ? 1023 - static_cast<int>(exponent) : 1023 + static_cast<int>(exponent));
    const double value = static_cast<double>(static_cast<int64_t>(mantissa)) * std::bit_cast<double>(bits << 52);
    if (!(value <= static_cast<double>(kMostShapeValue))) return fail("a number out of all proportion"), 0.0f;
    return static_cast<float>(negative ? -value : value);
  }

  // What dlib's matrix of `rows` × 1 numbers holds. Older versions of dlib wrote positive sizes.
  void matrix_size(size_t rows) {
    const int64_t nr = integer(), nc = integer();
    if (ok() && ((nr != static_cast<int64_t>(rows) && nr != -static_cast<int64_t>(rows)) || (nc != 1 && nc != -1))) {
      fail("a shape of another length");
    }
  }

 private:
  bool packed(uint64_t* magnitude, bool* negative) {
    constexpr size_t kMost = 9;
    if (left() >= kMost) {
      const uint8_t control = at_[0];
      const uint32_t bytes = control & 15u;
      if ((control & 0x70u) != 0 || bytes - 1 > 7) return fail("a damaged number"), false;
      uint64_t value = 0;
      if constexpr (std::endian::native == std::endian::little) {
        std::memcpy(&value, at_ + 1, sizeof(value));
        value &= ~uint64_t{0} >> (64 - 8 * bytes);
      } else {
        for (uint32_t i = bytes; i-- > 0;) value = value << 8 | at_[1 + i];
      }
      *magnitude = value;
      *negative = control >= 0x80u;
      at_ += 1 + bytes;
      return true;
    }
    if (at_ == end_) return fail("the end of the file"), false;
    const uint8_t control = at_[0];
    const uint32_t bytes = control & 15u;
    if ((control & 0x70u) != 0 || bytes < 1 || bytes > 8) return fail("a damaged number"), false;
    if (left() < 1 + bytes) return fail("the end of the file"), false;
    uint64_t value = 0;
    for (uint32_t i = bytes; i-- > 0;) value = value << 8 | at_[1 + i];
    *magnitude = value;
    *negative = control >= 0x80u;
    at_ += 1 + bytes;
    return true;
  }

  const uint8_t* begin_;
  const uint8_t* at_;
  const uint8_t* end_;
  const char* why_ = nullptr;
  size_t where_ = 0;
};

void read_tree(Reader& in, ShapeModel* model, bool first) {
  const size_t splits = in.count(kLeastSplit);
  if (first) {
    uint32_t depth = 0;
    while (((size_t{1} << depth) - 1) < splits && depth < kMostShapeDepth) ++depth;
    model->depth = depth;
  }
  if (splits != model->splits_per_tree()) return in.fail("trees of different depth, or one that is not full,");
  for (size_t i = 0; i < splits; ++i) {
    ShapeSplit split;
    split.first = in.index(kMostShapeFeatures, "a feature number that is too large");
    split.second = in.index(kMostShapeFeatures, "a feature number that is too large");
    split.threshold = in.number();
    model->splits.push_back(split);
  }
  const size_t values = model->values();
  const size_t leaves = in.count(kLeastInteger * 2 + kLeastFloat * values);
  if (in.ok() && leaves != splits + 1) in.fail("a tree with the wrong number of leaves");
  if (!in.ok()) return;
  const size_t from = model->leaves.size();
  if (first) {
    // No more leaves than the rest of the file has room for.
    const size_t most = in.left() / (kLeastInteger * 2 + kLeastFloat * values) * values;
    const size_t all = size_t{model->cascades} * model->trees * leaves * values;
    if (all <= most) model->leaves.reserve(all);
  }
  model->leaves.resize(from + leaves * values);
  float* out = model->leaves.data() + from;
  for (size_t leaf = 0; leaf < leaves; ++leaf) {
    in.matrix_size(values);
    for (size_t i = 0; i < values; ++i) *out++ = in.number();
  }
}

}  // namespace

bool looks_like_dlib_shape(const uint8_t* bytes, size_t size) {
  // Version 1, then a negative or positive count of at most four bytes.
  return size >= 8 && bytes[0] == 1 && bytes[1] == 1 && (bytes[2] & 0x70u) == 0 && (bytes[2] & 15u) >= 1 &&
         (bytes[2] & 15u) <= 4;
}

Result<ShapeModel> read_dlib_shape(const uint8_t* bytes, size_t size, const CancelToken* cancel) {
  Reader in(bytes, size);
  ShapeModel model;
  if (in.integer() != 1) in.fail("an unknown version");
  int64_t rows = in.integer();
  const int64_t columns = in.integer();
  rows = rows < 0 ? -rows : rows;
  if (in.ok() && ((columns != 1 && columns != -1) || rows < 2 || rows % 2 != 0 ||
                  rows > 2 * int64_t{kMostShapePoints} || static_cast<size_t>(rows) > in.left() / kLeastFloat)) {
    in.fail("an impossible mean shape");
  }
  if (!in.ok()) return in.status();
  model.points = static_cast<uint32_t>(rows / 2);
  for (int64_t i = 0; i < rows; ++i) model.initial.push_back(in.number());

  const size_t cascades = in.count(kLeastInteger);
  if (in.ok() && (cascades < 1 || cascades > kMostShapeCascades)) in.fail("an impossible number of cascades");
  model.cascades = static_cast<uint32_t>(cascades);
  for (size_t cascade = 0; cascade < cascades && in.ok(); ++cascade) {
    const size_t trees = in.count(kLeastInteger * 2);
    if (cascade == 0 && (trees < 1 || trees > kMostShapeTrees)) in.fail("an impossible number of trees");
    if (cascade == 0) model.trees = static_cast<uint32_t>(trees);
    if (in.ok() && trees != model.trees) in.fail("cascades with different numbers of trees");
    for (size_t tree = 0; tree < trees && in.ok(); ++tree) {
      if ((tree & 63) == 0 && is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
      read_tree(in, &model, cascade == 0 && tree == 0);
    }
  }

  if (in.ok() && in.count(kLeastInteger) != cascades) in.fail("features of another number of cascades");
  for (size_t cascade = 0; cascade < cascades && in.ok(); ++cascade) {
    const size_t features = in.count(kLeastInteger);
    if (cascade == 0 && (features < 1 || features > kMostShapeFeatures)) in.fail("an impossible number of features");
    if (cascade == 0) model.features = static_cast<uint32_t>(features);
    if (in.ok() && features != model.features) in.fail("cascades with different numbers of features");
    for (size_t i = 0; i < features && in.ok(); ++i) {
      model.anchors.push_back(in.index(model.points, "a feature that moves with a landmark that does not exist"));
    }
  }
  if (in.ok() && in.count(kLeastInteger) != cascades) in.fail("features of another number of cascades");
  for (size_t cascade = 0; cascade < cascades && in.ok(); ++cascade) {
    const size_t features = in.count(2 * kLeastFloat);
    if (in.ok() && features != model.features) in.fail("cascades with different numbers of features");
    for (size_t i = 0; i < 2 * features && in.ok(); ++i) model.deltas.push_back(in.number());
  }
  if (in.ok() && in.left() != 0) in.fail("more bytes after the end");
  if (!in.ok()) return in.status();
  if (Status s = check_shape_model(model, false); !s.ok()) return s;  // number() has looked at the leaves
  return model;
}

namespace {

class Writer {
 public:
  explicit Writer(ByteSink* out) : out_(out) {}

  void integer(int64_t value) {
    uint8_t bytes[9];
    uint64_t magnitude = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    uint8_t count = 0;
    do {
      bytes[++count] = static_cast<uint8_t>(magnitude & 0xff);
      magnitude >>= 8;
    } while (magnitude != 0);
    bytes[0] = static_cast<uint8_t>(count | (value < 0 ? 0x80 : 0));
    out_->write(bytes, size_t{count} + 1);
  }

  void number(float value) {
    constexpr int kDigits = 24;
    int exponent = 0;
    auto mantissa = static_cast<int64_t>(std::frexp(value, &exponent) * (1 << kDigits));
    exponent -= kDigits;
    for (int i = 0; i < 8 && (mantissa & 0xff) == 0; ++i) {
      mantissa /= 256;
      exponent += 8;
    }
    integer(mantissa);
    integer(exponent);
  }

  void numbers(const float* values, size_t count) {
    for (size_t i = 0; i < count; ++i) number(values[i]);
  }

  void matrix(const float* values, size_t count) {
    integer(-static_cast<int64_t>(count));
    integer(-1);
    numbers(values, count);
  }

 private:
  ByteSink* out_;
};

}  // namespace

Status write_dlib_shape(const ShapeModel& model, const std::function<const float*(size_t)>& leaf, ByteSink* sink,
                        const CancelToken* cancel) {
  Writer out(sink);
  out.integer(1);
  out.matrix(model.initial.data(), model.values());
  out.integer(model.cascades);
  const ShapeSplit* split = model.splits.data();
  size_t next = 0;
  for (uint32_t cascade = 0; cascade < model.cascades; ++cascade) {
    out.integer(model.trees);
    for (uint32_t tree = 0; tree < model.trees; ++tree) {
      if (is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
      out.integer(static_cast<int64_t>(model.splits_per_tree()));
      for (size_t i = 0; i < model.splits_per_tree(); ++i, ++split) {
        out.integer(split->first);
        out.integer(split->second);
        out.number(split->threshold);
      }
      out.integer(static_cast<int64_t>(model.leaves_per_tree()));
      for (size_t i = 0; i < model.leaves_per_tree(); ++i) out.matrix(leaf(next++), model.values());
    }
  }
  const size_t features = model.features;
  out.integer(model.cascades);
  for (size_t cascade = 0; cascade < model.cascades; ++cascade) {
    out.integer(model.features);
    for (size_t i = 0; i < features; ++i) out.integer(model.anchors[cascade * features + i]);
  }
  out.integer(model.cascades);
  for (size_t cascade = 0; cascade < model.cascades; ++cascade) {
    out.integer(model.features);
    out.numbers(model.deltas.data() + 2 * cascade * features, 2 * features);
  }
  return Status();
}

}  // namespace lineament
