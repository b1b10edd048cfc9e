// Filter weights along one axis of an axis-aligned resize.
#pragma once

#include <cstdint>

#include "core/aligned.h"
#include "image/image.h"

namespace lineament {

// Weights of output pixels [first, last); the others have none (they lie outside an image with a zero border).
// Output pixel i reads source pixels start[i - first] … + count[i - first] - 1 with the weights that begin at
// weights[offset[i - first]]. All starts and counts stay inside the source.
struct AxisTaps {
  int first = 0, last = 0;
  int source_begin = 0, source_end = 0;  // the source pixels that anything reads
  int most = 0;                          // largest count
  AlignedBuffer<int32_t> start, count;
  AlignedBuffer<int64_t> offset;
  AlignedBuffer<float> weights;
};

// Fills `taps` for output pixels 0 … outputs - 1 at source positions p = scale * (i + 0.5) + shift; `reverse` numbers
// the outputs from the other end. Returns false when memory ran out.
//
// Shrinking (|scale| > 1) with Filter::kArea weighs every source pixel by how much of it lies in p ± |scale| / 2.
// Otherwise the two pixels whose centres enclose p are interpolated. At the border, kReplicate continues the edge pixel
// for ever. kZero counts what lies outside as 0: for the area filter by its share of the interval; for the
// interpolation, the edge is first continued and the value then multiplied by the share of p ± min(|scale|, 1) / 2 that
// lies inside (so that an output pixel which lies wholly inside the image is never darkened, and one wholly outside is
// exactly 0).
bool build_taps(double scale, double shift, int outputs, int sources, Filter filter, Border border, bool reverse,
                AxisTaps* taps);

// The share above: how much of p ± half lies in [0, size].
double inside_share(double p, double half, double size);

}  // namespace lineament
