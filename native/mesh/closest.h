// The place of a triangle that is nearest to a point (Ericson, Real-Time Collision Detection, 2005, 5.1.5).
#pragma once

#include "mesh/mesh_view.h"

namespace lineament {

struct Closest {
  float squared = 0;          // distance
  float a = 0, b = 0, c = 0;  // weights of the corners; their sum is 1
};

inline Closest closest_on_triangle(Vec3 p, Vec3 a, Vec3 b, Vec3 c) {
  const Vec3 ab = b - a, ac = c - a, ap = p - a;
  const auto answer = [&](float u, float v, float w) {
    const Vec3 off = ap - v * ab - w * ac;
    return Closest{dot(off, off), u, v, w};
  };
  const float d1 = dot(ab, ap), d2 = dot(ac, ap);
  if (d1 <= 0 && d2 <= 0) return answer(1, 0, 0);
  const Vec3 bp = p - b;
  const float d3 = dot(ab, bp), d4 = dot(ac, bp);
  if (d3 >= 0 && d4 <= d3) return answer(0, 1, 0);
  const float vc = d1 * d4 - d3 * d2;
  if (vc <= 0 && d1 >= 0 && d3 <= 0) {
    const float v = d1 - d3 > 0 ? d1 / (d1 - d3) : 0;
    return answer(1 - v, v, 0);
  }
  const Vec3 cp = p - c;
  const float d5 = dot(ab, cp), d6 = dot(ac, cp);
  if (d6 >= 0 && d5 <= d6) return answer(0, 0, 1);
  const float vb = d5 * d2 - d1 * d6;
  if (vb <= 0 && d2 >= 0 && d6 <= 0) {
    const float w = d2 - d6 > 0 ? d2 / (d2 - d6) : 0;
    return answer(1 - w, 0, w);
  }
  const float va = d3 * d6 - d5 * d4;
  if (va <= 0 && d4 - d3 >= 0 && d5 - d6 >= 0) {
    const float both = d4 - d3 + (d5 - d6);
    const float w = both > 0 ? (d4 - d3) / both : 0;
    return answer(0, 1 - w, w);
  }
  const float sum = va + vb + vc;
  const float scale = sum > 0 ? 1 / sum : 0;
  return answer(1 - (vb + vc) * scale, vb * scale, vc * scale);
}

}  // namespace lineament
