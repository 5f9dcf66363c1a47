#include "import/torch/export/symbols.h"

#include "base/error.h"

namespace onward::importer::exported {

Expression Symbols::renamed(Expression expression) const {
  if (expression.kind == Expression::Kind::kSymbol) {
    if (const auto name = names_.find(expression.text); name != names_.end()) expression.text = name->second;
  }
  for (Expression& arg : expression.args) arg = renamed(std::move(arg));
  return expression;
}

ir::Dim Symbols::dim(const torchfile::SymbolicInt& size) {
  if (size.value) return *size.value;
  if (size.expression.empty()) return {};
  const auto found = known_.find(size.expression);
  if (found != known_.end()) return found->second;
  const Expression expression = parse_expression(size.expression);
  const std::optional<int64_t> value = evaluate(expression, values_);
  return known_[size.expression] = value ? ir::Dim(*value) : ir::Dim(readable(renamed(expression)));
}

ir::Shape Symbols::shape(const torchfile::TensorMeta& meta) {
  ir::Shape shape;
  for (const torchfile::SymbolicInt& size : meta.sizes) shape.push_back(dim(size));
  return shape;
}

void Symbols::set(const torchfile::SymbolicInt& size, const ir::Dim& wanted, const std::string& place) {
  if (wanted.is_unknown()) return;
  const auto mismatch = [&](const std::string& is) {
    fail_invalid(place + " is " + is + " in the file, not " + wanted.text(),
                 "export the model again with torch.export.Dim for the sizes that shall vary");
  };
  const ir::Dim now = dim(size);
  if (now.is_known()) {
    if (!(now == wanted) && wanted.is_known()) mismatch("fixed at " + now.text());
    return;
  }
  const std::optional<Multiple> multiple = as_multiple(parse_expression(size.expression));
  if (wanted.is_symbol()) {
    if (multiple && multiple->factor == 1) names_[multiple->symbol] = wanted.symbol();
  } else if (multiple) {
    if (wanted.value() % multiple->factor != 0) mismatch(now.text());
    values_[multiple->symbol] = wanted.value() / multiple->factor;
  }
  known_.clear();
}

std::optional<int64_t> Symbols::value(const std::string& symbol) const {
  const auto found = values_.find(symbol);
  if (found == values_.end()) return std::nullopt;
  return found->second;
}

}  // namespace onward::importer::exported
