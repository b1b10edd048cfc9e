// Per-environment state (one for the main thread, one for each worker that loads the addon) and the way a job's result
// gets back to JavaScript: one thread-safe function per environment, referenced only while promises are pending.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"

namespace lineament::bindings {

// Work that ends in a promise. run() happens off the main thread and must not touch JavaScript; resolve() happens on
// the thread of the environment that launched it, only when run() was ok.
class Job {
 public:
  virtual ~Job() = default;
  virtual Status run(const CancelTokenPtr& token) = 0;
  virtual Napi::Value resolve(Napi::Env env) = 0;

  // Keeps `value` (an object) alive until the promise has settled.
  void keep(const Napi::Value& value);

  // Gives the kept references up without touching the environment, which frees them itself when it goes.
  void abandon();

 protected:
  // The i-th object that was handed to keep(). On the environment's thread only.
  Napi::Object kept(size_t i) const { return kept_[i].Value(); }

 private:
  std::vector<Napi::ObjectReference> kept_;
};

// Lives as long as its Napi::Env. All members run on the environment's thread unless said otherwise.
class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  static Environment& of(Napi::Env env);

  // Runs the job on `executor`. A token is made when the caller gave none, so that tear-down can cancel the job.
  // Rejects with CLOSED when the executor no longer takes jobs, with ABORTED when the token is cancelled before it
  // starts.
  Napi::Promise launch(const std::shared_ptr<Executor>& executor, CancelTokenPtr token, std::unique_ptr<Job> job);

  // Runs `work` on a thread of its own; for waiting (closing an executor, a session), not for computing.
  Napi::Promise launch_waiter(std::function<void()> work);

 private:
  struct Pending;
  Napi::Promise start(const std::shared_ptr<Pending>& pending);
  void post(const std::shared_ptr<Pending>& pending);  // any thread
  static void answer(Napi::Env env, Pending& pending);
  static void settle(napi_env env, napi_value callback, void* context, void* data);
  static void clean_up(void* self);

  Napi::Env env_;
  napi_threadsafe_function to_js_ = nullptr;
  size_t pending_promises_ = 0;

  std::mutex mutex_;  // guards what follows
  std::condition_variable idle_;
  std::unordered_set<std::shared_ptr<Pending>> running_;  // queued or running, not yet posted
  std::vector<std::shared_ptr<Pending>> orphans_;         // finished too late to be heard of
  bool closing_ = false;
};

// An Error with `code` set to the status code's stable name.
Napi::Error to_error(Napi::Env env, const Status& status);

}  // namespace lineament::bindings
