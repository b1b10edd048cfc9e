#include "core/mapped_file.h"

#include <utility>

#if defined(_WIN32)
#include <filesystem>
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#endif

namespace lineament {

MappedFile::~MappedFile() { release(); }

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
  }
  return *this;
}

namespace {

Status unreadable(const std::string& path, const std::string& why) {
  return Status(Code::kModelCorrupt, path + " cannot be read: " + why);
}

}  // namespace

#if defined(_WIN32)

Result<MappedFile> MappedFile::open(const std::string& path) {
  const std::wstring wide = std::filesystem::path(std::u8string(path.begin(), path.end())).wstring();
  const HANDLE file = CreateFileW(wide.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                  nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (file == INVALID_HANDLE_VALUE) return unreadable(path, "error " + std::to_string(GetLastError()));
  LARGE_INTEGER size{};
  const bool regular = GetFileType(file) == FILE_TYPE_DISK && GetFileSizeEx(file, &size) && size.QuadPart > 0;
  const HANDLE mapping = regular ? CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr) : nullptr;
  const void* data = mapping != nullptr ? MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0) : nullptr;
  if (mapping != nullptr) CloseHandle(mapping);
  CloseHandle(file);
  if (data == nullptr) return unreadable(path, "it is empty or not a regular file");
  MappedFile mapped;
  mapped.data_ = static_cast<const uint8_t*>(data);
  mapped.size_ = static_cast<size_t>(size.QuadPart);
  return mapped;
}

void MappedFile::release() {
  if (data_ != nullptr) UnmapViewOfFile(data_);
}

void MappedFile::will_need(size_t) const {}

#else

Result<MappedFile> MappedFile::open(const std::string& path) {
  // Not blocking, so that a pipe that is named by mistake cannot hang the thread.
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return unreadable(path, std::strerror(errno));
  struct stat facts {};
  std::string why;
  void* data = nullptr;
  if (fstat(file, &facts) != 0) {
    why = std::strerror(errno);
  } else if (!S_ISREG(facts.st_mode)) {
    why = "it is not a regular file";
  } else if (facts.st_size <= 0) {
    why = "it is empty";
  } else {
    data = mmap(nullptr, static_cast<size_t>(facts.st_size), PROT_READ, MAP_PRIVATE, file, 0);
    if (data == MAP_FAILED) why = std::strerror(errno);
  }
  ::close(file);
  if (!why.empty()) return unreadable(path, why);
  MappedFile mapped;
  mapped.data_ = static_cast<const uint8_t*>(data);
  mapped.size_ = static_cast<size_t>(facts.st_size);
  return mapped;
}

void MappedFile::release() {
  if (data_ != nullptr) munmap(const_cast<uint8_t*>(data_), size_);
}

void MappedFile::will_need(size_t offset) const {
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t begin = offset / page * page;
  if (begin < size_) madvise(const_cast<uint8_t*>(data_) + begin, size_ - begin, MADV_WILLNEED);
}

#endif

}  // namespace lineament
