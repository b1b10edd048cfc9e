// Numbers as text and back, independent of the locale, exact in both directions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace lineament {

// The most characters that put_float and put_unsigned write.
constexpr size_t kLongestFloat = 24;
constexpr size_t kLongestUnsigned = 20;

// The shortest text that reads back as the same float; returns what lies behind it. `value` is finite.
char* put_float(char* to, float value);
char* put_unsigned(char* to, uint64_t value);

// The number at *at, which moves behind it; correctly rounded. Also `nan` and `inf`, which the caller refuses. False,
// with *at unchanged, where there is none.
bool take_number(const char** at, const char* end, float* value);
bool take_number(const char** at, const char* end, double* value);

inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

// A walk through text that knows the number of the line it is in.
struct TextCursor {
  const char* at;
  const char* end;
  size_t line = 1;

  bool done() const { return at == end; }
  void skip_blanks() {
    while (at != end && is_blank(*at)) ++at;
  }
  // Blanks and line breaks.
  void skip_space() {
    for (; at != end && (is_blank(*at) || *at == '\n'); ++at) line += *at == '\n' ? 1 : 0;
  }
  // To the beginning of the next line.
  void skip_line() {
    while (at != end && *at != '\n') ++at;
    if (at != end) ++at, ++line;
  }
  // True at the end of a line (or of the text), after blanks.
  bool line_ends() {
    skip_blanks();
    return at == end || *at == '\n';
  }
  // True where what follows is separated from what was read.
  bool separated() const { return at == end || is_blank(*at) || *at == '\n'; }
};

}  // namespace lineament
