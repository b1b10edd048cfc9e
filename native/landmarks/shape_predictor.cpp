#include "landmarks/shape_predictor.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <utility>

#if defined(__SSE4_1__)
#include <smmintrin.h>
#endif

#include "core/aligned.h"
#include "core/atomic_file.h"
#include "image/sample.h"
#include "landmarks/compact_shape.h"
#include "landmarks/dlib_shape.h"
#include "landmarks/pixel_source.h"
#include "landmarks/shape_check.h"
#include "landmarks/shape_kernels_select.h"

namespace lineament {
namespace {

constexpr double kMostBox = 1e9;
// Faces that go through a cascade together: its leaves are then read from memory once for all of them.
constexpr size_t kGroup = 64;

using Opened = Result<std::shared_ptr<const ShapePredictor>>;

// The rotation and scale that carry the mean shape onto `shape` with the least squares (Umeyama 1991; in the plane a
// complex division): x' = a x − b y, y' = b x + a y.
struct Turn {
  float a = 1, b = 0;
};

Turn turn_to(const std::vector<double>& centred, double norm, const float* shape) {
  const size_t values = centred.size();
  if (values <= 2 || !(norm > 0)) return {};
  double mx = 0, my = 0;
  for (size_t k = 0; k < values; k += 2) {
    mx += static_cast<double>(shape[k]);
    my += static_cast<double>(shape[k + 1]);
  }
  mx /= static_cast<double>(values / 2);
  my /= static_cast<double>(values / 2);
  double re = 0, im = 0;
  for (size_t k = 0; k < values; k += 2) {
    const double px = centred[k], py = centred[k + 1];
    const double qx = static_cast<double>(shape[k]) - mx, qy = static_cast<double>(shape[k + 1]) - my;
    re += px * qx + py * qy;
    im += px * qy - py * qx;
  }
  return {static_cast<float>(re / norm), static_cast<float>(im / norm)};
}

// Begins to bring a row closer, so that its way overlaps with the walk down the next trees. Its beginning only: the
// walk is quicker than memory, and a processor drops requests beyond the two dozen or so that it keeps track of. The
// kernels ask for the rest.
void ask_for(const void* memory, size_t bytes) {
#if defined(__GNUC__)
  constexpr size_t kLine = 64, kMost = 4 * kLine;
  bytes = std::min(bytes, kMost);
  for (size_t i = 0; i < bytes; i += kLine) __builtin_prefetch(static_cast<const char*>(memory) + i, 0, 2);
#else
  (void)memory, (void)bytes;
#endif
}

// The columns (or rows) of the pixels that hold the places; below 0 where that is far off every image, or no number at
// all.
void to_pixels(const float* places, size_t count, double scale, double offset, int32_t* pixels) {
  constexpr double kFar = 1 << 30;
  size_t i = 0;
#if defined(__SSE4_1__)
  const __m128d scales = _mm_set1_pd(scale), offsets = _mm_set1_pd(offset), half = _mm_set1_pd(0.5);
  const auto pair = [&](__m128 two) {  // what does not fit an integer becomes the most negative one
    const __m128d v = _mm_add_pd(_mm_add_pd(_mm_mul_pd(_mm_cvtps_pd(two), scales), offsets), half);
    return _mm_cvttpd_epi32(_mm_floor_pd(v));
  };
  for (; i + 4 <= count; i += 4) {
    const __m128 four = _mm_loadu_ps(places + i);
    const __m128i whole = _mm_unpacklo_epi64(pair(four), pair(_mm_movehl_ps(four, four)));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(pixels + i), whole);
  }
#endif
  for (; i < count; ++i) {
    double v = std::floor(static_cast<double>(places[i]) * scale + offset + 0.5);
    v = v > -1 ? v : -1;
    v = v < kFar ? v : -1;
    pixels[i] = static_cast<int32_t>(v);
  }
}

}  // namespace

struct ShapePredictor::Scratch {
  AlignedBuffer<float> shapes;      // of a group
  AlignedBuffer<float> places;      // x and y of the features of a face
  AlignedBuffer<int32_t> pixels;    // their columns and rows
  AlignedBuffer<int32_t> features;  // of a face
  AlignedBuffer<int32_t> sums;
  AlignedBuffer<const void*> rows;  // of a face, one for each tree

  bool reset(const ShapeModel& model, size_t group) {
    return shapes.reset(group * model.values()) && places.reset(2 * size_t{model.features}) &&
           pixels.reset(2 * size_t{model.features}) && features.reset(model.features) && sums.reset(model.values()) &&
           rows.reset(model.trees);
  }
};

Opened ShapePredictor::open(const std::string& path, const CancelToken* cancel) {
  Result<MappedFile> mapped = MappedFile::open(path);
  if (!mapped.ok()) return mapped.status();
  MappedFile file = std::move(mapped.value());
  const auto named = [&path](const Status& s) { return Status(s.code(), path + ": " + s.message()); };
  if (looks_like_compact_shape(file.data(), file.size())) {
    Result<CompactShape> read = read_compact_shape(file.data(), file.size());
    if (!read.ok()) return named(read.status());
    file.will_need(read.value().leaves_offset);
    return over(std::move(read.value()), std::move(file));
  }
  if (!looks_like_dlib_shape(file.data(), file.size())) {
    return Status(Code::kModelCorrupt, path + " is neither a dlib shape predictor nor a compact shape model");
  }
  Result<ShapeModel> read = read_dlib_shape(file.data(), file.size(), cancel);
  if (!read.ok()) return named(read.status());
  std::shared_ptr<ShapePredictor> made(new ShapePredictor);
  made->format_ = ShapeFormat::kDlib;
  made->model_ = std::move(read.value());
  made->prepare();
  return std::shared_ptr<const ShapePredictor>(std::move(made));
}

std::shared_ptr<const ShapePredictor> ShapePredictor::over(CompactShape compact, MappedFile file) {
  std::shared_ptr<ShapePredictor> made(new ShapePredictor);
  made->format_ = ShapeFormat::kCompact;
  made->model_ = std::move(compact.model);
  made->compact_ = std::move(compact);
  made->file_ = std::move(file);
  made->prepare();
  return made;
}

Opened ShapePredictor::make(ShapeModel model) {
  if (Status s = check_shape_model(model, true); !s.ok()) return s;
  std::shared_ptr<ShapePredictor> made(new ShapePredictor);
  made->model_ = std::move(model);
  made->prepare();
  return std::shared_ptr<const ShapePredictor>(std::move(made));
}

void ShapePredictor::prepare() {
  const auto pack = [this](auto* nodes) {
    nodes->reserve(model_.splits.size());
    for (const ShapeSplit& split : model_.splits) {
      const float threshold = std::clamp(std::floor(split.threshold), -256.0f, 255.0f);
      nodes->emplace_back(split.first, split.second, static_cast<int32_t>(threshold));
    }
  };
  if (model_.features <= Node::kFeatures) {
    pack(&nodes_);
  } else {
    pack(&wide_);
  }
  const size_t values = model_.values();
  double mx = 0, my = 0;
  for (size_t k = 0; k < values; k += 2) {
    mx += static_cast<double>(model_.initial[k]);
    my += static_cast<double>(model_.initial[k + 1]);
  }
  mx /= model_.points;
  my /= model_.points;
  for (size_t k = 0; k < values; ++k) {
    centred_.push_back(static_cast<double>(model_.initial[k]) - (k % 2 == 0 ? mx : my));
    norm_ += centred_.back() * centred_.back();
  }
}

size_t ShapePredictor::bytes() const {
  const auto of = [](const auto& v) { return v.capacity() * sizeof(v[0]); };
  return compact_.size + of(model_.initial) + of(model_.anchors) + of(model_.deltas) + of(model_.splits) +
         of(model_.leaves) + of(nodes_) + of(wide_) + of(centred_) + of(compact_.scales) + of(compact_.shifts);
}

template <typename Source>
void ShapePredictor::look(const Source& source, size_t cascade, const double* box, const float* shape,
                          Scratch* scratch) const {
  const Turn turn = turn_to(centred_, norm_, shape);
  const size_t count = model_.features;
  const uint16_t* anchors = model_.anchors.data() + cascade * count;
  const float* deltas = model_.deltas.data() + 2 * cascade * count;
  float *x = scratch->places.data(), *y = x + count;
  int32_t *columns = scratch->pixels.data(), *rows = columns + count;
  // In loops of their own, which the compiler can make vectors of.
  for (size_t i = 0; i < count; ++i) {
    x[i] = shape[2 * size_t{anchors[i]}];
    y[i] = shape[2 * size_t{anchors[i]} + 1];
  }
  for (size_t i = 0; i < count; ++i) {
    const float dx = deltas[2 * i], dy = deltas[2 * i + 1];
    x[i] = turn.a * dx - turn.b * dy + x[i];
    y[i] = turn.b * dx + turn.a * dy + y[i];
  }
  to_pixels(x, count, box[2] - 1, box[0], columns);
  to_pixels(y, count, box[3] - 1, box[1], rows);
  int32_t* features = scratch->features.data();
  for (size_t i = 0; i < count; ++i) features[i] = source.at(columns[i], rows[i]);
}

template <typename T, typename N, int kDepth>
void ShapePredictor::walk(const T* leaves, const N* nodes, size_t cascade, const int32_t* features,
                          const T** rows) const {
  const size_t depth = kDepth > 0 ? size_t{kDepth} : model_.depth;
  const size_t splits = (size_t{1} << depth) - 1, row = model_.values();
  nodes += cascade * model_.trees * splits;
  leaves += cascade * model_.trees * (splits + 1) * row;
  for (size_t tree = 0; tree < model_.trees; ++tree) {
    size_t at = 0;
    for (size_t level = 0; level < depth; ++level) {
      const N node = nodes[at];
      at = 2 * at + 2 - static_cast<size_t>(features[node.first()] - features[node.second()] > node.threshold());
    }
    rows[tree] = leaves + (at - splits) * row;
    ask_for(rows[tree], row * sizeof(T));
    nodes += splits;
    leaves += (splits + 1) * row;
  }
}

template <typename T, typename N>
void ShapePredictor::walk(const T* leaves, const N* nodes, size_t cascade, const int32_t* features,
                          const T** rows) const {
  switch (model_.depth) {
    case 2:
      return walk<T, N, 2>(leaves, nodes, cascade, features, rows);
    case 3:
      return walk<T, N, 3>(leaves, nodes, cascade, features, rows);
    case 4:
      return walk<T, N, 4>(leaves, nodes, cascade, features, rows);
    case 5:
      return walk<T, N, 5>(leaves, nodes, cascade, features, rows);
    default:
      return walk<T, N, 0>(leaves, nodes, cascade, features, rows);
  }
}

template <typename T>
void ShapePredictor::walk(const T* leaves, size_t cascade, const int32_t* features, const T** rows) const {
  if (wide_.empty()) return walk(leaves, nodes_.data(), cascade, features, rows);
  walk(leaves, wide_.data(), cascade, features, rows);
}

template <typename Source>
Status ShapePredictor::run(const Source& source, const double* boxes, size_t count, double* out,
                           const CancelToken* cancel) const {
  const size_t values = model_.values();
  const ShapeKernels& kernels = shape_kernels();
  Scratch scratch;
  if (!scratch.reset(model_, std::min(count, kGroup))) {
    return Status(Code::kOutOfMemory, "Out of memory while placing landmarks");
  }
  const int32_t* features = scratch.features.data();
  int32_t* sums = scratch.sums.data();
  for (size_t begin = 0; begin < count; begin += kGroup) {
    const size_t group = std::min(kGroup, count - begin);
    for (size_t i = 0; i < group; ++i) {
      std::copy(model_.initial.begin(), model_.initial.end(), scratch.shapes.data() + i * values);
    }
    for (size_t cascade = 0; cascade < model_.cascades; ++cascade) {
      for (size_t i = 0; i < group; ++i) {
        if (is_cancelled(cancel)) return Status(Code::kAborted, "Aborted");
        float* shape = scratch.shapes.data() + i * values;
        look(source, cascade, boxes + 4 * (begin + i), shape, &scratch);
        if (compact_.leaves == nullptr) {
          auto* rows = reinterpret_cast<const float**>(scratch.rows.data());
          walk(model_.leaves.data(), cascade, features, rows);
          kernels.add_f32(rows, model_.trees, values, shape);
        } else {
          auto* rows = reinterpret_cast<const int16_t**>(scratch.rows.data());
          walk(compact_.leaves, cascade, features, rows);
          kernels.add_i16(rows, compact_.shifts.data() + cascade * model_.trees, model_.trees, values, sums);
          const float* scale = compact_.scales.data() + cascade * values;
          for (size_t k = 0; k < values; ++k) shape[k] += static_cast<float>(sums[k]) * scale[k];
        }
      }
    }
    for (size_t i = 0; i < group; ++i) {
      const float* shape = scratch.shapes.data() + i * values;
      const double* box = boxes + 4 * (begin + i);
      double* points = out + (begin + i) * values;
      for (size_t k = 0; k < values; k += 2) {
        points[k] = static_cast<double>(shape[k]) * (box[2] - 1) + box[0] + 0.5;
        points[k + 1] = static_cast<double>(shape[k + 1]) * (box[3] - 1) + box[1] + 0.5;
      }
    }
  }
  return Status();
}

Status ShapePredictor::predict(const ImageView& image, const double* boxes, size_t count, double* out, ShapeGrey grey,
                               const CancelToken* cancel) const {
  if (Status s = validate(image); !s.ok()) return s;
  for (size_t i = 0; i < 4 * count; ++i) {
    if (!(std::fabs(boxes[i]) <= kMostBox)) return Status(Code::kInvalidArgument, "A box has impossible numbers");
    if (i % 4 >= 2 && !(boxes[i] > 0)) return Status(Code::kInvalidArgument, "The sides of a box must be above zero");
  }
  return with_pixel_source(image, grey == ShapeGrey::kMean,
                           [&](const auto& source) { return run(source, boxes, count, out, cancel); });
}

Status ShapePredictor::save(const std::string& path, ShapeFormat format, const CancelToken* cancel) const {
  AtomicFile file(path);
  Status status;
  if (format == ShapeFormat::kCompact) {
    if (compact_.leaves == nullptr) {
      status = write_compact_shape(model_, &file, cancel);
    } else {
      file.write(compact_.bytes, compact_.size);
    }
  } else if (compact_.leaves == nullptr) {
    const auto leaf = [this](size_t i) { return model_.leaves.data() + i * model_.values(); };
    status = write_dlib_shape(model_, leaf, &file, cancel);
  } else {
    const size_t values = model_.values(), of_cascade = size_t{model_.trees} * model_.leaves_per_tree();
    std::vector<float> row(values);
    const auto leaf = [&](size_t i) {
      const int16_t* from = compact_.leaves + i * values;
      const float* scale = compact_.scales.data() + i / of_cascade * values;
      const auto factor = static_cast<float>(1 << compact_.shifts[i / model_.leaves_per_tree()]);
      for (size_t k = 0; k < values; ++k) row[k] = static_cast<float>(from[k]) * factor * scale[k];
      return static_cast<const float*>(row.data());
    };
    status = write_dlib_shape(model_, leaf, &file, cancel);
  }
  return status.ok() ? file.commit() : status;
}

}  // namespace lineament
