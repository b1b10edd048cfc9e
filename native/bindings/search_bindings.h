// The vector index for JavaScript: what lib/native/search.ts describes.
#pragma once

#include <napi.h>

namespace lineament::bindings {

void export_search(Napi::Object exports);  // createIndex, openIndex

}  // namespace lineament::bindings
