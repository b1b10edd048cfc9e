#include "mesh/numbers_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>
#include <type_traits>

namespace lineament {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

template <typename T>
T parse_slowly(const char* begin, const char* end) {
  T value = 0;
#if defined(__cpp_lib_to_chars)
  const auto [ptr, error] = std::from_chars(begin, end, value);
  // Out of range leaves the value alone: the text tells in which direction.
  if (error != std::errc::result_out_of_range) return value;
#endif
  const std::string text(begin, end);
  if constexpr (std::is_same_v<T, float>) {
    return std::strtof(text.c_str(), nullptr);
  } else {
    return std::strtod(text.c_str(), nullptr);
  }
}

// `nan`, `inf`, `infinity` in any case.
template <typename T>
bool take_word(const char** at, const char* end, bool negative, T* value) {
  const auto is = [&](const char* word) {
    const char* p = *at;
    for (; *word != 0; ++word, ++p) {
      if (p == end || (*p | 0x20) != *word) return false;
    }
    *at = p;
    return true;
  };
  if (is("nan")) {
    *value = std::numeric_limits<T>::quiet_NaN();
    return true;
  }
  if (!is("inf")) return false;
  (void)is("inity");
  *value = negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
  return true;
}

// W. D. Clinger, "How to read floating point numbers accurately", PLDI 1990: an integer up to 2^53 times or by a power
// of ten up to 10^22 is rounded once. What is longer goes the slow way.
template <typename T>
bool take(const char** at, const char* end, T* value) {
  static constexpr double kPower[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                      1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const char* p = *at;
  const bool negative = p != end && *p == '-';
  if (p != end && (*p == '-' || *p == '+')) ++p;
  const char* const begin = p;
  uint64_t mantissa = 0;
  int exponent = 0;
  size_t digits = 0, held = 0;  // held: without leading zeros
  bool point = false;
  for (; p != end; ++p) {
    if (is_digit(*p)) {
      ++digits;
      if (mantissa != 0 || *p != '0') ++held;
      if (held <= 19) mantissa = 10 * mantissa + static_cast<uint64_t>(*p - '0');
      if (point) exponent = std::max(exponent - 1, -1000000);
    } else if (*p == '.' && !point) {
      point = true;
    } else {
      break;
    }
  }
  if (digits == 0) {
    const char* word = begin;
    if (!take_word(&word, end, negative, value)) return false;
    *at = word;
    return true;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    const char* q = p + 1;
    const bool down = q != end && *q == '-';
    if (q != end && (*q == '-' || *q == '+')) ++q;
    if (q != end && is_digit(*q)) {
      int given = 0;
      for (; q != end && is_digit(*q); ++q) given = std::min(10 * given + (*q - '0'), 1000000);
      exponent += down ? -given : given;
      p = q;
    }
  }
  *at = p;
  if (held <= 19 && mantissa <= (uint64_t{1} << 53) && exponent >= -22 && exponent <= 22) {
    double exact = static_cast<double>(mantissa);
    exact = exponent < 0 ? exact / kPower[-exponent] : exact * kPower[exponent];
    // Rounding twice is rounding once, except where the first ended half-way between two floats (or among the
    // smallest).
    const bool halfway = (std::bit_cast<uint64_t>(exact) & 0x1fffffff) == 0x10000000;
    if (std::is_same_v<T, double> || (!halfway && (exact == 0 || exact > 1e-37))) {
      *value = static_cast<T>(negative ? -exact : exact);
      return true;
    }
  }
  const T slow = parse_slowly<T>(begin, p);
  *value = negative ? -slow : slow;
  return true;
}

}  // namespace

bool take_number(const char** at, const char* end, float* value) { return take(at, end, value); }
bool take_number(const char** at, const char* end, double* value) { return take(at, end, value); }

char* put_float(char* to, float value) {
#if defined(__cpp_lib_to_chars)
  return std::to_chars(to, to + kLongestFloat, value).ptr;
#else
  return to + std::snprintf(to, kLongestFloat, "%.9g", static_cast<double>(value));
#endif
}

char* put_unsigned(char* to, uint64_t value) { return std::to_chars(to, to + kLongestUnsigned, value).ptr; }

}  // namespace lineament
