// Large tables that are read at random cost a page walk for each read; pages of 2 MiB make that rare.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace lineament {

// Reserves room for `count` numbers, on huge pages where the system gives them on request (Linux, madvise).
template <typename T>
void reserve_huge(std::vector<T>* out, size_t count) {
  out->reserve(count);
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  constexpr uintptr_t kHuge = uintptr_t{1} << 21;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(out->data()) + kHuge - 1) / kHuge * kHuge;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(out->data()) + count * sizeof(T)) / kHuge * kHuge;
  if (end > begin) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
#endif
}

}  // namespace lineament
