// Shared by the files compiled for AVX2 and FMA. Those hold intrinsics and C-like code only, nothing inline from
// elsewhere, or the linker could keep a copy of it that other machines cannot run (native/tests/check-isa-symbols.sh).
#pragma once

#include <immintrin.h>

#include "image/kernels.h"

#if defined(_MSC_VER)
#define ALWAYS_INLINE static __forceinline
#else
#define ALWAYS_INLINE static inline __attribute__((always_inline))
#endif

namespace lineament {

// Each fills its part of the table.
void avx2_sampling(ImageKernels* table);
void avx2_pixels(ImageKernels* table);

}  // namespace lineament
