// NetworkJob from JavaScript to plain data, and its result back.
#pragma once

#include <napi.h>

#include "bindings/environment.h"
#include "inference/network_job.h"
#include "inference/session_options.h"

namespace lineament::bindings {

// The job borrows the typed arrays inside `value`; `keeper` holds on to them until its promise settles. Throws
// INVALID_ARGUMENT.
NetworkJob network_job(const Napi::Value& value, Job& keeper);

SessionOptions session_options(const Napi::Value& value);

// `queue` in milliseconds.
Napi::Object network_result(Napi::Env env, const NetworkResult& result, double queue);

}  // namespace lineament::bindings
