#include "bindings/search_bindings.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings/arrays.h"
#include "bindings/buffers.h"
#include "bindings/environment.h"
#include "bindings/index_object.h"
#include "bindings/search_bindings_stream.h"
#include "bindings/search_bindings_values.h"
#include "bindings/values.h"
#include "search/index.h"

namespace lineament::bindings {
namespace {

using IndexPtr = std::shared_ptr<VectorIndex>;

// Jobs

class PutJob final : public Job {
 public:
  PutJob(IndexPtr index, std::shared_ptr<Executor> executor, std::vector<int64_t> keys, const float* vectors,
         std::vector<uint32_t> groups, bool has_groups, bool replace)
      : index_(std::move(index)),
        executor_(std::move(executor)),
        keys_(std::move(keys)),
        vectors_(vectors),
        groups_(std::move(groups)),
        has_groups_(has_groups),
        replace_(replace) {}

  Status run(const CancelTokenPtr& token) override {
    return index_->put(keys_.data(), vectors_, has_groups_ ? groups_.data() : nullptr, keys_.size(), replace_,
                       *executor_, token.get());
  }
  Napi::Value resolve(Napi::Env env) override { return env.Undefined(); }

 private:
  IndexPtr index_;
  std::shared_ptr<Executor> executor_;
  std::vector<int64_t> keys_;
  const float* vectors_;
  std::vector<uint32_t> groups_;
  bool has_groups_, replace_;
};

class RemoveJob final : public Job {
 public:
  RemoveJob(IndexPtr index, std::vector<int64_t> keys) : index_(std::move(index)), keys_(std::move(keys)) {}

  Status run(const CancelTokenPtr&) override {
    const Result<size_t> removed = index_->remove(keys_.data(), keys_.size());
    if (!removed.ok()) return removed.status();
    removed_ = removed.value();
    return Status();
  }
  Napi::Value resolve(Napi::Env env) override { return Napi::Number::New(env, static_cast<double>(removed_)); }

 private:
  IndexPtr index_;
  std::vector<int64_t> keys_;
  size_t removed_ = 0;
};

// Arrays of results, filled off the environment's thread.
template <typename T>
struct Answer {
  std::unique_ptr<T[]> data;
  size_t size = 0;

  bool make(size_t count) {
    size = count;
    data = allocate<T>(count);
    return data != nullptr;
  }
  template <typename Array>
  Array hand_over(Napi::Env env) {
    return Array::New(env, size, give(env, std::move(data), size), 0);
  }
};

class SearchJob final : public Job {
 public:
  SearchJob(IndexPtr index, std::shared_ptr<Executor> executor, const float* queries, size_t count, IndexSearch search)
      : index_(std::move(index)),
        executor_(std::move(executor)),
        queries_(queries),
        count_(count),
        search_(std::move(search)) {}

  Status run(const CancelTokenPtr& token) override {
    std::vector<std::vector<Hit>> hits;
    Status status = index_->search(queries_, count_, search_, *executor_, token.get(), &hits);
    if (!status.ok()) return status;
    size_t total = 0;
    for (const std::vector<Hit>& one : hits) total += one.size();
    if (!counts_.make(count_) || !keys_.make(total) || !scores_.make(total)) {
      return Status(Code::kOutOfMemory, "Out of memory for the hits");
    }
    size_t at = 0;
    for (size_t q = 0; q < count_; ++q) {
      counts_.data[q] = static_cast<uint32_t>(hits[q].size());
      for (const Hit& hit : hits[q]) {
        keys_.data[at] = static_cast<double>(hit.key);
        scores_.data[at++] = hit.score;
      }
    }
    return Status();
  }

  Napi::Value resolve(Napi::Env env) override {
    Napi::Object out = Napi::Object::New(env);
    out.Set("counts", counts_.hand_over<Napi::Uint32Array>(env));
    out.Set("keys", keys_.hand_over<Napi::Float64Array>(env));
    out.Set("similarities", scores_.hand_over<Napi::Float64Array>(env));
    return out;
  }

 private:
  IndexPtr index_;
  std::shared_ptr<Executor> executor_;
  const float* queries_;
  size_t count_;
  IndexSearch search_;
  Answer<uint32_t> counts_;
  Answer<double> keys_, scores_;
};

class LookupJob final : public Job {
 public:
  LookupJob(IndexPtr index, std::vector<int64_t> keys) : index_(std::move(index)), keys_(std::move(keys)) {}

  Status run(const CancelTokenPtr&) override {
    std::vector<int64_t> found;
    std::vector<uint32_t> groups;
    index_->lookup(keys_, &found, &groups);
    if (!found_.make(found.size()) || !groups_.make(found.size())) {
      return Status(Code::kOutOfMemory, "Out of memory for the keys");
    }
    for (size_t i = 0; i < found.size(); ++i) {
      found_.data[i] = static_cast<double>(found[i]);
      groups_.data[i] = groups[i];
    }
    return Status();
  }

  Napi::Value resolve(Napi::Env env) override {
    Napi::Object out = Napi::Object::New(env);
    out.Set("keys", found_.hand_over<Napi::Float64Array>(env));
    out.Set("groups", groups_.hand_over<Napi::Uint32Array>(env));
    return out;
  }

 private:
  IndexPtr index_;
  std::vector<int64_t> keys_;
  Answer<double> found_;
  Answer<uint32_t> groups_;
};

class SaveJob final : public Job {
 public:
  SaveJob(IndexPtr index, std::string path) : index_(std::move(index)), path_(std::move(path)) {}
  Status run(const CancelTokenPtr& token) override { return index_->save(path_, token.get()); }
  Napi::Value resolve(Napi::Env env) override { return env.Undefined(); }

 private:
  IndexPtr index_;
  std::string path_;
};

class VerifyJob final : public Job {
 public:
  explicit VerifyJob(IndexPtr index) : index_(std::move(index)) {}
  Status run(const CancelTokenPtr& token) override { return index_->verify(token.get()); }
  Napi::Value resolve(Napi::Env env) override { return env.Undefined(); }

 private:
  IndexPtr index_;
};

// Methods

Napi::Value put(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  std::vector<int64_t> keys = keys_in(info[1], "keys");
  const auto vectors = array_in<float>(info[2], "vectors");
  if (vectors.size != keys.size() * index->dims()) throw_invalid(env, "Expected dims numbers in vectors for each key");
  const bool has_groups = !info[3].IsUndefined();
  std::vector<uint32_t> groups;
  if (has_groups) groups = groups_in(info[3], "groups");
  if (has_groups && groups.size() != keys.size()) throw_invalid(env, "Expected one group for each key");
  if (!info[4].IsBoolean()) throw_invalid(env, "Expected a boolean for replace");
  CancelTokenPtr token = token_or_null(info[5]);
  auto job = std::make_unique<PutJob>(index, executor, std::move(keys), vectors.data, std::move(groups), has_groups,
                                      info[4].As<Napi::Boolean>().Value());
  job->keep(info[2]);
  return Environment::of(env).launch(executor, std::move(token), std::move(job));
}

Napi::Value remove(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const auto executor = ExecutorHandle::get(info[0]);
  auto job = std::make_unique<RemoveJob>(index, keys_in(info[1], "keys"));
  return Environment::of(info.Env()).launch(executor, token_or_null(info[2]), std::move(job));
}

Napi::Value search(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const auto queries = array_in<float>(info[1], "queries");
  if (queries.size % index->dims() != 0) throw_invalid(env, "Expected a multiple of dims numbers for queries");
  IndexSearch rules = rules_in(info[2]);
  CancelTokenPtr token = token_or_null(info[3]);
  auto job = std::make_unique<SearchJob>(index, executor, queries.data, queries.size / index->dims(), std::move(rules));
  job->keep(info[1]);
  return Environment::of(env).launch(executor, std::move(token), std::move(job));
}

Napi::Value lookup(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const auto executor = ExecutorHandle::get(info[0]);
  auto job = std::make_unique<LookupJob>(index, keys_in(info[1], "keys"));
  return Environment::of(info.Env()).launch(executor, nullptr, std::move(job));
}

Napi::Value save(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const auto executor = ExecutorHandle::get(info[0]);
  auto job = std::make_unique<SaveJob>(index, path_in(info[1]));
  return Environment::of(info.Env()).launch(executor, token_or_null(info[2]), std::move(job));
}

Napi::Value verify(const Napi::CallbackInfo& info, const IndexPtr& index) {
  const auto executor = ExecutorHandle::get(info[0]);
  return Environment::of(info.Env()).launch(executor, token_or_null(info[1]), std::make_unique<VerifyJob>(index));
}

Napi::Object wrap_index(Napi::Env env, IndexPtr index) {
  IndexObject out(env, index);
  out.object().Set("dims", static_cast<double>(index->dims()));
  out.object().Set("precision", name_of(index->precision()));
  out.fact("size", [](const VectorIndex& i) { return i.size(); });
  out.fact("bytes", [](const VectorIndex& i) { return i.bytes(); });
  out.fact("mappedBytes", [](const VectorIndex& i) { return i.mapped_bytes(); });
  out.fact("revision", [](const VectorIndex& i) { return i.revision(); });
  out.method("add", put);
  out.method("remove", remove);
  out.method("search", search);
  out.method("lookup", lookup);
  out.method("save", save);
  out.method("verify", verify);
  return out.object();
}

class OpenJob final : public Job {
 public:
  OpenJob(std::shared_ptr<Executor> executor, std::string path, SnapshotMode mode)
      : executor_(std::move(executor)), path_(std::move(path)), mode_(mode) {}

  Status run(const CancelTokenPtr& token) override {
    Result<IndexPtr> opened = VectorIndex::open(path_, mode_, *executor_, token.get());
    if (!opened.ok()) return opened.status();
    index_ = std::move(opened.value());
    return Status();
  }
  Napi::Value resolve(Napi::Env env) override { return wrap_index(env, std::move(index_)); }

 private:
  std::shared_ptr<Executor> executor_;
  std::string path_;
  SnapshotMode mode_;
  IndexPtr index_;
};

Napi::Value create_index(const Napi::CallbackInfo& info) {
  const size_t dims = dims_in(info[0]);
  return wrap_index(info.Env(), std::make_shared<VectorIndex>(dims, precision_in(info[1])));
}

Napi::Value open_index(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  std::string path = path_in(info[1]);
  const std::string mode = info[2].IsString() ? info[2].As<Napi::String>().Utf8Value() : "";
  if (mode != "map" && mode != "load") throw_invalid(info.Env(), "Unknown mode " + mode);
  auto job =
      std::make_unique<OpenJob>(executor, std::move(path), mode == "map" ? SnapshotMode::kMap : SnapshotMode::kLoad);
  return Environment::of(info.Env()).launch(executor, token_or_null(info[3]), std::move(job));
}

}  // namespace

void export_search(Napi::Object exports) {
  set_method(exports, "createIndex", create_index);
  set_method(exports, "openIndex", open_index);
  export_snapshot_stream(exports);
}

}  // namespace lineament::bindings
