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

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  CHECK(at != std::string::npos);
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

}  // namespace

TEST(glb_that_lies_is_refused) {
  const Bytes good = samples::scene_glb();
  const std::string json(good.begin() + 20, good.begin() + 20 + good[12] + 256 * good[13]);
  const Bytes binary(good.end() - 76, good.end());
  const auto refused = [&](const std::string& from, const std::string& to, const char* what) {
    return says(MeshFormat::kGlb, text_of(samples::glb(replaced(json, from, to), binary)), what);
  };
  CHECK(refused("\"count\":4", "\"count\":5", "accessors[0]: 5 elements end beyond bufferViews[0]"));
  CHECK(refused("\"count\":4", "\"count\":4e9", "accessors[0].count: 4000000000 is more than the limit"));
  CHECK(refused("\"count\":4", "\"count\":-1", "accessors[0].count"));
  CHECK(refused("\"count\":4", "\"count\":0", "accessors[0].count"));
  CHECK(refused("\"byteStride\":12", "\"byteStride\":4", "bufferViews[0].byteStride"));
  CHECK(refused("\"byteLength\":48", "\"byteLength\":48000", "bufferViews[0]: it ends beyond"));
  CHECK(refused("\"byteOffset\":68", "\"byteOffset\":1099511627776", "bufferViews[4]"));
  CHECK(refused("\"byteLength\":76", "\"byteLength\":77", "buffers[0].byteLength"));
  CHECK(refused("\"indices\":2", "\"indices\":9", "accessors[9] is not there"));
  CHECK(refused("\"indices\":2", "\"indices\":0", "for indices"));
  CHECK(refused("\"POSITION\":0", "\"POSITION\":2", "accessors[2].type"));
  CHECK(refused("\"children\":[1]", "\"children\":[0]", "reached twice"));
  CHECK(refused("\"children\":[1]", "\"children\":[7]", "nodes[7] is not there"));
  CHECK(refused("\"mesh\":0", "\"mesh\":5", "nodes[1].mesh"));
  CHECK(refused("\"ids\":[2]", "\"ids\":[true]", "MSFT_lod"));
  CHECK(refused("[1,2,3]", "[1,2]", "nodes[0].translation"));
  CHECK(refused("\"version\":\"2.0\"", "\"version\":\"3.0\"", "asset.version"));
  CHECK(
      refused("\"extensionsUsed\":[\"MSFT_lod\"]", "\"extensionsRequired\":[\"KHR_draco_mesh_compression\"]", "draco"));
  CHECK(refused("\"scene\":0", "\"scene\":1", "scene: expected"));
  CHECK(refused("\"mode\":5", "\"mode\":7", "mode"));
  CHECK(refused("\"count\":1,", "\"count\":5,", "sparse"));
  CHECK(refused("\"scale\":[2,2,-2]", "\"scale\":[1e300,1e300,1e300]", "is not finite"));
  Bytes broken = good;
  broken[8] ^= 1;
  CHECK(code_of(MeshFormat::kGlb, broken) == Code::kMeshCorrupt);
  MeshLimits few;
  few.vertices = 7;
  CHECK(code_of(MeshFormat::kGlb, good, few) == Code::kMeshCorrupt);
  few = {};
  few.triangles = 3;
  CHECK(code_of(MeshFormat::kGlb, good, few) == Code::kMeshCorrupt);
}

TEST(json_is_strict) {
  const auto good = [](const std::string& text) { return parse_json(text.data(), text.size(), 0).ok(); };
  for (const char* text :
       {"{}", "[]", " [1, -2.5e-3, 0, true, false, null, \"\\n\\u00e4\"] ", "{\"a\":{\"b\":[]}}", "0"}) {
    CHECK(good(text));
  }
  for (const char* text :
       {"",    "{",  "[1,]",    "{\"a\"}",     "{\"a\":1,}",  "01",    "+1",    "1.",  ".5",     "1e",   "nan",
        "tru", "\"", "\"\\x\"", "\"\\ud83d\"", "\"\\u12g4\"", "[1] 2", "{a:1}", "'a'", "\"\n\"", "1e999"}) {
    CHECK(!good(text));
  }
  CHECK(!good(std::string(100000, '[')));
  CHECK(good(std::string(60, '[') + std::string(60, ']')));
  const std::string text = "{\"a\":\"\\ud83d\\ude00\",\"a\":2}";
  const Result<Json> json = parse_json(text.data(), text.size(), 0);
  CHECK(json.ok() && json.value().find("a")->text == "\xf0\x9f\x98\x80");
}

TEST(files_that_are_cut_short) {
  struct Sample {
    MeshFormat format;
    Bytes bytes;
    bool always;  // no shorter file is one as well
  };
  MeshWriting ascii;
  ascii.ascii = true;
  const TriangleMesh mesh = samples::square();
  const std::vector<Sample> all = {
      {MeshFormat::kPly, written(write_ply, mesh), true},  {MeshFormat::kPly, samples::odd_ply(false), true},
      {MeshFormat::kPly, samples::odd_ply(true), true},    {MeshFormat::kPly, written(write_ply, mesh, ascii), false},
      {MeshFormat::kPly, samples::ascii_ply(), false},     {MeshFormat::kGlb, samples::scene_glb(), true},
      {MeshFormat::kStl, written(write_stl, mesh), true},  {MeshFormat::kStl, samples::ascii_stl(), false},
      {MeshFormat::kObj, written(write_obj, mesh), false}, {MeshFormat::kObj, samples::obj(), false},
      {MeshFormat::kXyz, samples::xyz(), false},
  };
  for (const Sample& sample : all) {
    CHECK(code_of(sample.format, sample.bytes) == Code::kOk);
    for (size_t size = 0; size < sample.bytes.size(); ++size) {
      const Bytes part(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(size));
      const Code code = code_of(sample.format, part);
      CHECK(code == Code::kMeshCorrupt || (!sample.always && code == Code::kOk));
    }
    // Each byte changed: what is accepted holds together, which finish_mesh has looked at.
    for (size_t i = 0; i < sample.bytes.size(); ++i) {
      Bytes changed = sample.bytes;
      changed[i] ^= static_cast<uint8_t>(1 + i % 255);
      const Code code = code_of(sample.format, changed);
      CHECK(code == Code::kMeshCorrupt || code == Code::kOk);
    }
  }
}

TEST(counts_that_lie) {
  MeshWriting ascii;
  ascii.ascii = true;
  const std::string text = text_of(written(write_ply, samples::square(), ascii));
  const std::string binary = text_of(written(write_ply, samples::square()));
  const auto lie = [](const std::string& from, const char* element, const char* count) {
    return replaced(from, std::string(element), count);
  };
  for (const std::string& file : {text, binary}) {
    CHECK(says(MeshFormat::kPly, lie(file, "vertex 4", "vertex 1000000000000"), "there is room for"));
    CHECK(says(MeshFormat::kPly, lie(file, "vertex 4", "vertex 0"), ""));
    CHECK(says(MeshFormat::kPly, lie(file, "vertex 4", "vertex 3"), ""));
    CHECK(says(MeshFormat::kPly, lie(file, "vertex 4", "vertex 5"), ""));
    CHECK(says(MeshFormat::kPly, lie(file, "face 2", "face 1"), "last element"));
    CHECK(says(MeshFormat::kPly, lie(file, "face 2", "face 3"), ""));
    CHECK(says(MeshFormat::kPly, lie(file, "face 2", "face 18446744073709551615"), "there is room for"));
    CHECK(says(MeshFormat::kPly, lie(file, "face 2", "face 18446744073709551616"), "a count of elements"));
    CHECK(says(MeshFormat::kPly, lie(file, "float x", "float q"), "x, y and z"));
    CHECK(says(MeshFormat::kPly, lie(file, "property list uchar", "property list float"), "whole type"));
    CHECK(says(MeshFormat::kPly, lie(file, "vertex_indices", "corners"), "vertex_indices"));
    CHECK(says(MeshFormat::kPly, lie(file, "1.0", "1.1"), "line 2: expected format"));
  }
  CHECK(says(MeshFormat::kPly, replaced(text, "3 1 2 3", "3 1 2 4"), "triangle 1 names vertex 4 of 4"));
  CHECK(says(MeshFormat::kPly, replaced(text, "3 1 2 3", "3 1 2 -3"), "expected a whole number"));
  CHECK(says(MeshFormat::kPly, replaced(text, "3 1 2 3", "3 1 2 0.5"), "expected a whole number"));
  CHECK(says(MeshFormat::kPly, replaced(text, "0 0 500", "0 inf 500"), "vertex 0 is not finite"));
  Bytes stl = written(write_stl, samples::square());
  stl[80] = 3;
  CHECK(says(MeshFormat::kStl, text_of(stl), "byte 80: it counts 3 triangles"));
  CHECK(says(MeshFormat::kObj, "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 4\n", "triangle 0 names vertex 4 of 3"));
  CHECK(says(MeshFormat::kObj, "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 0\n", "line 4: an index names nothing"));
  CHECK(says(MeshFormat::kObj, "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 -4\n", "line 4: an index names nothing"));
  CHECK(says(MeshFormat::kObj, "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1/1 2/1 3/1\n", "names texture coordinate 1 of 0"));
  CHECK(says(MeshFormat::kObj, "v 0 0\n", "line 1: expected 3 numbers"));
  CHECK(says(MeshFormat::kObj, "v 0 0 0\nf 1 1\n", "line 2: expected three corners"));
  CHECK(says(MeshFormat::kObj, "", "no points"));
}

TEST(what_cannot_be_written) {
  Executor executor(1);
  const auto code = [&](Write write, const TriangleMesh& mesh, const MeshWriting& how = {}) {
    return write(view_of(mesh), how, executor, nullptr).status().code();
  };
  for (const Write write : {write_ply, write_obj, write_stl, write_xyz}) {
    CHECK(code(write, TriangleMesh()) == Code::kInvalidArgument);
    TriangleMesh mesh = samples::square();
    mesh.positions[4] = std::numeric_limits<float>::quiet_NaN();
    CHECK(code(write, mesh) == Code::kInvalidArgument);
    mesh = samples::square();
    mesh.indices[2] = 4;
    CHECK(code(write, mesh) == Code::kInvalidArgument);
    mesh = samples::square();
    mesh.normals[2] = std::numeric_limits<float>::infinity();
    CHECK(code(write, mesh) == Code::kInvalidArgument);
    MeshWriting how;
    how.comment = "two\nlines";
    CHECK(code(write, samples::square(), how) == Code::kInvalidArgument);
    CancelToken token;
    token.cancel();
    CHECK(write(view_of(samples::square()), {}, executor, &token).status().code() == Code::kAborted);
  }
  TriangleMesh cloud = samples::square();
  cloud.indices.clear();
  CHECK(code(write_stl, cloud) == Code::kInvalidArgument);
}

TEST(reading_can_be_stopped) {
  CancelToken token;
  token.cancel();
  for (const auto& [format, bytes] :
       {std::pair(MeshFormat::kPly, samples::odd_ply(true)), std::pair(MeshFormat::kGlb, samples::scene_glb()),
        std::pair(MeshFormat::kObj, samples::obj()), std::pair(MeshFormat::kStl, samples::ascii_stl()),
        std::pair(MeshFormat::kXyz, samples::xyz())}) {
    const Result<MeshFile> file = read_mesh_file(format, bytes.data(), bytes.size(), false, 1, {}, &token);
    CHECK(file.status().code() == Code::kAborted);
  }
}

TEST_MAIN()
