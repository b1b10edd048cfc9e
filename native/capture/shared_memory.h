// A stretch of address space whose pages take memory only once they are written.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament {

// On Linux an unnamed file in memory (memfd), mapped shared; elsewhere anonymous shared pages. Move-only.
class SharedMemory {
 public:
  SharedMemory() = default;
  explicit SharedMemory(size_t bytes);  // empty() when the system refuses
  ~SharedMemory();
  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&& other) noexcept;

  bool empty() const { return data_ == nullptr; }
  uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

  // Gives the pages that lie wholly within the range back to the system, where it knows how; they read as zero then.
  void forget(size_t offset, size_t bytes) const;

  static size_t page_bytes();

 private:
  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace lineament
