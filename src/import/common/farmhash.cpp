// FarmHash's Fingerprint64 (the "na" variant, which TensorFlow's string hashes use) in ONNX operators, a row of bytes
// at a time for all rows.
#include <limits>
#include <utility>

#include "import/common/strings.h"

namespace onward::importer {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

constexpr uint64_t k0 = 0xc3a5c85c97cb3127ULL;
constexpr uint64_t k1 = 0xb492b66fbe98f273ULL;
constexpr uint64_t k2 = 0x9ae16a3b2f90404fULL;

// Numbers are uint64 vectors [n] that wrap.
class Hasher {
 public:
  Hasher(Builder& b, const Text& text) : b(b), lengths(text.lengths), length(b.Cast(text.lengths, DType::kUInt64)) {
    // Zeros behind the end so that every fetch lies within.
    Value* bytes = b.Pad(text.bytes, {0, 0, 0, 136});
    words = fetches(bytes, 8);
    halves = fetches(bytes, 4);
    this->bytes = bytes;
  }

  // The same text within a subgraph.
  Hasher(Builder& inner, const Hasher& outer)
      : b(inner),
        lengths(outer.lengths),
        length(outer.length),
        bytes(outer.bytes),
        words(outer.words),
        halves(outer.halves) {}

  Value* number(uint64_t value) const { return b.constant(ir::Tensor::scalar(value)); }
  Value* add(Value* x, Value* y) const { return b.Add(x, y); }
  Value* mul(Value* x, Value* y) const { return b.Mul(x, y); }
  Value* mul(Value* x, uint64_t y) const { return b.Mul(x, number(y)); }
  Value* exclusive(Value* x, Value* y) const { return b.BitwiseXor(x, y); }
  Value* right(Value* x, uint64_t bits) const { return b.op("BitShift", {x, number(bits)}, {{"direction", "RIGHT"}}); }
  Value* left(Value* x, uint64_t bits) const { return b.op("BitShift", {x, number(bits)}, {{"direction", "LEFT"}}); }
  Value* rotate(Value* x, uint64_t bits) const { return b.op("BitwiseOr", {right(x, bits), left(x, 64 - bits)}); }
  Value* mixed(Value* x) const { return exclusive(x, right(x, 47)); }
  Value* where(Value* condition, Value* x, Value* y) const {
    const auto wide = [&](Value* v) { return b.Cast(v, DType::kInt64); };
    return b.Cast(b.Where(condition, wide(x), wide(y)), DType::kUInt64);
  }

  // Little-endian numbers at an offset from the start, or at one counted from the end.
  Value* at(Value* table, int64_t offset) const { return b.Cast(b.Select(table, offset, 1), DType::kUInt64); }
  Value* at(Value* table, Value* offsets) const {
    Value* index = b.Unsqueeze(b.Max(offsets, b.i64(0)), {1});
    return b.Cast(b.Squeeze(b.op("GatherElements", {table, index}, {{"axis", 1}}), {1}), DType::kUInt64);
  }
  Value* from_end(Value* table, int64_t offset) const { return at(table, b.Sub(lengths, b.i64(offset))); }

  Value* length16(Value* u, Value* v, Value* factor) const {
    Value* x = mixed(mul(exclusive(u, v), factor));
    return mul(mixed(mul(exclusive(v, x), factor)), factor);
  }
  Value* factor() const { return add(number(k2), mul(length, 2)); }

  Value* up_to_3() const {
    Value* first = at(bytes, int64_t{0});
    Value* middle = at(bytes, b.Div(lengths, b.i64(2)));
    Value* last = from_end(bytes, 1);
    Value* y = add(first, mul(middle, 256));
    Value* z = add(length, mul(last, 4));
    return mul(mixed(exclusive(mul(y, k2), mul(z, k0))), k2);
  }
  Value* up_to_7() const {
    return length16(add(length, mul(at(halves, int64_t{0}), 8)), from_end(halves, 4), factor());
  }
  Value* up_to_16() const {
    Value* x = add(at(words, int64_t{0}), number(k2));
    Value* y = from_end(words, 8);
    Value* c = add(mul(rotate(y, 37), factor()), x);
    Value* d = mul(add(rotate(x, 25), y), factor());
    return length16(c, d, factor());
  }
  Value* up_to_32() const {
    const auto [u, v] = halves_of_32(k1);
    return length16(u, v, factor());
  }
  Value* up_to_64() const {
    const auto [y, v] = halves_of_32(k2);
    Value* z = length16(y, v, factor());
    Value* x = mul(at(words, int64_t{0}), k2);
    Value* e = mul(at(words, int64_t{16}), factor());
    Value* f = at(words, int64_t{24});
    Value* g = mul(add(y, from_end(words, 32)), factor());
    Value* h = mul(add(z, from_end(words, 24)), factor());
    return length16(add(add(rotate(add(e, f), 43), rotate(g, 30)), h), add(add(e, rotate(add(f, x), 18)), g), factor());
  }
  Value* longer() const;

  Builder& b;
  Value* lengths;  // int64
  Value* length;
  Value* bytes = nullptr;
  Value* words = nullptr;   // the eight bytes from each place on
  Value* halves = nullptr;  // the four

 private:
  Value* fetches(Value* from, int64_t count) const {
    Value* total = nullptr;
    for (int64_t i = 0; i < count; ++i) {
      Value* column = b.Slice(from, i, i - count < -1 ? i - count + 1 : std::numeric_limits<int64_t>::max(), 1);
      Value* weighted = b.Mul(column, b.i64(static_cast<int64_t>(uint64_t{1} << (8 * i))));
      total = total == nullptr ? weighted : b.Add(total, weighted);
    }
    return total;
  }

  std::pair<Value*, Value*> halves_of_32(uint64_t start) const {
    Value* x = mul(at(words, int64_t{0}), start);
    Value* y = at(words, int64_t{8});
    Value* c = mul(from_end(words, 8), factor());
    Value* d = mul(from_end(words, 16), k2);
    return {add(add(rotate(add(x, y), 43), rotate(c, 30)), d), add(add(x, rotate(add(y, number(k2)), 18)), c)};
  }

  // WeakHashLen32WithSeeds
  std::pair<Value*, Value*> weak(Value* offset, int64_t start, Value* x, Value* y) const {
    const auto word = [&](int64_t i) { return at(words, b.Add(offset, b.i64(start + i))); };
    Value* z = word(24);
    x = add(x, word(0));
    y = rotate(add(add(y, x), z), 21);
    Value* c = x;
    x = add(add(x, word(8)), word(16));
    y = add(y, rotate(x, 44));
    return {add(x, z), add(y, c)};
  }
};

// More than 64 bytes: a state of seven numbers, fed 64 bytes at a time.
Value* Hasher::longer() const {
  const auto spread = [&](uint64_t value) { return b.Expand(number(value), b.Shape(length)); };
  constexpr uint64_t kSeed = 81;
  constexpr uint64_t kStart = kSeed * k1 + 113;
  Value* y = spread(kStart);
  Value* z = mul(mixed(add(mul(y, k2), number(113))), k2);
  Value* x = add(mul(spread(kSeed), k2), at(words, int64_t{0}));
  Value* nothing = spread(0);
  Value* before_last = b.Max(b.Sub(lengths, b.i64(1)), b.i64(0));
  Value* blocks = b.Div(before_last, b.i64(64));
  // State: x y z v w, v and w being pairs.
  const auto round = [&](const Hasher& h, Value* offset, const ir::Values& s, Value* factor, bool last) {
    const auto word = [&](int64_t i) { return h.at(words, h.b.Add(offset, h.b.i64(i))); };
    const auto ninefold = [&](Value* v) { return last ? h.mul(v, 9) : v; };
    Value* nx = h.mul(h.rotate(h.add(h.add(h.add(s[0], s[1]), s[3]), word(8)), 37), factor);
    Value* ny = h.mul(h.rotate(h.add(h.add(s[1], s[4]), word(48)), 42), factor);
    nx = h.exclusive(nx, ninefold(s[6]));
    ny = h.add(h.add(ny, ninefold(s[3])), word(40));
    Value* nz = h.mul(h.rotate(h.add(s[2], s[5]), 33), factor);
    const auto [v1, v2] = h.weak(offset, 0, h.mul(s[4], factor), h.add(nx, s[5]));
    const auto [w1, w2] = h.weak(offset, 32, h.add(nz, s[6]), h.add(ny, word(16)));
    return ir::Values{nz, ny, nx, v1, v2, w1, w2};
  };
  Value* trips = b.ReduceMax(blocks, {}, false);
  ir::Values state = b.Loop(trips, nullptr, {x, y, z, nothing, nothing, nothing, nothing},
                            [&](Builder& inner, Value* iteration, Value*, const ir::Values& carried) {
                              const Hasher h(inner, *this);
                              // Rows that have no such block any more stay as they are.
                              Value* open = inner.Less(iteration, blocks);
                              Value* offset = inner.Mul(inner.Min(iteration, blocks), inner.i64(64));
                              ir::Values next = round(h, offset, carried, h.number(k1), false);
                              for (size_t i = 0; i < next.size(); ++i) next[i] = h.where(open, next[i], carried[i]);
                              return Builder::LoopResult{nullptr, next, {}};
                            });
  Value* rest = b.Mod(before_last, b.i64(64));
  Value* factor = add(number(k1), mul(b.BitwiseAnd(state[2], number(0xff)), 2));
  state[5] = add(state[5], b.Cast(rest, DType::kUInt64));
  state[3] = add(state[3], state[5]);
  state[5] = add(state[5], state[3]);
  Value* last = b.Sub(lengths, b.i64(64));
  state = round(*this, last, state, factor, true);
  Value* first = add(add(length16(state[3], state[5], factor), mul(mixed(state[1]), k0)), state[2]);
  return length16(first, add(length16(state[4], state[6], factor), state[0]), factor);
}

}  // namespace

Value* fingerprint64(Builder& b, const Text& text) {
  const Hasher h(b, text);
  const ir::Dim width = text.bytes->dim(1);
  const auto longer_than = [&](int64_t most) { return b.Greater(text.lengths, b.i64(most)); };
  const auto possible = [&](int64_t length) { return !width.is_known() || width.value() > length; };
  Value* hash = h.where(longer_than(0), h.up_to_3(), b.Expand(h.number(k2), b.Shape(text.lengths)));
  hash = h.where(longer_than(3), h.up_to_7(), hash);
  hash = h.where(longer_than(7), h.up_to_16(), hash);
  if (possible(16)) hash = h.where(longer_than(16), h.up_to_32(), hash);
  if (possible(32)) hash = h.where(longer_than(32), h.up_to_64(), hash);
  if (possible(64)) hash = h.where(longer_than(64), h.longer(), hash);
  return b.Cast(hash, DType::kInt64);
}

Value* unsigned_mod(Builder& b, Value* hash, int64_t buckets) {
  // The number as twice its upper 63 bits and its lowest one, both of which int64 holds.
  Value* bits = b.Cast(hash, DType::kUInt64);
  Value* one = b.constant(ir::Tensor::scalar(uint64_t{1}));
  Value* upper = b.Cast(b.op("BitShift", {bits, one}, {{"direction", "RIGHT"}}), DType::kInt64);
  Value* lowest = b.Cast(b.BitwiseAnd(bits, one), DType::kInt64);
  Value* divisor = b.i64(buckets);
  Value* half = b.Mod(upper, divisor);
  // Less than 2^63 for any divisor below 2^62.
  return b.Mod(b.Add(b.Add(half, half), lowest), divisor);
}

Value* fingerprint_cat64(Builder& b, Value* first, Value* second) {
  constexpr uint64_t kFactor = 0xc6a4a7935bd1e995ULL;
  const auto number = [&](uint64_t value) { return b.constant(ir::Tensor::scalar(value)); };
  const auto mixed = [&](Value* x) {
    return b.BitwiseXor(x, b.op("BitShift", {x, number(47)}, {{"direction", "RIGHT"}}));
  };
  Value* factor = number(kFactor);
  Value* x = b.BitwiseXor(b.Cast(first, DType::kUInt64), factor);
  x = b.BitwiseXor(x, b.Mul(mixed(b.Mul(b.Cast(second, DType::kUInt64), factor)), factor));
  x = b.Mul(x, factor);
  return b.Cast(mixed(b.Mul(mixed(x), factor)), DType::kInt64);
}

}  // namespace onward::importer
