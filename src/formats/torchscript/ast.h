// The syntax tree of TorchScript's serialized code: the small part of Python that torch.jit.save prints.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace onward::torchscript {

struct Expr {
  enum class Kind {
    kName,     // text
    kInt,      // integer
    kFloat,    // number; inf and nan too
    kComplex,  // number: the imaginary part
    kString,   // text
    kTrue,
    kFalse,
    kNone,
    kList,       // items
    kTuple,      // items
    kDict,       // items: key, value, key, value …
    kAttr,       // items[0].text
    kSubscript,  // items[0][items[1]]
    kSlice,      // the index in x[a:b:c]: three items, absent ones kNone
    kCall,       // items[0](items[1…], keywords[0]=keyword_values[0] …)
    kNegate,     // -items[0]
  };
  Kind kind = Kind::kNone;
  uint32_t offset = 0;  // in the code file
  std::string text;
  int64_t integer = 0;
  double number = 0;
  std::vector<Expr> items;
  std::vector<std::string> keywords;  // of a call, each with its value
  std::vector<Expr> keyword_values;

  bool is_name(std::string_view name) const { return kind == Kind::kName && text == name; }
};

// "__torch__.a.B" for nested attributes of a name; "" for anything else.
std::string dotted(const Expr& expr);

struct Stmt {
  enum class Kind {
    kAssign,  // targets = value
    kExpr,    // value
    kReturn,  // value
    kIf,      // value, body, orelse
    kWhile,   // value, body
    kFor,     // targets[0] in value (a call of range, or a list), body
    kPass,
  };
  Kind kind = Kind::kPass;
  uint32_t offset = 0;
  std::vector<Expr> targets;
  bool unpack = false;       // "a, b, = list": the value is a list or tuple to be taken apart
  std::vector<Expr> values;  // one, or as many as targets ("a, b = x, y")
  std::optional<Expr> type;  // "a : Type = …"
  std::vector<Stmt> body;
  std::vector<Stmt> orelse;
};

struct Parameter {
  std::string name;
  std::optional<Expr> type;
  std::optional<Expr> default_value;
};

struct Function {
  std::string name;
  uint32_t offset = 0;
  std::vector<Parameter> parameters;
  std::optional<Expr> returns;
  std::vector<Stmt> body;
};

struct Attribute {
  std::string name;
  std::optional<Expr> type;
  std::optional<Expr> value;  // of a Final constant, or an enum's member
};

struct Class {
  std::string name;
  std::string base;  // "Module", "NamedTuple", "Enum", "Interface" or ""
  std::vector<Attribute> attributes;
  std::vector<Function> methods;

  const Function* find_method(std::string_view method) const;
  const Attribute* find_attribute(std::string_view attribute) const;
};

// One file under code/.
struct Unit {
  std::vector<Class> classes;
  std::vector<Function> functions;

  const Class* find_class(std::string_view name) const;
  const Function* find_function(std::string_view name) const;
};

// Throws Error(kDataLoss, "<what>:<line>: …") for what is not such code. Nesting is limited.
Unit parse(std::string_view code, std::string_view what);
// A type written as text ("Dict[str, List[Any]]").
Expr parse_type(std::string_view text, std::string_view what);

}  // namespace onward::torchscript
