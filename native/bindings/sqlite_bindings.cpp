#include "bindings/sqlite_bindings.h"

#include <sqlite3.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/environment.h"
#include "bindings/sql_values.h"
#include "bindings/values.h"
#include "store/database.h"

namespace lineament::bindings {
namespace {

using DatabasePtr = std::shared_ptr<Database>;

// What the methods of one database object share. Closing waits for the disk, so a database that was never closed is
// left to its executor when its object goes.
struct Shared {
  DatabasePtr database;
  std::shared_ptr<Executor> executor;

  Shared(DatabasePtr opened, std::shared_ptr<Executor> where)
      : database(std::move(opened)), executor(std::move(where)) {}
  ~Shared() {
    executor->submit([held = std::move(database)](bool) mutable { held.reset(); });
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
};

struct SharedCursor {
  std::shared_ptr<Cursor> cursor;
  std::shared_ptr<Executor> executor;

  SharedCursor(std::shared_ptr<Cursor> made, std::shared_ptr<Executor> where)
      : cursor(std::move(made)), executor(std::move(where)) {}
  ~SharedCursor() {
    executor->submit([held = std::move(cursor)](bool) mutable { held.reset(); });
  }
  SharedCursor(const SharedCursor&) = delete;
  SharedCursor& operator=(const SharedCursor&) = delete;
};

// A job made of two functions: `work` on the executor, `answer` on the environment's thread.
template <typename T>
class ValueJob final : public Job {
 public:
  using Work = std::function<Result<T>(const CancelToken*)>;
  using Answer = std::function<Napi::Value(Napi::Env, T&)>;
  ValueJob(Work work, Answer answer) : work_(std::move(work)), answer_(std::move(answer)) {}

  Status run(const CancelTokenPtr& token) override {
    Result<T> result = work_(token.get());
    if (!result.ok()) return result.status();
    value_ = std::move(result.value());
    return Status();
  }
  Napi::Value resolve(Napi::Env env) override { return answer_(env, value_); }

 private:
  Work work_;
  Answer answer_;
  T value_{};
};

template <typename T>
Napi::Value launch(const Napi::CallbackInfo& info, size_t token_at, typename ValueJob<T>::Work work,
                   typename ValueJob<T>::Answer answer) {
  const auto executor = ExecutorHandle::get(info[0]);
  CancelTokenPtr token = token_or_null(info[token_at]);
  return Environment::of(info.Env())
      .launch(executor, std::move(token), std::make_unique<ValueJob<T>>(std::move(work), std::move(answer)));
}

struct Nothing {};
Napi::Value undefined(Napi::Env env, Nothing&) { return env.Undefined(); }

Result<Nothing> nothing_or(const Status& status) {
  if (!status.ok()) return status;
  return Nothing{};
}

std::string path_of(const Napi::Value& value) {
  std::string path = value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw_invalid(value.Env(), "Expected a path without null characters");
  }
  return path;
}

bool bool_at(const Napi::Object& object, const char* key) { return object.Get(key).ToBoolean().Value(); }

Napi::Value run(const Napi::CallbackInfo& info, const DatabasePtr& database) {
  auto statements = std::make_shared<std::vector<SqlStatement>>(sql_statements(info[1]));
  if (!info[2].IsObject()) throw_invalid(info.Env(), "Expected an object for options");
  const auto options = info[2].As<Napi::Object>();
  const bool write = bool_at(options, "write");
  const int most = options.Get("maxRows").IsUndefined() ? 10000 : int_at(options, "maxRows");
  const size_t max_rows = most < 0 ? 0 : static_cast<size_t>(most);
  return launch<std::vector<SqlResult>>(
      info, 3,
      [database, statements, write, max_rows](const CancelToken* token) {
        return database->run(*statements, write, max_rows, token);
      },
      [](Napi::Env env, std::vector<SqlResult>& results) { return sql_results(env, results); });
}

Napi::Value outcomes_to_js(Napi::Env env, std::vector<SqlOutcome>& outcomes) {
  Napi::Array out = Napi::Array::New(env, outcomes.size());
  for (uint32_t i = 0; i < outcomes.size(); ++i) {
    const Napi::HandleScope scope(env);
    Napi::Object one = Napi::Object::New(env);
    if (outcomes[i].status.ok()) {
      one.Set("results", sql_results(env, outcomes[i].results));
    } else {
      Napi::Object error = Napi::Object::New(env);
      error.Set("code", code_name(outcomes[i].status.code()));
      error.Set("message", outcomes[i].status.message());
      one.Set("error", error);
    }
    out.Set(i, one);
  }
  return out;
}

Napi::Value write_groups(const Napi::CallbackInfo& info, const DatabasePtr& database) {
  if (!info[1].IsArray()) throw_invalid(info.Env(), "Expected an array for groups");
  const auto array = info[1].As<Napi::Array>();
  auto groups = std::make_shared<std::vector<std::vector<SqlStatement>>>();
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::HandleScope scope(info.Env());
    groups->push_back(sql_statements(array.Get(i)));
  }
  return launch<std::vector<SqlOutcome>>(
      info, 2, [database, groups](const CancelToken* token) { return database->write_groups(*groups, token); },
      outcomes_to_js);
}

Napi::Value next(const Napi::CallbackInfo& info, const std::shared_ptr<Cursor>& cursor) {
  const double count = info[1].IsNumber() ? info[1].As<Napi::Number>().DoubleValue() : 0;
  if (!(count >= 1 && count <= 1e6)) throw_invalid(info.Env(), "Expected 1 to 1000000 rows");
  const auto rows = static_cast<size_t>(count);
  return launch<SqlResult>(
      info, 2, [cursor, rows](const CancelToken* token) { return cursor->next(rows, token); },
      [](Napi::Env env, SqlResult& result) { return sql_rows(env, result); });
}

Napi::Value wrap_cursor(Napi::Env env, std::shared_ptr<Cursor> cursor, std::shared_ptr<Executor> executor) {
  Napi::Object out = Napi::Object::New(env);
  Napi::Array columns = Napi::Array::New(env, cursor->columns().size());
  for (uint32_t i = 0; i < cursor->columns().size(); ++i) columns.Set(i, cursor->columns()[i]);
  out.Set("columns", columns);
  const auto shared = std::make_shared<SharedCursor>(std::move(cursor), std::move(executor));
  set_method(out, "next", [shared](const Napi::CallbackInfo& info) { return next(info, shared->cursor); });
  set_method(out, "close", [shared](const Napi::CallbackInfo& info) -> Napi::Value {
    return Environment::of(info.Env()).launch_waiter([one = shared->cursor] { one->close(); });
  });
  return out;
}

Napi::Value cursor(const Napi::CallbackInfo& info, const DatabasePtr& database) {
  auto statement = std::make_shared<SqlStatement>(sql_statement(info[1]));
  if (statement->runs != 1) throw_invalid(info.Env(), "Expected params, not rows");
  const auto executor = ExecutorHandle::get(info[0]);
  return launch<std::shared_ptr<Cursor>>(
      info, 2, [database, statement](const CancelToken* token) { return database->cursor(*statement, token); },
      [executor](Napi::Env env, std::shared_ptr<Cursor>& made) { return wrap_cursor(env, std::move(made), executor); });
}

Napi::Value checkpoint(const Napi::CallbackInfo& info, const DatabasePtr& database) {
  const bool truncate = info[1].ToString().Utf8Value() == "truncate";
  return launch<Nothing>(
      info, 2, [database, truncate](const CancelToken*) { return nothing_or(database->checkpoint(truncate)); },
      undefined);
}

Napi::Value backup(const Napi::CallbackInfo& info, const DatabasePtr& database) {
  const std::string path = path_of(info[1]);
  return launch<Nothing>(
      info, 2, [database, path](const CancelToken* token) { return nothing_or(database->backup(path, token)); },
      undefined);
}

Napi::Value wrap_database(Napi::Env env, DatabasePtr database, std::shared_ptr<Executor> executor) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("path", database->path());
  const auto shared = std::make_shared<Shared>(std::move(database), std::move(executor));
  const auto method = [&out, &shared](const char* name,
                                      Napi::Value (*call)(const Napi::CallbackInfo&, const DatabasePtr&)) {
    set_method(out, name, [shared, call](const Napi::CallbackInfo& info) { return call(info, shared->database); });
  };
  method("run", run);
  method("writeGroups", write_groups);
  method("cursor", cursor);
  method("checkpoint", checkpoint);
  method("backup", backup);
  set_method(out, "close", [shared](const Napi::CallbackInfo& info) -> Napi::Value {
    return Environment::of(info.Env()).launch_waiter([one = shared->database] { one->close(); });
  });
  return out;
}

Napi::Value open_database(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  const std::string path = path_of(info[1]);
  if (!info[2].IsObject()) throw_invalid(info.Env(), "Expected an object for options");
  const auto object = info[2].As<Napi::Object>();
  StoreOptions options;
  options.read_only = bool_at(object, "readOnly");
  options.create = bool_at(object, "create");
  options.busy_timeout_ms = int_at(object, "busyTimeoutMs");
  options.full_sync = string_at(object, "synchronous") != "normal";
  return launch<DatabasePtr>(
      info, 3, [path, options](const CancelToken*) { return Database::open(path, options); },
      [executor](Napi::Env env, DatabasePtr& opened) { return wrap_database(env, std::move(opened), executor); });
}

}  // namespace

void export_sqlite(Napi::Object exports) {
  exports.Set("sqliteVersion", sqlite3_libversion());
  set_method(exports, "openDatabase", open_database);
}

}  // namespace lineament::bindings
