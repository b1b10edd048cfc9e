#include "search/index_segment.h"

#include <cstring>
#include <utility>

#include "search/vectors.h"

namespace lineament {
namespace {

constexpr size_t up(size_t value, size_t multiple) { return (value + multiple - 1) / multiple * multiple; }
constexpr size_t kPage = 4096;

static_assert(sizeof(CodeBound) == 8, "stands in snapshots");

}  // namespace

size_t segment_rows(size_t dims, IndexPrecision precision) {
  constexpr size_t kMostBytes = size_t{48} << 20;
  size_t rows = kMostSegmentRows;
  while (SegmentLayout(dims, precision, rows).bytes > kMostBytes) rows /= 2;
  return rows;
}

SegmentLayout::SegmentLayout(size_t dims, IndexPrecision precision, size_t rows) {
  const size_t plane = rows * plane_stride(dims);
  groups = up(keys + rows * sizeof(int64_t), 64);
  head = up(groups + rows * sizeof(uint32_t), kPage);
  coarse = head;
  middle = up(coarse + rows * sizeof(CodeBound), 64);
  fine = up(middle + rows * sizeof(CodeBound), 64);
  high = up(fine + rows * sizeof(CodeBound), 64);
  low = up(high + plane, 64);
  vectors = up(low + plane, 64);
  bytes = up(vectors + rows * vector_bytes(dims, precision), kPage);
}

Segment::Segment(size_t dims, IndexPrecision precision, size_t rows)
    : dims_(dims), precision_(precision), rows_(rows), layout_(dims, precision, rows) {}

std::shared_ptr<Segment> Segment::make(size_t dims, IndexPrecision precision, size_t rows) {
  std::shared_ptr<Segment> made(new Segment(dims, precision, rows));
  if (!made->memory_.reset(made->layout_.bytes)) return nullptr;
  made->image_ = made->memory_.data();
  return made;
}

std::shared_ptr<Segment> Segment::over(std::shared_ptr<const MappedFile> file, size_t image, size_t dims,
                                       IndexPrecision precision, size_t rows) {
  std::shared_ptr<Segment> made(new Segment(dims, precision, rows));
  made->image_ = file->data() + image;
  made->file_ = std::move(file);
  return made;
}

BlockView Segment::view() const {
  BlockView view;
  view.rows = rows_;
  view.high = at<uint8_t>(layout_.high);
  view.low = at<uint8_t>(layout_.low);
  view.coarse = at<CodeBound>(layout_.coarse);
  view.middle = at<CodeBound>(layout_.middle);
  view.fine = at<CodeBound>(layout_.fine);
  view.stored = stored_vectors(precision_);
  view.vectors = view.stored == StoredVectors::kNone ? nullptr : at<uint8_t>(layout_.vectors);
  view.keys = keys();
  return view;
}

bool Segment::encode(const VectorCoder& coder, const float* vector, size_t slot, float* scratch) {
  uint8_t* memory = memory_.data();
  const size_t stride = plane_stride(dims_);
  float* const unit = scratch + 2 * stride;
  std::memcpy(unit, vector, dims_ * sizeof(float));  // once: others may be writing it
  if (!normalise(unit, dims_, unit)) return false;
  if (precision_ == IndexPrecision::kExact) {
    std::memcpy(memory + layout_.vectors + slot * 4 * dims_, unit, 4 * dims_);
  } else if (precision_ == IndexPrecision::kHalf) {
    auto* const half = reinterpret_cast<uint16_t*>(memory + layout_.vectors) + slot * dims_;
    to_half(unit, dims_, half);
    from_half(half, dims_, unit);
  }
  coder.encode(unit, precision_ == IndexPrecision::kInt8 ? CodeTruth::kFineCode : CodeTruth::kVector,
               memory + layout_.high + slot * stride, memory + layout_.low + slot * stride,
               reinterpret_cast<CodeBound*>(memory + layout_.coarse) + slot,
               reinterpret_cast<CodeBound*>(memory + layout_.middle) + slot,
               reinterpret_cast<CodeBound*>(memory + layout_.fine) + slot, scratch);
  return true;
}

void Segment::copy_rows(const Segment& from, size_t from_slot, size_t slot, size_t count) {
  const size_t stride = plane_stride(dims_), row = vector_bytes(dims_, precision_);
  const auto copy = [&](size_t to, size_t source, size_t size) {
    if (size > 0) std::memcpy(memory_.data() + to + slot * size, from.image_ + source + from_slot * size, count * size);
  };
  copy(layout_.keys, from.layout_.keys, sizeof(int64_t));
  copy(layout_.groups, from.layout_.groups, sizeof(uint32_t));
  copy(layout_.coarse, from.layout_.coarse, sizeof(CodeBound));
  copy(layout_.middle, from.layout_.middle, sizeof(CodeBound));
  copy(layout_.fine, from.layout_.fine, sizeof(CodeBound));
  copy(layout_.high, from.layout_.high, stride);
  copy(layout_.low, from.layout_.low, stride);
  copy(layout_.vectors, from.layout_.vectors, row);
}

}  // namespace lineament
