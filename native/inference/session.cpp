#include "inference/session.h"

#include <atomic>
#include <cstring>
#include <numeric>
#include <string_view>
#include <utility>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "inference/in_flight.h"

namespace lineament {

namespace {

Status aborted() { return Status(Code::kAborted, "The operation was aborted"); }
Status exiting() { return Status(Code::kClosed, "The process is exiting"); }

// ONNX Runtime reports a failed allocation like any other failure.
Code run_failure(std::string_view message) {
  const bool memory = message.find("bad_alloc") != std::string_view::npos ||
                      message.find("Failed to allocate") != std::string_view::npos;
  return memory ? Code::kOutOfMemory : Code::kInferenceFailed;
}

// Making a session allocates and frees several times the weights; glibc keeps the freed part resident for good (60 MB
// of 90 for the 128-d recogniser) unless it is asked to let go. Asked once, when the last of the sessions under way is
// made: what one lets go, the next would have to fault in again.
class Making {
 public:
  Making() { ++under_way_; }
  ~Making() {
    if (--under_way_ > 0) return;
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
  }
  Making(const Making&) = delete;
  Making& operator=(const Making&) = delete;

 private:
  static inline std::atomic<int> under_way_{0};
};

Status describe_one(const Runtime& runtime, const ort::TypeInfo* type, TensorInfo* out) {
  const ort::Api& api = runtime.api();
  const auto check = [&runtime](ort::Status* status) {
    return runtime.take(status, Code::kModelCorrupt, "Tensor type");
  };
  int kind = 0;
  if (Status s = check(api.GetOnnxTypeFromTypeInfo(type, &kind)); !s.ok()) return s;
  if (kind != ort::kTypeTensor) return Status();  // left as kUndefined: such an input or output cannot be used
  const ort::TensorInfo* info = nullptr;
  if (Status s = check(api.CastTypeInfoToTensorInfo(type, &info)); !s.ok()) return s;
  int element = 0;
  size_t rank = 0;
  if (Status s = check(api.GetTensorElementType(info, &element)); !s.ok()) return s;
  if (Status s = check(api.GetDimensionsCount(info, &rank)); !s.ok()) return s;
  out->type = static_cast<ort::ElementType>(element);
  out->shape.resize(rank);
  return check(api.GetDimensions(info, out->shape.data(), rank));
}

}  // namespace

Result<std::shared_ptr<Session>> Session::create(std::shared_ptr<Runtime> runtime, const uint8_t* model, size_t size,
                                                 const SessionOptions& options, const CancelTokenPtr& token) {
  if (is_cancelled(token)) return aborted();
  if (size == 0) return Status(Code::kModelCorrupt, "The model is empty");
  const InFlight guard([] {});
  if (!guard.entered()) return exiting();

  const Making making;
  const ort::Api& api = runtime->api();
  const auto make = [&](const SessionOptions& how, ort::Session** out) -> Status {
    Result<OrtPtr<ort::SessionOptions>> made = make_session_options(*runtime, how);
    if (!made.ok()) return made.status();
    ort::Status* failed = api.CreateSessionFromArray(runtime->env(), model, size, made.value().get(), out);
    if (failed == nullptr) return Status();
    const int code = api.GetErrorCode(failed);
    const bool provider = code == ort::kEpFail || code == ort::kEngineError;
    return runtime->take(failed, provider ? Code::kProviderUnavailable : Code::kModelCorrupt,
                         provider ? "The execution provider failed to start" : "The model cannot be loaded");
  };
  ort::Session* raw = nullptr;
  Status created = make(options, &raw);
  if (!created.ok() && runtime->shares(options.threads)) {
    // An application that used this library first has made its environment without our pool: threads of its own, then.
    SessionOptions own_threads = options;
    own_threads.own_pool = true;
    if (make(own_threads, &raw).ok()) {
      runtime->stop_sharing();
      created = Status();
    }
  }
  if (!created.ok()) return created;
  std::shared_ptr<Session> session(new Session(runtime));
  session->session_ = own(raw, api.ReleaseSession);
  if (Status status = session->describe(); !status.ok()) return status;
  if (is_cancelled(token)) return aborted();
  return session;
}

Status Session::describe() {
  const ort::Api& api = runtime_->api();
  const auto check = [this](ort::Status* status) {
    return runtime_->take(status, Code::kModelCorrupt, "Model description");
  };
  const auto read = [&](size_t count, auto type_of, auto name_of, std::vector<TensorInfo>* out) {
    for (size_t i = 0; i < count; ++i) {
      TensorInfo info;
      char* name = nullptr;
      if (Status s = check(name_of(session_.get(), i, runtime_->allocator(), &name)); !s.ok()) return s;
      info.name = name;
      if (Status s = check(api.AllocatorFree(runtime_->allocator(), name)); !s.ok()) return s;
      ort::TypeInfo* type = nullptr;
      if (Status s = check(type_of(session_.get(), i, &type)); !s.ok()) return s;
      const auto owned = own(type, api.ReleaseTypeInfo);
      if (Status s = describe_one(*runtime_, type, &info); !s.ok()) return s;
      out->push_back(std::move(info));
    }
    return Status();
  };
  size_t inputs = 0;
  size_t outputs = 0;
  if (Status s = check(api.SessionGetInputCount(session_.get(), &inputs)); !s.ok()) return s;
  if (Status s = check(api.SessionGetOutputCount(session_.get(), &outputs)); !s.ok()) return s;
  if (Status s = read(inputs, api.SessionGetInputTypeInfo, api.SessionGetInputName, &inputs_); !s.ok()) return s;
  return read(outputs, api.SessionGetOutputTypeInfo, api.SessionGetOutputName, &outputs_);
}

Result<std::unique_ptr<RunContext>> Session::borrow() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!idle_.empty()) {
      std::unique_ptr<RunContext> context = std::move(idle_.back());
      idle_.pop_back();
      return context;
    }
  }
  const ort::Api& api = runtime_->api();
  auto context = std::make_unique<RunContext>();
  ort::RunOptions* options = nullptr;
  if (Status s = runtime_->take(api.CreateRunOptions(&options), Code::kInternal, "CreateRunOptions"); !s.ok()) return s;
  context->options = own(options, api.ReleaseRunOptions);
  if (Status s =
          runtime_->take(api.RunOptionsSetRunLogSeverityLevel(options, ort::kLogFatal), Code::kInternal, "Run options");
      !s.ok()) {
    return s;
  }
  return context;
}

void Session::give_back(std::unique_ptr<RunContext> context) {
  std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(context));
}

Status Session::take_output(ort::Value* value, const TensorInfo& info, OutputTensor* out) {
  const ort::Api& api = runtime_->api();
  const auto check = [this](ort::Status* status) { return runtime_->take(status, Code::kInferenceFailed, "Output"); };
  // The session goes last: the memory may come from its allocator.
  out->owner = std::shared_ptr<void>(value, [session = shared_from_this(), release = api.ReleaseValue](void* held) {
    release(static_cast<ort::Value*>(held));
  });
  out->name = info.name;
  out->type = info.type;
  ort::TensorInfo* shape = nullptr;
  if (Status s = check(api.GetTensorTypeAndShape(value, &shape)); !s.ok()) return s;
  const auto owned = own(shape, api.ReleaseTensorTypeAndShapeInfo);
  size_t rank = 0;
  size_t elements = 0;
  if (Status s = check(api.GetDimensionsCount(shape, &rank)); !s.ok()) return s;
  out->shape.resize(rank);
  if (Status s = check(api.GetDimensions(shape, out->shape.data(), rank)); !s.ok()) return s;
  if (Status s = check(api.GetTensorShapeElementCount(shape, &elements)); !s.ok()) return s;
  void* data = nullptr;
  if (Status s = check(api.GetTensorMutableData(value, &data)); !s.ok()) return s;
  out->data = data;
  out->bytes = elements * element_bytes(info.type);
  return Status();
}

Status Session::execute(RunContext& context, const std::vector<NamedTensor>& tensors, const std::vector<size_t>& wanted,
                        const CancelTokenPtr& token, std::vector<OutputTensor>* out) {
  const ort::Api& api = runtime_->api();
  std::vector<OrtPtr<ort::Value>> owned;
  std::vector<const ort::Value*> values;
  std::vector<const char*> input_names;
  for (const NamedTensor& tensor : tensors) {
    ort::Value* value = nullptr;
    // The library wants a pointer to non-const memory and does not write to inputs.
    if (Status s = runtime_->take(
            api.CreateTensorWithDataAsOrtValue(runtime_->cpu_memory(), const_cast<void*>(tensor.data), tensor.bytes,
                                               tensor.shape.data(), tensor.shape.size(), tensor.type, &value),
            Code::kInvalidArgument, "Input '" + tensor.name + "'");
        !s.ok()) {
      return s;
    }
    owned.push_back(own(value, api.ReleaseValue));
    values.push_back(value);
    input_names.push_back(tensor.name.c_str());
  }
  std::vector<const char*> output_names;
  for (const size_t index : wanted) output_names.push_back(outputs_[index].name.c_str());
  std::vector<ort::Value*> results(wanted.size(), nullptr);

  ort::RunOptions* const options = context.options.get();
  if (Status s = runtime_->take(api.RunOptionsUnsetTerminate(options), Code::kInternal, "Run options"); !s.ok())
    return s;
  const auto stop = [&api, options] {
    if (ort::Status* status = api.RunOptionsSetTerminate(options)) api.ReleaseStatus(status);
  };
  ort::Status* failed = nullptr;
  {
    const InFlight guard(stop);
    if (!guard.entered()) return exiting();
    const CancelSubscription subscription(token, stop);
    if (is_cancelled(token)) return aborted();
    failed = api.Run(session_.get(), options, input_names.data(), values.data(), values.size(), output_names.data(),
                     output_names.size(), results.data());
  }
  if (failed != nullptr) {
    for (ort::Value* value : results) {
      if (value != nullptr) api.ReleaseValue(value);
    }
    const Code code = is_cancelled(token) ? Code::kAborted : run_failure(api.GetErrorMessage(failed));
    Status status = runtime_->take(failed, code, "The network failed");
    return code == Code::kAborted ? aborted() : status;
  }
  Status status;
  out->clear();
  out->resize(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {  // all are taken, so that none leaks when one of them is odd
    Status taken = take_output(results[i], outputs_[wanted[i]], &(*out)[i]);
    if (status.ok()) status = std::move(taken);
  }
  return status;
}

}  // namespace lineament
