#include "inference/network_run.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string_view>
#include <utility>

#include "image/sample.h"
#include "inference/tensor_check.h"

namespace lineament {

namespace {

using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Status invalid(const std::string& message) { return Status(Code::kInvalidArgument, message); }

// A context of the session for the length of a run.
class Lease {
 public:
  Lease(Session& session, std::unique_ptr<RunContext> context) : session_(session), context_(std::move(context)) {}
  ~Lease() { session_.give_back(std::move(context_)); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  RunContext& operator*() const { return *context_; }

 private:
  Session& session_;
  std::unique_ptr<RunContext> context_;
};

// One job under way: what all its turns share.
struct Work {
  Session& session;
  const NetworkJob& job;
  const CancelTokenPtr& token;
  RunContext& context;
  std::vector<size_t> wanted;  // outputs, by index
  std::vector<std::vector<OutputTensor>> turns;
  std::vector<size_t> turn_items;
  std::optional<Candidates> candidates;
  Timings timings;
};

Status find_outputs(const Session& session, const NetworkJob& job, std::vector<size_t>* out) {
  const std::vector<std::string> names = job.decode ? decoder_outputs(*job.decode) : job.outputs;
  const std::vector<TensorInfo>& all = session.outputs();
  if (names.empty()) {
    for (size_t i = 0; i < all.size(); ++i) out->push_back(i);
  }
  for (const std::string& name : names) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&name](const TensorInfo& info) { return info.name == name; });
    if (found == all.end()) return invalid("The network has no output '" + name + "'; it has: " + names_of(all));
    out->push_back(static_cast<size_t>(found - all.begin()));
  }
  for (const size_t index : *out) {
    const TensorInfo& info = all[index];
    if (element_bytes(info.type) == 0 || (job.decode && info.type != ort::kFloat)) {
      return invalid("Output '" + info.name + "' is of type " + element_name(info.type) + ", which " +
                     (job.decode ? "the decoder cannot read" : "cannot be handed out"));
    }
  }
  return Status();
}

// Runs the network on one turn's tensors and keeps its outputs.
Status take_turn(Work& work, const std::vector<NamedTensor>& tensors, size_t items) {
  const Clock::time_point start = Clock::now();
  std::vector<OutputTensor> outputs;
  Status status = work.session.execute(work.context, tensors, work.wanted, work.token, &outputs);
  work.timings.network += since(start);
  if (!status.ok()) return status;
  work.turns.push_back(std::move(outputs));
  work.turn_items.push_back(items);
  return Status();
}

// Boxes of the turn that has just been taken. `first` is the item that it began with.
Status decode_turn(Work& work, const PixelInput* pixels, size_t first, int width, int height) {
  const Clock::time_point start = Clock::now();
  const std::vector<OutputTensor> outputs = std::move(work.turns.back());
  work.turns.pop_back();
  const size_t items = work.turn_items.back();
  std::vector<RawOutput> raw(outputs.size());
  for (size_t item = 0; item < items; ++item) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const size_t per_item = outputs[i].bytes / sizeof(float) / items;
      const std::vector<int64_t>& shape = outputs[i].shape;
      const size_t last = shape.empty() ? 1 : static_cast<size_t>(shape.back());
      raw[i] = {static_cast<const float*>(outputs[i].data) + item * per_item, per_item, last};
    }
    const size_t views = pixels != nullptr && pixels->mirror_both ? 2 : 1;
    const size_t index = (first + item) / views;
    const bool mirrored = (first + item) % views == 1;
    work.candidates->begin(pixels != nullptr ? pixels->items[index].region : Region{}, index, mirrored, width);
    if (Status s = decode_item(*work.job.decode, raw, width, height, &*work.candidates); !s.ok()) return s;
  }
  work.timings.decode += since(start);
  return Status();
}

// Writes items first … first + count of the batch to `out`.
Status sample_items(const Work& work, const PixelInput& input, size_t first, size_t count, size_t item_bytes,
                    uint8_t* out) {
  const size_t views = input.mirror_both ? 2 : 1;
  for (size_t i = 0; i < count; ++i) {
    const bool mirrored = (first + i) % views == 1;
    const PixelItem& item = input.items[(first + i) / views];
    const Status status = sample_to_tensor(input.sources[item.source], item.region, input.tensor, input.sampling,
                                           mirrored, out + i * item_bytes, work.token.get());
    if (!status.ok()) return status;
  }
  return Status();
}

Status run_pixels(Work& work, const PixelInput& input) {
  for (const ImageView& source : input.sources) {
    if (Status s = validate(source); !s.ok()) return s;
  }
  const TensorSpec& spec = input.tensor;
  PixelFit fit;
  if (Status s = fit_pixels(work.session.inputs(), spec, &fit); !s.ok()) return s;
  const size_t items = input.items.size() * (input.mirror_both ? 2 : 1);
  if (items == 0) return invalid("A run needs at least one region");
  size_t most = work.job.max_batch == 0 ? items : std::min(work.job.max_batch, items);
  if (fit.fixed_batch != 0) {
    if (items % fit.fixed_batch != 0) {
      return invalid("The network takes " + std::to_string(fit.fixed_batch) + " items at a time and the job has " +
                     std::to_string(items));
    }
    most = fit.fixed_batch;
  }

  const size_t elements = item_elements(spec);
  const size_t sample_bytes = elements * (spec.type == TensorType::kFloat32 ? sizeof(float) : 1);
  const bool widen = fit.type == ort::kInt32;  // bytes in, int32 for the network
  std::vector<NamedTensor> tensors(1);
  NamedTensor& tensor = tensors[0];
  tensor.name = work.session.inputs()[0].name;
  tensor.type = fit.type;
  for (size_t first = 0; first < items; first += most) {
    const Clock::time_point start = Clock::now();
    const size_t count = std::min(most, items - first);
    AlignedBuffer<uint8_t>& samples = widen ? work.context.pixels : work.context.input;
    tensor.bytes = count * elements * element_bytes(fit.type);
    if (!samples.reset(count * sample_bytes) || !work.context.input.reset(tensor.bytes)) {
      return Status(Code::kOutOfMemory, "No memory for an input of " + std::to_string(tensor.bytes) + " bytes");
    }
    if (Status s = sample_items(work, input, first, count, sample_bytes, samples.data()); !s.ok()) return s;
    if (widen) std::copy_n(samples.data(), count * elements, reinterpret_cast<int32_t*>(work.context.input.data()));
    tensor.data = work.context.input.data();
    tensor.shape =
        spec.layout == Layout::kNchw
            ? std::vector<int64_t>{static_cast<int64_t>(count), channels(spec.colour), spec.height, spec.width}
            : std::vector<int64_t>{static_cast<int64_t>(count), spec.height, spec.width, channels(spec.colour)};
    work.timings.prepare += since(start);
    if (Status s = take_turn(work, tensors, count); !s.ok()) return s;
    if (work.job.decode) {
      if (Status s = decode_turn(work, &input, first, spec.width, spec.height); !s.ok()) return s;
    }
  }
  return Status();
}

Status run_tensors(Work& work, const TensorInput& input) {
  std::vector<NamedTensor> tensors;
  if (Status s = order_tensors(work.session.inputs(), input.tensors, &tensors); !s.ok()) return s;
  const int64_t batch = tensors.empty() || tensors[0].shape.empty() ? 1 : tensors[0].shape[0];
  const size_t items = static_cast<size_t>(batch);
  const bool turns = work.job.max_batch != 0 && work.job.max_batch < items;
  int width = 0;
  int height = 0;
  if (work.job.decode) {
    if (Status s = image_size(tensors[0], &width, &height); !s.ok()) return s;
  }
  if (!turns) {
    if (Status s = check_shapes(work.session.inputs(), tensors); !s.ok()) return s;
    if (Status s = take_turn(work, tensors, items); !s.ok()) return s;
    return work.job.decode ? decode_turn(work, nullptr, 0, width, height) : Status();
  }
  for (const NamedTensor& tensor : tensors) {
    if (tensor.shape.empty() || tensor.shape[0] != batch) {
      return invalid("Inputs run in turns must have the same first dimension; '" + tensor.name + "' has not");
    }
  }
  for (size_t first = 0; first < items; first += work.job.max_batch) {
    const size_t count = std::min(work.job.max_batch, items - first);
    std::vector<NamedTensor> part = tensors;
    for (NamedTensor& tensor : part) {
      const size_t item_bytes = tensor.bytes / items;
      tensor.data = static_cast<const uint8_t*>(tensor.data) + first * item_bytes;
      tensor.bytes = count * item_bytes;
      tensor.shape[0] = static_cast<int64_t>(count);
    }
    if (Status s = check_shapes(work.session.inputs(), part); !s.ok()) return s;
    if (Status s = take_turn(work, part, count); !s.ok()) return s;
    if (work.job.decode) {
      if (Status s = decode_turn(work, nullptr, first, width, height); !s.ok()) return s;
    }
  }
  return Status();
}

// Output `index` of all turns as one tensor.
Status join(const Work& work, size_t index, OutputTensor* out) {
  const OutputTensor& first = work.turns[0][index];
  // Joined along the first dimension where that counts items in every turn.
  const auto counts_items = [&](size_t turn) {
    const std::vector<int64_t>& shape = work.turns[turn][index].shape;
    return !shape.empty() && shape[0] == static_cast<int64_t>(work.turn_items[turn]);
  };
  bool batched = true;
  for (size_t turn = 0; turn < work.turns.size(); ++turn) batched = batched && counts_items(turn);
  size_t items = 0;
  size_t bytes = 0;
  for (size_t turn = 0; turn < work.turns.size(); ++turn) {
    const OutputTensor& part = work.turns[turn][index];
    std::vector<int64_t> shape = part.shape;
    if (batched && shape.size() == first.shape.size()) shape[0] = first.shape[0];
    if (shape != first.shape) {
      return Status(Code::kInferenceFailed, "Output '" + first.name + "' changes its shape between turns");
    }
    items += work.turn_items[turn];
    bytes += part.bytes;
  }
  auto memory = std::make_shared<AlignedBuffer<uint8_t>>();
  if (!memory->reset(bytes)) return Status(Code::kOutOfMemory, "No memory for output '" + first.name + "'");
  size_t offset = 0;
  for (const auto& turn : work.turns) {
    if (turn[index].bytes != 0) std::memcpy(memory->data() + offset, turn[index].data, turn[index].bytes);
    offset += turn[index].bytes;
  }
  out->name = first.name;
  out->type = first.type;
  out->shape = first.shape;
  if (batched) {
    out->shape[0] = static_cast<int64_t>(items);
  } else {
    out->shape.insert(out->shape.begin(), static_cast<int64_t>(work.turns.size()));
  }
  out->data = memory->data();
  out->bytes = bytes;
  out->owner = std::move(memory);
  return Status();
}

}  // namespace

Status run_network(Session& session, const NetworkJob& job, const CancelTokenPtr& token, NetworkResult* result) {
  std::vector<size_t> wanted;
  if (Status s = find_outputs(session, job, &wanted); !s.ok()) return s;
  Result<std::unique_ptr<RunContext>> context = session.borrow();
  if (!context.ok()) return context.status();
  const Lease lease(session, std::move(context.value()));
  Work work{session, job, token, *lease, std::move(wanted), {}, {}, std::nullopt, {}};
  if (job.decode) work.candidates.emplace(job.decode->keypoints);

  const auto* pixels = std::get_if<PixelInput>(&job.input);
  Status status = pixels != nullptr ? run_pixels(work, *pixels) : run_tensors(work, std::get<TensorInput>(job.input));
  if (!status.ok()) return status;

  if (job.decode) {
    const Clock::time_point start = Clock::now();
    Detections detections;
    status =
        suppress(*work.candidates, job.decode->iou, job.decode->contained, job.decode->max, token.get(), &detections);
    if (!status.ok()) return status;
    work.timings.decode += since(start);
    result->detections = std::move(detections);
  } else if (work.turns.size() == 1) {
    result->outputs = std::move(work.turns[0]);
  } else {
    result->outputs.resize(work.wanted.size());
    for (size_t i = 0; i < work.wanted.size(); ++i) {
      if (Status s = join(work, i, &result->outputs[i]); !s.ok()) return s;
    }
  }
  result->timings = work.timings;
  return Status();
}

}  // namespace lineament
