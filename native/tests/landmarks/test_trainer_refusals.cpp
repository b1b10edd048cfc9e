// What the trainer of shape models refuses, and how it says so.
#include <fstream>
#include <iterator>

#include "landmarks/train.h"
#include "tests/check.h"
#include "tests/landmarks/training_problem.h"

using namespace lineament;
using namespace training_problem;

TEST(refuses_a_checkpoint_that_does_not_fit) {
  Blobs blobs(20, 9);
  ShapeTrainingOptions options = small();
  options.cascade_depth = 1;
  options.trees_per_cascade = 5;
  options.checkpoint = scratch("refuse");
  const ShapeModel model = train(blobs.set, options);
  ShapeTrainingOptions other = options;
  other.seed = "another";
  CHECK(says(refusal(blobs.set, other), Code::kInvalidArgument, "other data or options"));
  blobs.pixels[3][100] ^= 1;
  CHECK(says(refusal(blobs.set, options), Code::kInvalidArgument, "other data or options"));
  blobs.pixels[3][100] ^= 1;
  CHECK(same(model, train(blobs.set, options)));

  std::ifstream in(options.checkpoint, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  in.close();
  const auto with = [&](const std::string& content) {
    std::ofstream(options.checkpoint, std::ios::binary) << content;
    return refusal(blobs.set, options);
  };
  for (const size_t at : {size_t{50}, bytes.size() / 2, bytes.size() - 1}) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 4);
    CHECK(says(with(changed), Code::kModelCorrupt, "damaged"));
  }
  for (const size_t size : {size_t{1}, size_t{39}, bytes.size() - 8, bytes.size() - 1}) {
    CHECK(says(with(bytes.substr(0, size)), Code::kModelCorrupt, "damaged"));
  }
  CHECK(says(with("something else altogether, long enough to be a header"), Code::kModelCorrupt, "damaged"));
  std::remove(options.checkpoint.c_str());
  options.checkpoint = "no/such/folder/checkpoint";
  options.trees_per_cascade = 60000;  // refused before that begins
  CHECK(refusal(blobs.set, options).code() == Code::kInvalidArgument);
}

TEST(refuses_bad_data) {
  const Blobs good(5, 17);
  const ShapeTrainingOptions options = small();
  const auto with = [&](auto change) {
    ShapeTrainingSet set = good.set;
    change(&set);
    return refusal(set, options);
  };
  using Set = ShapeTrainingSet;
  const Code bad = Code::kInvalidArgument;
  CHECK(says(refusal(Set{}, options), bad, "no face"));
  CHECK(says(with([](Set* s) { s->points.clear(); }), bad, "at least one"));
  CHECK(says(with([](Set* s) { s->points.pop_back(); }), bad, "same number"));
  CHECK(says(with([](Set* s) { s->boxes.pop_back(); }), bad, "boxes"));
  CHECK(says(with([](Set* s) { s->image_of[2] = 5; }), bad, "Face 2 (counted from 0) names image 5"));
  CHECK(says(with([](Set* s) { s->boxes[4] = kMissing; }), bad, "Face 1"));
  CHECK(says(with([](Set* s) { s->boxes[6] = 0; }), bad, "one pixel"));
  CHECK(says(with([](Set* s) { s->boxes[7] = 1; }), bad, "one pixel"));
  CHECK(says(with([](Set* s) { s->boxes[7] = -20; }), bad, "one pixel"));
  CHECK(says(with([](Set* s) { s->boxes[5] = std::numeric_limits<double>::infinity(); }), bad, "Face 1"));
  CHECK(says(with([](Set* s) { std::fill_n(s->points.begin() + 12, 12, kMissing); }), bad, "no annotated point"));
  CHECK(says(with([](Set* s) { s->points[3] = std::numeric_limits<double>::infinity(); }), bad, "point 1"));
  CHECK(says(with([](Set* s) { s->points[3] = 1e7; }), bad, "100 boxes"));
  CHECK(says(with([](Set* s) {
               for (size_t face = 0; face < 5; ++face) s->points[face * 12 + 8] = kMissing;
             }),
             bad, "Point 4 (counted from 0) is annotated on no face"));
  CHECK(says(with([](Set* s) { s->images[1].size = 10; }), bad, ""));
}

TEST(refuses_bad_options) {
  const Blobs good(5, 18);
  const auto with = [&](auto change) {
    ShapeTrainingOptions options = small();
    change(&options);
    return refusal(good.set, options);
  };
  using O = ShapeTrainingOptions;
  const Code bad = Code::kInvalidArgument;
  CHECK(says(with([](O* o) { o->cascade_depth = 0; }), bad, "cascadeDepth"));
  CHECK(says(with([](O* o) { o->tree_depth = 13; }), bad, "treeDepth"));
  CHECK(says(with([](O* o) { o->trees_per_cascade = 0; }), bad, "treesPerCascade"));
  CHECK(says(with([](O* o) { o->oversampling = 0; }), bad, "oversampling"));
  CHECK(says(with([](O* o) { o->feature_pool_size = 1; }), bad, "featurePoolSize"));
  CHECK(says(with([](O* o) { o->test_splits = 0; }), bad, "testSplits"));
  CHECK(says(with([](O* o) { o->nu = 0; }), bad, "nu"));
  CHECK(says(with([](O* o) { o->nu = kMissing; }), bad, "nu"));
  CHECK(says(with([](O* o) { o->lambda = 0; }), bad, "lambda"));
  CHECK(says(with([](O* o) { o->oversampling_translation_jitter = -1; }), bad, "Jitter"));
  CHECK(says(with([](O* o) { o->feature_pool_region_padding = -.5; }), bad, "Padding"));
  CHECK(says(with([](O* o) { o->feature_pool_region_padding = -.45; }), bad, "region"));
  CHECK(says(with([](O* o) { o->cascade_depth = 4096, o->trees_per_cascade = 65535, o->tree_depth = 12; }), bad,
             "leaves"));
}

TEST_MAIN()
