// How far two surfaces lie apart, measured on samples; independent of how either was made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/cancel.h"
#include "core/executor.h"
#include "core/status.h"
#include "mesh/mesh_view.h"

namespace lineament {

constexpr uint32_t kNoTriangle = 0xffffffffu;
constexpr size_t kMostSamples = 100'000'000;

// Axis-aligned boxes around triangles. The mesh must outlive it. Thread-safe once built.
class TriangleTree {
 public:
  // `mesh` must be checked.
  explicit TriangleTree(const MeshView& mesh);

  struct Nearest {
    float squared;      // distance, infinite where the mesh has no triangles
    uint32_t triangle;  // the lowest of those as near
  };
  // `guess`: a triangle that is likely near; 0 will do.
  Nearest nearest(Vec3 point, uint32_t guess) const;

 private:
  struct Node {
    float low[3], high[3];
    uint32_t begin;  // of the triangles of a leaf; of the two children of others
    uint32_t count;  // of triangles; 0: not a leaf
  };
  void split(uint32_t node, uint32_t begin, uint32_t end, std::vector<Vec3>* middles);

  const MeshView mesh_;
  std::vector<uint32_t> order_;
  std::vector<Node> nodes_;
};

struct Distances {
  double most = 0, mean = 0, rms = 0;
  size_t samples = 0;
};

struct MeshDistances {
  Distances forth, back;  // from a to b, from b to a
  double hausdorff() const { return forth.most > back.most ? forth.most : back.most; }
};

// From all vertices that triangles use, and from about `samples` places spread evenly over the area of each mesh. What
// `most` states is a lower bound of the one-sided Hausdorff distance; mean and rms count the places by area only (the
// vertices where the mesh has no area). kNoSurface for a mesh without triangles. The same numbers for any executor.
Result<MeshDistances> compare_meshes(const MeshView& a, const MeshView& b, size_t samples, Executor& executor,
                                     const CancelToken* token);

}  // namespace lineament
