#include "landmarks/shape_kernels.h"

#include "core/dispatch.h"
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

Dispatch<ShapeKernels>& dispatch() {
  static Dispatch<ShapeKernels> kernels(kShapeKernelsScalar, [](ShapeKernels* best, [[maybe_unused]] Simd level) {
    (void)best;
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Simd::kAvx2) shape_kernels_avx2(best);
#elif defined(__aarch64__) || defined(_M_ARM64)
    if (level == Simd::kNeon) shape_kernels_neon(best);
#endif
  });
  return kernels;
}

}  // namespace

const ShapeKernels& shape_kernels() { return dispatch().active(); }
const ShapeKernels& shape_kernels_for(Simd level) { return dispatch().at(level); }
bool force_shape_simd(Simd level) { return dispatch().force(level); }

}  // namespace lineament
