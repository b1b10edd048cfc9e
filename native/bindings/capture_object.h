// The JavaScript object of a camera (NativeCamera in lib/native/capture.ts), whatever fills its ring.
#pragma once

#include <napi.h>

#include <memory>

#include "capture/capture_source.h"

namespace lineament::bindings {

// The ring that a camera's options ask for: that of `takeOver`, a NativeCamera that has ended and is closed by this, or
// a fresh one of `ring` {slots, slotBytes, keepMs?, mostBytes?}. Throws INVALID_ARGUMENT, OUT_OF_MEMORY, CLOSED, and
// CAMERA_BUSY where the other camera has not ended. Call it last: where no source comes of it, the pictures are gone.
std::shared_ptr<FrameRing> camera_ring(const Napi::Object& options);

// Wraps a source that runs: reading, waiting, counts, close(). The source is stopped by close(), when the object is
// collected, and when its environment goes. A binding may add methods of its own to the object; those hold the source.
Napi::Object wrap_camera(Napi::Env env, std::shared_ptr<CaptureSource> source);

}  // namespace lineament::bindings
