#include "cloud/kernels.h"

#include "core/cpu.h"
#include "core/dispatch.h"

namespace lineament {
namespace {

void squared(const float* x, const float* y, const float* z, size_t count, const float* q, float* out) {
  for (size_t i = 0; i < count; ++i) {
    const float dx = x[i] - q[0], dy = y[i] - q[1], dz = z[i] - q[2];
    out[i] = (dx * dx + dy * dy) + dz * dz;
  }
}

size_t at_most(const float* values, size_t count, float limit) {
  uint32_t found = 0;
  for (size_t i = 0; i < count; ++i) found += values[i] <= limit ? 1U : 0U;
  return found;
}

size_t pick(const float* values, size_t count, float limit, uint32_t* out) {
  size_t found = 0;
  for (size_t i = 0; i < count; ++i) {
    out[found] = static_cast<uint32_t>(i);
    found += values[i] <= limit ? 1 : 0;
  }
  return found;
}

void improve(CloudKernels* kernels, Simd level) {
#if defined(__x86_64__) || defined(_M_X64)
  if (level == Simd::kAvx2) cloud_kernels_avx2(kernels);
#else
  (void)kernels, (void)level;
#endif
}

const Dispatch<CloudKernels>& tables() {
  static const Dispatch<CloudKernels> all(kCloudKernelsScalar, improve);
  return all;
}

}  // namespace

const CloudKernels kCloudKernelsScalar = {squared, at_most, pick};

const CloudKernels& cloud_kernels() { return tables().active(); }
const CloudKernels& cloud_kernels_best() { return tables().at(kernel_level(detected_simd())); }

}  // namespace lineament
