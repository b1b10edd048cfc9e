// Snapshots of an index on a device: the files of VectorIndex (search/snapshot.h).
#include <algorithm>
#include <memory>
#include <new>
#include <utility>

#include "core/mapped_file.h"
#include "core/spread.h"
#include "search/cuda_index.h"
#include "search/snapshot.h"

namespace lineament {
namespace {

template <typename F>
Status guarded(F&& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the snapshot");
  }
}

Status aborted() { return Status(Code::kAborted, "The snapshot was aborted"); }

}  // namespace

// Vectors come back from the device as they were sent; their codes are made again, which gives the same ones.
Status CudaIndex::save(const std::string& path, Executor& executor, const CancelToken* token) {
  return guarded([&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::vector<uint32_t> slots;
    slots.reserve(slots_.size());
    for (uint32_t slot = 0; slot < used_; ++slot) {
      if ((live_[slot / 64] >> (slot % 64) & 1) != 0) slots.push_back(slot);
    }
    std::sort(slots.begin(), slots.end(), [this](uint32_t a, uint32_t b) { return keys_[a] < keys_[b]; });
    SnapshotWriter writer(path, dims(), IndexPrecision::kExact);
    const size_t full = segment_rows(dims(), IndexPrecision::kExact), stride = coder_.stride();
    const Status no_memory(Code::kOutOfMemory, "Out of memory for the snapshot");
    for (size_t begin = 0; begin < slots.size(); begin += full) {
      const size_t count = std::min(full, slots.size() - begin);
      const std::shared_ptr<Segment> image = Segment::make(dims(), IndexPrecision::kExact, count);
      if (!image) return no_memory;
      const SegmentLayout& layout = image->layout();
      uint8_t* const to = image->writable();
      auto* const vectors = reinterpret_cast<float*>(to + layout.vectors);
      lineament_cuda_error error{};
      if (plugin_->functions().read(store_, slots.data() + begin, count, vectors, &error) != LINEAMENT_CUDA_OK) {
        return cuda_status(error);
      }
      const size_t parts = std::min(count, executor.threads());
      const Status coded = spread(executor, parts, [&](size_t part) {
        AlignedBuffer<float> scratch;
        if (!scratch.reset(2 * stride)) return no_memory;
        for (size_t i = count * part / parts; i < count * (part + 1) / parts; ++i) {
          if (is_cancelled(token)) return aborted();
          coder_.encode(vectors + i * dims(), CodeTruth::kVector, to + layout.high + i * stride,
                        to + layout.low + i * stride, reinterpret_cast<CodeBound*>(to + layout.coarse) + i,
                        reinterpret_cast<CodeBound*>(to + layout.middle) + i,
                        reinterpret_cast<CodeBound*>(to + layout.fine) + i, scratch.data());
          image->keys()[i] = keys_[slots[begin + i]];
          image->groups()[i] = groups_[slots[begin + i]];
        }
        return Status();
      });
      if (!coded.ok()) return coded;
      const Status written = writer.append(*image);
      if (!written.ok()) return written;
    }
    return is_cancelled(token) ? aborted() : writer.finish(revision_);
  });
}

Status CudaIndex::load(const std::string& path, Executor& executor, const CancelToken* token) {
  return guarded([&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (used_ != 0) return Status(Code::kInvalidArgument, "Only an index that is empty takes a snapshot");
    Result<MappedFile> opened = MappedFile::open(path);
    if (!opened.ok()) return Status(Code::kStoreCorrupt, opened.status().message());
    const auto file = std::make_shared<const MappedFile>(std::move(opened.value()));
    const Result<SnapshotTable> read = read_snapshot(file->data(), file->size());
    if (!read.ok()) return Status(read.status().code(), path + ": " + read.status().message());
    const SnapshotTable& table = read.value();
    if (table.dims != dims() || table.precision != IndexPrecision::kExact) {
      return Status(Code::kInvalidArgument, path + " holds vectors of " + std::to_string(table.dims) +
                                                " numbers or of another precision: an index on a device takes exact "
                                                "ones of its own length");
    }
    if (!slots_.reserve(table.vectors)) return Status(Code::kOutOfMemory, "Out of memory for the keys");
    for (size_t i = 0; i < table.segments.size(); ++i) {
      const SnapshotSegment& entry = table.segments[i];
      Status status = check_snapshot_head(file->data(), table, i);
      if (status.ok()) status = check_snapshot_rest(file->data(), table, i);
      if (!status.ok()) return clear(Status(status.code(), path + ": " + status.message()));
      const auto segment = Segment::over(file, entry.offset, dims(), IndexPrecision::kExact, entry.rows);
      const auto* const vectors = static_cast<const float*>(segment->view().vectors);
      const int64_t* const keys = std::as_const(*segment).keys();
      std::vector<uint32_t> slots;
      status = write(keys, vectors, true, entry.rows, executor, token, &slots);
      if (!status.ok()) return clear(std::move(status));
      used_ += static_cast<uint32_t>(entry.rows);
      for (size_t row = 0; row < entry.rows; ++row) {
        slots_.insert(static_cast<uint64_t>(keys[row]), {0, slots[row]});
        keys_[slots[row]] = keys[row];
        groups_[slots[row]] = std::as_const(*segment).groups()[row];
        set_live(slots[row], true);
      }
    }
    revision_ = table.revision;
    return Status();
  });
}

// What was loaded of a snapshot that failed goes again.
Status CudaIndex::clear(Status why) {
  for (uint32_t slot = 0; slot < used_; ++slot) slots_.erase(static_cast<uint64_t>(keys_[slot]));
  std::fill(live_.begin(), live_.end(), 0);
  free_.clear();
  used_ = 0;
  return why;
}

}  // namespace lineament
