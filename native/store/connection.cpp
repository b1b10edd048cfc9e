#include "store/connection.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>
#include <utility>

#include "store/store_error.h"

namespace lineament {
namespace {

constexpr size_t kMostPrepared = 64;
constexpr int kStepsBetweenPolls = 4000;
// Three templates of 512 numbers fit a page of 8 KiB; of 4 KiB each takes one for itself. For new files only.
constexpr const char* kPageSize = "PRAGMA page_size=8192";
// The log is moved into the file when it has so many pages: rarely enough not to be felt, often enough that it stays
// small.
constexpr const char* kCheckpoint = "PRAGMA wal_autocheckpoint=1000";

int64_t now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

Status aborted() { return Status(Code::kAborted, "The operation was aborted; nothing was written"); }

// Nothing but white space, comments and semicolons?
bool nothing_more(const char* text) {
  while (*text != '\0') {
    if (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r' || *text == '\f' || *text == ';') {
      ++text;
    } else if (text[0] == '-' && text[1] == '-') {
      while (*text != '\0' && *text != '\n') ++text;
    } else if (text[0] == '/' && text[1] == '*') {
      text += 2;
      while (*text != '\0' && !(text[0] == '*' && text[1] == '/')) ++text;
      if (*text != '\0') text += 2;
    } else {
      return false;
    }
  }
  return true;
}

std::string immutable_uri(const std::string& path) {
  static const char* const kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char one : path) {
    if (one == '%' || one == '?' || one == '#') {
      const auto byte = static_cast<unsigned char>(one);
      uri += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      uri += one;
    }
  }
  return uri + "?immutable=1";
}

SqlValue column(sqlite3_stmt* statement, int i, size_t* bytes) {
  *bytes = 0;
  switch (sqlite3_column_type(statement, i)) {
    case SQLITE_INTEGER:
      return static_cast<int64_t>(sqlite3_column_int64(statement, i));
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, i);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
      *bytes = static_cast<size_t>(sqlite3_column_bytes(statement, i));
      return text == nullptr ? std::string() : std::string(text, *bytes);
    }
    case SQLITE_BLOB: {
      const auto* blob = static_cast<const uint8_t*>(sqlite3_column_blob(statement, i));
      *bytes = static_cast<size_t>(sqlite3_column_bytes(statement, i));
      return blob == nullptr ? std::vector<uint8_t>() : std::vector<uint8_t>(blob, blob + *bytes);
    }
    default:
      return std::monostate();
  }
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, const StoreOptions& options, Role role) {
  std::unique_ptr<Connection> made(new Connection(path, options.busy_timeout_ms));
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create && !options.read_only && role == Role::kWriter) flags |= SQLITE_OPEN_CREATE;
  if (options.immutable) flags |= SQLITE_OPEN_URI;
  const std::string name = options.immutable ? immutable_uri(path) : path;
  const int opened = sqlite3_open_v2(name.c_str(), &made->db_, flags, nullptr);
  if (opened != SQLITE_OK) return made->failure(opened);
  Status status = made->configure(options, role);
  if (!status.ok()) return status;
  return made;
}

Connection::~Connection() {
  for (const Prepared& one : prepared_) sqlite3_finalize(one.statement);
  sqlite3_close_v2(db_);
}

Status Connection::configure(const StoreOptions& options, Role role) {
  sqlite3_busy_handler(db_, &Connection::on_busy, this);
  sqlite3_set_authorizer(db_, &Connection::on_authorize, this);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // Damage is noticed when a page is read, not when its garbage has been used.
  Status status = command("PRAGMA cell_size_check=ON");
  if (status.ok()) status = command("PRAGMA cache_size=-8000");
  if (status.ok() && role == Role::kReader) status = command("PRAGMA query_only=ON");
  if (status.ok() && !options.read_only) {
    // Reading the header here tells what is no database, before anything is written.
    status = command("PRAGMA schema_version");
    if (status.ok() && role == Role::kWriter) status = command(kPageSize);
    if (status.ok() && role == Role::kWriter) status = use_wal();
    if (status.ok()) status = command(kCheckpoint);
    if (status.ok()) status = command(options.full_sync ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL");
    // Where fsync leaves the data in the drive's cache (macOS).
    if (status.ok() && options.full_sync) status = command("PRAGMA fullfsync=ON");
    if (status.ok()) status = command("PRAGMA secure_delete=ON");
  }
  return status.ok() ? command("SELECT count(*) FROM sqlite_schema") : status;
}

Status Connection::use_wal() {
  std::string mode;
  const Status status = command("PRAGMA journal_mode=WAL", &mode);
  if (!status.ok() || mode == "wal") return status;
  return Status(Code::kStoreFailed, "The file system does not allow SQLite's write-ahead log (shared memory)");
}

void Connection::set_token(const CancelToken* token) {
  token_ = token;
  sqlite3_progress_handler(db_, token == nullptr ? 0 : kStepsBetweenPolls, &Connection::on_progress, this);
}

int Connection::on_progress(void* self) { return is_cancelled(static_cast<Connection*>(self)->token_) ? 1 : 0; }

int Connection::on_busy(void* self, int tries) {
  auto* connection = static_cast<Connection*>(self);
  const int64_t now = now_ms();
  if (tries == 0) connection->busy_since_ = now;
  if (is_cancelled(connection->token_) || now - connection->busy_since_ >= connection->busy_timeout_ms_) return 0;
  // Often, since a writer that goes on leaves short gaps.
  std::this_thread::sleep_for(std::chrono::milliseconds(std::min(1 + tries, 4)));
  return 1;
}

int Connection::on_authorize(void* self, int action, const char*, const char*, const char*, const char*) {
  if (static_cast<Connection*>(self)->own_) return SQLITE_OK;
  switch (action) {
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
      return SQLITE_DENY;
    default:
      return SQLITE_OK;
  }
}

Status Connection::failure(int code, const std::string& what) const {
  if (db_ == nullptr) return store_status(code, 0, {});
  if ((code & 0xff) == SQLITE_INTERRUPT || ((code & 0xff) == SQLITE_BUSY && is_cancelled(token_))) return aborted();
  const Status status = store_status(code, sqlite3_system_errno(db_), sqlite3_errmsg(db_));
  return what.empty() ? status : Status(status.code(), status.message() + ": " + what);
}

Result<sqlite3_stmt*> Connection::prepare(const std::string& sql, bool keep) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  if (sql.size() > static_cast<size_t>(std::numeric_limits<int>::max()) - 1) {
    return Status(Code::kInvalidArgument, "The SQL is too long");
  }
  const int code = sqlite3_prepare_v3(db_, sql.c_str(), static_cast<int>(sql.size()) + 1,
                                      keep ? SQLITE_PREPARE_PERSISTENT : 0, &statement, &rest);
  if (code != SQLITE_OK) return own_ ? failure(code) : failure(code, sql.substr(0, 200));
  if (statement == nullptr) return Status(Code::kInvalidArgument, "There is no statement in: " + sql.substr(0, 200));
  if (!nothing_more(rest)) {
    sqlite3_finalize(statement);
    return Status(Code::kInvalidArgument, "More than one statement in: " + sql.substr(0, 200));
  }
  return statement;
}

Result<sqlite3_stmt*> Connection::cached(const std::string& sql) {
  // A caller's COMMIT must not find ours, which the authorizer let pass.
  const std::string key = (own_ ? 'o' : 'c') + sql;
  const auto found = by_key_.find(key);
  if (found != by_key_.end()) {
    prepared_.splice(prepared_.begin(), prepared_, found->second);
    return found->second->statement;
  }
  Result<sqlite3_stmt*> made = prepare(sql, true);
  if (!made.ok()) return made;
  if (prepared_.size() >= kMostPrepared) {
    sqlite3_finalize(prepared_.back().statement);
    by_key_.erase(prepared_.back().key);
    prepared_.pop_back();
  }
  prepared_.push_front({key, made.value()});
  by_key_[key] = prepared_.begin();
  return made;
}

Status Connection::bind(sqlite3_stmt* statement, const SqlValue* values, size_t count, bool borrow) {
  const auto wanted = static_cast<size_t>(sqlite3_bind_parameter_count(statement));
  if (wanted != count) {
    return Status(Code::kInvalidArgument, "Expected " + std::to_string(wanted) + " values but received " +
                                              std::to_string(count) + ": " + sqlite3_sql(statement));
  }
  const sqlite3_destructor_type life = borrow ? SQLITE_STATIC : SQLITE_TRANSIENT;
  for (size_t i = 0; i < count; ++i) {
    const int at = static_cast<int>(i) + 1;
    const SqlValue& value = values[i];
    int code = SQLITE_OK;
    if (const auto* integer = std::get_if<int64_t>(&value)) {
      code = sqlite3_bind_int64(statement, at, *integer);
    } else if (const auto* real = std::get_if<double>(&value)) {
      code = sqlite3_bind_double(statement, at, *real);
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      code = sqlite3_bind_text64(statement, at, text->data(), text->size(), life, SQLITE_UTF8);
    } else if (const auto* blob = std::get_if<std::vector<uint8_t>>(&value)) {
      code = blob->empty() ? sqlite3_bind_zeroblob(statement, at, 0)
                           : sqlite3_bind_blob64(statement, at, blob->data(), blob->size(), life);
    } else {
      code = sqlite3_bind_null(statement, at);
    }
    if (code != SQLITE_OK) return failure(code);
  }
  return Status();
}

Result<SqlResult> Connection::execute(const SqlStatement& statement, bool write, ResultBudget* budget) {
  Result<sqlite3_stmt*> found = cached(statement.sql);
  if (!found.ok()) return found.status();
  sqlite3_stmt* prepared = found.value();
  if (!write && sqlite3_stmt_readonly(prepared) == 0) {
    return Status(Code::kInvalidArgument,
                  "A statement that writes was given to a read: " + statement.sql.substr(0, 200));
  }
  SqlResult result;
  const sqlite3_int64 before = sqlite3_total_changes64(db_);
  Status status;
  sqlite3_set_last_insert_rowid(db_, 0);
  for (size_t run = 0; run < statement.runs && status.ok(); ++run) {
    if (is_cancelled(token_)) {
      status = aborted();
      break;
    }
    const sqlite3_int64 at_start = sqlite3_total_changes64(db_);
    status = bind(prepared, statement.values.data() + run * statement.parameters, statement.parameters, true);
    bool done = false;
    if (status.ok()) status = next_rows(prepared, std::numeric_limits<size_t>::max(), budget, &result, &done);
    sqlite3_reset(prepared);
    // Rows that triggers and foreign keys changed count in the total and not here.
    if (status.ok() && sqlite3_total_changes64(db_) != at_start) result.changes += sqlite3_changes64(db_);
  }
  sqlite3_clear_bindings(prepared);
  if (!status.ok()) return status;
  if (sqlite3_total_changes64(db_) != before) result.last_id = sqlite3_last_insert_rowid(db_);
  if (statement.expect != SqlStatement::kAny && result.changes != statement.expect) {
    return Status(Code::kNotFound, "Expected " + std::to_string(statement.expect) + " rows to change but it were " +
                                       std::to_string(result.changes));
  }
  return result;
}

Status Connection::next_rows(sqlite3_stmt* query, size_t count, ResultBudget* budget, SqlResult* out, bool* done) {
  *done = false;
  const int columns = sqlite3_column_count(query);
  if (out->columns.empty()) out->columns = columns_of(query);
  for (size_t row = 0; row < count; ++row) {
    const int code = sqlite3_step(query);
    if (code == SQLITE_DONE) {
      *done = true;
      return Status();
    }
    if (code != SQLITE_ROW) return failure(code);
    if (budget->rows == 0) return Status(Code::kInvalidArgument, "More rows than one answer may have: read in pages");
    --budget->rows;
    for (int i = 0; i < columns; ++i) {
      size_t bytes = 0;
      out->values.push_back(column(query, i, &bytes));
      if (bytes > budget->bytes) {
        return Status(Code::kInvalidArgument, "More bytes than one answer may have: read in pages");
      }
      budget->bytes -= bytes;
    }
    ++out->rows;
  }
  return Status();
}

Status Connection::command(const char* sql, std::string* first) {
  own_ = true;  // until it has run: SQLite prepares it again where the schema has changed
  const Status status = run_own(sql, first);
  own_ = false;
  return status;
}

Status Connection::run_own(const char* sql, std::string* first) {
  Result<sqlite3_stmt*> made = cached(sql);
  if (!made.ok()) return made.status();
  int code = SQLITE_ROW;
  for (bool begun = false; code == SQLITE_ROW; begun = true) {
    code = sqlite3_step(made.value());
    if (code != SQLITE_ROW || begun || first == nullptr) continue;
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(made.value(), 0));
    *first = text == nullptr ? "" : text;
  }
  const Status status = code == SQLITE_DONE ? Status() : failure(code);
  sqlite3_reset(made.value());
  return status;
}

void Connection::rollback() {
  set_token(nullptr);  // an aborted transaction still has to be undone
  if (in_transaction()) (void)command("ROLLBACK");
}

bool Connection::in_transaction() const { return sqlite3_get_autocommit(db_) == 0; }

Result<sqlite3_stmt*> Connection::open_query(const SqlStatement& statement) {
  Result<sqlite3_stmt*> made = prepare(statement.sql, false);
  if (!made.ok()) return made;
  Status status;
  if (sqlite3_stmt_readonly(made.value()) == 0) {
    status =
        Status(Code::kInvalidArgument, "A statement that writes was given to a read: " + statement.sql.substr(0, 200));
  } else {
    status = bind(made.value(), statement.values.data(), statement.parameters, false);
  }
  if (status.ok()) return made;
  sqlite3_finalize(made.value());
  return status;
}

std::vector<std::string> Connection::columns_of(sqlite3_stmt* query) {
  std::vector<std::string> names;
  for (int i = 0; i < sqlite3_column_count(query); ++i) names.emplace_back(sqlite3_column_name(query, i));
  return names;
}

void Connection::finalize(sqlite3_stmt* query) { sqlite3_finalize(query); }

}  // namespace lineament
