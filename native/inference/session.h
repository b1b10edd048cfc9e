// A network loaded into ONNX Runtime.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/cancel.h"
#include "core/status.h"
#include "inference/network_job.h"
#include "inference/ort_ptr.h"
#include "inference/runtime.h"
#include "inference/session_options.h"

namespace lineament {

// What the network says of one of its inputs or outputs; −1 where a dimension is dynamic.
struct TensorInfo {
  std::string name;
  ort::ElementType type = ort::kUndefined;
  std::vector<int64_t> shape;
};

// What one run needs and the next can use again.
struct RunContext {
  AlignedBuffer<uint8_t> input;
  AlignedBuffer<uint8_t> pixels;  // bytes that are widened to the input's type
  OrtPtr<ort::RunOptions> options;
};

// All members are thread-safe; several runs may be under way at once, each with a context of its own.
class Session : public std::enable_shared_from_this<Session> {
 public:
  // `model` is the content of an ONNX file and is not needed afterwards. Takes milliseconds to a second; `token` is
  // looked at before and after, as making a session cannot be interrupted. kModelCorrupt: not a network that the
  // library can read. kProviderUnavailable: a named provider is not there.
  static Result<std::shared_ptr<Session>> create(std::shared_ptr<Runtime> runtime, const uint8_t* model, size_t size,
                                                 const SessionOptions& options, const CancelTokenPtr& token);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const std::vector<TensorInfo>& inputs() const { return inputs_; }
  const std::vector<TensorInfo>& outputs() const { return outputs_; }

  // Lends a context for the length of a run; give it back afterwards.
  Result<std::unique_ptr<RunContext>> borrow();
  void give_back(std::unique_ptr<RunContext> context);

  // One run of the network. `tensors` are all inputs in the order of inputs(), already checked against them; `wanted`
  // are indices of outputs(). The outputs own their memory. kAborted when `token` is cancelled meanwhile,
  // kInferenceFailed where the network fails; the session stays usable.
  Status execute(RunContext& context, const std::vector<NamedTensor>& tensors, const std::vector<size_t>& wanted,
                 const CancelTokenPtr& token, std::vector<OutputTensor>* out);

 private:
  explicit Session(std::shared_ptr<Runtime> runtime) : runtime_(std::move(runtime)) {}
  Status describe();
  Status take_output(ort::Value* value, const TensorInfo& info, OutputTensor* out);

  const std::shared_ptr<Runtime> runtime_;
  OrtPtr<ort::Session> session_;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;

  std::mutex mutex_;  // guards idle_
  std::vector<std::unique_ptr<RunContext>> idle_;
};

}  // namespace lineament
