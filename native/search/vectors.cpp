#include "search/vectors.h"

#include <cmath>

#include "search/kernels.h"

namespace lineament {

bool normalise(const float* vector, size_t dims, float* out) {
  double sum = 0;
  float largest = 0;
  for (size_t i = 0; i < dims; ++i) {
    if (!std::isfinite(vector[i])) return false;
    largest = std::fmax(largest, std::fabs(vector[i]));
  }
  if (largest == 0) return false;
  for (size_t i = 0; i < dims; ++i) {
    const double v = static_cast<double>(vector[i]) / largest;  // no over- or underflow of the squares
    sum += v * v;
  }
  const double factor = 1 / (std::sqrt(sum) * largest);
  if (std::isfinite(factor)) {
    for (size_t i = 0; i < dims; ++i) out[i] = static_cast<float>(vector[i] * factor);
  } else {
    for (size_t i = 0; i < dims; ++i) out[i] = static_cast<float>(vector[i] / (std::sqrt(sum) * largest));
  }
  return true;
}

void to_half(const float* values, size_t count, uint16_t* out) { search_kernels().to_half(values, count, out); }
void from_half(const uint16_t* values, size_t count, float* out) { search_kernels().from_half(values, count, out); }

}  // namespace lineament
