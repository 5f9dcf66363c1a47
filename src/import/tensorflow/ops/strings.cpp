// Strings, as far as ONNX goes: joining, splitting and matching need opset 20, comparing 19.
#include "import/common/strings.h"

#include "import/tensorflow/ops/families.h"
#include "import/tensorflow/ops/helpers.h"

namespace onward::importer::tf {
namespace {

using ir::Builder;
using ir::DType;
using ir::Tensor;
using ir::Value;

Value* text(Builder& b, const std::string& value) { return b.constant(Tensor::of_strings({}, {value})); }

Value* joined(Builder& b, Value* a, const std::string& separator, Value* c) {
  if (!separator.empty()) a = b.op("StringConcat", {a, text(b, separator)});
  return b.op("StringConcat", {a, c});
}

// StringJoin(inputs: N * string, separator: string = "") -> output
Value* join(Call& c) {
  Value* result = c.input(0);
  for (size_t i = 1; i < c.input_count(); ++i) result = joined(c.b, result, c.text("separator"), c.input(i));
  return result;
}

// ReduceJoin(inputs: string, reduction_indices: int32, keep_dims: bool = false, separator: string = "") -> output
Value* reduce_join(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  std::vector<int64_t> axes = c.constant_ints(1, "axis");
  for (int64_t& axis : axes) axis = c.axis(axis, x);
  if (axes.empty()) {
    for (int64_t i = static_cast<int64_t>(x->rank()) - 1; i >= 0; --i) axes.push_back(i);
  }
  for (const int64_t axis : axes) {
    const ir::Dim size = x->dim(static_cast<size_t>(axis));
    c.require(size.is_known() && size.value() > 0, "the dimension that is joined is only known when the model runs");
    const ir::Values parts = b.Split(x, std::vector<int64_t>(static_cast<size_t>(size.value()), 1), axis);
    x = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) x = joined(b, x, c.text("separator"), parts[i]);
  }
  return c.flag("keep_dims") ? x : b.Squeeze(x, axes);
}

// StringSplitV2(input: string, sep: string, maxsplit: int = -1) -> indices: int64, values: string, shape: int64
ir::Values split(Call& c) {
  Builder& b = c.b;
  const int64_t most = c.integer("maxsplit", -1);
  ir::Attrs attrs{{"delimiter", c.constant_text(1, "separator")}};
  if (most >= 0) attrs.set("maxsplit", most);
  const ir::Values pieces = b.ops("StringSplit", {c.input(0)}, 2, std::move(attrs));
  pieces[1]->dtype = DType::kInt64;
  Value* counts = pieces[1];
  Value* longest = b.dim(pieces[0], -1);
  Value* columns = b.Range(b.i64(0), b.Squeeze(longest, {0}), b.i64(1));
  Value* there = b.Less(b.Unsqueeze(columns, {0}), b.Unsqueeze(counts, {1}));
  Value* indices = b.Transpose(b.NonZero(there), {1, 0});
  return {indices, b.op("GatherND", {pieces[0], indices}), b.Concat({b.dim(counts, 0), longest}, 0)};
}

// StaticRegexFullMatch(input: string, pattern: string) -> output: bool
Value* static_match(Call& c) { return c.b.op("RegexFullMatch", {c.input(0)}, {{"pattern", c.text("pattern")}}); }
// RegexFullMatch(input: string, pattern: string) -> output: bool
Value* match(Call& c) { return c.b.op("RegexFullMatch", {c.input(0)}, {{"pattern", c.constant_text(1, "pattern")}}); }

// StringToNumber(string_tensor: string, out_type: type = float) -> output
Value* to_number(Call& c) { return c.b.Cast(c.input(0), c.dtype("out_type", tensorflow::DataType::kFloat)); }

// AsString(input: T, precision: int = -1, scientific: bool = false, shortest: bool = false, width: int = -1,
//          fill: string = "") -> output
Value* as_string(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  if (x->dtype == DType::kString) return x;
  c.require(c.integer("width", -1) < 0, "a field width is not supported");
  if (x->dtype == DType::kBool) {
    return b.Where(x, text(b, "true"), text(b, "false"));
  }
  c.require(ir::is_integer(x->dtype), "floats are written in another way than ONNX does");
  return b.Cast(x, DType::kString);
}

// --- characters ------------------------------------------------------------------------------------------------------

// StringLower(input: string, encoding: string = "") -> output
Value* with_case(Call& c, const char* action) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* changed = b.op("StringNormalizer", {b.Reshape(x, {-1})}, {{"case_change_action", action}});
  return reshape(b, changed, b.Shape(x));
}
Value* lower(Call& c) { return with_case(c, "LOWER"); }
Value* upper(Call& c) { return with_case(c, "UPPER"); }

// StringLength(input: string, unit: string = "BYTE") -> output: int32
Value* length(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* flat = b.Reshape(x, {-1});
  Value* lengths = nullptr;
  if (c.text("unit", "BYTE") == "BYTE") {
    lengths = utf8_text(b, flat).lengths;
  } else {
    Value* there = b.Not(b.Equal(split_characters(b, flat), text(b, "")));
    lengths = b.ReduceSum(b.Cast(there, DType::kInt64), {1}, false);
  }
  return reshape(b, b.Cast(lengths, DType::kInt32), b.Shape(x));
}

// The characters [n, most] at the places `kept`, joined again.
Value* joined_characters(Builder& b, Value* characters, Value* kept) {
  Value* blank = text(b, "");
  Value* rows = b.Where(kept, characters, blank);
  Value* start = b.Expand(blank, b.dim(characters, 0));
  const auto step = [&](Builder& i, Value* column, Value*, const ir::Values& state) -> Builder::LoopResult {
    return {nullptr, {i.op("StringConcat", {state[0], i.Gather(rows, column, 1)})}, {}};
  };
  return b.Loop(b.dim_scalar(characters, 1), nullptr, {start}, step)[0];
}

struct Characters {
  Value* all;      // [n, most], "" behind the end
  Value* there;    // whether there is one
  Value* columns;  // [1, most]
};
Characters characters_of(Builder& b, Value* x) {
  Value* all = split_characters(b, b.Reshape(x, {-1}));
  Value* columns = b.Unsqueeze(counting(b, b.dim_scalar(all, 1)), {0});
  return {all, b.Not(b.Equal(all, text(b, ""))), columns};
}

// StringStrip(input: string) -> output
Value* strip(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  const auto [all, there, columns] = characters_of(b, x);
  Value* solid = there;
  for (const char* space : {" ", "\t", "\n", "\r", "\v", "\f"})
    solid = b.And(solid, b.Not(b.Equal(all, text(b, space))));
  // Between the first and the last that is no space.
  Value* first = b.ReduceMin(b.Where(solid, columns, b.i64(kToEnd)), {1});
  Value* last = b.ReduceMax(b.Where(solid, columns, b.i64(-1)), {1});
  Value* kept = b.And(b.GreaterOrEqual(columns, first), b.LessOrEqual(columns, last));
  return reshape(b, joined_characters(b, all, kept), b.Shape(x));
}

// Substr(input: string, pos: T, len: T, unit: string = "BYTE") -> output; bytes are taken for characters
Value* substring(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* shape = b.Shape(x);
  const auto [all, there, columns] = characters_of(b, x);
  const auto column = [&](size_t index) {
    return b.Reshape(b.Expand(b.Cast(c.input(index), DType::kInt64), shape), {-1, 1});
  };
  Value* position = column(1);
  Value* length = b.ReduceSum(b.Cast(there, DType::kInt64), {1});
  Value* from = b.Max(b.Where(b.Less(position, b.i64(0)), b.Add(position, length), position), b.i64(0));
  Value* kept = b.And(b.GreaterOrEqual(columns, from), b.Less(columns, b.Add(from, column(2))));
  return reshape(b, joined_characters(b, all, kept), shape);
}

// StringToHashBucketFast(input: string, num_buckets: int) -> output: int64
Value* hash_bucket(Call& c) {
  Builder& b = c.b;
  Value* x = c.input(0);
  Value* hash = fingerprint64(b, utf8_text(b, b.Reshape(x, {-1})));
  return reshape(b, unsigned_mod(b, hash, c.integer("num_buckets", 1)), b.Shape(x));
}

}  // namespace

void register_strings(OpTable& t) {
  t.add("StringJoin", join);
  t.add("ReduceJoin", reduce_join);
  t.add("StringSplitV2 -> indices, values, shape", split);
  t.add("StaticRegexFullMatch", static_match);
  t.add("RegexFullMatch", match);
  t.add("StringToNumber", to_number);
  t.add("AsString", as_string);
  t.add("StringLower", lower);
  t.add("StringUpper", upper);
  t.add("StringLength", length);
  t.add("StringStrip", strip);
  t.add("Substr", substring);
  t.add("StringToHashBucketFast", hash_bucket);
}

}  // namespace onward::importer::tf
