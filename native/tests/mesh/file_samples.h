// Small files of each format, for the tests and the fuzzers.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "mesh/mesh_file.h"

namespace samples {

using Bytes = std::vector<uint8_t>;

inline Bytes bytes_of(const std::string& text) { return Bytes(text.begin(), text.end()); }

template <typename T>
void put(Bytes* to, T value, bool big = false) {
  uint8_t raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  for (size_t i = 0; i < sizeof(T); ++i) to->push_back(raw[big ? sizeof(T) - 1 - i : i]);
}

// A square of four vertices with everything that there can be.
inline lineament::TriangleMesh square() {
  lineament::TriangleMesh mesh;
  mesh.positions = {0, 0, 500, 10, 0, 500.25F, 0, 10, 499.9F, 10, 10, 0.1F};
  mesh.indices = {0, 2, 1, 1, 2, 3};
  mesh.normals = {0, 0, -1, 0, 0.6F, -0.8F, 1, 0, 0, 0, -1, 0};
  mesh.uvs = {0, 0, 1, 0, 0, 1, 0.75F, 0.5F};
  mesh.colours = {0, 1, 2, 127, 128, 129, 253, 254, 255, 10, 20, 30};
  return mesh;
}

// A PLY in the given byte order with properties of every type in an odd order, lists among the vertices' numbers, a
// face of four corners, one of two, and an element that nobody knows.
inline Bytes odd_ply(bool big) {
  const std::string head =
      std::string("ply\r\nformat binary_") + (big ? "big" : "little") +
      "_endian 1.0\r\ncomment TextureFile face.png\r\nobj_info made by hand\r\n"
      "element camera 2\r\nproperty list ushort double at\r\nproperty char kind\r\n"
      "element vertex 4\r\nproperty double z\r\nproperty uint8 r\r\nproperty list uchar short more\r\n"
      "property int16 x\r\nproperty float64 g\r\nproperty uint32 y\r\nproperty ushort blue\r\n"
      "element face 3\r\nproperty float quality\r\nproperty list uint int16 vertex_index\r\n"
      "end_header\r\n";
  Bytes out = bytes_of(head);
  for (int i = 0; i < 2; ++i) {
    put<uint16_t>(&out, static_cast<uint16_t>(i), big);
    for (int k = 0; k < i; ++k) put<double>(&out, 0.5, big);
    put<int8_t>(&out, -1, big);
  }
  for (int i = 0; i < 4; ++i) {
    put<double>(&out, 100.5 + i, big);
    put<uint8_t>(&out, static_cast<uint8_t>(200 + i), big);
    put<uint8_t>(&out, static_cast<uint8_t>(i % 2), big);
    if (i % 2 == 1) put<int16_t>(&out, 7, big);
    put<int16_t>(&out, static_cast<int16_t>(-i), big);
    put<double>(&out, 0.5, big);
    put<uint32_t>(&out, static_cast<uint32_t>(3 * i), big);
    put<uint16_t>(&out, 65535, big);
  }
  const std::vector<std::vector<int16_t>> faces = {{0, 1, 2, 3}, {1, 2}, {3, 1, 0}};
  for (const std::vector<int16_t>& face : faces) {
    put<float>(&out, 0.25F, big);
    put<uint32_t>(&out, static_cast<uint32_t>(face.size()), big);
    for (const int16_t corner : face) put<int16_t>(&out, corner, big);
  }
  return out;
}

inline Bytes ascii_ply() {
  return bytes_of(
      "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\nproperty float "
      "s\n"
      "property float t\nelement tristrips 1\nproperty list int int vertex_indices\nend_header\n"
      "0 0 0 0 0\n1 0 0 1 0\n0 1e0 +.5 0 1\n7 0 1 2 -1 0 1 2\n");
}

// A GLB of a JSON text and binary bytes, padded as the standard asks for.
inline Bytes glb(std::string json, Bytes binary) {
  while (json.size() % 4 != 0) json += ' ';
  while (binary.size() % 4 != 0) binary.push_back(0);
  Bytes out;
  put<uint32_t>(&out, 0x46546c67);
  put<uint32_t>(&out, 2);
  put<uint32_t>(&out, static_cast<uint32_t>(28 + json.size() + binary.size()));
  put<uint32_t>(&out, static_cast<uint32_t>(json.size()));
  put<uint32_t>(&out, 0x4e4f534a);
  out.insert(out.end(), json.begin(), json.end());
  put<uint32_t>(&out, static_cast<uint32_t>(binary.size()));
  put<uint32_t>(&out, 0x004e4942);
  out.insert(out.end(), binary.begin(), binary.end());
  return out;
}

// Two nodes, one within the other, with transforms; interleaved 16-bit positions and 8-bit normals; a second primitive
// that is a strip without indices; a sparse accessor; two levels of detail; an image.
inline Bytes scene_glb() {
  Bytes binary;
  // View 0: position of three shorts, two bytes of padding, normal of three bytes, padding. Four elements of 12 bytes.
  for (int16_t i = 0; i < 4; ++i) {
    put<int16_t>(&binary, static_cast<int16_t>(i % 2));
    put<int16_t>(&binary, static_cast<int16_t>(i / 2));
    put<int16_t>(&binary, 0);
    put<int16_t>(&binary, 0);
    for (const int8_t value : {0, 0, 127, 0}) put<int8_t>(&binary, static_cast<int8_t>(value));
  }
  for (const uint8_t index : {0, 1, 2, 1, 3, 2, 0, 0}) put<uint8_t>(&binary, index);  // View 1 at 48.
  put<uint16_t>(&binary, 3);                                                          // View 2 at 56, padded.
  put<uint16_t>(&binary, 0);
  for (const int16_t value : {5, 5, 5, 0}) put<int16_t>(&binary, value);  // View 3 at 60.
  for (const char c : std::string("an image")) put<char>(&binary, c);     // View 4 at 68.
  return glb(
      R"({"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],"extensionsUsed":["MSFT_lod"],)"
      R"("nodes":[{"children":[1],"translation":[1,2,3],"name":"\u00e4\ud83d\ude00"},)"
      R"({"mesh":0,"scale":[2,2,-2],"rotation":[0,0,0.7071067811865476,0.7071067811865476],)"
      R"("extensions":{"MSFT_lod":{"ids":[2]}}},{"mesh":1}],)"
      R"("meshes":[{"primitives":[{"attributes":{"POSITION":0,"NORMAL":1},"indices":2,"material":0},)"
      R"({"attributes":{"POSITION":3,"NORMAL":1},"mode":5}]},)"
      R"({"primitives":[{"attributes":{"POSITION":0},"mode":6}]}],)"
      R"("materials":[{"pbrMetallicRoughness":{"baseColorTexture":{"index":0}}}],"textures":[{"source":0}],)"
      R"("images":[{"bufferView":4,"mimeType":"image/png"}],)"
      R"("accessors":[{"bufferView":0,"componentType":5122,"count":4,"type":"VEC3"},)"
      R"({"bufferView":0,"byteOffset":8,"componentType":5120,"normalized":true,"count":4,"type":"VEC3"},)"
      R"({"bufferView":1,"componentType":5121,"count":6,"type":"SCALAR"},)"
      R"({"bufferView":0,"componentType":5122,"count":4,"type":"VEC3","sparse":{"count":1,)"
      R"("indices":{"bufferView":2,"componentType":5123},"values":{"bufferView":3}}}],)"
      R"("bufferViews":[{"buffer":0,"byteLength":48,"byteStride":12},{"buffer":0,"byteOffset":48,"byteLength":8},)"
      R"({"buffer":0,"byteOffset":56,"byteLength":4},{"buffer":0,"byteOffset":60,"byteLength":8},)"
      R"({"buffer":0,"byteOffset":68,"byteLength":8}],"buffers":[{"byteLength":76}]})",
      binary);
}

inline Bytes obj() {
  return bytes_of(
      "# a roof and a floor\nmtllib roof.mtl\no roof\nv 0 0 0\nv 1 0 0\r\nv 1 1 0\nv 0 1 0 # a comment\nv .5 .5 1e0\n"
      "vt 0 0\nvt 1 0\nvt 0.5 1\nvn 0 0 1\nvn 0 1 0\ng sides\nusemtl red\ns off\n"
      "f 1/1/1 2/2/1 5/3/1\nf 2/1/2 3/2/2 -1/-1/-1\nf 4/1/1 3/2/1 \\\n 2/3/1 1/1/1\nl 1 2\n");
}

inline Bytes ascii_stl() {
  return bytes_of(
      "solid two  words\n facet normal 0 0 1\n  outer loop\n   vertex 0 0 0\n   vertex 1 0 0\n   vertex 0 1 0\n"
      "  endloop\n endfacet\nFACET NORMAL 0 0 1 OUTER LOOP VERTEX 1 0 0 VERTEX 1 1 0 VERTEX -0 1 0 ENDLOOP ENDFACET\n"
      "endsolid two words\n");
}

inline Bytes xyz() { return bytes_of("// made by hand\n1 2 3 255 0 7\n\n-1.5e2,2;3\t0 128 9\r\n"); }

}  // namespace samples
