// What the JavaScript objects of indexes have in common, wherever the vectors lie.
#pragma once

#include <napi.h>

#include <exception>
#include <memory>
#include <thread>
#include <utility>

#include "bindings/environment.h"
#include "bindings/values.h"
#include "search/scan.h"

namespace lineament::bindings {

// What the methods of one index object share; only the environment's thread touches it. Null once closed; jobs keep
// their own. Freeing takes long (gigabytes, a device): an index that was never closed is freed on a thread of its own.
template <typename Index>
struct HeldIndex {
  explicit HeldIndex(std::shared_ptr<Index> opened) : index(std::move(opened)) {}
  ~HeldIndex() {
    if (!index) return;
    try {
      std::thread([held = std::move(index)]() mutable { held.reset(); }).detach();
    } catch (const std::exception&) {
      // No thread was to be had; it has gone right here.
    }
  }
  HeldIndex(const HeldIndex&) = delete;
  HeldIndex& operator=(const HeldIndex&) = delete;

  std::shared_ptr<Index> index;
};

// Builds such an object.
template <typename Index>
class IndexObject {
 public:
  IndexObject(Napi::Env env, const std::shared_ptr<Index>& index)
      : object_(Napi::Object::New(env)), shared_(std::make_shared<HeldIndex<Index>>(index)) {
    const auto& held = shared_;
    set_getter(object_, "work", [held](const Napi::CallbackInfo& info) -> Napi::Value {
      const SearchWork work = held->index ? held->index->work() : SearchWork();
      Napi::Object facts = Napi::Object::New(info.Env());
      facts.Set("queries", static_cast<double>(held->index ? held->index->queries() : 0));
      facts.Set("compared", static_cast<double>(work.rows));
      facts.Set("refined", static_cast<double>(work.refined));
      facts.Set("scored", static_cast<double>(work.scored));
      return facts;
    });
    set_method(object_, "close", [held](const Napi::CallbackInfo& info) -> Napi::Value {
      return Environment::of(info.Env()).launch_waiter([last = std::move(held->index)]() mutable { last.reset(); });
    });
  }

  // A number that is read from the index; 0 once it is closed.
  template <typename Read>
  void fact(const char* name, Read read) {
    set_getter(object_, name, [held = shared_, read](const Napi::CallbackInfo& info) -> Napi::Value {
      return Napi::Number::New(info.Env(), held->index ? static_cast<double>(read(*held->index)) : 0);
    });
  }

  // A method that gives a promise; it rejects with kClosed once the index is closed.
  template <typename Run>
  void method(const char* name, Run run) {
    set_method(object_, name, [held = shared_, run](const Napi::CallbackInfo& info) -> Napi::Value {
      if (held->index) return run(info, held->index);
      const Napi::Promise::Deferred deferred = Napi::Promise::Deferred::New(info.Env());
      deferred.Reject(to_error(info.Env(), Status(Code::kClosed, "The index is closed")).Value());
      return deferred.Promise();
    });
  }

  Napi::Object& object() { return object_; }

 private:
  Napi::Object object_;
  std::shared_ptr<HeldIndex<Index>> shared_;
};

}  // namespace lineament::bindings
