// What the processor can do, asked once, and the SIMD level that kernels use.
#pragma once

#include <string>
#include <vector>

namespace lineament {

enum class Simd { kScalar, kAvx2, kAvx512, kNeon };

const char* simd_name(Simd level);

// Highest level that the processor and the operating system support (CPUID and XGETBV on x86; NEON is baseline on
// AArch64).
Simd detected_simd();

// The level in use: detected_simd(), lowered by the environment variable LINEAMENT_SIMD (scalar, avx2, avx512, neon),
// read once. An unknown or unsupported value leaves the detected level.
Simd active_simd();

// Names of the features that matter to kernels here: "avx2", "fma", "f16c", "avx512f", …
std::vector<std::string> cpu_features();

// "x64", "arm64", … as Node names it.
const char* cpu_arch();

// Logical processors this process may run on (affinity respected), at least 1.
int usable_cores();

}  // namespace lineament
