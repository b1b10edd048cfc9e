// Wavefront, "Advanced Visualizer Manual", appendix B1 (OBJ); XYZ is a point in each line.
#include <algorithm>

#include "mesh/write_mesh.h"

namespace lineament {
namespace {

// Colours of OBJ, which stand behind the position, run from 0 to 1.
struct Shares {
  char text[256][8];
  Shares() {
    for (int i = 0; i < 256; ++i) {
      // Four digits tell 256 steps apart.
      char* to = text[i];
      if (i == 255) {
        *to++ = '1';
      } else {
        const int share = (i * 10000 + 127) / 255;
        *to++ = '0';
        *to++ = '.';
        for (int unit = 1000; unit > 0; unit /= 10) *to++ = static_cast<char>('0' + share / unit % 10);
      }
      *to = 0;
    }
  }
};

char* put_corner(char* to, uint64_t index, bool uv, bool normal) {
  *to++ = ' ';
  to = put_unsigned(to, index);
  if (!uv && !normal) return to;
  *to++ = '/';
  if (uv) to = put_unsigned(to, index);
  if (!normal) return to;
  *to++ = '/';
  return put_unsigned(to, index);
}

}  // namespace

Result<MeshBytes> write_obj(const MeshView& given, const MeshWriting& how, Executor& executor,
                            const CancelToken* token) {
  MeshView mesh = given;
  if (!how.normals) mesh.normals = nullptr;
  const Status good = check_writing(mesh, how, token);
  if (!good.ok()) return good;
  const Turn turn{how.turned};
  const Shares shares;
  std::string head;
  if (!how.comment.empty()) head += "# " + how.comment + "\n";
  if (!how.library.empty()) head += "mtllib " + how.library + "\n";
  TextFile file(std::move(head));
  const auto position = [&](size_t i, char* to) {
    to = put_three(put_text(to, "v "), turn, mesh.positions + 3 * i);
    for (size_t k = 0; mesh.colours != nullptr && k < 3; ++k) {
      *to++ = ' ';
      to = put_text(to, shares.text[mesh.colours[3 * i + k]]);
    }
    *to++ = '\n';
    return to;
  };
  Status done = file.rows(executor, token, mesh.vertices, 3 * (kLongestFloat + 1) + 27, position);
  if (!done.ok()) return done;
  const auto uv = [&](size_t i, char* to) {
    to = put_float(put_text(to, "vt "), mesh.uvs[2 * i]);
    *to++ = ' ';
    to = put_float(to, 1.0F - mesh.uvs[2 * i + 1]);
    *to++ = '\n';
    return to;
  };
  const size_t uvs = mesh.uvs != nullptr ? mesh.vertices : 0;
  done = file.rows(executor, token, uvs, 2 * (kLongestFloat + 1) + 4, uv);
  if (!done.ok()) return done;
  const auto normal = [&](size_t i, char* to) {
    to = put_three(put_text(to, "vn "), turn, mesh.normals + 3 * i);
    *to++ = '\n';
    return to;
  };
  const size_t normals = mesh.normals != nullptr ? mesh.vertices : 0;
  done = file.rows(executor, token, normals, 3 * (kLongestFloat + 1) + 4, normal);
  if (!done.ok()) return done;
  if (!how.material.empty() && mesh.triangles > 0) file.text("usemtl " + how.material + "\n");
  const auto face = [&](size_t i, char* to) {
    *to++ = 'f';
    for (size_t k = 0; k < 3; ++k) {
      to = put_corner(to, uint64_t{mesh.indices[3 * i + k]} + 1, mesh.uvs != nullptr, mesh.normals != nullptr);
    }
    *to++ = '\n';
    return to;
  };
  done = file.rows(executor, token, mesh.triangles, 9 * (kLongestUnsigned + 1) + 2, face);
  if (!done.ok()) return done;
  return file.bytes();
}

Result<MeshBytes> write_xyz(const MeshView& mesh, const MeshWriting& how, Executor& executor,
                            const CancelToken* token) {
  const Status good = check_writing(mesh, how, token);
  if (!good.ok()) return good;
  const Turn turn{how.turned};
  TextFile file("");
  const auto point = [&](size_t i, char* to) {
    to = put_three(to, turn, mesh.positions + 3 * i);
    for (size_t k = 0; mesh.colours != nullptr && k < 3; ++k) {
      *to++ = ' ';
      to = put_unsigned(to, mesh.colours[3 * i + k]);
    }
    *to++ = '\n';
    return to;
  };
  const Status done = file.rows(executor, token, mesh.vertices, 3 * (kLongestFloat + 1) + 16, point);
  if (!done.ok()) return done;
  return file.bytes();
}

}  // namespace lineament
