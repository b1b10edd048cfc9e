// Making parts of a picture unrecognisable, in place and for good.
#pragma once

#include "core/cancel.h"
#include "core/status.h"
#include "image/image.h"

namespace lineament {

// kPixelate: every block becomes its mean. kBlur: the means of the same blocks, interpolated between their centres.
// Both keep the same few numbers of what was there, so that no filter brings it back (Hill et al., "On the
// (in)effectiveness of mosaicing and blurring as tools for document redaction", PETS 2016, is what too many blocks lead
// to).
enum class RedactMethod { kPixelate, kBlur };
// The region itself, or the ellipse that touches its four sides.
enum class RedactShape { kBox, kEllipse };

// Pixels of the picture; may reach beyond it. A region that is no place (not finite, or a side that is not above zero)
// stands for the whole picture: what cannot be located must not be shown.
struct RedactRegion {
  double x = 0, y = 0, width = 0, height = 0;
};

struct RedactOptions {
  RedactMethod method = RedactMethod::kPixelate;
  RedactShape shape = RedactShape::kEllipse;
  // Blocks along the longer side of a region, 1 to kMostRedactBlocks, however many pixels it has; a block has at least
  // kLeastRedactBlock pixels a side.
  int blocks = 8;
};

constexpr int kMostRedactBlocks = 32;
constexpr int kLeastRedactBlock = 4;

// Redacts `count` regions of the picture at `pixels`, which `image` describes (image.data is not looked at). Every
// pixel that a region's shape touches is overwritten, every other keeps its bytes; a chroma sample belongs to a region
// when any of its pixels does. Alpha is left alone. kInvalidArgument, kAborted (between rows: the picture is then
// partly redacted). Thread-safe for distinct pictures.
Status redact(uint8_t* pixels, ImageView image, const RedactRegion* regions, size_t count, const RedactOptions& options,
              const CancelToken* cancel);

}  // namespace lineament
