// What the trainer of shape models is made of: pairs of pixels, threads, kernels.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "core/aligned.h"
#include "landmarks/train_kernels.h"
#include "landmarks/train_pool.h"
#include "landmarks/train_random.h"
#include "landmarks/train_team.h"
#include "tests/check.h"

using namespace lineament;

// Pairs come with probability ~ exp(−distance / lambda), both orders alike, never a pixel with itself.
TEST(near_pairs_are_preferred) {
  ShapeTrainingOptions options;
  options.feature_pool_size = 40;
  options.lambda = .2;
  ShapeModel model;
  model.points = 1;
  model.initial = {.5f, .5f};
  TrainPool pool;
  pool.draw({0, 0, 1, 1}, options, 0, &model);
  const size_t draws = 400000;
  std::vector<ShapeSplit> drawn(draws);
  pool.splits(options, 0, 0, draws, drawn.data());
  std::vector<double> found(40 * 40, 0), expected(40 * 40, 0);
  double thresholds = 0;
  for (const ShapeSplit& split : drawn) {
    found[split.first * 40u + split.second] += 1.0 / static_cast<double>(draws);
    thresholds += static_cast<double>(split.threshold);
    CHECK(split.threshold >= -64 && split.threshold < 64);
  }
  CHECK_NEAR(thresholds / static_cast<double>(draws), 0, .3);
  double all = 0;
  for (size_t i = 0; i < 40; ++i) {
    for (size_t j = 0; j < 40; ++j) {
      const double dx = static_cast<double>(model.deltas[2 * i] - model.deltas[2 * j]);
      const double dy = static_cast<double>(model.deltas[2 * i + 1] - model.deltas[2 * j + 1]);
      if (i != j) all += expected[i * 40 + j] = std::exp(-std::hypot(dx, dy) / options.lambda);
    }
  }
  for (size_t i = 0; i < found.size(); ++i) {
    const double p = expected[i] / all;
    CHECK_NEAR(found[i], p, 5 * std::sqrt(p / static_cast<double>(draws)) + 1e-9);
  }
}

TEST(a_tiny_lambda_still_gives_pairs) {
  ShapeTrainingOptions options;
  options.feature_pool_size = 120;
  options.lambda = 1e-6;
  ShapeModel model;
  model.points = 1;
  model.initial = {.5f, .5f};
  TrainPool pool;
  pool.draw({0, 0, 1, 1}, options, 0, &model);
  std::vector<ShapeSplit> drawn(1000);
  pool.splits(options, 0, 0, drawn.size(), drawn.data());
  for (const ShapeSplit& split : drawn) {
    CHECK(split.first != split.second);
    CHECK(split.first < 120 && split.second < 120);
  }
}

TEST(a_team_does_every_item_once) {
  for (const size_t threads : {size_t{1}, size_t{2}, size_t{7}}) {
    Team team(threads);
    std::vector<std::atomic<int>> done(97);
    for (int round = 0; round < 2000; ++round) {
      team.run(done.size() - static_cast<size_t>(round % 3), [&](size_t item, size_t member) {
        CHECK_EQ(member < team.size(), true);
        done[item].fetch_add(1);
      });
    }
    CHECK_EQ(done[0].load(), 2000);
    CHECK_EQ(done[94].load(), 2000);
    CHECK_EQ(done[95].load(), 1334);
    CHECK_EQ(done[96].load(), 667);
    std::atomic<size_t> many{0};
    team.run((size_t{1} << 20) + 5, [&](size_t item, size_t) { many.fetch_add(item & 1); });
    CHECK_EQ(many.load(), (size_t{1} << 19) + 2);
  }
}

// Whatever the SIMD level, kernels give the bits of the plain ones.
TEST(kernels_agree_with_plain_code) {
  const TrainKernels &fast = train_kernels(), &plain = kTrainKernelsScalar;
  Random random("kernels", 0, 0);
  constexpr size_t kCount = 203, kCells = 128;
  std::vector<uint8_t> first(kCount), second(kCount), inside(kCount);
  for (const int least : {-255, -63, -1, 0, 1, 2, 64, 255, 256}) {
    for (size_t i = 0; i < kCount; ++i) {
      first[i] = static_cast<uint8_t>(random.below(256));
      second[i] = static_cast<uint8_t>(random.below(4) == 0 ? first[i] : random.below(256));
      inside[i] = random.below(2) == 0 ? 0 : 255;
    }
    std::vector<uint8_t> a(kCount, 2), b(kCount, 2);
    fast.test(first.data(), second.data(), inside.data(), least, 16, kCount, a.data());
    plain.test(first.data(), second.data(), inside.data(), least, 16, kCount, b.data());
    for (size_t i = 0; i < kCount; ++i) {
      CHECK_EQ(int{a[i]}, inside[i] != 0 && first[i] - second[i] >= least ? 18 : 2);
      CHECK_EQ(int{a[i]}, int{b[i]});
    }
  }
  AlignedBuffer<float> rows(kCount * kTrainLanes), mine(8 * kCells * kTrainLanes), theirs(8 * kCells * kTrainLanes);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<float>(random.between(-1, 1));
  std::vector<uint16_t> words[8];
  const uint16_t* word[8];
  float *to[8], *other[8];
  for (size_t g = 0; g < 8; ++g) {
    for (size_t i = 0; i < kCount; ++i) words[g].push_back(static_cast<uint16_t>(random.below(kCells)));
    word[g] = words[g].data();
    to[g] = mine.data() + g * kCells * kTrainLanes;
    other[g] = theirs.data() + g * kCells * kTrainLanes;
  }
  const auto equal = [](const AlignedBuffer<float>& x, const AlignedBuffer<float>& y) {
    return std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0;
  };
  for (size_t groups = 1; groups <= 8; ++groups) {
    std::fill_n(mine.data(), mine.size(), 0.0f);
    std::fill_n(theirs.data(), theirs.size(), 0.0f);
    fast.add(rows.data(), word, to, groups, kCount);
    plain.add(rows.data(), word, other, groups, kCount);
    CHECK(equal(mine, theirs));
  }
  AlignedBuffer<float> left(8 * kTrainLanes), left2(8 * kTrainLanes), total(kTrainLanes), total2(kTrainLanes);
  double expected = 0;
  for (size_t c = 0; c < kCells; ++c) {
    if ((c & 4) != 0) expected += static_cast<double>(mine[c * kTrainLanes + 3]);
  }
  std::fill_n(left.data(), left.size(), 0.0f);
  std::fill_n(left2.data(), left2.size(), 0.0f);
  fast.fold(mine.data(), 7, left.data(), total.data());
  plain.fold(theirs.data(), 7, left2.data(), total2.data());
  CHECK(equal(left, left2) && equal(total, total2));
  CHECK_NEAR(static_cast<double>(left[2 * kTrainLanes + 3]), expected, 1e-4);
  AlignedBuffer<float> rows2(rows.size());
  std::copy_n(rows.data(), rows.size(), rows2.data());
  fast.subtract(rows.data(), word[0], mine.data(), kCount);
  plain.subtract(rows2.data(), word[0], mine.data(), kCount);
  CHECK(equal(rows, rows2));
}

TEST_MAIN()
