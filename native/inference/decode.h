// From raw detector outputs to boxes in source pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "image/image.h"

namespace lineament {

struct Decoder {
  enum class Kind { kSsd, kBlaze, kTiny, kScrfd };
  struct Stride {
    int stride = 0;
    int anchors = 0;
  };

  Kind kind = Kind::kSsd;
  float min_score = 0;
  float iou = 0;
  float contained = 0;  // 0 = not asked for
  size_t max = 0;
  std::vector<Stride> strides;  // blaze: in output order
  int keypoints = 0;            // blaze, scrfd
  bool logits = false;          // blaze: scores still need a sigmoid
};

// Names of the outputs that a decoder reads, in the order in which decode() takes them; none for one that tells them
// apart by their shapes (scrfd).
std::vector<std::string> decoder_outputs(const Decoder& decoder);

// `count` rows of `stride` numbers: x1, y1, x2, y2, score, region index, then x, y of each keypoint. Source pixels.
struct Detections {
  size_t count = 0;
  size_t stride = 6;
  std::vector<float> data;
};

// Boxes gathered over all items of a job, in the network's input pixels until add() maps them.
class Candidates {
 public:
  explicit Candidates(int keypoints) : stride_(6 + 2 * static_cast<size_t>(keypoints)) {}

  // Where the boxes that follow come from: `region` maps input pixels to source pixels; a mirrored item is flipped back
  // (about the vertical axis of an input `width` pixels wide) first.
  void begin(const Region& region, size_t index, bool mirrored, int width);
  // A box and its keypoints (x, y each) in input pixels. Boxes that are not finite or have no area are ignored.
  void add(double x1, double y1, double x2, double y2, float score, const double* keypoints = nullptr);

  size_t stride() const { return stride_; }
  size_t size() const { return rows_.size() / stride_; }
  const std::vector<float>& rows() const { return rows_; }

 private:
  void map(double u, double v, double* x, double* y) const;

  size_t stride_;
  std::vector<float> rows_;
  Region region_;
  size_t index_ = 0;
  bool mirrored_ = false;
  double width_ = 0;
};

// One network output for `items` items: `data` holds items × per_item floats.
struct RawOutput {
  const float* data = nullptr;
  size_t per_item = 0;
  size_t last = 0;  // the last dimension
};

// Each takes one item's values and the network's input size, and adds boxes with a score of at least min_score (NaN
// never passes). kInferenceFailed where the number of values does not fit the input size.
// - ssd: boxes [A,4] as (ty, tx, th, tw) with variances 10 and 5, scores [A]; see decode_ssd.cpp for the anchors.
// - blaze: regressors [A,4+2k] and scores [A] (MediaPipe BlazeFace).
// - tiny: grid [gh,gw,25] (face-api's tiny YOLO).
// - scrfd: scores, distances and key points of strides 8, 16 and 32 in any order, told apart by their shapes; a network
//   that lacks one is kModelCorrupt.
Status decode_ssd(const Decoder& decoder, const RawOutput& boxes, const RawOutput& scores, int width, int height,
                  Candidates* out);
Status decode_blaze(const Decoder& decoder, const RawOutput& regressors, const RawOutput& scores, int width, int height,
                    Candidates* out);
Status decode_tiny(const Decoder& decoder, const RawOutput& grid, int width, int height, Candidates* out);
Status decode_scrfd(const Decoder& decoder, const std::vector<RawOutput>& outputs, int width, int height,
                    Candidates* out);

// The decoder's function for one item; `outputs` in the order of decoder_outputs().
Status decode_item(const Decoder& decoder, const std::vector<RawOutput>& outputs, int width, int height,
                   Candidates* out);

// Greedy non-maximum suppression over all candidates, best score first (ties: the earlier one). A box goes where its
// intersection over union with a kept box is above `iou`, or where `contained` > 0 and the intersection over the
// smaller area is above it. At most `max` are kept. kAborted where `cancel` is set meanwhile.
Status suppress(const Candidates& candidates, float iou, float contained, size_t max, const CancelToken* cancel,
                Detections* out);

}  // namespace lineament
