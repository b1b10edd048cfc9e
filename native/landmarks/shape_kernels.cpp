#include "landmarks/shape_kernels.h"

#include <atomic>

#include "image/kernels_select.h"
#include "landmarks/shape_kernels_select.h"

namespace lineament {
namespace {

void add_f32(const float* const* rows, size_t count, size_t values, float* sums) {
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const float *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
    for (size_t k = 0; k < values; ++k) sums[k] = sums[k] + a[k] + b[k] + c[k] + d[k];
  }
  for (; r < count; ++r) {
    for (size_t k = 0; k < values; ++k) sums[k] += rows[r][k];
  }
}

void add_i16(const int16_t* const* rows, const uint8_t* shifts, size_t count, size_t values, int32_t* sums) {
  for (size_t k = 0; k < values; ++k) sums[k] = 0;
  size_t r = 0;
  for (; r + 4 <= count; r += 4) {
    const int16_t *a = rows[r], *b = rows[r + 1], *c = rows[r + 2], *d = rows[r + 3];
    const int32_t fa = 1 << shifts[r], fb = 1 << shifts[r + 1], fc = 1 << shifts[r + 2], fd = 1 << shifts[r + 3];
    for (size_t k = 0; k < values; ++k) sums[k] += a[k] * fa + b[k] * fb + c[k] * fc + d[k] * fd;
  }
  for (; r < count; ++r) {
    const int32_t f = 1 << shifts[r];
    for (size_t k = 0; k < values; ++k) sums[k] += rows[r][k] * f;
  }
}

}  // namespace

const ShapeKernels kShapeKernelsScalar = {add_f32, add_i16};

namespace {

struct Tables {
  ShapeKernels scalar = kShapeKernelsScalar;
  ShapeKernels best = kShapeKernelsScalar;
  Tables() {
    switch (detected_simd()) {
      case Simd::kAvx2:
      case Simd::kAvx512:
#if defined(__x86_64__) || defined(_M_X64)
        shape_kernels_avx2(&best);
#endif
        break;
      case Simd::kNeon:
#if defined(__aarch64__) || defined(_M_ARM64)
        shape_kernels_neon(&best);
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

std::atomic<const ShapeKernels*> g_active{nullptr};

}  // namespace

const ShapeKernels& shape_kernels_for(Simd level) { return level == Simd::kScalar ? tables().scalar : tables().best; }

const ShapeKernels& shape_kernels() {
  const ShapeKernels* active = g_active.load(std::memory_order_acquire);
  if (active == nullptr) {
    active = &shape_kernels_for(active_simd());
    g_active.store(active, std::memory_order_release);
  }
  return *active;
}

bool force_shape_simd(Simd level) {
  Simd levels[4];
  const int n = available_image_simd(levels);
  for (int i = 0; i < n; ++i) {
    if (levels[i] != level) continue;
    g_active.store(&shape_kernels_for(level), std::memory_order_release);
    return true;
  }
  return false;
}

}  // namespace lineament
