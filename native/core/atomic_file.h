// Writing a file so that others see the old one or the whole new one, never a part.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "core/status.h"

namespace lineament {

// Where bytes go.
class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual void write(const void* bytes, size_t size) = 0;
};

// Bytes go to a temporary file in the same folder; commit() flushes them to the disk and renames. Without a commit the
// temporary file is removed and the old file, if any, stays as it is. Not thread-safe.
class AtomicFile final : public ByteSink {
 public:
  // `path` is UTF-8. What goes wrong is reported by commit().
  explicit AtomicFile(std::string path);
  ~AtomicFile() override;
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* bytes, size_t size) override;

  // kInvalidArgument, with the system's reason, where the file could not be made or written.
  Status commit();

  // errno of the first failure, 0 while there is none; ENOSPC where the disk is full.
  int error() const { return error_; }

 private:
  void flush();

  std::string path_;
  std::string temporary_;
  std::FILE* file_ = nullptr;
  std::vector<uint8_t> buffer_;
  int error_ = 0;  // errno of the first failure
};

}  // namespace lineament
