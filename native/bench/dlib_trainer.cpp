#include "bench/dlib_trainer.h"

#include <dlib/array2d.h>
#include <dlib/image_processing/shape_predictor_trainer.h>

#include <algorithm>
#include <chrono>

double train_with_dlib(const std::vector<TrainingFace>& faces, const DlibTraining& options, const std::string& file) {
  dlib::array<dlib::array2d<unsigned char>> images;
  std::vector<std::vector<dlib::full_object_detection>> objects;
  images.resize(faces.size());
  for (size_t i = 0; i < faces.size(); ++i) {
    const TrainingFace& face = faces[i];
    images[i].set_size(face.height, face.width);
    for (uint32_t y = 0; y < face.height; ++y) {
      std::copy_n(face.pixels.data() + size_t{y} * face.width, face.width, &images[i][y][0]);
    }
    const dlib::rectangle box(face.box[0], face.box[1], face.box[0] + face.box[2] - 1, face.box[1] + face.box[3] - 1);
    std::vector<dlib::point> parts;
    for (size_t k = 0; k < face.points.size(); k += 2) parts.emplace_back(face.points[k], face.points[k + 1]);
    objects.push_back({dlib::full_object_detection(box, parts)});
  }
  dlib::shape_predictor_trainer trainer;
  trainer.set_cascade_depth(options.cascades);
  trainer.set_num_trees_per_cascade_level(options.trees);
  trainer.set_tree_depth(options.depth);
  trainer.set_oversampling_amount(options.oversampling);
  trainer.set_feature_pool_size(options.features);
  trainer.set_num_test_splits(options.tests);
  trainer.set_nu(options.nu);
  trainer.set_lambda(options.lambda);
  trainer.set_feature_pool_region_padding(options.padding);
  trainer.set_num_threads(options.threads);
  trainer.set_random_seed(options.seed);
  const auto start = std::chrono::steady_clock::now();
  const dlib::shape_predictor model = trainer.train(images, objects);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  dlib::serialize(file) << model;
  return seconds;
}
