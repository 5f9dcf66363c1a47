#include "import/common/strings.h"

#include "ir/graph.h"

namespace onward::importer {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* encoded(Builder& b, Value* x, DType dtype, ir::Attrs attrs) {
  Value* y = b.foreign("ai.onnx.ml", "LabelEncoder", {x}, 1, std::move(attrs)).front();
  y->dtype = dtype;
  y->shape = x->shape;
  return y;
}

Value* tokens(Builder& b, Value* x, const char* separator) {
  Value* y =
      b.foreign("com.microsoft", "Tokenizer", {x}, 1,
                {{"mark", 0}, {"mincharnum", 1}, {"pad_value", ""}, {"separators", ir::Attr::Strings{separator}}})
          .front();
  y->dtype = DType::kString;
  y->shape = ir::Shape{x->shape ? x->dim(0) : ir::Dim(), ir::Dim()};
  return y;
}

std::string utf8(uint32_t code) {
  const auto byte = [](uint32_t bits) { return static_cast<char>(bits); };
  if (code < 0x80) return {byte(code)};
  if (code < 0x800) return {byte(0xC0 | code >> 6), byte(0x80 | (code & 0x3F))};
  if (code < 0x10000) return {byte(0xE0 | code >> 12), byte(0x80 | (code >> 6 & 0x3F)), byte(0x80 | (code & 0x3F))};
  return {byte(0xF0 | code >> 18), byte(0x80 | (code >> 12 & 0x3F)), byte(0x80 | (code >> 6 & 0x3F)),
          byte(0x80 | (code & 0x3F))};
}

}  // namespace

Value* lookup(Builder& b, Value* x, const std::vector<std::string>& keys, const std::vector<int64_t>& values,
              int64_t fallback) {
  return encoded(b, x, DType::kInt64, {{"keys_strings", keys}, {"values_int64s", values}, {"default_int64", fallback}});
}

Value* lookup(Builder& b, Value* x, const std::vector<int64_t>& keys, const std::vector<int64_t>& values,
              int64_t fallback) {
  return encoded(b, b.Cast(x, DType::kInt64), DType::kInt64,
                 {{"keys_int64s", keys}, {"values_int64s", values}, {"default_int64", fallback}});
}

Value* lookup(Builder& b, Value* x, const std::vector<int64_t>& keys, const std::vector<std::string>& values,
              const std::string& fallback) {
  return encoded(b, b.Cast(x, DType::kInt64), DType::kString,
                 {{"keys_int64s", keys}, {"values_strings", values}, {"default_string", fallback}});
}

Value* split_words(Builder& b, Value* x) { return tokens(b, x, "[ \\t\\n\\v\\f\\r]+"); }
Value* split_characters(Builder& b, Value* x) { return tokens(b, x, ""); }

// Code points of single characters; -1 for "".
Value* code_points(Builder& b, Value* characters) {
  std::vector<std::string> keys{""};
  std::vector<int64_t> values{-1};
  const auto add = [&](uint32_t from, uint32_t to) {
    for (uint32_t code = from; code <= to; ++code) {
      keys.push_back(utf8(code));
      values.push_back(code);
    }
  };
  add(1, 0xD7FF);
  add(0xE000, 0xFFFF);
  add(0x1F300, 0x1FAFF);
  return lookup(b, characters, keys, values, 0xFFFD);
}

Text decimal_text(Builder& b, Value* x) {
  constexpr int64_t kWidth = 20;
  constexpr int64_t kMostDigits = 19;
  std::vector<int64_t> powers{1};
  while (powers.size() < kMostDigits) powers.push_back(powers.back() * 10);
  Value* table = b.ints(powers);
  Value* zero = b.i64(0);
  Value* minus = b.Unsqueeze(b.Cast(b.Less(x, zero), DType::kInt64), {1});
  Value* size = b.Unsqueeze(b.Abs(x), {1});
  Value* reached = b.GreaterOrEqual(size, b.ints({powers.begin() + 1, powers.end()}));
  Value* digits = b.Add(b.ReduceSum(b.Cast(reached, DType::kInt64), {1}), b.i64(1));
  std::vector<int64_t> places;
  for (int64_t i = 0; i < kWidth; ++i) places.push_back(i);
  // How many digits follow at each place; negative behind the end, too large before the first.
  Value* exponent = b.Sub(b.Sub(b.Add(digits, minus), b.i64(1)), b.ints(places));
  Value* within = b.And(b.GreaterOrEqual(exponent, zero), b.Less(exponent, digits));
  Value* power = b.Gather(table, b.Min(b.Max(exponent, zero), b.i64(kMostDigits - 1)), 0);
  Value* digit = b.Add(b.Mod(b.Div(size, power), b.i64(10)), b.i64('0'));
  Value* sign = b.Where(b.GreaterOrEqual(exponent, zero), b.i64('-'), zero);
  return {b.Where(within, digit, sign), b.Squeeze(b.Add(digits, minus), {1})};
}

Text utf8_text(Builder& b, Value* x) {
  Value* codes = code_points(b, split_characters(b, x));
  Value* zero = b.i64(0);
  const auto at_least = [&](int64_t code) { return b.Cast(b.GreaterOrEqual(codes, b.i64(code)), DType::kInt64); };
  Value* counts = b.Add(b.Add(at_least(0), at_least(0x80)), b.Add(at_least(0x800), at_least(0x10000)));
  Value* starts = b.op("CumSum", {counts, b.i64(1)}, {{"exclusive", 1}});
  Value* width = b.Mul(b.dim(codes, 1), b.ints({4}));
  const auto part = [&](int64_t shift) { return b.Mod(b.Div(b.Max(codes, zero), b.i64(1LL << shift)), b.i64(64)); };
  const auto by_count = [&](Value* one, Value* two, Value* three, Value* four) {
    Value* y = b.Where(b.Equal(counts, b.i64(1)), one, b.Where(b.Equal(counts, b.i64(2)), two, three));
    return b.Where(b.Equal(counts, b.i64(4)), four, y);
  };
  const auto tail = [&](int64_t shift) { return b.Add(part(shift), b.i64(0x80)); };
  const auto head = [&](int64_t shift, int64_t mark) {
    return b.Add(b.Div(b.Max(codes, zero), b.i64(1LL << shift)), b.i64(mark));
  };
  const ir::Values bytes{by_count(codes, head(6, 0xC0), head(12, 0xE0), head(18, 0xF0)),
                         by_count(zero, tail(0), tail(6), tail(12)), by_count(zero, zero, tail(0), tail(6)),
                         by_count(zero, zero, zero, tail(0))};
  // What a character does not use goes to a column behind the text, which is cut off.
  ir::Values places;
  for (int64_t i = 0; i < 4; ++i) {
    places.push_back(b.Where(b.Less(b.i64(i), counts), b.Add(starts, b.i64(i)), width));
  }
  Value* blank = b.Fill(b.Concat({b.dim(codes, 0), b.Add(width, b.ints({1}))}, 0), 0, DType::kInt64);
  ir::Values updates;
  for (Value* byte : bytes) updates.push_back(b.Expand(byte, b.Shape(codes)));
  Value* filled = b.op("ScatterElements", {blank, b.Concat(places, 1), b.Concat(updates, 1)}, {{"axis", 1}});
  return {b.Slice(filled, 0, -1, 1), b.ReduceSum(counts, {1}, false)};
}

}  // namespace onward::importer
