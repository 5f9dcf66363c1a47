#include "ir/text/scanner.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace onward::ir::text {
namespace {

bool starts_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool in_word(char c) { return starts_word(c) || (c >= '0' && c <= '9'); }

}  // namespace

bool is_identifier(std::string_view text) {
  return !text.empty() && starts_word(text.front()) && std::all_of(text.begin(), text.end(), in_word);
}

void Scanner::fail(const std::string& message) const {
  const auto line = std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(place_), '\n') + 1;
  fail_invalid("line " + std::to_string(line) + ": " + message);
}

void Scanner::skip() {
  while (place_ < text_.size()) {
    const char c = text_[place_];
    if (c == '#') {
      place_ = std::min(text_.find('\n', place_), text_.size());
    } else if (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
      ++place_;
    } else {
      return;
    }
  }
}

bool Scanner::at_end() { return peek() == '\0'; }

char Scanner::peek() {
  skip();
  return place_ < text_.size() ? text_[place_] : '\0';
}

bool Scanner::accept(char c) {
  if (at_end() || peek() != c) return false;
  ++place_;
  return true;
}

bool Scanner::accept(std::string_view punctuation) {
  skip();
  if (text_.substr(place_, punctuation.size()) != punctuation) return false;
  place_ += punctuation.size();
  return true;
}

void Scanner::expect(char c) { expect(std::string_view(&c, 1)); }

void Scanner::expect(std::string_view punctuation) {
  if (accept(punctuation)) return;
  fail("\"" + std::string(punctuation) + "\" expected, found \"" + std::string(text_.substr(place_, 12)) + "\"");
}

bool Scanner::at_word() { return starts_word(peek()) || peek() == '"'; }

std::string_view Scanner::plain_word() {
  skip();
  size_t end = place_;
  while (end < text_.size() && in_word(text_[end])) ++end;
  return text_.substr(place_, end - place_);
}

bool Scanner::at_number() {
  const char c = peek();
  if (c == '-' || c == '+' || (c >= '0' && c <= '9')) return true;
  const std::string_view word = plain_word();
  return word == "inf" || word == "nan";
}

std::string Scanner::word() {
  if (peek() == '"') return string();
  const std::string_view word = plain_word();
  if (word.empty() || !starts_word(word.front())) {
    fail("a name expected, found \"" + std::string(text_.substr(place_, 12)) + "\"");
  }
  place_ += word.size();
  return std::string(word);
}

std::string Scanner::string() {
  expect('"');
  std::string result;
  while (place_ < text_.size() && text_[place_] != '"') {
    if (text_[place_] == '\\' && place_ + 1 < text_.size()) ++place_;
    result += text_[place_++];
  }
  if (place_ >= text_.size()) fail("a string does not end");
  ++place_;
  return result;
}

Number Scanner::number() {
  skip();
  size_t end = place_;
  if (end < text_.size() && (text_[end] == '-' || text_[end] == '+')) ++end;
  const bool negative = end > place_ && text_[place_] == '-';
  const std::string_view rest = text_.substr(end, 3);
  if (rest == "inf" || rest == "nan") {
    place_ = end + 3;
    const double value = rest == "inf" ? std::numeric_limits<double>::infinity() : std::nan("");
    return {false, 0, negative ? -value : value};
  }
  while (end < text_.size() && (in_word(text_[end]) || text_[end] == '.' ||
                                ((text_[end] == '-' || text_[end] == '+') && (text_[end - 1] | 0x20) == 'e'))) {
    ++end;
  }
  const size_t start = text_[place_] == '+' ? place_ + 1 : place_;
  const std::string_view digits = text_.substr(start, end - start);
  Number number{};
  const char* last = digits.data() + digits.size();
  const auto whole = std::from_chars(digits.data(), last, number.integer);
  number.whole = whole.ec == std::errc() && whole.ptr == last;
  const auto real = std::from_chars(digits.data(), last, number.real);
  if (real.ec != std::errc() || real.ptr != last) fail("\"" + std::string(digits) + "\" is no number");
  place_ = end;
  return number;
}

int64_t Scanner::integer() {
  const Number value = number();
  if (!value.whole) fail("a whole number expected");
  return value.integer;
}

}  // namespace onward::ir::text
