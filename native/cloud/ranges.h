// Loops over points, in parts of a fixed length: results that are put together part by part do not depend on the number
// of threads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <new>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/spread.h"
#include "core/status.h"

namespace lineament {

// work(begin, end) for 0 … step, step … 2 step and so on up to `count`, on several threads. kAborted where the token is
// cancelled between two of them.
template <typename Work>
Status for_ranges(Executor& executor, const CancelToken* token, size_t count, size_t step, const Work& work) {
  return spread(executor, (count + step - 1) / step, [&](size_t part) -> Status {
    if (is_cancelled(token)) return Status(Code::kAborted, "Aborted");
    try {
      work(part * step, std::min(count, (part + 1) * step));
    } catch (const std::bad_alloc&) {
      return Status(Code::kOutOfMemory, "Out of memory for the points");
    }
    return Status();
  });
}

}  // namespace lineament
