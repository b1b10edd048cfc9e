// A job made of two functions, for bindings that need no class of their own.
#pragma once

#include <napi.h>

#include <initializer_list>
#include <memory>
#include <utility>

#include "bindings/environment.h"
#include "bindings/values.h"

namespace lineament::bindings {

// work(token, &result) runs off the environment's thread, give(env, result) on it.
template <typename Result, typename Work, typename Give>
class TwoPartJob final : public Job {
 public:
  TwoPartJob(Work work, Give give) : work_(std::move(work)), give_(std::move(give)) {}
  Status run(const CancelTokenPtr& token) override { return work_(token.get(), &result_); }
  Napi::Value resolve(Napi::Env env) override { return give_(env, result_); }

 private:
  Work work_;
  Give give_;
  Result result_{};
};

// `kept`: the arrays that the work reads; what is no object (an absent array) is passed over.
template <typename Result, typename Work, typename Give>
Napi::Value launch(Napi::Env env, const std::shared_ptr<Executor>& executor, const Napi::Value& token,
                   std::initializer_list<Napi::Value> kept, Work work, Give give) {
  CancelTokenPtr checked = token_or_null(token);
  auto job = std::make_unique<TwoPartJob<Result, Work, Give>>(std::move(work), std::move(give));
  for (const Napi::Value& value : kept) {
    if (value.IsObject()) job->keep(value);
  }
  return Environment::of(env).launch(executor, std::move(checked), std::move(job));
}

struct Nothing {};
inline Napi::Value give_nothing(Napi::Env env, const Nothing&) { return env.Undefined(); }

}  // namespace lineament::bindings
