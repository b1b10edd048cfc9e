#include "store/file_lock.h"

#if defined(_WIN32)
#include <filesystem>
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#endif

namespace lineament {
namespace {

Status busy(const std::string& path) { return Status(Code::kStoreBusy, path + " is locked"); }

Status failed(const std::string& path, const std::string& why) {
  return Status(Code::kStoreFailed, path + " cannot be locked: " + why);
}

}  // namespace

FileLock::~FileLock() { release(); }

#if defined(_WIN32)

// Beyond what anybody writes, so that the file stays readable.
constexpr DWORD kLockedAt = 1u << 30;

Result<std::shared_ptr<FileLock>> FileLock::take(const std::string& path) {
  const std::wstring wide = std::filesystem::path(std::u8string(path.begin(), path.end())).wstring();
  const HANDLE file = CreateFileW(wide.c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                  nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) return failed(path, "error " + std::to_string(GetLastError()));
  OVERLAPPED where{};
  where.Offset = kLockedAt;
  if (!LockFileEx(file, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &where)) {
    const DWORD error = GetLastError();
    CloseHandle(file);
    if (error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING) return busy(path);
    return failed(path, "error " + std::to_string(error));
  }
  return std::shared_ptr<FileLock>(new FileLock(reinterpret_cast<std::intptr_t>(file)));
}

void FileLock::release() {
  const std::lock_guard guard(mutex_);
  if (file_ != -1) CloseHandle(reinterpret_cast<HANDLE>(file_));
  file_ = -1;
}

#else

Result<std::shared_ptr<FileLock>> FileLock::take(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return failed(path, std::strerror(errno));
  int outcome = -1;
  do {
    outcome = flock(file, LOCK_EX | LOCK_NB);
  } while (outcome != 0 && errno == EINTR);
  if (outcome != 0) {
    const int error = errno;
    ::close(file);
    return error == EWOULDBLOCK ? busy(path) : failed(path, std::strerror(error));
  }
  return std::shared_ptr<FileLock>(new FileLock(file));
}

void FileLock::release() {
  const std::lock_guard guard(mutex_);
  if (file_ != -1) ::close(static_cast<int>(file_));
  file_ = -1;
}

#endif

}  // namespace lineament
