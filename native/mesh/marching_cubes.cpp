#include "mesh/marching_cubes.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <new>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr int kSide = kBlockSide, kHalo = kHaloSide;
constexpr size_t kWords = 3 * kBlockSamples / 64;
constexpr int kStep[3] = {1, kHalo, kHalo* kHalo};
// Vertices keep this share of an edge away from its ends, so that none of them meet at a corner.
constexpr float kClear = 1e-3f;
// Blocks of one part of the work.
constexpr size_t kPart = 32;

int halo_at(int x, int y, int z) { return ((z + 1) * kHalo + y + 1) * kHalo + x + 1; }

// What a block gives. A vertex is known by its edge: axis × 512 + the lower corner's place in its block.
struct Piece {
  std::array<uint64_t, kWords> crossed{};
  std::array<uint16_t, kWords> before{};  // bits set in the words before
  std::vector<float> positions, normals;
  std::vector<uint8_t> colours;
  std::vector<uint16_t> corners;  // of triangles: (neighbour: x + 2 y + 4 z) × 1536 + edge
  size_t first_vertex = 0, first_corner = 0;

  uint32_t rank(size_t edge) const {
    const uint64_t below = crossed[edge / 64] & ((uint64_t{1} << edge % 64) - 1);
    return before[edge / 64] + static_cast<uint32_t>(std::popcount(below));
  }
};

// Change of the function along an axis, per sample; one-sided where a neighbour is unknown, 0 where both are.
float slope(const float* at, int step) {
  const float low = at[-step], high = at[step];
  if (std::isfinite(low) && std::isfinite(high)) return (high - low) * 0.5f;
  if (std::isfinite(high)) return high - *at;
  if (std::isfinite(low)) return *at - low;
  return 0;
}

class Marcher {
 public:
  Marcher(const BlockField& field, const GridFrame& frame, TriangleMesh* mesh)
      : field_(field), frame_(frame), mesh_(mesh), pieces_(field.blocks()) {}

  Status run(Executor& executor, const CancelToken* token) {
    const size_t blocks = pieces_.size(), parts = (blocks + kPart - 1) / kPart;
    const auto each = [&](size_t part, auto&& work) {
      for (size_t i = part * kPart; i < std::min(blocks, (part + 1) * kPart); ++i) {
        if (is_cancelled(token)) return Status(Code::kAborted, "Aborted");
        work(i);
      }
      return Status();
    };
    Status done =
        spread(executor, parts, [&](size_t part) { return each(part, [&](size_t i) { look_at(i, &pieces_[i]); }); });
    if (!done.ok()) return done;
    size_t vertices = 0, corners = 0;
    for (Piece& piece : pieces_) {
      piece.first_vertex = vertices;
      piece.first_corner = corners;
      vertices += piece.positions.size() / 3;
      corners += piece.corners.size();
    }
    if (vertices > std::numeric_limits<uint32_t>::max()) {
      return Status(Code::kInvalidArgument, "The surface would have more than 2^32 vertices");
    }
    mesh_->positions.resize(3 * vertices);
    mesh_->normals.resize(3 * vertices);
    mesh_->colours.resize(field_.coloured() ? 3 * vertices : 0);
    mesh_->indices.resize(corners);
    done = spread(executor, parts, [&](size_t part) { return each(part, [&](size_t i) { place(i); }); });
    if (done.ok()) drop_unused();
    return done;
  }

 private:
  void look_at(size_t index, Piece* piece) {
    float values[kHaloSamples];
    if (!field_.halo(index, values)) return;
    const std::array<int, 3> block = field_.place(index);
    find_vertices(values, block, piece);
    if (piece->positions.empty() && !crosses(values)) return;
    for (int z = 0; z < kSide; ++z) {
      for (int y = 0; y < kSide; ++y) {
        for (int x = 0; x < kSide; ++x) cut_cell(values, x, y, z, piece);
      }
    }
  }

  // Whether the cells of the block, whose corners reach into the next ones, have both signs.
  static bool crosses(const float* values) {
    bool below = false, above = false;
    for (int z = 0; z <= kSide; ++z) {
      for (int y = 0; y <= kSide; ++y) {
        for (int x = 0; x <= kSide; ++x) {
          const float value = values[halo_at(x, y, z)];
          below |= value < 0;
          above |= value >= 0;
        }
      }
    }
    return below && above;
  }

  void find_vertices(const float* values, const std::array<int, 3>& block, Piece* piece) {
    for (size_t axis = 0; axis < 3; ++axis) {
      for (int i = 0; i < kBlockSamples; ++i) {
        const int x = i % kSide, y = i / kSide % kSide, z = i / (kSide * kSide);
        const float* low = values + halo_at(x, y, z);
        const float* high = low + kStep[axis];
        if (!std::isfinite(*low) || !std::isfinite(*high) || (*low < 0) == (*high < 0)) continue;
        const size_t edge = axis * kBlockSamples + static_cast<size_t>(i);
        piece->crossed[edge / 64] |= uint64_t{1} << edge % 64;
        const float along = std::clamp(*low / (*low - *high), kClear, 1 - kClear);
        add_vertex(low, high, axis, along, {block[0] * kSide + x, block[1] * kSide + y, block[2] * kSide + z}, piece);
      }
    }
    uint16_t sum = 0;
    for (size_t word = 0; word < kWords; ++word) {
      piece->before[word] = sum;
      sum = static_cast<uint16_t>(sum + std::popcount(piece->crossed[word]));
    }
  }

  void add_vertex(const float* low, const float* high, size_t axis, float along, const std::array<int, 3>& corner,
                  Piece* piece) {
    float normal[3], length = 0;
    for (size_t k = 0; k < 3; ++k) {
      const double at = corner[k] + (k == axis ? static_cast<double>(along) : 0.0);
      piece->positions.push_back(static_cast<float>(frame_.origin[k] + frame_.spacing * at));
      normal[k] = slope(low, kStep[k]) * (1 - along) + slope(high, kStep[k]) * along;
      length += normal[k] * normal[k];
    }
    if (!(length > 1e-24f)) {
      for (size_t k = 0; k < 3; ++k) normal[k] = k != axis ? 0.0f : *high > *low ? 1.0f : -1.0f;
      length = 1;
    }
    for (const float n : normal) piece->normals.push_back(n / std::sqrt(length));
    if (!field_.coloured()) return;
    float a[3], b[3];
    std::array<int, 3> next = corner;
    ++next[axis];
    const bool has_a = field_.colour(corner[0], corner[1], corner[2], a);
    const bool has_b = field_.colour(next[0], next[1], next[2], b);
    for (int k = 0; k < 3; ++k) {
      const float mixed = has_a && has_b ? a[k] + (b[k] - a[k]) * along : has_a ? a[k] : has_b ? b[k] : 128.0f;
      piece->colours.push_back(static_cast<uint8_t>(std::clamp(mixed + 0.5f, 0.0f, 255.0f)));
    }
  }

  static void cut_cell(const float* values, int x, int y, int z, Piece* piece) {
    const float* at = values + halo_at(x, y, z);
    unsigned inside = 0;
    float sum = 0;
    for (unsigned corner = 0; corner < 8; ++corner) {
      const float value = at[(corner & 1) * kStep[0] + (corner >> 1 & 1) * kStep[1] + (corner >> 2) * kStep[2]];
      sum += value;
      inside |= (value < 0 ? 1u : 0u) << corner;
    }
    if (inside == 0 || inside == 255 || !std::isfinite(sum)) return;
    const MarchCase& cut = march_case(static_cast<uint8_t>(inside));
    for (size_t i = 0; i < 3u * cut.triangles; ++i) {
      const int edge = cut.edges[i], corner = edge % 8;
      const int cx = x + (corner & 1), cy = y + (corner >> 1 & 1), cz = z + (corner >> 2);
      const int neighbour = cx / kSide + 2 * (cy / kSide) + 4 * (cz / kSide);
      const int own = (cz % kSide * kSide + cy % kSide) * kSide + cx % kSide;
      piece->corners.push_back(static_cast<uint16_t>((neighbour * 3 + edge / 8) * kBlockSamples + own));
    }
  }

  // Moves a piece to its place in the mesh, with numbers for its vertices' names.
  void place(size_t index) {
    Piece& piece = pieces_[index];
    std::copy(piece.positions.begin(), piece.positions.end(),
              mesh_->positions.begin() + offset(3 * piece.first_vertex));
    std::copy(piece.normals.begin(), piece.normals.end(), mesh_->normals.begin() + offset(3 * piece.first_vertex));
    std::copy(piece.colours.begin(), piece.colours.end(), mesh_->colours.begin() + offset(3 * piece.first_vertex));
    if (piece.corners.empty()) return;
    const std::array<int, 3> at = field_.place(index);
    const Piece* around[8];
    for (int n = 0; n < 8; ++n) {
      const ptrdiff_t found = field_.find(at[0] + (n & 1), at[1] + (n >> 1 & 1), at[2] + (n >> 2));
      around[n] = found < 0 ? nullptr : &pieces_[static_cast<size_t>(found)];
    }
    uint32_t* out = mesh_->indices.data() + piece.first_corner;
    for (const uint16_t corner : piece.corners) {
      const size_t edge = corner % (3 * kBlockSamples);
      const Piece& owner = *around[corner / (3 * kBlockSamples)];
      *out++ = static_cast<uint32_t>(owner.first_vertex) + owner.rank(edge);
    }
  }

  static ptrdiff_t offset(size_t n) { return static_cast<ptrdiff_t>(n); }

  // Crossed edges all of whose cells have an unknown corner.
  void drop_unused() {
    const size_t n = mesh_->vertices();
    std::vector<uint32_t> name(n, 0);
    for (const uint32_t index : mesh_->indices) name[index] = 1;
    uint32_t kept = 0;
    for (size_t i = 0; i < n; ++i) {
      if (name[i] == 0) continue;
      for (size_t k = 0; k < 3; ++k) {
        mesh_->positions[3 * kept + k] = mesh_->positions[3 * i + k];
        mesh_->normals[3 * kept + k] = mesh_->normals[3 * i + k];
        if (!mesh_->colours.empty()) mesh_->colours[3 * kept + k] = mesh_->colours[3 * i + k];
      }
      name[i] = kept++;
    }
    if (kept == n) return;
    mesh_->positions.resize(3 * size_t{kept});
    mesh_->normals.resize(3 * size_t{kept});
    if (!mesh_->colours.empty()) mesh_->colours.resize(3 * size_t{kept});
    for (uint32_t& index : mesh_->indices) index = name[index];
  }

  const BlockField& field_;
  const GridFrame& frame_;
  TriangleMesh* mesh_;
  std::vector<Piece> pieces_;
};

}  // namespace

Status march(const BlockField& field, const GridFrame& frame, Executor& executor, const CancelToken* token,
             TriangleMesh* mesh) {
  *mesh = TriangleMesh();
  return Marcher(field, frame, mesh).run(executor, token);
}

}  // namespace lineament
