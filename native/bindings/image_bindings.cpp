// convert, warp, toTensor, statistics.
#include <limits>
#include <utility>

#include "bindings/buffers.h"
#include "bindings/environment.h"
#include "bindings/exports.h"
#include "bindings/values.h"
#include "image/convert.h"
#include "image/sample.h"
#include "image/statistics.h"

namespace lineament::bindings {
namespace {

// The most bytes one result may have.
constexpr size_t kMostBytes = size_t{1} << 31;

Status too_large() { return Status(Code::kInvalidArgument, "The result would be larger than 2 GiB"); }
Status no_memory() { return Status(Code::kOutOfMemory, "Out of memory for the result"); }

class ConvertJob final : public Job {
 public:
  ConvertJob(const ImageView& image, PixelFormat format) : image_(image), format_(format) {
    const size_t channels = format == PixelFormat::kGray                                 ? 1
                            : format == PixelFormat::kRgb || format == PixelFormat::kBgr ? 3
                                                                                         : 4;
    size_ = static_cast<size_t>(image.width) * static_cast<size_t>(image.height) * channels;
  }

  Status run(const CancelTokenPtr& token) override {
    if (size_ > kMostBytes) return too_large();
    out_ = allocate<uint8_t>(size_);
    if (!out_) return no_memory();
    return convert(image_, format_, out_.get(), token.get());
  }

  Napi::Value resolve(Napi::Env env) override {
    return Napi::Uint8Array::New(env, size_, give(env, std::move(out_), size_), 0);
  }

 private:
  ImageView image_;
  PixelFormat format_;
  size_t size_ = 0;
  std::unique_ptr<uint8_t[]> out_;
};

class TensorJob final : public Job {
 public:
  TensorJob(const ImageView& image, std::vector<Region> wanted, const TensorSpec& spec, const Sampling& how)
      : image_(image), regions_(std::move(wanted)), spec_(spec), sampling_(how) {}

  Status run(const CancelTokenPtr& token) override {
    const size_t item = item_elements(spec_);
    const size_t element = spec_.type == TensorType::kFloat32 ? sizeof(float) : 1;
    if (regions_.size() > kMostBytes / element / item) return too_large();
    size_ = item * regions_.size();
    if (spec_.type == TensorType::kFloat32) {
      floats_ = allocate<float>(size_);
      return floats_ ? fill(floats_.get(), item, token) : no_memory();
    }
    bytes_ = allocate<uint8_t>(size_);
    return bytes_ ? fill(bytes_.get(), item, token) : no_memory();
  }

  Napi::Value resolve(Napi::Env env) override {
    if (floats_) return Napi::Float32Array::New(env, size_, give(env, std::move(floats_), size_), 0);
    return Napi::Uint8Array::New(env, size_, give(env, std::move(bytes_), size_), 0);
  }

 private:
  template <typename T>
  Status fill(T* out, size_t item, const CancelTokenPtr& token) {
    for (size_t i = 0; i < regions_.size(); ++i) {
      Status status = sample_to_tensor(image_, regions_[i], spec_, sampling_, false, out + i * item, token.get());
      if (!status.ok()) return status;
    }
    return Status();
  }

  ImageView image_;
  std::vector<Region> regions_;
  TensorSpec spec_;
  Sampling sampling_;
  size_t size_ = 0;
  std::unique_ptr<float[]> floats_;
  std::unique_ptr<uint8_t[]> bytes_;
};

class StatisticsJob final : public Job {
 public:
  StatisticsJob(const ImageView& image, std::vector<double> boxes) : image_(image), boxes_(std::move(boxes)) {}

  Status run(const CancelTokenPtr& token) override {
    for (size_t i = 0; i < boxes_.size(); i += 4) {
      Statistics one{};
      Status status = statistics(image_, boxes_[i], boxes_[i + 1], boxes_[i + 2], boxes_[i + 3], &one, token.get());
      if (!status.ok()) return status;
      numbers_.insert(numbers_.end(),
                      {one.laplacian_variance, one.mean, one.contrast, one.underexposed, one.overexposed});
    }
    return Status();
  }

  Napi::Value resolve(Napi::Env env) override {
    Napi::Float64Array out = Napi::Float64Array::New(env, numbers_.size());
    std::copy(numbers_.begin(), numbers_.end(), out.Data());
    return out;
  }

 private:
  ImageView image_;
  std::vector<double> boxes_;
  std::vector<double> numbers_;
};

// The source object and its bytes stay alive until the promise settles.
template <typename T>
std::unique_ptr<Job> keeping(std::unique_ptr<T> job, const Napi::Value& source) {
  job->keep(source);
  job->keep(source.As<Napi::Object>().Get("data"));
  return job;
}

Napi::Value convert_image(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const ImageView image = image_view(info[1]);
  const PixelFormat format = pixel_format(env, info[2].ToString().Utf8Value());
  return Environment::of(env).launch(executor, token_or_null(info[3]),
                                     keeping(std::make_unique<ConvertJob>(image, format), info[1]));
}

Napi::Value warp_image(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const ImageView image = image_view(info[1]);
  std::vector<Region> wanted = regions(info[2]);
  if (!info[3].IsObject()) throw_invalid(env, "Expected an object for size");
  const auto size = info[3].As<Napi::Object>();
  TensorSpec spec;
  spec.width = int_at(size, "width");
  spec.height = int_at(size, "height");
  if (spec.width < 1 || spec.height < 1 || spec.width > kMostTensorSide || spec.height > kMostTensorSide) {
    throw_invalid(env, "Expected a chip size between 1 and 16384");
  }
  spec.colour = colour(env, string_at(size, "colour"));
  spec.layout = Layout::kNhwc;
  spec.type = TensorType::kUint8;
  auto job = std::make_unique<TensorJob>(image, std::move(wanted), spec, sampling(info[4]));
  return Environment::of(env).launch(executor, token_or_null(info[5]), keeping(std::move(job), info[1]));
}

Napi::Value to_tensor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const ImageView image = image_view(info[1]);
  auto job = std::make_unique<TensorJob>(image, regions(info[2]), tensor_spec(info[3]), sampling(info[4]));
  return Environment::of(env).launch(executor, token_or_null(info[5]), keeping(std::move(job), info[1]));
}

Napi::Value image_statistics(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  const ImageView image = image_view(info[1]);
  auto job = std::make_unique<StatisticsJob>(image, numbers_of(info[2], 4, "boxes"));
  return Environment::of(env).launch(executor, token_or_null(info[3]), keeping(std::move(job), info[1]));
}

Napi::Value release(const Napi::CallbackInfo& info) {
  bytes_of(info[0], "bytes");
  release_bytes(info[0].As<Napi::Uint8Array>());
  return info.Env().Undefined();
}

}  // namespace

void export_image(Napi::Object exports) {
  set_method(exports, "convert", convert_image);
  set_method(exports, "warp", warp_image);
  set_method(exports, "toTensor", to_tensor);
  set_method(exports, "statistics", image_statistics);
  set_method(exports, "releaseBytes", release);
}

}  // namespace lineament::bindings
