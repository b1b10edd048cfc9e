// The driver's numbers, from libraries that answer as the driver does, or should not. CMake names them.
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "inference/dynamic_library.h"
#include "inference/nvml.h"
#include "tests/check.h"

using namespace lineament;

namespace {

constexpr uint64_t kMiB = 1u << 20;

// Until the end of the block.
struct Answers {
  explicit Answers(const char* how) { set(how); }
  ~Answers() { set(""); }
  static void set(const char* how) {
#if defined(_WIN32)
    _putenv_s("LINEAMENT_FAKE_NVML", how);
#else
    setenv("LINEAMENT_FAKE_NVML", how, 1);
#endif
  }
};

GpuReport ask(const char* how, const char* library = LINEAMENT_FAKE_NVML) {
  const Answers answers(how);
  return gpu_report(library);
}

// How many of the library's openings were not closed again.
int still_open() {
  std::string error;
  void* const library = load_library(LINEAMENT_FAKE_NVML, &error);
  const auto count = reinterpret_cast<int (*)()>(find_symbol(library, "fake_nvml_open"));
  return count();
}

void check_both(const GpuReport& report) {
  CHECK_EQ(std::string(gpu_state_name(report.state)), "ready");
  CHECK_EQ(report.problem, "");
  CHECK_EQ(report.devices.size(), 2u);
  if (report.devices.size() != 2) return;
  CHECK_EQ(report.devices[0].name, "NVIDIA H200");
  CHECK_EQ(report.devices[0].total, 143771 * kMiB);
  CHECK_EQ(report.devices[0].free, 143201 * kMiB);
  CHECK_EQ(report.devices[0].used, 570 * kMiB);
  CHECK_EQ(report.devices[1].name, "NVIDIA L4");
  CHECK_EQ(report.devices[1].free, 11034 * kMiB);
}

}  // namespace

TEST(two_devices) {
  const GpuReport report = ask("");
  check_both(report);
  CHECK_EQ(report.path, LINEAMENT_FAKE_NVML);
  CHECK_EQ(report.driver, "570.133.20");
  CHECK_EQ(report.devices[0].uuid, "GPU-00000000-0000-0000-0000-000000000001");
  CHECK_EQ(still_open(), 0);
}

TEST(names_of_the_first_version) {
  const GpuReport report = ask("", LINEAMENT_FAKE_NVML_OLD);
  check_both(report);
  CHECK_EQ(report.driver, "570.133.20");
}

TEST(functions_that_may_be_missing) {
  const GpuReport report = ask("", LINEAMENT_FAKE_NVML_BARE);
  check_both(report);
  CHECK_EQ(report.driver, "");
  CHECK_EQ(report.devices[0].uuid, "");
  CHECK_EQ(ask("no driver", LINEAMENT_FAKE_NVML_BARE).problem, "NVML error 9");
}

TEST(a_function_that_is_needed_is_missing) {
  const GpuReport report = ask("", LINEAMENT_FAKE_NVML_PARTIAL);
  CHECK_EQ(std::string(gpu_state_name(report.state)), "unusable");
  CHECK(report.problem.ends_with("has no function nvmlDeviceGetMemoryInfo"));
  CHECK(report.devices.empty());
}

TEST(drivers_that_do_not_serve) {
  const GpuReport absent = ask("no driver");
  CHECK(absent.state == GpuState::kNoDriver);
  CHECK_EQ(absent.problem, "Driver Not Loaded (NVML error 9)");
  CHECK(ask("mismatch").state == GpuState::kNoDriver);
  const GpuReport unknown = ask("unknown");
  CHECK(unknown.state == GpuState::kFailed);
  CHECK_EQ(unknown.problem, "NVML error 999");
  const GpuReport forbidden = ask("no permission");
  CHECK(forbidden.state == GpuState::kFailed);
  CHECK_EQ(forbidden.problem, "Insufficient Permissions (NVML error 4)");
  CHECK_EQ(still_open(), 0);
}

TEST(no_device_and_too_many) {
  CHECK(ask("no device").state == GpuState::kNoDevice);
  const GpuReport absurd = ask("absurd");
  CHECK(absurd.state == GpuState::kFailed);
  CHECK(absurd.devices.empty());
  CHECK_EQ(still_open(), 0);
}

TEST(one_device_of_two_fails) {
  for (const char* how : {"lost", "unsupported", "impossible", "empty"}) {
    const GpuReport report = ask(how);
    CHECK(report.state == GpuState::kReady);
    CHECK_EQ(report.devices.size(), 2u);
    if (report.devices.size() != 2) continue;
    CHECK_EQ(report.devices[0].problem, "");
    CHECK_EQ(report.devices[0].free, 143201 * kMiB);
    CHECK(!report.devices[1].problem.empty());
    CHECK_EQ(report.devices[1].total, 0u);
    CHECK_EQ(report.devices[1].free, 0u);
  }
  CHECK_EQ(ask("lost").devices[1].problem, "GPU is lost (NVML error 15)");
}

TEST(names_without_end_or_none) {
  const GpuReport endless = ask("endless");
  CHECK(endless.state == GpuState::kReady);
  CHECK_EQ(endless.devices[0].name, std::string(96, 'x'));
  CHECK_EQ(endless.devices[0].free, 143201 * kMiB);
  CHECK_EQ(ask("nameless").devices[0].name, "");
}

TEST(files_that_are_no_library) {
  const GpuReport nowhere = gpu_report("/nowhere/libnvidia-ml.so.1");
  CHECK(nowhere.state == GpuState::kNoLibrary);
  CHECK(!nowhere.problem.empty());
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "lineament-no-nvml.so";
  std::ofstream(file) << "no library";
  CHECK(gpu_report(file.string()).state == GpuState::kUnusable);
  // The loader would end the process at the first touch of the missing part.
  std::ifstream whole(LINEAMENT_FAKE_NVML, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(whole)), std::istreambuf_iterator<char>());
  std::ofstream(file, std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  CHECK(gpu_report(file.string()).state == GpuState::kUnusable);
  std::filesystem::remove(file);
}

TEST(the_drivers_own_library) {
  const GpuReport report = gpu_report("");
  if (report.state == GpuState::kNoLibrary) SKIP("there is no NVIDIA driver here");
  if (report.state != GpuState::kReady) return;
  for (const GpuDevice& device : report.devices) CHECK(device.free <= device.total);
}

TEST(several_threads_ask) {
  std::vector<std::thread> threads;
  std::vector<GpuReport> last(4);
  for (GpuReport& report : last) {
    threads.emplace_back([&report] {
      for (int i = 0; i < 50; ++i) report = gpu_report(LINEAMENT_FAKE_NVML);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const GpuReport& report : last) check_both(report);
  CHECK_EQ(still_open(), 0);
}

TEST_MAIN()
