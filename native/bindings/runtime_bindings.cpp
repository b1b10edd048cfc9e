// openRuntime and what it gives.
#include <memory>
#include <string>
#include <utility>

#include "bindings/environment.h"
#include "bindings/exports.h"
#include "bindings/job_values.h"
#include "bindings/session_bindings.h"
#include "bindings/values.h"
#include "inference/runtime.h"
#include "inference/session.h"

namespace lineament::bindings {
namespace {

class CreateSessionJob final : public Job {
 public:
  CreateSessionJob(std::shared_ptr<Runtime> runtime, std::shared_ptr<Executor> executor, const Napi::Value& model,
                   SessionOptions options, bool consume)
      : runtime_(std::move(runtime)),
        executor_(std::move(executor)),
        model_(bytes_of(model, "model")),
        options_(std::move(options)),
        consume_(consume) {
    keep(model);
  }

  Status run(const CancelTokenPtr& token) override {
    Result<std::shared_ptr<Session>> made = Session::create(runtime_, model_.data, model_.size, options_, token);
    if (!made.ok()) return made.status();
    session_ = std::move(made.value());
    return Status();
  }

  Napi::Value resolve(Napi::Env env) override {
    if (consume_) release_bytes(kept(0).As<Napi::Uint8Array>());
    return wrap_session(env, std::move(session_), std::move(executor_));
  }

 private:
  std::shared_ptr<Runtime> runtime_;
  std::shared_ptr<Executor> executor_;
  Bytes model_;
  SessionOptions options_;
  bool consume_;
  std::shared_ptr<Session> session_;
};

Napi::Object wrap_runtime(Napi::Env env, const std::shared_ptr<Runtime>& runtime) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("path", runtime->path());
  out.Set("version", runtime->version());
  out.Set("api", static_cast<double>(ort::kApiVersion));
  const Napi::Array providers = Napi::Array::New(env, runtime->providers().size());
  for (uint32_t i = 0; i < runtime->providers().size(); ++i) providers.Set(i, runtime->providers()[i]);
  out.Set("providers", providers);
  set_method(out, "createSession", [runtime](const Napi::CallbackInfo& info) -> Napi::Value {
    const auto executor = ExecutorHandle::get(info[0]);
    const bool consume = info[2].IsObject() && info[2].As<Napi::Object>().Get("consume").ToBoolean().Value();
    auto job = std::make_unique<CreateSessionJob>(runtime, executor, info[1], session_options(info[2]), consume);
    return Environment::of(info.Env()).launch(executor, token_or_null(info[3]), std::move(job));
  });
  return out;
}

class OpenJob final : public Job {
 public:
  explicit OpenJob(std::string path) : path_(std::move(path)) {}

  Status run(const CancelTokenPtr&) override {
    Result<std::shared_ptr<Runtime>> opened = Runtime::open(path_);
    if (!opened.ok()) return opened.status();
    runtime_ = std::move(opened.value());
    return Status();
  }

  Napi::Value resolve(Napi::Env env) override { return wrap_runtime(env, runtime_); }

 private:
  std::string path_;
  std::shared_ptr<Runtime> runtime_;
};

Napi::Value open_runtime(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  if (!info[1].IsString()) throw_invalid(env, "Expected a string for path");
  const std::string path = info[1].As<Napi::String>().Utf8Value();
  if (path.empty() || path.find('\0') != std::string::npos)
    throw_invalid(env, "Expected a path without null characters");
  return Environment::of(env).launch(executor, nullptr, std::make_unique<OpenJob>(path));
}

}  // namespace

void export_runtime(Napi::Object exports) { set_method(exports, "openRuntime", open_runtime); }

}  // namespace lineament::bindings
