// SQL statements and results between JavaScript and plain structs. On the environment's thread.
#pragma once

#include <napi.h>

#include <vector>

#include "store/sql_value.h"

namespace lineament::bindings {

// Everything is copied. Throws INVALID_ARGUMENT.
SqlStatement sql_statement(const Napi::Value& value);
std::vector<SqlStatement> sql_statements(const Napi::Value& value);

Napi::Value sql_rows(Napi::Env env, const SqlResult& result);
Napi::Value sql_result(Napi::Env env, const SqlResult& result);
Napi::Value sql_results(Napi::Env env, const std::vector<SqlResult>& results);

}  // namespace lineament::bindings
