#include "image/kernels.h"

#include <atomic>

#include "image/kernels_select.h"

namespace lineament {
namespace {

struct Tables {
  ImageKernels scalar = kImageKernelsScalar;
  ImageKernels best = kImageKernelsScalar;
  Tables() {
    switch (detected_simd()) {
      case Simd::kAvx2:
      case Simd::kAvx512:
#if defined(__x86_64__) || defined(_M_X64)
        image_kernels_avx2(&best);
#endif
        break;
      case Simd::kNeon:
#if defined(__aarch64__) || defined(_M_ARM64)
        image_kernels_neon(&best);
#endif
        break;
      case Simd::kScalar:
        break;
    }
  }
};

const Tables& tables() {
  static const Tables t;
  return t;
}

std::atomic<const ImageKernels*> g_active{nullptr};

}  // namespace

const ImageKernels& image_kernels_for(Simd level) { return level == Simd::kScalar ? tables().scalar : tables().best; }

const ImageKernels& image_kernels() {
  const ImageKernels* active = g_active.load(std::memory_order_acquire);
  if (active == nullptr) {
    active = &image_kernels_for(active_simd());
    g_active.store(active, std::memory_order_release);
  }
  return *active;
}

int available_image_simd(Simd levels[4]) {
  int n = 0;
  levels[n++] = Simd::kScalar;
  const Simd detected = detected_simd();
  if (detected == Simd::kAvx2 || detected == Simd::kAvx512) levels[n++] = Simd::kAvx2;
  if (detected == Simd::kNeon) levels[n++] = Simd::kNeon;
  return n;
}

bool force_image_simd(Simd level) {
  Simd levels[4];
  const int n = available_image_simd(levels);
  for (int i = 0; i < n; ++i) {
    if (levels[i] != level) continue;
    g_active.store(&image_kernels_for(level), std::memory_order_release);
    return true;
  }
  return false;
}

}  // namespace lineament
