// Landmarks of faces by an ensemble of regression trees.
//
// V. Kazemi, J. Sullivan, "One Millisecond Face Alignment with an Ensemble of Regression Trees", CVPR 2014; the answers
// are those of dlib's shape_predictor.
//
// Frames. A box [x, y, w, h] is dlib's rectangle(x, y, x + w − 1, y + h − 1), whose corners are the centres of pixels.
// In dlib the centre of pixel (i, j) is (i, j), here it is (i + 0.5, j + 0.5). So the shape's (0, 0) is (x + 0.5, y +
// 0.5) and its (1, 1) is (x + w − 0.5, y + h − 0.5), and our points are dlib's (before it rounds them to whole pixels)
// plus 0.5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/mapped_file.h"
#include "core/status.h"
#include "image/image.h"
#include "landmarks/compact_shape.h"
#include "landmarks/shape_model.h"

namespace lineament {

enum class ShapeFormat { kDlib, kCompact, kMemory };

// How a colour pixel becomes the number that splits compare. kLuma is convert()'s grey, kMean is (R + G + B) / 3
// rounded down, as dlib takes it. Grey pixels and the luma of YUV are the same for both.
enum class ShapeGrey { kLuma, kMean };

// Immutable, so all const members are thread-safe.
class ShapePredictor {
 public:
  // A dlib file or a compact one, told apart by their first bytes. A dlib file is read into memory, a compact one stays
  // mapped and its leaves are read when they are needed. kModelCorrupt, kAborted.
  static Result<std::shared_ptr<const ShapePredictor>> open(const std::string& path, const CancelToken* cancel);
  // A model in memory; it is checked as a file would be.
  static Result<std::shared_ptr<const ShapePredictor>> make(ShapeModel model);
  // A compact model within `file`, or within other memory that outlives the predictor.
  static std::shared_ptr<const ShapePredictor> over(CompactShape compact, MappedFile file);

  ShapeFormat format() const { return format_; }
  // All but the leaves where they are mapped.
  const ShapeModel& model() const { return model_; }
  // Held in memory or mapped.
  size_t bytes() const;
  // See compact_shape.h; 0 for the other formats.
  double leaf_error() const { return compact_.leaf_error; }

  // The points of `count` boxes (x, y, w, h each) on one thread: points × (x, y) for each box at `out`. What lies
  // outside of the image is black. kInvalidArgument where a box has a number that is not finite or beyond ±1e9, or a
  // side that is not above zero. Polls `cancel` between cascades. Reads the image in place: a single pixel for each
  // feature.
  Status predict(const ImageView& image, const double* boxes, size_t count, double* out, ShapeGrey grey,
                 const CancelToken* cancel) const;

  // Writes a file and renames it to `path` when it is whole. From compact to dlib the leaves are the rounded ones, from
  // compact to compact the file is copied. kInvalidArgument where it cannot be written.
  Status save(const std::string& path, ShapeFormat format, const CancelToken* cancel) const;

 private:
  // A split as the loops want it: pixels are whole numbers, so that the threshold may be rounded down. Half the size
  // where features are few, as they mostly are: then more of the splits stay in the cache.
  struct WideNode {
    uint16_t one, two;
    int32_t limit;
    static constexpr uint32_t kFeatures = 65536;
    WideNode(uint32_t first, uint32_t second, int32_t threshold)
        : one(static_cast<uint16_t>(first)), two(static_cast<uint16_t>(second)), limit(threshold) {}
    uint32_t first() const { return one; }
    uint32_t second() const { return two; }
    int32_t threshold() const { return limit; }
  };
  struct Node {
    uint32_t bits;  // from the lowest: 11 of each feature, 10 of the threshold + 256
    static constexpr uint32_t kFeatures = 2048;
    Node(uint32_t first, uint32_t second, int32_t threshold)
        : bits(first | second << 11 | static_cast<uint32_t>(threshold + 256) << 22) {}
    uint32_t first() const { return bits & 2047u; }
    uint32_t second() const { return bits >> 11 & 2047u; }
    int32_t threshold() const { return static_cast<int32_t>(bits >> 22) - 256; }
  };
  struct Scratch;

  ShapePredictor() = default;
  void prepare();
  template <typename Source>
  void look(const Source& source, size_t cascade, const double* box, const float* shape, Scratch* scratch) const;
  template <typename Source>
  Status run(const Source& source, const double* boxes, size_t count, double* out, const CancelToken* cancel) const;
  // The row of leaves that each tree of a cascade ends in.
  template <typename T, typename N, int kDepth>
  void walk(const T* leaves, const N* nodes, size_t cascade, const int32_t* features, const T** rows) const;
  template <typename T, typename N>
  void walk(const T* leaves, const N* nodes, size_t cascade, const int32_t* features, const T** rows) const;
  template <typename T>
  void walk(const T* leaves, size_t cascade, const int32_t* features, const T** rows) const;

  ShapeModel model_;
  ShapeFormat format_ = ShapeFormat::kMemory;
  std::vector<Node> nodes_;  // as model_.splits, in one of the two forms
  std::vector<WideNode> wide_;
  std::vector<double> centred_;  // the mean shape about its mean
  double norm_ = 0;              // sum of its squares
  CompactShape compact_;         // where leaves are mapped: all but its model
  MappedFile file_;
};

}  // namespace lineament
