// Any bytes as a snapshot: what is accepted must be searched within its memory, changed and saved. One input in two
// begins as a well-formed file that is then changed in a few places, with its check sums put right, so that what lies
// behind them is reached as well.
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "search/index.h"
#include "search/snapshot.h"
#include "search/snapshot_sum.h"

using namespace lineament;

namespace {

struct Input {
  const uint8_t* data;
  size_t size;
  uint32_t take() {
    if (size == 0) return 0;
    --size;
    return *data++;
  }
};

// A name of this process's own; in memory where the system has such a folder.
std::string scratch(const char* name) {
  static const std::string folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  return folder + "/lineament-index-fuzz-" + std::to_string(getpid()) + "-" + name;
}

Executor& executor() {
  static Executor one(1);
  return one;
}

std::vector<uint8_t> written(size_t dims, IndexPrecision precision, size_t count) {
  VectorIndex index(dims, precision);
  std::vector<int64_t> keys(count);
  std::vector<float> values(count * dims);
  std::vector<uint32_t> groups(count);
  for (size_t i = 0; i < count; ++i) {
    keys[i] = static_cast<int64_t>(7 * i);
    groups[i] = static_cast<uint32_t>(i % 3);
  }
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>((i * 7919 + 13) % 101) - 50.25F;
  if (!index.put(keys.data(), values.data(), groups.data(), count, false, executor(), nullptr).ok()) std::abort();
  if (!index.save(scratch("made"), nullptr).ok()) std::abort();
  std::ifstream file(scratch("made"), std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
}

void sign(std::vector<uint8_t>* bytes, size_t page) {
  const uint64_t sum = xxh64(bytes->data() + page, kSnapshotPage - 8);
  std::memcpy(bytes->data() + page + kSnapshotPage - 8, &sum, 8);
}

// Puts the check sums right, from the inside out, as far as the counts allow.
void sign_all(std::vector<uint8_t>* bytes) {
  if (bytes->size() < 3 * kSnapshotPage) return;
  const size_t trailer = bytes->size() - kSnapshotPage;
  uint64_t segments, table, dims = 0, precision = 0;
  std::memcpy(&dims, bytes->data() + 16, 4);
  std::memcpy(&precision, bytes->data() + 20, 4);
  std::memcpy(&segments, bytes->data() + trailer + 32, 8);
  std::memcpy(&table, bytes->data() + trailer + 40, 8);
  if (table < trailer && segments < 100 && table + segments * sizeof(SnapshotSegment) <= trailer) {
    for (size_t i = 0; i < segments && dims <= 4096 && precision >= 1 && precision <= 3; ++i) {
      SnapshotSegment entry;
      uint8_t* const at = bytes->data() + table + i * sizeof(entry);
      std::memcpy(&entry, at, sizeof(entry));
      if (entry.rows > kMostSegmentRows || entry.offset > table) continue;
      const SegmentLayout layout(dims, static_cast<IndexPrecision>(precision), entry.rows);
      if (entry.offset + layout.bytes > table) continue;
      entry.head_sum = xxh64(bytes->data() + entry.offset, layout.head);
      entry.rest_sum = xxh64(bytes->data() + entry.offset + layout.head, layout.bytes - layout.head);
      std::memcpy(at, &entry, sizeof(entry));
    }
    const uint64_t sum = xxh64(bytes->data() + table, trailer - table);
    std::memcpy(bytes->data() + trailer + 48, &sum, 8);
  }
  sign(bytes, trailer);
  sign(bytes, 0);
}

void use(const std::string& path, SnapshotMode mode) {
  auto opened = VectorIndex::open(path, mode, executor(), nullptr);
  if (!opened.ok()) {
    const Code code = opened.status().code();
    if (code != Code::kStoreCorrupt && code != Code::kStoreVersion) std::abort();
    return;
  }
  VectorIndex& index = *opened.value();
  std::vector<float> queries(2 * index.dims());
  for (size_t i = 0; i < queries.size(); ++i) queries[i] = static_cast<float>(i % 17) - 8.5F;
  const auto search = [&](const IndexFilter& filter, double threshold) {
    std::vector<std::vector<Hit>> hits;
    if (!index.search(queries.data(), 2, {5, threshold, filter}, executor(), nullptr, &hits).ok()) std::abort();
    for (const std::vector<Hit>& one : hits) {
      if (one.size() > 5 || one.size() > index.size()) std::abort();
    }
  };
  search({}, -2);
  search({}, 0.2);
  IndexFilter filter;
  filter.some_groups = true;
  filter.groups = {1, 2};
  filter.except = {7, 14};
  search(filter, -2);
  const int64_t keys[] = {7, 100001};
  const size_t size = index.size();
  const Result<size_t> removed = index.remove(keys, 2);
  if (!removed.ok() || index.size() + removed.value() != size) std::abort();
  if (!index.put(keys, queries.data(), nullptr, 2, false, executor(), nullptr).ok()) std::abort();
  search({}, -2);
  if (!index.save(scratch("again"), nullptr).ok()) std::abort();
  const auto again = VectorIndex::open(scratch("again"), SnapshotMode::kLoad, executor(), nullptr);
  if (!again.ok() || again.value()->size() != index.size()) std::abort();
  (void)index.verify(nullptr).ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Input in{data, size};
  const uint32_t kind = in.take();
  std::vector<uint8_t> bytes;
  if (kind % 4 > 0) {
    const auto precision = static_cast<IndexPrecision>(1 + in.take() % 3);
    const size_t dims = 2 + in.take() % 80;
    bytes = written(dims, precision, in.take() % 100);
    while (in.size >= 4) {
      const size_t at = (in.take() << 16 | in.take() << 8 | in.take()) % bytes.size();
      bytes[at] = static_cast<uint8_t>(in.take());
    }
    if (kind % 4 > 1) sign_all(&bytes);
  } else {
    bytes.assign(in.data, in.data + in.size);
  }
  const std::string path = scratch("file");
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  use(path, SnapshotMode::kMap);
  use(path, SnapshotMode::kLoad);
  for (const char* name : {"made", "again", "file"}) unlink(scratch(name).c_str());
  return 0;
}
