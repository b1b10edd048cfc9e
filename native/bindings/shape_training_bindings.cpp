#include "bindings/shape_training_bindings.h"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "bindings/environment.h"
#include "bindings/shape_bindings.h"
#include "bindings/values.h"
#include "landmarks/train.h"

namespace lineament::bindings {
namespace {

// Carries reports from the training thread to a JavaScript function, in order. Where JavaScript is too slow for them
// the newest takes the place of the one before it, so that the first and the last always arrive: flush() delivers what
// is still on its way, and after the channel is gone none is delivered. A function that throws stops the training.
//
// A thread-safe function must not be called after its environment began to end. Its own clean-up is registered when it
// is made, and such hooks run last in, first out: the hook below, which is registered after it, runs before it.
class ReportChannel {
 public:
  ReportChannel(Napi::Env env, const Napi::Function& report, CancelTokenPtr token)
      : env_(env), mail_(std::make_shared<Mail>(std::move(token))) {
    const napi_value name = Napi::String::New(env, "lineament training");
    const napi_status status = napi_create_threadsafe_function(env, report, nullptr, name, 0, 1, nullptr, nullptr,
                                                               nullptr, &ReportChannel::deliver, &to_js_);
    if (status != napi_ok) throw Napi::Error::New(env, "Cannot create the thread-safe function");
    napi_unref_threadsafe_function(env, to_js_);
    napi_add_env_cleanup_hook(env, &ReportChannel::clean_up, this);
  }

  // On the environment's thread.
  ~ReportChannel() {
    mail_->take();
    if (ended_) return;
    napi_remove_env_cleanup_hook(env_, &ReportChannel::clean_up, this);
    napi_release_threadsafe_function(to_js_, napi_tsfn_release);
  }
  ReportChannel(const ReportChannel&) = delete;
  ReportChannel& operator=(const ReportChannel&) = delete;

  // Any thread.
  void send(const ShapeTrainingProgress& progress) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (ended_ || !mail_->put(progress)) return;
    auto* carried = new std::shared_ptr<Mail>(mail_);
    if (napi_call_threadsafe_function(to_js_, carried, napi_tsfn_nonblocking) != napi_ok) delete carried;
  }

  // Calls `report` with what has not been delivered yet. On the environment's thread, once the training has ended.
  void flush(const Napi::Function& report) { mail_->deliver(report); }

  // What the function threw; empty for nothing. Any thread.
  std::string thrown() { return mail_->thrown(); }

 private:
  // Reports that wait, and what became of those before. A message in flight holds a share of it: it may arrive when the
  // channel is gone.
  class Mail {
   public:
    explicit Mail(CancelTokenPtr token) : token_(std::move(token)) {}

    // False where a message is on its way that will take this one along.
    bool put(const ShapeTrainingProgress& progress) {
      constexpr size_t kMostWaiting = 4;
      std::lock_guard<std::mutex> lock(mutex_);
      if (waiting_.size() == kMostWaiting) waiting_.pop_back();
      waiting_.push_back(progress);
      return waiting_.size() == 1;
    }

    std::vector<ShapeTrainingProgress> take() {
      std::lock_guard<std::mutex> lock(mutex_);
      return std::exchange(waiting_, {});
    }

    std::string thrown() {
      std::lock_guard<std::mutex> lock(mutex_);
      return thrown_;
    }

    void deliver(const Napi::Function& report) {
      const Napi::Env env = report.Env();
      try {
        for (const ShapeTrainingProgress& p : take()) {
          const Napi::HandleScope scope(env);
          Napi::Object out = Napi::Object::New(env);
          out.Set("cascade", p.cascade);
          out.Set("cascades", p.cascades);
          out.Set("tree", p.tree);
          out.Set("trees", p.trees);
          out.Set("error", p.error);
          out.Set("resumed", Napi::Boolean::New(env, p.resumed));
          report.Call({out});
        }
      } catch (const std::exception& error) {
        {
          std::lock_guard<std::mutex> lock(mutex_);
          if (thrown_.empty()) thrown_ = std::string("onProgress has thrown: ") + error.what();
        }
        token_->cancel();
      } catch (...) {
        token_->cancel();  // an environment that is being terminated
      }
    }

   private:
    const CancelTokenPtr token_;
    std::mutex mutex_;
    std::vector<ShapeTrainingProgress> waiting_;
    std::string thrown_;
  };

  static void clean_up(void* self) {
    auto* channel = static_cast<ReportChannel*>(self);
    std::lock_guard<std::mutex> lock(channel->mutex_);
    channel->ended_ = true;
  }

  static void deliver(napi_env env, napi_value callback, void*, void* data) {
    const std::unique_ptr<std::shared_ptr<Mail>> carried(static_cast<std::shared_ptr<Mail>*>(data));
    if (env != nullptr && callback != nullptr) (*carried)->deliver(Napi::Function(env, callback));
  }

  Napi::Env env_;
  const std::shared_ptr<Mail> mail_;
  napi_threadsafe_function to_js_ = nullptr;
  std::mutex mutex_;
  bool ended_ = false;
};

// Borrowed numbers of a typed array.
template <typename T>
struct Numbers {
  const T* data = nullptr;
  size_t size = 0;
  std::vector<T> copy() const { return {data, data + size}; }
};

// A training set as JavaScript has it.
struct BorrowedSet {
  std::vector<ImageView> images;
  Numbers<uint32_t> image_of;
  Numbers<double> boxes, points;
};

class TrainJob final : public Job {
 public:
  TrainJob(BorrowedSet set, ShapeTrainingOptions options, size_t threads, std::unique_ptr<ReportChannel> channel)
      : borrowed_(std::move(set)), options_(std::move(options)), threads_(threads), channel_(std::move(channel)) {}

  Status run(const CancelTokenPtr& token) override {
    // Copied here: of many faces that takes too long for the environment's thread.
    const ShapeTrainingSet set{std::move(borrowed_.images), borrowed_.image_of.copy(), borrowed_.boxes.copy(),
                               borrowed_.points.copy()};
    Result<ShapeModel> trained = train_shape_model(
        set, options_, threads_, [this](const ShapeTrainingProgress& p) { channel_->send(p); }, token.get());
    if (!trained.ok()) {
      const std::string thrown = channel_->thrown();
      return trained.status().code() == Code::kAborted && !thrown.empty() ? Status(Code::kInvalidArgument, thrown)
                                                                          : trained.status();
    }
    Result<std::shared_ptr<const ShapePredictor>> made = ShapePredictor::make(std::move(trained.value()));
    if (!made.ok()) return made.status();
    predictor_ = std::move(made.value());
    return Status();
  }

  Napi::Value resolve(Napi::Env env) override {
    channel_->flush(kept(0).As<Napi::Function>());
    const std::string thrown = channel_->thrown();
    channel_.reset();
    if (!thrown.empty()) throw to_error(env, Status(Code::kInvalidArgument, thrown));
    return wrap_shape_model(env, std::move(predictor_));
  }

 private:
  BorrowedSet borrowed_;
  ShapeTrainingOptions options_;
  size_t threads_;
  std::unique_ptr<ReportChannel> channel_;
  std::shared_ptr<const ShapePredictor> predictor_;
};

// NaN and all: train_shape_model() says what is wrong with them. The array stays alive through `kept`.
template <typename T, typename Array>
Numbers<T> numbers_at(const Napi::Object& object, const char* key, napi_typedarray_type type, const char* name,
                      std::vector<Napi::Value>* kept) {
  const Napi::Value value = object.Get(key);
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != type) {
    throw_invalid(object.Env(), std::string("Expected a ") + name + " for " + key);
  }
  kept->push_back(value);
  const auto array = value.As<Array>();
  return {array.Data(), array.ElementLength()};
}

uint32_t count_at(const Napi::Object& object, const char* key) {
  const int value = int_at(object, key);
  if (value < 0) throw_invalid(object.Env(), std::string("Expected a positive integer for ") + key);
  return static_cast<uint32_t>(value);
}

BorrowedSet training_set(const Napi::Value& value, std::vector<Napi::Value>* kept) {
  if (!value.IsObject()) throw_invalid(value.Env(), "Expected an object for set");
  const auto object = value.As<Napi::Object>();
  const Napi::Env env = object.Env();
  if (!object.Get("images").IsArray()) throw_invalid(env, "Expected an array for images");
  const auto images = object.Get("images").As<Napi::Array>();
  BorrowedSet set;
  for (uint32_t i = 0; i < images.Length(); ++i) {
    const Napi::Value image = images.Get(i);
    set.images.push_back(image_view(image));
    kept->push_back(image.As<Napi::Object>().Get("data"));
  }
  const auto doubles_at = [&](const char* key) {
    return numbers_at<double, Napi::Float64Array>(object, key, napi_float64_array, "Float64Array", kept);
  };
  set.image_of = numbers_at<uint32_t, Napi::Uint32Array>(object, "imageOf", napi_uint32_array, "Uint32Array", kept);
  set.boxes = doubles_at("boxes");
  set.points = doubles_at("points");
  return set;
}

ShapeTrainingOptions training_options(const Napi::Value& value) {
  if (!value.IsObject()) throw_invalid(value.Env(), "Expected an object for options");
  const auto object = value.As<Napi::Object>();
  const Napi::Env env = object.Env();
  ShapeTrainingOptions options;
  options.cascade_depth = count_at(object, "cascadeDepth");
  options.tree_depth = count_at(object, "treeDepth");
  options.trees_per_cascade = count_at(object, "treesPerCascade");
  options.nu = number_at(object, "nu");
  options.oversampling = count_at(object, "oversampling");
  options.oversampling_translation_jitter = number_at(object, "oversamplingTranslationJitter");
  options.feature_pool_size = count_at(object, "featurePoolSize");
  options.lambda = number_at(object, "lambda");
  options.test_splits = count_at(object, "testSplits");
  options.feature_pool_region_padding = number_at(object, "featurePoolRegionPadding");
  const std::string mode = string_at(object, "paddingMode");
  if (mode != "landmark" && mode != "box") throw_invalid(env, "Unknown paddingMode " + mode);
  options.box_padding = mode == "box";
  options.seed = string_at(object, "seed");
  if (!object.Get("checkpoint").IsUndefined()) {
    options.checkpoint = string_at(object, "checkpoint");
    if (options.checkpoint.empty() || options.checkpoint.find('\0') != std::string::npos) {
      throw_invalid(env, "Expected a path without null characters for checkpoint");
    }
  }
  return options;
}

Napi::Value train(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto executor = ExecutorHandle::get(info[0]);
  std::vector<Napi::Value> kept;
  BorrowedSet set = training_set(info[1], &kept);
  ShapeTrainingOptions options = training_options(info[2]);
  if (!info[3].IsFunction()) throw_invalid(env, "Expected a function for onProgress");
  CancelTokenPtr token = token_or_null(info[4]);
  if (!token) token = std::make_shared<CancelToken>();
  auto channel = std::make_unique<ReportChannel>(env, info[3].As<Napi::Function>(), token);
  auto job = std::make_unique<TrainJob>(std::move(set), std::move(options), executor->threads(), std::move(channel));
  job->keep(info[3]);  // the first: see resolve()
  for (const Napi::Value& data : kept) job->keep(data);
  return Environment::of(env).launch(executor, std::move(token), std::move(job));
}

}  // namespace

void export_shape_training(Napi::Object exports) { set_method(exports, "trainShapeModel", train); }

}  // namespace lineament::bindings
