#include "bindings/capture_object.h"

#include <atomic>
#include <exception>
#include <list>
#include <thread>
#include <utility>

#include "bindings/capture_values.h"
#include "bindings/environment.h"
#include "bindings/values.h"

namespace lineament::bindings {
namespace {

// What the methods of a camera object share. Only the environment's thread touches it, but for wake().
class Camera : public std::enable_shared_from_this<Camera> {
 public:
  Camera(Napi::Env env, std::shared_ptr<CaptureSource> source)
      : env_(env), source_(std::move(source)), ring_(source_->ring()) {}
  ~Camera();
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;

  void start();
  // What is there now; an empty lease where there is nothing, also once closed.
  FrameRing::Lease read(int64_t after, bool newest) const;
  Napi::Value next(int64_t after, bool newest, bool borrow, CancelTokenPtr token);
  Napi::Value close();
  // The ring, for a camera that takes over; closes this one.
  std::shared_ptr<FrameRing> hand_over();

  const std::shared_ptr<FrameRing>& ring() const { return ring_; }  // null once closed
  Napi::Value counts() const;
  Napi::Value ending() const;

 private:
  struct Waiter {
    int64_t after;
    bool newest, borrow;
    Napi::Promise::Deferred deferred;
    CancelTokenPtr token;
    std::unique_ptr<CancelSubscription> cancelled{};
  };

  void wake();  // any thread
  void serve();
  bool answer(Waiter& waiter);
  std::shared_ptr<CaptureSource> let_go();
  void wait_state();
  static void on_wake(napi_env env, napi_value callback, void* context, void* data);
  static void clean_up(void* self);

  const Napi::Env env_;
  std::shared_ptr<CaptureSource> source_;  // null once closed
  std::shared_ptr<FrameRing> ring_;
  SourceCounts last_counts_;
  RingCounts last_ring_counts_;
  Status last_ending_;
  napi_threadsafe_function to_js_ = nullptr;
  std::atomic<bool> posted_{false};  // one call to JavaScript is under way
  std::atomic<bool> waited_for_{false};
  std::list<Waiter> waiters_;
  std::shared_ptr<Camera> self_;  // while somebody waits
};

struct CameraTag {
  static constexpr napi_type_tag kTag = {0x6c696e65616d656eULL, 0x43616d6572610001ULL};
  static constexpr const char* kName = "NativeCamera";
};
using CameraHandle = Handle<Camera, CameraTag>;

void Camera::start() {
  auto* context = new std::weak_ptr<Camera>(weak_from_this());
  const auto free = [](napi_env, void*, void* held) { delete static_cast<std::weak_ptr<Camera>*>(held); };
  const napi_value name = Napi::String::New(env_, "lineament camera");
  if (napi_create_threadsafe_function(env_, nullptr, nullptr, name, 0, 1, nullptr, free, context, &Camera::on_wake,
                                      &to_js_) != napi_ok) {
    delete context;
    to_js_ = nullptr;
    throw Napi::Error::New(env_, "Cannot create the thread-safe function of a camera");
  }
  napi_unref_threadsafe_function(env_, to_js_);
  // After the thread-safe function, so that it runs before that one's own clean-up.
  napi_add_env_cleanup_hook(env_, &Camera::clean_up, this);
  ring_->on_commit([this] {
    if (waited_for_) wake();
  });
}

void Camera::wake() {
  if (posted_.exchange(true)) return;
  if (napi_call_threadsafe_function(to_js_, nullptr, napi_tsfn_nonblocking) != napi_ok) posted_ = false;
}

void Camera::on_wake(napi_env env, napi_value, void* context, void*) {
  const std::shared_ptr<Camera> camera = static_cast<std::weak_ptr<Camera>*>(context)->lock();
  if (!camera) return;
  camera->posted_ = false;
  if (env == nullptr) return;
  try {
    const Napi::HandleScope scope(env);
    camera->serve();
  } catch (...) {
    // A worker that is being terminated refuses every call into JavaScript; an exception must not leave this callback.
  }
}

FrameRing::Lease Camera::read(int64_t after, bool newest) const {
  if (!ring_) return {};
  return newest ? ring_->newest(after) : ring_->next(after);
}

// Whether the promise is settled.
bool Camera::answer(Waiter& waiter) {
  if (is_cancelled(waiter.token)) {
    waiter.deferred.Reject(to_error(env_, Status(Code::kAborted, "Waiting for a picture was aborted")).Value());
    return true;
  }
  const bool ended = !ring_ || ring_->ended();  // asked first: nothing comes after it
  FrameRing::Lease lease = read(waiter.after, waiter.newest);
  if (!lease && !ended) return false;
  try {
    waiter.deferred.Resolve(picture_value(env_, std::move(lease), waiter.borrow));
  } catch (const Napi::Error& error) {
    waiter.deferred.Reject(error.Value());
  }
  return true;
}

void Camera::serve() {
  for (auto waiter = waiters_.begin(); waiter != waiters_.end();) {
    const Napi::HandleScope scope(env_);
    waiter = answer(*waiter) ? waiters_.erase(waiter) : std::next(waiter);
  }
  wait_state();
}

void Camera::wait_state() {
  const bool waiting = !waiters_.empty();
  if (waited_for_.exchange(waiting) == waiting) return;
  if (waiting) {
    self_ = shared_from_this();
    napi_ref_threadsafe_function(env_, to_js_);
  } else {
    if (to_js_ != nullptr) napi_unref_threadsafe_function(env_, to_js_);
    const std::shared_ptr<Camera> last = std::move(self_);  // this may go with it, at the end of the caller
  }
}

Napi::Value Camera::next(int64_t after, bool newest, bool borrow, CancelTokenPtr token) {
  waiters_.push_back({after, newest, borrow, Napi::Promise::Deferred::New(env_), std::move(token)});
  const auto waiter = std::prev(waiters_.end());
  const Napi::Promise promise = waiter->deferred.Promise();
  if (answer(*waiter)) {
    waiters_.erase(waiter);
    return promise;
  }
  if (waiter->token) waiter->cancelled = std::make_unique<CancelSubscription>(waiter->token, [this] { wake(); });
  wait_state();
  // A picture that came after the look above and before the flag was set woke nobody.
  if (answer(*waiter)) {
    waiters_.erase(waiter);
    wait_state();
  }
  return promise;
}

// From here on nobody calls into JavaScript for this camera. The source, to be stopped where waiting is allowed.
std::shared_ptr<CaptureSource> Camera::let_go() {
  if (!source_) return nullptr;
  last_counts_ = source_->counts();
  ring_->on_commit({});
  napi_remove_env_cleanup_hook(env_, &Camera::clean_up, this);
  ring_.reset();
  return std::move(source_);
}

Napi::Value Camera::close() {
  if (ring_) {
    last_ring_counts_ = ring_->counts();
    last_ring_counts_.kept = last_ring_counts_.kept_bytes = 0;
    last_ending_ = ring_->ended() ? ring_->ending() : Status(Code::kClosed, "The camera was closed");
  }
  std::shared_ptr<CaptureSource> source = let_go();
  serve();  // nobody will be woken any more
  if (to_js_ != nullptr) napi_release_threadsafe_function(std::exchange(to_js_, nullptr), napi_tsfn_release);
  return Environment::of(env_).launch_waiter([last = std::move(source)]() mutable {
    if (last) last->stop();
    last.reset();  // gigabytes may go with the ring
  });
}

std::shared_ptr<FrameRing> Camera::hand_over() {
  if (!ring_) throw to_error(env_, Status(Code::kClosed, "The camera to take over from is closed"));
  if (!ring_->ended()) throw to_error(env_, Status(Code::kCameraBusy, "The camera to take over from still runs"));
  std::shared_ptr<FrameRing> ring = ring_;
  source_->stop();  // its thread has done its work
  close();
  ring->reopen();
  return ring;
}

void Camera::clean_up(void* self) {
  auto* camera = static_cast<Camera*>(self);
  if (!camera->source_) return;
  camera->waiters_.clear();  // their promises are nobody's any more
  camera->ring_->on_commit({});
  camera->source_->stop();
  camera->source_.reset();
  camera->ring_.reset();
  camera->to_js_ = nullptr;  // cleans up after itself
  camera->self_.reset();     // the object's own reference goes later
}

// Collected without close(), perhaps.
Camera::~Camera() {
  std::shared_ptr<CaptureSource> source = let_go();
  if (to_js_ != nullptr) napi_release_threadsafe_function(to_js_, napi_tsfn_release);
  if (!source) return;
  try {
    std::thread([source] { source->stop(); }).detach();
  } catch (const std::exception&) {
    source->stop();
  }
}

Napi::Value Camera::counts() const {
  const SourceCounts source = source_ ? source_->counts() : last_counts_;
  const RingCounts ring = ring_ ? ring_->counts() : last_ring_counts_;
  Napi::Object out = Napi::Object::New(env_);
  out.Set("received", static_cast<double>(source.received));
  out.Set("damaged", static_cast<double>(source.damaged));
  out.Set("bytes", static_cast<double>(source.bytes));
  out.Set("committed", static_cast<double>(ring.committed));
  out.Set("refused", static_cast<double>(ring.refused));
  out.Set("kept", static_cast<double>(ring.kept));
  out.Set("keptBytes", static_cast<double>(ring.kept_bytes));
  return out;
}

Napi::Value Camera::ending() const {
  if (ring_ && !ring_->ended()) return env_.Undefined();
  const Status why = ring_ ? ring_->ending() : last_ending_;
  Napi::Object out = Napi::Object::New(env_);
  out.Set("code", code_name(why.code()));
  out.Set("message", why.message());
  return out;
}

bool flag_in(const Napi::Value& options, const char* key) {
  return options.IsObject() && options.As<Napi::Object>().Get(key).ToBoolean().Value();
}

bool newest_in(const Napi::Value& options) {
  if (!options.IsObject()) return true;
  const Napi::Value order = options.As<Napi::Object>().Get("order");
  return !order.IsString() || order.As<Napi::String>().Utf8Value() != "all";
}

using CameraPtr = std::shared_ptr<Camera>;

void set_readers(Napi::Object out, const CameraPtr& camera) {
  set_method(out, "next", [camera](const Napi::CallbackInfo& info) -> Napi::Value {
    const int64_t after = sequence_of(info[0]);
    return camera->next(after, newest_in(info[1]), flag_in(info[1], "borrow"), token_or_null(info[2]));
  });
  set_method(out, "read", [camera](const Napi::CallbackInfo& info) -> Napi::Value {
    const int64_t after = sequence_of(info[0]);
    return picture_value(info.Env(), camera->read(after, newest_in(info[1])), flag_in(info[1], "borrow"));
  });
  set_method(out, "get", [camera](const Napi::CallbackInfo& info) -> Napi::Value {
    const int64_t sequence = sequence_of(info[0]);
    FrameRing::Lease lease = sequence < 0 ? FrameRing::Lease() : camera->read(sequence - 1, false);
    if (!lease || lease.info().sequence != static_cast<uint64_t>(sequence)) return info.Env().Null();
    return picture_value(info.Env(), std::move(lease), flag_in(info[1], "borrow"));
  });
  set_method(out, "at", [camera](const Napi::CallbackInfo& info) -> Napi::Value {
    const int64_t time = time_us(info[0]);
    FrameRing::Lease lease = camera->ring() ? camera->ring()->at_or_before(time) : FrameRing::Lease();
    return picture_value(info.Env(), std::move(lease), flag_in(info[1], "borrow"));
  });
  set_method(out, "between", [camera](const Napi::CallbackInfo& info) -> Napi::Value {
    const int64_t first = time_us(info[0]), last = time_us(info[1]);
    return picture_facts(info.Env(),
                         camera->ring() ? camera->ring()->between(first, last) : std::vector<PictureInfo>());
  });
  set_method(out, "taken", [camera](const Napi::CallbackInfo& info) -> Napi::Value {
    const int64_t sequence = sequence_of(info[0]);
    if (sequence >= 0 && camera->ring()) camera->ring()->taken(static_cast<uint64_t>(sequence));
    return info.Env().Undefined();
  });
}

}  // namespace

std::shared_ptr<FrameRing> camera_ring(const Napi::Object& options) {
  const Napi::Value earlier = options.Get("takeOver");
  if (!earlier.IsUndefined()) return CameraHandle::get(earlier)->hand_over();
  return make_ring(object_in(options.Get("ring"), "ring"));
}

Napi::Object wrap_camera(Napi::Env env, std::shared_ptr<CaptureSource> source) {
  const auto camera = std::make_shared<Camera>(env, std::move(source));
  camera->start();
  Napi::Object out = Napi::Object::New(env);
  CameraHandle::attach(out, camera);
  set_readers(out, camera);
  set_getter(out, "counts", [camera](const Napi::CallbackInfo&) { return camera->counts(); });
  set_getter(out, "ending", [camera](const Napi::CallbackInfo&) { return camera->ending(); });
  set_method(out, "close", [camera](const Napi::CallbackInfo&) { return camera->close(); });
  return out;
}

}  // namespace lineament::bindings
