// A SQLite file in WAL mode: one connection that writes and a few that read, which do not wait for it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/status.h"
#include "store/connection.h"
#include "store/sql_value.h"

namespace lineament {

class Cursor;

// Thread-safe. Calls that write take turns; a call that reads takes one of the read connections, and waits where all
// are in use. Every call can give kStoreBusy, kStoreFull, kStoreCorrupt, kStoreFailed, kAborted and kClosed.
class Database : public std::enable_shared_from_this<Database> {
 public:
  static constexpr size_t kMostReaders = 8;
  static constexpr size_t kMostCursors = 6;

  // `path` is UTF-8; its folder must exist.
  static Result<std::shared_ptr<Database>> open(const std::string& path, const StoreOptions& options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One transaction; all or nothing. `write` false: one snapshot, and statements that write are refused.
  Result<std::vector<SqlResult>> run(const std::vector<SqlStatement>& statements, bool write, size_t max_rows,
                                     const CancelToken* token);

  // One transaction in which each group stands or falls by itself. Not ok: the transaction failed, nothing was written.
  Result<std::vector<SqlOutcome>> write_groups(const std::vector<std::vector<SqlStatement>>& groups,
                                               const CancelToken* token);

  // A query whose rows are fetched bit by bit from one snapshot.
  Result<std::shared_ptr<Cursor>> cursor(const SqlStatement& statement, const CancelToken* token);

  // Moves the log into the file; `truncate` waits for readers and empties the log.
  Status checkpoint(bool truncate);

  // A consistent copy, made in a temporary file beside `path` and renamed.
  Status backup(const std::string& path, const CancelToken* token);

  // Refuses new calls, waits for running ones, closes cursors and connections. Idempotent.
  void close();

  const std::string& path() const { return path_; }

 private:
  friend class Cursor;
  Database(std::string path, StoreOptions options) : path_(std::move(path)), options_(options) {}

  // A call under way, which close() waits for.
  class Call {
   public:
    explicit Call(Database& database);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;
    bool closed() const { return closed_; }

   private:
    Database& database_;
    bool closed_;
  };

  Result<std::unique_ptr<Connection>> take_reader(const CancelToken* token);
  void give_back(std::unique_ptr<Connection> reader);

  const std::string path_;
  const StoreOptions options_;

  std::mutex writing_;  // held by the call that uses writer_
  std::unique_ptr<Connection> writer_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::vector<std::weak_ptr<Cursor>> cursors_;
  size_t readers_ = 0;  // idle or in use
  size_t calls_ = 0;
  bool closed_ = false;
};

// Rows of one query from one snapshot. Keeps its connection until its end, and its database alive.
class Cursor {
 public:
  ~Cursor();
  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  // The next rows, at most `count`; none at the end. One call at a time, others wait.
  Result<SqlResult> next(size_t count, const CancelToken* token);
  void close();
  const std::vector<std::string>& columns() const { return columns_; }

 private:
  friend class Database;
  Cursor(std::shared_ptr<Database> database, std::unique_ptr<Connection> connection, sqlite3_stmt* query)
      : database_(std::move(database)),
        connection_(std::move(connection)),
        query_(query),
        columns_(connection_->columns_of(query)) {}

  void finish();  // with mutex_ held

  const std::shared_ptr<Database> database_;
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;  // null at the end
  sqlite3_stmt* query_;
  const std::vector<std::string> columns_;
  bool closed_ = false;
  std::atomic<bool> open_{true};  // holds its connection
};

}  // namespace lineament
