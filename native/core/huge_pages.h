// Memory for large tables that are read at random.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lineament {

// Begins on a cache line; from 2 MiB on, at a multiple of 2 MiB and on huge pages where the system gives them on
// request (Linux, madvise): reads at random then rarely cost a page walk.
template <typename T>
struct TableAllocator {
  using value_type = T;
  static constexpr size_t kLine = 64, kHuge = size_t{1} << 21;

  TableAllocator() = default;
  template <typename U>
  TableAllocator(const TableAllocator<U>&) {}  // as every allocator has it

  T* allocate(size_t count) {
    if (count > static_cast<size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
    const size_t bytes = count * sizeof(T);
    void* memory = ::operator new(bytes, alignment(bytes));
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (bytes >= kHuge) madvise(memory, bytes / kHuge * kHuge, MADV_HUGEPAGE);
#endif
    return static_cast<T*>(memory);
  }
  void deallocate(T* memory, size_t count) { ::operator delete(memory, alignment(count * sizeof(T))); }

  friend bool operator==(const TableAllocator&, const TableAllocator&) { return true; }

 private:
  static std::align_val_t alignment(size_t bytes) { return std::align_val_t{bytes < kHuge ? kLine : kHuge}; }
};

template <typename T>
using Table = std::vector<T, TableAllocator<T>>;

}  // namespace lineament
