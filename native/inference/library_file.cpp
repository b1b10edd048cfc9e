#include "inference/library_file.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

namespace lineament {

namespace {

// Numbers of the System V ABI's ELF header (e_machine) and of its fields' offsets in the 64-bit, little-endian form.
constexpr uint16_t kElfX64 = 62;
constexpr uint16_t kElfArm64 = 183;
constexpr uint32_t kSegmentLoad = 1;

#if defined(__aarch64__) || defined(_M_ARM64)
constexpr bool kArm64 = true;
#else
constexpr bool kArm64 = false;
#endif
constexpr const char* kMachine = kArm64 ? "arm64" : "x64";

std::string machine_name(uint16_t machine) {
  switch (machine) {
    case 3:
      return "x86 (32 bit)";
    case 40:
      return "arm (32 bit)";
    case kElfX64:
      return "x64";
    case kElfArm64:
      return "arm64";
    case 243:
      return "riscv64";
    default:
      return "machine " + std::to_string(machine);
  }
}

template <typename T>
T at(const unsigned char* bytes, size_t offset) {
  T value;
  std::memcpy(&value, bytes + offset, sizeof(T));
  return value;
}

Status incompatible(const std::string& path, const std::string& why) {
  return Status(
      Code::kRuntimeIncompatible,
      path + " " + why + "; install onnxruntime-node (or this package's platform package) for " + kMachine + " again");
}

Status check_elf(const std::string& path, std::ifstream& file, uint64_t size, const unsigned char* head) {
  if (head[4] != 2 || head[5] != 1) return incompatible(path, "is not a 64-bit little-endian library");
  const uint16_t machine = at<uint16_t>(head, 18);
  if (machine != (kArm64 ? kElfArm64 : kElfX64)) {
    return incompatible(path, "is built for " + machine_name(machine) + ", this process is " + kMachine);
  }
  const uint64_t segments = at<uint64_t>(head, 32);
  const uint64_t sections = at<uint64_t>(head, 40);
  const uint64_t segment_size = at<uint16_t>(head, 54);
  const uint64_t segment_count = at<uint16_t>(head, 56);
  const uint64_t section_bytes = uint64_t{at<uint16_t>(head, 58)} * at<uint16_t>(head, 60);
  const std::string cut = "is truncated (" + std::to_string(size) + " bytes)";
  const auto fits = [size](uint64_t offset, uint64_t bytes) { return offset <= size && bytes <= size - offset; };
  if (segment_count == 0 || segment_size < 56 || !fits(segments, segment_size * segment_count) ||
      !fits(sections, section_bytes)) {
    return incompatible(path, cut);
  }
  std::vector<unsigned char> table(static_cast<size_t>(segment_size * segment_count));
  file.seekg(static_cast<std::streamoff>(segments));
  if (!file.read(reinterpret_cast<char*>(table.data()), static_cast<std::streamsize>(table.size()))) {
    return incompatible(path, cut);
  }
  for (uint64_t i = 0; i < segment_count; ++i) {
    const unsigned char* segment = table.data() + i * segment_size;
    if (at<uint32_t>(segment, 0) == kSegmentLoad && !fits(at<uint64_t>(segment, 8), at<uint64_t>(segment, 32))) {
      return incompatible(path, cut);
    }
  }
  return Status();
}

}  // namespace

Status check_library_file(const std::string& path) {
  std::error_code error;
  const std::filesystem::file_status status = std::filesystem::status(path, error);
  if (!std::filesystem::is_regular_file(status)) {
    return Status(Code::kRuntimeNotFound, "There is no ONNX Runtime library at " + path +
                                              (std::filesystem::exists(status) ? " (it is not a file)" : "") +
                                              "; install onnxruntime-node or this package's platform package");
  }
  const uint64_t size = std::filesystem::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) return Status(Code::kRuntimeNotFound, "The ONNX Runtime library " + path + " cannot be read");
  std::array<unsigned char, 64> head{};
  file.read(reinterpret_cast<char*>(head.data()), static_cast<std::streamsize>(head.size()));
  if (!file) return incompatible(path, "is truncated (" + std::to_string(size) + " bytes)");

#if defined(__linux__)
  if (std::memcmp(head.data(),
                  "\x7f"
                  "ELF",
                  4) != 0)
    return incompatible(path, "is not a Linux shared library");
  return check_elf(path, file, size, head.data());
#elif defined(__APPLE__)
  const uint32_t magic = at<uint32_t>(head.data(), 0);
  constexpr uint32_t kUniversal = 0xbebafeca;
  constexpr uint32_t kThin64 = 0xfeedfacf;
  if (magic != kUniversal && magic != kThin64) return incompatible(path, "is not a macOS shared library");
  if (magic == kThin64 && at<uint32_t>(head.data(), 4) != (kArm64 ? 0x0100000cu : 0x01000007u)) {
    return incompatible(path, std::string("is not built for ") + kMachine);
  }
  (void)check_elf;
  return Status();
#else
  if (head[0] != 'M' || head[1] != 'Z') return incompatible(path, "is not a Windows library");
  (void)check_elf;
  return Status();
#endif
}

}  // namespace lineament
