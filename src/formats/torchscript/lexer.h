// Tokens of TorchScript's serialized code.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace onward::torchscript {

struct Token {
  enum class Kind { kName, kInt, kFloat, kComplex, kString, kSymbol, kNewline, kIndent, kDedent, kEnd };
  Kind kind = Kind::kEnd;
  uint32_t offset = 0;
  std::string text;  // the name, the symbol, the string's content, or the number as written

  bool is(std::string_view symbol_or_word) const {
    return (kind == Kind::kSymbol || kind == Kind::kName) && text == symbol_or_word;
  }
};

// All tokens, ended by kEnd. Throws Error(kDataLoss, "<what>:<line>: …").
std::vector<Token> tokenize(std::string_view code, std::string_view what);

// The line of an offset, from 1.
size_t line_of(std::string_view code, size_t offset);

}  // namespace onward::torchscript
