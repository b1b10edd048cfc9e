// dlib's serialised shape_predictor, read and written.
//
// The stream, as dlib 18.10 to 19.24 write it (integers and floating-point numbers are packed, see below):
//   version         integer, 1
//   initial shape   matrix: −(2 × points), −1, then its numbers x0 y0 x1 y1 …
//   forests         count of cascades; each: count of trees; each tree:
//                     count of splits; each: integer idx1, integer idx2, float threshold
//                     count of leaves (splits + 1, a power of two); each a matrix like the initial shape
//   anchors         count of cascades; each: count of features; integers
//   deltas          count of cascades; each: count of features; each: float x, float y
//
// A packed integer is a control byte (bit 7: negative; bits 0–3: how many bytes follow, at least one) and that many
// bytes of its magnitude, least significant first. A float is two packed integers, mantissa and exponent: mantissa ×
// 2^exponent, where exponents from 32000 on stand for infinities and NaN. The byte order does not depend on the
// machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "core/atomic_file.h"
#include "core/cancel.h"
#include "core/status.h"
#include "landmarks/shape_model.h"

namespace lineament {

// True where `bytes` begin as dlib's stream does. Says nothing about the rest.
bool looks_like_dlib_shape(const uint8_t* bytes, size_t size);

// Any bytes may be given. Counts are held against the bytes that are left before memory is taken for them. Cascades
// with different numbers of trees or features, and trees of different depth, are refused as kModelCorrupt, like
// everything that check_shape_model() refuses and bytes after the end. Polls `cancel`.
Result<ShapeModel> read_dlib_shape(const uint8_t* bytes, size_t size, const CancelToken* cancel);

// Byte for byte what dlib itself would write for this model, which has passed check_shape_model() without its leaves:
// leaf(i) gives the values() floats of leaf i, valid until the next call. kAborted where `cancel` fired.
Status write_dlib_shape(const ShapeModel& model, const std::function<const float*(size_t)>& leaf, ByteSink* out,
                        const CancelToken* cancel);

}  // namespace lineament
