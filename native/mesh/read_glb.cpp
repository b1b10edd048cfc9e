// The scene of a binary glTF as one mesh for each level of detail: its primitives with their nodes' transforms applied.
#include <algorithm>
#include <array>
#include <cmath>

#include "mesh/glb_file.h"
#include "mesh/read_mesh.h"

namespace lineament {
namespace {

using Matrix = std::array<double, 16>;  // column by column

constexpr Matrix kIdentity = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1};
constexpr size_t kMostIndex = size_t{1} << 32, kMostLevels = 16, kNone = ~size_t{0};
constexpr size_t kPoints = 0, kTriangles = 4, kStrip = 5, kFan = 6;

std::string item(const char* list, size_t index) { return std::string(list) + "[" + std::to_string(index) + "]"; }

Matrix product(const Matrix& a, const Matrix& b) {
  Matrix out{};
  for (size_t column = 0; column < 4; ++column) {
    for (size_t row = 0; row < 4; ++row) {
      for (size_t k = 0; k < 4; ++k) out[4 * column + row] += a[4 * k + row] * b[4 * column + k];
    }
  }
  return out;
}

// `count` numbers of a property, which keep what they are where it is missing.
Status numbers_at(const Json& object, const char* key, size_t count, double* out, const std::string& name) {
  const Json* const found = object.find(key);
  if (found == nullptr) return Status();
  bool good = found->is(Json::Kind::kArray) && found->items.size() == count;
  for (size_t i = 0; good && i < count; ++i) {
    good = found->items[i].is(Json::Kind::kNumber);
    out[i] = found->items[i].number;
  }
  return good ? Status() : corrupt(name + "." + key + ": expected " + std::to_string(count) + " numbers");
}

Status transform_of(const Json& node, const std::string& name, Matrix* out) {
  *out = kIdentity;
  if (node.find("matrix") != nullptr) return numbers_at(node, "matrix", 16, out->data(), name);
  double t[3] = {0, 0, 0}, q[4] = {0, 0, 0, 1}, s[3] = {1, 1, 1};
  Status good = numbers_at(node, "translation", 3, t, name);
  if (good.ok()) good = numbers_at(node, "rotation", 4, q, name);
  if (good.ok()) good = numbers_at(node, "scale", 3, s, name);
  if (!good.ok()) return good;
  const double x = q[0], y = q[1], z = q[2], w = q[3];
  *out = {s[0] * (1 - 2 * (y * y + z * z)),
          s[0] * 2 * (x * y + z * w),
          s[0] * 2 * (x * z - y * w),
          0,
          s[1] * 2 * (x * y - z * w),
          s[1] * (1 - 2 * (x * x + z * z)),
          s[1] * 2 * (y * z + x * w),
          0,
          s[2] * 2 * (x * z + y * w),
          s[2] * 2 * (y * z - x * w),
          s[2] * (1 - 2 * (x * x + y * y)),
          0,
          t[0],
          t[1],
          t[2],
          1};
  return Status();
}

// Of the upper left 3 × 3.
double determinant(const Matrix& m) {
  return m[0] * (m[5] * m[10] - m[9] * m[6]) - m[4] * (m[1] * m[10] - m[9] * m[2]) + m[8] * (m[1] * m[6] - m[5] * m[2]);
}

void move_positions(const Matrix& m, std::vector<float>* positions) {
  for (size_t i = 0; i < positions->size(); i += 3) {
    float* p = positions->data() + i;
    const double x = static_cast<double>(p[0]), y = static_cast<double>(p[1]), z = static_cast<double>(p[2]);
    for (size_t k = 0; k < 3; ++k) p[k] = static_cast<float>(m[k] * x + m[4 + k] * y + m[8 + k] * z + m[12 + k]);
  }
}

// By the cofactors, the inverse transposed but for a factor; their sign is that of the determinant.
void turn_normals(const Matrix& m, std::vector<float>* normals) {
  const double sign = determinant(m) < 0 ? -1 : 1;
  double c[9];
  for (size_t row = 0; row < 3; ++row) {
    for (size_t column = 0; column < 3; ++column) {
      const size_t r1 = (row + 1) % 3, r2 = (row + 2) % 3, c1 = (column + 1) % 3, c2 = (column + 2) % 3;
      c[3 * row + column] = sign * (m[4 * c1 + r1] * m[4 * c2 + r2] - m[4 * c2 + r1] * m[4 * c1 + r2]);
    }
  }
  for (size_t i = 0; i < normals->size(); i += 3) {
    float* p = normals->data() + i;
    const double x = static_cast<double>(p[0]), y = static_cast<double>(p[1]), z = static_cast<double>(p[2]);
    double n[3], length = 0;
    for (size_t k = 0; k < 3; ++k) {
      n[k] = c[3 * k] * x + c[3 * k + 1] * y + c[3 * k + 2] * z;
      length += n[k] * n[k];
    }
    length = std::sqrt(length);
    for (size_t k = 0; k < 3; ++k) p[k] = length > 0 ? static_cast<float>(n[k] / length) : 0.0F;
  }
}

// Linear to sRGB (IEC 61966-2-1) in 8 bits.
uint8_t srgb_of(float linear) {
  if (!(linear > 0)) return 0;
  if (linear >= 1) return 255;
  const float share = linear <= 0.0031308F ? 12.92F * linear : 1.055F * std::pow(linear, 1 / 2.4F) - 0.055F;
  return static_cast<uint8_t>(255 * share + 0.5F);
}

class SceneReader {
 public:
  SceneReader(const GlbFile& file, const MeshLimits& limits, const CancelToken* token)
      : file_(file), json_(file.json), limits_(limits), token_(token) {}

  Result<MeshFile> read() {
    MeshFile out;
    Status good = images(&out);
    if (!good.ok()) return good;
    for (size_t level = 0; level < levels_; ++level) {
      mesh_ = TriangleMesh();
      good = scene(level);
      if (good.ok()) good = finish_mesh(&mesh_, limits_, token_);
      if (!good.ok()) return good;
      if (level == 0)
        out.texture = texture_ == kNone || texture_ >= out.images.size() || several_ ? -1 : static_cast<int>(texture_);
      out.levels.push_back(std::move(mesh_));
    }
    return out;
  }

 private:
  struct Visit {
    size_t node;
    Matrix parent;
  };

  Status images(MeshFile* out) const {
    for (const Json& one : json_.list("images")) {
      MeshImage& image = out->images.emplace_back();
      size_t index = 0;
      if (!whole_number(one.find("bufferView"), kMostIndex, &index)) continue;  // beside the file: no bytes
      GlbView view;
      const Status good = file_.view(index, &view);
      if (!good.ok()) return good;
      image.offset = static_cast<size_t>(view.data - file_.file);
      image.size = view.size;
      const Json* const mime = one.find("mimeType");
      if (mime != nullptr) image.mime = mime->text;
    }
    return Status();
  }

  // The nodes of the scene that is shown, or where there is none those that are nobody's child.
  Status roots(std::vector<Visit>* out) const {
    const std::vector<Json>& nodes = json_.list("nodes");
    const std::vector<Json>& scenes = json_.list("scenes");
    if (scenes.empty()) {
      std::vector<bool> child(nodes.size(), false);
      for (const Json& node : nodes) {
        for (const Json& one : node.list("children")) {
          size_t index;
          if (whole_number(&one, kMostIndex, &index) && index < nodes.size()) child[index] = true;
        }
      }
      for (size_t i = nodes.size(); i-- > 0;) {
        if (!child[i]) out->push_back({i, kIdentity});
      }
      return Status();
    }
    size_t scene = 0;
    if (!whole_at(json_, "scene", 0, scenes.size() - 1, &scene))
      return corrupt("scene: expected the number of a scene");
    return children(scenes[scene].list("nodes"), item("scenes", scene) + ".nodes", kIdentity, out);
  }

  // In reverse, so that the first is at the end and comes next.
  static Status children(const std::vector<Json>& list, const std::string& name, const Matrix& parent,
                         std::vector<Visit>* out) {
    for (size_t i = list.size(); i-- > 0;) {
      size_t index = 0;
      if (!whole_number(&list[i], kMostIndex, &index)) return corrupt(name + ": expected numbers of nodes");
      out->push_back({index, parent});
    }
    return Status();
  }

  Status scene(size_t level) {
    const std::vector<Json>& nodes = json_.list("nodes");
    std::vector<bool> visited(nodes.size(), false);
    std::vector<Visit> open;
    Status good = roots(&open);
    while (good.ok() && !open.empty()) {
      if (is_cancelled(token_)) return stopped();
      Visit visit = open.back();
      open.pop_back();
      if (visit.node < nodes.size()) good = choose(level, nodes[visit.node], &visit.node);
      if (!good.ok()) return good;
      const std::string name = item("nodes", visit.node);
      if (visit.node >= nodes.size()) return corrupt(name + " is not there");
      if (visited[visit.node]) return corrupt(name + " is reached twice");
      visited[visit.node] = true;
      const Json& node = nodes[visit.node];
      Matrix own;
      good = transform_of(node, name, &own);
      if (!good.ok()) return good;
      own = product(visit.parent, own);
      if (const Json* const mesh = node.find("mesh"); mesh != nullptr) good = add_mesh(*mesh, name, own);
      if (good.ok()) good = children(node.list("children"), name + ".children", own, &open);
    }
    return good;
  }

  // MSFT_lod: instead of the node the one for this level, or the coarsest that there is.
  Status choose(size_t level, const Json& node, size_t* index) {
    const Json* const extensions = node.find("extensions");
    const Json* const lod = extensions == nullptr ? nullptr : extensions->find("MSFT_lod");
    if (lod == nullptr) return Status();
    const std::vector<Json>& ids = lod->list("ids");
    levels_ = std::max(levels_, std::min(kMostLevels, ids.size() + 1));
    if (level == 0 || ids.empty()) return Status();
    if (whole_number(&ids[std::min(level, ids.size()) - 1], kMostIndex, index)) return Status();
    return corrupt("MSFT_lod.ids: expected numbers of nodes");
  }

  Status add_mesh(const Json& number, const std::string& node, const Matrix& matrix) {
    const std::vector<Json>& meshes = json_.list("meshes");
    size_t index = 0;
    if (!whole_number(&number, kMostIndex, &index) || index >= meshes.size()) {
      return corrupt(node + ".mesh: expected the number of a mesh");
    }
    const std::vector<Json>& primitives = meshes[index].list("primitives");
    for (size_t i = 0; i < primitives.size(); ++i) {
      if (is_cancelled(token_)) return stopped();
      const Status good = add(primitives[i], item("meshes", index) + "." + item("primitives", i), matrix);
      if (!good.ok()) return good;
    }
    return Status();
  }

  // An attribute of as many elements as there are positions (0: of positions). Left empty where it is missing.
  Status attribute(const Json& attributes, const std::string& key, const std::string& name, size_t* components,
                   size_t count, std::vector<float>* out) const {
    const Json* const found = attributes.find(key);
    if (found == nullptr) return Status();
    size_t accessor = 0;
    if (!whole_number(found, kMostIndex, &accessor)) return corrupt(name + "." + key + ": expected an accessor");
    const size_t most = count > 0 ? count : limits_.vertices - std::min(limits_.vertices, mesh_.vertices());
    const Status good = file_.numbers(accessor, components, most, out);
    if (!good.ok()) return good;
    if (count > 0 && out->size() != count * *components) {
      return corrupt(name + "." + key + ": expected " + std::to_string(count) + " elements");
    }
    return Status();
  }

  Status add(const Json& primitive, const std::string& name, const Matrix& matrix) {
    size_t mode = 0;
    if (!whole_at(primitive, "mode", kTriangles, kFan, &mode)) return corrupt(name + ".mode: expected 0 to 6");
    if (mode != kPoints && mode < kTriangles) return Status();  // lines
    const Json* const attributes = primitive.find("attributes");
    if (attributes == nullptr || attributes->find("POSITION") == nullptr) {
      return corrupt(name + ".attributes: expected POSITION");
    }
    size_t set = 0;
    Status good = material(primitive, name, &set);
    std::vector<float> positions, normals, uvs, colours;
    size_t three = 3, two = 2, any = 0;
    if (good.ok()) good = attribute(*attributes, "POSITION", name, &three, 0, &positions);
    const size_t count = positions.size() / 3;
    if (good.ok()) good = attribute(*attributes, "NORMAL", name, &three, count, &normals);
    if (good.ok()) good = attribute(*attributes, "TEXCOORD_" + std::to_string(set), name, &two, count, &uvs);
    if (good.ok()) good = attribute(*attributes, "COLOR_0", name, &any, count, &colours);
    if (good.ok() && mode != kPoints) good = triangles(primitive, name, mode, count, determinant(matrix) < 0);
    if (!good.ok()) return good;
    if (matrix != kIdentity) {
      move_positions(matrix, &positions);
      turn_normals(matrix, &normals);
    }
    const auto append = [](const std::vector<float>& from, std::vector<float>* to) {
      to->insert(to->end(), from.begin(), from.end());
    };
    append(positions, &mesh_.positions);
    append(normals, &mesh_.normals);
    append(uvs, &mesh_.uvs);
    for (size_t i = 0; i < colours.size(); i += any) {
      for (size_t k = 0; k < 3; ++k) mesh_.colours.push_back(srgb_of(colours[i + k]));
    }
    return Status();
  }

  // The image of the base colour, and which set of texture coordinates it goes by.
  Status material(const Json& primitive, const std::string& name, size_t* set) {
    const Json* const found = primitive.find("material");
    if (found == nullptr) return Status();
    const std::vector<Json>& materials = json_.list("materials");
    size_t index = 0;
    if (!whole_number(found, kMostIndex, &index) || index >= materials.size()) {
      return corrupt(name + ".material: expected the number of a material");
    }
    const Json* const surface = materials[index].find("pbrMetallicRoughness");
    const Json* const texture = surface == nullptr ? nullptr : surface->find("baseColorTexture");
    if (texture == nullptr) return Status();
    const std::vector<Json>& textures = json_.list("textures");
    size_t number = 0, source = 0;
    if (!whole_number(texture->find("index"), kMostIndex, &number) || number >= textures.size() ||
        !whole_at(*texture, "texCoord", 0, 255, set)) {
      return corrupt(item("materials", index) + ": expected a texture for baseColorTexture");
    }
    if (!whole_number(textures[number].find("source"), kMostIndex, &source)) return Status();  // of an extension
    several_ = several_ || (texture_ != kNone && texture_ != source);
    texture_ = source;
    return Status();
  }

  Status triangles(const Json& primitive, const std::string& name, size_t mode, size_t count, bool mirrored) {
    std::vector<uint32_t> corners;
    const size_t room = 3 * (limits_.triangles - std::min(limits_.triangles, mesh_.triangles()));
    if (const Json* const found = primitive.find("indices"); found != nullptr) {
      size_t accessor = 0;
      if (!whole_number(found, kMostIndex, &accessor)) return corrupt(name + ".indices: expected an accessor");
      const Status good = file_.indices(accessor, room, &corners);
      if (!good.ok()) return good;
    } else {
      corners.resize(count);
      for (size_t i = 0; i < count; ++i) corners[i] = static_cast<uint32_t>(i);
    }
    for (const uint32_t corner : corners) {
      if (corner >= count) {
        return corrupt(name + ".indices: " + std::to_string(corner) + " names none of " + std::to_string(count) +
                       " vertices");
      }
    }
    if (mode == kTriangles && corners.size() % 3 != 0)
      return corrupt(name + ": expected three indices for each triangle");
    const size_t triangles = mode == kTriangles ? corners.size() / 3 : corners.size() < 3 ? 0 : corners.size() - 2;
    if (3 * triangles > room) return corrupt(name + ": more triangles than the limit");
    const auto first = static_cast<uint32_t>(mesh_.vertices());
    for (size_t i = 0; i < triangles; ++i) {
      size_t a = i, b = i + 1, c = i + 2;
      if (mode == kTriangles) a = 3 * i, b = 3 * i + 1, c = 3 * i + 2;
      if (mode == kStrip && i % 2 == 1) std::swap(b, c);
      if (mode == kFan) a = i + 1, b = i + 2, c = 0;
      if (mirrored) std::swap(b, c);
      mesh_.indices.insert(mesh_.indices.end(), {first + corners[a], first + corners[b], first + corners[c]});
    }
    return Status();
  }

  const GlbFile& file_;
  const Json& json_;
  const MeshLimits& limits_;
  const CancelToken* token_;
  TriangleMesh mesh_;
  size_t levels_ = 1;
  size_t texture_ = kNone;
  bool several_ = false;
};

}  // namespace

Result<MeshFile> read_glb(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token) {
  const Result<GlbFile> file = open_glb(data, size);
  if (!file.ok()) return file.status();
  return SceneReader(file.value(), limits, token).read();
}

}  // namespace lineament
