#include "mesh/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/spread.h"
#include "mesh/closest.h"

namespace lineament {
namespace {

constexpr uint32_t kLeaf = 4;
constexpr size_t kBlock = 2048;

Vec3 corner(const MeshView& mesh, size_t t, size_t i) { return vec3_at(mesh.positions, mesh.indices[3 * t + i]); }

}  // namespace

TriangleTree::TriangleTree(const MeshView& mesh) : mesh_(mesh), order_(mesh.triangles) {
  std::iota(order_.begin(), order_.end(), 0u);
  if (order_.empty()) return;
  std::vector<Vec3> middles(mesh.triangles);
  for (size_t t = 0; t < mesh.triangles; ++t)
    middles[t] = 1.0F / 3 * corner(mesh, t, 0) + 1.0F / 3 * corner(mesh, t, 1) + 1.0F / 3 * corner(mesh, t, 2);
  nodes_.reserve(mesh.triangles);
  nodes_.emplace_back();
  split(0, 0, static_cast<uint32_t>(mesh.triangles), &middles);
}

// Halves of the triangles, by the axis along which their middles lie farthest apart.
void TriangleTree::split(uint32_t node, uint32_t begin, uint32_t end, std::vector<Vec3>* middles) {
  constexpr float kFar = std::numeric_limits<float>::infinity();
  Node box{{kFar, kFar, kFar}, {-kFar, -kFar, -kFar}, begin, end - begin};
  float low[3] = {kFar, kFar, kFar}, high[3] = {-kFar, -kFar, -kFar};
  const auto grow = [](Vec3 p, float* from, float* to) {
    const float numbers[3] = {p.x, p.y, p.z};
    for (int k = 0; k < 3; ++k) {
      from[k] = std::min(from[k], numbers[k]);
      to[k] = std::max(to[k], numbers[k]);
    }
  };
  for (uint32_t i = begin; i < end; ++i) {
    for (size_t k = 0; k < 3; ++k) grow(corner(mesh_, order_[i], k), box.low, box.high);
    grow((*middles)[order_[i]], low, high);
  }
  if (end - begin > kLeaf) {
    const float size[3] = {high[0] - low[0], high[1] - low[1], high[2] - low[2]};
    const auto axis = static_cast<int>(std::max_element(size, size + 3) - size);
    const auto along = [&](uint32_t t) {
      const Vec3 p = (*middles)[t];
      return axis == 0 ? p.x : axis == 1 ? p.y : p.z;
    };
    const uint32_t half = begin + (end - begin) / 2;
    std::nth_element(order_.begin() + begin, order_.begin() + half, order_.begin() + end,
                     [&](uint32_t s, uint32_t t) { return along(s) != along(t) ? along(s) < along(t) : s < t; });
    box.count = 0;
    box.begin = static_cast<uint32_t>(nodes_.size());
    nodes_.resize(nodes_.size() + 2);
    split(box.begin, begin, half, middles);
    split(box.begin + 1, half, end, middles);
  }
  nodes_[node] = box;
}

TriangleTree::Nearest TriangleTree::nearest(Vec3 point, uint32_t guess) const {
  Nearest best{std::numeric_limits<float>::infinity(), kNoTriangle};
  if (nodes_.empty()) return best;
  const auto look = [&](uint32_t t) {
    const float squared =
        closest_on_triangle(point, corner(mesh_, t, 0), corner(mesh_, t, 1), corner(mesh_, t, 2)).squared;
    if (squared < best.squared || (squared == best.squared && t < best.triangle)) best = {squared, t};
  };
  if (guess < order_.size()) look(guess);
  const float numbers[3] = {point.x, point.y, point.z};
  const auto away = [&](const Node& box) {
    float sum = 0;
    for (int k = 0; k < 3; ++k) {
      const float off = std::max(std::max(box.low[k] - numbers[k], numbers[k] - box.high[k]), 0.0F);
      sum += off * off;
    }
    return sum * (1 - 1e-5F);  // what rounding may make of it
  };
  struct Waiting {
    uint32_t node;
    float squared;
  } stack[80];  // halves: never deeper than 32
  int depth = 0;
  stack[depth++] = {0, away(nodes_[0])};
  while (depth > 0) {
    const Waiting next = stack[--depth];
    if (next.squared > best.squared) continue;
    const Node& node = nodes_[next.node];
    if (node.count > 0) {
      for (uint32_t i = 0; i < node.count; ++i) look(order_[node.begin + i]);
      continue;
    }
    const float one = away(nodes_[node.begin]), two = away(nodes_[node.begin + 1]);
    const bool first = one <= two;
    stack[depth++] = {node.begin + (first ? 1 : 0), first ? two : one};
    stack[depth++] = {node.begin + (first ? 0 : 1), first ? one : two};
  }
  return best;
}

namespace {

// `count` places, by area, evenly: one at the middle of each of `count` equal parts of the running sum of areas; where
// in its triangle by the R2 sequence (Roberts 2018), folded.
class Places {
 public:
  Places(const MeshView& mesh, size_t count) : mesh_(mesh), count_(count), sums_(mesh.triangles + 1) {
    std::vector<bool> used(mesh.vertices);
    for (size_t t = 0; t < mesh.triangles; ++t) {
      const Vec3 a = corner(mesh, t, 0);
      sums_[t + 1] = sums_[t] + 0.5 * length(cross(corner(mesh, t, 1) - a, corner(mesh, t, 2) - a));
      for (size_t i = 0; i < 3; ++i) used[mesh.indices[3 * t + i]] = true;
    }
    if (!(sums_.back() > 0)) count_ = 0;
    for (size_t v = 0; v < mesh.vertices; ++v)
      if (used[v]) vertices_.push_back(static_cast<uint32_t>(v));
  }
  size_t even() const { return count_; }
  size_t size() const { return count_ + vertices_.size(); }
  Vec3 at(size_t i) const {
    if (i >= count_) return vec3_at(mesh_.positions, vertices_[i - count_]);
    const double area = (static_cast<double>(i) + 0.5) / static_cast<double>(count_) * sums_.back();
    const auto after = std::upper_bound(sums_.begin(), sums_.end(), area);
    const auto t = std::min(static_cast<size_t>(after - sums_.begin()), sums_.size() - 1) - 1;
    const auto fraction = [i](double step) { return std::fmod(0.5 + step * static_cast<double>(i), 1.0); };
    auto u = static_cast<float>(fraction(0.7548776662466927)), v = static_cast<float>(fraction(0.5698402909980532));
    if (u + v > 1) u = 1 - u, v = 1 - v;
    const Vec3 a = corner(mesh_, t, 0);
    return a + u * (corner(mesh_, t, 1) - a) + v * (corner(mesh_, t, 2) - a);
  }

 private:
  const MeshView& mesh_;
  size_t count_;
  std::vector<double> sums_;
  std::vector<uint32_t> vertices_;
};

Result<Distances> one_way(const Places& places, const TriangleTree& to, Executor& executor, const CancelToken* token) {
  struct Sum {
    double most = 0, sum = 0, squares = 0;
  };
  const size_t blocks = (places.size() + kBlock - 1) / kBlock;
  const bool all = places.even() == 0;
  std::vector<Sum> sums(blocks);
  const Status done = spread(executor, blocks, [&](size_t block) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Comparison was cancelled");
    uint32_t guess = 0;
    Sum& sum = sums[block];
    for (size_t i = block * kBlock; i < std::min(places.size(), (block + 1) * kBlock); ++i) {
      const TriangleTree::Nearest found = to.nearest(places.at(i), guess);
      guess = found.triangle;
      const double squared = found.squared, distance = std::sqrt(squared);
      sum.most = std::max(sum.most, distance);
      if (!all && i >= places.even()) continue;
      sum.sum += distance;
      sum.squares += squared;
    }
    return Status();
  });
  if (!done.ok()) return done;
  Distances out;
  for (const Sum& sum : sums) {
    out.most = std::max(out.most, sum.most);
    out.mean += sum.sum;
    out.rms += sum.squares;
  }
  const auto counted = static_cast<double>(all ? places.size() : places.even());
  out.mean /= counted;
  out.rms = std::sqrt(out.rms / counted);
  out.samples = places.size();
  return out;
}

}  // namespace

Result<MeshDistances> compare_meshes(const MeshView& a, const MeshView& b, size_t samples, Executor& executor,
                                     const CancelToken* token) {
  for (const MeshView* mesh : {&a, &b})
    if (Status status = check_mesh(*mesh, Code::kNoSurface); !status.ok()) return status;
  if (samples > kMostSamples) return Status(Code::kInvalidArgument, "Expected at most 100 million samples");
  const TriangleTree to_a(a), to_b(b);
  Result<Distances> forth = one_way(Places(a, samples), to_b, executor, token);
  if (!forth.ok()) return forth.status();
  Result<Distances> back = one_way(Places(b, samples), to_a, executor, token);
  if (!back.ok()) return back.status();
  return MeshDistances{forth.value(), back.value()};
}

}  // namespace lineament
