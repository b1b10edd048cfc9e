// The kernels, the tree, and nearest neighbours beside brute force.
#include <algorithm>
#include <set>

#include "cloud/kernels.h"
#include "cloud/nearest.h"
#include "cloud/neighbours.h"
#include "core/aligned.h"
#include "tests/check.h"
#include "tests/cloud/clouds.h"

using namespace lineament;

namespace {

constexpr double kEverywhere = std::numeric_limits<double>::infinity();

KdTree tree_of(const PointCloud& cloud, Executor& executor) {
  Result<KdTree> tree = KdTree::build(cloud.positions.data(), cloud.size(), executor, nullptr);
  CHECK(tree.ok());
  return std::move(tree.value());
}

// Distances from each point to its k nearest within the radius, ascending.
std::vector<std::vector<double>> brute(const PointCloud& cloud, size_t k, double radius) {
  std::vector<std::vector<double>> out;
  for (size_t i = 0; i < cloud.size(); ++i) {
    std::vector<double> all;
    for (size_t j = 0; j < cloud.size(); ++j) {
      const double d = clouds::squared(&cloud.positions[3 * i], &cloud.positions[3 * j]);
      if (d <= radius * radius) all.push_back(d);
    }
    std::sort(all.begin(), all.end());
    all.resize(std::min(k, all.size()));
    out.push_back(all);
  }
  return out;
}

void compare(const PointCloud& cloud, size_t k, double radius = kEverywhere) {
  Executor executor(2);
  const KdTree tree = tree_of(cloud, executor);
  const auto expected = brute(cloud, k, radius);
  NeighbourSearch search(tree, k, radius);
  size_t asked = 0;
  for (size_t leaf = 0; leaf < tree.leaves(); ++leaf) {
    search.leaf(leaf, [&](size_t place) {
      const size_t i = tree.index(place);
      std::vector<double> found;
      std::set<uint32_t> different;
      for (size_t n = 0; n < search.count(); ++n) {
        double d[3];
        search.offset(n, d);
        found.push_back(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
        const uint32_t j = tree.index(search.place(n));
        different.insert(j);
        CHECK_NEAR(found.back(), clouds::squared(&cloud.positions[3 * i], &cloud.positions[3 * size_t{j}]), 0);
      }
      std::sort(found.begin(), found.end());
      CHECK_EQ(different.size(), found.size());
      CHECK_EQ(found.size(), expected[i].size());
      for (size_t n = 0; n < std::min(found.size(), expected[i].size()); ++n) {
        CHECK_NEAR(found[n], expected[i][n], 1e-5 * expected[i][n]);
      }
      ++asked;
    });
  }
  CHECK_EQ(asked, cloud.size());
}

}  // namespace

TEST(kernels_give_the_same_bits_at_every_level) {
  const CloudKernels &scalar = kCloudKernelsScalar, &best = cloud_kernels_best();
  std::mt19937 random(1);
  std::uniform_real_distribution<float> at(-100, 100);
  for (size_t count = 8; count <= 200; count += 8) {
    AlignedBuffer<float> x(count), y(count), z(count), a(count), b(count);
    for (size_t i = 0; i < count; ++i) {
      x[i] = i + 3 > count ? std::numeric_limits<float>::infinity() : at(random);
      y[i] = at(random);
      z[i] = i % 5 == 0 ? 0 : at(random);
    }
    const float q[3] = {x[0], at(random), 1e-3F};
    scalar.squared(x.data(), y.data(), z.data(), count, q, a.data());
    best.squared(x.data(), y.data(), z.data(), count, q, b.data());
    CHECK(std::memcmp(a.data(), b.data(), count * sizeof(float)) == 0);
    for (const float limit : {-1.0F, 0.0F, a[0], a[count / 2], 5000.0F, 1e30F}) {
      std::vector<uint32_t> first(count + kCloudLanes), second(count + kCloudLanes);
      const size_t found = scalar.pick(a.data(), count, limit, first.data());
      CHECK_EQ(best.pick(a.data(), count, limit, second.data()), found);
      CHECK(std::equal(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(found), second.begin()));
      CHECK_EQ(scalar.at_most(a.data(), count, limit), found);
      CHECK_EQ(best.at_most(a.data(), count, limit), found);
    }
  }
}

TEST(tree_holds_every_point_once_within_its_boxes) {
  Executor executor(2);
  for (const size_t count : {1, 2, 15, 16, 17, 100, 1000, 20000}) {
    const PointCloud cloud = clouds::cube(count, 10, static_cast<uint32_t>(count));
    const KdTree tree = tree_of(cloud, executor);
    std::vector<int> seen(count);
    for (size_t place = 0; place < count; ++place) {
      ++seen[tree.index(place)];
      for (size_t c = 0; c < 3; ++c) {
        const float v = tree.leaf_axis(place / KdTree::kLeaf, c)[place % KdTree::kLeaf];
        CHECK_EQ(v, cloud.positions[3 * size_t{tree.index(place)} + c]);
        CHECK(v >= tree.box(0).low[c] && v <= tree.box(0).high[c]);
      }
    }
    CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
  }
}

TEST(neighbours_are_those_of_brute_force) {
  for (const size_t k : {1, 3, 20, 64, 1500}) {
    compare(clouds::sphere(1500, 80, {5, -3, 400}, 0.3, 3).cloud, k);
    compare(clouds::cube(1200, 50, 4), k);
  }
  compare(clouds::cube(1000, 50, 5), 30, 6);
  compare(clouds::cube(1000, 50, 5), 1024, 9);
  compare(clouds::cube(1000, 50, 5), 5, 0.01);
}

TEST(neighbours_of_uneven_clouds_are_those_of_brute_force) {
  // Two dense knots a kilometre apart, strays between them, and one point many times.
  PointCloud cloud = clouds::cube(500, 1e-3, 6);
  for (const float v : clouds::cube(500, 20, 7).positions) cloud.positions.push_back(v + 1e6F);
  for (const float v : clouds::cube(40, 1e6, 8).positions) cloud.positions.push_back(v);
  for (int i = 0; i < 200; ++i) clouds::push(cloud, 7, 7, 7);
  for (const size_t k : {2, 17, 200, 250}) compare(cloud, k);
  PointCloud line;
  for (int i = 0; i < 700; ++i) clouds::push(line, i % 350, 2, 3);
  compare(line, 9);
}

TEST(grids_are_full_of_ties) {
  PointCloud grid;
  for (int x = 0; x < 30; ++x) {
    for (int y = 0; y < 30; ++y) clouds::push(grid, x, y, 0);
  }
  for (const size_t k : {2, 4, 6, 11}) compare(grid, k);
}

TEST(identical_points_do_not_take_forever) {
  PointCloud same;
  for (int i = 0; i < 60000; ++i) clouds::push(same, 1, 2, 3);
  Executor executor(2);
  const KdTree tree = tree_of(same, executor);
  NeighbourSearch search(tree, 30);
  for (size_t leaf = 0; leaf < tree.leaves(); ++leaf) {
    search.leaf(leaf, [&](size_t) { CHECK_EQ(search.count(), size_t{30}); });
  }
}

TEST(nearest_point_is_that_of_brute_force) {
  Executor executor(2);
  const PointCloud cloud = clouds::torus(3000, 60, 20, 0.5, 9).cloud, queries = clouds::cube(300, 100, 10);
  const KdTree tree = tree_of(cloud, executor);
  for (size_t i = 0; i < queries.size(); ++i) {
    const float* q = &queries.positions[3 * i];
    double best = std::numeric_limits<double>::max();
    for (size_t j = 0; j < cloud.size(); ++j) best = std::min(best, clouds::squared(q, &cloud.positions[3 * j]));
    const Nearest found = nearest(tree, q, std::numeric_limits<float>::infinity(), Nearest::kNone);
    CHECK_NEAR(clouds::squared(q, &cloud.positions[3 * size_t{tree.index(found.place)}]), best, 1e-5 * best);
    for (const uint32_t hint : {uint32_t{0}, uint32_t{2999}, found.place}) {
      CHECK_EQ(nearest(tree, q, std::numeric_limits<float>::infinity(), hint).place, found.place);
    }
    CHECK_EQ(nearest(tree, q, static_cast<float>(best * 0.9), Nearest::kNone).place, Nearest::kNone);
  }
}

TEST(tree_is_the_same_for_any_number_of_threads) {
  const PointCloud cloud = clouds::face(40000, 0.2, 11);
  Executor one(1), four(4);
  const KdTree a = tree_of(cloud, one), b = tree_of(cloud, four);
  for (size_t place = 0; place < cloud.size(); ++place) CHECK_EQ(a.index(place), b.index(place));
}

TEST(a_cancelled_tree_is_none) {
  Executor executor(2);
  CancelToken token;
  token.cancel();
  const PointCloud cloud = clouds::cube(1000, 1, 12);
  CHECK(KdTree::build(cloud.positions.data(), cloud.size(), executor, &token).status().code() == Code::kAborted);
}

TEST_MAIN()
