// Thinning and outliers beside what the definitions say, point by point.
#include <algorithm>
#include <map>
#include <tuple>

#include "cloud/cells.h"
#include "cloud/outliers.h"
#include "cloud/voxels.h"
#include "tests/check.h"
#include "tests/cloud/clouds.h"

using namespace lineament;

namespace {

PointCloud with_everything(size_t count, uint32_t seed) {
  PointCloud cloud = clouds::face(count, 0.2, seed);
  for (const float v : clouds::cube(count / 50, 600, seed + 1).positions) cloud.positions.push_back(v - 100);
  clouds::colour(cloud, seed);
  for (size_t i = 0; i < cloud.size(); ++i) {
    const auto angle = static_cast<float>(i);
    cloud.normals.insert(cloud.normals.end(), {std::cos(angle), std::sin(angle), 0});
  }
  return cloud;
}

// What voxel_means promises, in the plainest way.
PointCloud plain_means(const CloudView& cloud, double size) {
  double low[3] = {1e300, 1e300, 1e300};
  for (size_t i = 0; i < 3 * cloud.size; ++i)
    low[i % 3] = std::min(low[i % 3], static_cast<double>(cloud.positions[i]));
  using Key = std::tuple<int64_t, int64_t, int64_t>;
  std::map<Key, std::vector<size_t>> cells;
  std::vector<Key> order;
  for (size_t i = 0; i < cloud.size; ++i) {
    const auto at = [&](size_t c) {
      const double origin = low[c] - size * 0.5;
      return static_cast<int64_t>(std::floor((static_cast<double>(cloud.positions[3 * i + c]) - origin) / size));
    };
    const Key key = {at(0), at(1), at(2)};
    if (!cells.contains(key)) order.push_back(key);
    cells[key].push_back(i);
  }
  PointCloud out;
  for (const Key& key : order) {
    double position[3] = {}, normal[3] = {}, colour[3] = {};
    const std::vector<size_t>& members = cells[key];
    for (const size_t i : members) {
      for (size_t c = 0; c < 3; ++c) {
        position[c] += static_cast<double>(cloud.positions[3 * i + c]);
        normal[c] += static_cast<double>(cloud.normals[3 * i + c]);
        colour[c] += cloud.colours[3 * i + c];
      }
    }
    const double length = std::sqrt(normal[0] * normal[0] + normal[1] * normal[1] + normal[2] * normal[2]);
    const auto count = static_cast<double>(members.size());
    for (size_t c = 0; c < 3; ++c) {
      out.positions.push_back(static_cast<float>(position[c] / count));
      out.normals.push_back(static_cast<float>(normal[c] / length));
      out.colours.push_back(static_cast<uint8_t>(std::floor(colour[c] / count + 0.5)));
    }
  }
  return out;
}

}  // namespace

TEST(voxel_means_are_those_of_the_definition) {
  Executor executor(2);
  const PointCloud cloud = with_everything(20000, 1);
  for (const double size : {0.05, 1.0, 2.5, 30.0, 5000.0}) {
    const PointCloud expected = plain_means(view(cloud), size);
    const auto found = voxel_means(view(cloud), size, executor, nullptr);
    CHECK(found.ok());
    CHECK_EQ(found.value().size(), expected.size());
    CHECK(found.value().positions == expected.positions);
    CHECK(found.value().colours == expected.colours);
    for (size_t i = 0; i < std::min(found.value().normals.size(), expected.normals.size()); ++i) {
      CHECK_NEAR(static_cast<double>(found.value().normals[i]), static_cast<double>(expected.normals[i]), 1e-6);
    }
  }
}

TEST(cells_too_many_to_number_are_refused) {
  Executor executor(2);
  const PointCloud cloud = clouds::cube(1000, 100, 2);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double size : {1e-6, 1e-30, 1e-310, 0.0, -1.0, nan, std::numeric_limits<double>::infinity()}) {
    CHECK(voxel_means(view(cloud), size, executor, nullptr).status().code() == Code::kInvalidArgument);
    CHECK(poisson_disk(view(cloud), size, 1, executor, nullptr).status().code() == Code::kInvalidArgument);
  }
  CHECK_EQ(voxel_means(view(cloud), 1e-4, executor, nullptr).value().size(), cloud.size());
  CHECK_EQ(voxel_means(view(cloud), 1e300, executor, nullptr).value().size(), size_t{1});
}

TEST(poisson_disks_keep_their_distance_and_leave_no_gap) {
  Executor executor(2);
  const PointCloud cloud = with_everything(5000, 3);
  for (const double radius : {2.0, 40.0, 4000.0}) {
    const auto found = poisson_disk(view(cloud), radius, 7, executor, nullptr);
    CHECK(found.ok());
    const std::vector<uint32_t>& kept = found.value();
    CHECK(std::is_sorted(kept.begin(), kept.end()));
    CHECK(!kept.empty());
    for (size_t i = 0; i < cloud.size(); ++i) {
      double nearest = 1e300;
      for (const uint32_t j : kept) {
        const double d = clouds::squared(&cloud.positions[3 * i], &cloud.positions[3 * size_t{j}]);
        if (j != i) nearest = std::min(nearest, d);
      }
      const bool chosen = std::binary_search(kept.begin(), kept.end(), i);
      CHECK(chosen ? nearest >= radius * radius : nearest < radius * radius);
    }
    CHECK(kept == poisson_disk(view(cloud), radius, 7, executor, nullptr).value());
  }
  CHECK(poisson_disk(view(cloud), 4, 7, executor, nullptr).value() !=
        poisson_disk(view(cloud), 4, 8, executor, nullptr).value());
}

TEST(statistical_inliers_are_those_of_the_definition) {
  Executor executor(2);
  const PointCloud cloud = with_everything(3000, 4);
  for (const auto& [neighbours, ratio] : {std::pair<size_t, double>{20, 2.0}, {5, 0.5}, {2, 1.0}}) {
    std::vector<double> means;
    for (size_t i = 0; i < cloud.size(); ++i) {
      std::vector<double> all;
      for (size_t j = 0; j < cloud.size(); ++j) {
        all.push_back(std::sqrt(clouds::squared(&cloud.positions[3 * i], &cloud.positions[3 * j])));
      }
      std::sort(all.begin(), all.end());
      double sum = 0;
      for (size_t k = 0; k < neighbours; ++k) sum += all[k];
      means.push_back(sum / static_cast<double>(neighbours));
    }
    double mean = 0, squares = 0;
    for (const double m : means) mean += m / static_cast<double>(means.size());
    for (const double m : means) squares += (m - mean) * (m - mean);
    const double limit = mean + ratio * std::sqrt(squares / static_cast<double>(means.size() - 1));
    std::vector<uint32_t> expected;
    for (size_t i = 0; i < means.size(); ++i) {
      if (means[i] < limit) expected.push_back(static_cast<uint32_t>(i));
    }
    CHECK(statistical_inliers(view(cloud), neighbours, ratio, executor, nullptr).value() == expected);
    CHECK(expected.size() < cloud.size());
  }
}

TEST(radius_inliers_are_those_of_the_definition) {
  Executor executor(2);
  const PointCloud cloud = with_everything(3000, 5);
  for (const auto& [neighbours, radius] : {std::pair<size_t, double>{4, 5.0}, {16, 10.0}, {1, 0.5}, {100000, 9.0}}) {
    std::vector<uint32_t> expected;
    for (size_t i = 0; i < cloud.size(); ++i) {
      size_t near = 0;
      for (size_t j = 0; j < cloud.size(); ++j) {
        if (clouds::squared(&cloud.positions[3 * i], &cloud.positions[3 * j]) < radius * radius) ++near;
      }
      if (near > neighbours) expected.push_back(static_cast<uint32_t>(i));
    }
    CHECK(radius_inliers(view(cloud), neighbours, radius, executor, nullptr).value() == expected);
  }
}

TEST(small_and_flat_clouds) {
  Executor executor(2);
  const PointCloud empty;
  CHECK(voxel_means(view(empty), 1, executor, nullptr).value().positions.empty());
  CHECK(poisson_disk(view(empty), 1, 1, executor, nullptr).value().empty());
  CHECK(statistical_inliers(view(empty), 20, 2, executor, nullptr).value().empty());
  CHECK(radius_inliers(view(empty), 1, 1, executor, nullptr).value().empty());
  PointCloud same;
  for (int i = 0; i < 1000; ++i) clouds::push(same, -3, 4, 5);
  CHECK(voxel_means(view(same), 1, executor, nullptr).value().positions == std::vector<float>({-3, 4, 5}));
  CHECK_EQ(poisson_disk(view(same), 1, 1, executor, nullptr).value().size(), size_t{1});
  CHECK_EQ(statistical_inliers(view(same), 20, 2, executor, nullptr).value().size(), same.size());
  CHECK_EQ(radius_inliers(view(same), 999, 1, executor, nullptr).value().size(), same.size());
  CHECK_EQ(radius_inliers(view(same), 1000, 1, executor, nullptr).value().size(), size_t{0});
  PointCloud two;
  clouds::push(two, 0, 0, 0);
  clouds::push(two, 10, 0, 0);
  CHECK_EQ(statistical_inliers(view(two), 20, 1, executor, nullptr).value().size(),
           size_t{2});  // k above n; all as far
  CHECK_EQ(radius_inliers(view(two), 1, 5, executor, nullptr).value().size(), size_t{0});
  CHECK_EQ(voxel_means(view(two), 21, executor, nullptr).value().size(), size_t{1});
  PointCloud line;
  for (int i = 0; i < 500; ++i) clouds::push(line, i, 0, 0);
  CHECK_EQ(poisson_disk(view(line), 10, 3, executor, nullptr).value().size() > 25, true);
}

TEST(huge_coordinates_work_up_to_the_limit) {
  Executor executor(2);
  PointCloud far = clouds::cube(5000, 1, 6);
  for (size_t i = 0; i < far.positions.size(); ++i) far.positions[i] = (far.positions[i] - 0.5F) * 2e9F;
  CHECK(voxel_means(view(far), 1e6, executor, nullptr).ok());
  CHECK(statistical_inliers(view(far), 20, 2, executor, nullptr).value().size() > 4000);
  CHECK_EQ(radius_inliers(view(far), 1, 4e9, executor, nullptr).value().size(), far.size());
  for (const PointCloud& bad : clouds::faulty()) {
    CHECK(voxel_means(view(bad), 1, executor, nullptr).status().code() == Code::kInvalidArgument);
    CHECK(poisson_disk(view(bad), 1, 1, executor, nullptr).status().code() == Code::kInvalidArgument);
    CHECK(statistical_inliers(view(bad), 20, 2, executor, nullptr).status().code() == Code::kInvalidArgument);
    CHECK(radius_inliers(view(bad), 2, 1, executor, nullptr).status().code() == Code::kInvalidArgument);
  }
}

TEST(bad_rules_are_refused) {
  Executor executor(2);
  const PointCloud cloud = clouds::cube(100, 1, 7);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [k, ratio] : {std::pair<size_t, double>{0, 1.0}, {1025, 1.0}, {5, 0.0}, {5, -1.0}, {5, nan}}) {
    CHECK(statistical_inliers(view(cloud), k, ratio, executor, nullptr).status().code() == Code::kInvalidArgument);
  }
  for (const auto& [k, radius] : {std::pair<size_t, double>{0, 1.0}, {5, 0.0}, {5, -1.0}, {5, nan}}) {
    CHECK(radius_inliers(view(cloud), k, radius, executor, nullptr).status().code() == Code::kInvalidArgument);
  }
}

TEST(filters_give_the_same_for_any_number_of_threads_and_stop_when_asked) {
  const PointCloud cloud = with_everything(60000, 8);
  Executor one(1), four(4);
  CHECK(voxel_means(view(cloud), 1, one, nullptr).value().positions ==
        voxel_means(view(cloud), 1, four, nullptr).value().positions);
  CHECK(poisson_disk(view(cloud), 2, 1, one, nullptr).value() ==
        poisson_disk(view(cloud), 2, 1, four, nullptr).value());
  CHECK(statistical_inliers(view(cloud), 20, 2, one, nullptr).value() ==
        statistical_inliers(view(cloud), 20, 2, four, nullptr).value());
  CHECK(radius_inliers(view(cloud), 9, 2, one, nullptr).value() ==
        radius_inliers(view(cloud), 9, 2, four, nullptr).value());
  CancelToken token;
  token.cancel();
  CHECK(voxel_means(view(cloud), 1, one, &token).status().code() == Code::kAborted);
  CHECK(poisson_disk(view(cloud), 1, 1, one, &token).status().code() == Code::kAborted);
  CHECK(statistical_inliers(view(cloud), 20, 2, one, &token).status().code() == Code::kAborted);
  CHECK(radius_inliers(view(cloud), 9, 2, one, &token).status().code() == Code::kAborted);
}

TEST_MAIN()
