// The trainer of shape models: that it learns, and that what it learns depends on the seed alone.
#include "landmarks/shape_predictor.h"
#include "landmarks/train.h"
#include "tests/check.h"
#include "tests/landmarks/training_problem.h"

using namespace lineament;
using namespace training_problem;

namespace {

// Mean distance in pixels to the truth; over the annotated points, or where `wanted` is given over that point alone.
double error_of(ShapeModel model, const ShapeTrainingSet& set, size_t wanted = kPoints) {
  const auto made = ShapePredictor::make(std::move(model));
  CHECK(made.ok());
  if (!made.ok()) return kMissing;
  double sum = 0;
  size_t count = 0;
  for (size_t face = 0; face < set.image_of.size(); ++face) {
    double found[2 * kPoints];
    CHECK(
        made.value()
            ->predict(set.images[set.image_of[face]], set.boxes.data() + 4 * face, 1, found, ShapeGrey::kLuma, nullptr)
            .ok());
    for (size_t i = 0; i < kPoints; ++i) {
      const double* truth = set.points.data() + 2 * (face * kPoints + i);
      if (std::isnan(truth[0]) || (wanted < kPoints && wanted != i)) continue;
      sum += std::hypot(found[2 * i] - truth[0], found[2 * i + 1] - truth[1]);
      ++count;
    }
  }
  return sum / static_cast<double>(count);
}

ShapeModel mean_only(const ShapeModel& model) {
  ShapeModel out = model;
  std::fill(out.leaves.begin(), out.leaves.end(), 0.0f);
  return out;
}

}  // namespace

TEST(learns_points_from_pixels) {
  const Blobs train_blobs(120, 1), test_blobs(40, 2);
  const ShapeModel model = train(train_blobs.set, small());
  const double before = error_of(mean_only(model), test_blobs.set), after = error_of(model, test_blobs.set);
  CHECK(before > 5);  // pixels: the problem is one
  CHECK(after < before / 3);
  CHECK(error_of(model, train_blobs.set) < before / 4);
}

TEST(reports_an_error_that_falls) {
  const Blobs blobs(60, 3);
  std::vector<ShapeTrainingProgress> seen;
  const ShapeModel model = train(blobs.set, small(), 2, [&](const ShapeTrainingProgress& p) { seen.push_back(p); });
  CHECK(!seen.empty());
  if (seen.empty()) return;
  CHECK_EQ(seen.back().cascade, 4u);
  CHECK_EQ(seen.back().cascades, 4u);
  CHECK_EQ(seen.back().tree, 60u);
  CHECK_EQ(seen.back().trees, 60u);
  CHECK(!seen.back().resumed);
  CHECK(seen.back().error > 0);
  CHECK(seen.back().error < seen.front().error);
}

TEST(does_not_depend_on_the_number_of_threads) {
  const Blobs blobs(70, 4);
  const ShapeModel one = train(blobs.set, small(), 1);
  CHECK(same(one, train(blobs.set, small(), 2)));
  CHECK(same(one, train(blobs.set, small(), 5)));
}

TEST(depends_on_the_seed) {
  const Blobs blobs(30, 5);
  ShapeTrainingOptions other = small();
  other.seed = "another";
  CHECK(!same(train(blobs.set, small()), train(blobs.set, other)));
}

// Fewer tests than bits, more than one batch of codes, trees whose last levels leave the wide path, more nodes than
// samples.
TEST(handles_every_shape_of_tree) {
  const Blobs blobs(40, 6);
  for (const uint32_t tests : {1u, 3u, 20u, 200u}) {
    for (const uint32_t depth : {1u, 4u, 8u}) {
      ShapeTrainingOptions options = small();
      options.cascade_depth = 1;
      options.trees_per_cascade = 6;
      options.nu = .5;
      options.tree_depth = depth;
      options.test_splits = tests;
      const ShapeModel model = train(blobs.set, options, 1);
      CHECK_EQ(model.splits.size(), 6 * model.splits_per_tree());
      CHECK(same(model, train(blobs.set, options, 3)));
      CHECK(error_of(model, blobs.set) < error_of(mean_only(model), blobs.set));
    }
  }
}

// Leaves of the first tree against the definition: mean residual of the samples that end there, times nu.
TEST(leaves_are_mean_residuals) {
  const Blobs blobs(50, 7);
  ShapeTrainingOptions options = small();
  options.cascade_depth = 1;
  options.trees_per_cascade = 1;
  options.oversampling = 1;  // the mean shape only
  const ShapeModel model = train(blobs.set, options);
  std::vector<double> sums(model.leaves.size(), 0);
  std::vector<size_t> counts(model.leaves_per_tree(), 0);
  for (size_t face = 0; face < 50; ++face) {
    const auto pixel = [&](size_t f) {
      const float* anchor = model.initial.data() + 2 * size_t{model.anchors[f]};
      const double x = std::floor(static_cast<double>(anchor[0] + model.deltas[2 * f]) * 80 + 8 + .5);
      const double y = std::floor(static_cast<double>(anchor[1] + model.deltas[2 * f + 1]) * 80 + 8 + .5);
      if (x < 0 || y < 0 || x >= kSide || y >= kSide) return 0.0f;
      return static_cast<float>(blobs.pixels[face][static_cast<size_t>(y) * kSide + static_cast<size_t>(x)]);
    };
    size_t at = 0;
    while (at < model.splits_per_tree()) {
      const ShapeSplit& split = model.splits[at];
      at = 2 * at + (pixel(split.first) - pixel(split.second) > split.threshold ? 1 : 2);
    }
    const size_t leaf = at - model.splits_per_tree();
    ++counts[leaf];
    for (size_t k = 0; k < 2 * kPoints; ++k) {
      const double unit = (blobs.set.points[face * 2 * kPoints + k] - 8.5) / 80;
      sums[leaf * 2 * kPoints + k] += unit - static_cast<double>(model.initial[k]);
    }
  }
  for (size_t i = 0; i < sums.size(); ++i) {
    const size_t count = counts[i / (2 * kPoints)];
    const double expected = count == 0 ? 0 : options.nu * sums[i] / static_cast<double>(count);
    CHECK_NEAR(static_cast<double>(model.leaves[i]), expected, 1e-5);
  }
}

TEST(goes_on_from_a_checkpoint_to_the_same_bits) {
  Blobs blobs(40, 8);
  for (size_t face = 0; face < 40; face += 3) blobs.set.points[face * 2 * kPoints + 4] = kMissing;
  ShapeTrainingOptions options = small();
  const ShapeModel whole = train(blobs.set, options, 2);
  options.checkpoint = scratch("resume");
  ShapeTrainingOptions part = options;
  part.cascade_depth = 2;
  train(blobs.set, part, 1);
  CancelToken token;
  const auto stop = [&](const ShapeTrainingProgress& p) {
    CHECK(p.resumed);
    token.cancel();
  };
  CHECK(train_shape_model(blobs.set, options, 2, stop, &token).status().code() == Code::kAborted);
  bool resumed = true;
  size_t reports = 0;
  const ShapeModel continued = train(blobs.set, options, 2, [&](const ShapeTrainingProgress& p) {
    resumed = resumed && p.resumed;
    ++reports;
  });
  CHECK(resumed && reports > 0);
  CHECK(same(whole, continued));
  CHECK(same(whole, train(blobs.set, options, 1)));  // all done: read from the file
  ShapeTrainingOptions fresh = part;
  fresh.checkpoint.clear();
  CHECK(same(train(blobs.set, fresh), train(blobs.set, part)));  // the first cascades of a longer one
  std::remove(options.checkpoint.c_str());
}

TEST(points_that_are_not_annotated_do_not_count) {
  const Blobs whole(120, 10), test_blobs(40, 11);
  Blobs gaps(120, 10);
  Random random("gaps", 0, 0);
  for (size_t i = 0; i < 120 * kPoints; ++i) {
    if (random.unit() < .25)
      gaps.set.points[2 * i + (random.unit() < .5 ? 0 : 1)] = kMissing;  // one coordinate suffices
  }
  const ShapeModel model = train(gaps.set, small());
  CHECK(same(model, train(gaps.set, small(), 3)));
  const double before = error_of(mean_only(model), test_blobs.set);
  CHECK(error_of(model, test_blobs.set) < before / 2.5);
}

// A point that only a few faces have is learnt from those, as if the others were not there.
TEST(a_rare_point_is_learnt_from_its_faces) {
  Blobs blobs(120, 12);
  const Blobs test_blobs(40, 13);
  for (size_t face = 0; face < 120; ++face) {
    if (face % 4 == 0) continue;
    blobs.set.points[(face * kPoints + 5) * 2] = kMissing;
  }
  const ShapeModel model = train(blobs.set, small());
  CHECK(error_of(model, test_blobs.set, 5) < error_of(mean_only(model), test_blobs.set, 5) / 2);
}

TEST(colour_and_stride_are_read_in_place) {
  const Blobs blobs(25, 14);
  ShapeTrainingOptions options = small();
  options.trees_per_cascade = 10;
  const ShapeModel gray = train(blobs.set, options);
  ShapeTrainingSet colour = blobs.set;
  std::vector<std::vector<uint8_t>> wide;
  constexpr size_t kStride = kSide * 3 + 7;
  for (size_t face = 0; face < 25; ++face) {
    std::vector<uint8_t> picture(kStride * kSide);
    for (size_t i = 0; i < kSide * kSide; ++i) {
      for (size_t c = 0; c < 3; ++c) picture[i / kSide * kStride + i % kSide * 3 + c] = blobs.pixels[face][i];
    }
    wide.push_back(std::move(picture));
    colour.images[face] = {wide[face].data(), wide[face].size(), kSide, kSide, kStride, PixelFormat::kBgr};
  }
  CHECK(same(gray, train(colour, options)));
}

TEST(one_point_models_and_jitter) {
  Blobs blobs(40, 15);
  ShapeTrainingSet one = blobs.set;
  one.points.clear();
  for (size_t face = 0; face < 40; ++face) {
    one.points.insert(one.points.end(), {blobs.set.points[face * 12 + 4], blobs.set.points[face * 12 + 5]});
  }
  ShapeTrainingOptions options = small();
  options.feature_pool_region_padding = 0;
  CHECK(says(refusal(one, options), Code::kInvalidArgument, "featurePoolRegionPadding"));
  options.box_padding = true;
  options.oversampling_translation_jitter = .05;
  const ShapeModel model = train(one, options);
  CHECK_EQ(model.points, 1u);
  CHECK(same(model, train(one, options, 4)));
}

TEST(stops_when_cancelled) {
  const Blobs blobs(60, 16);
  ShapeTrainingOptions options = small();
  options.trees_per_cascade = 60000;  // hours
  CancelToken token;
  const auto stop = [&](const ShapeTrainingProgress&) { token.cancel(); };
  CHECK(train_shape_model(blobs.set, options, 2, stop, &token).status().code() == Code::kAborted);
  CHECK(train_shape_model(blobs.set, options, 2, {}, &token).status().code() == Code::kAborted);
}

TEST_MAIN()
