// Status codes shared by every native module. No exceptions leave the core: functions return Status or Result<T>.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace lineament {

enum class Code {
  kOk,
  kInvalidArgument,
  kAborted,
  kClosed,
  kOutOfMemory,
  kRuntimeNotFound,
  kRuntimeIncompatible,
  kProviderUnavailable,
  kModelCorrupt,
  kInferenceFailed,
  kStoreCorrupt,
  kStoreVersion,
  kStoreBusy,
  kStoreFull,
  kStoreFailed,
  kDuplicateId,
  kNotFound,
  kMeshCorrupt,
  kNoSurface,
  kCameraNotFound,
  kCameraBusy,
  kCameraUnsupported,
  kCameraLost,
  kVideoCorrupt,
  kInternal,
};

// The stable name that JavaScript sees as error.code, e.g. "INVALID_ARGUMENT". Static storage.
const char* code_name(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& message() const { return message_; }

 private:
  Code code_ = Code::kOk;
  std::string message_;
};

// A value or the reason why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}         // NOLINT: implicit on purpose
  Result(Status status) : status_(std::move(status)) {  // NOLINT: implicit on purpose
    if (status_.ok()) status_ = Status(Code::kInternal, "Result made from an ok status without a value");
  }

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() { return *value_; }
  const T& value() const { return *value_; }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace lineament
