// BitwiseNot, BitwiseAnd, BitwiseOr, BitwiseXor (opset 18) out of arithmetic.
#include "passes/opset/rules.h"

namespace onward::passes::opset {
namespace {

using ir::DType;
using ir::Node;
using ir::Value;

// -1 - x in two's complement.
Outcome bitwise_not(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  Value* wide = b.Cast(node.input(0), DType::kInt64);
  return becomes(node, rewrite, b.Cast(b.Sub(b.i64(-1), wide), node.output()->dtype));
}

// The bits of `x` as 0 and 1 along a new last axis.
Value* bits_of(ir::Builder& b, Value* x, int64_t count) {
  Value* word = b.Unsqueeze(b.Cast(b.Cast(x, DType::kInt64), DType::kUInt64), {-1});
  std::vector<uint64_t> places;
  for (int64_t i = 0; i < count; ++i) places.push_back(static_cast<uint64_t>(i));
  Value* shifted =
      b.op("BitShift", {word, b.constant(ir::Tensor::of<uint64_t>({count}, places))}, {{"direction", "RIGHT"}});
  return b.Cast(b.Mod(shifted, b.constant(ir::Tensor::scalar<uint64_t>(2))), DType::kInt64);
}

Outcome bitwise(Node& node, Rewrite& rewrite) {
  ir::Builder& b = rewrite.b;
  const DType dtype = node.output()->dtype;
  if (!ir::is_integer(dtype)) return Outcome::no("the type of its inputs is not known");
  if (!node.input(0)->shape || !node.input(1)->shape) return Outcome::no("the ranks of its inputs are not known");
  const auto count = static_cast<int64_t>(ir::dtype_bits(dtype));
  // Broadcasting aligns trailing axes, so both need the same rank before they get one more.
  ir::Values bits;
  const size_t rank = std::max(node.input(0)->rank(), node.input(1)->rank());
  for (Value* input : node.inputs()) {
    std::vector<int64_t> axes;
    for (size_t i = input->rank(); i < rank; ++i) axes.push_back(static_cast<int64_t>(axes.size()));
    bits.push_back(bits_of(b, b.Unsqueeze(input, axes), count));
  }
  Value* joined = node.is("BitwiseAnd")  ? b.Mul(bits[0], bits[1])
                  : node.is("BitwiseOr") ? b.Max(bits[0], bits[1])
                                         : b.Mod(b.Add(bits[0], bits[1]), b.i64(2));
  std::vector<int64_t> weights;
  for (int64_t i = 0; i < count; ++i) weights.push_back(static_cast<int64_t>(uint64_t{1} << static_cast<unsigned>(i)));
  Value* word = b.ReduceSum(b.Mul(joined, b.ints(weights)), {-1}, false);
  return becomes(node, rewrite, b.Cast(word, dtype));
}

}  // namespace

void add_bitwise(Table& table) {
  below(table, 18, "BitwiseNot", bitwise_not);
  for (const std::string_view op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"}) below(table, 18, op, bitwise);
}

}  // namespace onward::passes::opset
