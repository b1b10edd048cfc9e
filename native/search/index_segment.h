// Rows of an index: keys, groups, codes and vectors of up to some thousand vectors, in one stretch of memory whose
// layout in a snapshot is the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/aligned.h"
#include "core/mapped_file.h"
#include "search/codes.h"
#include "search/scan.h"

namespace lineament {

// What is kept of each vector; the numbers stand in snapshots.
enum class IndexPrecision : uint32_t {
  kExact = 1,  // float rows beside the codes
  kHalf = 2,   // binary16 rows beside the codes
  kInt8 = 3,   // the codes alone
};

constexpr StoredVectors stored_vectors(IndexPrecision precision) {
  return precision == IndexPrecision::kExact  ? StoredVectors::kFloat32
         : precision == IndexPrecision::kHalf ? StoredVectors::kFloat16
                                              : StoredVectors::kNone;
}

// Bytes of a vector beside its codes.
constexpr size_t vector_bytes(size_t dims, IndexPrecision precision) {
  return precision == IndexPrecision::kExact ? 4 * dims : precision == IndexPrecision::kHalf ? 2 * dims : 0;
}

// Most rows of a segment.
constexpr size_t kMostSegmentRows = 16384;

// Rows of a full segment: fewer where vectors are long, so that a segment stays below about 48 MiB.
size_t segment_rows(size_t dims, IndexPrecision precision);

// Where the arrays of `rows` rows begin, in bytes, in this order; each on 64 bytes. Up to `head` lie keys and groups,
// which a snapshot's reader looks at; the rest is only searched. `head` and `bytes` are multiples of 4096.
struct SegmentLayout {
  size_t keys = 0;  // int64_t
  size_t groups;    // uint32_t
  size_t head;
  size_t coarse;   // CodeBound
  size_t middle;   // CodeBound
  size_t fine;     // CodeBound
  size_t high;     // rows × plane_stride(dims)
  size_t low;      // the same
  size_t vectors;  // rows × dims floats, binary16 or nothing
  size_t bytes;

  SegmentLayout(size_t dims, IndexPrecision precision, size_t rows);
};

// The memory of a segment. What its slots hold is guarded by the index: a slot is written before it is published, and
// not again until nobody looks at it any more. Kernels read runs of slots whole, also those of them that are being
// written, and leave the result of those out.
class Segment {
 public:
  // Nothing is in the rows yet. Null when memory ran out.
  static std::shared_ptr<Segment> make(size_t dims, IndexPrecision precision, size_t rows);
  // Rows that lie in a mapped file, `image` bytes from its start. Not to be written.
  static std::shared_ptr<Segment> over(std::shared_ptr<const MappedFile> file, size_t image, size_t dims,
                                       IndexPrecision precision, size_t rows);

  size_t rows() const { return rows_; }
  size_t bytes() const { return layout_.bytes; }
  bool mapped() const { return file_ != nullptr; }
  const SegmentLayout& layout() const { return layout_; }
  const uint8_t* image() const { return image_; }
  uint8_t* writable() { return memory_.data(); }  // null where mapped

  const int64_t* keys() const { return at<int64_t>(layout_.keys); }
  const uint32_t* groups() const { return at<uint32_t>(layout_.groups); }
  int64_t* keys() { return const_cast<int64_t*>(at<int64_t>(layout_.keys)); }
  uint32_t* groups() { return const_cast<uint32_t*>(at<uint32_t>(layout_.groups)); }

  // All but the mask.
  BlockView view() const;

  // Codes a vector of any length into a slot of a segment in memory. False for a vector of zeros or with a number that
  // is not finite. `scratch`: encode_scratch(dims) floats.
  bool encode(const VectorCoder& coder, const float* vector, size_t slot, float* scratch);

  // Copies `count` rows, keys and groups included, into a segment in memory of the same dims and precision.
  void copy_rows(const Segment& from, size_t from_slot, size_t slot, size_t count);

 private:
  Segment(size_t dims, IndexPrecision precision, size_t rows);
  template <typename T>
  const T* at(size_t offset) const {
    return reinterpret_cast<const T*>(image_ + offset);
  }

  const size_t dims_;
  const IndexPrecision precision_;
  const size_t rows_;
  const SegmentLayout layout_;
  AlignedBuffer<uint8_t> memory_;
  std::shared_ptr<const MappedFile> file_;
  const uint8_t* image_ = nullptr;
};

// Floats of scratch that encode() takes.
constexpr size_t encode_scratch(size_t dims) { return 2 * plane_stride(dims) + dims; }

}  // namespace lineament
