#include "formats/torchscript/ast.h"

#include <algorithm>

namespace onward::torchscript {

std::string dotted(const Expr& expr) {
  if (expr.kind == Expr::Kind::kName) return expr.text;
  if (expr.kind != Expr::Kind::kAttr) return {};
  const std::string base = dotted(expr.items[0]);
  return base.empty() ? std::string() : base + "." + expr.text;
}

const Function* Class::find_method(std::string_view method) const {
  const auto found = std::find_if(methods.begin(), methods.end(), [&](const Function& f) { return f.name == method; });
  return found == methods.end() ? nullptr : &*found;
}

const Attribute* Class::find_attribute(std::string_view attribute) const {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const Attribute& a) { return a.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

const Class* Unit::find_class(std::string_view name) const {
  const auto found = std::find_if(classes.begin(), classes.end(), [&](const Class& c) { return c.name == name; });
  return found == classes.end() ? nullptr : &*found;
}

const Function* Unit::find_function(std::string_view name) const {
  const auto found =
      std::find_if(functions.begin(), functions.end(), [&](const Function& f) { return f.name == name; });
  return found == functions.end() ? nullptr : &*found;
}

}  // namespace onward::torchscript
