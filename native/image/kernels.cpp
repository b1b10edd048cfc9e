#include "image/kernels.h"

#include "core/dispatch.h"
#include "image/kernels_select.h"

namespace lineament {
namespace {

Dispatch<ImageKernels>& dispatch() {
  static Dispatch<ImageKernels> kernels(kImageKernelsScalar, [](ImageKernels* best, [[maybe_unused]] Simd level) {
    (void)best;
#if defined(__x86_64__) || defined(_M_X64)
    if (level == Simd::kAvx2) image_kernels_avx2(best);
#elif defined(__aarch64__) || defined(_M_ARM64)
    if (level == Simd::kNeon) image_kernels_neon(best);
#endif
  });
  return kernels;
}

}  // namespace

const ImageKernels& image_kernels() { return dispatch().active(); }
const ImageKernels& image_kernels_for(Simd level) { return dispatch().at(level); }
bool force_image_simd(Simd level) { return dispatch().force(level); }

}  // namespace lineament
