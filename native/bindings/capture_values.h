// Captured pictures as JavaScript values.
#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "capture/frame_ring.h"

namespace lineament::bindings {

// The names of lib/native/capture.ts: rgb, bgr, …, mjpeg, z16.
const char* capture_format_name(CaptureFormat format);
CaptureFormat capture_format(Napi::Env env, const std::string& name);

// RingOptions of lib/native/capture.ts.
std::shared_ptr<FrameRing> make_ring(const Napi::Object& options);

// A NativePicture: its bytes are copied, or lent until release() where `borrow` is set and V8 allows it. Null without a
// lease.
Napi::Value picture_value(Napi::Env env, FrameRing::Lease lease, bool borrow);

// PictureFacts of each.
Napi::Array picture_facts(Napi::Env env, const std::vector<PictureInfo>& pictures);

// Milliseconds to microseconds; throws where it is no time.
int64_t time_us(const Napi::Value& value);

// A sequence number, or -1.
int64_t sequence_of(const Napi::Value& value);

}  // namespace lineament::bindings
