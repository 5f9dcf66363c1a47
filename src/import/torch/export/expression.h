// Symbolic sizes: sympy expressions as torch.export writes them ("Mul(Integer(8), Symbol('s0', positive=True))").
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "import/torch/script/machine.h"

namespace onward::importer::exported {

struct Expression {
  enum class Kind { kInt, kFloat, kBool, kSymbol, kCall };
  Kind kind = Kind::kInt;
  int64_t integer = 0;
  double number = 0;
  std::string text;  // of a symbol or call: its name
  std::vector<Expression> args;
};

// Throws Error(kDataLoss) for what is no such expression.
Expression parse_expression(std::string_view text);

// As a reader writes it: "8*s0", "s1//2 + 1".
std::string readable(const Expression& expression);

// Its value where all of its symbols are known and it is an integer.
std::optional<int64_t> evaluate(const Expression& expression, const std::map<std::string, int64_t>& symbols);

// Its only symbol, where the expression is that symbol or a known multiple of it.
struct Multiple {
  int64_t factor = 1;
  std::string symbol;
};
std::optional<Multiple> as_multiple(const Expression& expression);

// Computes it with what `symbol` gives for each symbol. Throws Error(kUnimplemented) naming a function without a
// translation.
script::Py compute(script::Machine& machine, const Expression& expression,
                   const std::function<script::Py(const std::string& symbol)>& symbol);

}  // namespace onward::importer::exported
