#include "mesh/lod.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "core/spread.h"
#include "mesh/collapse.h"
#include "mesh/remnant.h"
#include "mesh/simplify.h"
#include "mesh/vertex_cache.h"

namespace lineament {
namespace {

// What collapsing hands to those who finish levels.
class Remnants {
 public:
  explicit Remnants(size_t levels) : remnants_(levels) {}
  void give(Remnant remnant) {
    const std::lock_guard<std::mutex> lock(mutex_);
    remnants_[given_++] = std::move(remnant);
    changed_.notify_all();
  }
  void stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  // Waits for it; null where it will not come.
  const Remnant* take(size_t level) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return given_ > level || stopped_; });
    return given_ > level ? &remnants_[level] : nullptr;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Remnant> remnants_;
  size_t given_ = 0;
  bool stopped_ = false;
};

Status check(const MeshView& mesh, const LevelsOptions& options) {
  if (Status status = check_mesh(mesh, Code::kNoSurface); !status.ok()) return status;
  if (Status status = check_weights(options.uv_weight, options.colour_weight); !status.ok()) return status;
  const std::vector<size_t>& wanted = options.triangles;
  if (wanted.empty() || wanted.size() > kMostLevels)
    return Status(Code::kInvalidArgument, "Expected 1 to 16 levels of detail");
  if (wanted.back() == 0 || !std::is_sorted(wanted.rbegin(), wanted.rend()))
    return Status(Code::kInvalidArgument, "Expected numbers of triangles above zero that do not rise");
  return Status();
}

Status finish(const MeshView& mesh, const Remnant& remnant, Executor& executor, const CancelToken* token, Level* out) {
  const Result<Deviation> found = deviation_of(mesh, remnant, executor, token);
  if (!found.ok()) return found.status();
  out->error = found.value().most;
  out->rms = found.value().rms;
  const std::vector<uint32_t>& corners = remnant.vertex_corners();
  std::vector<uint32_t> ordered =
      order_triangles(corners.data(), corners.size() / 3, mesh.vertices, &out->cache_miss_ratio);
  out->mesh = order_vertices(mesh, std::move(ordered), &out->sources);
  return Status();
}

}  // namespace

Result<std::vector<Level>> levels_of_detail(const MeshView& mesh, const LevelsOptions& options, Executor& executor,
                                            const CancelToken* token) {
  if (Status status = check(mesh, options); !status.ok()) return status;
  CollapseRules rules;
  if (options.uv_weight > 0) rules.uv_weight = static_cast<float>(options.uv_weight) * uv_scale(mesh);
  rules.colour_weight = static_cast<float>(options.colour_weight);
  rules.keep_border = options.keep_border;
  Collapser collapser;
  if (Status status = collapser.prepare(mesh, rules, executor, token); !status.ok()) return status;
  if (collapser.live() == 0) return Status(Code::kNoSurface, "All triangles of the mesh are degenerate");
  const size_t count = options.triangles.size();
  std::vector<Level> levels(count);
  Remnants remnants(count);
  // Part 0 collapses; the others wait for what it leaves. Parts begin in their order, so that it has begun before them.
  const Status done = spread(executor, count + 1, [&](size_t part) {
    if (part > 0) {
      const Remnant* remnant = remnants.take(part - 1);
      return remnant == nullptr ? Status() : finish(mesh, *remnant, executor, token, &levels[part - 1]);
    }
    // However it ends, nobody waits on.
    struct Stop {
      Remnants& remnants;
      ~Stop() { remnants.stop(); }
    } const stop{remnants};
    Status status;
    for (size_t i = 0; i < count && status.ok(); ++i) {
      status = collapser.run(options.triangles[i], token);
      if (status.ok()) remnants.give(remnant_of(collapser));
    }
    return status;
  });
  if (!done.ok()) return done;
  return levels;
}

}  // namespace lineament
