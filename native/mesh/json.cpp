#include "mesh/json.h"

#include <cmath>

#include "mesh/numbers_text.h"
#include "mesh/read_mesh.h"

namespace lineament {
namespace {

constexpr int kDeepest = 64;
constexpr size_t kMostValues = size_t{1} << 20;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void put_utf8(std::string* to, uint32_t code) {
  const auto put = [to](uint32_t byte) { to->push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

class Parser {
 public:
  Parser(const char* data, size_t size, size_t offset) : begin_(data), at_(data), end_(data + size), offset_(offset) {}

  Result<Json> read() {
    Json root;
    Status good = value(&root, 0);
    if (!good.ok()) return good;
    skip_space();
    if (at_ != end_) return expected("the end of the JSON");
    return root;
  }

 private:
  Status expected(const char* what) const {
    return corrupt_byte(offset_ + static_cast<size_t>(at_ - begin_), std::string("expected ") + what);
  }

  void skip_space() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\n' || *at_ == '\r')) ++at_;
  }

  bool take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  Status value(Json* out, int depth) {
    if (depth > kDeepest) return expected("values that lie at most 64 deep");
    if (++values_ > kMostValues) return expected("at most 1048576 values");
    skip_space();
    if (at_ == end_) return expected("a value");
    switch (*at_) {
      case '{':
        return items(out, depth, true);
      case '[':
        return items(out, depth, false);
      case '"':
        out->kind = Json::Kind::kString;
        return string(&out->text);
      case 't':
        out->truth = true;
        return word("true", out, Json::Kind::kBoolean);
      case 'f':
        return word("false", out, Json::Kind::kBoolean);
      case 'n':
        return word("null", out, Json::Kind::kNull);
      default:
        return number(out);
    }
  }

  Status word(std::string_view wanted, Json* out, Json::Kind kind) {
    if (std::string_view(at_, static_cast<size_t>(end_ - at_)).substr(0, wanted.size()) != wanted) {
      return expected("a value");
    }
    at_ += wanted.size();
    out->kind = kind;
    return Status();
  }

  Status items(Json* out, int depth, bool object) {
    const char close = object ? '}' : ']';
    out->kind = object ? Json::Kind::kObject : Json::Kind::kArray;
    ++at_;
    skip_space();
    if (take(close)) return Status();
    for (;;) {
      if (object) {
        skip_space();
        if (at_ == end_ || *at_ != '"') return expected("a key");
        Status good = string(&out->keys.emplace_back());
        if (!good.ok()) return good;
        skip_space();
        if (!take(':')) return expected(":");
      }
      Status good = value(&out->items.emplace_back(), depth + 1);
      if (!good.ok()) return good;
      skip_space();
      if (take(close)) return Status();
      if (!take(',')) return expected(object ? ", or }" : ", or ]");
    }
  }

  bool four_digits(uint32_t* code) {
    *code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ == end_) return false;
      const char c = *at_, lower = static_cast<char>(c | 0x20);
      if (is_digit(c)) {
        *code = *code * 16 + static_cast<uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        *code = *code * 16 + static_cast<uint32_t>(lower - 'a' + 10);
      } else {
        return false;
      }
    }
    return true;
  }

  Status escape(std::string* out) {
    constexpr std::string_view kNames = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
    if (at_ == end_) return expected("an escape");
    const char c = *at_;
    const size_t simple = kNames.find(c);
    if (simple != std::string_view::npos) {
      ++at_;
      out->push_back(kMeant[simple]);
      return Status();
    }
    if (c != 'u') return expected("an escape");
    ++at_;
    uint32_t code;
    if (!four_digits(&code)) return expected("four hexadecimal digits");
    if (code >= 0xd800 && code < 0xdc00 && end_ - at_ >= 6 && at_[0] == '\\' && at_[1] == 'u') {
      at_ += 2;
      uint32_t low;
      if (!four_digits(&low) || low < 0xdc00 || low > 0xdfff) return expected("the other half of a character");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    } else if (code >= 0xd800 && code <= 0xdfff) {
      return expected("both halves of a character");
    }
    put_utf8(out, code);
    return Status();
  }

  Status string(std::string* out) {
    ++at_;
    while (at_ != end_ && *at_ != '"') {
      if (static_cast<unsigned char>(*at_) < 0x20) return expected("no control character in a string");
      if (*at_ != '\\') {
        out->push_back(*at_++);
        continue;
      }
      ++at_;
      Status good = escape(out);
      if (!good.ok()) return good;
    }
    return take('"') ? Status() : expected("the end of a string");
  }

  // The grammar is stricter than take_number: no +, no leading zeros, digits on both sides of the point.
  Status number(Json* out) {
    const char* p = at_;
    const auto digits = [&] {
      const char* const from = p;
      while (p != end_ && is_digit(*p)) ++p;
      return p - from;
    };
    if (p != end_ && *p == '-') ++p;
    const bool zero = p != end_ && *p == '0';
    const auto whole = digits();
    bool good = whole > 0 && !(zero && whole > 1);
    if (good && p != end_ && *p == '.') {
      ++p;
      good = digits() > 0;
    }
    if (good && p != end_ && (*p == 'e' || *p == 'E')) {
      ++p;
      if (p != end_ && (*p == '+' || *p == '-')) ++p;
      good = digits() > 0;
    }
    if (!good || !take_number(&at_, p, &out->number) || !std::isfinite(out->number)) return expected("a value");
    out->kind = Json::Kind::kNumber;
    return Status();
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  size_t offset_;
  size_t values_ = 0;
};

}  // namespace

const Json* Json::find(std::string_view key) const {
  if (kind != Kind::kObject) return nullptr;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i] == key) return &items[i];
  }
  return nullptr;
}

const std::vector<Json>& Json::list(std::string_view key) const {
  static const std::vector<Json> none;
  const Json* const found = find(key);
  return found != nullptr && found->is(Kind::kArray) ? found->items : none;
}

Result<Json> parse_json(const char* data, size_t size, size_t offset) { return Parser(data, size, offset).read(); }

}  // namespace lineament
