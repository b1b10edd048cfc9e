#include "inference/dynamic_library.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif
#if defined(__linux__)
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#endif

namespace lineament {

#if defined(__linux__) && defined(__GLIBC__)

namespace {

void hide_name(void* library) {
  link_map* map = nullptr;
  if (dlinfo(library, RTLD_DI_LINKMAP, &map) != 0 || map == nullptr) return;
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  for (ElfW(Dyn)* entry = map->l_ld; entry->d_tag != DT_NULL; ++entry) {
    if (entry->d_tag != DT_SONAME) continue;
    // The dynamic section is read-only after relocation. Offset 0 of the string table is the empty name.
    const uintptr_t first = reinterpret_cast<uintptr_t>(entry) / page * page;
    const uintptr_t end = reinterpret_cast<uintptr_t>(entry + 1);
    if (mprotect(reinterpret_cast<void*>(first), end - first, PROT_READ | PROT_WRITE) != 0) return;
    entry->d_un.d_val = 0;
    mprotect(reinterpret_cast<void*>(first), end - first, PROT_READ);
    return;
  }
}

}  // namespace

#endif

#if defined(_WIN32)

void* load_library(const std::string& path, std::string* error) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(length > 0 ? length : 1), L'\0');
  if (length > 0) MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  HMODULE module = LoadLibraryExW(wide.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (module == nullptr) *error = "LoadLibrary failed with error " + std::to_string(GetLastError());
  return module;
}

void* find_symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}

#else

void* load_library(const std::string& path, std::string* error) {
#if defined(__linux__) && defined(__GLIBC__)
  void* const earlier = dlopen(path.c_str(), RTLD_LAZY | RTLD_NOLOAD);
#endif
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* words = dlerror();
    *error = words != nullptr ? words : "unknown error of the loader";
    return nullptr;
  }
#if defined(__linux__) && defined(__GLIBC__)
  if (earlier == nullptr) hide_name(library);
#endif
  return library;
}

void* find_symbol(void* library, const char* name) { return dlsym(library, name); }

#endif

}  // namespace lineament
