// A test harness that fits on one page. A test program includes it, writes TEST(name) { … } blocks and ends with
// TEST_MAIN(). It prints one line per failure and, last, `N passed, N failed, N skipped`; the exit status is 1 when
// anything failed.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace check {

struct Test {
  const char* name;
  std::function<void()> body;
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}
inline int& failures() {
  static int count = 0;
  return count;
}
inline std::string& skip_reason() {
  static std::string reason;
  return reason;
}

struct Register {
  Register(const char* name, std::function<void()> body) { tests().push_back({name, std::move(body)}); }
};

inline void fail(const char* file, int line, const std::string& what) {
  if (++failures() <= 20) std::printf("    %s:%d: %s\n", file, line, what.c_str());
}

template <typename A, typename B>
void equal(const char* file, int line, const char* text, const A& a, const B& b) {
  if (a == b) return;
  std::ostringstream out;
  out << text << ": " << a << " is not " << b;
  fail(file, line, out.str());
}

inline void near(const char* file, int line, const char* text, double a, double b, double tolerance) {
  if (std::abs(a - b) <= tolerance) return;  // false for NaN
  std::ostringstream out;
  out << text << ": " << a << " is not within " << tolerance << " of " << b;
  fail(file, line, out.str());
}

// Runs all tests, or those whose names contain the first argument.
inline int run_all(int argc, char** argv) {
  int passed = 0, failed = 0, skipped = 0;
  for (const Test& test : tests()) {
    if (argc > 1 && std::strstr(test.name, argv[1]) == nullptr) continue;
    failures() = 0;
    skip_reason().clear();
    test.body();
    if (failures() > 0) {
      ++failed;
      std::printf("FAIL %s (%d checks failed)\n", test.name, failures());
    } else if (!skip_reason().empty()) {
      ++skipped;
      std::printf("skip %s: %s\n", test.name, skip_reason().c_str());
    } else {
      ++passed;
    }
  }
  std::printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
  return failed > 0 || passed + skipped == 0 ? 1 : 0;
}

}  // namespace check

#define TEST(name)                                                  \
  static void test_##name();                                        \
  static const check::Register register_##name(#name, test_##name); \
  static void test_##name()
#define CHECK(condition)                                                        \
  do {                                                                          \
    if (!(condition)) check::fail(__FILE__, __LINE__, "not true: " #condition); \
  } while (false)
#define CHECK_EQ(a, b) check::equal(__FILE__, __LINE__, #a " == " #b, (a), (b))
#define CHECK_NEAR(a, b, tolerance) check::near(__FILE__, __LINE__, #a " ~ " #b, (a), (b), (tolerance))
// Leaves the test, counted as skipped.
#define SKIP(reason)               \
  do {                             \
    check::skip_reason() = reason; \
    return;                        \
  } while (false)
#define TEST_MAIN() \
  int main(int argc, char** argv) { return check::run_all(argc, argv); }
