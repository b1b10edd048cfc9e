// One holder of a file at a time, over all processes of this machine.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "core/status.h"

namespace lineament {

// Held until release() or destruction; the system lets go of it when the process ends in whatever way, so there is no
// stale lock to clear. flock(2) where there is one (it belongs to the open file, so that closing other descriptors of
// the file does not lose it), LockFileEx on Windows. Thread-safe.
class FileLock {
 public:
  // Makes the file where it is missing and never removes it: a lock on a file that has no name any more excludes
  // nobody. Does not wait: kStoreBusy where it is held, by this process too; kStoreFailed where the file cannot be
  // opened. `path` is UTF-8.
  static Result<std::shared_ptr<FileLock>> take(const std::string& path);

  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Idempotent.
  void release();

 private:
  explicit FileLock(std::intptr_t file) : file_(file) {}

  std::mutex mutex_;
  std::intptr_t file_;  // descriptor or handle; -1 when released
};

}  // namespace lineament
