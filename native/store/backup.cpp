#include "store/backup.h"

#include <sqlite3.h>

#include <filesystem>
#include <system_error>

#include "store/store_error.h"

#if !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace lineament {
namespace {

constexpr int kPagesBetweenPolls = 512;

std::filesystem::path utf8(const std::string& path) {
  return std::filesystem::path(std::u8string(path.begin(), path.end()));
}

// A rename is on the disk when its folder is.
void folder_to_disk(const std::string& path) {
#if !defined(_WIN32)
  const std::filesystem::path folder = utf8(path).parent_path();
  const int file = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return;
  (void)fsync(file);
  ::close(file);
#endif
}

Status copy_pages(Connection& source, sqlite3* target, const CancelToken* token) {
  sqlite3_backup* backup = sqlite3_backup_init(target, "main", source.handle(), "main");
  if (backup == nullptr) {
    return store_status(sqlite3_extended_errcode(target), sqlite3_system_errno(target), sqlite3_errmsg(target));
  }
  int code = SQLITE_OK;
  while (code == SQLITE_OK && !is_cancelled(token)) code = sqlite3_backup_step(backup, kPagesBetweenPolls);
  const int system = sqlite3_system_errno(target);
  const int finished = sqlite3_backup_finish(backup);
  if (code == SQLITE_DONE) return finished == SQLITE_OK ? Status() : store_status(finished, system, {});
  if (code == SQLITE_OK) return Status(Code::kAborted, "The copy was aborted");
  return store_status(code, system, {});
}

}  // namespace

bool has_log(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(utf8(path + "-wal"), error);
  return !error && size > 0;
}

Status copy_database(Connection& source, const std::string& path, const CancelToken* token) {
  std::error_code ignored;
  if (std::filesystem::exists(utf8(path + "-wal"), ignored) || std::filesystem::exists(utf8(path + "-shm"), ignored)) {
    return Status(Code::kInvalidArgument, "The database at " + path + " is in use (there is a log beside it)");
  }
  const std::string temporary = path + ".backup.tmp";
  for (const char* rest : {"", "-journal", "-wal", "-shm"}) std::filesystem::remove(utf8(temporary + rest), ignored);
  sqlite3* target = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int opened = sqlite3_open_v2(temporary.c_str(), &target, flags, nullptr);
  Status status = opened == SQLITE_OK ? copy_pages(source, target, token)
                                      : store_status(opened, target ? sqlite3_system_errno(target) : 0, {});
  const int closed = sqlite3_close_v2(target);
  if (status.ok() && closed != SQLITE_OK) status = store_status(closed, 0, {});
  if (status.ok()) {
    std::error_code error;
    std::filesystem::rename(utf8(temporary), utf8(path), error);
    if (error) status = Status(Code::kStoreFailed, "Cannot rename the copy: " + error.message());
  }
  if (status.ok()) {
    folder_to_disk(path);
    return status;
  }
  for (const char* rest : {"", "-journal", "-wal", "-shm"}) std::filesystem::remove(utf8(temporary + rest), ignored);
  return status;
}

}  // namespace lineament
