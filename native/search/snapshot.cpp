#include "search/snapshot.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "search/index.h"
#include "search/snapshot_sum.h"
#include "search/vectors.h"

namespace lineament {
namespace {

static_assert(std::endian::native == std::endian::little, "snapshots are searched as they lie in the file");

constexpr char kMagic[8] = {'L', 'N', 'M', 'T', 'I', 'D', 'X', '\n'};
constexpr char kTrailerMagic[8] = {'L', 'N', 'M', 'T', 'E', 'N', 'D', '\n'};
constexpr uint32_t kByteOrder = 0x0A0B0C0D;
constexpr size_t kSummed = kSnapshotPage - sizeof(uint64_t);

struct Header {
  char magic[8];
  uint32_t version;
  uint32_t byte_order;
  uint32_t dims;
  uint32_t precision;
};
static_assert(sizeof(Header) == 24);

struct Trailer {
  char magic[8];
  uint64_t entry_size;
  uint64_t revision;
  uint64_t vectors;
  uint64_t segments;
  uint64_t table_offset;
  uint64_t table_sum;
  uint64_t file_size;
};
static_assert(sizeof(Trailer) == 64);

size_t table_bytes(size_t segments) {
  return (segments * sizeof(SnapshotSegment) + kSnapshotPage - 1) / kSnapshotPage * kSnapshotPage;
}

Status corrupt(const std::string& why) { return Status(Code::kStoreCorrupt, "Not a whole snapshot: " + why); }

bool sum_fits(const uint8_t* page) {
  uint64_t sum;
  std::memcpy(&sum, page + kSummed, sizeof(sum));
  return sum == xxh64(page, kSummed);
}

template <typename T>
std::vector<uint8_t> page_of(const T& content) {
  std::vector<uint8_t> page(kSnapshotPage);
  std::memcpy(page.data(), &content, sizeof(T));
  const uint64_t sum = xxh64(page.data(), kSummed);
  std::memcpy(page.data() + kSummed, &sum, sizeof(sum));
  return page;
}

SegmentLayout layout_of(const SnapshotTable& table, size_t segment) {
  return SegmentLayout(table.dims, table.precision, table.segments[segment].rows);
}

// Entries must follow one another without a gap, from the header to the table.
Status check_table(const SnapshotTable& table, uint64_t table_offset) {
  uint64_t offset = kSnapshotPage, vectors = 0;
  int64_t last = -1;
  for (size_t i = 0; i < table.segments.size(); ++i) {
    const SnapshotSegment& entry = table.segments[i];
    if (entry.rows == 0 || entry.rows > kMostSegmentRows || entry.offset != offset) {
      return corrupt("its segments do not follow one another");
    }
    if (entry.first_key <= last || entry.first_key > kMostKey) return corrupt("its segments are out of order");
    offset += layout_of(table, i).bytes;  // below 2^29 each, so that no sum overflows
    if (offset > table_offset) return corrupt("a segment reaches beyond the table");
    last = entry.first_key;
    vectors += entry.rows;
  }
  if (offset != table_offset || vectors != table.vectors) return corrupt("its counts do not agree");
  return Status();
}

}  // namespace

Result<SnapshotTable> read_snapshot(const uint8_t* bytes, size_t size) {
  if (size < sizeof(Header)) return corrupt("it is too short");
  Header header;
  std::memcpy(&header, bytes, sizeof(header));
  if (std::memcmp(header.magic, kMagic, sizeof(kMagic)) != 0) return corrupt("it begins with something else");
  if (size < 2 * kSnapshotPage || size % kSnapshotPage != 0) return corrupt("it was cut short");
  if (header.byte_order != kByteOrder) return corrupt("it is of the other byte order");
  if (!sum_fits(bytes)) return corrupt("its header is damaged");
  if (header.version != kSnapshotVersion) {
    return Status(Code::kStoreVersion, "A snapshot of version " + std::to_string(header.version) +
                                           "; this build reads version " + std::to_string(kSnapshotVersion));
  }
  if (header.dims < kMinDims || header.dims > kMaxDims || header.precision < 1 || header.precision > 3) {
    return corrupt("dimensions or precision are impossible");
  }
  const uint8_t* const page = bytes + size - kSnapshotPage;
  Trailer trailer;
  std::memcpy(&trailer, page, sizeof(trailer));
  if (std::memcmp(trailer.magic, kTrailerMagic, sizeof(kTrailerMagic)) != 0) return corrupt("it was cut short");
  if (!sum_fits(page)) return corrupt("its trailer is damaged");
  if (trailer.file_size != size || trailer.entry_size != sizeof(SnapshotSegment) ||
      trailer.segments > size / kSnapshotPage || trailer.table_offset % kSnapshotPage != 0 ||
      trailer.table_offset > size ||
      trailer.table_offset + table_bytes(trailer.segments) + kSnapshotPage != trailer.file_size) {
    return corrupt("its counts do not agree");
  }
  const uint8_t* const entries = bytes + trailer.table_offset;
  if (xxh64(entries, table_bytes(trailer.segments)) != trailer.table_sum) return corrupt("its table is damaged");
  SnapshotTable table;
  table.dims = header.dims;
  table.precision = static_cast<IndexPrecision>(header.precision);
  table.revision = trailer.revision;
  table.vectors = trailer.vectors;
  table.segments.resize(trailer.segments);
  if (trailer.segments > 0) {
    std::memcpy(table.segments.data(), entries, trailer.segments * sizeof(SnapshotSegment));
  }
  Status status = check_table(table, trailer.table_offset);
  if (!status.ok()) return status;
  return table;
}

Status check_snapshot_head(const uint8_t* bytes, const SnapshotTable& table, size_t segment) {
  const SnapshotSegment& entry = table.segments[segment];
  const SegmentLayout layout = layout_of(table, segment);
  const uint8_t* const image = bytes + entry.offset;
  if (xxh64(image, layout.head) != entry.head_sum) return corrupt("keys or groups are damaged");
  const bool is_last = segment + 1 == table.segments.size();
  const int64_t beyond = is_last ? kMostKey + 1 : table.segments[segment + 1].first_key;
  const auto* const keys = reinterpret_cast<const int64_t*>(image + layout.keys);
  bool rising = keys[0] == entry.first_key && keys[entry.rows - 1] < beyond;
  for (size_t i = 1; i < entry.rows; ++i) rising &= keys[i - 1] < keys[i];
  return rising ? Status() : corrupt("its keys are out of order");
}

Status check_snapshot_rest(const uint8_t* bytes, const SnapshotTable& table, size_t segment) {
  const SnapshotSegment& entry = table.segments[segment];
  const SegmentLayout layout = layout_of(table, segment);
  const bool fits = xxh64(bytes + entry.offset + layout.head, layout.bytes - layout.head) == entry.rest_sum;
  return fits ? Status() : corrupt("codes or vectors are damaged");
}

SnapshotWriter::SnapshotWriter(const std::string& path, size_t dims, IndexPrecision precision)
    : path_(path), file_(path) {
  table_.dims = dims;
  table_.precision = precision;
  Header header{{}, kSnapshotVersion, kByteOrder, static_cast<uint32_t>(dims), static_cast<uint32_t>(precision)};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  file_.write(page_of(header).data(), kSnapshotPage);
}

Status SnapshotWriter::status() const {
  const int error = file_.error();
  if (error == 0) return Status();
  const bool full = error == ENOSPC || error == EFBIG
#if defined(EDQUOT)
                    || error == EDQUOT
#endif
      ;
  return Status(full ? Code::kStoreFull : Code::kStoreFailed, path_ + " cannot be written: " + std::strerror(error));
}

Status SnapshotWriter::append(Segment& segment) {
  const SegmentLayout& layout = segment.layout();
  const size_t rows = segment.rows();
  const int64_t* keys = segment.keys();
  for (size_t i = 0; i < rows; ++i) {
    if (keys[i] <= last_key_) return Status(Code::kInvalidArgument, "Keys of a snapshot rise");
    last_key_ = keys[i];
  }
  // Nothing that lay there before may end in the file.
  const auto clear = [&](size_t from, size_t to) { std::memset(segment.writable() + from, 0, to - from); };
  const size_t plane = rows * plane_stride(table_.dims);
  clear(layout.keys + rows * sizeof(int64_t), layout.groups);
  clear(layout.groups + rows * sizeof(uint32_t), layout.head);
  clear(layout.coarse + rows * sizeof(CodeBound), layout.middle);
  clear(layout.middle + rows * sizeof(CodeBound), layout.fine);
  clear(layout.fine + rows * sizeof(CodeBound), layout.high);
  clear(layout.high + plane, layout.low);
  clear(layout.low + plane, layout.vectors);
  clear(layout.vectors + rows * vector_bytes(table_.dims, table_.precision), layout.bytes);
  const uint8_t* image = segment.image();
  table_.segments.push_back(
      {offset_, rows, keys[0], xxh64(image, layout.head), xxh64(image + layout.head, layout.bytes - layout.head)});
  table_.vectors += rows;
  offset_ += layout.bytes;
  file_.write(image, layout.bytes);
  return status();
}

Status SnapshotWriter::finish(uint64_t revision) {
  std::vector<uint8_t> table(table_bytes(table_.segments.size()));
  if (!table.empty()) {
    std::memcpy(table.data(), table_.segments.data(), table_.segments.size() * sizeof(SnapshotSegment));
  }
  Trailer trailer{{},
                  sizeof(SnapshotSegment),
                  revision,
                  table_.vectors,
                  table_.segments.size(),
                  offset_,
                  xxh64(table.data(), table.size()),
                  offset_ + table.size() + kSnapshotPage};
  std::memcpy(trailer.magic, kTrailerMagic, sizeof(kTrailerMagic));
  file_.write(table.data(), table.size());
  file_.write(page_of(trailer).data(), kSnapshotPage);
  const Status committed = file_.commit();
  return committed.ok() ? committed : status();
}

}  // namespace lineament
