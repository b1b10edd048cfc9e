#include "core/atomic_file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#if defined(_WIN32)
#include <io.h>
#else
#include <fcntl.h>
#include <unistd.h>
#endif

namespace lineament {
namespace {

constexpr size_t kBuffer = size_t{1} << 18;

std::filesystem::path utf8(const std::string& path) {
  return std::filesystem::path(std::u8string(path.begin(), path.end()));
}

// A name beside `path` that nobody else uses.
std::string temporary_name(const std::string& path) {
  static std::atomic<uint32_t> count{0};
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
#if defined(_WIN32)
  const int process = 0;
#else
  const int process = static_cast<int>(getpid());
#endif
  return path + "." + std::to_string(process) + "-" + std::to_string(now) + "-" + std::to_string(count++) + ".tmp";
}

std::FILE* create(const std::string& path) {
#if defined(_WIN32)
  return _wfopen(utf8(path).wstring().c_str(), L"wbx");
#else
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return nullptr;
  std::FILE* stream = fdopen(file, "wb");
  if (stream == nullptr) ::close(file);
  return stream;
#endif
}

bool to_disk(std::FILE* file) {
#if defined(_WIN32)
  return _commit(_fileno(file)) == 0;
#else
  return fsync(fileno(file)) == 0;
#endif
}

}  // namespace

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)), temporary_(temporary_name(path_)) {
  file_ = create(temporary_);
  if (file_ == nullptr) {
    error_ = errno;
    return;
  }
  std::setvbuf(file_, nullptr, _IONBF, 0);
  buffer_.reserve(kBuffer);
}

AtomicFile::~AtomicFile() {
  if (file_ == nullptr) return;
  std::fclose(file_);
  std::error_code ignored;
  std::filesystem::remove(utf8(temporary_), ignored);
}

void AtomicFile::flush() {
  if (file_ != nullptr && error_ == 0 && !buffer_.empty() &&
      std::fwrite(buffer_.data(), 1, buffer_.size(), file_) != buffer_.size()) {
    error_ = errno != 0 ? errno : EIO;
  }
  buffer_.clear();
}

void AtomicFile::write(const void* bytes, size_t size) {
  if (error_ != 0) return;
  const auto* p = static_cast<const uint8_t*>(bytes);
  while (size > 0) {
    const size_t part = std::min(size, kBuffer - buffer_.size());
    buffer_.insert(buffer_.end(), p, p + part);
    p += part;
    size -= part;
    if (buffer_.size() == kBuffer) flush();
  }
}

Status AtomicFile::commit() {
  flush();
  if (error_ == 0 && !to_disk(file_)) error_ = errno;
  if (error_ == 0) {
    std::fclose(std::exchange(file_, nullptr));
    std::error_code failed;
    std::filesystem::rename(utf8(temporary_), utf8(path_), failed);
    if (!failed) return Status();
    error_ = failed.value();
    std::error_code ignored;
    std::filesystem::remove(utf8(temporary_), ignored);
    return Status(Code::kInvalidArgument, path_ + " cannot be written: " + failed.message());
  }
  return Status(Code::kInvalidArgument, path_ + " cannot be written: " + std::strerror(error_));
}

}  // namespace lineament
