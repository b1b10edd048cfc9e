// 3D Systems, "StereoLithography Interface Specification", 1988.
#include <cmath>

#include "mesh/write_mesh.h"

namespace lineament {
namespace {

struct Facet {
  float normal[3];
  float corners[9];
};

// The normal is 0 0 0 where the corners lie on a line, as the format has it.
Facet facet_of(const MeshView& mesh, const Turn& turn, size_t i) {
  Facet facet{};
  for (size_t k = 0; k < 3; ++k) {
    const float* p = mesh.positions + 3 * size_t{mesh.indices[3 * i + k]};
    facet.corners[3 * k] = turn.x(p);
    facet.corners[3 * k + 1] = turn.y(p);
    facet.corners[3 * k + 2] = turn.z(p);
  }
  double a[3], b[3];
  for (int k = 0; k < 3; ++k) {
    a[k] = static_cast<double>(facet.corners[3 + k]) - static_cast<double>(facet.corners[k]);
    b[k] = static_cast<double>(facet.corners[6 + k]) - static_cast<double>(facet.corners[k]);
  }
  const double n[] = {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
  const double length = std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  for (int k = 0; k < 3; ++k) {
    facet.normal[k] = length > 0 && std::isfinite(length) ? static_cast<float>(n[k] / length) + 0.0F : 0.0F;
  }
  return facet;
}

Result<MeshBytes> write_text(const MeshView& mesh, const MeshWriting& how, Executor& executor,
                             const CancelToken* token) {
  const Turn turn{how.turned};
  const std::string name = how.comment.empty() ? "" : " " + how.comment;
  TextFile file("solid" + name + "\n");
  const auto facet = [&](size_t i, char* to) {
    const Facet one = facet_of(mesh, turn, i);
    const Turn as_is{false};
    to = put_three(put_text(to, "facet normal "), as_is, one.normal);
    to = put_text(to, "\nouter loop\n");
    for (size_t k = 0; k < 3; ++k) {
      to = put_three(put_text(to, "vertex "), as_is, one.corners + 3 * k);
      *to++ = '\n';
    }
    return put_text(to, "endloop\nendfacet\n");
  };
  const Status done = file.rows(executor, token, mesh.triangles, 12 * (kLongestFloat + 1) + 80, facet);
  if (!done.ok()) return done;
  file.text("endsolid" + name + "\n");
  return file.bytes();
}

Result<MeshBytes> write_binary(const MeshView& mesh, const MeshWriting& how, Executor& executor,
                               const CancelToken* token) {
  constexpr size_t kHead = 84, kFacet = 50;
  static_assert(sizeof(Facet) == 48);
  const Turn turn{how.turned};
  MeshBytes out = allocate_bytes(kHead + kFacet * mesh.triangles);
  if (!out.data) return out_of_memory_for_file();
  std::memset(out.data.get(), 0, kHead);
  // A head that begins with "solid" would be taken for text.
  const std::string head = ("Binary STL. " + how.comment).substr(0, 80);
  std::memcpy(out.data.get(), head.data(), head.size());
  const auto count = static_cast<uint32_t>(mesh.triangles);
  std::memcpy(out.data.get() + 80, &count, 4);
  const Status done = for_rows(executor, token, mesh.triangles, [&](size_t begin, size_t end) {
    uint8_t* to = out.data.get() + kHead + begin * kFacet;
    for (size_t i = begin; i < end; ++i, to += kFacet) {
      const Facet one = facet_of(mesh, turn, i);
      std::memcpy(to, &one, sizeof(one));
      std::memset(to + sizeof(one), 0, 2);
    }
  });
  if (!done.ok()) return done;
  return out;
}

}  // namespace

Result<MeshBytes> write_stl(const MeshView& mesh, const MeshWriting& how, Executor& executor,
                            const CancelToken* token) {
  const Status good = check_writing(mesh, how, token);
  if (!good.ok()) return good;
  if (mesh.triangles == 0) return Status(Code::kInvalidArgument, "STL holds triangles, and there is none");
  return how.ascii ? write_text(mesh, how, executor, token) : write_binary(mesh, how, executor, token);
}

}  // namespace lineament
