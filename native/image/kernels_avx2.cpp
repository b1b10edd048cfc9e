// Kernels for x86-64 with AVX2, FMA and F16C. Compiled with those flags: intrinsics and C-like code only, nothing inline
// from elsewhere, or the linker could keep a copy of it that other machines cannot run.
#include "image/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)

namespace lineament {
void image_kernels_avx2(ImageKernels* table) { (void)table; }
}  // namespace lineament

#endif
