#include "mesh/texture.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tests/check.h"
#include "tests/mesh/scene.h"

using lineament::bake_texture;
using lineament::BakedTexture;
using lineament::BakeOptions;
using lineament::Camera;
using lineament::CancelToken;
using lineament::Code;
using lineament::Executor;
using lineament::Photograph;
using lineament::TriangleMesh;
using scene::Colour;
using scene::Picture;
using scene::Place;

namespace {

constexpr Camera kCamera{500, 500, 200, 150};

BakedTexture bake(const TriangleMesh& mesh, const std::vector<Photograph>& photographs, int size, bool equalise = true,
                  size_t threads = 2) {
  Executor executor(threads);
  BakeOptions options;
  options.size = size;
  options.equalise = equalise;
  BakedTexture out;
  const lineament::Status status = bake_texture(view_of(mesh), photographs, options, executor, nullptr, &out);
  CHECK_EQ(status.message(), "");
  return out;
}

TriangleMesh plane(double z, double half_x, double half_y, int steps = 4) {
  return scene::grid(steps, steps, [=](double u, double v) {
    return Place{(2 * u - 1) * half_x, (2 * v - 1) * half_y, z};
  });
}

// Squares of 20 mm.
double checker(double x, double y) {
  const bool odd = (static_cast<int>(std::floor(x / 20)) + static_cast<int>(std::floor(y / 20))) % 2 != 0;
  return odd ? 220 : 30;
}

double to_line(double x) { return std::abs(x - 20 * std::round(x / 20)); }

Code refusal(const TriangleMesh& mesh, const std::vector<Photograph>& photographs, int size = 64,
             double sharpness = 2) {
  Executor executor(1);
  BakeOptions options;
  options.size = size;
  options.sharpness = sharpness;
  BakedTexture out;
  return bake_texture(view_of(mesh), photographs, options, executor, nullptr, &out).code();
}

}  // namespace

TEST(checker_on_a_plane_comes_back_texel_by_texel) {
  const double z = 500;
  const Picture picture = scene::take(400, 300, kCamera, [=](double x, double y) {
    const double v = checker(x * z, y * z);
    return Colour{v, 255 - v, v / 2};
  });
  const BakedTexture out = bake(plane(z, 120, 90), {scene::photograph(picture, kCamera)}, 256);
  CHECK_NEAR(out.coverage, 1, 1e-12);
  int compared = 0;
  for (int j = 0; j < 256; ++j) {
    for (int i = 0; i < 256; ++i) {
      const double x = ((i + 0.5) / 128 - 1) * 120, y = ((j + 0.5) / 128 - 1) * 90;
      // Bilinear sampling mixes across lines, within one pixel: 1 mm here.
      if (to_line(x) < 1.01 || to_line(y) < 1.01) continue;
      const uint8_t* rgb = out.rgb.get() + 3 * (j * 256 + i);
      const double v = checker(x, y);
      CHECK_NEAR(rgb[0], v, 1);
      CHECK_NEAR(rgb[1], 255 - v, 1);
      CHECK_NEAR(rgb[2], v / 2, 1);
      ++compared;
    }
  }
  CHECK(compared > 40000);
}

TEST(smooth_colours_on_a_tilted_plane_are_within_two_levels) {
  // Z = 500 + X: 45° to the camera. Positions are linear over the texture, pixels are not.
  const TriangleMesh mesh = scene::grid(1, 1, [](double u, double v) {
    const double x = (2 * u - 1) * 100;
    return Place{x, (2 * v - 1) * 90, 500 + x};
  });
  const auto colour = [](double x, double y) { return 128 + 100 * std::sin(x / 15) * std::cos(y / 12); };
  const Picture picture = scene::take(400, 300, kCamera, [&](double x, double y) {
    const double t = 500 / (1 - x);  // Z of the ray (x, y, 1) t with Z = 500 + X
    const double v = colour(x * t, y * t);
    return Colour{v, v, v};
  });
  const BakedTexture out = bake(mesh, {scene::photograph(picture, kCamera)}, 200);
  double worst = 0;
  for (int j = 0; j < 200; ++j) {
    for (int i = 0; i < 200; ++i) {
      const double v = colour(((i + 0.5) / 100 - 1) * 100, ((j + 0.5) / 100 - 1) * 90);
      if (out.known[j * 200 + i] != 0) worst = std::max(worst, std::abs(out.rgb[3 * (j * 200 + i)] - v));
    }
  }
  CHECK_NEAR(out.coverage, 1, 0.01);
  CHECK(worst <= 2);
}

TEST(two_photographs_of_a_sphere_meet_without_a_seam) {
  const double radius = 80, away = 500;
  const TriangleMesh mesh = scene::half_sphere(radius, 48);
  std::vector<Picture> pictures;
  std::vector<Photograph> photographs;
  const double angles[2] = {0.6, -0.6}, gains[2] = {1, 0.75};
  for (int k = 0; k < 2; ++k) {
    pictures.push_back(scene::take(400, 300, kCamera, [&](double x, double y) {
      Place p;
      if (!scene::meet_sphere(x, y, angles[k], away, radius, &p)) return Colour{0, 0, 0};
      return Colour{gains[k] * 200, gains[k] * 150, 100};
    }));
  }
  for (int k = 0; k < 2; ++k) {
    photographs.push_back(scene::photograph(pictures[k], kCamera));
    scene::look_at_origin(&photographs[k], angles[k], away);
  }
  // The middle rows, where both see it; from −60° to 60°, off the outline where a pixel is half sky.
  const auto range = [](const BakedTexture& out) {
    int low = 255, high = 0, step = 0;
    for (int j = 64; j < 192; ++j) {
      for (int i = 32; i < 224; ++i) {
        if (out.known[j * 256 + i] == 0) continue;
        const int v = out.rgb[3 * (j * 256 + i)];
        low = std::min(low, v);
        high = std::max(high, v);
        if (i > 32) step = std::max(step, std::abs(v - out.rgb[3 * (j * 256 + i - 1)]));
      }
    }
    return std::pair<int, int>(high - low, step);
  };
  const BakedTexture even = bake(mesh, photographs, 256);
  const auto [spread, step] = range(even);
  CHECK(spread <= 3);
  CHECK(step <= 2);
  CHECK(even.coverage > 0.95);
  CHECK_NEAR(even.gains[3] / even.gains[0], 1 / 0.75, 0.01);
  CHECK_NEAR(even.gains[5] / even.gains[2], 1, 0.01);
  // As they are, they differ by 50 levels, but no neighbours do: the weights run out.
  const auto [raw_spread, raw_step] = range(bake(mesh, photographs, 256, false));
  CHECK(raw_spread > 40);
  CHECK(raw_step <= 8);
}

TEST(what_stands_in_front_is_not_painted_on_what_is_behind) {
  // A red wall at 600 mm, a green square of 60 mm at 400 mm: one mesh, the square's UVs in a corner of their own.
  TriangleMesh mesh = plane(600, 120, 90, 12);
  for (size_t i = 0; i < mesh.uvs.size(); i += 2) mesh.uvs[i] *= 0.75f;
  const TriangleMesh square = plane(400, 30, 30, 3);
  const uint32_t first = static_cast<uint32_t>(mesh.vertices());
  mesh.positions.insert(mesh.positions.end(), square.positions.begin(), square.positions.end());
  for (size_t i = 0; i < square.uvs.size(); i += 2) {
    mesh.uvs.push_back(0.8f + 0.2f * square.uvs[i]);
    mesh.uvs.push_back(0.2f * square.uvs[i + 1]);
  }
  for (const uint32_t i : square.indices) mesh.indices.push_back(first + i);
  const auto wall_or_square = [](double shift) {
    return [shift](double x, double y) {
      const bool hits = std::abs(shift + x * 400) < 30 && std::abs(y * 400) < 30;
      return hits ? Colour{0, 200, 0} : Colour{200, 0, 0};
    };
  };
  const Picture straight = scene::take(400, 300, kCamera, wall_or_square(0));
  const BakedTexture one = bake(mesh, {scene::photograph(straight, kCamera)}, 256);
  int hidden = 0, green = 0;
  const auto texel = [](int i, int j) { return static_cast<size_t>(j) * 256 + static_cast<size_t>(i); };
  for (int j = 0; j < 256; ++j) {
    for (int i = 0; i < 192; ++i) {
      const double x = ((i + 0.5) / 96 - 1) * 120, y = ((j + 0.5) / 128 - 1) * 90;
      // The shadow on the wall reaches 45 mm; a pixel is 1.2 mm there.
      const bool behind = std::abs(x) < 43 && std::abs(y) < 43;
      hidden += behind && one.known[texel(i, j)] == 0;
      if (behind) CHECK_EQ(int{one.known[texel(i, j)]}, 0);
      if (std::abs(x) > 48 || std::abs(y) > 48) CHECK_EQ(int{one.known[texel(i, j)]}, 1);
      green += one.rgb[3 * texel(i, j) + 1] > 100;
    }
  }
  CHECK(hidden > 3000);
  // At most the pixels on the square's outline: where it is known, the wall is red, and so is what was made up.
  CHECK(green < 250);
  CHECK(one.coverage < 0.95);
  CHECK(one.rgb[3 * texel(230, 25) + 1] > 190);

  // A second photograph from 150 mm to the left sees the right half of what was hidden, and so on.
  const Picture beside = scene::take(400, 300, kCamera, wall_or_square(-150));
  Photograph left = scene::photograph(beside, kCamera);
  left.pose[3] = 150;
  const BakedTexture two = bake(mesh, {scene::photograph(straight, kCamera), left}, 256);
  CHECK(two.coverage > one.coverage + 0.03);
}

TEST(a_pose_moves_the_mesh_before_the_camera) {
  const TriangleMesh mesh = plane(0, 60, 60);
  const Picture picture = scene::take(400, 300, kCamera, [](double x, double y) {
    return Colour{120 + x * 480, 120 + y * 480, 50};
  });
  Photograph one = scene::photograph(picture, kCamera);
  one.pose[3] = 20;
  one.pose[7] = -10;
  one.pose[11] = 400;
  const BakedTexture out = bake(mesh, {one}, 64);
  for (int j = 0; j < 64; j += 7) {
    for (int i = 0; i < 64; i += 7) {
      const double x = ((i + 0.5) / 32 - 1) * 60 + 20, y = ((j + 0.5) / 32 - 1) * 60 - 10;
      CHECK_NEAR(out.rgb[3 * (j * 64 + i)], 120 + x / 400 * 480, 1.5);
      CHECK_NEAR(out.rgb[3 * (j * 64 + i) + 1], 120 + y / 400 * 480, 1.5);
    }
  }
}

TEST(texels_that_are_unknown_take_the_colour_that_is_near) {
  TriangleMesh mesh = plane(500, 60, 60);
  for (float& uv : mesh.uvs) uv = 0.3f + 0.1f * uv;
  const Picture picture = scene::take(400, 300, kCamera, [](double, double) { return Colour{10, 120, 240}; });
  const BakedTexture out = bake(mesh, {scene::photograph(picture, kCamera)}, 333);
  int known = 0;
  for (size_t i = 0; i < 333 * 333; ++i) {
    known += out.known[i];
    CHECK_EQ(int{out.rgb[3 * i]}, 10);
    CHECK_EQ(int{out.rgb[3 * i + 1]}, 120);
    CHECK_EQ(int{out.rgb[3 * i + 2]}, 240);
  }
  CHECK_NEAR(known, 33.3 * 33.3, 40);
}

TEST(fine_stripes_are_averaged_where_the_texture_is_coarse) {
  Picture picture{800, 600, std::vector<uint8_t>(800 * 600 * 3)};
  for (size_t i = 0; i < 800 * 600; ++i) {
    for (int k = 0; k < 3; ++k) picture.pixels[3 * i + k] = i % 2 == 0 ? 0 : 255;
  }
  const Camera camera{1000, 1000, 400, 300};
  const BakedTexture out = bake(plane(500, 150, 110), {scene::photograph(picture, camera)}, 32);
  for (int i = 0; i < 32 * 32; ++i) CHECK_NEAR(out.rgb[3 * i], 127.5, 9);
}

TEST(every_pixel_format_gives_its_colours) {
  const TriangleMesh mesh = plane(500, 60, 60);
  std::vector<uint8_t> bgr(40 * 30 * 3), gray(40 * 30, 77), nv12(40 * 30 * 3 / 2, 128);
  for (size_t i = 0; i < 40 * 30; ++i) bgr[3 * i] = 10, bgr[3 * i + 1] = 20, bgr[3 * i + 2] = 30;
  const Camera camera{50, 50, 20, 15};
  Photograph one;
  one.camera = camera;
  one.image = {bgr.data(), bgr.size(), 40, 30, 120, lineament::PixelFormat::kBgr};
  const BakedTexture first = bake(mesh, {one}, 16);
  CHECK_EQ(int{first.rgb[0]}, 30);
  CHECK_EQ(int{first.rgb[2]}, 10);
  one.image = {gray.data(), gray.size(), 40, 30, 40, lineament::PixelFormat::kGray};
  const BakedTexture second = bake(mesh, {one}, 16);
  for (int k = 0; k < 3; ++k) CHECK_EQ(int{second.rgb[k]}, 77);
  one.image = {nv12.data(), nv12.size(), 40, 30, 40, lineament::PixelFormat::kNv12};
  const BakedTexture third = bake(mesh, {one}, 16);
  for (int k = 0; k < 3; ++k) CHECK_NEAR(third.rgb[k], (128 - 16) * 255.0 / 219, 1);
}

TEST(threads_change_no_byte) {
  const TriangleMesh mesh = scene::half_sphere(80, 40);
  std::vector<Picture> pictures;
  for (int k = 0; k < 3; ++k) {
    pictures.push_back(scene::take(400, 300, kCamera, [k](double x, double y) {
      return Colour{128 + 100 * std::sin(40 * x + k), 128 + 90 * std::cos(33 * y), 60.0 + 20 * k};
    }));
  }
  std::vector<Photograph> photographs;
  for (int k = 0; k < 3; ++k) {
    photographs.push_back(scene::photograph(pictures[k], kCamera));
    scene::look_at_origin(&photographs[k], 0.5 * (k - 1), 500);
  }
  const BakedTexture one = bake(mesh, photographs, 301, true, 1), many = bake(mesh, photographs, 301, true, 5);
  CHECK(std::equal(one.rgb.get(), one.rgb.get() + 301 * 301 * 3, many.rgb.get()));
  CHECK(std::equal(one.known.get(), one.known.get() + 301 * 301, many.known.get()));
  CHECK(one.gains == many.gains);
}

TEST(bad_input_is_refused) {
  const Picture picture = scene::take(40, 30, kCamera, [](double, double) { return Colour{1, 2, 3}; });
  const Photograph good = scene::photograph(picture, Camera{50, 50, 20, 15});
  const TriangleMesh mesh = plane(500, 60, 60);
  CHECK(refusal(mesh, {good}) == Code::kOk);
  CHECK(refusal(mesh, {}) == Code::kInvalidArgument);
  CHECK(refusal(mesh, std::vector<Photograph>(65, good)) == Code::kInvalidArgument);
  for (const int size : {0, -1, 8193}) CHECK(refusal(mesh, {good}, size) == Code::kInvalidArgument);
  for (const double power : {0.0, 17.0, std::nan("")}) {
    CHECK(refusal(mesh, {good}, 64, power) == Code::kInvalidArgument);
  }
  TriangleMesh wrong = mesh;
  wrong.uvs.clear();
  CHECK(refusal(wrong, {good}) == Code::kInvalidArgument);
  for (const float value : {std::nanf(""), INFINITY, 101.0f}) {
    wrong = mesh;
    wrong.uvs[3] = value;
    CHECK(refusal(wrong, {good}) == Code::kInvalidArgument);
  }
  wrong = mesh;
  wrong.positions[4] = std::nanf("");
  CHECK(refusal(wrong, {good}) == Code::kInvalidArgument);
  wrong = mesh;
  wrong.indices[1] = 1000;
  CHECK(refusal(wrong, {good}) == Code::kInvalidArgument);
  wrong.indices.clear();
  CHECK(refusal(wrong, {good}) == Code::kNoSurface);
  CHECK(refusal(TriangleMesh{}, {good}) != Code::kOk);
  // All UVs at one place, or a surface that the camera does not see: behind it, from its back, off the picture.
  wrong = mesh;
  std::fill(wrong.uvs.begin(), wrong.uvs.end(), 0.5f);
  CHECK(refusal(wrong, {good}) == Code::kNoSurface);
  CHECK(refusal(plane(-500, 60, 60), {good}) == Code::kNoSurface);
  CHECK(refusal(plane(0, 60, 60), {good}) == Code::kNoSurface);
  CHECK(refusal(plane(500, -60, 60), {good}) == Code::kNoSurface);
  Photograph bad = good;
  bad.pose[3] = 1e6;
  CHECK(refusal(mesh, {bad}) == Code::kNoSurface);
  bad.pose[3] = std::nan("");
  CHECK(refusal(mesh, {bad}) == Code::kInvalidArgument);
  bad = good;
  bad.pose[0] = 2;
  CHECK(refusal(mesh, {bad}) == Code::kInvalidArgument);
  bad = good;
  bad.camera.fx = 0;
  CHECK(refusal(mesh, {bad}) == Code::kInvalidArgument);
  bad = good;
  bad.image.width = 0;
  CHECK(refusal(mesh, {bad}) == Code::kInvalidArgument);
  bad = good;
  bad.image.size = 100;
  CHECK(refusal(mesh, {bad}) == Code::kInvalidArgument);
  // Triangles without an area do no harm.
  wrong = mesh;
  wrong.indices.insert(wrong.indices.end(), {0, 0, 0, 1, 1, 2});
  CHECK(refusal(wrong, {good}) == Code::kOk);
}

TEST(far_and_near_extremes_end_well) {
  const Picture picture = scene::take(40, 30, kCamera, [](double, double) { return Colour{1, 2, 3}; });
  const Photograph good = scene::photograph(picture, Camera{50, 50, 20, 15});
  for (const double scale : {1e-30, 1e-6, 1e6, 1e30}) {
    const Code code = refusal(plane(500 * scale, 60 * scale, 60 * scale), {good});
    CHECK(code == Code::kOk || code == Code::kNoSurface || code == Code::kInvalidArgument);
  }
}

TEST(cancelling_ends_it) {
  const Picture picture = scene::take(40, 30, kCamera, [](double, double) { return Colour{1, 2, 3}; });
  const Photograph good = scene::photograph(picture, Camera{50, 50, 20, 15});
  Executor executor(2);
  CancelToken token;
  token.cancel();
  BakedTexture out;
  const TriangleMesh mesh = plane(500, 60, 60);
  CHECK(bake_texture(view_of(mesh), {good}, BakeOptions{}, executor, &token, &out).code() == Code::kAborted);
}

TEST_MAIN()
