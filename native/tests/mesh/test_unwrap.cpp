#include "mesh/unwrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "mesh/texel_rows.h"
#include "tests/check.h"
#include "tests/mesh/scene.h"

using lineament::Atlas;
using lineament::CancelToken;
using lineament::Code;
using lineament::Executor;
using lineament::RasterPoint;
using lineament::TriangleMesh;
using lineament::unwrap_mesh;
using lineament::UnwrapOptions;
using scene::Place;

namespace {

Atlas unwrap(const TriangleMesh& mesh, int size, int padding = 4) {
  Executor executor(1);
  UnwrapOptions options;
  options.size = size;
  options.padding = padding;
  Atlas out;
  const lineament::Status status = unwrap_mesh(view_of(mesh), options, executor, nullptr, &out);
  CHECK_EQ(status.message(), "");
  return out;
}

double uv_area(const TriangleMesh& mesh, size_t t) {
  const auto uv = [&](size_t k) { return mesh.uvs.data() + 2 * size_t{mesh.indices[3 * t + k]}; };
  const float *a = uv(0), *b = uv(1), *c = uv(2);
  return ((double{b[0]} - a[0]) * (double{c[1]} - a[1]) - (double{c[0]} - a[0]) * (double{b[1]} - a[1])) / 2;
}

// UVs within the square; triangles are not mirrored; no texel's centre lies in two triangles; charts keep `padding`
// apart. Gives the number of texels that are covered.
int check_atlas(const TriangleMesh& given, const Atlas& atlas, int size, int padding) {
  const TriangleMesh& mesh = atlas.mesh;
  CHECK(check_mesh(mesh).ok());
  CHECK_EQ(mesh.triangles(), given.triangles());
  CHECK_EQ(atlas.sources.size(), mesh.vertices());
  for (const float uv : mesh.uvs) CHECK(uv >= 0 && uv <= 1);
  for (size_t i = 0; i < mesh.indices.size(); ++i) CHECK_EQ(atlas.sources[mesh.indices[i]], given.indices[i]);
  for (size_t i = 0; i < mesh.vertices(); ++i) {
    for (size_t k = 0; k < 3; ++k) CHECK_EQ(mesh.positions[3 * i + k], given.positions[3 * atlas.sources[i] + k]);
  }
  // Charts are the parts that hang together.
  std::vector<uint32_t> part(mesh.vertices());
  for (uint32_t i = 0; i < part.size(); ++i) part[i] = i;
  const auto root = [&](uint32_t i) {
    while (part[i] != i) i = part[i] = part[part[i]];
    return i;
  };
  for (size_t i = 0; i < mesh.indices.size(); i += 3) {
    for (size_t k = 1; k < 3; ++k) part[root(mesh.indices[i + k])] = root(mesh.indices[i]);
  }
  std::vector<uint32_t> owner(static_cast<size_t>(size) * static_cast<size_t>(size), UINT32_MAX);
  int covered = 0, doubled = 0, close = 0;
  for (size_t t = 0; t < mesh.triangles(); ++t) {
    CHECK(uv_area(mesh, t) <= 0);
    RasterPoint p[3];
    for (size_t k = 0; k < 3; ++k) {
      const float* uv = mesh.uvs.data() + 2 * size_t{mesh.indices[3 * t + k]};
      p[k] = RasterPoint::at(double{uv[0]} * size, double{uv[1]} * size);
    }
    texel_rows(p, size, 0, size, [&](int y, int first, int end) {
      for (int x = first; x < end; ++x) {
        uint32_t& texel = owner[static_cast<size_t>(y) * static_cast<size_t>(size) + static_cast<size_t>(x)];
        doubled += texel != UINT32_MAX;
        texel = root(mesh.indices[3 * t]);
        ++covered;
      }
    });
  }
  CHECK_EQ(doubled, 0);
  for (int y = 0; y < size; ++y) {
    for (int x = 0; x < size; ++x) {
      const uint32_t mine = owner[static_cast<size_t>(y * size + x)];
      if (mine == UINT32_MAX) continue;
      for (int d = 1; d <= padding; ++d) {
        for (const int to : {y * size + x + d, (y + d) * size + x}) {
          const bool inside = to < size * size && (to / size == y || to % size == x);
          if (inside && owner[static_cast<size_t>(to)] != UINT32_MAX) close += owner[static_cast<size_t>(to)] != mine;
        }
      }
    }
  }
  CHECK_EQ(close, 0);
  return covered;
}

TriangleMesh torus(double large, double small, int columns, int rows) {
  TriangleMesh mesh = scene::grid(columns, rows, [=](double u, double v) {
    const double a = 2 * M_PI * u, b = 2 * M_PI * v, r = large + small * std::cos(b);
    return Place{r * std::cos(a), r * std::sin(a), small * std::sin(b)};
  });
  for (uint32_t& i : mesh.indices) {
    const uint32_t c = i % static_cast<uint32_t>(columns + 1), r = i / static_cast<uint32_t>(columns + 1);
    i = r % static_cast<uint32_t>(rows) * static_cast<uint32_t>(columns + 1) + c % static_cast<uint32_t>(columns);
  }
  for (size_t t = 0; t < mesh.triangles(); ++t) std::swap(mesh.indices[3 * t], mesh.indices[3 * t + 1]);
  return mesh;
}

}  // namespace

TEST(a_flat_mesh_is_one_chart_that_fills_the_texture) {
  const TriangleMesh mesh = scene::grid(8, 8, [](double u, double v) { return Place{90 * u, 90 * v, 400}; });
  const Atlas atlas = unwrap(mesh, 256);
  CHECK_EQ(atlas.charts, size_t{1});
  CHECK(check_atlas(mesh, atlas, 256, 4) > 0.94 * 256 * 256);
  CHECK(atlas.filled > 0.94);
  CHECK_EQ(atlas.mesh.vertices(), mesh.vertices());
}

TEST(a_cube_is_six_charts) {
  TriangleMesh mesh;
  for (int i = 0; i < 8; ++i) {
    for (int k = 0; k < 3; ++k) mesh.positions.push_back((i >> k & 1) != 0 ? 50.0f : -50.0f);
  }
  mesh.indices = {0, 4, 6, 0, 6, 2, 1, 3, 7, 1, 7, 5, 0, 1, 5, 0, 5, 4,
                  2, 6, 7, 2, 7, 3, 0, 2, 3, 0, 3, 1, 4, 5, 7, 4, 7, 6};
  const Atlas atlas = unwrap(mesh, 300);
  CHECK_EQ(atlas.charts, size_t{6});
  CHECK_EQ(atlas.mesh.vertices(), size_t{24});
  check_atlas(mesh, atlas, 300, 4);
  CHECK(atlas.filled > 0.6);
}

TEST(a_torus_and_a_rough_sphere_overlap_nowhere) {
  const TriangleMesh ring = torus(80, 30, 96, 48);
  const Atlas first = unwrap(ring, 512);
  check_atlas(ring, first, 512, 4);
  CHECK(first.charts >= 6);
  CHECK(first.filled > 0.4);
  // Noise makes many small charts, of which most are joined.
  TriangleMesh rough = scene::half_sphere(80, 60, 170);
  uint32_t seed = 1;
  for (float& p : rough.positions) {
    seed = seed * 1664525u + 1013904223u;
    p += (static_cast<float>(seed >> 8) / 16777216.0f - 0.5f) * 1.5f;
  }
  const Atlas second = unwrap(rough, 700, 2);
  check_atlas(rough, second, 700, 2);
  CHECK(second.charts < 400);
  std::printf("  torus: %zu charts fill %.2f; rough sphere: %zu fill %.2f\n", first.charts, first.filled, second.charts,
              second.filled);
}

TEST(a_ramp_that_winds_over_itself_is_taken_apart) {
  // Two turns of a spiral staircase: every triangle looks up, and each turn lies over the other.
  const TriangleMesh mesh = scene::grid(80, 4, [](double u, double v) {
    const double a = 4 * M_PI * u, r = 40 + 30 * (1 - v);
    return Place{r * std::cos(a), r * std::sin(a), 60 * u};
  });
  const Atlas atlas = unwrap(mesh, 256);
  CHECK(atlas.charts >= 2);
  check_atlas(mesh, atlas, 256, 4);
}

TEST(normals_and_colours_go_along) {
  TriangleMesh mesh = scene::half_sphere(80, 12, 80);
  for (size_t i = 0; i < mesh.vertices(); ++i) {
    for (int k = 0; k < 3; ++k) mesh.colours.push_back(static_cast<uint8_t>(i + static_cast<size_t>(k)));
  }
  const Atlas atlas = unwrap(mesh, 128);
  for (size_t i = 0; i < atlas.mesh.vertices(); ++i) {
    CHECK_EQ(atlas.mesh.colours[3 * i], mesh.colours[3 * atlas.sources[i]]);
    double along = 0;
    for (size_t k = 0; k < 3; ++k)
      along += double{atlas.mesh.normals[3 * i + k]} * atlas.mesh.positions[3 * i + k] / 80;
    CHECK(along > 0.97);
  }
}

TEST(bad_input_is_refused) {
  Executor executor(1);
  const auto code = [&](const TriangleMesh& mesh, int size, int padding) {
    UnwrapOptions options;
    options.size = size;
    options.padding = padding;
    Atlas out;
    return unwrap_mesh(view_of(mesh), options, executor, nullptr, &out).code();
  };
  const TriangleMesh good = scene::half_sphere(80, 12, 170);
  CHECK(code(good, 64, 2) == Code::kOk);
  for (const int size : {0, -5, 8193}) CHECK(code(good, size, 2) == Code::kInvalidArgument);
  for (const int padding : {-1, 65}) CHECK(code(good, 64, padding) == Code::kInvalidArgument);
  CHECK(code(good, 8, 8) == Code::kInvalidArgument);  // six charts do not fit
  TriangleMesh mesh = good;
  mesh.positions[0] = std::nanf("");
  CHECK(code(mesh, 64, 2) == Code::kInvalidArgument);
  mesh = good;
  mesh.indices[0] = 100000;
  CHECK(code(mesh, 64, 2) == Code::kInvalidArgument);
  mesh.indices.clear();
  CHECK(code(mesh, 64, 2) == Code::kNoSurface);
  mesh.indices = {0, 0, 0, 1, 1, 2};
  CHECK(code(mesh, 64, 2) == Code::kNoSurface);
  mesh = good;
  mesh.indices.insert(mesh.indices.end(), {0, 0, 0, 1, 1, 2});
  CHECK(code(mesh, 64, 2) == Code::kOk);
  CancelToken token;
  token.cancel();
  Atlas out;
  CHECK(unwrap_mesh(view_of(good), UnwrapOptions{}, executor, &token, &out).code() == Code::kAborted);
}

TEST_MAIN()
