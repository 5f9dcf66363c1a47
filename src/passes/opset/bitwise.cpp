// BitwiseNot, BitwiseAnd, BitwiseOr, BitwiseXor (opset 18) out of arithmetic.
#include <algorithm>

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

// The bits of `x` as 0 and 1 along a new last axis, lowest first, by division of non-negative numbers.
Value* bits_of(ir::Builder& b, Value* x, int64_t count) {
  Value* word = b.Unsqueeze(b.Cast(x, DType::kInt64), {-1});
  std::vector<int64_t> powers;
  for (int64_t i = 0; i < std::min<int64_t>(count, 63); ++i) powers.push_back(int64_t{1} << i);
  if (count < 64) {
    word = b.Mod(word, b.i64(int64_t{1} << count));
    return b.Mod(b.Div(word, b.ints(powers)), b.i64(2));
  }
  Value* negative = b.Less(word, b.i64(0));
  word = b.Where(negative, b.Sub(word, b.i64(std::numeric_limits<int64_t>::min())), word);
  return b.Concat({b.Mod(b.Div(word, b.ints(powers)), b.i64(2)), b.Cast(negative, DType::kInt64)}, -1);
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
  // Half words at a time: ONNX Runtime's sums of int64 are exact up to 53 bits.
  std::vector<int64_t> weights;
  for (int64_t i = 0; i < std::min<int64_t>(count, 32); ++i) weights.push_back(int64_t{1} << i);
  const auto half = [&](int64_t start) {
    Value* bits_there = count > 32 ? b.Slice(joined, start, start + 32, -1) : joined;
    return b.ReduceSum(b.Mul(bits_there, b.ints(weights)), {-1}, false);
  };
  Value* word = half(0);
  if (count > 32) word = b.Add(word, b.Mul(half(32), b.i64(int64_t{1} << 32)));
  return becomes(node, rewrite, b.Cast(word, dtype));
}

}  // namespace

void add_bitwise(Table& table) {
  below(table, 18, "BitwiseNot", bitwise_not);
  for (const std::string_view op : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"}) below(table, 18, op, bitwise);
}

}  // namespace onward::passes::opset
