// The JavaScript object of a camera (NativeCamera in lib/native/capture.ts), whatever fills its ring.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "capture/capture_source.h"

namespace lineament::bindings {

// The ring that a camera's options ask for: `takeOver`, a NativeCamera that has ended and whose ring goes on
// (reopened), or a fresh one of `ring` {slots, slotBytes, keepMs?, mostBytes?}. Throws INVALID_ARGUMENT, OUT_OF_MEMORY,
// and CAMERA_BUSY where the other camera has not ended. Nothing may fail between this and wrap_camera but with
// ring->end().
std::shared_ptr<FrameRing> camera_ring(const Napi::Object& options);

// Wraps a source that runs: reading, waiting, counts, close(). The source is stopped by close(), when the object is
// collected, and when its environment goes. A binding may add methods of its own to the object; those must hold the
// source.
Napi::Object wrap_camera(Napi::Env env, std::shared_ptr<CaptureSource> source);

// The names of lib/native/capture.ts: rgb, bgr, …, mjpeg, z16.
const char* capture_format_name(CaptureFormat format);
CaptureFormat capture_format(Napi::Env env, const std::string& name);

}  // namespace lineament::bindings
