#include "capture/shared_memory.h"

#include <utility>

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace lineament {

#if defined(_WIN32)

SharedMemory::SharedMemory(size_t bytes)
    : data_(static_cast<uint8_t*>(VirtualAlloc(nullptr, bytes, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE))) {
  if (data_ != nullptr) size_ = bytes;
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) VirtualFree(data_, 0, MEM_RELEASE);
}

void SharedMemory::forget(size_t, size_t) const {}

size_t SharedMemory::page_bytes() {
  SYSTEM_INFO info;
  GetSystemInfo(&info);
  return info.dwPageSize;
}

#else

namespace {

void* map(size_t bytes) {
#if defined(__linux__)
  const int file = memfd_create("lineament-pictures", MFD_CLOEXEC);
  if (file >= 0) {
    void* mapped = MAP_FAILED;
    if (ftruncate(file, static_cast<off_t>(bytes)) == 0) {
      mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    }
    close(file);  // the mapping keeps it
    if (mapped != MAP_FAILED) return mapped;
  }
#endif
#if defined(MAP_NORESERVE)
  constexpr int kFlags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
#else
  constexpr int kFlags = MAP_SHARED | MAP_ANONYMOUS;
#endif
  return mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kFlags, -1, 0);
}

}  // namespace

SharedMemory::SharedMemory(size_t bytes) {
  void* mapped = map(bytes);
  if (mapped == MAP_FAILED) return;
  data_ = static_cast<uint8_t*>(mapped);
  size_ = bytes;
}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) munmap(data_, size_);
}

void SharedMemory::forget(size_t offset, size_t bytes) const {
#if defined(MADV_REMOVE)
  const size_t page = page_bytes();
  const size_t first = (offset + page - 1) / page * page, end = (offset + bytes) / page * page;
  if (end > first && end <= size_) (void)madvise(data_ + first, end - first, MADV_REMOVE);
#else
  (void)offset;
  (void)bytes;
#endif
}

size_t SharedMemory::page_bytes() {
  static const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return page;
}

#endif

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

SharedMemory& SharedMemory::operator=(SharedMemory&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

}  // namespace lineament
