// Our own file of a shape model: small, and ready to use where it lies, mapped into memory.
//
// Little-endian. A header of 64 bytes, then sections; each section begins at the next multiple of 64 bytes after the
// one before, and the gaps are zero. P points, C cascades, T trees, F features, depth D: S = 2^D − 1 splits and L = 2^D
// leaves in a tree.
//
//   bytes   header
//    0– 3   'L' 'M' 'S' 'M'
//    4– 7   version, u32: 1
//    8–11   0x01020304 as u32: the order of bytes
//   12–15   CRC-32 (IEEE 802.3) of the bytes from 16 to the beginning of the leaves
//   16–35   P, C, T, D, F, u32 each
//   36–39   zero
//   40–47   bound of the leaf error, f64
//   48–55   length of the file, u64
//   56–63   zero
//
//   section   elements
//   initial   2P × f32             mean shape x0 y0 x1 y1 …, in the unit frame of the box
//   scales    C × 2P × f32         what one step is worth in a cascade, for each coordinate
//   shifts    C × T × u8           a tree's integers count 2^shift steps; at most 15, and in every cascade the sum of
//                                  2^(15 + shift) over the trees is below 2^31, so that sums of leaves fit 32 bits
//   anchors   C × F × u16          the landmark that a feature moves with
//   deltas    C × F × 2 × f32      from that landmark
//   splits    C × T × S × (u16 first, u16 second, f32 threshold), breadth first
//   leaves    C × T × L × 2P × i16: leaf = i × 2^shift × scale
//
// Leaf error: rounding moves coordinate k by at most the sum, over cascades and trees, of the largest |leaf − what is
// kept| of that tree; the bound is the largest length of (x, y) so made, in the unit frame. A looser one that every
// reader computes again, half a step of every tree, must not lie below it. The bound holds for the same leaves: a
// feature that lies on the edge of a pixel may see another pixel, and a tree then end in another leaf.
//
// Whoever opens the file reads all but the leaves, so that this takes no longer for a larger model; any leaf's integer
// is harmless.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/atomic_file.h"
#include "core/cancel.h"
#include "core/status.h"
#include "landmarks/shape_model.h"

namespace lineament {

struct CompactShape {
  ShapeModel model;                // without its leaves
  std::vector<float> scales;       // cascades × values()
  std::vector<uint8_t> shifts;     // cascades × trees
  const uint8_t* bytes = nullptr;  // what was read, all of it
  size_t size = 0;
  const int16_t* leaves = nullptr;  // within `bytes`
  size_t leaves_offset = 0;
  double leaf_error = 0;
};

bool looks_like_compact_shape(const uint8_t* bytes, size_t size);

// Any bytes may be given, aligned to 4; the result borrows them. kModelCorrupt for whatever is not as described above.
Result<CompactShape> read_compact_shape(const uint8_t* bytes, size_t size);

// What bytes 12–15 must hold.
uint32_t compact_shape_check_sum(const uint8_t* bytes, size_t leaves_offset);

// Rounds the leaves of a model that has passed check_shape_model(). kAborted where `cancel` fired.
Status write_compact_shape(const ShapeModel& model, ByteSink* out, const CancelToken* cancel);

}  // namespace lineament
