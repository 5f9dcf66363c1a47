#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <limits>

#include "base/error.h"
#include "formats/torchscript/ast.h"
#include "formats/torchscript/lexer.h"

namespace onward::torchscript {
namespace {

constexpr int kMaxDepth = 400;

class Parser {
 public:
  Parser(std::string_view code, std::string_view what) : code_(code), what_(what), tokens_(tokenize(code, what)) {}

  Unit unit() {
    Unit unit;
    while (!at_end()) {
      if (peek().is("class")) {
        unit.classes.push_back(class_def());
      } else if (peek().is("def")) {
        unit.functions.push_back(function());
      } else if (peek().kind == Token::Kind::kNewline) {
        next();
      } else {
        skip_line();  // op_version_set = 1, import lines of early versions
      }
    }
    return unit;
  }

  Expr lone_type() {
    Expr type = expression();
    while (peek().kind == Token::Kind::kNewline) next();
    if (!at_end()) fail("unexpected text behind a type");
    return type;
  }

 private:
  class Nested {
   public:
    explicit Nested(Parser& parser) : parser_(parser) {
      if (++parser_.depth_ > kMaxDepth) parser_.fail("the code is nested too deeply");
    }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    ~Nested() { --parser_.depth_; }

   private:
    Parser& parser_;
  };

  // -- tokens ---------------------------------------------------------------------------------------------------------

  [[noreturn]] void fail(const std::string& why) const {
    fail_data(std::string(what_) + ":" + std::to_string(line_of(code_, peek().offset)) + ": " + why);
  }
  const Token& peek(size_t ahead = 0) const { return tokens_[std::min(at_ + ahead, tokens_.size() - 1)]; }
  const Token& next() { return tokens_[at_ + 1 < tokens_.size() ? at_++ : at_]; }
  bool at_end() const { return peek().kind == Token::Kind::kEnd; }
  bool accept(std::string_view text) {
    if (!peek().is(text)) return false;
    next();
    return true;
  }
  void expect(std::string_view text) {
    if (!accept(text)) fail("expected '" + std::string(text) + "', found '" + peek().text + "'");
  }
  std::string name() {
    if (peek().kind != Token::Kind::kName) fail("expected a name, found '" + peek().text + "'");
    return next().text;
  }
  void newline() {
    if (at_end()) return;
    if (peek().kind != Token::Kind::kNewline) fail("unexpected '" + peek().text + "'");
    next();
  }
  void skip_line() {
    while (!at_end() && peek().kind != Token::Kind::kNewline) next();
    if (!at_end()) next();
  }
  bool accept_kind(Token::Kind kind) {
    if (peek().kind != kind) return false;
    next();
    return true;
  }

  // -- definitions ----------------------------------------------------------------------------------------------------

  Class class_def() {
    expect("class");
    Class result;
    result.name = name();
    if (accept("(")) {
      if (!peek().is(")")) result.base = dotted(expression());
      expect(")");
    }
    expect(":");
    newline();
    if (!accept_kind(Token::Kind::kIndent)) return result;
    while (!accept_kind(Token::Kind::kDedent) && !at_end()) {
      if (peek().is("def")) {
        result.methods.push_back(function());
      } else if (peek().kind == Token::Kind::kNewline || peek().is("pass")) {
        skip_line();
      } else {
        attribute(result);
      }
    }
    return result;
  }

  // name : Type [= value]; name = value; __annotations__["0"] = Type
  void attribute(Class& owner) {
    Attribute result;
    if (accept("__annotations__")) {
      expect("[");
      if (peek().kind != Token::Kind::kString) fail("expected an attribute's name");
      result.name = next().text;
      expect("]");
      expect("=");
      result.type = expression();
    } else {
      result.name = name();
      if (accept(":")) result.type = expression();
      if (accept("=")) result.value = expression_list();
    }
    newline();
    owner.attributes.push_back(std::move(result));
  }

  Function function() {
    Function result;
    result.offset = peek().offset;
    expect("def");
    result.name = name();
    expect("(");
    while (!accept(")")) {
      if (accept("*")) {
        accept(",");
        continue;
      }
      Parameter parameter;
      parameter.name = name();
      if (accept(":")) parameter.type = expression();
      if (accept("=")) parameter.default_value = expression();
      result.parameters.push_back(std::move(parameter));
      if (!accept(",") && !peek().is(")")) fail("unexpected '" + peek().text + "' among parameters");
    }
    if (accept("->")) result.returns = expression();
    expect(":");
    result.body = block();
    return result;
  }

  // -- statements -----------------------------------------------------------------------------------------------------

  std::vector<Stmt> block() {
    const Nested nested(*this);
    std::vector<Stmt> body;
    newline();
    if (!accept_kind(Token::Kind::kIndent)) return body;
    while (!accept_kind(Token::Kind::kDedent) && !at_end()) {
      if (accept_kind(Token::Kind::kNewline)) continue;
      if (peek().is("with")) {
        with(body);
      } else {
        body.push_back(statement());
      }
    }
    return body;
  }

  // "with a as b:" is the calls it stands for: b = a.__enter__(), its body, a.__exit__(None, None, None).
  void with(std::vector<Stmt>& body) {
    Stmt enter;
    enter.offset = next().offset;
    const Expr manager = expression();
    enter.values.push_back(method_call(manager, "__enter__", 0));
    enter.kind = accept("as") ? Stmt::Kind::kAssign : Stmt::Kind::kExpr;
    if (enter.kind == Stmt::Kind::kAssign) enter.targets.push_back(expression());
    Stmt leave;
    leave.offset = enter.offset;
    leave.kind = Stmt::Kind::kExpr;
    leave.values.push_back(method_call(manager, "__exit__", 3));
    expect(":");
    body.push_back(std::move(enter));
    for (Stmt& inner : block()) body.push_back(std::move(inner));
    body.push_back(std::move(leave));
  }

  static Expr method_call(const Expr& object, const char* name, size_t nones) {
    Expr method = make(Expr::Kind::kAttr, object.offset);
    method.text = name;
    method.items.push_back(object);
    Expr call = make(Expr::Kind::kCall, object.offset);
    call.items.push_back(std::move(method));
    call.items.resize(1 + nones);
    return call;
  }

  Stmt statement() {
    Stmt stmt;
    stmt.offset = peek().offset;
    if (accept("pass")) {
      newline();
    } else if (accept("return")) {
      stmt.kind = Stmt::Kind::kReturn;
      if (peek().kind != Token::Kind::kNewline && !at_end()) stmt.values.push_back(expression_list());
      newline();
    } else if (accept("if")) {
      stmt.kind = Stmt::Kind::kIf;
      stmt.values.push_back(expression());
      expect(":");
      stmt.body = block();
      if (accept("else")) {
        expect(":");
        stmt.orelse = block();
      }
    } else if (accept("while")) {
      stmt.kind = Stmt::Kind::kWhile;
      stmt.values.push_back(expression());
      expect(":");
      stmt.body = block();
    } else if (accept("for")) {
      stmt.kind = Stmt::Kind::kFor;
      stmt.targets.push_back(expression());
      expect("in");
      stmt.values.push_back(expression());
      expect(":");
      stmt.body = block();
    } else {
      assignment(stmt);
      newline();
    }
    return stmt;
  }

  void assignment(Stmt& stmt) {
    std::vector<Expr> first;
    bool comma = false;
    expressions(first, comma);
    stmt.kind = Stmt::Kind::kExpr;
    if (accept(":")) {
      stmt.type = expression();
    } else if (!peek().is("=")) {
      stmt.values.push_back(first.size() == 1 && !comma ? std::move(first[0]) : tuple(std::move(first), stmt.offset));
      return;
    }
    stmt.kind = Stmt::Kind::kAssign;
    expect("=");
    stmt.targets = std::move(first);
    bool values_comma = false;
    expressions(stmt.values, values_comma);
    stmt.unpack = comma || (stmt.targets.size() > 1 && stmt.values.size() == 1);
    if (stmt.values.size() != 1 && stmt.values.size() != stmt.targets.size()) {
      if (stmt.targets.size() != 1) fail("as many values as names are needed");
      Expr all = tuple(std::move(stmt.values), stmt.offset);
      stmt.values.clear();
      stmt.values.push_back(std::move(all));
    }
  }

  // One or more, separated by commas; `comma`: the last is followed by one.
  void expressions(std::vector<Expr>& out, bool& comma) {
    out.push_back(expression());
    while (accept(",")) {
      comma = true;
      const Token& token = peek();
      if (token.is("=") || token.kind == Token::Kind::kNewline || token.kind == Token::Kind::kEnd) return;
      comma = false;
      out.push_back(expression());
    }
  }

  Expr expression_list() {
    const uint32_t offset = peek().offset;
    std::vector<Expr> items;
    bool comma = false;
    expressions(items, comma);
    return items.size() == 1 && !comma ? std::move(items[0]) : tuple(std::move(items), offset);
  }

  static Expr tuple(std::vector<Expr> items, uint32_t offset) {
    Expr result;
    result.kind = Expr::Kind::kTuple;
    result.offset = offset;
    result.items = std::move(items);
    return result;
  }

  // -- expressions ----------------------------------------------------------------------------------------------------

  static Expr make(Expr::Kind kind, uint32_t offset) {
    Expr result;
    result.kind = kind;
    result.offset = offset;
    return result;
  }

  Expr expression() {
    const Nested nested(*this);
    const uint32_t offset = peek().offset;
    if (accept("-")) {
      Expr result = make(Expr::Kind::kNegate, offset);
      result.items.push_back(expression());
      return folded(std::move(result));
    }
    return postfix(primary());
  }

  static Expr folded(Expr negate) {
    Expr& inner = negate.items[0];
    if (inner.kind == Expr::Kind::kFloat || inner.kind == Expr::Kind::kComplex) {
      inner.number = -inner.number;
      return std::move(inner);
    }
    if (inner.kind == Expr::Kind::kInt) {
      inner.integer = static_cast<int64_t>(-static_cast<uint64_t>(inner.integer));
      return std::move(inner);
    }
    return negate;
  }

  Expr primary() {
    const Token& token = peek();
    Expr result = make(Expr::Kind::kNone, token.offset);
    switch (token.kind) {
      case Token::Kind::kInt:
        integer(result, next().text);
        return result;
      case Token::Kind::kFloat:
      case Token::Kind::kComplex:
        result.kind = token.kind == Token::Kind::kFloat ? Expr::Kind::kFloat : Expr::Kind::kComplex;
        result.number = number(next().text);
        return result;
      case Token::Kind::kString:
        result.kind = Expr::Kind::kString;
        result.text = next().text;
        while (peek().kind == Token::Kind::kString) result.text += next().text;
        return result;
      case Token::Kind::kName:
        word(result);
        return result;
      default:
        break;
    }
    if (accept("(")) return parenthesis(token.offset);
    if (accept("[")) {
      result.kind = Expr::Kind::kList;
      while (!accept("]")) element(result, "]");
      return result;
    }
    if (accept("{")) {
      result.kind = Expr::Kind::kDict;
      while (!accept("}")) {
        result.items.push_back(expression());
        expect(":");
        element(result, "}");
      }
      return result;
    }
    fail("unexpected '" + token.text + "'");
  }

  void element(Expr& owner, std::string_view close) {
    owner.items.push_back(expression());
    if (!accept(",") && !peek().is(close)) fail("expected ',' or '" + std::string(close) + "'");
  }

  void integer(Expr& result, const std::string& text) {
    result.kind = Expr::Kind::kInt;
    uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value > uint64_t{1} << 63) {
      fail("the number " + text + " is too large");
    }
    result.integer = static_cast<int64_t>(value);
  }

  double number(const std::string& text) const {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (end != text.c_str() + text.size()) fail("\"" + text + "\" is no number");
    return value;
  }

  void word(Expr& result) {
    result.text = next().text;
    const std::string& text = result.text;
    if (text == "True") {
      result.kind = Expr::Kind::kTrue;
    } else if (text == "False") {
      result.kind = Expr::Kind::kFalse;
    } else if (text == "None") {
      result.kind = Expr::Kind::kNone;
    } else if (text == "inf" || text == "nan") {
      result.kind = Expr::Kind::kFloat;
      result.number =
          text == "inf" ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
    } else {
      result.kind = Expr::Kind::kName;
    }
  }

  Expr parenthesis(uint32_t offset) {
    Expr result = make(Expr::Kind::kTuple, offset);
    if (accept(")")) return result;
    result.items.push_back(expression());
    if (accept(")")) return std::move(result.items[0]);
    expect(",");
    while (!accept(")")) element(result, ")");
    return result;
  }

  Expr postfix(Expr base) {
    for (int count = 0;; ++count) {
      if (count > kMaxDepth) fail("the code is nested too deeply");
      const uint32_t offset = peek().offset;
      if (accept(".")) {
        Expr attr = make(Expr::Kind::kAttr, offset);
        attr.text = name();
        attr.items.push_back(std::move(base));
        base = std::move(attr);
      } else if (accept("(")) {
        Expr call = make(Expr::Kind::kCall, base.offset);
        call.items.push_back(std::move(base));
        arguments(call);
        base = std::move(call);
      } else if (accept("[")) {
        Expr subscript = make(Expr::Kind::kSubscript, offset);
        subscript.items.push_back(std::move(base));
        subscript.items.push_back(index(offset));
        base = std::move(subscript);
      } else {
        return base;
      }
    }
  }

  void arguments(Expr& call) {
    while (!accept(")")) {
      if (peek().kind == Token::Kind::kName && peek(1).is("=")) {
        std::string keyword = name();
        expect("=");
        call.keywords.push_back(std::move(keyword));
        call.keyword_values.push_back(expression());
      } else {
        call.items.push_back(expression());
      }
      if (!accept(",") && !peek().is(")")) fail("expected ',' or ')', found '" + peek().text + "'");
    }
  }

  // What stands in brackets: an index, several (of a type), or a slice.
  Expr index(uint32_t offset) {
    std::vector<Expr> parts;
    bool slice = false;
    bool comma = false;
    while (!accept("]")) {
      if (accept(":")) {
        slice = true;
        parts.resize(parts.size() + (parts.empty() ? 1 : 0), make(Expr::Kind::kNone, offset));
        if (peek().is("]") || peek().is(":")) parts.push_back(make(Expr::Kind::kNone, offset));
        continue;
      }
      parts.push_back(expression());
      if (accept(",")) comma = true;
      if (!peek().is("]") && !peek().is(":") && !comma) fail("expected ']', found '" + peek().text + "'");
    }
    if (slice) {
      parts.resize(3, make(Expr::Kind::kNone, offset));
      Expr result = make(Expr::Kind::kSlice, offset);
      result.items = std::move(parts);
      return result;
    }
    if (parts.empty()) return make(Expr::Kind::kTuple, offset);
    if (parts.size() == 1 && !comma) return std::move(parts[0]);
    return tuple(std::move(parts), offset);
  }

  std::string_view code_;
  std::string_view what_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Unit parse(std::string_view code, std::string_view what) { return Parser(code, what).unit(); }

Expr parse_type(std::string_view text, std::string_view what) { return Parser(text, what).lone_type(); }

}  // namespace onward::torchscript
