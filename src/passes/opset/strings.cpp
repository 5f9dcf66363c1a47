// Operators on strings, which older opsets lack altogether.
#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::Node;

Outcome since_19(Node&, Rewrite&) { return Outcome::no("strings are compared since opset 19"); }
Outcome since_20(Node&, Rewrite&) { return Outcome::no("the operator came with opset 20"); }

bool is_text(const Node& node) { return node.input(0)->dtype == ir::DType::kString; }

}  // namespace

void add_strings(Table& table) {
  below(table, 19, "Equal", since_19, is_text);
  for (const std::string_view op : {"StringConcat", "StringSplit", "RegexFullMatch"}) below(table, 20, op, since_20);
}

}  // namespace onward::passes::opset
