// Kernels for AArch64, where NEON is part of the baseline. Elsewhere this file is empty.
#include "image/kernels.h"

#if defined(__aarch64__) || defined(_M_ARM64)

namespace lineament {
void image_kernels_neon(ImageKernels* table) { (void)table; }
}  // namespace lineament

#endif
