#include "landmarks/compact_shape.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "landmarks/shape_check.h"

namespace lineament {
namespace {

constexpr size_t kHeader = 64;
constexpr size_t kChecked = 16;  // the check sum begins here
constexpr uint32_t kVersion = 1;
constexpr uint32_t kByteOrder = 0x01020304;
constexpr float kMostInteger = 32767;
constexpr uint32_t kMostShift = 15;

static_assert(sizeof(ShapeSplit) == 8 && offsetof(ShapeSplit, second) == 2 && offsetof(ShapeSplit, threshold) == 4);

Status corrupt(const std::string& why) { return Status(Code::kModelCorrupt, "Not a compact shape model: " + why); }

// Where the sections begin.
struct Layout {
  uint64_t initial, scales, shifts, anchors, deltas, splits, leaves, end;

  // The counts have passed check_shape_counts(), so nothing overflows.
  explicit Layout(const ShapeModel& m) {
    const uint64_t values = m.values(), trees = uint64_t{m.cascades} * m.trees;
    const uint64_t features = uint64_t{m.cascades} * m.features;
    uint64_t at = kHeader;
    const auto section = [&at](uint64_t bytes) {
      const uint64_t begin = (at + 63) / 64 * 64;
      at = begin + bytes;
      return begin;
    };
    initial = section(values * sizeof(float));
    scales = section(m.cascades * values * sizeof(float));
    shifts = section(trees);
    anchors = section(features * sizeof(uint16_t));
    deltas = section(features * 2 * sizeof(float));
    splits = section(trees * m.splits_per_tree() * sizeof(ShapeSplit));
    leaves = section(trees * m.leaves_per_tree() * values * sizeof(int16_t));
    end = at;
  }
};

// CRC-32 as in IEEE 802.3, eight bytes at a time (M. Kounavis, F. Berry, "A Systematic Approach to Building High
// Performance Software-Based CRC Generators", ISCC 2005).
uint32_t crc32(const uint8_t* p, size_t size) {
  static const auto tables = [] {
    std::array<std::array<uint32_t, 256>, 8> t{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t c = i;
      for (int k = 0; k < 8; ++k) c = (c & 1u) != 0 ? c >> 1 ^ 0xedb88320u : c >> 1;
      t[0][i] = c;
    }
    for (size_t k = 1; k < 8; ++k) {
      for (size_t i = 0; i < 256; ++i) t[k][i] = t[k - 1][i] >> 8 ^ t[0][t[k - 1][i] & 255u];
    }
    return t;
  }();
  uint32_t crc = ~0u;
  for (; size >= 8; p += 8, size -= 8) {
    uint32_t low, high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + 4, 4);
    low ^= crc;
    crc = tables[7][low & 255u] ^ tables[6][low >> 8 & 255u] ^ tables[5][low >> 16 & 255u] ^ tables[4][low >> 24] ^
          tables[3][high & 255u] ^ tables[2][high >> 8 & 255u] ^ tables[1][high >> 16 & 255u] ^ tables[0][high >> 24];
  }
  for (; size > 0; ++p, --size) crc = tables[0][(crc ^ *p) & 255u] ^ crc >> 8;
  return ~crc;
}

template <typename T>
T get(const uint8_t* bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof(T));
  return value;
}

template <typename T>
void put(std::vector<uint8_t>* bytes, uint64_t offset, const T& value) {
  std::memcpy(bytes->data() + offset, &value, sizeof(T));
}

template <typename T>
void get_section(const uint8_t* bytes, uint64_t offset, size_t count, std::vector<T>* out) {
  out->resize(count);
  if (count > 0) std::memcpy(out->data(), bytes + offset, count * sizeof(T));
}

template <typename T>
void put_section(std::vector<uint8_t>* bytes, uint64_t offset, const std::vector<T>& values) {
  if (!values.empty()) std::memcpy(bytes->data() + offset, values.data(), values.size() * sizeof(T));
}

// The largest length of (x, y) pairs of `coordinates`.
double longest(const std::vector<double>& coordinates) {
  double most = 0;
  for (size_t i = 0; i < coordinates.size(); i += 2)
    most = std::max(most, std::hypot(coordinates[i], coordinates[i + 1]));
  return most;
}

// Half a step for every tree: what no rounding exceeds.
double bound_by_steps(const ShapeModel& model, const CompactShape& steps) {
  const size_t values = model.values();
  std::vector<double> sums(values);
  for (size_t c = 0; c < model.cascades; ++c) {
    double of_trees = 0;
    for (size_t t = 0; t < model.trees; ++t) of_trees += std::ldexp(0.5, steps.shifts[c * model.trees + t]);
    for (size_t k = 0; k < values; ++k) sums[k] += of_trees * static_cast<double>(steps.scales[c * values + k]);
  }
  return longest(sums);
}

// No sum of leaves may leave 32 bits.
bool sums_fit(const uint8_t* shifts, size_t trees) {
  uint64_t sum = 0;
  for (size_t t = 0; t < trees; ++t) sum += uint64_t{32768} << std::min<uint32_t>(shifts[t], kMostShift);
  return sum < uint64_t{1} << 31;
}

int16_t rounded(float value, double step) {
  if (step == 0) return 0;
  const double steps = std::nearbyint(static_cast<double>(value) / step);
  return static_cast<int16_t>(std::clamp(steps, -static_cast<double>(kMostInteger), static_cast<double>(kMostInteger)));
}

// Scales and shifts such that the largest leaf of each coordinate and cascade becomes about the largest integer, and
// trees with smaller leaves, which are most, get smaller steps.
void choose_steps(const ShapeModel& model, CompactShape* out) {
  constexpr int kRange = 8;  // trees with leaves below 2^−8 of the largest would gain nothing that is seen
  const size_t values = model.values(), leaves = model.leaves_per_tree(), trees = model.trees;
  std::vector<float> largest(trees * values), most(values);
  const float* leaf = model.leaves.data();
  for (size_t c = 0; c < model.cascades; ++c) {
    std::fill(largest.begin(), largest.end(), 0.0f);
    std::fill(most.begin(), most.end(), 0.0f);
    for (size_t t = 0; t < trees; ++t) {
      float* of_tree = largest.data() + t * values;
      for (size_t i = 0; i < leaves; ++i, leaf += values) {
        for (size_t k = 0; k < values; ++k) of_tree[k] = std::max(of_tree[k], std::fabs(leaf[k]));
      }
      for (size_t k = 0; k < values; ++k) most[k] = std::max(most[k], of_tree[k]);
    }
    std::vector<uint8_t> shifts(trees);
    int range = kRange;
    for (;; --range) {
      for (size_t t = 0; t < trees; ++t) {
        double share = 0;
        for (size_t k = 0; k < values; ++k) {
          if (most[k] > 0) share = std::max(share, static_cast<double>(largest[t * values + k] / most[k]));
        }
        shifts[t] =
            static_cast<uint8_t>(share > 0 ? std::max(0, range + static_cast<int>(std::ceil(std::log2(share)))) : 0);
      }
      if (range == 0 || sums_fit(shifts.data(), trees)) break;
    }
    out->shifts.insert(out->shifts.end(), shifts.begin(), shifts.end());
    for (size_t k = 0; k < values; ++k) out->scales.push_back(std::ldexp(most[k] / kMostInteger, -range));
  }
}

// What a step of each coordinate is worth in tree t of cascade c.
void steps_of(const ShapeModel& model, const CompactShape& steps, size_t c, size_t t, std::vector<double>* out) {
  const float* scales = steps.scales.data() + c * model.values();
  for (size_t k = 0; k < model.values(); ++k) {
    (*out)[k] = std::ldexp(static_cast<double>(scales[k]), steps.shifts[c * model.trees + t]);
  }
}

double leaf_error(const ShapeModel& model, const CompactShape& steps) {
  const size_t values = model.values(), leaves = model.leaves_per_tree();
  std::vector<double> sums(values), worst(values), step(values);
  const float* leaf = model.leaves.data();
  for (size_t c = 0; c < model.cascades; ++c) {
    for (size_t t = 0; t < model.trees; ++t) {
      steps_of(model, steps, c, t, &step);
      std::fill(worst.begin(), worst.end(), 0.0);
      for (size_t i = 0; i < leaves; ++i, leaf += values) {
        for (size_t k = 0; k < values; ++k) {
          const double kept = static_cast<double>(rounded(leaf[k], step[k])) * step[k];
          worst[k] = std::max(worst[k], std::fabs(static_cast<double>(leaf[k]) - kept));
        }
      }
      for (size_t k = 0; k < values; ++k) sums[k] += worst[k];
    }
  }
  return longest(sums);
}

}  // namespace

bool looks_like_compact_shape(const uint8_t* bytes, size_t size) {
  return size >= 4 && (std::memcmp(bytes, "LMSM", 4) == 0 || std::memcmp(bytes, "MSML", 4) == 0);
}

Result<CompactShape> read_compact_shape(const uint8_t* bytes, size_t size) {
  if constexpr (std::endian::native != std::endian::little) {
    return Status(Code::kModelCorrupt, "Compact shape models are for little-endian machines");
  }
  if (bytes == nullptr || reinterpret_cast<uintptr_t>(bytes) % alignof(uint32_t) != 0) {
    return Status(Code::kInvalidArgument, "The bytes of a shape model must be aligned to 4");
  }
  if (size < kHeader) return corrupt("it is shorter than a header");
  if (std::memcmp(bytes, "LMSM", 4) != 0 || get<uint32_t>(bytes, 8) != kByteOrder) {
    return corrupt("its first bytes are others, or in another order");
  }
  if (const auto version = get<uint32_t>(bytes, 4); version != kVersion) {
    return corrupt("version " + std::to_string(version) + " is not known");
  }
  CompactShape out;
  ShapeModel& model = out.model;
  model.points = get<uint32_t>(bytes, 16);
  model.cascades = get<uint32_t>(bytes, 20);
  model.trees = get<uint32_t>(bytes, 24);
  model.depth = get<uint32_t>(bytes, 28);
  model.features = get<uint32_t>(bytes, 32);
  out.leaf_error = get<double>(bytes, 40);
  if (Status s = check_shape_counts(model.points, model.cascades, model.trees, model.depth, model.features); !s.ok()) {
    return s;
  }
  const Layout layout(model);
  if (get<uint64_t>(bytes, 48) != layout.end || size != layout.end) {
    return corrupt("it has " + std::to_string(size) + " bytes, and its counts ask for " + std::to_string(layout.end));
  }
  const auto leaves = static_cast<size_t>(layout.leaves);
  if (compact_shape_check_sum(bytes, leaves) != get<uint32_t>(bytes, 12)) return corrupt("its check sum is wrong");

  const size_t features = size_t{model.cascades} * model.features;
  get_section(bytes, layout.initial, model.values(), &model.initial);
  get_section(bytes, layout.scales, model.cascades * model.values(), &out.scales);
  get_section(bytes, layout.shifts, size_t{model.cascades} * model.trees, &out.shifts);
  get_section(bytes, layout.anchors, features, &model.anchors);
  get_section(bytes, layout.deltas, 2 * features, &model.deltas);
  get_section(bytes, layout.splits, size_t{model.cascades} * model.trees * model.splits_per_tree(), &model.splits);
  if (Status s = check_shape_model(model, false); !s.ok()) return s;
  uint32_t most_shift = 0;
  for (const uint8_t shift : out.shifts) most_shift = std::max<uint32_t>(most_shift, shift);
  if (most_shift > kMostShift) return corrupt("a shift is impossible");
  for (size_t c = 0; c < model.cascades; ++c) {
    if (!sums_fit(out.shifts.data() + c * model.trees, model.trees))
      return corrupt("its leaves are too large to be added");
  }
  for (const float scale : out.scales) {
    if (!(scale >= 0 && std::ldexp(scale, 15 + static_cast<int>(most_shift)) <= 2 * kMostShapeValue)) {
      return corrupt("a scale is impossible");
    }
  }
  if (!(out.leaf_error >= 0 && out.leaf_error <= bound_by_steps(model, out) * (1 + 1e-6) + 1e-12)) {
    return corrupt("its leaf error does not fit its steps");
  }
  out.bytes = bytes;
  out.size = size;
  out.leaves_offset = leaves;
  out.leaves = reinterpret_cast<const int16_t*>(bytes + leaves);
  return out;
}

uint32_t compact_shape_check_sum(const uint8_t* bytes, size_t leaves_offset) {
  return crc32(bytes + kChecked, leaves_offset - kChecked);
}

Status write_compact_shape(const ShapeModel& model, ByteSink* out, const CancelToken* cancel) {
  if constexpr (std::endian::native != std::endian::little) {
    return Status(Code::kInvalidArgument, "Compact shape models are for little-endian machines");
  }
  const Layout layout(model);
  CompactShape steps;
  choose_steps(model, &steps);
  if (is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
  std::vector<uint8_t> head(static_cast<size_t>(layout.leaves), uint8_t{0});
  std::memcpy(head.data(), "LMSM", 4);
  put(&head, 4, kVersion);
  put(&head, 8, kByteOrder);
  const uint32_t counts[] = {model.points, model.cascades, model.trees, model.depth, model.features};
  put(&head, 16, counts);
  put(&head, 40, leaf_error(model, steps));
  put(&head, 48, layout.end);
  put_section(&head, layout.initial, model.initial);
  put_section(&head, layout.scales, steps.scales);
  put_section(&head, layout.shifts, steps.shifts);
  put_section(&head, layout.anchors, model.anchors);
  put_section(&head, layout.deltas, model.deltas);
  put_section(&head, layout.splits, model.splits);
  put(&head, 12, compact_shape_check_sum(head.data(), head.size()));
  out->write(head.data(), head.size());

  const size_t values = model.values();
  std::vector<int16_t> row(values);
  std::vector<double> step(values);
  const float* leaf = model.leaves.data();
  for (size_t c = 0; c < model.cascades; ++c) {
    if (is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
    for (size_t t = 0; t < model.trees; ++t) {
      steps_of(model, steps, c, t, &step);
      for (size_t i = 0; i < model.leaves_per_tree(); ++i, leaf += values) {
        for (size_t k = 0; k < values; ++k) row[k] = rounded(leaf[k], step[k]);
        out->write(row.data(), values * sizeof(int16_t));
      }
    }
  }
  return Status();
}

}  // namespace lineament
