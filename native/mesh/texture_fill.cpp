#include "mesh/texture_fill.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "core/spread.h"

namespace lineament {
namespace {

constexpr int kRows = 32;

struct Texel {
  float r = 0, g = 0, b = 0, weight = 0;  // colours are multiplied by the weight until the level is filled
};

struct Level {
  int size = 0;
  std::vector<Texel> texels;
  Texel* row(int y) { return texels.data() + static_cast<size_t>(y) * static_cast<size_t>(size); }
};

template <typename Row>
Status each_row(int rows, Executor& executor, const CancelToken* token, Row row) {
  return spread(executor, static_cast<size_t>((rows + kRows - 1) / kRows), [&](size_t part) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    const int first = static_cast<int>(part) * kRows;
    for (int y = first; y < std::min(rows, first + kRows); ++y) row(y);
    return Status();
  });
}

void push(const Texel* above, const Texel* below, int width, Texel* out, int out_width) {
  for (int x = 0; x < out_width; ++x) {
    const int left = 2 * x, right = std::min(left + 1, width - 1);
    Texel sum;
    const auto add = [&sum](const Texel& one) {
      sum.r += one.r;
      sum.g += one.g;
      sum.b += one.b;
      sum.weight += one.weight;
    };
    add(above[left]);
    if (right != left) add(above[right]);
    if (below != nullptr) {
      add(below[left]);
      if (right != left) add(below[right]);
    }
    // A cell that is known at all counts in full one level up: what is near decides, however thin it is.
    if (sum.weight > 1) {
      const float scale = 1 / sum.weight;
      sum = {sum.r * scale, sum.g * scale, sum.b * scale, 1};
    }
    out[x] = sum;
  }
}

// The coarser level's colour at the middle of a cell of the finer one.
struct Finer {
  Level* coarse;
  const Texel* near_row;
  const Texel* far_row;

  Finer(Level* from, int y) : coarse(from) {
    const int row = y / 2, other = std::clamp(row + (y % 2 == 0 ? -1 : 1), 0, from->size - 1);
    near_row = from->row(row);
    far_row = from->row(other);
  }
  Texel at(int x) const {
    const int column = x / 2, other = std::clamp(column + (x % 2 == 0 ? -1 : 1), 0, coarse->size - 1);
    const auto mix = [](float a, float b, float c, float d) { return (9 * a + 3 * (b + c) + d) * (1.0f / 16); };
    const Texel &a = near_row[column], &b = near_row[other], &c = far_row[column], &d = far_row[other];
    return {mix(a.r, b.r, c.r, d.r), mix(a.g, b.g, c.g, d.g), mix(a.b, b.b, c.b, d.b), 1};
  }
};

}  // namespace

Status fill_texture(uint8_t* rgb, const uint8_t* known, int size, Executor& executor, const CancelToken* token) {
  std::vector<Level> levels;
  for (int side = (size + 1) / 2;; side = (side + 1) / 2) {
    Level level;
    level.size = side;
    level.texels.resize(static_cast<size_t>(side) * static_cast<size_t>(side));
    levels.push_back(std::move(level));
    if (side <= 1) break;
  }
  const size_t width = static_cast<size_t>(size);
  Status done = each_row(levels[0].size, executor, token, [&](int y) {
    Texel* out = levels[0].row(y);
    for (int x = 0; x < levels[0].size; ++x) {
      int r = 0, g = 0, b = 0, n = 0;
      for (int k = 0; k < 4; ++k) {
        const int sx = 2 * x + (k & 1), sy = 2 * y + (k >> 1);
        if (sx >= size || sy >= size) continue;
        const size_t i = static_cast<size_t>(sy) * width + static_cast<size_t>(sx);
        if (known[i] == 0) continue;
        r += rgb[3 * i];
        g += rgb[3 * i + 1];
        b += rgb[3 * i + 2];
        ++n;
      }
      if (n == 0) continue;
      const float scale = 1.0f / static_cast<float>(n);
      out[x] = {static_cast<float>(r) * scale, static_cast<float>(g) * scale, static_cast<float>(b) * scale, 1};
    }
  });
  if (!done.ok()) return done;
  for (size_t l = 1; l < levels.size(); ++l) {
    Level& fine = levels[l - 1];
    Level& coarse = levels[l];
    done = each_row(coarse.size, executor, token, [&](int y) {
      const Texel* below = 2 * y + 1 < fine.size ? fine.row(2 * y + 1) : nullptr;
      push(fine.row(2 * y), below, fine.size, coarse.row(y), coarse.size);
    });
    if (!done.ok()) return done;
  }
  for (size_t l = levels.size() - 1; l-- > 0;) {
    done = each_row(levels[l].size, executor, token, [&](int y) {
      const Finer finer(&levels[l + 1], y);
      Texel* row = levels[l].row(y);
      for (int x = 0; x < levels[l].size; ++x) {
        if (row[x].weight == 0) row[x] = finer.at(x);
      }
    });
    if (!done.ok()) return done;
  }
  return each_row(size, executor, token, [&](int y) {
    const Finer finer(&levels[0], y);
    const size_t start = static_cast<size_t>(y) * width;
    for (int x = 0; x < size; ++x) {
      const size_t i = start + static_cast<size_t>(x);
      if (known[i] != 0) continue;
      const Texel colour = finer.at(x);
      const auto byte = [](float v) { return static_cast<uint8_t>(std::clamp(v + 0.5f, 0.0f, 255.0f)); };
      rgb[3 * i] = byte(colour.r);
      rgb[3 * i + 1] = byte(colour.g);
      rgb[3 * i + 2] = byte(colour.b);
    }
  });
}

}  // namespace lineament
