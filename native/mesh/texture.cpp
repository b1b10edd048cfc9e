#include "mesh/texture.h"

#include <algorithm>
#include <cmath>
#include <new>

#include "core/spread.h"
#include "image/sample.h"
#include "mesh/normals.h"
#include "mesh/photo_gains.h"
#include "mesh/photo_view.h"
#include "mesh/texel_rows.h"
#include "mesh/texture_fill.h"

namespace lineament {
namespace {

constexpr int kBandRows = 32;
constexpr int kGainSide = 128;  // texels along a side that gains are estimated from
constexpr float kFarthestUv = 100;

Status bad(const char* what) { return Status(Code::kInvalidArgument, what); }

Status check(const MeshView& mesh, const std::vector<Photograph>& photographs, const BakeOptions& options) {
  Status status = check_mesh(mesh, Code::kNoSurface);
  if (!status.ok()) return status;
  if (mesh.uvs == nullptr) return bad("Expected texture coordinates");
  for (size_t i = 0; i < 2 * mesh.vertices; ++i) {
    if (!(std::abs(mesh.uvs[i]) <= kFarthestUv)) return bad("Expected texture coordinates within 100");
  }
  if (photographs.empty() || photographs.size() > kMostPhotographs) return bad("Expected 1 to 64 photographs");
  if (options.size < 1 || options.size > kMostTextureSide) return bad("Expected a side of 1 to 8192 texels");
  if (!(options.sharpness >= 1 && options.sharpness <= 16)) return bad("Expected a sharpness from 1 to 16");
  for (const Photograph& one : photographs) {
    status = validate(one.image);
    if (status.ok() && (one.image.width > kMostPhotographSide || one.image.height > kMostPhotographSide)) {
      status = bad("Expected photographs of at most 1048576 pixels on a side");
    }
    if (status.ok()) status = check_camera(one.camera);
    if (!status.ok()) return status;
    const double* m = one.pose;
    if (!std::all_of(m, m + 12, [](double v) { return std::isfinite(v); })) return bad("A pose is not finite");
    for (int a = 0; a < 3; ++a) {
      for (int b = a; b < 3; ++b) {
        const double product = m[4 * a] * m[4 * b] + m[4 * a + 1] * m[4 * b + 1] + m[4 * a + 2] * m[4 * b + 2];
        if (!(std::abs(product - (a == b ? 1 : 0)) < 1e-3)) return bad("A pose does not rotate");
      }
    }
  }
  return Status();
}

std::vector<RasterPoint> texel_corners(const MeshView& mesh, int size) {
  std::vector<RasterPoint> corners(3 * mesh.triangles);
  for (size_t i = 0; i < corners.size(); ++i) {
    const float* uv = mesh.uvs + 2 * size_t{mesh.indices[i]};
    corners[i] = RasterPoint::at(double{uv[0]} * size, double{uv[1]} * size);
  }
  return corners;
}

struct Raster {
  const MeshView& mesh;
  const std::vector<PhotoView>& views;
  int size;
  std::vector<RasterPoint> corners;
  RowBands bands;

  Raster(const MeshView& of, const std::vector<PhotoView>& from, int side)
      : mesh(of),
        views(from),
        size(side),
        corners(texel_corners(of, side)),
        bands(corners.data(), of.triangles, side, kBandRows) {}

  // Calls texel(x, y, samples) for the texels of a band, with a sample of each view. Where triangles overlap a texel
  // may come more than once.
  template <typename Texel>
  void each(size_t band, Texel texel) const {
    constexpr int kMost = PhotoView::kMostSpan;
    const size_t count = views.size();
    std::vector<PhotoView::Triangle> triangles(count);
    std::vector<PhotoSample> rows(count * kMost);
    std::vector<PhotoSample> samples(count);
    std::vector<char> faces(count);
    for (const uint32_t* t = bands.begin(band); t != bands.end(band); ++t) {
      const RasterPoint* p = corners.data() + 3 * size_t{*t};
      const uint32_t* index = mesh.indices + 3 * size_t{*t};
      for (size_t k = 0; k < count; ++k) faces[k] = views[k].triangle(index, p, &triangles[k]);
      texel_rows(p, size, bands.first_row(band), bands.end_row(band), [&](int y, int first, int end) {
        for (int from = first; from < end; from += kMost) {
          const int texels = std::min(kMost, end - from);
          for (size_t k = 0; k < count; ++k) {
            PhotoSample* row = rows.data() + k * kMost;
            if (faces[k]) {
              views[k].span(triangles[k], from + 0.5, y + 0.5, texels, count > 1, row);
            } else {
              std::fill(row, row + texels, PhotoSample());
            }
          }
          for (int i = 0; i < texels; ++i) {
            if (count == 1) {
              texel(from + i, y, rows.data() + i);
              continue;
            }
            for (size_t k = 0; k < count; ++k) samples[k] = rows[k * kMost + static_cast<size_t>(i)];
            texel(from + i, y, samples.data());
          }
        }
      });
    }
  }
};

std::vector<double> estimate_gains(const MeshView& mesh, const std::vector<PhotoView>& views, int side) {
  const Raster raster(mesh, views, side);
  PhotoGains gains(views.size());
  for (size_t band = 0; band < raster.bands.bands(); ++band) {
    raster.each(band, [&](int, int, const PhotoSample* samples) { gains.add(samples); });
  }
  return gains.solve();
}

struct Tally {
  size_t covered = 0, known = 0;
};

// One texel of the answer; false where nothing is seen.
bool blend(const PhotoSample* samples, const std::vector<double>& gains, float sharpness, uint8_t* out) {
  if (gains.size() == 3) {
    if (!(samples->weight > 0)) return false;
    const float colour[3] = {samples->red, samples->green, samples->blue};
    for (int c = 0; c < 3; ++c) out[c] = static_cast<uint8_t>(colour[c] + 0.5f);
    return true;
  }
  float sum[3] = {0, 0, 0}, total = 0, most = 0;
  for (size_t k = 0; k < gains.size() / 3; ++k) most = std::max(most, samples[k].weight);
  if (!(most > 0)) return false;
  for (size_t k = 0; k < gains.size() / 3; ++k) {
    const PhotoSample& one = samples[k];
    if (!(one.weight > 0)) continue;
    const float share = one.weight / most;
    const float weight = sharpness == 2 ? share * share : std::pow(share, sharpness);
    sum[0] += weight * one.red * static_cast<float>(gains[3 * k]);
    sum[1] += weight * one.green * static_cast<float>(gains[3 * k + 1]);
    sum[2] += weight * one.blue * static_cast<float>(gains[3 * k + 2]);
    total += weight;
  }
  for (int c = 0; c < 3; ++c) out[c] = static_cast<uint8_t>(std::clamp(sum[c] / total + 0.5f, 0.0f, 255.0f));
  return true;
}

Status bake(const MeshView& mesh, const std::vector<Photograph>& photographs, const BakeOptions& options,
            Executor& executor, const CancelToken* token, BakedTexture* out) {
  std::vector<float> made;
  if (mesh.normals == nullptr) {
    Result<std::vector<float>> found = vertex_normals(mesh, executor, token);
    if (!found.ok()) return found.status();
    made = std::move(found.value());
  }
  const float* normals = mesh.normals != nullptr ? mesh.normals : made.data();
  std::vector<PhotoView> views(photographs.size());
  double texels = 0;
  for (size_t t = 0; t < mesh.triangles; ++t) {
    const auto uv = [&](size_t k) { return mesh.uvs + 2 * size_t{mesh.indices[3 * t + k]}; };
    const float *a = uv(0), *b = uv(1), *c = uv(2);
    texels +=
        std::abs((double{b[0]} - a[0]) * (double{c[1]} - a[1]) - (double{c[0]} - a[0]) * (double{b[1]} - a[1])) / 2;
  }
  texels *= static_cast<double>(options.size) * options.size;
  for (size_t k = 0; k < views.size(); ++k) {
    Status done = views[k].open(mesh, normals, photographs[k], executor, token);
    if (!done.ok()) return done;
    const double across = std::sqrt(views[k].pixels(mesh) / std::max(texels, 1.0));
    const int halvings = across >= 2 ? std::min(12, static_cast<int>(std::log2(across))) : 0;
    done = views[k].load(halvings, token);
    if (!done.ok()) return done;
  }
  out->gains.assign(3 * views.size(), 1);
  if (options.equalise && views.size() > 1) {
    out->gains = estimate_gains(mesh, views, std::min(options.size, kGainSide));
  }

  const size_t cells = static_cast<size_t>(options.size) * static_cast<size_t>(options.size);
  out->size = options.size;
  out->rgb.reset(new uint8_t[3 * cells]);
  out->known.reset(new uint8_t[cells]());
  const Raster raster(mesh, views, options.size);
  std::vector<Tally> tallies(raster.bands.bands());
  const float sharpness = static_cast<float>(options.sharpness);
  Status done = spread(executor, raster.bands.bands(), [&](size_t band) {
    if (is_cancelled(token)) return Status(Code::kAborted, "Cancelled");
    Tally tally;
    const auto paint = [&] {
      raster.each(band, [&](int x, int y, const PhotoSample* samples) {
        const size_t i = static_cast<size_t>(y) * static_cast<size_t>(options.size) + static_cast<size_t>(x);
        ++tally.covered;
        if (out->known[i] != 0) {  // of another triangle that lies here too
          ++tally.known;
          return;
        }
        if (!blend(samples, out->gains, sharpness, out->rgb.get() + 3 * i)) return;
        out->known[i] = 1;
        ++tally.known;
      });
    };
    try {
      paint();
    } catch (const std::bad_alloc&) {
      return Status(Code::kOutOfMemory, "Out of memory for the texture");
    }
    tallies[band] = tally;
    return Status();
  });
  if (!done.ok()) return done;
  Tally all;
  for (const Tally& one : tallies) {
    all.covered += one.covered;
    all.known += one.known;
  }
  if (all.known == 0) return Status(Code::kNoSurface, "No photograph shows any texel of the mesh");
  out->coverage = static_cast<double>(all.known) / static_cast<double>(all.covered);
  return fill_texture(out->rgb.get(), out->known.get(), options.size, executor, token);
}

}  // namespace

Status bake_texture(const MeshView& mesh, const std::vector<Photograph>& photographs, const BakeOptions& options,
                    Executor& executor, const CancelToken* token, BakedTexture* out) {
  Status status = check(mesh, photographs, options);
  if (!status.ok()) return status;
  try {
    return bake(mesh, photographs, options, executor, token, out);
  } catch (const std::bad_alloc&) {
    return Status(Code::kOutOfMemory, "Out of memory for the texture");
  }
}

}  // namespace lineament
