#include "bindings/environment.h"

#include <exception>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace lineament::bindings {

void Job::keep(const Napi::Value& value) {
  if (value.IsObject()) kept_.push_back(Napi::Persistent(value.As<Napi::Object>()));
}

void Job::abandon() {
  for (Napi::ObjectReference& reference : kept_) reference.SuppressDestruct();
}

struct Environment::Pending {
  Pending(Environment* owner, Napi::Env env) : environment(owner), deferred(Napi::Promise::Deferred::New(env)) {}

  Environment* environment;
  Napi::Promise::Deferred deferred;
  CancelTokenPtr token;
  std::unique_ptr<Job> job;
  Status status;
};

namespace {

// A job must not throw, yet std::bad_alloc can come from any standard container: turn it into a status at the boundary.
Status run_guarded(Job& job, const CancelTokenPtr& token) {
  try {
    if (is_cancelled(token)) return Status(Code::kAborted, "The operation was aborted before it started");
    return job.run(token);
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory");
  } catch (const std::exception& error) {
    return Status(Code::kInternal, std::string("Unexpected native failure: ") + error.what());
  } catch (...) {
    return Status(Code::kInternal, "Unexpected native failure");
  }
}

class Waiter final : public Job {
 public:
  Status run(const CancelTokenPtr&) override { return Status(); }
  Napi::Value resolve(Napi::Env env) override { return env.Undefined(); }
};

}  // namespace

Napi::Error to_error(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.message());
  error.Set("code", Napi::String::New(env, code_name(status.code())));
  return error;
}

Environment::Environment(Napi::Env env) : env_(env) {
  const napi_value name = Napi::String::New(env, "lineament");
  const napi_status status = napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr,
                                                             nullptr, &Environment::settle, &to_js_);
  if (status != napi_ok) throw Napi::Error::New(env, "Cannot create the thread-safe function");
  napi_unref_threadsafe_function(env, to_js_);
  // Registered after the thread-safe function, so it runs before that one's own clean-up: no job can post to a dead
  // function.
  napi_add_env_cleanup_hook(env, &Environment::clean_up, this);
}

Environment::~Environment() = default;

Environment& Environment::of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

void Environment::clean_up(void* self) {
  auto* environment = static_cast<Environment*>(self);
  std::unique_lock<std::mutex> lock(environment->mutex_);
  environment->closing_ = true;
  std::vector<CancelTokenPtr> tokens;
  for (const auto& pending : environment->running_) tokens.push_back(pending->token);
  lock.unlock();
  for (const auto& token : tokens) token->cancel();
  lock.lock();
  // Jobs read memory that belongs to this environment: it may go only when the last of them has let go.
  environment->idle_.wait(lock, [environment] { return environment->running_.empty(); });
  for (const auto& pending : environment->orphans_) {
    pending->job->abandon();
    pending->job.reset();
  }
  environment->orphans_.clear();
}

Napi::Promise Environment::start(const std::shared_ptr<Pending>& pending) {
  if (pending_promises_++ == 0) napi_ref_threadsafe_function(env_, to_js_);
  std::lock_guard<std::mutex> lock(mutex_);
  running_.insert(pending);
  if (closing_) pending->token->cancel();
  return pending->deferred.Promise();
}

Napi::Promise Environment::launch(const std::shared_ptr<Executor>& executor, CancelTokenPtr token,
                                  std::unique_ptr<Job> job) {
  auto pending = std::make_shared<Pending>(this, env_);
  pending->token = token ? std::move(token) : std::make_shared<CancelToken>();
  pending->job = std::move(job);
  const Napi::Promise promise = start(pending);
  const auto refused = [](Pending& one) { one.status = Status(Code::kClosed, "The executor is closed"); };
  const bool queued = executor->submit([this, pending, refused](bool run) {
    if (run) {
      pending->status = run_guarded(*pending->job, pending->token);
    } else {
      refused(*pending);
    }
    post(pending);
  });
  if (!queued) {
    refused(*pending);
    post(pending);
  }
  return promise;
}

Napi::Promise Environment::launch_waiter(std::function<void()> work) {
  auto pending = std::make_shared<Pending>(this, env_);
  pending->token = std::make_shared<CancelToken>();
  pending->job = std::make_unique<Waiter>();
  const Napi::Promise promise = start(pending);
  const auto task = [this, pending, work = std::move(work)] {
    work();
    post(pending);
  };
  try {
    std::thread(task).detach();
  } catch (const std::system_error&) {
    task();  // no thread is left: it waits here
  }
  return promise;
}

void Environment::post(const std::shared_ptr<Pending>& pending) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto* carried = closing_ ? nullptr : new std::shared_ptr<Pending>(pending);
  if (carried == nullptr || napi_call_threadsafe_function(to_js_, carried, napi_tsfn_nonblocking) != napi_ok) {
    delete carried;
    orphans_.push_back(pending);  // JavaScript references must not be freed on this thread
  }
  running_.erase(pending);
  if (running_.empty()) idle_.notify_all();
}

void Environment::settle(napi_env raw_env, napi_value, void*, void* data) {
  const std::unique_ptr<std::shared_ptr<Pending>> carried(static_cast<std::shared_ptr<Pending>*>(data));
  const std::shared_ptr<Pending> pending = std::move(*carried);
  if (raw_env == nullptr) {  // the environment is going: nobody is left to hear of it
    pending->job->abandon();
    pending->job.reset();
    return;
  }
  const Napi::Env env(raw_env);
  try {
    const Napi::HandleScope scope(env);
    answer(env, *pending);
    pending->job.reset();  // references go on this thread
    Environment& environment = *pending->environment;
    if (--environment.pending_promises_ == 0) napi_unref_threadsafe_function(env, environment.to_js_);
  } catch (...) {
    // A worker that is being terminated refuses every call into JavaScript, also those that would settle the promise.
    // Nobody waits for it any more, and an exception must not leave this callback: it would end the process.
    if (pending->job) pending->job->abandon();
  }
}

void Environment::answer(Napi::Env env, Pending& pending) {
  if (!pending.status.ok()) {
    pending.deferred.Reject(to_error(env, pending.status).Value());
    return;
  }
  try {
    pending.deferred.Resolve(pending.job->resolve(env));
  } catch (const Napi::Error& error) {
    pending.deferred.Reject(error.Value());
  } catch (const std::exception& error) {
    pending.deferred.Reject(to_error(env, Status(Code::kInternal, error.what())).Value());
  }
}

}  // namespace lineament::bindings
