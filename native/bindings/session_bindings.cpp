#include "bindings/session_bindings.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "bindings/environment.h"
#include "bindings/job_values.h"
#include "bindings/values.h"
#include "inference/network_run.h"

namespace lineament::bindings {
namespace {

// What the methods of one session object share.
struct Shared {
  std::shared_ptr<Executor> executor;
  std::mutex mutex;
  std::condition_variable changed;
  std::shared_ptr<Session> session;  // null once freed
  size_t jobs = 0;                   // launched and not yet settled
  bool closed = false;
  bool freed = false;

  // A session that was never closed is freed with its object. That joins threads, so it is left to the executor.
  ~Shared() {
    if (session) executor->submit([held = std::move(session)](bool) mutable { held.reset(); });
  }
};

class RunJob final : public Job {
 public:
  RunJob(std::shared_ptr<Shared> shared, const Napi::Value& job)
      : shared_(std::move(shared)), job_(network_job(job, *this)), made_(Clock::now()) {
    std::lock_guard<std::mutex> lock(shared_->mutex);
    session_ = shared_->session;
    ++shared_->jobs;
  }

  ~RunJob() override {
    session_.reset();
    result_ = {};
    std::lock_guard<std::mutex> lock(shared_->mutex);
    if (--shared_->jobs == 0) shared_->changed.notify_all();
  }

  Status run(const CancelTokenPtr& token) override {
    queue_ = std::chrono::duration<double, std::milli>(Clock::now() - made_).count();
    return run_network(*session_, job_, token, &result_);
  }

  Napi::Value resolve(Napi::Env env) override { return network_result(env, result_, queue_); }

 private:
  using Clock = std::chrono::steady_clock;

  std::shared_ptr<Shared> shared_;
  NetworkJob job_;
  Clock::time_point made_;
  std::shared_ptr<Session> session_;
  NetworkResult result_;
  double queue_ = 0;
};

// Waits for the session's jobs on a thread of its own, which no compute thread has to be given up for.
class CloseJob final : public Job {
 public:
  CloseJob(std::shared_ptr<Shared> shared, std::shared_ptr<Executor> thread)
      : shared_(std::move(shared)), thread_(std::move(thread)) {}

  Status run(const CancelTokenPtr& token) override {
    // The environment's end cancels the token: jobs then settle only after this wait has ended.
    const CancelSubscription subscription(token, [this] {
      std::lock_guard<std::mutex> lock(shared_->mutex);
      shared_->changed.notify_all();
    });
    std::shared_ptr<Session> last;
    std::unique_lock<std::mutex> lock(shared_->mutex);
    shared_->changed.wait(lock, [this, &token] { return shared_->jobs == 0 || is_cancelled(token); });
    last.swap(shared_->session);
    if (!last) {  // another close() has taken it
      shared_->changed.wait(lock, [this, &token] { return shared_->freed || is_cancelled(token); });
      return Status();
    }
    lock.unlock();
    last.reset();
    lock.lock();
    shared_->freed = true;
    shared_->changed.notify_all();
    return Status();
  }

  Napi::Value resolve(Napi::Env env) override { return env.Undefined(); }

 private:
  std::shared_ptr<Shared> shared_;
  std::shared_ptr<Executor> thread_;  // joined when this job is destroyed, on the environment's thread
};

Napi::Value rejected(Napi::Env env, const Status& status) {
  const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
  deferred.Reject(to_error(env, status).Value());
  return deferred.Promise();
}

Napi::Value run(const Napi::CallbackInfo& info, const std::shared_ptr<Shared>& shared) {
  {
    std::lock_guard<std::mutex> lock(shared->mutex);
    if (shared->closed) return rejected(info.Env(), Status(Code::kClosed, "The session is closed"));
  }
  CancelTokenPtr token = token_or_null(info[1]);
  auto job = std::make_unique<RunJob>(shared, info[0]);
  return Environment::of(info.Env()).launch(shared->executor, std::move(token), std::move(job));
}

Napi::Value close(const Napi::CallbackInfo& info, const std::shared_ptr<Shared>& shared) {
  {
    std::lock_guard<std::mutex> lock(shared->mutex);
    shared->closed = true;
  }
  const auto thread = std::make_shared<Executor>(1);
  return Environment::of(info.Env()).launch(thread, nullptr, std::make_unique<CloseJob>(shared, thread));
}

Napi::Array describe(Napi::Env env, const std::vector<TensorInfo>& infos) {
  const Napi::Array out = Napi::Array::New(env, infos.size());
  for (uint32_t i = 0; i < infos.size(); ++i) {
    const Napi::Array shape = Napi::Array::New(env, infos[i].shape.size());
    for (uint32_t d = 0; d < infos[i].shape.size(); ++d) shape.Set(d, static_cast<double>(infos[i].shape[d]));
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("name", infos[i].name);
    entry.Set("type", element_name(infos[i].type));
    entry.Set("shape", shape);
    out.Set(i, entry);
  }
  return out;
}

}  // namespace

Napi::Object wrap_session(Napi::Env env, std::shared_ptr<Session> session, std::shared_ptr<Executor> executor) {
  Napi::Object out = Napi::Object::New(env);
  out.Set("inputs", describe(env, session->inputs()));
  out.Set("outputs", describe(env, session->outputs()));
  const auto shared = std::make_shared<Shared>();
  shared->executor = std::move(executor);
  shared->session = std::move(session);
  set_method(out, "run", [shared](const Napi::CallbackInfo& info) { return run(info, shared); });
  set_method(out, "close", [shared](const Napi::CallbackInfo& info) { return close(info, shared); });
  return out;
}

}  // namespace lineament::bindings
