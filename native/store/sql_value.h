// What goes into SQLite and comes out of it, as plain data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/status.h"

namespace lineament {

// NULL, INTEGER, REAL, TEXT (UTF-8), BLOB.
using SqlValue = std::variant<std::monostate, int64_t, double, std::string, std::vector<uint8_t>>;

// One statement that runs `runs` times, each time with the next `parameters` values.
struct SqlStatement {
  static constexpr int64_t kAny = -1;

  std::string sql;
  std::vector<SqlValue> values;
  size_t parameters = 0;
  size_t runs = 1;
  int64_t expect = kAny;  // rows that must change in all
};

// What the runs of one statement gave.
struct SqlResult {
  std::vector<std::string> columns;
  std::vector<SqlValue> values;  // rows × columns
  size_t rows = 0;
  int64_t changes = 0;
  int64_t last_id = 0;
};

// What became of one group of statements.
struct SqlOutcome {
  Status status;
  std::vector<SqlResult> results;
};

}  // namespace lineament
