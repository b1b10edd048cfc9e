#include "depth/sensor.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr size_t kPart = size_t{1} << 18;

template <typename F>
Status each(size_t count, Executor& executor, const CancelToken* token, const F& work) {
  return spread(executor, (count + kPart - 1) / kPart, [&](size_t part) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    for (size_t i = part * kPart; i < std::min(count, (part + 1) * kPart); ++i) work(i);
    return Status();
  });
}

bool positive(double v) { return v > 0 && std::isfinite(v); }

}  // namespace

Status depth_from_steps(const uint16_t* steps, size_t count, const SensorOptions& options, Executor& executor,
                        const CancelToken* token, float* out) {
  if (!positive(options.unit) || !(options.near >= 0) || !(options.far > options.near) || options.unit > 1e6)
    return Status(Code::kInvalidArgument, "Expected a unit above zero and a range that is not empty");
  return each(count, executor, token, [&](size_t i) {
    const auto z = static_cast<float>(steps[i] * options.unit);
    out[i] = z > 0 && z >= options.near && z <= options.far ? z : std::numeric_limits<float>::quiet_NaN();
  });
}

Status steps_from_depth(const float* depth, size_t count, double unit, Executor& executor, const CancelToken* token,
                        uint16_t* out) {
  if (!positive(unit)) return Status(Code::kInvalidArgument, "Expected a unit above zero");
  return each(count, executor, token, [&](size_t i) {
    const double steps = std::round(depth[i] / unit);
    out[i] = steps >= 1 && steps <= 65535 ? static_cast<uint16_t>(steps) : uint16_t{0};  // NaN: 0
  });
}

}  // namespace lineament
