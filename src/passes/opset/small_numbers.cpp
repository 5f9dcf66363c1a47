// 8-bit floats and 4-bit integers, which older opsets lack.
#include <algorithm>

#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::DType;
using ir::Node;

bool has(const Node& node, DType first, DType last) {
  const auto one_of = [&](const ir::Value* value) {
    return value != nullptr && value->dtype >= first && value->dtype <= last;
  };
  return std::any_of(node.inputs().begin(), node.inputs().end(), one_of) ||
         std::any_of(node.outputs().begin(), node.outputs().end(), one_of);
}

bool has_float8(const Node& node) { return has(node, DType::kFloat8E4M3FN, DType::kFloat8E5M2FNUZ); }
bool has_int4(const Node& node) { return has(node, DType::kUInt4, DType::kInt4); }

Outcome since_19(Node&, Rewrite&) { return Outcome::no("8-bit floats came with opset 19"); }
Outcome since_21(Node&, Rewrite&) { return Outcome::no("4-bit integers came with opset 21"); }

}  // namespace

void add_small_numbers(Table& table) {
  for (const std::string_view op : {"Cast", "CastLike", "QuantizeLinear", "DequantizeLinear"}) {
    below(table, 19, op, since_19, has_float8);
    below(table, 21, op, since_21, has_int4);
  }
}

}  // namespace onward::passes::opset
