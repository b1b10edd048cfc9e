#include "store/store_error.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>

namespace lineament {
namespace {

Code code_of_constraint(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_ROWID:
      return Code::kDuplicateId;
    default:
      return Code::kInvalidArgument;
  }
}

bool no_space(int system) {
#if defined(EDQUOT)
  if (system == EDQUOT) return true;
#endif
  return system == ENOSPC || system == EFBIG;
}

Code code_of(int extended, int system) {
  if (extended == SQLITE_IOERR_CORRUPTFS || extended == SQLITE_IOERR_DATA) return Code::kStoreCorrupt;
  if (extended == SQLITE_IOERR_NOMEM) return Code::kOutOfMemory;
  switch (extended & 0xff) {
    case SQLITE_OK:
      return Code::kOk;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Code::kStoreBusy;
    case SQLITE_FULL:
      return Code::kStoreFull;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kStoreCorrupt;
    case SQLITE_NOMEM:
      return Code::kOutOfMemory;
    case SQLITE_INTERRUPT:
    case SQLITE_ABORT:
      return Code::kAborted;
    case SQLITE_CONSTRAINT:
      return code_of_constraint(extended);
    case SQLITE_ERROR:
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
    case SQLITE_RANGE:
    case SQLITE_AUTH:
      return Code::kInvalidArgument;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return no_space(system) ? Code::kStoreFull : Code::kStoreFailed;
    default:
      return Code::kStoreFailed;
  }
}

}  // namespace

Status store_status(int extended, int system, const std::string& message) {
  const Code code = code_of(extended, system);
  std::string text = message.empty() ? sqlite3_errstr(extended) : message;
  switch (extended & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      if (system != 0) text += std::string(" (") + std::strerror(system) + ")";
      break;
    case SQLITE_AUTH:
      text = "Statements that begin or end transactions, and ATTACH, are not allowed here";
      break;
    default:
      break;
  }
  return Status(code, text);
}

}  // namespace lineament
