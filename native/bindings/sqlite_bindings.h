// SQLite for JavaScript: what lib/native/sqlite.ts describes.
#pragma once

#include <napi.h>

namespace lineament::bindings {

void export_sqlite(Napi::Object exports);  // sqliteVersion, openDatabase

}  // namespace lineament::bindings
