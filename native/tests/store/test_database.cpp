#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#if !defined(_WIN32)
#include <sys/resource.h>

#include <csignal>
#endif

#include "store/database.h"
#include "tests/check.h"

using namespace lineament;

namespace {

// A folder of its own, removed at the end.
class Folder {
 public:
  Folder() {
    static std::atomic<int> count{0};
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    path_ = std::filesystem::temp_directory_path() /
            ("lineament-store-" + std::to_string(now) + "-" + std::to_string(count++));
    std::filesystem::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const char* name) const { return (path_ / name).string(); }

 private:
  std::filesystem::path path_;
};

SqlStatement sql(const char* text, std::vector<SqlValue> values = {}) {
  SqlStatement statement;
  statement.sql = text;
  statement.parameters = values.size();
  statement.values = std::move(values);
  return statement;
}

std::shared_ptr<Database> open(const std::string& path, StoreOptions options = {}) {
  Result<std::shared_ptr<Database>> opened = Database::open(path, options);
  if (!opened.ok()) check::fail(__FILE__, __LINE__, opened.status().message());
  return opened.ok() ? opened.value() : nullptr;
}

Status write(Database& database, const std::vector<SqlStatement>& statements, const CancelToken* token = nullptr) {
  return database.run(statements, true, 1000, token).status();
}

int64_t count(Database& database, const char* table) {
  const auto found = database.run({sql((std::string("SELECT count(*) FROM ") + table).c_str())}, false, 10, nullptr);
  if (!found.ok() || found.value()[0].values.empty()) return -1;
  return std::get<int64_t>(found.value()[0].values[0]);
}

std::string code(const Status& status) { return code_name(status.code()); }

const char* const kTable = "CREATE TABLE t (id INTEGER PRIMARY KEY, v BLOB, s TEXT UNIQUE)";

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

TEST(values_come_back_as_they_went_in) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql("CREATE TABLE v (a, b, c, d, e, f)")}).ok());
  const std::string text("na\0ïve €", 11);
  const std::vector<uint8_t> blob = {0, 255, 1};
  const int64_t least = std::numeric_limits<int64_t>::min();
  CHECK(write(*database, {sql("INSERT INTO v VALUES (?, ?, ?, ?, ?, ?)",
                              {std::monostate(), least, 0.1, text, blob, std::vector<uint8_t>()})})
            .ok());
  const auto read = database->run({sql("SELECT * FROM v")}, false, 10, nullptr);
  CHECK(read.ok());
  const std::vector<SqlValue>& row = read.value()[0].values;
  CHECK(std::holds_alternative<std::monostate>(row[0]));
  CHECK_EQ(std::get<int64_t>(row[1]), least);
  CHECK_EQ(std::get<double>(row[2]), 0.1);
  CHECK(std::get<std::string>(row[3]) == text);
  CHECK(std::get<std::vector<uint8_t>>(row[4]) == blob);
  CHECK(std::get<std::vector<uint8_t>>(row[5]).empty());
  CHECK_EQ(read.value()[0].columns.size(), size_t{6});
}

TEST(a_statement_runs_for_many_rows) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  SqlStatement many = sql("INSERT INTO t (s) VALUES (?) RETURNING id");
  many.values = {std::string("a"), std::string("b"), std::string("c")};
  many.parameters = 1;
  many.runs = 3;
  const auto done = database->run({sql(kTable), many}, true, 100, nullptr);
  CHECK(done.ok());
  CHECK_EQ(done.value()[1].changes, 3);
  CHECK_EQ(done.value()[1].last_id, 3);
  CHECK_EQ(done.value()[1].rows, size_t{3});
  many.runs = 0;
  many.values.clear();
  const auto none = database->run({many}, true, 100, nullptr);
  CHECK(none.ok());
  CHECK_EQ(none.value()[0].changes, 0);
}

TEST(a_failure_undoes_the_whole_transaction) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql(kTable), sql("INSERT INTO t (id, s) VALUES (1, 'a')")}).ok());
  const auto twice = {sql("INSERT INTO t (id) VALUES (2)"), sql("INSERT INTO t (id) VALUES (1)")};
  CHECK_EQ(code(write(*database, twice)), "DUPLICATE_ID");
  CHECK_EQ(count(*database, "t"), 1);
  CHECK_EQ(code(write(*database, {sql("INSERT INTO t (s) VALUES ('a')")})), "DUPLICATE_ID");
  CHECK_EQ(code(write(*database, {sql("INSERT INTO nowhere VALUES (1)")})), "INVALID_ARGUMENT");
  CHECK_EQ(code(write(*database, {sql("INSERT INTO t (id) VALUES (?)")})), "INVALID_ARGUMENT");
  CHECK_EQ(code(write(*database, {sql("INSERT INTO t (id) VALUES (5); SELECT 1")})), "INVALID_ARGUMENT");
  CHECK_EQ(code(write(*database, {sql(" -- nothing")})), "INVALID_ARGUMENT");
  CHECK_EQ(code(write(*database, {sql("CREATE TABLE c (a CHECK (a > 0))"), sql("INSERT INTO c VALUES (0)")})),
           "INVALID_ARGUMENT");
  SqlStatement expecting = sql("UPDATE t SET s = 'b' WHERE id = 9");
  expecting.expect = 1;
  CHECK_EQ(code(write(*database, {sql("INSERT INTO t (id) VALUES (7)"), expecting})), "NOT_FOUND");
  CHECK_EQ(count(*database, "t"), 1);
}

TEST(transactions_are_not_for_callers) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(database->write_groups({{sql("SELECT 1")}}, nullptr).ok());  // ours are prepared now
  for (const char* text : {"COMMIT", "BEGIN", "ROLLBACK", "SAVEPOINT one", "RELEASE one", "ATTACH 'x' AS x"}) {
    CHECK_EQ(code(write(*database, {sql(text)})), "INVALID_ARGUMENT");
  }
  CHECK_EQ(code(database->run({sql(kTable)}, false, 10, nullptr).status()), "INVALID_ARGUMENT");
  CHECK(write(*database, {sql(kTable)}).ok());
}

TEST(a_group_that_fails_leaves_the_others) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql(kTable)}).ok());
  const auto outcomes =
      database->write_groups({{sql("INSERT INTO t (id) VALUES (1)")},
                              {sql("INSERT INTO t (id) VALUES (2)"), sql("INSERT INTO t (id) VALUES (1)")},
                              {sql("INSERT INTO t (id) VALUES (3)")}},
                             nullptr);
  CHECK(outcomes.ok());
  CHECK(outcomes.value()[0].status.ok());
  CHECK_EQ(code(outcomes.value()[1].status), "DUPLICATE_ID");
  CHECK(outcomes.value()[2].status.ok());
  CHECK_EQ(count(*database, "t"), 2);
}

TEST(too_many_rows_are_refused_and_pages_give_them) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(
      write(*database, {sql(kTable), sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)"
                                         " INSERT INTO t (id) SELECT i FROM n")})
          .ok());
  CHECK_EQ(code(database->run({sql("SELECT id FROM t")}, false, 99, nullptr).status()), "INVALID_ARGUMENT");
  CHECK(database->run({sql("SELECT id FROM t")}, false, 100, nullptr).ok());
  const auto cursor = database->cursor(sql("SELECT id FROM t WHERE id > ? ORDER BY id", {int64_t{10}}), nullptr);
  CHECK(cursor.ok());
  int64_t expected = 11;
  for (;;) {
    const auto page = cursor.value()->next(40, nullptr);
    CHECK(page.ok());
    if (!page.ok() || page.value().rows == 0) break;
    for (const SqlValue& value : page.value().values) CHECK_EQ(std::get<int64_t>(value), expected++);
    // The snapshot does not see what is written meanwhile.
    CHECK(write(*database, {sql("INSERT INTO t (s) VALUES (NULL)")}).ok());
  }
  CHECK_EQ(expected, 101);
  CHECK(cursor.value()->next(1, nullptr).ok());
}

TEST(cursors_are_bounded_and_close_with_the_database) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql(kTable), sql("INSERT INTO t (id) VALUES (1)")}).ok());
  std::vector<std::shared_ptr<Cursor>> cursors;
  for (size_t i = 0; i < Database::kMostCursors; ++i) {
    auto made = database->cursor(sql("SELECT id FROM t"), nullptr);
    CHECK(made.ok());
    cursors.push_back(made.value());
  }
  CHECK_EQ(code(database->cursor(sql("SELECT id FROM t"), nullptr).status()), "STORE_BUSY");
  cursors.back()->close();
  CHECK(database->cursor(sql("SELECT id FROM t"), nullptr).ok());
  CHECK_EQ(code(database->cursor(sql("DELETE FROM t"), nullptr).status()), "INVALID_ARGUMENT");
  database->close();
  CHECK_EQ(code(cursors[0]->next(1, nullptr).status()), "CLOSED");
  CHECK_EQ(code(write(*database, {sql("DELETE FROM t")})), "CLOSED");
  CHECK(!std::filesystem::exists(folder.file("a.db-wal")));
}

TEST(cancelled_work_is_undone) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql(kTable)}).ok());
  CancelToken token;
  std::thread canceller([&token] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    token.cancel();
  });
  const SqlStatement endless =
      sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t (id) SELECT i FROM n");
  CHECK_EQ(code(write(*database, {endless}, &token)), "ABORTED");
  canceller.join();
  CHECK_EQ(count(*database, "t"), 0);
  CHECK(write(*database, {sql("INSERT INTO t (id) VALUES (1)")}).ok());
  CHECK_EQ(code(write(*database, {sql("INSERT INTO t (id) VALUES (2)")}, &token)), "ABORTED");
  CHECK_EQ(count(*database, "t"), 1);
}

TEST(reads_do_not_wait_for_a_writer_and_writers_take_turns) {
  const Folder folder;
  StoreOptions hasty;
  hasty.busy_timeout_ms = 50;
  const auto first = open(folder.file("a.db"));
  const auto second = open(folder.file("a.db"), hasty);
  CHECK(write(*first, {sql(kTable), sql("INSERT INTO t (id) VALUES (1)")}).ok());
  CancelToken token;
  std::atomic<bool> ended{false};
  std::thread writer([&] {
    const SqlStatement endless =
        sql("WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n) INSERT INTO t (id) SELECT i FROM n");
    CHECK_EQ(code(write(*first, {endless}, &token)), "ABORTED");
    ended = true;
  });
  // Once the writer holds the lock the other one is told so.
  Status status;
  while (status.ok() && !ended) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // SQLite's lock is not fair: leave the other one a gap
    status = write(*second, {sql("INSERT INTO t (s) VALUES (NULL)")});
  }
  CHECK_EQ(code(status), "STORE_BUSY");
  CHECK(count(*first, "t") >= 1);
  CHECK(count(*second, "t") >= 1);
  token.cancel();
  writer.join();
  CHECK(write(*second, {sql("DELETE FROM t")}).ok());
}

TEST(a_full_store_says_so_and_stays_whole) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql(kTable), sql("INSERT INTO t (id) VALUES (1)"), sql("PRAGMA max_page_count = 20")}).ok());
  CHECK_EQ(code(write(*database, {sql("INSERT INTO t (id, v) VALUES (2, zeroblob(1000000))")})), "STORE_FULL");
  const auto outcomes = database->write_groups(
      {{sql("INSERT INTO t (id) VALUES (3)")}, {sql("INSERT INTO t (id, v) VALUES (4, zeroblob(1000000))")}}, nullptr);
  CHECK_EQ(code(outcomes.status()), "STORE_FULL");
  CHECK_EQ(count(*database, "t"), 1);
  CHECK(write(*database, {sql("INSERT INTO t (id) VALUES (5)")}).ok());
}

TEST(a_failed_write_says_that_there_is_no_space) {
#if defined(_WIN32)
  SKIP("needs a limit on the size of files");
#else
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql(kTable), sql("INSERT INTO t (id) VALUES (1)")}).ok());
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 300000;
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const Status status = write(*database, {sql("INSERT INTO t (id, v) VALUES (2, zeroblob(50000000))")});
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_DFL);
  CHECK_EQ(code(status), "STORE_FULL");
  CHECK_EQ(count(*database, "t"), 1);
  CHECK(write(*database, {sql("INSERT INTO t (id) VALUES (3)")}).ok());
#endif
}

TEST(what_is_no_database_is_refused) {
  const Folder folder;
  std::ofstream(folder.file("text.db")) << std::string(5000, 'x');
  CHECK_EQ(code(Database::open(folder.file("text.db"), {}).status()), "STORE_CORRUPT");
  CHECK_EQ(bytes_of(folder.file("text.db")), std::string(5000, 'x'));
  CHECK_EQ(code(Database::open(folder.file("none/a.db"), {}).status()), "STORE_FAILED");
  StoreOptions existing;
  existing.create = false;
  CHECK_EQ(code(Database::open(folder.file("b.db"), existing).status()), "STORE_FAILED");
}

TEST(damage_is_noticed) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  {
    const auto database = open(path);
    CHECK(write(*database,
                {sql(kTable), sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)"
                                  " INSERT INTO t (id, v) SELECT i, zeroblob(2000) FROM n")})
              .ok());
  }
  const std::string whole = bytes_of(path);
  for (const size_t kept : {size_t{100}, size_t{5000}, whole.size() / 2}) {
    std::ofstream(path, std::ios::binary) << whole.substr(0, kept);
    Result<std::shared_ptr<Database>> opened = Database::open(path, {});
    Status status = opened.status();
    if (opened.ok()) status = opened.value()->run({sql("SELECT max(length(v)) FROM t")}, false, 10, nullptr).status();
    CHECK_EQ(code(status), "STORE_CORRUPT");
  }
  std::string broken = whole;
  for (size_t i = 4096; i < broken.size(); ++i) broken[i] = static_cast<char>(i * 31);
  std::ofstream(path, std::ios::binary) << broken;
  Result<std::shared_ptr<Database>> opened = Database::open(path, {});
  Status status = opened.status();
  if (opened.ok()) status = opened.value()->run({sql("SELECT max(length(v)) FROM t")}, false, 10, nullptr).status();
  CHECK_EQ(code(status), "STORE_CORRUPT");
}

TEST(what_is_deleted_is_overwritten) {
  const Folder folder;
  const std::string path = folder.file("a.db"), secret = "a face nobody may find any more";
  const auto database = open(path);
  CHECK(write(*database, {sql(kTable)}).ok());
  for (int64_t i = 0; i < 20; ++i)
    CHECK(write(*database, {sql("INSERT INTO t (id, v) VALUES (?, ?)", {i, secret + std::to_string(i)})}).ok());
  CHECK(database->checkpoint(true).ok());
  CHECK(bytes_of(path).find(secret) != std::string::npos);
  CHECK(write(*database, {sql("DELETE FROM t")}).ok());
  CHECK(database->checkpoint(true).ok());
  CHECK_EQ(bytes_of(path).find(secret), std::string::npos);
  CHECK_EQ(bytes_of(path + "-wal").size(), size_t{0});
}

TEST(a_copy_is_consistent_while_others_write) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql(kTable)}).ok());
  std::atomic<bool> stop{false};
  // Two rows at a time: a copy with an odd number of them would be torn.
  std::thread writer([&] {
    while (!stop) CHECK(write(*database, {sql("INSERT INTO t (v) VALUES (zeroblob(3000)), (zeroblob(3000))")}).ok());
  });
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::string copy = folder.file("copy.db");
    CHECK(database->backup(copy, nullptr).ok());
    const auto opened = open(copy);
    CHECK_EQ(count(*opened, "t") % 2, 0);
    const auto checked = opened->run({sql("PRAGMA quick_check")}, false, 10, nullptr);
    CHECK(checked.ok() && std::get<std::string>(checked.value()[0].values[0]) == "ok");
  }
  stop = true;
  writer.join();
  CancelToken token;
  token.cancel();
  CHECK_EQ(code(database->backup(folder.file("never.db"), &token)), "ABORTED");
  CHECK(!std::filesystem::exists(folder.file("never.db")));
  const auto other = open(folder.file("used.db"));
  CHECK_EQ(code(database->backup(folder.file("used.db"), nullptr)), "INVALID_ARGUMENT");
}

TEST(a_reader_may_not_write) {
  const Folder folder;
  const std::string path = folder.file("a.db");
  {
    const auto database = open(path);
    CHECK(write(*database, {sql(kTable), sql("INSERT INTO t (id) VALUES (1)")}).ok());
  }
  StoreOptions reading;
  reading.read_only = true;
  const auto database = open(path, reading);
  CHECK_EQ(count(*database, "t"), 1);
  CHECK_EQ(code(write(*database, {sql("DELETE FROM t")})), "STORE_FAILED");
  CHECK_EQ(count(*database, "t"), 1);
}

TEST(closing_waits_for_what_runs) {
  const Folder folder;
  const auto database = open(folder.file("a.db"));
  CHECK(write(*database, {sql(kTable)}).ok());
  std::atomic<int> written{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        const Status status = write(*database, {sql("INSERT INTO t (v) VALUES (zeroblob(100))")});
        if (!status.ok()) {
          CHECK_EQ(code(status), "CLOSED");
          return;
        }
        ++written;
      }
    });
  }
  while (written < 20) std::this_thread::yield();
  database->close();
  for (std::thread& thread : threads) thread.join();
  const auto again = open(folder.file("a.db"));
  CHECK_EQ(count(*again, "t"), written.load());
}

TEST_MAIN()
