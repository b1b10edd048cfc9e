// A file's bytes in the address space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/status.h"

namespace lineament {

// Read-only and private; the file may be renamed or replaced meanwhile. Whoever cuts the mapped file short makes reads
// beyond its new end fail with a signal, as with every mapping: replace files by renaming (atomic_file.h).
class MappedFile {
 public:
  MappedFile() = default;
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  // kModelCorrupt where there is no such file, where it is not a regular file, is empty or may not be read. `path` is
  // UTF-8.
  static Result<MappedFile> open(const std::string& path);

  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

  // Asks the system to have the bytes from `offset` on in memory soon; returns at once.
  void will_need(size_t offset) const;

 private:
  void release();

  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace lineament
