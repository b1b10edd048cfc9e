// The JavaScript face of a session.
#pragma once

#include <napi.h>

#include <memory>

#include "core/executor.h"
#include "inference/session.h"

namespace lineament::bindings {

// An object with inputs, outputs, bytes, run() and close(), as lib/native/addon.ts describes it.
Napi::Object wrap_session(Napi::Env env, std::shared_ptr<Session> session, std::shared_ptr<Executor> executor);

}  // namespace lineament::bindings
