// The search against a comparison with every vector in double precision.
#include <atomic>
#include <thread>

#include "search/kernels.h"
#include "search/scan.h"
#include "tests/check.h"
#include "tests/search/gallery.h"

using namespace lineament;
using namespace lineament::testing;

namespace {

Executor& executor() {
  static Executor pool(3);
  return pool;
}

std::vector<std::vector<Hit>> search(const VectorCoder& coder, Gallery& gallery, const std::vector<float>& queries,
                                     const SearchOptions& options) {
  std::vector<std::vector<Hit>> hits;
  const Status status =
      search_blocks(coder, gallery, queries.data(), queries.size() / coder.dims(), options, executor(), &hits);
  CHECK_EQ(status.message(), std::string());
  return hits;
}

// The scores that the search is to order by, from plain loops.
std::vector<double> all_scores(const Gallery& gallery, const VectorCoder& coder, const float* query,
                               StoredVectors stored) {
  std::vector<double> scores(gallery.rows);
  std::vector<float> rotated(2 * coder.stride());
  coder.rotate(query, rotated.data());
  for (size_t r = 0; r < gallery.rows; ++r) {
    if (stored != StoredVectors::kNone) {
      scores[r] = exact_dot(gallery.floats.data() + r * coder.dims(), query, coder.dims());
    } else {
      double sum = 0;
      for (size_t i = 0; i < coder.dims(); ++i) sum += (gallery.code(r, i) - 127.5) * static_cast<double>(rotated[i]);
      scores[r] = gallery.fine[r].scale * sum;
    }
  }
  return scores;
}

// Sets must be equal up to rows whose scores differ by rounding only, and scores and order must be right.
void compare(const std::vector<Hit>& found, const std::vector<Hit>& expected, const Gallery& gallery,
             const std::vector<double>& scores) {
  CHECK_EQ(found.size(), expected.size());
  if (found.size() != expected.size()) return;
  std::vector<double> by_key(gallery.rows);
  for (size_t r = 0; r < gallery.rows; ++r) by_key[static_cast<size_t>(gallery.keys[r])] = scores[r];
  for (size_t i = 0; i < found.size(); ++i) {
    CHECK_NEAR(found[i].score, expected[i].score, 1e-12);
    CHECK_NEAR(found[i].score, by_key[static_cast<size_t>(found[i].key)], 1e-12);
    if (i == 0) continue;
    CHECK(found[i - 1].score > found[i].score ||
          (found[i - 1].score == found[i].score && found[i - 1].key < found[i].key));
  }
}

void check_gallery(Kind rows_kind, Kind query_kind, size_t rows, size_t dims, StoredVectors stored, size_t queries,
                   const SearchOptions& options, size_t block_rows = 4096, size_t keep_each = 1) {
  const VectorCoder coder(dims);
  Gallery gallery(coder, make_vectors(rows_kind, rows, dims, 31), stored, block_rows);
  if (keep_each > 1) gallery.filter([&](size_t r) { return r * 2654435761u % keep_each == 0; });
  const std::vector<float> vectors = make_vectors(query_kind, queries, dims, 32);
  const auto hits = search(coder, gallery, vectors, options);
  CHECK_EQ(hits.size(), queries);
  for (size_t q = 0; q < hits.size(); ++q) {
    const std::vector<double> scores = all_scores(gallery, coder, vectors.data() + q * dims, stored);
    compare(hits[q], best_of(gallery, scores, options.k, options.threshold), gallery, scores);
  }
}

SearchOptions with(size_t k, double threshold = -2, size_t threads = 2) {
  SearchOptions options;
  options.k = k;
  options.threshold = threshold;
  options.threads = threads;
  return options;
}

// Runs `body` with each level's kernels.
template <typename Body>
void at_every_level(Body body) {
  NamedSearchKernels levels[5];
  const int count = available_search_kernels(levels);
  for (int i = 0; i < count; ++i) {
    force_search_kernels(levels[i].kernels);
    body();
  }
  force_search_kernels(nullptr);
}

}  // namespace

TEST(finds_what_comparing_with_all_finds) {
  at_every_level([] {
    for (const size_t dims : {2, 3, 17, 64, 128, 200, 512, 2048}) {
      for (const size_t queries : {1, 3, 14}) {
        check_gallery(Kind::kRandom, Kind::kRandom,
                      dims > 600   ? 150
                      : dims > 150 ? 500
                                   : 1500,
                      dims, StoredVectors::kFloat32, queries, with(10));
      }
    }
  });
}

TEST(finds_the_best_of_every_kind) {
  at_every_level([] {
    for (const Kind kind : kKinds) {
      for (const size_t dims : {5, 128}) {
        check_gallery(kind, kind, 900, dims, StoredVectors::kFloat32, 3, with(10));
        check_gallery(kind, kind, 900, dims, StoredVectors::kFloat32, 14, with(10));
        check_gallery(kind, Kind::kRandom, 900, dims, StoredVectors::kFloat32, 2, with(7));
      }
    }
  });
}

TEST(half_and_codes_alone_are_exact_for_what_they_keep) {
  at_every_level([] {
    for (const StoredVectors stored : {StoredVectors::kFloat16, StoredVectors::kNone}) {
      for (const Kind kind : {Kind::kRandom, Kind::kClustered, Kind::kSpiky, Kind::kEqual}) {
        for (const size_t dims : {3, 130}) {
          check_gallery(kind, kind, 700, dims, stored, 2, with(10));
          check_gallery(kind, kind, 700, dims, stored, 13, with(10));
        }
      }
    }
  });
}

TEST(thresholds_leave_nothing_out_and_let_nothing_in) {
  at_every_level([] {
    for (const double threshold : {-0.1, 0.05, 0.1, 0.3, 1.5}) {
      check_gallery(Kind::kRandom, Kind::kRandom, 1200, 128, StoredVectors::kFloat32, 2, with(100000, threshold));
      check_gallery(Kind::kClustered, Kind::kClustered, 1200, 128, StoredVectors::kFloat32, 13, with(1, threshold));
    }
    check_gallery(Kind::kClustered, Kind::kClustered, 1200, 128, StoredVectors::kFloat32, 13, with(50, 0.9));
  });
}

TEST(more_queries_than_are_compared_at_a_time) {
  const VectorCoder coder(16);
  Gallery gallery(coder, make_vectors(Kind::kClustered, 300, 16, 1), StoredVectors::kFloat32, 64);
  const std::vector<float> queries = make_vectors(Kind::kClustered, 1200, 16, 2);
  const auto hits = search(coder, gallery, queries, with(3));
  CHECK_EQ(hits.size(), size_t{1200});
  for (size_t q = 0; q < hits.size(); ++q) {
    const std::vector<double> scores = all_scores(gallery, coder, queries.data() + q * 16, StoredVectors::kFloat32);
    compare(hits[q], best_of(gallery, scores, 3, -2), gallery, scores);
  }
}

TEST(masks_hide_rows) {
  at_every_level([] {
    for (const size_t keep_each : {2, 50, 700, 1000000}) {
      for (const size_t queries : {1, 14}) {
        check_gallery(Kind::kRandom, Kind::kRandom, 1200, 128, StoredVectors::kFloat32, queries, with(10), 1000,
                      keep_each);
      }
    }
  });
  const VectorCoder coder(64);
  Gallery gallery(coder, make_vectors(Kind::kRandom, 500, 64, 1), StoredVectors::kFloat32, 128);
  gallery.filter([](size_t) { return false; });
  for (const size_t queries : {1, 20}) {
    for (const auto& hits : search(coder, gallery, make_vectors(Kind::kRandom, queries, 64, 2), with(10))) {
      CHECK(hits.empty());
    }
  }
}

TEST(asks_for_more_than_there_is) {
  at_every_level([] {
    for (const size_t rows : {1, 2, 7, 63, 64, 65, 129}) {
      check_gallery(Kind::kRandom, Kind::kRandom, rows, 32, StoredVectors::kFloat32, 1, with(200));
      check_gallery(Kind::kRandom, Kind::kRandom, rows, 32, StoredVectors::kFloat32, 12, with(200), 64);
    }
  });
  const VectorCoder coder(16);
  Gallery empty(coder, {}, StoredVectors::kFloat32, 64);
  CHECK(search(coder, empty, make_vectors(Kind::kRandom, 1, 16, 2), with(10))[0].empty());
  CHECK(search(coder, empty, {}, with(10)).empty());
}

TEST(equal_scores_come_by_key_and_the_smallest_keys_win) {
  at_every_level([] {
    const VectorCoder coder(96);
    Gallery gallery(coder, make_vectors(Kind::kEqual, 2000, 96, 1), StoredVectors::kFloat32, 300);
    for (const size_t queries : {1, 13}) {
      for (const auto& hits : search(coder, gallery, make_vectors(Kind::kClustered, queries, 96, 2), with(25))) {
        CHECK_EQ(hits.size(), size_t{25});
        for (size_t i = 0; i < hits.size(); ++i) CHECK_EQ(hits[i].key, static_cast<int64_t>(i));
      }
    }
  });
}

TEST(levels_threads_and_batches_give_the_same_bits) {
  const VectorCoder coder(200);
  Gallery gallery(coder, make_vectors(Kind::kClustered, 2000, 200, 1), StoredVectors::kFloat32, 256);
  const std::vector<float> queries = make_vectors(Kind::kClustered, 16, 200, 2);
  std::vector<std::vector<Hit>> first;
  at_every_level([&] {
    for (const size_t threads : {1, 2, 3}) {
      auto hits = search(coder, gallery, queries, with(20, -2, threads));
      if (first.empty()) first = hits;
      for (size_t q = 0; q < 16; ++q) {
        const std::vector<float> one(queries.begin() + static_cast<long>(q * 200),
                                     queries.begin() + static_cast<long>((q + 1) * 200));
        for (const auto& found : {hits[q], search(coder, gallery, one, with(20, -2, threads))[0]}) {
          CHECK_EQ(found.size(), first[q].size());
          for (size_t i = 0; i < found.size(); ++i) {
            CHECK_EQ(found[i].key, first[q][i].key);
            CHECK_EQ(found[i].score, first[q][i].score);
          }
        }
      }
    }
  });
}

TEST(bounds_exclude_nearly_all_rows_of_a_random_gallery) {
  const VectorCoder coder(512);
  Gallery gallery(coder, make_vectors(Kind::kRandom, 20000, 512, 1), StoredVectors::kFloat32, 1024);
  for (const size_t queries : {1, 16}) {
    SearchOptions options = with(10);
    SearchWork work;
    options.work = &work;
    search(coder, gallery, make_vectors(Kind::kRandom, queries, 512, 2), options);
    CHECK_EQ(work.rows, uint64_t{20000 * queries});
    CHECK(work.refined < work.rows / 2);
    CHECK(work.scored < 600 * queries);
  }
}

TEST(a_bound_that_is_too_tight_loses_neighbours) {
  // The comparison above would notice: with bounds a little below what the codes alone say, rows that belong to the
  // best are left out.
  const VectorCoder coder(512);
  Gallery gallery(coder, make_vectors(Kind::kRandom, 6000, 512, 1), StoredVectors::kFloat32, 4096);
  for (CodeBound& bound : gallery.coarse) bound.error = -0.01f;
  const std::vector<float> vectors = make_vectors(Kind::kRandom, 11, 512, 2);
  const auto hits = search(coder, gallery, vectors, with(100, -2, 1));
  size_t lost = 0;
  for (size_t q = 0; q < hits.size(); ++q) {
    const auto expected =
        best_of(gallery, all_scores(gallery, coder, vectors.data() + q * 512, StoredVectors::kFloat32), 100, -2);
    for (size_t i = 0; i < expected.size(); ++i) lost += hits[q][i].key != expected[i].key ? 1 : 0;
  }
  CHECK(lost > 0);
}

TEST(bad_arguments_and_cancellation) {
  const VectorCoder coder(64);
  Gallery gallery(coder, make_vectors(Kind::kRandom, 300, 64, 1), StoredVectors::kFloat32, 100);
  std::vector<float> query = make_vectors(Kind::kRandom, 1, 64, 2);
  std::vector<std::vector<Hit>> hits;
  SearchOptions options = with(0);
  CHECK(search_blocks(coder, gallery, query.data(), 1, options, executor(), &hits).code() == Code::kInvalidArgument);
  options = with(10);
  CancelToken token;
  token.cancel();
  options.cancel = &token;
  CHECK(search_blocks(coder, gallery, query.data(), 1, options, executor(), &hits).code() == Code::kAborted);
  CHECK(hits.empty());
  options.cancel = nullptr;
  for (const float bad : {NAN, INFINITY, 2.0f}) {
    query[5] = bad;
    CHECK(search_blocks(coder, gallery, query.data(), 1, options, executor(), &hits).code() == Code::kInvalidArgument);
  }
  std::fill(query.begin(), query.end(), 0.0f);
  CHECK(search_blocks(coder, gallery, query.data(), 1, options, executor(), &hits).code() == Code::kInvalidArgument);
}

TEST(cancelling_midway_ends_the_search_and_closes_every_block) {
  struct Counted : BlockSource {
    Gallery& inner;
    CancelToken& token;
    std::atomic<int> opened{0}, open_now{0};
    Counted(Gallery& from, CancelToken& with) : inner(from), token(with) {}
    size_t blocks() const override { return inner.blocks(); }
    bool open(size_t block, BlockView* view) override {
      ++open_now;
      if (++opened == 5) token.cancel();
      return inner.open(block, view);
    }
    void close(size_t) override { --open_now; }
  };
  const VectorCoder coder(64);
  Gallery gallery(coder, make_vectors(Kind::kRandom, 6400, 64, 1), StoredVectors::kFloat32, 64);
  for (const size_t queries : {1, 16}) {
    CancelToken token;
    Counted source(gallery, token);
    SearchOptions options = with(10);
    options.cancel = &token;
    std::vector<std::vector<Hit>> hits;
    const std::vector<float> vectors = make_vectors(Kind::kRandom, queries, 64, 2);
    CHECK(search_blocks(coder, source, vectors.data(), queries, options, executor(), &hits).code() == Code::kAborted);
    CHECK(source.opened < 20);
    CHECK_EQ(source.open_now.load(), 0);
  }
}

TEST(a_busy_or_closed_pool_only_leaves_the_work_to_the_caller) {
  const VectorCoder coder(64);
  Gallery gallery(coder, make_vectors(Kind::kRandom, 1000, 64, 1), StoredVectors::kFloat32, 64);
  const std::vector<float> query = make_vectors(Kind::kRandom, 1, 64, 2);
  Executor closed(2);
  closed.shutdown();
  std::vector<std::vector<Hit>> hits;
  CHECK(search_blocks(coder, gallery, query.data(), 1, with(10), closed, &hits).ok());
  CHECK_EQ(hits[0].size(), size_t{10});
}

TEST_MAIN()
