#include "bindings/sql_values.h"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "bindings/values.h"

namespace lineament::bindings {
namespace {

constexpr double kMostSafe = 9007199254740991.0;

std::vector<uint8_t> blob_of(const Napi::Value& value) {
  // Asked for directly, since this runs for every template: only an empty view needs the question whether it is
  // detached.
  napi_typedarray_type type = napi_float64_array;
  size_t length = 0;
  void* data = nullptr;
  const napi_status status = napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr);
  if (status == napi_ok && type == napi_uint8_array && length > 0) {
    const auto* bytes = static_cast<const uint8_t*>(data);
    return std::vector<uint8_t>(bytes, bytes + length);
  }
  (void)bytes_of(value, "a blob");  // says what is wrong, or that it is empty
  return {};
}

SqlValue sql_value(const Napi::Value& value) {
  switch (value.Type()) {
    case napi_null:
      return std::monostate();
    case napi_number: {
      const double number = value.As<Napi::Number>().DoubleValue();
      if (std::isnan(number)) throw_invalid(value.Env(), "SQLite has no NaN");
      const bool whole = number == std::floor(number) && std::abs(number) <= kMostSafe;
      if (whole && !(number == 0 && std::signbit(number))) return static_cast<int64_t>(number);
      return number;
    }
    case napi_bigint: {
      bool lossless = false;
      const int64_t number = value.As<Napi::BigInt>().Int64Value(&lossless);
      if (!lossless) throw_invalid(value.Env(), "Expected a bigint of 64 bits");
      return number;
    }
    case napi_string:
      return value.As<Napi::String>().Utf8Value();
    default:
      return blob_of(value);
  }
}

Napi::Array array_of(const Napi::Value& value, const char* what) {
  if (!value.IsArray()) throw_invalid(value.Env(), std::string("Expected an array for ") + what);
  return value.As<Napi::Array>();
}

// The caller has a handle scope around one row.
void append(std::vector<SqlValue>& values, const Napi::Array& row) {
  const uint32_t count = row.Length();
  for (uint32_t i = 0; i < count; ++i) values.push_back(sql_value(row.Get(i)));
}

void check(Napi::Env env, napi_status status) {
  if (status != napi_ok) throw Napi::Error::New(env, "Cannot make a result");
}

napi_value blob(Napi::Env env, const std::vector<uint8_t>& bytes) {
  void* data = nullptr;
  napi_value buffer = nullptr, view = nullptr;
  check(env, napi_create_arraybuffer(env, bytes.size(), &data, &buffer));
  if (!bytes.empty()) std::memcpy(data, bytes.data(), bytes.size());
  check(env, napi_create_typedarray(env, napi_uint8_array, bytes.size(), buffer, 0, &view));
  return view;
}

napi_value to_js(Napi::Env env, const SqlValue& value) {
  napi_value made = nullptr;
  if (const auto* integer = std::get_if<int64_t>(&value)) {
    const auto number = static_cast<double>(*integer);
    const bool safe = std::abs(number) <= kMostSafe;
    check(env, safe ? napi_create_double(env, number, &made) : napi_create_bigint_int64(env, *integer, &made));
  } else if (const auto* real = std::get_if<double>(&value)) {
    check(env, napi_create_double(env, *real, &made));
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    check(env, napi_create_string_utf8(env, text->data(), text->size(), &made));
  } else if (const auto* bytes = std::get_if<std::vector<uint8_t>>(&value)) {
    made = blob(env, *bytes);
  } else {
    made = env.Null();
  }
  return made;
}

}  // namespace

SqlStatement sql_statement(const Napi::Value& value) {
  const Napi::Env env = value.Env();
  if (!value.IsObject()) throw_invalid(env, "Expected an object for a statement");
  const auto object = value.As<Napi::Object>();
  SqlStatement statement;
  statement.sql = string_at(object, "sql");
  if (statement.sql.find('\0') != std::string::npos) throw_invalid(env, "Expected SQL without null characters");
  const Napi::Value expect = object.Get("expect");
  if (!expect.IsUndefined()) statement.expect = static_cast<int64_t>(number_at(object, "expect"));
  const Napi::Value rows = object.Get("rows");
  if (rows.IsUndefined()) {
    const Napi::Value params = object.Get("params");
    if (params.IsUndefined()) return statement;
    append(statement.values, array_of(params, "params"));
    statement.parameters = statement.values.size();
    return statement;
  }
  const Napi::Array all = array_of(rows, "rows");
  statement.runs = all.Length();
  for (uint32_t i = 0; i < all.Length(); ++i) {
    const Napi::HandleScope scope(env);
    const Napi::Array row = array_of(all.Get(i), "a row");
    if (i == 0) {
      statement.parameters = row.Length();
      statement.values.reserve(statement.parameters * statement.runs);
    }
    if (row.Length() != statement.parameters) throw_invalid(env, "Expected rows of the same length");
    append(statement.values, row);
  }
  return statement;
}

std::vector<SqlStatement> sql_statements(const Napi::Value& value) {
  const Napi::Array all = array_of(value, "statements");
  std::vector<SqlStatement> statements;
  statements.reserve(all.Length());
  for (uint32_t i = 0; i < all.Length(); ++i) {
    const Napi::HandleScope scope(value.Env());
    statements.push_back(sql_statement(all.Get(i)));
  }
  return statements;
}

Napi::Value sql_rows(Napi::Env env, const SqlResult& result) {
  napi_value rows = nullptr;
  check(env, napi_create_array_with_length(env, result.rows, &rows));
  const size_t columns = result.columns.size();
  for (size_t r = 0; r < result.rows; ++r) {
    const Napi::HandleScope scope(env);
    napi_value row = nullptr;
    check(env, napi_create_array_with_length(env, columns, &row));
    for (size_t c = 0; c < columns; ++c) {
      check(env, napi_set_element(env, row, static_cast<uint32_t>(c), to_js(env, result.values[r * columns + c])));
    }
    check(env, napi_set_element(env, rows, static_cast<uint32_t>(r), row));
  }
  return Napi::Value(env, rows);
}

Napi::Value sql_result(Napi::Env env, const SqlResult& result) {
  Napi::Object out = Napi::Object::New(env);
  Napi::Array columns = Napi::Array::New(env, result.columns.size());
  for (uint32_t i = 0; i < result.columns.size(); ++i) columns.Set(i, result.columns[i]);
  out.Set("columns", columns);
  out.Set("rows", sql_rows(env, result));
  out.Set("changes", static_cast<double>(result.changes));
  out.Set("lastId", static_cast<double>(result.last_id));
  return out;
}

Napi::Value sql_results(Napi::Env env, const std::vector<SqlResult>& results) {
  Napi::Array out = Napi::Array::New(env, results.size());
  for (uint32_t i = 0; i < results.size(); ++i) {
    const Napi::HandleScope scope(env);
    out.Set(i, sql_result(env, results[i]));
  }
  return out;
}

}  // namespace lineament::bindings
