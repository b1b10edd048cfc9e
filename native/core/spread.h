// Work in parts, on the thread that asks and on those of its executor that happen to be free.
#pragma once

#include <cstddef>
#include <functional>

#include "core/executor.h"
#include "core/status.h"

namespace lineament {

// Calls part(0) … part(parts − 1), each once, from several threads at a time, and returns when none runs any more. May
// be called from a thread of `executor`: it never waits for work that has not begun, so a pool that is busy (or closed)
// only means that the caller does everything. After the first failure no further part is begun; that failure is
// returned. What a part throws is its failure: kOutOfMemory for std::bad_alloc, kInternal otherwise.
Status spread(Executor& executor, size_t parts, const std::function<Status(size_t)>& part);

}  // namespace lineament
