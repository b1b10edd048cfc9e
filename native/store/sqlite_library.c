// SQLite itself (public domain, https://sqlite.org), compiled into the addon: the amalgamation that the npm package
// better-sqlite3 carries, which binding.gyp and CMakeLists.txt find. Its settings stand here, once for every build.
//
// Every symbol is hidden: an application may hold another SQLite (Node's own, another addon's) in the same process.

#if !defined(_WIN32)
#define SQLITE_API __attribute__((visibility("hidden")))
#endif

// A connection is used by one thread at a time (native/store/database.h sees to it): no mutex for each call.
#define SQLITE_THREADSAFE 2
#define SQLITE_DEFAULT_MEMSTATUS 0
// Sorting and temporary tables hold biometric data: never in a file that nobody would overwrite.
#define SQLITE_TEMP_STORE 3
#define SQLITE_SECURE_DELETE 1
#define SQLITE_DEFAULT_FOREIGN_KEYS 1
#define SQLITE_DEFAULT_WAL_SYNCHRONOUS 2
// Text in double quotes is a name, as in the standard, and never a string.
#define SQLITE_DQS 0
#define SQLITE_TRUSTED_SCHEMA 0
#define SQLITE_LIKE_DOESNT_MATCH_BLOBS 1
#define SQLITE_USE_URI 0
#define SQLITE_OMIT_LOAD_EXTENSION 1
#define SQLITE_OMIT_DEPRECATED 1
#define SQLITE_OMIT_SHARED_CACHE 1
#define SQLITE_OMIT_TCL_VARIABLE 1
#define SQLITE_OMIT_DESERIALIZE 1
#if !defined(_WIN32)
#define HAVE_USLEEP 1
#define HAVE_FDATASYNC 1
#endif

#include "sqlite3.c"
