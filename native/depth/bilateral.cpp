#include "depth/bilateral.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/cpu.h"
#include "core/spread.h"
#include "depth/bilateral_body.h"
#include "depth/bilateral_kernel.h"

namespace lineament {
namespace {

constexpr int kBand = 16;  // rows

BilateralKernel kernel() {
#if defined(__x86_64__) || defined(_M_X64)
  if (active_simd() == Simd::kAvx2 || active_simd() == Simd::kAvx512) return bilateral_row_avx2;
#endif
  return bilateral_row_plain;
}

}  // namespace

Result<BilateralWeights> bilateral_weights(const BilateralOptions& options) {
  const auto positive = [](double v) { return v > 0 && std::isfinite(v); };
  if (options.radius < 1 || options.radius > kMostBilateralRadius || !positive(options.spatial) ||
      !positive(options.range))
    return Status(Code::kInvalidArgument, "Expected a radius of 1 to 16 pixels, a spread and a range above zero");
  const double inverse = 1 / (options.range * options.range);
  if (!(inverse > 0 && inverse < 1e30)) return Status(Code::kInvalidArgument, "The range is too small or too large");
  const int side = 2 * options.radius + 1;
  std::vector<float> weights(static_cast<size_t>(side) * static_cast<size_t>(side));
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const double dx = x - options.radius, dy = y - options.radius;
      const double exponent = -(dx * dx + dy * dy) / (2 * options.spatial * options.spatial);
      weights[static_cast<size_t>(y * side + x)] = static_cast<float>(std::exp(exponent));
    }
  }
  return BilateralWeights{std::move(weights), static_cast<float>(inverse)};
}

void bilateral_row_plain(const BilateralRow& row) {
  for (size_t k = 0; k < row.taps; ++k) {
    const float spatial = row.spatial[k];
    for (size_t i = 0; i < row.count; ++i) {
      bilateral_tap(row.pixels[i], row.beside[i + k], spatial, row.inverse_range, row.weights + i, row.differences + i);
    }
  }
}

Status filter_depth(const float* depth, int width, int height, const BilateralOptions& options, Executor& executor,
                    const CancelToken* token, float* out) {
  if (width < 1 || height < 1) return Status(Code::kInvalidArgument, "Expected sides above zero");
  const Result<BilateralWeights> made = bilateral_weights(options);
  if (!made.ok()) return made.status();
  const std::vector<float>& spatial = made.value().spatial;
  const float inverse = made.value().inverse_range;
  const int r = options.radius, side = 2 * r + 1;
  const auto columns = static_cast<size_t>(width);
  const BilateralKernel add_row = kernel();
  const auto bands = static_cast<size_t>((height + kBand - 1) / kBand);
  return spread(executor, bands, [&](size_t band) {
    std::vector<float> weights(columns), differences(columns);
    const int end = std::min(height, (static_cast<int>(band) + 1) * kBand);
    for (int y = static_cast<int>(band) * kBand; y < end; ++y) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
      const float* row = depth + static_cast<size_t>(y) * columns;
      float* to = out + static_cast<size_t>(y) * columns;
      const int inner = width - 2 * r;  // pixels whose window lies within the row
      if (inner > 0) {
        std::fill(weights.begin(), weights.end(), 0.0F);
        std::fill(differences.begin(), differences.end(), 0.0F);
        const auto count = static_cast<size_t>(inner);
        for (int dy = std::max(-r, -y); dy <= std::min(r, height - 1 - y); ++dy) {
          const float* beside = depth + static_cast<size_t>(y + dy) * columns;
          add_row({row + r, beside, count, spatial.data() + (dy + r) * side, static_cast<size_t>(side), inverse,
                   weights.data(), differences.data()});
        }
        for (size_t i = 0; i < count; ++i)
          to[static_cast<size_t>(r) + i] =
              bilateral_result(row[static_cast<size_t>(r) + i], weights[i], differences[i]);
      }
      for (int x = 0; x < width; ++x) {
        if (inner > 0 && x == r) x = width - r;
        to[x] = bilateral_pixel(depth, width, height, x, y, r, spatial.data(), inverse);
      }
    }
    return Status();
  });
}

}  // namespace lineament
