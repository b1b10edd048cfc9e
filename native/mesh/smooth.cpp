#include "mesh/smooth.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <vector>

#include "core/spread.h"
#include "mesh/repair.h"
#include "mesh/topology.h"

namespace lineament {
namespace {

constexpr size_t kPart = 8192;  // vertices

// The vertices around each, each once.
class Rings {
 public:
  Rings(const TriangleMesh& mesh, const std::vector<uint32_t>& twins, BorderRule rule)
      : first_(mesh.vertices() + 1, 0) {
    std::vector<uint8_t> border(mesh.vertices(), 0);
    for (uint32_t half = 0; half < twins.size(); ++half) {
      if (twins[half] < kIrregular) continue;
      border[mesh.indices[half]] = 1;
      border[mesh.indices[next_half(half)]] = 1;
    }
    // A regular edge is seen from both its half-edges, a border's from one, an irregular one's from all: repeats are
    // taken out below.
    const auto each = [&](auto&& take) {
      for (uint32_t half = 0; half < twins.size(); ++half) {
        const uint32_t a = mesh.indices[half], b = mesh.indices[next_half(half)];
        if (a == b) continue;
        const bool inner = twins[half] < kIrregular;
        const auto wants = [&](uint32_t v) {
          if (border[v] == 0 || rule == BorderRule::kFree) return true;
          return rule == BorderRule::kAlong && !inner;
        };
        if (wants(a)) take(a, b);
        if (!inner && wants(b)) take(b, a);
      }
    };
    each([&](uint32_t from, uint32_t) { ++first_[size_t{from} + 1]; });
    for (size_t v = 1; v < first_.size(); ++v) first_[v] += first_[v - 1];
    around_.resize(first_.back());
    std::vector<uint32_t> fill(first_.begin(), first_.end() - 1);
    each([&](uint32_t from, uint32_t to) { around_[fill[from]++] = to; });
    end_.resize(mesh.vertices());
    for (size_t v = 0; v < mesh.vertices(); ++v) {
      const auto begin = around_.begin() + first_[v], stop = around_.begin() + first_[v + 1];
      std::sort(begin, stop);
      end_[v] = static_cast<uint32_t>(std::unique(begin, stop) - around_.begin());
    }
  }

  void step(const std::vector<float>& from, float amount, size_t first, size_t last, std::vector<float>* to) const {
    for (size_t v = first; v < last; ++v) {
      const uint32_t begin = first_[v], end = end_[v];
      float sum[3] = {};
      for (uint32_t i = begin; i < end; ++i) {
        for (size_t k = 0; k < 3; ++k) sum[k] += from[3 * size_t{around_[i]} + k] - from[3 * v + k];
      }
      const float share = end > begin ? amount / static_cast<float>(end - begin) : 0;
      for (size_t k = 0; k < 3; ++k) (*to)[3 * v + k] = from[3 * v + k] + share * sum[k];
    }
  }

 private:
  std::vector<uint32_t> first_, end_, around_;
};

}  // namespace

Status smooth_taubin(const TaubinOptions& options, Executor& executor, const CancelToken* token, TriangleMesh* mesh) {
  const auto bad = [](const char* what) { return Status(Code::kInvalidArgument, what); };
  if (options.iterations < 0 || options.iterations > 1000) return bad("Expected 0 to 1000 iterations");
  if (!(options.lambda > 0 && options.lambda <= 1)) return bad("Expected a lambda above 0 and at most 1");
  if (!(options.pass_band > 0 && options.pass_band < 1)) return bad("Expected a pass band between 0 and 1");
  const auto shrink = static_cast<float>(options.lambda);
  const auto grow = static_cast<float>(1 / (options.pass_band - 1 / options.lambda));
  try {
    std::vector<uint32_t> twins;
    EdgeCounts counts;
    Status done = find_twins(*mesh, token, &twins, &counts);
    if (!done.ok()) return done;
    const Rings rings(*mesh, twins, options.border);
    std::vector<float> other(mesh->positions.size()), from = mesh->positions;
    const size_t count = mesh->vertices(), parts = (count + kPart - 1) / kPart;
    for (int step = 0; step < 2 * options.iterations; ++step) {
      if (is_cancelled(token)) return Status(Code::kAborted, "Aborted");
      done = spread(executor, parts, [&](size_t part) {
        rings.step(from, step % 2 == 0 ? shrink : grow, part * kPart, std::min(count, (part + 1) * kPart), &other);
        return Status();
      });
      if (!done.ok()) return done;
      from.swap(other);
    }
    mesh->positions.swap(from);
    if (!mesh->normals.empty()) compute_normals(mesh);
    return Status();
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the neighbours of vertices");
  }
}

}  // namespace lineament
