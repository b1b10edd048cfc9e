// The rewriting of 8- and 16-bit weights, on models built byte by byte.
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "inference/dequantize.h"
#include "inference/onnx_expand.h"
#include "inference/protobuf.h"
#include "tests/check.h"

using namespace lineament;
using protobuf::Field;
using protobuf::Reader;

namespace {

std::string varint(uint64_t value) {
  uint8_t bytes[10];
  return std::string(reinterpret_cast<char*>(bytes), static_cast<size_t>(protobuf::put_varint(bytes, value) - bytes));
}
std::string number(uint32_t field, uint64_t value) { return varint(field << 3) + varint(value); }
std::string text(uint32_t field, const std::string& bytes) {
  return varint(field << 3 | 2) + varint(bytes.size()) + bytes;
}

template <typename T>
std::string tensor(const std::string& name, int type, const std::vector<int>& dims, const std::vector<T>& values) {
  std::string packed;
  for (const int dim : dims) packed += varint(static_cast<uint64_t>(dim));
  std::string raw(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  return text(
      5, (dims.empty() ? "" : text(1, packed)) + number(2, static_cast<uint64_t>(type)) + text(8, name) + text(9, raw));
}

std::string node(const std::string& type, const std::vector<std::string>& inputs, const std::string& output,
                 const std::string& extra = "") {
  std::string body;
  for (const std::string& input : inputs) body += text(1, input);
  return text(1, body + text(2, output) + text(4, type) + extra);
}
const std::string kToFloat = text(5, text(1, "to") + number(3, 1) + number(20, 2));

std::string value(uint32_t field, const std::string& name) { return text(field, text(1, name)); }

std::string model(const std::string& graph) {
  return number(1, 8) + text(2, "test") + text(7, graph) + text(8, number(2, 17));
}

ExpandedModel expand(const std::string& bytes) {
  return expand_model(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

struct Parsed {
  std::vector<std::string> nodes;  // operator names
  std::vector<std::string> names;  // of the initializers
  std::vector<std::vector<float>> floats;
  std::vector<std::vector<uint64_t>> dims;
};

Parsed parse(const ExpandedModel& expanded) {
  Parsed out;
  Reader top({expanded.bytes.data(), expanded.bytes.size()});
  Field field;
  while (top.next(&field)) {
    if (field.number != 7) continue;
    Reader graph(field.bytes);
    Field part;
    while (graph.next(&part)) {
      Reader inner(part.bytes);
      Field leaf;
      if (part.number == 1) {
        while (inner.next(&leaf)) {
          if (leaf.number == 4) out.nodes.emplace_back(leaf.bytes.text());
        }
      } else if (part.number == 5) {
        out.floats.emplace_back();
        out.dims.emplace_back();
        while (inner.next(&leaf)) {
          if (leaf.number == 1 && leaf.wire == 0) out.dims.back().push_back(leaf.value);
          if (leaf.number == 8) out.names.emplace_back(leaf.bytes.text());
          if (leaf.number == 9) {
            out.floats.back().resize(leaf.bytes.size / 4);
            std::memcpy(out.floats.back().data(), leaf.bytes.data, leaf.bytes.size / 4 * 4);
          }
        }
        CHECK(!inner.failed());
      }
    }
    CHECK(!graph.failed());
  }
  CHECK(!top.failed());
  return out;
}

const std::vector<uint8_t> kWeights = {0, 1, 2, 128, 254, 255};

// A weight of 2×3 with one scale and minimum per row, used by a MatMul.
std::string chain(const std::string& more = "") {
  return node("Cast", {"w.q"}, "w.f", kToFloat) + node("Mul", {"w.f", "w.scale"}, "w.s") +
         node("Add", {"w.min", "w.s"}, "w") + node("MatMul", {"x", "w"}, "y") + more +
         tensor<uint8_t>("w.q", 2, {2, 3}, kWeights) + tensor<float>("w.scale", 1, {2, 1}, {0.1f, 0.007f}) +
         tensor<float>("w.min", 1, {2, 1}, {-1.3f, 0.2f}) + value(11, "x") + value(12, "y");
}

}  // namespace

TEST(a_chain_becomes_one_float_weight) {
  const ExpandedModel out = expand(model(chain()));
  CHECK_EQ(out.replaced, size_t{1});
  CHECK_EQ(out.weight_bytes, size_t{24});
  const Parsed parsed = parse(out);
  CHECK_EQ(parsed.nodes.size(), size_t{1});
  CHECK_EQ(parsed.names.size(), size_t{1});
  if (parsed.names.size() != 1 || parsed.nodes.size() != 1) return;
  CHECK_EQ(parsed.nodes[0], std::string("MatMul"));
  CHECK_EQ(parsed.names[0], std::string("w"));
  CHECK_EQ(parsed.dims[0].size(), size_t{2});
  CHECK_EQ(parsed.floats[0].size(), size_t{6});
  for (size_t i = 0; i < 6; ++i) {
    volatile float product = static_cast<float>(kWeights[i]) * (i < 3 ? 0.1f : 0.007f);
    volatile float sum = product + (i < 3 ? -1.3f : 0.2f);
    CHECK_EQ(parsed.floats[0][i], static_cast<float>(sum));
  }
}

TEST(half_floats_become_floats) {
  const std::string graph = node("Cast", {"h"}, "w", kToFloat) + node("MatMul", {"x", "w"}, "y") +
                            tensor<uint16_t>("h", 10, {4}, {0x3c00, 0xc000, 0x0001, 0x7bff}) + value(11, "x") +
                            value(12, "y");
  const ExpandedModel out = expand(model(graph));
  CHECK_EQ(out.replaced, size_t{1});
  const Parsed parsed = parse(out);
  CHECK_EQ(parsed.floats.size(), size_t{1});
  if (parsed.floats.size() != 1) return;
  CHECK_EQ(parsed.floats[0][0], 1.0f);
  CHECK_EQ(parsed.floats[0][1], -2.0f);
  CHECK_EQ(parsed.floats[0][2], std::ldexp(1.0f, -24));
  CHECK_EQ(parsed.floats[0][3], 65504.0f);
}

TEST(every_half_is_widened_exactly) {
  std::vector<uint16_t> halves(65536);
  for (size_t i = 0; i < halves.size(); ++i) halves[i] = static_cast<uint16_t>(i);
  std::vector<float> floats(halves.size());
  widen_halves(reinterpret_cast<const uint8_t*>(halves.data()), halves.size(),
               reinterpret_cast<uint8_t*>(floats.data()));
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const int exponent = static_cast<int>(bits >> 10 & 31);
    const int fraction = static_cast<int>(bits & 1023);
    const double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31) {
      CHECK_EQ(std::isnan(floats[bits]), fraction != 0);
      CHECK_EQ(std::isinf(floats[bits]), fraction == 0);
    } else {
      const double expected = exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25);
      CHECK_EQ(static_cast<double>(floats[bits]), sign * expected);
    }
    CHECK_EQ(std::signbit(floats[bits]), (bits & 0x8000) != 0);
  }
}

TEST(long_and_short_groups_round_alike) {
  std::mt19937 random(1);
  std::vector<uint8_t> values(6000);
  for (uint8_t& one : values) one = static_cast<uint8_t>(random());
  const std::vector<float> scales = {0.0123f, 0.5f};
  const std::vector<float> minimum = {-0.777f};
  const auto bytes = [](const std::vector<float>& v) { return reinterpret_cast<const uint8_t*>(v.data()); };
  std::vector<float> out(values.size());
  dequantize(values.data(), values.size(), bytes(scales), 2, bytes(minimum), 1, reinterpret_cast<uint8_t*>(out.data()));
  for (size_t i = 0; i < values.size(); ++i) {
    volatile float product = static_cast<float>(values[i]) * scales[i / 3000];
    CHECK_EQ(out[i], product + minimum[0]);
  }
}

TEST(what_is_not_understood_is_left_alone) {
  const auto untouched = [](const std::string& bytes) {
    const ExpandedModel out = expand(bytes);
    return out.replaced == 0 && out.bytes.size() == 0;
  };
  CHECK(untouched(""));
  CHECK(untouched("garbage that is no model at all"));
  CHECK(untouched(model(chain(node("Relu", {"w.f"}, "z")))));  // the cast value is read elsewhere
  CHECK(untouched(model(chain(value(12, "w.s")))));            // or is an output
  CHECK(untouched(model(chain(value(12, "w")))));              // so is the weight
  CHECK(untouched(model(chain(value(11, "w.q")))));            // or the constant can be overridden
  CHECK(untouched(model(chain(value(11, "w.scale")))));
  CHECK(untouched(model(chain(node("If", {"x"}, "z", text(5, text(1, "then_branch") + text(6, "")))))));
  CHECK(untouched(model(chain(tensor<float>("w.scale", 1, {}, {1})))));  // a name twice
  CHECK(untouched(model(chain()) + text(7, "")));                        // two graphs
  std::string other = chain();
  other.replace(other.find("Add"), 3, "Sub");
  CHECK(untouched(model(other)));
}

TEST(shared_constants_stay_for_their_other_readers) {
  const ExpandedModel out = expand(model(chain(node("Relu", {"w.scale"}, "z"))));
  CHECK_EQ(out.replaced, size_t{1});
  const Parsed parsed = parse(out);
  CHECK_EQ(parsed.names.size(), size_t{2});
  CHECK_EQ(parsed.nodes.size(), size_t{2});
}

TEST(every_truncation_and_many_changes_are_survived) {
  const std::string whole = model(chain());
  for (size_t size = 0; size < whole.size(); ++size) {
    // An allocation of exactly that size, so that a sanitizer sees a step outside.
    const std::vector<uint8_t> part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    (void)expand_model(part.data(), part.size());
  }
  std::mt19937 random(9);
  size_t replaced = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes(whole.begin(), whole.end());
    for (int k = 0; k < 1 + round % 4; ++k) bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
    replaced += expand_model(bytes.data(), bytes.size()).replaced;
  }
  CHECK(replaced > 0);
}

TEST_MAIN()
