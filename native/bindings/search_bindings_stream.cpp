#include "bindings/search_bindings_stream.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/environment.h"
#include "bindings/search_bindings_values.h"
#include "bindings/values.h"
#include "search/snapshot_stream.h"

namespace lineament::bindings {
namespace {

using StreamPtr = std::shared_ptr<SnapshotStream>;

// Null once finished or closed. A stream that goes without finish() removes its temporary file.
struct Shared {
  StreamPtr stream;
};

class AddJob final : public Job {
 public:
  AddJob(StreamPtr stream, std::shared_ptr<Executor> executor, std::vector<int64_t> keys, const float* vectors,
         std::vector<uint32_t> groups)
      : stream_(std::move(stream)),
        executor_(std::move(executor)),
        keys_(std::move(keys)),
        vectors_(vectors),
        groups_(std::move(groups)) {}

  Status run(const CancelTokenPtr& token) override {
    return stream_->add(keys_.data(), vectors_, groups_.empty() ? nullptr : groups_.data(), keys_.size(), *executor_,
                        token.get());
  }
  Napi::Value resolve(Napi::Env env) override { return env.Undefined(); }

 private:
  StreamPtr stream_;
  std::shared_ptr<Executor> executor_;
  std::vector<int64_t> keys_;
  const float* vectors_;
  std::vector<uint32_t> groups_;
};

class FinishJob final : public Job {
 public:
  explicit FinishJob(StreamPtr stream) : stream_(std::move(stream)) {}
  Status run(const CancelTokenPtr&) override {
    const Result<uint64_t> finished = stream_->finish();
    if (!finished.ok()) return finished.status();
    vectors_ = finished.value();
    return Status();
  }
  Napi::Value resolve(Napi::Env env) override { return Napi::Number::New(env, static_cast<double>(vectors_)); }

 private:
  StreamPtr stream_;
  uint64_t vectors_ = 0;
};

Napi::Value add(const Napi::CallbackInfo& info, const StreamPtr& stream) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  std::vector<int64_t> keys = keys_in(info[1], "keys");
  const Numbers<float> vectors = array_in<float>(info[2], "vectors");
  if (vectors.size != keys.size() * stream->dims()) throw_invalid(env, "Expected dims numbers in vectors for each key");
  std::vector<uint32_t> groups;
  if (!info[3].IsUndefined()) {
    groups = groups_in(info[3], "groups");
    if (groups.size() != keys.size()) throw_invalid(env, "Expected one group for each key");
  }
  CancelTokenPtr token = token_or_null(info[4]);
  auto job = std::make_unique<AddJob>(stream, executor, std::move(keys), vectors.data, std::move(groups));
  job->keep(info[2]);
  return Environment::of(env).launch(executor, std::move(token), std::move(job));
}

Napi::Object wrap_stream(Napi::Env env, StreamPtr stream) {
  Napi::Object out = Napi::Object::New(env);
  const auto shared = std::make_shared<Shared>();
  shared->stream = std::move(stream);
  const auto closed = [](Napi::Env where) -> Napi::Value {
    const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(where);
    deferred.Reject(to_error(where, Status(Code::kClosed, "The snapshot is finished or closed")).Value());
    return deferred.Promise();
  };
  set_method(out, "add", [shared, closed](const Napi::CallbackInfo& info) -> Napi::Value {
    return shared->stream ? add(info, shared->stream) : closed(info.Env());
  });
  set_method(out, "finish", [shared, closed](const Napi::CallbackInfo& info) -> Napi::Value {
    if (!shared->stream) return closed(info.Env());
    const auto executor = ExecutorHandle::get(info[0]);
    auto job = std::make_unique<FinishJob>(std::move(shared->stream));
    return Environment::of(info.Env()).launch(executor, nullptr, std::move(job));
  });
  set_method(out, "close", [shared](const Napi::CallbackInfo& info) -> Napi::Value {
    return Environment::of(info.Env()).launch_waiter([last = std::move(shared->stream)]() mutable { last.reset(); });
  });
  return out;
}

class CreateJob final : public Job {
 public:
  CreateJob(std::string path, size_t dims, IndexPrecision precision)
      : path_(std::move(path)), dims_(dims), precision_(precision) {}
  Status run(const CancelTokenPtr&) override {
    stream_ = std::make_shared<SnapshotStream>(path_, dims_, precision_);
    return stream_->status();
  }
  Napi::Value resolve(Napi::Env env) override { return wrap_stream(env, std::move(stream_)); }

 private:
  std::string path_;
  size_t dims_;
  IndexPrecision precision_;
  StreamPtr stream_;
};

Napi::Value create_snapshot(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  auto job = std::make_unique<CreateJob>(path_in(info[1]), dims_in(info[2]), precision_in(info[3]));
  return Environment::of(info.Env()).launch(executor, nullptr, std::move(job));
}

}  // namespace

void export_snapshot_stream(Napi::Object exports) { set_method(exports, "createSnapshot", create_snapshot); }

}  // namespace lineament::bindings
