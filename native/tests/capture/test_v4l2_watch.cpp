// Cameras that come and go, with files in a folder in the place of nodes: the notifications are the kernel's.
#include "tests/check.h"

#ifdef __linux__

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "capture/linux/device_watch.h"

using namespace lineament;

namespace {

struct Folder {
  std::string path;
  Folder() {
    char name[] = "/tmp/lineament-watch-XXXXXX";
    path = ::mkdtemp(name);
  }
  ~Folder() {
    for (const char* name : {"video7", "video07x", "video", "null", "video12"}) ::unlink((path + "/" + name).c_str());
    ::rmdir(path.c_str());
  }
  void make(const char* name) const { ::close(::open((path + "/" + name).c_str(), O_CREAT | O_WRONLY, 0600)); }
};

struct Heard {
  std::mutex mutex;
  std::condition_variable more;
  std::vector<std::pair<std::string, bool>> all;

  DeviceWatch::Changed listener() {
    return [this](const std::string& path, bool present) {
      const std::lock_guard<std::mutex> lock(mutex);
      all.emplace_back(path, present);
      more.notify_all();
    };
  }
  bool wait_for(size_t count) {
    std::unique_lock<std::mutex> lock(mutex);
    return more.wait_for(lock, std::chrono::seconds(20), [&] { return all.size() >= count; });
  }
};

}  // namespace

TEST(nodes_that_come_and_go_are_told) {
  const Folder folder;
  Heard heard;
  auto watch = DeviceWatch::start(folder.path, heard.listener());
  CHECK(watch.ok());
  if (!watch.ok()) return;
  for (const char* name : {"null", "video", "video07x"}) folder.make(name);  // no cameras
  folder.make("video7");
  ::chmod((folder.path + "/video7").c_str(), 0660);
  CHECK(heard.wait_for(2));
  ::rename((folder.path + "/null").c_str(), (folder.path + "/video12").c_str());
  ::unlink((folder.path + "/video7").c_str());
  CHECK(heard.wait_for(4));
  watch.value().reset();
  const std::string seven = folder.path + "/video7";
  const std::vector<std::pair<std::string, bool>> wanted = {
      {seven, true}, {seven, true}, {folder.path + "/video12", true}, {seven, false}};
  CHECK(heard.all == wanted);
}

TEST(nothing_is_told_after_the_end) {
  const Folder folder;
  Heard heard;
  auto watch = DeviceWatch::start(folder.path, heard.listener());
  CHECK(watch.ok());
  if (!watch.ok()) return;
  folder.make("video7");
  CHECK(heard.wait_for(1));
  watch.value().reset();
  const size_t told = heard.all.size();
  folder.make("video12");
  CHECK_EQ(heard.all.size(), told);
}

TEST(a_folder_that_is_not_there) {
  const auto watch = DeviceWatch::start("/no/such/folder", [](const std::string&, bool) {});
  CHECK(!watch.ok());
  CHECK(watch.status().code() == Code::kNotFound);
}

#else
TEST(watching_needs_linux) { SKIP("not Linux"); }
#endif

TEST_MAIN()
