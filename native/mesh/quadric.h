// Quadric error metrics (Garland & Heckbert 1997; attributes as in Hoppe 1999).
#pragma once

#include "mesh/mesh_view.h"

namespace lineament {

// A weighted sum of squared distances to planes, as a function of the place relative to an origin that travels with the
// vertex: pᵀAp + 2bᵀp + c. Near the origin nothing cancels, so that single precision suffices.
struct Quadric {
  float xx = 0, yy = 0, zz = 0, xy = 0, xz = 0, yz = 0;  // A
  float x = 0, y = 0, z = 0;                             // b
  float c = 0;

  // The plane through the origin with normal n; the weight is |n|².
  void add_plane(Vec3 n) {
    xx += n.x * n.x;
    yy += n.y * n.y;
    zz += n.z * n.z;
    xy += n.x * n.y;
    xz += n.x * n.z;
    yz += n.y * n.z;
  }
  // weight · (n·p + offset)².
  void add_plane(Vec3 n, float offset, float weight) {
    const Vec3 m = weight * n;
    xx += m.x * n.x;
    yy += m.y * n.y;
    zz += m.z * n.z;
    xy += m.x * n.y;
    xz += m.x * n.z;
    yz += m.y * n.z;
    x += offset * m.x;
    y += offset * m.y;
    z += offset * m.z;
    c += offset * offset * weight;
  }
  Vec3 turned(Vec3 p) const {
    return {xx * p.x + xy * p.y + xz * p.z, xy * p.x + yy * p.y + yz * p.z, xz * p.x + yz * p.y + zz * p.z};
  }
  float at(Vec3 p) const { return dot(p, turned(p) + Vec3{2 * x, 2 * y, 2 * z}) + c; }
  void move_origin(Vec3 to) {
    const float value = at(to);
    const Vec3 t = turned(to);
    x += t.x;
    y += t.y;
    z += t.z;
    c = value;
  }
  void add(const Quadric& q) {
    xx += q.xx;
    yy += q.yy;
    zz += q.zz;
    xy += q.xy;
    xz += q.xz;
    yz += q.yz;
    x += q.x;
    y += q.y;
    z += q.z;
    c += q.c;
  }
};

constexpr int kMostAttributes = 5;

// The same for attributes (texture coordinates, colours): the weighted sum of squared differences between the values at
// a place and what each triangle's linear function says there. Values are relative to the vertex's own.
struct AttributeQuadric {
  Quadric part;      // what does not depend on the values
  float weight = 0;  // sum of weights
  Vec3 slope[kMostAttributes];
  float offset[kMostAttributes] = {};

  // A triangle whose values change by `gradient` from the vertex's own.
  void add_triangle(const Vec3* gradient, int count, float area) {
    weight += area;
    for (int k = 0; k < count; ++k) {
      part.add_plane(gradient[k], 0, area);
      slope[k] = slope[k] + area * gradient[k];
    }
  }
  float at(Vec3 p, const float* change, int count) const {
    float sum = part.at(p);
    for (int k = 0; k < count; ++k) sum += change[k] * (change[k] * weight - 2 * (dot(slope[k], p) + offset[k]));
    return sum;
  }
  void move_origin(Vec3 to, const float* change, int count) {
    const float value = at(to, change, count);
    part.move_origin(to);
    part.c = value;
    for (int k = 0; k < count; ++k) {
      part.x -= change[k] * slope[k].x;
      part.y -= change[k] * slope[k].y;
      part.z -= change[k] * slope[k].z;
      offset[k] += dot(slope[k], to) - weight * change[k];
    }
  }
  void add(const AttributeQuadric& q, int count) {
    part.add(q.part);
    weight += q.weight;
    for (int k = 0; k < count; ++k) {
      slope[k] = slope[k] + q.slope[k];
      offset[k] += q.offset[k];
    }
  }
};

}  // namespace lineament
