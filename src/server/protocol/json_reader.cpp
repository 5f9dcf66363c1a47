#include "server/protocol/json_reader.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/utf8.h"

namespace onward::server {
void JsonReader::fail(std::string_view what) const {
  fail_invalid(fmt::format("the body is not valid JSON for this request: {} (at byte {})", what, offset()));
}

JsonReader::Kind JsonReader::peek() {
  skip_space();
  if (at_ == end_) return Kind::kEnd;
  switch (*at_) {
    case '{':
      return Kind::kObject;
    case '[':
      return Kind::kArray;
    case '"':
      return Kind::kString;
    case 't':
    case 'f':
      return Kind::kBool;
    case 'n':
      return Kind::kNull;
    default:
      if (is_digit(*at_) || *at_ == '-' || *at_ == 'N' || *at_ == 'I') return Kind::kNumber;
      fail(fmt::format("unexpected character {}", static_cast<signed char>(*at_) < 0x20 || *at_ == 0x7f
                                                      ? fmt::format("0x{:02x}", static_cast<unsigned char>(*at_))
                                                      : fmt::format("'{}'", *at_)));
  }
}

void JsonReader::expect(char wanted, std::string_view where) {
  skip_space();
  if (at_ == end_) fail(fmt::format("it ends where '{}' should be {}", wanted, where));
  if (*at_ != wanted) fail(fmt::format("expected '{}' {}", wanted, where));
  ++at_;
}

void JsonReader::enter() {
  if (++depth_ > kMaxDepth) fail(fmt::format("nested deeper than {}", kMaxDepth));
  fresh_ = true;
}

bool JsonReader::next(char close, std::string_view where) {
  skip_space();
  if (at_ == end_) fail(fmt::format("it ends {}", where));
  if (*at_ == close) {
    if (!fresh_ && at_[-1] == ',') fail("a comma without a value after it");
    ++at_;
    --depth_;
    fresh_ = false;
    return false;
  }
  if (fresh_) {
    fresh_ = false;
    return true;
  }
  if (*at_ != ',') fail(fmt::format("expected ',' or '{}' {}", close, where));
  ++at_;
  skip_space();
  if (at_ < end_ && *at_ == close) fail("a comma without a value after it");
  return true;
}

void JsonReader::open_object() {
  expect('{', "(an object is wanted here)");
  enter();
}

bool JsonReader::next_key(std::string& key) {
  std::string_view text;
  if (!next_key(text)) return false;
  key = text;
  return true;
}

bool JsonReader::next_key(std::string_view& key) {
  if (!next('}', "in an object")) return false;
  if (peek() != Kind::kString) fail("expected a key in double quotes");
  key = string_view();
  expect(':', "after a key");
  return true;
}

void JsonReader::open_array() {
  expect('[', "(a list is wanted here)");
  enter();
}

bool JsonReader::next_item() { return next(']', "in a list"); }

bool JsonReader::token(std::string_view text) {
  if (remaining() < text.size() || std::string_view(at_, text.size()) != text) return false;
  at_ += text.size();
  return true;
}

bool JsonReader::boolean() {
  skip_space();
  if (token("true")) return true;
  if (token("false")) return false;
  fail("expected true or false");
}

void JsonReader::null() {
  skip_space();
  if (!token("null")) fail("expected null");
}

unsigned JsonReader::hex4() {
  unsigned value = 0;
  if (remaining() < 4) fail("an escape is cut off");
  const auto [end, error] = std::from_chars(at_, at_ + 4, value, 16);
  if (error != std::errc() || end != at_ + 4) fail("\\u wants four hexadecimal digits");
  at_ += 4;
  return value;
}

void JsonReader::escape(std::string& out) {
  if (at_ == end_) fail("a string is not closed");
  const char c = *at_++;
  constexpr std::string_view kLetters = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const size_t index = kLetters.find(c);
  if (index != std::string_view::npos) {
    out.push_back(kMeanings[index]);
    return;
  }
  if (c != 'u') fail(fmt::format("unknown escape \\{}", c));
  uint32_t code = hex4();
  if (code >= 0xdc00 && code < 0xe000) fail("a low surrogate without a high one");
  if (code >= 0xd800 && code < 0xdc00) {
    if (!token("\\u")) fail("a high surrogate without a low one");
    const uint32_t low = hex4();
    if (low < 0xdc00 || low >= 0xe000) fail("a high surrogate without a low one");
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  }
  append_utf8(out, code);
}

// Behind the first quote: the text up to the second one, where it is the string's value.
bool JsonReader::plain_string(std::string_view& text) {
  const char* p = at_;
  while (p < end_ && static_cast<signed char>(*p) >= 0x20 && *p != '"' && *p != '\\') ++p;
  if (p == end_ || *p != '"') return false;
  text = {at_, static_cast<size_t>(p - at_)};
  at_ = p + 1;
  return true;
}

std::string_view JsonReader::string_view() {
  expect('"', "(a string is wanted here)");
  std::string_view text;
  if (plain_string(text)) return text;
  return unescaped_ = any_string();
}

std::string JsonReader::string() {
  expect('"', "(a string is wanted here)");
  std::string_view text;
  return plain_string(text) ? std::string(text) : any_string();
}

// Behind the first quote.
std::string JsonReader::any_string() {
  std::string out;
  const char* start = at_;
  while (true) {
    while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20) ++at_;
    out.append(start, at_);
    if (at_ == end_) fail("a string is not closed");
    if (static_cast<unsigned char>(*at_) < 0x20) fail("a control character in a string");
    if (*at_++ == '"') break;
    escape(out);
    start = at_;
  }
  for (const char c : out) {
    if (static_cast<signed char>(c) >= 0) continue;
    if (!decode_utf8(out)) fail("a string is not UTF-8");
    break;
  }
  return out;
}

double JsonReader::special_number() {
  if (token("NaN")) return std::numeric_limits<double>::quiet_NaN();
  if (token("Infinity")) return std::numeric_limits<double>::infinity();
  if (token("-Infinity")) return -std::numeric_limits<double>::infinity();
  fail("expected a number");
}

// The end of the number literal here, by JSON's grammar.
const char* JsonReader::number_end(bool& integral) const {
  const char* p = at_;
  integral = true;
  if (p < end_ && *p == '-') ++p;
  const char* const first = p;
  while (p < end_ && is_digit(*p)) ++p;
  if (p == first) fail("expected a number");
  if (*first == '0' && p - first > 1) fail("a number with a leading zero");
  if (p < end_ && *p == '.') {
    integral = false;
    const char* const point = ++p;
    while (p < end_ && is_digit(*p)) ++p;
    if (p == point) fail("a number without digits after its point");
  }
  if (p < end_ && (*p == 'e' || *p == 'E')) {
    integral = false;
    if (++p < end_ && (*p == '+' || *p == '-')) ++p;
    const char* const exponent = p;
    while (p < end_ && is_digit(*p)) ++p;
    if (p == exponent) fail("a number without digits in its exponent");
  }
  return p;
}

double JsonReader::number() {
  skip_space();
  double value = 0;
  PlainNumber plain;
  if (const char* const end = plain.read(at_, end_); end != nullptr && plain.to(value)) {
    at_ = end;
    return value;
  }
  if (at_ < end_ && (*at_ == 'N' || *at_ == 'I' || (*at_ == '-' && at_ + 1 < end_ && at_[1] == 'I'))) {
    return special_number();
  }
  bool integral = false;
  const char* const stop = number_end(integral);
  const auto [end, error] = std::from_chars(at_, stop, value);
  if (error == std::errc::result_out_of_range) {
    // Underflow is a zero; overflow must not pass as infinity.
    value = std::strtod(std::string(at_, stop).c_str(), nullptr);
    if (std::isinf(value)) fail(fmt::format("{} is larger than any double", std::string_view(at_, stop)));
  }
  at_ = stop;
  return value;
}

int64_t JsonReader::integer() {
  skip_space();
  bool integral = false;
  const char* const stop = number_end(integral);
  const std::string_view text(at_, static_cast<size_t>(stop - at_));
  int64_t value = 0;
  if (integral) {
    const auto [end, error] = std::from_chars(at_, stop, value);
    if (error != std::errc()) fail(fmt::format("{} does not fit a 64-bit integer", text));
    at_ = stop;
    return value;
  }
  const double real = number();
  constexpr double kLimit = 9223372036854775808.0;
  if (real != std::floor(real)) fail(fmt::format("{} is not a whole number", text));
  if (real < -kLimit || real >= kLimit) fail(fmt::format("{} does not fit a 64-bit integer", text));
  return static_cast<int64_t>(real);
}

uint64_t JsonReader::unsigned_integer() {
  skip_space();
  bool integral = false;
  const char* const stop = number_end(integral);
  if (integral && *at_ != '-') {
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(at_, stop, value);
    if (error != std::errc()) {
      fail(fmt::format("{} does not fit a 64-bit integer", std::string_view(at_, static_cast<size_t>(stop - at_))));
    }
    at_ = stop;
    return value;
  }
  JsonReader ahead = *this;
  constexpr double kSigned = 9223372036854775808.0;
  if (const double real = integral ? 0 : ahead.number(); real >= kSigned && real < 2 * kSigned) {
    *this = ahead;
    return static_cast<uint64_t>(real);  // beyond 2^63 every double is whole
  }
  const int64_t value = integer();
  if (value < 0) fail(fmt::format("{} is negative, the type is unsigned", value));
  return static_cast<uint64_t>(value);
}

std::string_view JsonReader::skip() {
  const Kind kind = peek();
  const char* const start = at_;
  std::string key;
  switch (kind) {
    case Kind::kObject:
      open_object();
      while (next_key(key)) skip();
      break;
    case Kind::kArray:
      open_array();
      while (next_item()) skip();
      break;
    case Kind::kString:
      string();
      break;
    case Kind::kNumber:
      number();
      break;
    case Kind::kBool:
      boolean();
      break;
    case Kind::kNull:
      null();
      break;
    case Kind::kEnd:
      fail("it ends where a value should be");
  }
  return {start, static_cast<size_t>(at_ - start)};
}

void JsonReader::finish() {
  skip_space();
  if (at_ != end_) fail("text after the end of the value");
}

}  // namespace onward::server
