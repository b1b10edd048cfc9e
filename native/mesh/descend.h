// Distances found by walking over a surface.
#pragma once

#include <limits>

#include "mesh/closest.h"
#include "mesh/connectivity.h"

namespace lineament {

// Squared distance of x from the triangles around `point`, or around those that are met when going towards nearer ones:
// never less than the distance from the whole surface, and the same where the way leads down to it.
template <typename Place>
float descend(const Place& place, const uint32_t* corners, const Stars& stars, Vec3 x, uint32_t point) {
  constexpr int kMostSteps = 64;
  float best = std::numeric_limits<float>::infinity();
  for (int step = 0; step < kMostSteps; ++step) {
    uint32_t next = kNoVertex;
    for (uint32_t i = stars.begin[point]; i < stars.begin[point + 1]; ++i) {
      const uint32_t* c = corners + 3 * size_t{stars.triangles[i]};
      const Closest found = closest_on_triangle(x, place(c[0]), place(c[1]), place(c[2]));
      if (!(found.squared < best)) continue;
      best = found.squared;
      // Where the nearest place lies on the rim of these triangles, there may be a nearer one beyond.
      const float weights[3] = {found.a, found.b, found.c};
      const int mine = c[0] == point ? 0 : c[1] == point ? 1 : 2;
      const int one = (mine + 1) % 3, two = (mine + 2) % 3;
      next = weights[mine] > 0 ? kNoVertex : weights[one] > weights[two] ? c[one] : c[two];
    }
    if (next == kNoVertex) break;
    point = next;
  }
  return best;
}

}  // namespace lineament
