#include "bindings/job_values.h"

#include <cmath>
#include <cstring>
#include <string>
#include <utility>

#include "bindings/values.h"

namespace lineament::bindings {

namespace {

// Bounds that keep sizes far from overflow; real networks stay far below.
constexpr int kMostKeypoints = 1024;
constexpr int kMostAnchors = 64;
constexpr int kMostStride = 1 << 16;
constexpr uint32_t kMostRank = 8;

Napi::Object object_at(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsObject()) throw_invalid(object.Env(), std::string("Expected an object for ") + key);
  return value.As<Napi::Object>();
}

Napi::Array array_at(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsArray()) throw_invalid(object.Env(), std::string("Expected an array for ") + key);
  return value.As<Napi::Array>();
}

double share_at(const Napi::Object& object, const char* key) {
  const double number = number_at(object, key);
  if (number < 0 || number > 1) throw_invalid(object.Env(), std::string("Expected 0 to 1 for ") + key);
  return number;
}

int bounded(const Napi::Value& value, int least, int most, const char* what) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(number >= least && number <= most) || number != std::floor(number)) {
    throw_invalid(value.Env(), std::string("Expected a whole number from ") + std::to_string(least) + " to " +
                                   std::to_string(most) + " for " + what);
  }
  return static_cast<int>(number);
}

Decoder decoder(const Napi::Object& object) {
  const Napi::Env env = object.Env();
  Decoder out;
  const std::string kind = string_at(object, "kind");
  out.min_score = static_cast<float>(share_at(object, "minScore"));
  out.iou = static_cast<float>(share_at(object, "iou"));
  if (!object.Get("contained").IsUndefined()) out.contained = static_cast<float>(share_at(object, "contained"));
  out.max = static_cast<size_t>(bounded(object.Get("max"), 1, 1 << 20, "max"));
  if (kind == "ssd") {
    out.kind = Decoder::Kind::kSsd;
  } else if (kind == "tiny") {
    out.kind = Decoder::Kind::kTiny;
  } else if (kind == "scrfd") {
    out.kind = Decoder::Kind::kScrfd;
    out.keypoints = bounded(object.Get("keypoints"), 0, kMostKeypoints, "keypoints");
  } else if (kind == "blaze") {
    out.kind = Decoder::Kind::kBlaze;
    out.keypoints = bounded(object.Get("keypoints"), 0, kMostKeypoints, "keypoints");
    const Napi::Value logits = object.Get("logits");
    if (!logits.IsBoolean()) throw_invalid(env, "Expected a boolean for logits");
    out.logits = logits.As<Napi::Boolean>().Value();
    const Napi::Array strides = array_at(object, "strides");
    for (uint32_t i = 0; i < strides.Length(); ++i) {
      const Napi::Value pair = strides.Get(i);
      if (!pair.IsArray()) throw_invalid(env, "Expected pairs for strides");
      const auto level = pair.As<Napi::Array>();
      out.strides.push_back(
          {bounded(level.Get(0u), 1, kMostStride, "stride"), bounded(level.Get(1u), 1, kMostAnchors, "anchors")});
    }
    if (out.strides.empty()) throw_invalid(env, "Expected at least one stride");
  } else {
    throw_invalid(env, "Unknown decoder " + kind);
  }
  return out;
}

// A source and its regions.
void add_picture(const Napi::Object& object, Job& keeper, PixelInput* out) {
  const Napi::Object source = object_at(object, "source");
  out->sources.push_back(image_view(source));
  keeper.keep(source.Get("data"));
  for (const Region& region : regions(object.Get("regions"))) out->items.push_back({out->sources.size() - 1, region});
}

PixelInput pixel_input(const Napi::Object& object, Job& keeper) {
  PixelInput out;
  add_picture(object, keeper, &out);
  if (!object.Get("more").IsUndefined()) {
    const Napi::Array more = array_at(object, "more");
    for (uint32_t i = 0; i < more.Length(); ++i) {
      const Napi::Value picture = more.Get(i);
      if (!picture.IsObject()) throw_invalid(object.Env(), "Expected objects for more");
      add_picture(picture.As<Napi::Object>(), keeper, &out);
    }
  }
  out.tensor = tensor_spec(object.Get("tensor"));
  out.sampling = sampling(object.Get("sampling"));
  const Napi::Value mirror = object.Get("mirror");
  if (!mirror.IsUndefined()) {
    const std::string name = mirror.ToString().Utf8Value();
    if (name != "none" && name != "both") throw_invalid(object.Env(), "Unknown mirror " + name);
    out.mirror_both = name == "both";
  }
  return out;
}

NamedTensor named_tensor(const std::string& name, const Napi::Object& object, Job& keeper) {
  const Napi::Env env = object.Env();
  NamedTensor out;
  out.name = name;
  const Napi::Value data = object.Get("data");
  const auto wrong = [&] {
    throw_invalid(env, "Expected a Float32Array, Uint8Array or Int32Array for input '" + name + "'");
  };
  if (!data.IsTypedArray()) wrong();
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;
  void* memory = nullptr;
  napi_value buffer = nullptr;
  size_t offset = 0;
  if (napi_get_typedarray_info(env, data, &type, &length, &memory, &buffer, &offset) != napi_ok) wrong();
  switch (type) {
    case napi_float32_array:
      out.type = ort::kFloat;
      break;
    case napi_uint8_array:
      out.type = ort::kUint8;
      break;
    case napi_int32_array:
      out.type = ort::kInt32;
      break;
    default:
      wrong();
  }
  bool detached = false;
  if (napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && detached) {
    throw_invalid(env, "The buffer of input '" + name + "' is detached");
  }
  out.data = memory;
  out.bytes = length * element_bytes(out.type);
  const Napi::Array shape = array_at(object, "shape");
  if (shape.Length() > kMostRank) throw_invalid(env, "Expected at most 8 dimensions for input '" + name + "'");
  for (uint32_t i = 0; i < shape.Length(); ++i) out.shape.push_back(bounded(shape.Get(i), 0, 1 << 30, "a dimension"));
  keeper.keep(data);
  return out;
}

TensorInput tensor_input(const Napi::Object& object, Job& keeper) {
  TensorInput out;
  const Napi::Object tensors = object_at(object, "tensors");
  const Napi::Array names = tensors.GetPropertyNames();
  for (uint32_t i = 0; i < names.Length(); ++i) {
    const std::string name = names.Get(i).ToString().Utf8Value();
    out.tensors.push_back(named_tensor(name, object_at(tensors, name.c_str()), keeper));
  }
  return out;
}

std::vector<std::string> strings_at(const Napi::Object& object, const char* key) {
  const Napi::Array array = array_at(object, key);
  std::vector<std::string> out;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    const Napi::Value value = array.Get(i);
    if (!value.IsString()) throw_invalid(object.Env(), std::string("Expected strings for ") + key);
    out.push_back(value.As<Napi::String>().Utf8Value());
  }
  return out;
}

Napi::Value typed_array(Napi::Env env, const OutputTensor& tensor) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, tensor.bytes);
  if (tensor.bytes != 0) std::memcpy(buffer.Data(), tensor.data, tensor.bytes);
  const size_t elements = tensor.bytes / element_bytes(tensor.type);
  switch (tensor.type) {
    case ort::kFloat:
      return Napi::Float32Array::New(env, elements, buffer, 0);
    case ort::kInt32:
      return Napi::Int32Array::New(env, elements, buffer, 0);
    case ort::kInt64:
      return Napi::BigInt64Array::New(env, elements, buffer, 0);
    default:
      return Napi::Uint8Array::New(env, elements, buffer, 0);
  }
}

}  // namespace

NetworkJob network_job(const Napi::Value& value, Job& keeper) {
  const Napi::Env env = value.Env();
  if (!value.IsObject()) throw_invalid(env, "Expected an object for job");
  const auto object = value.As<Napi::Object>();
  NetworkJob job;
  const Napi::Object input = object_at(object, "input");
  if (input.Has("source")) {
    job.input = pixel_input(input, keeper);
  } else {
    job.input = tensor_input(input, keeper);
  }
  if (!object.Get("decode").IsUndefined()) job.decode = decoder(object_at(object, "decode"));
  if (!object.Get("outputs").IsUndefined()) job.outputs = strings_at(object, "outputs");
  if (const Napi::Value most = object.Get("maxBatch"); !most.IsUndefined()) {
    job.max_batch = static_cast<size_t>(bounded(most, 1, 1 << 20, "maxBatch"));
  }
  return job;
}

SessionOptions session_options(const Napi::Value& value) {
  if (!value.IsObject()) throw_invalid(value.Env(), "Expected an object for options");
  const auto object = value.As<Napi::Object>();
  SessionOptions options;
  options.threads = bounded(object.Get("threads"), 1, 256, "threads");
  options.providers = strings_at(object, "providers");
  return options;
}

Napi::Object network_result(Napi::Env env, const NetworkResult& result, double queue) {
  Napi::Object out = Napi::Object::New(env);
  if (result.detections) {
    const Detections& found = *result.detections;
    Napi::Object detections = Napi::Object::New(env);
    Napi::Float32Array data = Napi::Float32Array::New(env, found.data.size());
    if (!found.data.empty()) std::memcpy(data.Data(), found.data.data(), found.data.size() * sizeof(float));
    detections.Set("count", static_cast<double>(found.count));
    detections.Set("stride", static_cast<double>(found.stride));
    detections.Set("data", data);
    out.Set("detections", detections);
  } else {
    const Napi::Array outputs = Napi::Array::New(env, result.outputs.size());
    for (uint32_t i = 0; i < result.outputs.size(); ++i) {
      const OutputTensor& tensor = result.outputs[i];
      const Napi::Array shape = Napi::Array::New(env, tensor.shape.size());
      for (uint32_t d = 0; d < tensor.shape.size(); ++d) shape.Set(d, static_cast<double>(tensor.shape[d]));
      Napi::Object entry = Napi::Object::New(env);
      entry.Set("name", tensor.name);
      entry.Set("shape", shape);
      entry.Set("data", typed_array(env, tensor));
      outputs.Set(i, entry);
    }
    out.Set("outputs", outputs);
  }
  Napi::Object timings = Napi::Object::New(env);
  timings.Set("queue", queue);
  timings.Set("prepare", result.timings.prepare);
  timings.Set("network", result.timings.network);
  timings.Set("decode", result.timings.decode);
  out.Set("timings", timings);
  return out;
}

}  // namespace lineament::bindings
