#include "bindings/values.h"

#include <cmath>
#include <limits>

#include "bindings/environment.h"
#include "image/sample.h"

namespace lineament::bindings {

void throw_invalid(Napi::Env env, const std::string& message) {
  throw to_error(env, Status(Code::kInvalidArgument, message));
}

CancelTokenPtr token_or_null(const Napi::Value& value) {
  if (value.IsEmpty() || value.IsUndefined() || value.IsNull()) return nullptr;
  return TokenHandle::get(value);
}

Napi::Value create_token(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto token = std::make_shared<CancelToken>();
  Napi::Object out = Napi::Object::New(env);
  TokenHandle::attach(out, token);
  set_method(out, "cancel", [token](const Napi::CallbackInfo& call) {
    token->cancel();
    return call.Env().Undefined();
  });
  set_getter(out, "cancelled",
             [token](const Napi::CallbackInfo& call) { return Napi::Boolean::New(call.Env(), token->cancelled()); });
  return out;
}

Napi::Value create_executor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const double threads = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  if (!(threads >= 1 && threads <= 256)) throw_invalid(env, "Expected 1 to 256 threads");
  const auto executor = std::make_shared<Executor>(static_cast<size_t>(threads));
  Napi::Object out = Napi::Object::New(env);
  ExecutorHandle::attach(out, executor);
  out.Set("threads", Napi::Number::New(env, static_cast<double>(executor->threads())));
  set_getter(out, "pending", [executor](const Napi::CallbackInfo& call) {
    return Napi::Number::New(call.Env(), static_cast<double>(executor->pending()));
  });
  set_method(out, "close", [executor](const Napi::CallbackInfo& call) -> Napi::Value {
    return Environment::of(call.Env()).launch_waiter([executor] { executor->shutdown(); });
  });
  return out;
}

Napi::Object object_in(const Napi::Value& value, const char* what) {
  if (!value.IsObject()) throw_invalid(value.Env(), std::string("Expected an object for ") + what);
  return value.As<Napi::Object>();
}

bool flag_at(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsBoolean()) throw_invalid(object.Env(), std::string("Expected a boolean for ") + key);
  return value.As<Napi::Boolean>().Value();
}

double number_at(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsNumber()) throw_invalid(object.Env(), std::string("Expected a number for ") + key);
  const double number = value.As<Napi::Number>().DoubleValue();
  if (!std::isfinite(number)) throw_invalid(object.Env(), std::string("Expected a finite number for ") + key);
  return number;
}

int int_at(const Napi::Object& object, const char* key) {
  const double number = number_at(object, key);
  if (number != std::floor(number) || std::abs(number) > std::numeric_limits<int>::max()) {
    throw_invalid(object.Env(), std::string("Expected a whole number for ") + key);
  }
  return static_cast<int>(number);
}

std::string string_at(const Napi::Object& object, const char* key) {
  const Napi::Value value = object.Get(key);
  if (!value.IsString()) throw_invalid(object.Env(), std::string("Expected a string for ") + key);
  return value.As<Napi::String>().Utf8Value();
}

Bytes bytes_of(const Napi::Value& value, const char* what) {
  const Napi::Env env = value.Env();
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw_invalid(env, std::string("Expected a Uint8Array for ") + what);
  }
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  napi_value buffer = nullptr;
  size_t offset = 0;
  if (napi_get_typedarray_info(env, value, &type, &length, &data, &buffer, &offset) != napi_ok) {
    throw_invalid(env, std::string("Cannot read the memory of ") + what);
  }
  bool detached = false;
  if (napi_is_detached_arraybuffer(env, buffer, &detached) == napi_ok && detached) {
    throw_invalid(env, std::string("The buffer of ") + what + " is detached");
  }
  return {static_cast<const uint8_t*>(data), length};
}

void release_bytes(const Napi::Uint8Array& bytes) {
  Napi::ArrayBuffer buffer = bytes.ArrayBuffer();
  if (bytes.ByteLength() == buffer.ByteLength()) (void)napi_detach_arraybuffer(bytes.Env(), buffer);
}

std::vector<double> numbers_of(const Napi::Value& value, size_t per, const char* what) {
  const Napi::Env env = value.Env();
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_float64_array) {
    throw_invalid(env, std::string("Expected a Float64Array for ") + what);
  }
  const auto array = value.As<Napi::Float64Array>();
  const size_t count = array.ElementLength();
  if (count == 0 || count % per != 0) {
    throw_invalid(env, std::string("Expected a positive multiple of ") + std::to_string(per) + " numbers for " + what +
                           " but received " + std::to_string(count));
  }
  std::vector<double> numbers(array.Data(), array.Data() + count);
  for (const double number : numbers) {
    if (!std::isfinite(number)) throw_invalid(env, std::string("Expected finite numbers for ") + what);
  }
  return numbers;
}

PixelFormat pixel_format(Napi::Env env, const std::string& name) {
  if (name == "rgb") return PixelFormat::kRgb;
  if (name == "bgr") return PixelFormat::kBgr;
  if (name == "rgba") return PixelFormat::kRgba;
  if (name == "bgra") return PixelFormat::kBgra;
  if (name == "gray") return PixelFormat::kGray;
  if (name == "yuyv") return PixelFormat::kYuyv;
  if (name == "nv12") return PixelFormat::kNv12;
  if (name == "i420") return PixelFormat::kI420;
  throw_invalid(env, "Unknown pixel format " + name);
}

Colour colour(Napi::Env env, const std::string& name) {
  if (name == "rgb") return Colour::kRgb;
  if (name == "bgr") return Colour::kBgr;
  if (name == "gray") return Colour::kGray;
  throw_invalid(env, "Unknown colour order " + name);
}

namespace {

// Bytes of a tight row; the luma row for planar formats.
size_t row_bytes(PixelFormat format, size_t width) {
  switch (format) {
    case PixelFormat::kRgb:
    case PixelFormat::kBgr:
      return width * 3;
    case PixelFormat::kRgba:
    case PixelFormat::kBgra:
      return width * 4;
    case PixelFormat::kYuyv:
      return (width + 1) / 2 * 4;
    case PixelFormat::kGray:
    case PixelFormat::kNv12:
    case PixelFormat::kI420:
      return width;
  }
  return 0;
}

Napi::Object object_of(const Napi::Value& value, const char* what) {
  if (!value.IsObject()) throw_invalid(value.Env(), std::string("Expected an object for ") + what);
  return value.As<Napi::Object>();
}

}  // namespace

ImageView image_view(const Napi::Value& value) {
  const Napi::Object object = object_of(value, "source");
  const Napi::Env env = object.Env();
  const Bytes bytes = bytes_of(object.Get("data"), "data");
  ImageView view;
  view.data = bytes.data;
  view.size = bytes.size;
  view.width = int_at(object, "width");
  view.height = int_at(object, "height");
  view.format = pixel_format(env, string_at(object, "format"));
  if (view.width < 1 || view.height < 1) throw_invalid(env, "Expected a positive width and height");
  const size_t tight = row_bytes(view.format, static_cast<size_t>(view.width));
  const Napi::Value stride = object.Get("stride");
  if (stride.IsUndefined()) {
    view.stride = tight;
  } else {
    const int given = int_at(object, "stride");
    if (given < 0) throw_invalid(env, "Expected a positive stride");
    view.stride = static_cast<size_t>(given);
  }
  const Status status = validate(view);
  if (!status.ok()) throw to_error(env, status);
  return view;
}

std::vector<Region> regions(const Napi::Value& value) {
  const std::vector<double> numbers = numbers_of(value, 6, "regions");
  std::vector<Region> out;
  out.reserve(numbers.size() / 6);
  for (size_t i = 0; i < numbers.size(); i += 6) {
    out.push_back({numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3], numbers[i + 4], numbers[i + 5]});
  }
  return out;
}

Sampling sampling(const Napi::Value& value) {
  const Napi::Object object = object_of(value, "sampling");
  const std::string filter = string_at(object, "filter");
  const std::string border = string_at(object, "border");
  if (filter != "area" && filter != "bilinear") throw_invalid(object.Env(), "Unknown filter " + filter);
  if (border != "zero" && border != "replicate") throw_invalid(object.Env(), "Unknown border " + border);
  return {filter == "area" ? Filter::kArea : Filter::kBilinear, border == "zero" ? Border::kZero : Border::kReplicate};
}

TensorSpec tensor_spec(const Napi::Value& value) {
  const Napi::Object object = object_of(value, "tensor");
  const Napi::Env env = object.Env();
  TensorSpec spec;
  spec.width = int_at(object, "width");
  spec.height = int_at(object, "height");

  if (spec.width < 1 || spec.height < 1 || spec.width > kMostTensorSide || spec.height > kMostTensorSide) {
    throw_invalid(env, "Expected a tensor size between 1 and 16384");
  }
  spec.colour = colour(env, string_at(object, "colour"));
  const std::string layout = string_at(object, "layout");
  const std::string type = string_at(object, "type");
  if (layout != "nchw" && layout != "nhwc") throw_invalid(env, "Unknown layout " + layout);
  if (type != "float32" && type != "uint8") throw_invalid(env, "Unknown tensor type " + type);
  spec.layout = layout == "nchw" ? Layout::kNchw : Layout::kNhwc;
  spec.type = type == "float32" ? TensorType::kFloat32 : TensorType::kUint8;
  const Napi::Object scale = object_of(object.Get("scale"), "scale");
  const Napi::Object offset = object_of(object.Get("offset"), "offset");
  for (uint32_t c = 0; c < 3; ++c) {
    const std::string key = std::to_string(c);
    spec.scale[c] = static_cast<float>(number_at(scale, key.c_str()));
    spec.offset[c] = static_cast<float>(number_at(offset, key.c_str()));
  }
  return spec;
}

}  // namespace lineament::bindings
