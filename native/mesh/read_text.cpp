// OBJ (Wavefront, "Advanced Visualizer Manual", appendix B1) and XYZ: a thing in each line.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "mesh/numbers_text.h"
#include "mesh/read_mesh.h"

namespace lineament {
namespace {

constexpr uint32_t kNone = 0xffffffff;

// Blanks, and line breaks behind a backslash.
void skip_blanks(TextCursor* text) {
  for (;;) {
    text->skip_blanks();
    const char* p = text->at;
    if (p == text->end || *p != '\\') return;
    ++p;
    if (p != text->end && *p == '\r') ++p;
    if (p == text->end || *p != '\n') return;
    text->at = p + 1;
    ++text->line;
  }
}

bool line_ends(TextCursor* text) {
  skip_blanks(text);
  return text->at == text->end || *text->at == '\n' || *text->at == '#';
}

uint8_t byte_of_share(float share) {
  return static_cast<uint8_t>(std::lround(255 * std::clamp(std::isnan(share) ? 0.0F : share, 0.0F, 1.0F)));
}

// Corners of triangles by their position, texture coordinate and normal, each numbered on its own.
struct Corners {
  std::vector<uint32_t> v, t, n;

  void add(const uint32_t corner[3]) {
    v.push_back(corner[0]);
    t.push_back(corner[1]);
    n.push_back(corner[2]);
  }
};

class ObjReader {
 public:
  ObjReader(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token)
      : text_{reinterpret_cast<const char*>(data), reinterpret_cast<const char*>(data) + size},
        limits_(limits),
        token_(token) {}

  Result<MeshFile> read() {
    for (size_t step = 1; !text_.done(); ++step) {
      if (time_to_stop(step, token_)) return stopped();
      if (!line_ends(&text_)) {
        const Status good = line();
        if (!good.ok()) return good;
      }
      text_.skip_line();
    }
    MeshFile file;
    file.levels.emplace_back();
    file.library = std::move(library_);
    Status good = join(&file.levels[0]);
    if (good.ok()) good = finish_mesh(&file.levels[0], limits_, token_);
    if (!good.ok()) return good;
    return file;
  }

 private:
  Status line() {
    const char* const begin = text_.at;
    while (text_.at != text_.end && !is_blank(*text_.at) && *text_.at != '\n') ++text_.at;
    const std::string_view word(begin, static_cast<size_t>(text_.at - begin));
    if (word == "v") return vertex();
    if (word == "vt") return numbers(1, 2, &uvs_, 2);
    if (word == "vn") return numbers(3, 3, &normals_, 3);
    if (word == "f") return face();
    if (word == "mtllib" && library_.empty()) {
      text_.skip_blanks();
      const char* last = text_.at;
      while (last != text_.end && *last != '\n') ++last;
      const char* first = text_.at;
      text_.at = last;
      while (last != first && is_blank(last[-1])) --last;
      library_.assign(first, last);
    }
    return Status();
  }

  // Between `least` and any number of numbers, of which `kept` are appended; what is missing is 0.
  Status numbers(size_t least, size_t kept, std::vector<float>* to, size_t width) {
    size_t count = 0;
    for (; !line_ends(&text_); ++count) {
      float value;
      if (!take_number(&text_.at, text_.end, &value)) return corrupt_line(text_.line, "expected a number");
      if (count < kept) to->push_back(value);
    }
    if (count < least) return corrupt_line(text_.line, "expected " + std::to_string(least) + " numbers");
    for (; count < width; ++count) to->push_back(0);
    return Status();
  }

  Status vertex() {
    scratch_.clear();
    const Status good = numbers(3, 6, &scratch_, 3);
    if (!good.ok()) return good;
    if (positions_.size() / 3 >= limits_.vertices) return corrupt_line(text_.line, "more vertices than the limit");
    positions_.insert(positions_.end(), scratch_.begin(), scratch_.begin() + 3);
    if (scratch_.size() == 6) {
      for (size_t k = 3; k < 6; ++k) colours_.push_back(byte_of_share(scratch_[k]));
    }
    return Status();
  }

  // From 1 on, or from −1 down from the last one that was read. `so_far`: how many were read.
  Status index(size_t so_far, uint32_t* out) {
    double value = 0;
    const char* const begin = text_.at;
    if (!take_number(&text_.at, text_.end, &value)) return corrupt_line(text_.line, "expected an index");
    for (const char* p = begin; p != text_.at; ++p) {
      if (*p != '-' && *p != '+' && (*p < '0' || *p > '9')) return corrupt_line(text_.line, "expected a whole number");
    }
    if (value < 0) value += static_cast<double>(so_far) + 1;
    if (!(value >= 1 && value < 4294967295.0)) return corrupt_line(text_.line, "an index names nothing");
    *out = static_cast<uint32_t>(value) - 1;
    return Status();
  }

  Status face() {
    uint32_t first[3] = {}, last[3] = {}, corner[3] = {};
    size_t count = 0;
    for (; !line_ends(&text_); ++count) {
      corner[1] = corner[2] = kNone;
      Status good = index(positions_.size() / 3, &corner[0]);
      if (good.ok() && text_.at != text_.end && *text_.at == '/') {
        ++text_.at;
        const bool empty = text_.separated() || *text_.at == '/';
        if (!empty) good = index(uvs_.size() / 2, &corner[1]);
        if (good.ok() && text_.at != text_.end && *text_.at == '/') {
          ++text_.at;
          if (!text_.separated()) good = index(normals_.size() / 3, &corner[2]);
        }
      }
      if (!good.ok()) return good;
      if (!text_.separated() && *text_.at != '\\') return corrupt_line(text_.line, "expected a corner such as 1/1/1");
      if (count == 0) std::copy_n(corner, 3, first);
      if (count >= 2) {
        if (corners_.v.size() / 3 >= limits_.triangles)
          return corrupt_line(text_.line, "more triangles than the limit");
        corners_.add(first);
        corners_.add(last);
        corners_.add(corner);
      }
      std::copy_n(corner, 3, last);
    }
    return count >= 3 ? Status() : corrupt_line(text_.line, "expected three corners of a face");
  }

  Status check(const std::vector<uint32_t>& indices, size_t count, const char* what) const {
    for (size_t i = 0; i < indices.size(); ++i) {
      if (indices[i] >= count) {
        return corrupt("triangle " + std::to_string(i / 3) + " names " + what + " " +
                       std::to_string(uint64_t{indices[i]} + 1) + " of " + std::to_string(count));
      }
    }
    return Status();
  }

  // One vertex for each combination of position, texture coordinate and normal that occurs.
  Status join(TriangleMesh* mesh) {
    for (size_t i = 1; i < uvs_.size(); i += 2) uvs_[i] = 1 - uvs_[i];
    const auto given = [](const std::vector<uint32_t>& indices) {
      return !indices.empty() && std::find(indices.begin(), indices.end(), kNone) == indices.end();
    };
    const bool textured = given(corners_.t), smooth = given(corners_.n);
    if (!textured) corners_.t.clear();
    if (!smooth) corners_.n.clear();
    Status good = check(corners_.v, positions_.size() / 3, "vertex");
    if (good.ok()) good = check(corners_.t, uvs_.size() / 2, "texture coordinate");
    if (good.ok()) good = check(corners_.n, normals_.size() / 3, "normal");
    if (!good.ok()) return good;
    const bool same = (!textured || (corners_.t == corners_.v && uvs_.size() / 2 == positions_.size() / 3)) &&
                      (!smooth || (corners_.n == corners_.v && normals_.size() == positions_.size()));
    if (colours_.size() != positions_.size()) colours_.clear();
    if (!same) return part(mesh, textured, smooth);
    mesh->positions = std::move(positions_);
    mesh->colours = std::move(colours_);
    mesh->indices = std::move(corners_.v);
    if (textured) mesh->uvs = std::move(uvs_);
    if (smooth) mesh->normals = std::move(normals_);
    return Status();
  }

  // In the order of the positions, and of the rest among vertices with one position.
  Status part(TriangleMesh* mesh, bool textured, bool smooth) {
    const size_t corners = corners_.v.size();
    std::vector<uint32_t> start(positions_.size() / 3 + 1, 0);
    for (const uint32_t v : corners_.v) ++start[v + 1];
    std::partial_sum(start.begin(), start.end(), start.begin());
    std::vector<uint32_t> order(corners), next(start.begin(), start.end() - 1);
    for (size_t i = 0; i < corners; ++i) order[next[corners_.v[i]]++] = static_cast<uint32_t>(i);
    const auto rest = [&](uint32_t i) { return std::pair(textured ? corners_.t[i] : 0, smooth ? corners_.n[i] : 0); };
    mesh->indices.resize(corners);
    for (size_t v = 0; v + 1 < start.size(); ++v) {
      if (time_to_stop(v + 1, token_)) return stopped();
      const auto begin = order.begin() + start[v], end = order.begin() + start[v + 1];
      std::sort(begin, end, [&](uint32_t a, uint32_t b) { return rest(a) < rest(b); });
      for (auto at = begin; at != end; ++at) {
        if (at == begin || rest(*at) != rest(at[-1])) {
          mesh->positions.insert(mesh->positions.end(), &positions_[3 * v], &positions_[3 * v] + 3);
          if (!colours_.empty()) mesh->colours.insert(mesh->colours.end(), &colours_[3 * v], &colours_[3 * v] + 3);
          const auto [t, n] = rest(*at);
          if (textured) mesh->uvs.insert(mesh->uvs.end(), &uvs_[2 * size_t{t}], &uvs_[2 * size_t{t}] + 2);
          if (smooth) mesh->normals.insert(mesh->normals.end(), &normals_[3 * size_t{n}], &normals_[3 * size_t{n}] + 3);
        }
        mesh->indices[*at] = static_cast<uint32_t>(mesh->positions.size() / 3 - 1);
      }
    }
    return Status();
  }

  TextCursor text_;
  const MeshLimits& limits_;
  const CancelToken* token_;
  std::vector<float> positions_, uvs_, normals_, scratch_;
  std::vector<uint8_t> colours_;
  Corners corners_;
  std::string library_;
};

bool is_parting(char c) { return is_blank(c) || c == ',' || c == ';'; }

// The numbers of a line, up to nine; false where something else stands there.
bool take_row(TextCursor* text, float row[9], size_t* count, bool* whole) {
  *count = 0;
  *whole = true;
  for (;;) {
    while (!text->done() && is_parting(*text->at)) ++text->at;
    if (text->done() || *text->at == '\n') return true;
    const char* const begin = text->at;
    float value;
    if (!take_number(&text->at, text->end, &value)) return false;
    if (!text->done() && !is_parting(*text->at) && *text->at != '\n') return false;
    if (*count >= 3 && *count < 6) {
      const bool digits = std::all_of(begin, text->at, [](char c) { return c >= '0' && c <= '9'; });
      *whole = *whole && digits && value <= 255;
    }
    if (*count < 9) row[*count] = value;
    ++*count;
  }
}

}  // namespace

Result<MeshFile> read_obj(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token) {
  return ObjReader(data, size, limits, token).read();
}

// What stands behind the position in the first line holds for all: three whole numbers up to 255 are a colour, six or
// more others begin with a normal, and the rest is passed over.
Result<MeshFile> read_xyz(const uint8_t* data, size_t size, const MeshLimits& limits, const CancelToken* token) {
  const auto* const begin = reinterpret_cast<const char*>(data);
  TextCursor text{begin, begin + size};
  MeshFile file;
  TriangleMesh& mesh = file.levels.emplace_back();
  size_t columns = 0;
  bool coloured = false, normals = false;
  for (size_t step = 1; !text.done(); ++step, text.skip_line()) {
    if (time_to_stop(step, token)) return stopped();
    if (text.line_ends()) continue;
    const bool slashes = *text.at == '/' && text.end - text.at > 1 && text.at[1] == '/';
    if (*text.at == '#' || slashes) continue;
    float row[9] = {};
    size_t count = 0;
    bool whole = false;
    if (!take_row(&text, row, &count, &whole)) return corrupt_line(text.line, "expected numbers");
    if (count == 0) continue;
    if (columns == 0) {
      if (count < 3) return corrupt_line(text.line, "expected three numbers or more");
      columns = count;
      coloured = columns >= 6 && whole;
      normals = columns >= 6 && !whole;
    }
    if (count != columns) return corrupt_line(text.line, "expected " + std::to_string(columns) + " numbers");
    if (coloured && !whole) return corrupt_line(text.line, "expected a colour of whole numbers up to 255");
    if (mesh.vertices() >= limits.vertices) return corrupt_line(text.line, "more points than the limit");
    mesh.positions.insert(mesh.positions.end(), row, row + 3);
    if (normals) mesh.normals.insert(mesh.normals.end(), row + 3, row + 6);
    for (size_t k = 3; coloured && k < 6; ++k) mesh.colours.push_back(static_cast<uint8_t>(row[k]));
  }
  const Status good = finish_mesh(&mesh, limits, token);
  if (!good.ok()) return good;
  return file;
}

}  // namespace lineament
