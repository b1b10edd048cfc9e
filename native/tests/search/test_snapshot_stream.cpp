// Snapshots that are written block by block: the same file as an index writes, or none.
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>

#include "search/snapshot_stream.h"
#include "tests/search/index_model.h"

using namespace lineament;
using namespace index_model;

namespace {

std::vector<uint8_t> bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

TEST(blocks_of_any_length_make_the_file_that_an_index_makes) {
  for (const IndexPrecision precision : kPrecisions) {
    for (const size_t dims : {size_t{2}, size_t{65}, size_t{1024}}) {
      const Folder folder;
      Executor executor(2);
      std::mt19937 random(static_cast<unsigned>(dims));
      VectorIndex index(dims, precision);
      {
        SnapshotStream stream(folder / "streamed", dims, precision);
        int64_t key = 0;
        // Segments of long vectors have fewer rows: both lengths end segments.
        for (const size_t count : {size_t{3}, size_t{0}, dims > 100 ? size_t{5000} : size_t{17000}, size_t{129}}) {
          std::vector<int64_t> keys;
          std::vector<uint32_t> groups;
          for (size_t i = 0; i < count; ++i) {
            keys.push_back(key += 1 + random() % 3);
            groups.push_back(random() % 5);
          }
          const std::vector<float> values = vectors(count, dims, random);
          CHECK(stream.add(keys.data(), values.data(), groups.data(), count, executor, nullptr).ok());
          CHECK(index.put(keys.data(), values.data(), groups.data(), count, false, executor, nullptr).ok());
        }
        const Result<uint64_t> finished = stream.finish();
        CHECK(finished.ok() && finished.value() == index.size());
        CHECK(stream.finish().status().code() == Code::kClosed);
        CHECK(stream.add(&key, nullptr, nullptr, 0, executor, nullptr).code() == Code::kClosed);
      }
      CHECK(index.save(folder / "saved", nullptr).ok());
      const std::vector<uint8_t> streamed = bytes_of(folder / "streamed"), saved = bytes_of(folder / "saved");
      CHECK(streamed.size() == saved.size() && streamed.size() > 3 * kSnapshotPage);
      // All but the trailers, whose revisions differ.
      CHECK(std::equal(streamed.begin(), streamed.end() - kSnapshotPage, saved.begin()));
      CHECK(VectorIndex::open(folder / "streamed", SnapshotMode::kLoad, executor, nullptr).ok());
      CHECK_EQ(folder.files(), size_t{2});
    }
  }
}

TEST(what_fails_leaves_nothing) {
  const Folder folder;
  Executor executor(2);
  std::mt19937 random(3);
  std::vector<float> values = vectors(400, 16, random);
  std::vector<int64_t> keys(400);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  CancelToken cancelled;
  cancelled.cancel();
  const auto code = [&](size_t first, const CancelToken* token = nullptr) {
    SnapshotStream stream(folder / "file", 16, IndexPrecision::kExact);
    CHECK(stream.add(keys.data(), values.data(), nullptr, 10, executor, nullptr).ok());
    const Status status =
        stream.add(keys.data() + first, values.data() + 16 * first, nullptr, 400 - first, executor, token);
    CHECK(stream.finish().status().code() == (status.ok() ? Code::kOk : status.code()));
    return status.code();
  };
  CHECK(code(9) == Code::kInvalidArgument);
  CHECK(code(10, &cancelled) == Code::kAborted);
  keys[399] = kMostKey + 1;
  CHECK(code(10) == Code::kInvalidArgument);
  keys[399] = 399;
  values[16 * 399] = std::numeric_limits<float>::quiet_NaN();
  CHECK(code(10) == Code::kInvalidArgument);
  CHECK_EQ(folder.files(), size_t{0});
  values[16 * 399] = 1;
  CHECK(code(10) == Code::kOk);
  CHECK_EQ(folder.files(), size_t{1});
  SnapshotStream nowhere(folder / "no/folder", 16, IndexPrecision::kExact);
  CHECK(nowhere.status().code() == Code::kStoreFailed);
  CHECK(nowhere.finish().status().code() == Code::kStoreFailed);
}

TEST(a_full_disk_is_named) {
  const Folder folder;
  Executor executor(2);
  std::mt19937 random(4);
  const std::vector<float> values = vectors(20000, 64, random);
  std::vector<int64_t> keys(20000);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = static_cast<int64_t>(i);
  rlimit limit;
  getrlimit(RLIMIT_FSIZE, &limit);
  const rlimit before = limit;
  std::signal(SIGXFSZ, SIG_IGN);
  limit.rlim_cur = 1 << 20;
  setrlimit(RLIMIT_FSIZE, &limit);
  {
    SnapshotStream stream(folder / "file", 64, IndexPrecision::kInt8);
    CHECK(stream.add(keys.data(), values.data(), nullptr, keys.size(), executor, nullptr).code() == Code::kStoreFull);
    CHECK(stream.status().code() == Code::kStoreFull);
    CHECK(stream.finish().status().code() == Code::kStoreFull);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  CHECK_EQ(folder.files(), size_t{0});
}

TEST(calls_that_overlap_are_done_one_after_another) {
  const Folder folder;
  Executor executor(2);
  std::mt19937 random(5);
  const std::vector<float> values = vectors(100, 8, random);
  SnapshotStream stream(folder / "file", 8, IndexPrecision::kExact);
  std::atomic<int> accepted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::vector<int64_t> keys(100);
      for (size_t i = 0; i < keys.size(); ++i) keys[i] = 1000 * t + static_cast<int64_t>(i);
      accepted += stream.add(keys.data(), values.data(), nullptr, 100, executor, nullptr).ok();
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Whoever came too late with lower keys was refused, and the stream with it.
  CHECK(accepted > 0);
  const Result<uint64_t> finished = stream.finish();
  CHECK_EQ(finished.ok(), accepted == 4);
  if (finished.ok()) CHECK_EQ(finished.value(), uint64_t{400});
}

TEST_MAIN()
