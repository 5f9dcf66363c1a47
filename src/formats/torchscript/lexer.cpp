#include "formats/torchscript/lexer.h"

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace onward::torchscript {
namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  Lexer(std::string_view code, std::string_view what) : code_(code), what_(what) {
    if (code.size() > std::numeric_limits<uint32_t>::max()) fail("the file is too long");
  }

  std::vector<Token> run() {
    while (at_ < code_.size()) {
      if (line_start_) {
        if (!indentation()) continue;
      } else {
        token();
      }
    }
    if (!line_start_) add(Token::Kind::kNewline, "");
    while (indents_.size() > 1) {
      indents_.pop_back();
      add(Token::Kind::kDedent, "");
    }
    add(Token::Kind::kEnd, "");
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const {
    fail_data(std::string(what_) + ":" + std::to_string(line_of(code_, at_)) + ": " + why);
  }

  void add(Token::Kind kind, std::string text) {
    tokens_.push_back({kind, static_cast<uint32_t>(start_), std::move(text)});
  }

  // At a line's start: sets the block level. False where the line holds nothing.
  bool indentation() {
    size_t width = 0;
    while (at_ < code_.size() && code_[at_] == ' ') {
      ++at_;
      ++width;
    }
    if (at_ >= code_.size()) return false;
    if (code_[at_] == '\n' || code_[at_] == '\r') {
      ++at_;
      return false;
    }
    if (code_[at_] == '#') {
      at_ = std::min(code_.find('\n', at_), code_.size());
      return false;
    }
    start_ = at_;
    line_start_ = false;
    if (width > indents_.back()) {
      indents_.push_back(width);
      add(Token::Kind::kIndent, "");
    }
    while (width < indents_.back()) {
      indents_.pop_back();
      add(Token::Kind::kDedent, "");
    }
    if (width != indents_.back()) fail("unexpected indentation");
    return true;
  }

  void token() {
    start_ = at_;
    const char c = code_[at_];
    if (c == ' ' || c == '\r' || c == '\t') {
      ++at_;
    } else if (c == '\n') {
      ++at_;
      if (brackets_ == 0) {
        add(Token::Kind::kNewline, "");
        line_start_ = true;
      }
    } else if (c == '#') {
      at_ = std::min(code_.find('\n', at_), code_.size());
    } else if (is_name_start(c)) {
      while (at_ < code_.size() && (is_name_start(code_[at_]) || is_digit(code_[at_]))) ++at_;
      add(Token::Kind::kName, std::string(code_.substr(start_, at_ - start_)));
    } else if (is_digit(c) || (c == '.' && at_ + 1 < code_.size() && is_digit(code_[at_ + 1]))) {
      number();
    } else if (c == '"' || c == '\'') {
      string(c);
    } else {
      symbol(c);
    }
  }

  void number() {
    bool fraction = false;
    while (at_ < code_.size()) {
      const char c = code_[at_];
      const bool exponent = c == 'e' || c == 'E';
      if (!is_digit(c) && c != '.' && !exponent) break;
      fraction = fraction || c == '.' || exponent;
      ++at_;
      if (exponent && at_ < code_.size() && (code_[at_] == '-' || code_[at_] == '+')) ++at_;
    }
    std::string text(code_.substr(start_, at_ - start_));
    Token::Kind kind = fraction ? Token::Kind::kFloat : Token::Kind::kInt;
    if (at_ < code_.size() && (code_[at_] == 'j' || code_[at_] == 'J')) {
      kind = Token::Kind::kComplex;
      ++at_;
    }
    add(kind, std::move(text));
  }

  void string(char quote) {
    std::string text;
    for (++at_; at_ < code_.size() && code_[at_] != quote;) {
      if (code_[at_] == '\n') break;
      if (code_[at_] == '\\') {
        escape(text);
      } else {
        text.push_back(code_[at_++]);
      }
    }
    if (at_ >= code_.size() || code_[at_] != quote) fail("a string without an end");
    ++at_;
    add(Token::Kind::kString, std::move(text));
  }

  void escape(std::string& text) {
    if (++at_ >= code_.size()) fail("a string without an end");
    const char c = code_[at_++];
    static constexpr std::string_view kFrom = "nrtabfv\\'\"\n";
    static constexpr std::string_view kTo = "\n\r\t\a\b\f\v\\'\"";
    if (c >= '0' && c <= '7') {
      unsigned value = static_cast<unsigned>(c - '0');
      for (int i = 0; i < 2 && at_ < code_.size() && code_[at_] >= '0' && code_[at_] <= '7'; ++i) {
        value = value * 8 + static_cast<unsigned>(code_[at_++] - '0');
      }
      text.push_back(static_cast<char>(value));
    } else if (c == 'x') {
      unsigned value = 0;
      for (int i = 0; i < 2 && at_ < code_.size(); ++i) {
        const char h = code_[at_];
        const int digit = is_digit(h)            ? h - '0'
                          : h >= 'a' && h <= 'f' ? h - 'a' + 10
                          : h >= 'A' && h <= 'F' ? h - 'A' + 10
                                                 : -1;
        if (digit < 0) break;
        value = value * 16 + static_cast<unsigned>(digit);
        ++at_;
      }
      text.push_back(static_cast<char>(value));
    } else if (const size_t found = kFrom.find(c); found < kTo.size()) {
      text.push_back(kTo[found]);
    } else {
      text.push_back('\\');
      text.push_back(c);
    }
  }

  void symbol(char c) {
    static constexpr std::string_view kKnown = "()[]{},:.=-*@|";
    if (kKnown.find(c) == std::string_view::npos) fail("unexpected character '" + std::string(1, c) + "'");
    ++at_;
    if (c == '-' && at_ < code_.size() && code_[at_] == '>') {
      ++at_;
      add(Token::Kind::kSymbol, "->");
      return;
    }
    if (c == '(' || c == '[' || c == '{') ++brackets_;
    if ((c == ')' || c == ']' || c == '}') && brackets_ > 0) --brackets_;
    add(Token::Kind::kSymbol, std::string(1, c));
  }

  std::string_view code_;
  std::string_view what_;
  size_t at_ = 0;
  size_t start_ = 0;
  bool line_start_ = true;
  size_t brackets_ = 0;
  std::vector<size_t> indents_ = {0};
  std::vector<Token> tokens_;
};

}  // namespace

std::vector<Token> tokenize(std::string_view code, std::string_view what) { return Lexer(code, what).run(); }

size_t line_of(std::string_view code, size_t offset) {
  const auto end = code.begin() + static_cast<std::ptrdiff_t>(std::min(offset, code.size()));
  return 1 + static_cast<size_t>(std::count(code.begin(), end, '\n'));
}

}  // namespace onward::torchscript
