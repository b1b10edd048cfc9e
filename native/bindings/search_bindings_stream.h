// createSnapshot: snapshots that were never an index in memory.
#pragma once

#include <napi.h>

namespace lineament::bindings {

void export_snapshot_stream(Napi::Object exports);

}  // namespace lineament::bindings
