// Uninitialised memory aligned to cache lines (64 bytes).
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>

namespace lineament {

// Owns `size` elements of a trivial type, not initialised. Allocation failure leaves it empty (data() == nullptr,
// size() == 0).
template <typename T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) { reset(size); }

  // Reuses the memory when it is large enough. Returns false when memory ran out (the buffer is then empty).
  bool reset(size_t size) {
    if (size > capacity_) {
      memory_.reset();
      capacity_ = size_ = 0;
      if (size > static_cast<size_t>(-1) / 2 / sizeof(T)) return false;
      memory_.reset(static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{64}, std::nothrow)));
      if (!memory_) return false;
      capacity_ = size;
    }
    size_ = size;
    return true;
  }

  T* data() { return memory_.get(); }
  const T* data() const { return memory_.get(); }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return memory_.get()[i]; }
  const T& operator[](size_t i) const { return memory_.get()[i]; }

 private:
  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  std::unique_ptr<T, Free> memory_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace lineament
