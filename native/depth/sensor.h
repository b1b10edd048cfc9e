// Depth cameras and networks.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/cancel.h"
#include "core/executor.h"
#include "depth/depth_map.h"

namespace lineament {

struct SensorOptions {
  double unit = 1;                // millimetres for a step; 0 steps are no depth
  double near = 0, far = 100000;  // millimetres; depth outside is none
};

// 16-bit steps to millimetres. kInvalidArgument, kAborted.
Status depth_from_steps(const uint16_t* steps, size_t count, const SensorOptions& options, Executor& executor,
                        const CancelToken* token, float* out);

// Millimetres to 16-bit steps, rounded; NaN and what is beyond 65535 steps, or rounds to 0, gives 0.
Status steps_from_depth(const float* depth, size_t count, double unit, Executor& executor, const CancelToken* token,
                        uint16_t* out);

}  // namespace lineament
