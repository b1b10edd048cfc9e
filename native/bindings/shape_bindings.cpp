#include "bindings/shape_bindings.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "bindings/buffers.h"
#include "bindings/environment.h"
#include "bindings/exports.h"
#include "bindings/values.h"
#include "core/spread.h"

namespace lineament::bindings {
namespace {

using PredictorPtr = std::shared_ptr<const ShapePredictor>;

// The most bytes one result may have.
constexpr size_t kMostBytes = size_t{1} << 31;

class PredictJob final : public Job {
 public:
  PredictJob(PredictorPtr predictor, std::shared_ptr<Executor> executor, const ImageView& image,
             std::vector<double> boxes)
      : predictor_(std::move(predictor)), executor_(std::move(executor)), image_(image), boxes_(std::move(boxes)) {}

  Status run(const CancelTokenPtr& token) override {
    const size_t count = boxes_.size() / 4, values = predictor_->model().values();
    if (count > kMostBytes / sizeof(double) / values) {
      return Status(Code::kInvalidArgument, "The result would be larger than 2 GiB");
    }
    size_ = count * values;
    points_ = allocate<double>(size_);
    if (!points_) return Status(Code::kOutOfMemory, "Out of memory for the result");
    const size_t parts = std::min(count, executor_->threads());
    return spread(*executor_, parts, [&](size_t part) {
      const size_t begin = count * part / parts, end = count * (part + 1) / parts;
      return predictor_->predict(image_, boxes_.data() + 4 * begin, end - begin, points_.get() + begin * values,
                                 ShapeGrey::kLuma, token.get());
    });
  }

  Napi::Value resolve(Napi::Env env) override {
    return Napi::Float64Array::New(env, size_, give(env, std::move(points_), size_), 0);
  }

 private:
  PredictorPtr predictor_;
  std::shared_ptr<Executor> executor_;
  ImageView image_;
  std::vector<double> boxes_;
  size_t size_ = 0;
  std::unique_ptr<double[]> points_;
};

class SaveJob final : public Job {
 public:
  SaveJob(PredictorPtr predictor, std::string path, ShapeFormat format)
      : predictor_(std::move(predictor)), path_(std::move(path)), format_(format) {}

  Status run(const CancelTokenPtr& token) override { return predictor_->save(path_, format_, token.get()); }
  Napi::Value resolve(Napi::Env env) override { return env.Undefined(); }

 private:
  PredictorPtr predictor_;
  std::string path_;
  ShapeFormat format_;
};

class OpenJob final : public Job {
 public:
  explicit OpenJob(std::string path) : path_(std::move(path)) {}

  Status run(const CancelTokenPtr& token) override {
    Result<PredictorPtr> opened = ShapePredictor::open(path_, token.get());
    if (!opened.ok()) return opened.status();
    predictor_ = std::move(opened.value());
    return Status();
  }
  Napi::Value resolve(Napi::Env env) override { return wrap_shape_model(env, std::move(predictor_)); }

 private:
  std::string path_;
  PredictorPtr predictor_;
};

// What the methods of one object share; only the environment's thread touches it. Null once closed; jobs keep their
// own.
struct Shared {
  PredictorPtr predictor;
};

// The predictor, or a rejected promise where it is closed.
bool opened(Napi::Env env, const Shared& shared, Napi::Value* rejected) {
  if (shared.predictor) return true;
  const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(env);
  deferred.Reject(to_error(env, Status(Code::kClosed, "The shape model is closed")).Value());
  *rejected = deferred.Promise();
  return false;
}

std::string path_of(const Napi::Value& value) {
  if (!value.IsString()) throw_invalid(value.Env(), "Expected a string for path");
  std::string path = value.As<Napi::String>().Utf8Value();
  if (path.empty() || path.find('\0') != std::string::npos) {
    throw_invalid(value.Env(), "Expected a path without null characters");
  }
  return path;
}

Napi::Value predict(const Napi::CallbackInfo& info, const Shared& shared) {
  const Napi::Env env = info.Env();
  Napi::Value closed;
  if (!opened(env, shared, &closed)) return closed;
  const auto executor = ExecutorHandle::get(info[0]);
  const ImageView image = image_view(info[1]);
  std::vector<double> boxes;
  const bool none = info[2].IsTypedArray() && info[2].As<Napi::TypedArray>().ElementLength() == 0;
  if (!none) boxes = numbers_of(info[2], 4, "boxes");
  CancelTokenPtr token = token_or_null(info[3]);
  auto job = std::make_unique<PredictJob>(shared.predictor, executor, image, std::move(boxes));
  job->keep(info[1]);
  job->keep(info[1].As<Napi::Object>().Get("data"));
  return Environment::of(env).launch(executor, std::move(token), std::move(job));
}

Napi::Value save(const Napi::CallbackInfo& info, const Shared& shared) {
  const Napi::Env env = info.Env();
  Napi::Value closed;
  if (!opened(env, shared, &closed)) return closed;
  const auto executor = ExecutorHandle::get(info[0]);
  std::string path = path_of(info[1]);
  const std::string format = info[2].ToString().Utf8Value();
  if (format != "dlib" && format != "compact") throw_invalid(env, "Unknown shape model format " + format);
  CancelTokenPtr token = token_or_null(info[3]);
  auto job = std::make_unique<SaveJob>(shared.predictor, std::move(path),
                                       format == "dlib" ? ShapeFormat::kDlib : ShapeFormat::kCompact);
  return Environment::of(env).launch(executor, std::move(token), std::move(job));
}

Napi::Value open_shape_model(const Napi::CallbackInfo& info) {
  const auto executor = ExecutorHandle::get(info[0]);
  auto job = std::make_unique<OpenJob>(path_of(info[1]));
  return Environment::of(info.Env()).launch(executor, token_or_null(info[2]), std::move(job));
}

const char* name_of(ShapeFormat format) {
  switch (format) {
    case ShapeFormat::kDlib:
      return "dlib";
    case ShapeFormat::kCompact:
      return "compact";
    case ShapeFormat::kMemory:
      break;
  }
  return "memory";
}

}  // namespace

Napi::Object wrap_shape_model(Napi::Env env, PredictorPtr predictor) {
  Napi::Object out = Napi::Object::New(env);
  const ShapeModel& model = predictor->model();
  out.Set("points", model.points);
  out.Set("cascades", model.cascades);
  out.Set("trees", model.trees);
  out.Set("depth", model.depth);
  out.Set("features", model.features);
  out.Set("format", name_of(predictor->format()));
  out.Set("bytes", static_cast<double>(predictor->bytes()));
  out.Set("leafError", predictor->leaf_error());
  const auto shared = std::make_shared<Shared>();
  shared->predictor = std::move(predictor);
  set_method(out, "predict", [shared](const Napi::CallbackInfo& info) { return predict(info, *shared); });
  set_method(out, "save", [shared](const Napi::CallbackInfo& info) { return save(info, *shared); });
  set_method(out, "close", [shared](const Napi::CallbackInfo& info) -> Napi::Value {
    // Freeing many megabytes takes milliseconds: not on this thread.
    return Environment::of(info.Env()).launch_waiter([last = std::move(shared->predictor)]() mutable { last.reset(); });
  });
  return out;
}

void export_shapes(Napi::Object exports) { set_method(exports, "openShapeModel", open_shape_model); }

}  // namespace lineament::bindings
