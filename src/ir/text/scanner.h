// Words, numbers, strings and punctuation of ONNX text, with the line for errors.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace onward::ir::text {

struct Number {
  bool whole;  // written without point and exponent
  int64_t integer;
  double real;
};

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  [[noreturn]] void fail(const std::string& message) const;
  bool at_end();
  // The next character that is no space or comment; '\0' at the end.
  char peek();
  bool accept(char c);
  bool accept(std::string_view punctuation);
  void expect(char c);
  void expect(std::string_view punctuation);
  bool at_word();    // an identifier or a quoted name follows
  bool at_number();  // a number, "inf" or "nan" follows
  // An identifier, or what stands in double quotes.
  std::string word();
  std::string string();
  Number number();
  int64_t integer();

  size_t mark() const { return place_; }
  void reset(size_t mark) { place_ = mark; }

 private:
  void skip();
  std::string_view plain_word();

  std::string_view text_;
  size_t place_ = 0;
};

bool is_identifier(std::string_view text);

}  // namespace onward::ir::text
