// Tables of functions for SIMD levels: one for scalar code, one for the best level of this build and processor, and the
// one in use.
#pragma once

#include <atomic>

#include "core/cpu.h"

namespace lineament {

// The level whose kernels serve this one: machines with AVX-512 run the AVX2 kernels.
inline Simd kernel_level(Simd level) { return level == Simd::kAvx512 ? Simd::kAvx2 : level; }

// The levels whose kernels this build and this processor can run, scalar first; gives their number.
inline int available_simd(Simd levels[2]) {
  levels[0] = Simd::kScalar;
  levels[1] = kernel_level(detected_simd());
  return levels[1] == Simd::kScalar ? 1 : 2;
}

template <typename Kernels>
class Dispatch {
 public:
  // `improve` writes the functions that a level has over the scalar ones.
  Dispatch(const Kernels& scalar, void (*improve)(Kernels* kernels, Simd level)) : scalar_(scalar), best_(scalar) {
    improve(&best_, kernel_level(detected_simd()));
    active_ = &at(active_simd());
  }
  Dispatch(const Dispatch&) = delete;
  Dispatch& operator=(const Dispatch&) = delete;

  const Kernels& active() const { return *active_.load(std::memory_order_acquire); }
  const Kernels& at(Simd level) const { return level == Simd::kScalar ? scalar_ : best_; }

  // From now on active() gives this level's table. Levels that cannot run here are refused (false).
  bool force(Simd level) {
    Simd levels[2];
    const int count = available_simd(levels);
    for (int i = 0; i < count; ++i) {
      if (levels[i] != level) continue;
      active_.store(&at(level), std::memory_order_release);
      return true;
    }
    return false;
  }

 private:
  const Kernels scalar_;
  Kernels best_;
  std::atomic<const Kernels*> active_{nullptr};
};

}  // namespace lineament
