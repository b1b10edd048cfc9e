// What the writers of meshes share.
#pragma once

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/spread.h"
#include "mesh/mesh_file.h"
#include "mesh/numbers_text.h"

namespace lineament {

// Rows of which one thread makes so many at a time.
constexpr size_t kRowsAtATime = 8192;

// kInvalidArgument where there is no vertex, a number is not finite, an index names no vertex, or a name has a line
// break; kAborted.
Status check_writing(const MeshView& mesh, const MeshWriting& how, const CancelToken* token);

// Null data where memory ran out.
MeshBytes allocate_bytes(size_t size);
Status out_of_memory_for_file();

// Calls part(begin, end) for all of [0, rows), from several threads.
template <typename Part>
Status for_rows(Executor& executor, const CancelToken* token, size_t rows, Part part) {
  return spread(executor, (rows + kRowsAtATime - 1) / kRowsAtATime, [&](size_t i) {
    if (is_cancelled(token)) return Status(Code::kAborted, "");
    try {
      part(i * kRowsAtATime, std::min(rows, (i + 1) * kRowsAtATime));
    } catch (const std::bad_alloc&) {
      return out_of_memory_for_file();
    }
    return Status();
  });
}

// The text of a file: a head, and rows that several threads make.
class TextFile {
 public:
  explicit TextFile(std::string head) { parts_.push_back(std::move(head)); }

  // row(i, to) writes row i of at most `longest` characters at `to` and returns what lies behind it.
  template <typename Row>
  Status rows(Executor& executor, const CancelToken* token, size_t count, size_t longest, Row row) {
    const size_t first = parts_.size();
    parts_.resize(first + (count + kRowsAtATime - 1) / kRowsAtATime);
    return for_rows(executor, token, count, [&](size_t begin, size_t end) {
      std::string text((end - begin) * longest, ' ');
      char* to = text.data();
      for (size_t i = begin; i < end; ++i) to = row(i, to);
      parts_[first + begin / kRowsAtATime].assign(text.data(), to);
    });
  }
  void text(std::string more) { parts_.push_back(std::move(more)); }

  Result<MeshBytes> bytes() const;

 private:
  std::vector<std::string> parts_;
};

// Three numbers of a vertex in the frame that is asked for. The zero has no sign.
struct Turn {
  bool turned;
  float x(const float* p) const { return p[0] + 0.0F; }
  float y(const float* p) const { return turned ? 0.0F - p[1] : p[1] + 0.0F; }
  float z(const float* p) const { return turned ? 0.0F - p[2] : p[2] + 0.0F; }
};

inline char* put_text(char* to, const char* text) {
  const size_t length = std::strlen(text);
  std::memcpy(to, text, length);
  return to + length;
}

inline char* put_three(char* to, const Turn& turn, const float* p) {
  to = put_float(to, turn.x(p));
  *to++ = ' ';
  to = put_float(to, turn.y(p));
  *to++ = ' ';
  return put_float(to, turn.z(p));
}

}  // namespace lineament
