#include "core/cpu.h"

#include <cstdlib>
#include <cstring>
#include <thread>

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__x86_64__) || defined(_M_X64)
#define LINEAMENT_X64 1
#if defined(_MSC_VER)
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace lineament {
namespace {

#if defined(LINEAMENT_X64)
struct X86 {
  bool avx2 = false, fma = false, f16c = false, avx512f = false, avx512bw = false, avx512vl = false, avx512dq = false,
       vnni = false;
};

void cpuid(unsigned leaf, unsigned sub, unsigned out[4]) {
#if defined(_MSC_VER)
  int regs[4];
  __cpuidex(regs, static_cast<int>(leaf), static_cast<int>(sub));
  for (int i = 0; i < 4; ++i) out[i] = static_cast<unsigned>(regs[i]);
#else
  __cpuid_count(leaf, sub, out[0], out[1], out[2], out[3]);
#endif
}

unsigned long long xgetbv0() {
#if defined(_MSC_VER)
  return _xgetbv(0);
#else
  unsigned lo = 0, hi = 0;
  __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
  return (static_cast<unsigned long long>(hi) << 32) | lo;
#endif
}

X86 probe() {
  X86 x;
  unsigned r[4];
  cpuid(0, 0, r);
  if (r[0] < 7) return x;
  cpuid(1, 0, r);
  const bool osxsave = (r[2] >> 27) & 1;
  if (!osxsave) return x;
  const unsigned long long xcr0 = xgetbv0();
  const bool ymm = (xcr0 & 0x6) == 0x6;    // SSE and AVX state saved by the OS
  const bool zmm = (xcr0 & 0xe6) == 0xe6;  // and opmask, upper ZMM
  x.fma = ymm && ((r[2] >> 12) & 1);
  x.f16c = ymm && ((r[2] >> 29) & 1);
  cpuid(7, 0, r);
  x.avx2 = ymm && ((r[1] >> 5) & 1);
  x.avx512f = zmm && ((r[1] >> 16) & 1);
  x.avx512dq = zmm && ((r[1] >> 17) & 1);
  x.avx512bw = zmm && ((r[1] >> 30) & 1);
  x.avx512vl = zmm && ((r[1] >> 31) & 1);
  x.vnni = zmm && ((r[2] >> 11) & 1);
  return x;
}

const X86& x86() {
  static const X86 value = probe();
  return value;
}
#endif

Simd choose() {
  const Simd best = detected_simd();
  const char* wanted = std::getenv("LINEAMENT_SIMD");
  if (wanted == nullptr) return best;
  if (std::strcmp(wanted, "scalar") == 0) return Simd::kScalar;
  if (std::strcmp(wanted, "avx2") == 0 && (best == Simd::kAvx2 || best == Simd::kAvx512)) return Simd::kAvx2;
  return best;
}

}  // namespace

const char* simd_name(Simd level) {
  switch (level) {
    case Simd::kScalar:
      return "scalar";
    case Simd::kAvx2:
      return "avx2";
    case Simd::kAvx512:
      return "avx512";
    case Simd::kNeon:
      return "neon";
  }
  return "scalar";
}

Simd detected_simd() {
#if defined(LINEAMENT_X64)
  const X86& x = x86();
  if (!(x.avx2 && x.fma && x.f16c)) return Simd::kScalar;
  return x.avx512f && x.avx512bw && x.avx512vl && x.avx512dq ? Simd::kAvx512 : Simd::kAvx2;
#elif defined(__aarch64__) || defined(_M_ARM64)
  return Simd::kNeon;
#else
  return Simd::kScalar;
#endif
}

Simd active_simd() {
  static const Simd level = choose();
  return level;
}

std::vector<std::string> cpu_features() {
  std::vector<std::string> names;
#if defined(LINEAMENT_X64)
  const X86& x = x86();
  if (x.avx2) names.push_back("avx2");
  if (x.fma) names.push_back("fma");
  if (x.f16c) names.push_back("f16c");
  if (x.avx512f) names.push_back("avx512f");
  if (x.avx512bw) names.push_back("avx512bw");
  if (x.avx512vl) names.push_back("avx512vl");
  if (x.avx512dq) names.push_back("avx512dq");
  if (x.vnni) names.push_back("avx512vnni");
#elif defined(__aarch64__) || defined(_M_ARM64)
  names.push_back("neon");
#endif
  return names;
}

const char* cpu_arch() {
#if defined(LINEAMENT_X64)
  return "x64";
#elif defined(__aarch64__) || defined(_M_ARM64)
  return "arm64";
#else
  return "unknown";
#endif
}

int usable_cores() {
#if defined(__linux__)
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    const int n = CPU_COUNT(&set);
    if (n > 0) return n;
  }
#endif
  const unsigned n = std::thread::hardware_concurrency();
  return n > 0 ? static_cast<int>(n) : 1;
}

}  // namespace lineament
