#include <cmath>
#include <limits>
#include <random>

#include "mesh/json.h"
#include "mesh/mesh_file.h"
#include "mesh/numbers_text.h"
#include "tests/check.h"
#include "tests/mesh/file_access.h"
#include "tests/mesh/file_samples.h"

using namespace lineament;
using samples::Bytes;
using namespace files;

namespace {

TriangleMesh mesh_of(MeshFormat format, const Bytes& bytes) {
  Result<MeshFile> file = read(format, bytes);
  if (!file.ok()) {
    std::printf("    %s\n", file.status().message().c_str());
    CHECK(file.ok());
    return {};
  }
  return std::move(file.value().levels[0]);
}

TriangleMesh without(TriangleMesh mesh, bool normals, bool uvs, bool colours) {
  if (normals) mesh.normals.clear();
  if (uvs) mesh.uvs.clear();
  if (colours) mesh.colours.clear();
  return mesh;
}

bool same(const TriangleMesh& a, const TriangleMesh& b) {
  return a.positions == b.positions && a.indices == b.indices && a.normals == b.normals && a.uvs == b.uvs &&
         a.colours == b.colours;
}

// A mesh with random floats of all magnitudes and enough rows for several threads.
TriangleMesh random_mesh(size_t vertices, size_t triangles) {
  std::mt19937 random(7);
  TriangleMesh mesh;
  std::uniform_real_distribution<float> share(-1, 1), power(-30, 30), unit(0, 1);
  for (size_t i = 0; i < 3 * vertices; ++i) mesh.positions.push_back(share(random) * std::pow(10.0F, power(random)));
  for (size_t i = 0; i < vertices; ++i) {
    const float angle = 3 * share(random);
    mesh.normals.insert(mesh.normals.end(), {std::cos(angle), 0, std::sin(angle)});
    mesh.uvs.insert(mesh.uvs.end(), {unit(random), 0.25F * static_cast<float>(i % 5)});
    for (size_t k = 0; k < 3; ++k) mesh.colours.push_back(static_cast<uint8_t>(random()));
  }
  for (size_t i = 0; i < 3 * triangles; ++i) mesh.indices.push_back(static_cast<uint32_t>(random() % vertices));
  return mesh;
}

}  // namespace

TEST(text_numbers_are_exact) {
  std::mt19937 random(1);
  char text[kLongestFloat + 1];
  for (int i = 0; i < 200000; ++i) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (!std::isfinite(value)) continue;
    const char* const end = put_float(text, value);
    const char* at = text;
    float back;
    CHECK(take_number(&at, end, &back));
    CHECK(at == end && std::bit_cast<uint32_t>(back) == std::bit_cast<uint32_t>(value));
  }
  // As the C library reads them: half-way cases, many digits, tiny and huge ones.
  for (const char* one : {"0",
                          "-0",
                          "1",
                          "+1.5",
                          ".5",
                          "5.",
                          "1e5",
                          "1E-5",
                          "9007199254740993",
                          "16777217",
                          "16777217.0000000001",
                          "0.1",
                          "123456789012345678901234567890",
                          "1e-46",
                          "1.1754942e-38",
                          "3.4028236e38",
                          "1e400",
                          "-1e400",
                          "4.9406564584124654e-324",
                          "2.2250738585072011e-308",
                          "0.00000000000000000000000000000000000000000000001e46",
                          "33554433.5",
                          "8388609.5e-3"}) {
    const char* at = one;
    const char* const end = one + std::strlen(one);
    float narrow;
    double wide;
    CHECK(take_number(&at, end, &narrow));
    CHECK(at == end);
    at = one;
    CHECK(take_number(&at, end, &wide));
    CHECK_EQ(narrow, std::strtof(one, nullptr));
    CHECK_EQ(wide, std::strtod(one, nullptr));
  }
  for (const char* one : {"", "-", "+", ".", "e5", "x", "--1", "na"}) {
    const char* at = one;
    float value;
    CHECK(!take_number(&at, one + std::strlen(one), &value));
    CHECK(at == one);
  }
}

TEST(ply_comes_back_bit_for_bit) {
  for (int mask = 0; mask < 8; ++mask) {
    const TriangleMesh mesh = without(random_mesh(20000, 30000), mask & 1, mask & 2, mask & 4);
    for (const bool ascii : {false, true}) {
      MeshWriting how;
      how.ascii = ascii;
      how.comment = "of a test";
      const Bytes bytes = written(write_ply, mesh, how);
      TriangleMesh back = mesh_of(MeshFormat::kPly, bytes);
      // v is turned over twice.
      CHECK_EQ(back.uvs.size(), mesh.uvs.size());
      for (size_t i = 0; i < std::min(back.uvs.size(), mesh.uvs.size()); ++i)
        CHECK_NEAR(back.uvs[i], mesh.uvs[i], 1e-7);
      back.uvs = mesh.uvs;
      CHECK(same(back, mesh));
      CHECK(bytes == written(write_ply, mesh, how, 4));
    }
  }
}

TEST(a_cloud_has_no_faces) {
  TriangleMesh cloud = samples::square();
  cloud.indices.clear();
  cloud.uvs.clear();
  for (const bool ascii : {false, true}) {
    MeshWriting how;
    how.ascii = ascii;
    const Bytes bytes = written(write_ply, cloud, how);
    CHECK(text_of(bytes).find("face") == std::string::npos);
    CHECK(same(mesh_of(MeshFormat::kPly, bytes), cloud));
  }
  TriangleMesh back = mesh_of(MeshFormat::kXyz, written(write_xyz, cloud));
  CHECK(back.normals.empty());
  back.normals = cloud.normals;
  CHECK(same(back, cloud));
  back = mesh_of(MeshFormat::kObj, written(write_obj, without(cloud, true, false, false)));
  CHECK(same(back, without(cloud, true, false, false)));
}

TEST(obj_comes_back) {
  for (int mask = 0; mask < 8; ++mask) {
    const TriangleMesh mesh = without(random_mesh(9000, 12000), mask & 1, mask & 2, mask & 4);
    MeshWriting how;
    how.library = "face.mtl";
    how.material = "face";
    const Bytes bytes = written(write_obj, mesh, how, 3);
    CHECK(bytes == written(write_obj, mesh, how));
    TriangleMesh back = mesh_of(MeshFormat::kObj, bytes);
    for (size_t i = 0; i < std::min(back.uvs.size(), mesh.uvs.size()); ++i) CHECK_NEAR(back.uvs[i], mesh.uvs[i], 1e-7);
    CHECK_EQ(back.uvs.size(), mesh.uvs.size());
    back.uvs = mesh.uvs;
    CHECK(same(back, mesh));
  }
  CHECK_EQ(read(MeshFormat::kObj, samples::obj()).value().library, "roof.mtl");
}

TEST(obj_of_others) {
  const TriangleMesh mesh = mesh_of(MeshFormat::kObj, samples::obj());
  CHECK_EQ(mesh.triangles(), size_t{4});
  // Combinations: 1/1, 2/2, 2/1, 2/3, 3/2 with two normals, 4/1, 5/3 with two normals.
  CHECK_EQ(mesh.vertices(), size_t{9});
  CHECK_EQ(mesh.uvs.size(), size_t{18});
  CHECK_EQ(mesh.normals.size(), size_t{27});
  const auto at = [&](size_t corner, size_t k) { return mesh.positions[3 * size_t{mesh.indices[corner]} + k]; };
  CHECK_EQ(at(2, 2), 1.0F);  // corner 5 of the first face
  CHECK_EQ(at(5, 2), 1.0F);  // −1 of the second
  CHECK_EQ(mesh.uvs[2 * size_t{mesh.indices[2]} + 1], 0.0F);
  CHECK_EQ(mesh.normals[3 * size_t{mesh.indices[5]} + 1], 1.0F);
}

TEST(stl_comes_back_with_shared_corners) {
  TriangleMesh mesh = without(samples::square(), true, true, true);
  for (const bool ascii : {false, true}) {
    MeshWriting how;
    how.ascii = ascii;
    how.comment = "solid rock";
    const TriangleMesh back = mesh_of(MeshFormat::kStl, written(write_stl, mesh, how));
    CHECK_EQ(back.vertices(), size_t{4});
    CHECK_EQ(back.triangles(), size_t{2});
    for (size_t i = 0; i < std::min<size_t>(6, back.indices.size()); ++i) {
      for (size_t k = 0; k < 3; ++k) {
        CHECK_EQ(back.positions[3 * size_t{back.indices[i]} + k], mesh.positions[3 * size_t{mesh.indices[i]} + k]);
      }
    }
    CHECK(written(write_stl, random_mesh(20000, 30000), how) == written(write_stl, random_mesh(20000, 30000), how, 4));
  }
  const TriangleMesh text = mesh_of(MeshFormat::kStl, samples::ascii_stl());
  CHECK_EQ(text.vertices(), size_t{4});
  CHECK_EQ(text.triangles(), size_t{2});
  // A binary one whose head begins as that of text does.
  Bytes binary = written(write_stl, mesh);
  std::memcpy(binary.data(), "solid", 5);
  CHECK_EQ(mesh_of(MeshFormat::kStl, binary).triangles(), size_t{2});
}

TEST(turning_is_half_a_turn_about_x) {
  MeshWriting how;
  how.turned = true;
  const TriangleMesh mesh = without(samples::square(), false, true, false);
  const Bytes bytes = written(write_ply, mesh, how);
  const TriangleMesh file = mesh_of(MeshFormat::kPly, bytes);
  for (size_t i = 0; i < 4; ++i) {
    CHECK_EQ(file.positions[3 * i + 1], -mesh.positions[3 * i + 1]);
    CHECK_EQ(file.positions[3 * i + 2], -mesh.positions[3 * i + 2]);
    CHECK_EQ(file.normals[3 * i + 2], -mesh.normals[3 * i + 2]);
  }
  CHECK(!std::signbit(file.positions[1]));
  const Result<MeshFile> back = read_mesh_file(MeshFormat::kPly, bytes.data(), bytes.size(), true, 1, {}, nullptr);
  CHECK(back.ok() && same(back.value().levels[0], mesh));
  const Result<MeshFile> scaled =
      read_mesh_file(MeshFormat::kPly, bytes.data(), bytes.size(), false, 1000, {}, nullptr);
  CHECK(scaled.ok() && scaled.value().levels[0].positions[3] == 10000);
}

TEST(ply_of_others) {
  for (const bool big : {false, true}) {
    const Bytes bytes = samples::odd_ply(big);
    const TriangleMesh mesh = mesh_of(MeshFormat::kPly, bytes);
    CHECK_EQ(mesh.vertices(), size_t{4});
    CHECK_EQ(mesh.positions[3 * 2], -2.0F);
    CHECK_EQ(mesh.positions[3 * 2 + 1], 6.0F);
    CHECK_EQ(mesh.positions[3 * 2 + 2], 102.5F);
    CHECK_EQ(int{mesh.colours[6]}, 202);
    CHECK_EQ(int{mesh.colours[7]}, 128);
    CHECK_EQ(int{mesh.colours[8]}, 255);
    const std::vector<uint32_t> expected = {0, 1, 2, 0, 2, 3, 3, 1, 0};
    CHECK(mesh.indices == expected);
    CHECK_EQ(read(MeshFormat::kPly, bytes).value().library, "face.png");
  }
  const TriangleMesh strip = mesh_of(MeshFormat::kPly, samples::ascii_ply());
  const std::vector<uint32_t> expected = {0, 1, 2, 0, 1, 2};
  CHECK(strip.indices == expected);
  CHECK_EQ(strip.positions[8], 0.5F);
  CHECK_EQ(strip.uvs[1], 1.0F);
}

TEST(xyz_of_others) {
  const TriangleMesh cloud = mesh_of(MeshFormat::kXyz, samples::xyz());
  CHECK_EQ(cloud.vertices(), size_t{2});
  CHECK_EQ(cloud.positions[3], -150.0F);
  CHECK_EQ(int{cloud.colours[4]}, 128);
  const TriangleMesh normals = mesh_of(MeshFormat::kXyz, samples::bytes_of("1 2 3 0 0 -2.0\n4 5 6 0 0 0.0"));
  CHECK_EQ(normals.normals[2], -1.0F);
  CHECK_EQ(normals.normals[5], 0.0F);
  CHECK(mesh_of(MeshFormat::kXyz, samples::bytes_of("1 2 3 0.5\n4 5 6 0.5")).colours.empty());
  CHECK(says(MeshFormat::kXyz, "1 2 3\n4 5\n", "line 2: expected 3 numbers"));
  CHECK(says(MeshFormat::kXyz, "1 2 3\n4 5 x\n", "line 2: expected numbers"));
  CHECK(says(MeshFormat::kXyz, "1 2 3 4 5 6\n4 5 6 7 8 256", "line 2: expected a colour"));
  CHECK(says(MeshFormat::kXyz, "1 2 nan\n", "vertex 0 is not finite"));
  CHECK(says(MeshFormat::kXyz, "1 2\n", "line 1: expected three"));
  CHECK(says(MeshFormat::kXyz, "# nothing\n", "no points"));
}

TEST(glb_scene_is_merged) {
  const Bytes bytes = samples::scene_glb();
  const Result<MeshFile> read_file = read(MeshFormat::kGlb, bytes);
  CHECK(read_file.ok());
  if (!read_file.ok()) {
    std::printf("    %s\n", read_file.status().message().c_str());
    return;
  }
  const MeshFile& file = read_file.value();
  CHECK_EQ(file.levels.size(), size_t{2});
  const TriangleMesh& mesh = file.levels[0];
  CHECK_EQ(mesh.vertices(), size_t{8});
  CHECK_EQ(mesh.triangles(), size_t{4});
  // (1, 0, 0): scaled by 2, turned by 90° about Z, moved by (1, 2, 3).
  CHECK_NEAR(mesh.positions[3], 1, 1e-6);
  CHECK_NEAR(mesh.positions[4], 4, 1e-6);
  CHECK_NEAR(mesh.positions[5], 3, 1e-6);
  // The replaced one, (5, 5, 5): the scale mirrors Z.
  CHECK_NEAR(mesh.positions[21], 1 - 10, 1e-5);
  CHECK_NEAR(mesh.positions[22], 2 + 10, 1e-5);
  CHECK_NEAR(mesh.positions[23], 3 - 10, 1e-5);
  CHECK_NEAR(mesh.normals[2], -1, 1e-6);
  // A mirror turns triangles over.
  const std::vector<uint32_t> expected = {0, 2, 1, 1, 2, 3, 4, 6, 5, 5, 6, 7};
  CHECK(mesh.indices == expected);
  const std::vector<uint32_t> fan = {1, 2, 0, 2, 3, 0};
  CHECK(file.levels[1].indices == fan);
  CHECK_EQ(file.levels[1].positions[3], 2.0F);
  CHECK_EQ(file.texture, 0);
  CHECK_EQ(file.images.size(), size_t{1});
  CHECK_EQ(file.images[0].mime, "image/png");
  CHECK(std::memcmp(bytes.data() + file.images[0].offset, "an image", 8) == 0);
}

TEST_MAIN()
