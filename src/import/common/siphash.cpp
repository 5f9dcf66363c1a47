// SipHash-2-4 in ONNX operators, eight bytes at a time for all rows.
#include "import/common/axes.h"
#include "import/common/strings.h"

namespace onward::importer {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* number(Builder& b, uint64_t value) { return b.constant(ir::Tensor::scalar(value)); }

Value* rotated(Builder& b, Value* x, uint64_t bits) {
  Value* high = b.op("BitShift", {x, number(b, bits)}, {{"direction", "LEFT"}});
  return b.BitwiseOr(high, b.op("BitShift", {x, number(b, 64 - bits)}, {{"direction", "RIGHT"}}));
}

// The state: four vectors [n] of uint64.
void mix(Builder& b, ir::Values& v) {
  v[0] = b.Add(v[0], v[1]);
  v[1] = b.BitwiseXor(rotated(b, v[1], 13), v[0]);
  v[0] = rotated(b, v[0], 32);
  v[2] = b.Add(v[2], v[3]);
  v[3] = b.BitwiseXor(rotated(b, v[3], 16), v[2]);
  v[0] = b.Add(v[0], v[3]);
  v[3] = b.BitwiseXor(rotated(b, v[3], 21), v[0]);
  v[2] = b.Add(v[2], v[1]);
  v[1] = b.BitwiseXor(rotated(b, v[1], 17), v[2]);
  v[2] = rotated(b, v[2], 32);
}

// Little-endian numbers [n, blocks] of eight bytes each; behind the text zeros, and its length at the end of its last.
Value* words(Builder& b, const Text& text) {
  Value* blocks = b.Add(b.Div(b.dim(text.bytes, 1), b.ints({8})), b.ints({1}));
  Value* padded = b.Slice(b.Pad(text.bytes, {0, 0, 0, 8}), b.ints({0}), b.Mul(blocks, b.ints({8})), b.ints({1}));
  Value* bytes = b.Reshape(padded, b.Concat({b.dim(padded, 0), blocks, b.ints({8})}, 0));
  const auto place = [&](int byte) { return b.i64(static_cast<int64_t>(uint64_t{1} << (8 * byte))); };
  // One by one: ONNX Runtime's ReduceSum rounds large sums.
  Value* numbers = b.Select(bytes, 0, 2);
  for (int i = 1; i < 8; ++i) numbers = b.Add(numbers, b.Mul(b.Select(bytes, i, 2), place(i)));
  Value* size = b.Unsqueeze(text.lengths, {1});
  Value* ending = b.Mul(b.Mod(size, b.i64(256)), place(7));
  Value* last = b.Equal(b.Unsqueeze(counting(b, blocks), {0}), b.Div(size, b.i64(8)));
  return b.Add(numbers, b.Where(last, ending, b.i64(0)));
}

}  // namespace

Value* siphash(Builder& b, const Text& text, uint64_t key0, uint64_t key1) {
  Value* blocks = words(b, text);
  Value* count = b.Div(text.lengths, b.i64(8));  // of the blocks before the last
  const auto spread = [&](uint64_t value) { return b.Expand(number(b, value), b.Shape(text.lengths)); };
  const ir::Values start{spread(key0 ^ 0x736f6d6570736575ULL), spread(key1 ^ 0x646f72616e646f6dULL),
                         spread(key0 ^ 0x6c7967656e657261ULL), spread(key1 ^ 0x7465646279746573ULL)};
  const auto feed = [&](Builder& i, Value* round, Value*, const ir::Values& state) -> Builder::LoopResult {
    Value* word = i.Cast(i.Gather(blocks, round, 1), DType::kUInt64);
    ir::Values next = state;
    next[3] = i.BitwiseXor(next[3], word);
    mix(i, next);
    mix(i, next);
    next[0] = i.BitwiseXor(next[0], word);
    // Rows that have no such block stay as they are.
    Value* open = i.LessOrEqual(round, count);
    for (size_t k = 0; k < next.size(); ++k) {
      next[k] = i.Cast(i.Where(open, i.Cast(next[k], DType::kInt64), i.Cast(state[k], DType::kInt64)), DType::kUInt64);
    }
    return {nullptr, next, {}};
  };
  ir::Values state = b.Loop(b.dim_scalar(blocks, 1), nullptr, start, feed);
  state[2] = b.BitwiseXor(state[2], number(b, 0xff));
  for (int round = 0; round < 4; ++round) mix(b, state);
  return b.Cast(b.BitwiseXor(b.BitwiseXor(state[0], state[1]), b.BitwiseXor(state[2], state[3])), DType::kInt64);
}

}  // namespace onward::importer
