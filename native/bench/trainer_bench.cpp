// Our trainer of shape models against dlib's: the same faces, split and options, in turns, several seeds.
//   trainer_bench FACES TRAIN SEEDS FOLDER [cascades trees oversampling threads]
// FACES: for each face u32 width, height; width × height grey bytes; i32 box (left, top, width, height); 68 × i32 (x,
// y), pixel centres at whole numbers. The first TRAIN faces are learnt from, the others tested on. Both models are
// evaluated by our predictor, which reads dlib's files. Writes JSON to stdout.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/cpu.h"
#include "landmarks/shape_predictor.h"
#include "landmarks/train.h"
#if defined(LINEAMENT_WITH_DLIB)
#include "bench/dlib_trainer.h"
#endif

#if defined(LINEAMENT_WITH_DLIB)
namespace {

using namespace lineament;

constexpr size_t kPoints = 68;

bool read_faces(const char* path, std::vector<TrainingFace>* faces) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) return false;
  TrainingFace face;
  face.points.resize(2 * kPoints);
  bool whole = true;
  while (whole && std::fread(&face.width, 4, 1, file) == 1) {
    whole = std::fread(&face.height, 4, 1, file) == 1;
    face.pixels.resize(size_t{face.width} * face.height);
    whole = whole && std::fread(face.pixels.data(), 1, face.pixels.size(), file) == face.pixels.size() &&
            std::fread(face.box, 4, 4, file) == 4 &&
            std::fread(face.points.data(), 4, face.points.size(), file) == face.points.size();
    if (whole) faces->push_back(face);
  }
  std::fclose(file);
  return whole && !faces->empty();
}

ShapeTrainingSet training_set(const std::vector<TrainingFace>& faces) {
  ShapeTrainingSet set;
  for (const TrainingFace& face : faces) {
    set.image_of.push_back(static_cast<uint32_t>(set.images.size()));
    set.images.push_back({face.pixels.data(), face.pixels.size(), static_cast<int>(face.width),
                          static_cast<int>(face.height), face.width, PixelFormat::kGray});
    set.boxes.insert(set.boxes.end(), face.box, face.box + 4);
    for (const int32_t at : face.points) set.points.push_back(at + .5);
  }
  return set;
}

// Mean distance of the points from their truth, over the distance of the outer corners of the eyes.
double error_of(const ShapePredictor& model, const std::vector<TrainingFace>& faces) {
  const ShapeTrainingSet set = training_set(faces);
  double sum = 0;
  std::vector<double> found(2 * kPoints);
  for (size_t i = 0; i < faces.size(); ++i) {
    const Status status =
        model.predict(set.images[i], set.boxes.data() + 4 * i, 1, found.data(), ShapeGrey::kLuma, nullptr);
    if (!status.ok()) std::abort();
    const double* truth = set.points.data() + 2 * kPoints * i;
    const double eyes = std::hypot(truth[2 * 36] - truth[2 * 45], truth[2 * 36 + 1] - truth[2 * 45 + 1]);
    double distance = 0;
    for (size_t k = 0; k < kPoints; ++k) {
      distance += std::hypot(found[2 * k] - truth[2 * k], found[2 * k + 1] - truth[2 * k + 1]);
    }
    sum += distance / kPoints / eyes;
  }
  return sum / static_cast<double>(faces.size());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fprintf(stderr, "trainer_bench FACES TRAIN SEEDS FOLDER [cascades trees oversampling threads]\n");
    return 2;
  }
  std::vector<TrainingFace> faces;
  const auto number = [&](int at, unsigned long otherwise) {
    return argc > at ? std::strtoul(argv[at], nullptr, 10) : otherwise;
  };
  const size_t train = number(2, 0), seeds = number(3, 1);
  if (!read_faces(argv[1], &faces) || train == 0 || train >= faces.size()) {
    std::fprintf(stderr, "trainer_bench: no usable faces in %s\n", argv[1]);
    return 2;
  }
  const std::vector<TrainingFace> tests(faces.begin() + static_cast<std::ptrdiff_t>(train), faces.end());
  faces.resize(train);
  const ShapeTrainingSet set = training_set(faces);

  ShapeTrainingOptions ours;
  ours.cascade_depth = static_cast<uint32_t>(number(5, 10));
  ours.trees_per_cascade = static_cast<uint32_t>(number(6, 500));
  ours.oversampling = static_cast<uint32_t>(number(7, 20));
  const size_t threads = number(8, static_cast<unsigned long>(usable_cores()));
  const std::string file = std::string(argv[4]) + "/dlib.dat";

  std::printf("{\"simd\":\"%s\",\"threads\":%zu,\"train\":%zu,\"test\":%zu,\"runs\":[", simd_name(active_simd()),
              threads, faces.size(), tests.size());
  for (size_t seed = 0; seed < seeds; ++seed) {
    ours.seed = "seed " + std::to_string(seed);
    const DlibTraining theirs{ours.cascade_depth,
                              ours.trees_per_cascade,
                              ours.tree_depth,
                              ours.oversampling,
                              ours.feature_pool_size,
                              ours.test_splits,
                              threads,
                              ours.nu,
                              ours.lambda,
                              ours.feature_pool_region_padding,
                              ours.seed};
    const double dlib_seconds = train_with_dlib(faces, theirs, file);
    const auto start = std::chrono::steady_clock::now();
    Result<ShapeModel> trained = train_shape_model(set, ours, threads, {}, nullptr);
    const double our_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    const auto dlib_model = ShapePredictor::open(file, nullptr);
    if (!trained.ok() || !dlib_model.ok()) {
      std::fprintf(stderr, "trainer_bench: %s\n",
                   (trained.ok() ? dlib_model.status() : trained.status()).message().c_str());
      return 1;
    }
    const auto our_model = ShapePredictor::make(std::move(trained.value()));
    if (!our_model.ok()) return 1;
    std::printf(
        "%s{\"seconds\":%.6f,\"dlibSeconds\":%.6f,\"error\":%.8f,\"dlibError\":%.8f,\"trainError\":%.8f,"
        "\"dlibTrainError\":%.8f}",
        seed == 0 ? "" : ",", our_seconds, dlib_seconds, error_of(*our_model.value(), tests),
        error_of(*dlib_model.value(), tests), error_of(*our_model.value(), faces),
        error_of(*dlib_model.value(), faces));
    std::fflush(stdout);
  }
  std::printf("]}\n");
  return 0;
}
#else
int main() {
  std::fprintf(stderr, "trainer_bench: built without dlib (Debian: libdlib-dev)\n");
  return 2;
}
#endif
