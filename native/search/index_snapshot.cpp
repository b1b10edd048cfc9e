// Writing an index to a file and opening it again.
#include <algorithm>
#include <cstring>

#include "core/spread.h"
#include "search/index_parts.h"

namespace lineament {
namespace {

struct Row {
  int64_t key;
  Place place;
};

// What a version holds, by rising key.
std::vector<Row> rows_by_key(const IndexVersion& version) {
  std::vector<Row> rows;
  rows.reserve(version.size);
  bool rising = true;
  for (uint32_t s = 0; s < version.segments.size(); ++s) {
    const SegmentState* state = version.segments[s].get();
    if (state == nullptr) continue;
    const int64_t* keys = state->segment->keys();
    for (uint32_t slot = 0; slot < state->rows; ++slot) {
      if (!is_live(*state, slot)) continue;
      rising &= rows.empty() || rows.back().key < keys[slot];
      rows.push_back({keys[slot], {s, slot}});
    }
  }
  if (!rising) std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.key < b.key; });
  return rows;
}

Status aborted() { return Status(Code::kAborted, "The snapshot was aborted"); }

}  // namespace

Status VectorIndex::save(const std::string& path, const CancelToken* token) {
  return without_exceptions([&] {
    const Pin pin(*this);
    const std::vector<Row> rows = rows_by_key(*pin);
    SnapshotWriter writer(path, dims(), precision_);
    const size_t full = segment_rows(dims(), precision_);
    std::shared_ptr<Segment> image;
    for (size_t begin = 0; begin < rows.size(); begin += full) {
      const size_t count = std::min(full, rows.size() - begin);
      if (!image || image->rows() != count) image = Segment::make(dims(), precision_, count);
      if (!image) return Status(Code::kOutOfMemory, "Out of memory for the snapshot");
      for (size_t i = 0; i < count;) {
        if (is_cancelled(token)) return aborted();
        const Place first = rows[begin + i].place;
        size_t run = 1;  // neighbours are copied together
        while (run < 1024 && i + run < count && rows[begin + i + run].place.segment == first.segment &&
               rows[begin + i + run].place.slot == first.slot + run) {
          ++run;
        }
        image->copy_rows(*pin->segments[first.segment]->segment, first.slot, i, run);
        i += run;
      }
      Status status = writer.append(*image);
      if (!status.ok()) return status;
    }
    return is_cancelled(token) ? aborted() : writer.finish(pin->revision);
  });
}

Result<std::shared_ptr<VectorIndex>> VectorIndex::open(const std::string& path, SnapshotMode mode, Executor& executor,
                                                       const CancelToken* token) {
  std::shared_ptr<VectorIndex> index;
  const Status status = without_exceptions([&] {
    Result<MappedFile> opened = MappedFile::open(path);
    if (!opened.ok()) return Status(Code::kStoreCorrupt, opened.status().message());
    const auto file = std::make_shared<const MappedFile>(std::move(opened.value()));
    Result<SnapshotTable> table = read_snapshot(file->data(), file->size());
    if (!table.ok()) return Status(table.status().code(), path + ": " + table.status().message());
    index = std::make_shared<VectorIndex>(table.value().dims, table.value().precision);
    const Status adopted = index->adopt(file, std::move(table.value()), mode, executor, token);
    return adopted.code() == Code::kStoreCorrupt ? Status(adopted.code(), path + ": " + adopted.message()) : adopted;
  });
  if (!status.ok()) return status;
  return index;
}

// Nobody else knows the index yet.
Status VectorIndex::adopt(std::shared_ptr<const MappedFile> file, SnapshotTable table, SnapshotMode mode,
                          Executor& executor, const CancelToken* token) {
  const size_t count = table.segments.size();
  rooms_.resize(count);
  Status status = spread(executor, count, [&](size_t i) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Opening was aborted");
    const SnapshotSegment& entry = table.segments[i];
    Status good = check_snapshot_head(file->data(), table, i);
    if (good.ok() && mode == SnapshotMode::kLoad) good = check_snapshot_rest(file->data(), table, i);
    if (!good.ok()) return good;
    std::shared_ptr<Segment> segment = mode == SnapshotMode::kMap
                                           ? Segment::over(file, entry.offset, dims(), precision_, entry.rows)
                                           : Segment::make(dims(), precision_, entry.rows);
    if (!segment) return Status(Code::kOutOfMemory, "Out of memory for the snapshot");
    if (!segment->mapped()) std::memcpy(segment->writable(), file->data() + entry.offset, segment->bytes());
    rooms_[i].segment = std::move(segment);
    rooms_[i].used = entry.rows;
    return Status();
  });
  if (!status.ok()) return status;
  const auto version = std::make_shared<IndexVersion>();
  version->revision = table.revision;
  version->size = table.vectors;
  for (const Room& room : rooms_) {
    const auto state = std::make_shared<SegmentState>();
    state->segment = room.segment;
    state->rows = state->taken = room.segment->rows();
    state->live.assign((state->rows + 63) / 64, ~uint64_t{0});
    if (state->rows % 64 != 0) state->live.back() >>= 64 - state->rows % 64;
    version->segments.push_back(state);
  }
  if (mode == SnapshotMode::kMap) {
    mapped_ = std::make_unique<Mapped>(Mapped{std::move(file), std::move(table)});
  } else {
    if (!keys_.reserve(table.vectors)) return Status(Code::kOutOfMemory, "Out of memory for the keys");
    for (uint32_t s = 0; s < count; ++s) {
      const Segment& segment = *rooms_[s].segment;
      for (uint32_t slot = 0; slot < segment.rows(); ++slot) {
        keys_.insert(static_cast<uint64_t>(segment.keys()[slot]), {s, slot});
      }
    }
  }
  current_ = version;
  return Status();
}

Status VectorIndex::verify(const CancelToken* token) {
  if (!mapped_) return Status();
  for (size_t i = 0; i < mapped_->table.segments.size(); ++i) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Verifying was aborted");
    Status status = check_snapshot_head(mapped_->file->data(), mapped_->table, i);
    if (status.ok()) status = check_snapshot_rest(mapped_->file->data(), mapped_->table, i);
    if (!status.ok()) return status;
  }
  return Status();
}

}  // namespace lineament
