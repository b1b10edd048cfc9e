// Pixel format conversion at the same size.
#pragma once

#include "core/cancel.h"
#include "core/status.h"
#include "image/image.h"

namespace lineament {

// Converts to kRgb, kBgr, kRgba, kBgra or kGray (kInvalidArgument for the others) with tight rows at `out`:
// width * height * bytes per pixel. Alpha is 255 where the source has none and is dropped, not multiplied, where it
// has. YUV is BT.601 limited range with chroma repeated over its block: with L = q(max(Y, 16) - 16, 19077 / 16384), R =
// (L + q(V - 128, 13075 / 8192) + 32) >> 6, G = (L + q(U - 128, -3209 / 8192) + q(V - 128, -6660 / 8192) + 32) >> 6, B
// = (L + q(U - 128, 16525 / 8192) + 32) >> 6, saturated, where q(x, k) is 64 x k rounded: at most 0.05 beside the exact
// value. Grey is (4899 R + 9617 G + 1868 B + 8192) >> 14; from YUV it is the luma expanded to the full range. Identical
// at every SIMD level. Thread-safe. Polls `cancel` every few rows.
Status convert(const ImageView& image, PixelFormat format, uint8_t* out, const CancelToken* cancel);

// Bytes that convert() writes; 0 for formats it does not write.
size_t converted_bytes(const ImageView& image, PixelFormat format);

}  // namespace lineament
