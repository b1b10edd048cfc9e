#include "mesh/simplify.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "mesh/collapse.h"
#include "mesh/distance.h"
#include "mesh/remnant.h"

namespace lineament {
namespace {

// The engine tests vertices of the original; what lies between is measured, and where it is too far there is another
// try.
constexpr double kAllowance = 0.95, kMeasured = 0.97;
constexpr int kAttempts = 8;

}  // namespace

Status check_weights(double uv, double colour) {
  const auto weight = [](double value) { return value >= 0 && value <= 1e6; };
  if (weight(uv) && weight(colour)) return Status();
  return Status(Code::kInvalidArgument, "Expected weights of 0 to 1000000");
}

float uv_scale(const MeshView& mesh) {
  if (mesh.uvs == nullptr) return 0;
  double space = 0, texture = 0;
  for (size_t t = 0; t < mesh.triangles; ++t) {
    const uint32_t* c = mesh.indices + 3 * t;
    const Vec3 a = vec3_at(mesh.positions, c[0]);
    space += length(cross(vec3_at(mesh.positions, c[1]) - a, vec3_at(mesh.positions, c[2]) - a));
    const float *p = mesh.uvs + 2 * size_t{c[0]}, *q = mesh.uvs + 2 * size_t{c[1]}, *r = mesh.uvs + 2 * size_t{c[2]};
    texture += std::fabs((q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]));
  }
  return texture > 0 && std::isfinite(space / texture) ? static_cast<float>(std::sqrt(space / texture)) : 0;
}

Result<SimplifiedMesh> simplify(const MeshView& mesh, const SimplifyOptions& options, Executor& executor,
                                const CancelToken* token) {
  if (Status status = check_mesh(mesh, Code::kNoSurface); !status.ok()) return status;
  if (Status status = check_weights(options.uv_weight, options.colour_weight); !status.ok()) return status;
  if (std::isnan(options.error) || (options.triangles == 0 && options.error < 0))
    return Status(Code::kInvalidArgument, "Expected a number of triangles above zero, an error, or both");
  CollapseRules rules;
  if (options.uv_weight > 0) rules.uv_weight = static_cast<float>(options.uv_weight) * uv_scale(mesh);
  rules.colour_weight = static_cast<float>(options.colour_weight);
  rules.keep_border = options.keep_border;
  rules.error = options.error < 0 ? -1 : options.error * kAllowance;
  for (int attempt = 1;; ++attempt) {
    Collapser collapser;
    if (Status status = collapser.prepare(mesh, rules, executor, token); !status.ok()) return status;
    if (collapser.live() == 0) return Status(Code::kNoSurface, "All triangles of the mesh are degenerate");
    if (attempt <= kAttempts)
      if (Status status = collapser.run(options.triangles, token); !status.ok()) return status;
    const Remnant remnant = remnant_of(collapser);
    const Result<Deviation> found = deviation_of(mesh, remnant, executor, token);
    if (!found.ok()) return found.status();
    SimplifiedMesh out;
    out.mesh = mesh_of(mesh, remnant, &out.sources);
    out.error = found.value().most;
    out.rms = found.value().rms;
    if (options.error < 0 || attempt > kAttempts) return out;
    const size_t samples = std::min(kMostSamples, 2 * out.mesh.triangles() + mesh.triangles + 4000);
    const Result<MeshDistances> apart = compare_meshes(mesh, view_of(out.mesh), samples, executor, token);
    if (!apart.ok()) return apart.status();
    const double most = std::max(out.error, apart.value().hausdorff());
    if (most <= kMeasured * options.error) return out;
    rules.error *= std::max(0.3, 0.9 * options.error / most);
  }
}

}  // namespace lineament
