// Copying a database that is in use.
#pragma once

#include <string>

#include "core/cancel.h"
#include "core/status.h"
#include "store/connection.h"

namespace lineament {

// Copies what `source` sees (it holds a read transaction) into a temporary file beside `path`, which is renamed to
// `path` when all is on the disk. kStoreFailed, kStoreFull, kAborted: then nothing at `path` has changed.
// kInvalidArgument where a log lies beside `path`: somebody has that file open, and the log would be applied to the
// copy.
Status copy_database(Connection& source, const std::string& path, const CancelToken* token);

// Is there a log beside the database, with anything in it?
bool has_log(const std::string& path);

}  // namespace lineament
