// One connection to a SQLite file: settings, prepared statements, values in and out, errors as codes. Used by one
// thread at a time.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "store/sql_value.h"

struct sqlite3;
struct sqlite3_stmt;

namespace lineament {

struct StoreOptions {
  bool read_only = false;
  bool create = true;
  int busy_timeout_ms = 5000;
  bool full_sync = true;   // a commit returns when it is on the disk
  bool immutable = false;  // read-only, and nobody writes meanwhile: neither locks nor files beside it
};

// Most rows and bytes that results may still take.
struct ResultBudget {
  size_t rows = 10000;
  size_t bytes = size_t{256} << 20;
};

class Connection {
 public:
  // How the connection is used; the first one makes the file and sets WAL mode.
  enum class Role { kWriter, kReader };

  // kStoreCorrupt (no database, damaged), kStoreBusy, kStoreFull, kStoreFailed. `path` is UTF-8.
  static Result<std::unique_ptr<Connection>> open(const std::string& path, const StoreOptions& options, Role role);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Statements poll `token` (may be null, must outlive its use) until another one is set.
  void set_token(const CancelToken* token);

  // Runs all runs of the statement. `write` false refuses what would change the database; statements that begin and end
  // transactions, and ATTACH, are always refused. Rows are taken off the budget; what exceeds it is kInvalidArgument.
  Result<SqlResult> execute(const SqlStatement& statement, bool write, ResultBudget* budget);

  // One of our own statements without values: BEGIN IMMEDIATE, COMMIT, SAVEPOINT, PRAGMA … `first` receives the first
  // value of the first row.
  Status command(const char* sql, std::string* first = nullptr);
  // Ends a transaction that is under way, whatever state it is in.
  void rollback();
  bool in_transaction() const;

  // A prepared statement that is not shared with execute(); `statement.runs` is 1. Null values are freed by
  // finalize().
  Result<sqlite3_stmt*> open_query(const SqlStatement& statement);
  // The next rows, at most `count`, appended to `out`; `done` tells that there are no more.
  Status next_rows(sqlite3_stmt* query, size_t count, ResultBudget* budget, SqlResult* out, bool* done);
  static std::vector<std::string> columns_of(sqlite3_stmt* query);
  void finalize(sqlite3_stmt* query);

  // The status for a code that SQLite gave.
  Status failure(int code, const std::string& what = {}) const;
  sqlite3* handle() { return db_; }

 private:
  struct Prepared {
    std::string key;
    sqlite3_stmt* statement;
  };
  Connection(std::string path, int busy_timeout_ms) : path_(std::move(path)), busy_timeout_ms_(busy_timeout_ms) {}

  Status configure(const StoreOptions& options, Role role);
  Status use_wal();
  Status run_own(const char* sql, std::string* first);
  Result<sqlite3_stmt*> prepare(const std::string& sql, bool keep);
  Result<sqlite3_stmt*> cached(const std::string& sql);
  // `borrow`: the values live until the statement is reset, and are not copied.
  Status bind(sqlite3_stmt* statement, const SqlValue* values, size_t count, bool borrow);

  static int on_progress(void* self);
  static int on_busy(void* self, int tries);
  static int on_authorize(void* self, int action, const char*, const char*, const char*, const char*);

  std::string path_;
  int busy_timeout_ms_;
  int64_t busy_since_ = 0;
  sqlite3* db_ = nullptr;
  const CancelToken* token_ = nullptr;
  bool own_ = false;              // command() is under way
  std::list<Prepared> prepared_;  // most recently used first
  std::unordered_map<std::string, std::list<Prepared>::iterator> by_key_;
};

}  // namespace lineament
