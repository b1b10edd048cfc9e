#include "store/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "store/backup.h"

namespace lineament {
namespace {

Status closed_status() { return Status(Code::kClosed, "The database is closed"); }

// The connection polls a token for the length of one call.
class TokenScope {
 public:
  TokenScope(Connection& connection, const CancelToken* token) : connection_(connection) {
    connection_.set_token(token);
  }
  ~TokenScope() { connection_.set_token(nullptr); }
  TokenScope(const TokenScope&) = delete;
  TokenScope& operator=(const TokenScope&) = delete;

 private:
  Connection& connection_;
};

Status aborted_if(const CancelToken* token) {
  return is_cancelled(token) ? Status(Code::kAborted, "The operation was aborted; nothing was written") : Status();
}

Result<std::vector<SqlResult>> execute_all(Connection& connection, const std::vector<SqlStatement>& statements,
                                           bool write, ResultBudget* budget) {
  std::vector<SqlResult> results;
  results.reserve(statements.size());
  for (const SqlStatement& statement : statements) {
    Result<SqlResult> result = connection.execute(statement, write, budget);
    if (!result.ok()) return result.status();
    results.push_back(std::move(result.value()));
  }
  return results;
}

Status execute_group(Connection& connection, const std::vector<SqlStatement>& group, ResultBudget* budget,
                     SqlOutcome* outcome) {
  Status status = connection.command("SAVEPOINT one");
  if (!status.ok()) return status;
  Result<std::vector<SqlResult>> results = execute_all(connection, group, true, budget);
  if (results.ok()) {
    outcome->results = std::move(results.value());
    return connection.command("RELEASE one");
  }
  // A full disk, a failed read and an abort undo the whole transaction, and so does SQLite by itself.
  const Code code = results.status().code();
  if (!connection.in_transaction() ||
      (code != Code::kInvalidArgument && code != Code::kDuplicateId && code != Code::kNotFound)) {
    return results.status();
  }
  outcome->status = results.status();
  status = connection.command("ROLLBACK TO one");
  return status.ok() ? connection.command("RELEASE one") : status;
}

}  // namespace

Database::Call::Call(Database& database) : database_(database) {
  std::lock_guard<std::mutex> lock(database_.mutex_);
  closed_ = database_.closed_;
  if (!closed_) ++database_.calls_;
}

Database::Call::~Call() {
  if (closed_) return;
  std::lock_guard<std::mutex> lock(database_.mutex_);
  --database_.calls_;
  database_.changed_.notify_all();
}

Result<std::shared_ptr<Database>> Database::open(const std::string& path, const StoreOptions& options) {
  StoreOptions used = options;
  Result<std::unique_ptr<Connection>> writer = Connection::open(path, used, Connection::Role::kWriter);
  // A folder that may not be written has no place for SQLite's shared memory. Where no log lies there nobody has it
  // open.
  if (!writer.ok() && writer.status().code() == Code::kStoreFailed && options.read_only && !has_log(path)) {
    used.immutable = true;
    writer = Connection::open(path, used, Connection::Role::kWriter);
  }
  if (!writer.ok()) return writer.status();
  std::shared_ptr<Database> made(new Database(path, used));
  made->writer_ = std::move(writer.value());
  return made;
}

Database::~Database() { close(); }

Result<std::vector<SqlResult>> Database::run(const std::vector<SqlStatement>& statements, bool write, size_t max_rows,
                                             const CancelToken* token) {
  const Call call(*this);
  if (call.closed()) return closed_status();
  ResultBudget budget;
  budget.rows = max_rows;
  if (write) {
    const std::lock_guard<std::mutex> turn(writing_);
    const TokenScope scope(*writer_, token);
    Status status = writer_->command("BEGIN IMMEDIATE");
    if (!status.ok()) return status;
    Result<std::vector<SqlResult>> results = execute_all(*writer_, statements, true, &budget);
    status = results.ok() ? aborted_if(token) : results.status();
    writer_->set_token(nullptr);  // from here on it is committed or undone
    if (status.ok()) status = writer_->command("COMMIT");
    if (status.ok()) return results;
    writer_->rollback();
    return status;
  }
  Result<std::unique_ptr<Connection>> taken = take_reader(token);
  if (!taken.ok()) return taken.status();
  Connection& reader = *taken.value();
  reader.set_token(token);
  const bool several = statements.size() > 1;
  Status status = several ? reader.command("BEGIN") : Status();
  Result<std::vector<SqlResult>> results =
      status.ok() ? execute_all(reader, statements, false, &budget) : Result<std::vector<SqlResult>>(status);
  reader.rollback();
  give_back(std::move(taken.value()));
  return results;
}

Result<std::vector<SqlOutcome>> Database::write_groups(const std::vector<std::vector<SqlStatement>>& groups,
                                                       const CancelToken* token) {
  const Call call(*this);
  if (call.closed()) return closed_status();
  const std::lock_guard<std::mutex> turn(writing_);
  const TokenScope scope(*writer_, token);
  std::vector<SqlOutcome> outcomes(groups.size());
  Status status = writer_->command("BEGIN IMMEDIATE");
  if (!status.ok()) return status;
  for (size_t i = 0; i < groups.size() && status.ok(); ++i) {
    ResultBudget budget;
    status = execute_group(*writer_, groups[i], &budget, &outcomes[i]);
  }
  if (status.ok()) status = aborted_if(token);
  writer_->set_token(nullptr);
  if (status.ok()) status = writer_->command("COMMIT");
  if (status.ok()) return outcomes;
  writer_->rollback();
  return status;
}

Result<std::unique_ptr<Connection>> Database::take_reader(const CancelToken* token) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.busy_timeout_ms);
  std::unique_lock<std::mutex> lock(mutex_);
  while (idle_.empty() && readers_ >= kMostReaders) {
    if (is_cancelled(token)) return aborted_if(token);
    if (std::chrono::steady_clock::now() >= deadline)
      return Status(Code::kStoreBusy, "All read connections are in use");
    changed_.wait_for(lock, std::chrono::milliseconds(20));
  }
  if (!idle_.empty()) {
    std::unique_ptr<Connection> reader = std::move(idle_.back());
    idle_.pop_back();
    return reader;
  }
  ++readers_;
  lock.unlock();
  Result<std::unique_ptr<Connection>> made = Connection::open(path_, options_, Connection::Role::kReader);
  if (!made.ok()) {
    lock.lock();
    --readers_;
  }
  return made;
}

void Database::give_back(std::unique_ptr<Connection> reader) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) {
    reader.reset();
    --readers_;
  } else {
    idle_.push_back(std::move(reader));
  }
  changed_.notify_all();
}

Result<std::shared_ptr<Cursor>> Database::cursor(const SqlStatement& statement, const CancelToken* token) {
  const Call call(*this);
  if (call.closed()) return closed_status();
  std::vector<std::shared_ptr<Cursor>> seen;  // the last reference must not go under the lock
  {
    std::lock_guard<std::mutex> lock(mutex_);
    std::erase_if(cursors_, [&seen](const std::weak_ptr<Cursor>& one) {
      seen.push_back(one.lock());
      return !seen.back() || !seen.back()->open_;
    });
    if (cursors_.size() >= kMostCursors) {
      return Status(Code::kStoreBusy, std::to_string(kMostCursors) + " paged queries are open already");
    }
  }
  Result<std::unique_ptr<Connection>> taken = take_reader(token);
  if (!taken.ok()) return taken.status();
  Result<sqlite3_stmt*> query = taken.value()->open_query(statement);
  if (!query.ok()) {
    give_back(std::move(taken.value()));
    return query.status();
  }
  std::shared_ptr<Cursor> made(new Cursor(shared_from_this(), std::move(taken.value()), query.value()));
  std::lock_guard<std::mutex> lock(mutex_);
  cursors_.push_back(made);
  return made;
}

Status Database::checkpoint(bool truncate) {
  const Call call(*this);
  if (call.closed()) return closed_status();
  const std::lock_guard<std::mutex> turn(writing_);
  const int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(writer_->handle(), nullptr, mode, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : writer_->failure(code);
}

Status Database::backup(const std::string& path, const CancelToken* token) {
  const Call call(*this);
  if (call.closed()) return closed_status();
  Result<std::unique_ptr<Connection>> taken = take_reader(token);
  if (!taken.ok()) return taken.status();
  Connection& reader = *taken.value();
  // The snapshot that this transaction holds keeps writers from starting the copy over.
  Status status = reader.command("BEGIN");
  if (status.ok()) status = reader.command("SELECT count(*) FROM sqlite_schema");
  if (status.ok()) status = copy_database(reader, path, token);
  reader.rollback();
  give_back(std::move(taken.value()));
  return status;
}

void Database::close() {
  std::vector<std::weak_ptr<Cursor>> cursors;
  {
    std::unique_lock<std::mutex> lock(mutex_);
    closed_ = true;
    changed_.wait(lock, [this] { return calls_ == 0; });
    cursors.swap(cursors_);
  }
  for (const auto& one : cursors) {
    if (const auto cursor = one.lock()) cursor->close();
  }
  std::vector<std::unique_ptr<Connection>> idle;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    idle.swap(idle_);
  }
  idle.clear();
  const std::lock_guard<std::mutex> turn(writing_);
  writer_.reset();  // the last one: it moves the log into the file and removes it
}

Cursor::~Cursor() { close(); }

void Cursor::finish() {
  if (!connection_) return;
  connection_->finalize(query_);
  query_ = nullptr;
  open_ = false;
  connection_->set_token(nullptr);
  database_->give_back(std::move(connection_));
}

void Cursor::close() {
  const std::lock_guard<std::mutex> lock(mutex_);
  closed_ = true;
  finish();
}

Result<SqlResult> Cursor::next(size_t count, const CancelToken* token) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return Status(Code::kClosed, "The query is closed");
  SqlResult result;
  if (!connection_) return result;
  ResultBudget budget;
  budget.rows = count;
  bool done = false;
  Status status;
  {
    const TokenScope scope(*connection_, token);
    status = connection_->next_rows(query_, count, &budget, &result, &done);
  }
  if (done || !status.ok()) finish();
  if (!status.ok()) return status;
  return result;
}

}  // namespace lineament
