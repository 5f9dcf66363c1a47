#include "import/torch/export/expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/error.h"

namespace onward::importer::exported {
namespace {

using script::Items;
using script::Machine;
using script::Py;
using Kind = Expression::Kind;

constexpr int kMaxDepth = 200;
constexpr size_t kMaxText = 1 << 16;

// --- parsing ---------------------------------------------------------------------------------------------------------

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {
    if (text.size() > kMaxText) fail_data("a symbolic size is " + std::to_string(text.size()) + " characters long");
  }

  Expression run() {
    Expression result = expression(0);
    skip_spaces();
    if (at_ != text_.size()) fail();
    return result;
  }

 private:
  [[noreturn]] void fail() const { fail_data("\"" + std::string(text_) + "\" is no symbolic size"); }

  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  char peek() {
    skip_spaces();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail();
  }

  static bool is_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  }
  std::string name() {
    skip_spaces();
    const size_t start = at_;
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    if (start == at_) fail();
    return std::string(text_.substr(start, at_ - start));
  }
  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail();
    const size_t end = text_.find(quote, ++at_);
    if (end == std::string_view::npos) fail();
    std::string result(text_.substr(at_, end - at_));
    at_ = end + 1;
    return result;
  }

  Expression number() {
    const bool negative = accept('-');
    const size_t start = at_;
    bool fraction = false;
    while (at_ < text_.size() && (is_name(text_[at_]) || ((text_[at_] == '-' || text_[at_] == '+') && at_ > start &&
                                                          (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E')))) {
      fraction = fraction || text_[at_] == '.' || text_[at_] == 'e';
      ++at_;
    }
    const std::string digits = (negative ? "-" : "") + std::string(text_.substr(start, at_ - start));
    Expression result;
    if (fraction) {
      result.kind = Kind::kFloat;
      result.number = real(digits);
    } else if (std::from_chars(digits.data(), digits.data() + digits.size(), result.integer).ec != std::errc()) {
      fail();
    }
    return result;
  }

  double real(const std::string& digits) const {
    char* end = nullptr;
    const double value = std::strtod(digits.c_str(), &end);
    if (end == digits.c_str()) fail();
    return value;
  }

  Expression expression(int depth) {
    if (depth > kMaxDepth) fail();
    const char c = peek();
    if (c == '-' || (c >= '0' && c <= '9')) return number();
    Expression result;
    result.text = name();
    if (result.text == "true" || result.text == "false" || result.text == "True" || result.text == "False") {
      result.kind = Kind::kBool;
      result.integer = result.text == "true" || result.text == "True" ? 1 : 0;
      return result;
    }
    if (!accept('(')) {
      result.kind = Kind::kSymbol;
      return result;
    }
    if (result.text == "Symbol" || result.text == "Dummy") return symbol();
    if (result.text == "Integer") return unwrapped(number());
    if (result.text == "Float") return real_literal();
    result.kind = Kind::kCall;
    while (peek() != ')') {
      if (!skip_keyword()) result.args.push_back(expression(depth + 1));
      if (!accept(',')) break;
    }
    expect(')');
    return result;
  }

  Expression unwrapped(Expression inner) {
    expect(')');
    return inner;
  }

  Expression symbol() {
    Expression result;
    result.kind = Kind::kSymbol;
    result.text = quoted();
    skip_arguments();
    return result;
  }

  Expression real_literal() {
    Expression result;
    result.kind = Kind::kFloat;
    const char c = peek();
    result.number = c == '\'' || c == '"' ? real(quoted()) : real(name());
    skip_arguments();
    return result;
  }

  // ", positive=True, precision=53)"
  void skip_arguments() {
    while (accept(',')) {
      if (!skip_keyword()) fail();
    }
    expect(')');
  }

  // "evaluate=False"
  bool skip_keyword() {
    const size_t start = at_;
    skip_spaces();
    while (at_ < text_.size() && is_name(text_[at_])) ++at_;
    if (peek() == '=') {
      ++at_;
      const char c = peek();
      c == '\'' || c == '"' ? void(quoted()) : void(name());
      return true;
    }
    at_ = start;
    return false;
  }

  std::string_view text_;
  size_t at_ = 0;
};

// --- known values ----------------------------------------------------------------------------------------------------

std::optional<int64_t> floor_div(int64_t a, int64_t b) {
  if (b == 0 || (b == -1 && a == INT64_MIN)) return std::nullopt;
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

std::optional<int64_t> fold(const Expression& e, const std::vector<int64_t>& values) {
  int64_t result = 0;
  if (e.text == "Add" || e.text == "Mul") {
    result = e.text == "Add" ? 0 : 1;
    for (const int64_t value : values) {
      const bool overflow = e.text == "Add" ? __builtin_add_overflow(result, value, &result)
                                            : __builtin_mul_overflow(result, value, &result);
      if (overflow) return std::nullopt;
    }
    return result;
  }
  if (values.empty()) return std::nullopt;
  if (e.text == "Max") return *std::max_element(values.begin(), values.end());
  if (e.text == "Min") return *std::min_element(values.begin(), values.end());
  if (values.size() != 2) return std::nullopt;
  const std::optional<int64_t> quotient = floor_div(values[0], values[1]);
  if (e.text == "FloorDiv" || e.text == "CleanDiv") return quotient;
  if ((e.text == "Mod" || e.text == "PythonMod") && quotient) return values[0] - *quotient * values[1];
  if (e.text == "CeilDiv" && quotient) return *quotient * values[1] == values[0] ? *quotient : *quotient + 1;
  return std::nullopt;
}

// --- computing -------------------------------------------------------------------------------------------------------

struct Function {
  std::string_view head;
  const char* name;  // of the builtin, which takes two operands at a time, or one
};
constexpr std::array kFunctions = std::to_array<Function>({
    {"Add", "aten::add"},
    {"Mul", "aten::mul"},
    {"Max", "prim::max"},
    {"Min", "prim::min"},
    {"And", "aten::__and__"},
    {"Or", "aten::__or__"},
    {"FloorDiv", "aten::floordiv"},
    {"CleanDiv", "aten::floordiv"},
    {"IntTrueDiv", "aten::truediv"},
    {"FloatTrueDiv", "aten::truediv"},
    {"Mod", "aten::remainder"},
    {"PythonMod", "aten::remainder"},
    {"Pow", "aten::pow"},
    {"PowByNatural", "aten::pow"},
    {"FloatPow", "aten::pow"},
    {"Rational", "aten::truediv"},
    {"Equality", "aten::eq"},
    {"Eq", "aten::eq"},
    {"Unequality", "aten::ne"},
    {"Ne", "aten::ne"},
    {"GreaterThan", "aten::ge"},
    {"LessThan", "aten::le"},
    {"StrictGreaterThan", "aten::gt"},
    {"StrictLessThan", "aten::lt"},
    {"Not", "aten::__not__"},
    {"ToFloat", "aten::Float"},
    {"TruncToInt", "aten::Int"},
    {"TruncToFloat", "aten::Int"},
    {"FloorToInt", "aten::floor"},
    {"floor", "aten::floor"},
    {"CeilToInt", "aten::ceil"},
    {"ceiling", "aten::ceil"},
    {"RoundToInt", "aten::round"},
    {"OpaqueUnaryFn_sqrt", "aten::sqrt"},
    {"OpaqueUnaryFn_exp", "aten::exp"},
    {"OpaqueUnaryFn_log", "aten::log"},
    {"Abs", "aten::abs"},
});

Py compute_call(Machine& machine, const Expression& e, const std::function<Py(const std::string&)>& symbol) {
  Items args;
  for (const Expression& arg : e.args) args.push_back(compute(machine, arg, symbol));
  if (e.text == "Identity" && args.size() == 1) return args[0];
  if (e.text == "CeilDiv" && args.size() == 2) {  // -(-a // b)
    const Py down = machine.call_operator("aten::floordiv", {machine.call_operator("aten::neg", {args[0]}), args[1]});
    return machine.call_operator("aten::neg", {down});
  }
  if (e.text == "ModularIndexing" && args.size() == 3) {
    return machine.call_operator("aten::remainder",
                                 {machine.call_operator("aten::floordiv", {args[0], args[1]}), args[2]});
  }
  for (const Function& function : kFunctions) {
    if (function.head != e.text || args.empty()) continue;
    if (args.size() == 1 && (e.text == "Add" || e.text == "Mul" || e.text == "Max" || e.text == "Min")) return args[0];
    if (args.size() == 1) {
      Py result = machine.call_operator(function.name, args);
      const bool to_int = e.text == "RoundToInt";
      const bool to_float = e.text == "TruncToFloat";
      return to_int || to_float ? machine.call_operator(to_int ? "aten::Int" : "aten::Float", {result}) : result;
    }
    Py result = args[0];
    for (size_t i = 1; i < args.size(); ++i) result = machine.call_operator(function.name, {result, args[i]});
    return result;
  }
  fail_unsupported("the symbolic size " + readable(e) + " has no translation");
}

// --- printing --------------------------------------------------------------------------------------------------------

std::string joined(const std::vector<std::string>& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += between;
    text += part;
  }
  return text;
}

bool is_sum(const Expression& e) { return e.kind == Kind::kCall && (e.text == "Add" || e.text == "FloorDiv"); }

std::string bracketed(const Expression& e) { return is_sum(e) ? "(" + readable(e) + ")" : readable(e); }

std::string readable_product(const Expression& e) {
  std::vector<std::string> parts;
  bool negative = false;
  for (const Expression& arg : e.args) {
    if (arg.kind == Kind::kInt && arg.integer == -1 && e.args.size() > 1) {
      negative = !negative;
    } else {
      parts.push_back(bracketed(arg));
    }
  }
  return (negative ? "-" : "") + joined(parts, "*");
}

std::string readable_sum(const Expression& e) {
  std::string text;
  for (const Expression& arg : e.args) {
    const std::string part = readable(arg);
    if (text.empty()) {
      text = part;
    } else {
      text += part.starts_with('-') ? " - " + part.substr(1) : " + " + part;
    }
  }
  return text;
}

}  // namespace

Expression parse_expression(std::string_view text) { return Parser(text).run(); }

std::string readable(const Expression& e) {
  switch (e.kind) {
    case Kind::kInt:
      return std::to_string(e.integer);
    case Kind::kFloat: {
      std::array<char, 32> buffer{};
      const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), e.number).ptr;
      return {buffer.data(), end};
    }
    case Kind::kBool:
    case Kind::kSymbol:
      return e.text;
    case Kind::kCall:
      break;
  }
  if (e.text == "Add") return readable_sum(e);
  if (e.text == "Mul") return readable_product(e);
  if (e.text == "FloorDiv" && e.args.size() == 2) return bracketed(e.args[0]) + "//" + bracketed(e.args[1]);
  if (e.text == "ToFloat" && e.args.size() == 1) return readable(e.args[0]);
  std::vector<std::string> args;
  for (const Expression& arg : e.args) args.push_back(readable(arg));
  return (e.text == "TruncToInt" ? "int" : e.text) + "(" + joined(args, ", ") + ")";
}

std::optional<int64_t> evaluate(const Expression& e, const std::map<std::string, int64_t>& symbols) {
  switch (e.kind) {
    case Kind::kInt:
      return e.integer;
    case Kind::kSymbol: {
      const auto found = symbols.find(e.text);
      if (found == symbols.end()) return std::nullopt;
      return found->second;
    }
    case Kind::kFloat:
    case Kind::kBool:
      return std::nullopt;
    case Kind::kCall:
      break;
  }
  std::vector<int64_t> values;
  for (const Expression& arg : e.args) {
    const std::optional<int64_t> value = evaluate(arg, symbols);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return fold(e, values);
}

std::optional<Multiple> as_multiple(const Expression& e) {
  if (e.kind == Kind::kSymbol) return Multiple{1, e.text};
  if (e.kind != Kind::kCall || e.text != "Mul" || e.args.size() != 2) return std::nullopt;
  const Expression& factor = e.args[0].kind == Kind::kInt ? e.args[0] : e.args[1];
  const Expression& symbol = e.args[0].kind == Kind::kInt ? e.args[1] : e.args[0];
  if (factor.kind != Kind::kInt || symbol.kind != Kind::kSymbol || factor.integer <= 0) return std::nullopt;
  return Multiple{factor.integer, symbol.text};
}

Py compute(Machine& machine, const Expression& e, const std::function<Py(const std::string&)>& symbol) {
  switch (e.kind) {
    case Kind::kInt:
      return e.integer;
    case Kind::kFloat:
      return e.number;
    case Kind::kBool:
      return e.integer != 0;
    case Kind::kSymbol:
      return symbol(e.text);
    case Kind::kCall:
      return compute_call(machine, e, symbol);
  }
  return {};
}

}  // namespace onward::importer::exported
