// Pixel format conversion at the same size.
#pragma once

#include "core/cancel.h"
#include "core/status.h"
#include "image/image.h"

namespace lineament {

// Converts to kRgb, kBgr, kRgba, kBgra or kGray (kInvalidArgument for the others) with tight rows at `out`:
// width * height * bytes per pixel. Alpha is 255 where the source has none and is dropped, not multiplied, where it has.
// YUV is BT.601 limited range with chroma repeated over its block; values outside the gamut saturate.
// Grey is (4899 R + 9617 G + 1868 B + 8192) >> 14; from YUV it is the luma expanded to the full range.
// Identical at every SIMD level. Thread-safe. Polls `cancel` every few rows.
Status convert(const ImageView& image, PixelFormat format, uint8_t* out, const CancelToken* cancel);

// Bytes that convert() writes; 0 for formats it does not write.
size_t converted_bytes(const ImageView& image, PixelFormat format);

}  // namespace lineament
