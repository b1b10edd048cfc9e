#include "bindings/capture_values.h"

#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "bindings/buffers.h"
#include "bindings/environment.h"
#include "bindings/values.h"

namespace lineament::bindings {
namespace {

constexpr const char* kFormatNames[] = {"rgb", "bgr", "rgba", "bgra", "gray", "yuyv", "nv12", "i420", "mjpeg", "z16"};

void set_facts(Napi::Object out, const PictureInfo& info) {
  out.Set("sequence", static_cast<double>(info.sequence));
  out.Set("timestamp", static_cast<double>(info.timestamp_us) / 1000);
  if (info.position_us >= 0) out.Set("position", static_cast<double>(info.position_us) / 1000);
  out.Set("width", info.width);
  out.Set("height", info.height);
  out.Set("format", capture_format_name(info.format));
}

// Memory of the ring in JavaScript's hands.
struct Loan {
  FrameRing::Lease lease;
};

// Nothing where V8 forbids memory that is not its own (Electron's memory cage).
Napi::Value lend(Napi::Env env, const std::shared_ptr<Loan>& loan) {
  auto* held = new std::shared_ptr<Loan>(loan);
  const auto free = [](napi_env, void*, void* hint) { delete static_cast<std::shared_ptr<Loan>*>(hint); };
  const std::span<const uint8_t> bytes = loan->lease.bytes();
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, const_cast<uint8_t*>(bytes.data()), bytes.size(), free, held, &buffer) !=
      napi_ok) {
    delete held;
    return {};
  }
  return Napi::Value(env, buffer);
}

Napi::Value copy_of(Napi::Env env, const FrameRing::Lease& lease) {
  const std::span<const uint8_t> bytes = lease.bytes();
  std::unique_ptr<uint8_t[]> memory = allocate<uint8_t>(bytes.size());
  if (!memory) throw to_error(env, Status(Code::kOutOfMemory, "Out of memory for a picture"));
  std::memcpy(memory.get(), bytes.data(), bytes.size());
  return give(env, std::move(memory), bytes.size());
}

double positive_or(const Napi::Object& object, const char* key, double otherwise) {
  if (object.Get(key).IsUndefined()) return otherwise;
  const double value = number_at(object, key);
  if (value < 0) throw_invalid(object.Env(), std::string("Expected no negative number for ") + key);
  return value;
}

}  // namespace

const char* capture_format_name(CaptureFormat format) { return kFormatNames[static_cast<size_t>(format)]; }

CaptureFormat capture_format(Napi::Env env, const std::string& name) {
  for (size_t i = 0; i < std::size(kFormatNames); ++i) {
    if (name == kFormatNames[i]) return static_cast<CaptureFormat>(i);
  }
  throw_invalid(env, "Unknown format of pictures " + name);
}

std::shared_ptr<FrameRing> make_ring(const Napi::Object& options) {
  const double slots = number_at(options, "slots"), slot_bytes = number_at(options, "slotBytes");
  const double keep_ms = positive_or(options, "keepMs", 1e15), most = positive_or(options, "mostBytes", 1e15);
  if (!(slots >= 3 && slots <= 1e5 && slot_bytes >= 1 && slot_bytes <= 4294967296.0)) {
    throw_invalid(options.Env(), "Expected 3 to 100000 slots of 1 byte to 4 GiB");
  }
  const RingLimits limits{static_cast<size_t>(std::min(most, 1e15)),
                          static_cast<int64_t>(std::min(keep_ms, 1e15) * 1000)};
  auto ring = FrameRing::make(static_cast<size_t>(slots), static_cast<size_t>(slot_bytes), limits);
  if (!ring.ok()) throw to_error(options.Env(), ring.status());
  return ring.value();
}

Napi::Value picture_value(Napi::Env env, FrameRing::Lease lease, bool borrow) {
  if (!lease) return env.Null();
  Napi::Object out = Napi::Object::New(env);
  const PictureInfo info = lease.info();
  set_facts(out, info);
  Napi::Value buffer;
  const auto loan = std::make_shared<Loan>();
  if (borrow) {
    loan->lease = std::move(lease);
    buffer = lend(env, loan);
    if (buffer.IsEmpty()) lease = std::move(loan->lease);
  }
  const bool lent = !buffer.IsEmpty();
  if (!lent) buffer = copy_of(env, lease);
  const Napi::ArrayBuffer bytes = buffer.As<Napi::ArrayBuffer>();
  out.Set("data", Napi::Uint8Array::New(env, info.bytes, bytes, 0));
  if (lent) {
    const auto held = std::make_shared<Napi::Reference<Napi::ArrayBuffer>>(Napi::Persistent(bytes));
    set_method(out, "release", [loan, held](const Napi::CallbackInfo& call) {
      // Detached first: what is overwritten from now on must not be seen.
      if (loan->lease) {
        // Memory that was moved into another buffer is that one's now: the lease ends when it is collected.
        if (!held->Value().IsDetached()) {
          held->Value().Detach();
          loan->lease = FrameRing::Lease();
        }
        held->Reset();
      }
      return call.Env().Undefined();
    });
  }
  return out;
}

Napi::Array picture_facts(Napi::Env env, const std::vector<PictureInfo>& pictures) {
  Napi::Array out = Napi::Array::New(env, pictures.size());
  for (uint32_t i = 0; i < pictures.size(); ++i) {
    const Napi::HandleScope scope(env);
    Napi::Object one = Napi::Object::New(env);
    set_facts(one, pictures[i]);
    one.Set("bytes", static_cast<double>(pictures[i].bytes));
    out.Set(i, one);
  }
  return out;
}

int64_t time_us(const Napi::Value& value) {
  const double ms = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(std::abs(ms) <= 1e15)) throw_invalid(value.Env(), "Expected a time in milliseconds");
  return std::llround(ms * 1000);
}

int64_t sequence_of(const Napi::Value& value) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(number >= -1 && number <= 9007199254740991.0 && number == std::floor(number))) {
    throw_invalid(value.Env(), "Expected a sequence number, or -1");
  }
  return static_cast<int64_t>(number);
}

}  // namespace lineament::bindings
