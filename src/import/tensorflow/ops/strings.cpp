// Strings, as far as ONNX goes: joining, splitting and matching need opset 20, comparing 19.
#include "import/tensorflow/ops/families.h"

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

}  // namespace

void register_strings(OpTable& t) {
  t.add("StringJoin", join);
  t.add("ReduceJoin", reduce_join);
  t.add("StringSplitV2 -> indices, values, shape", split);
  t.add("StaticRegexFullMatch", static_match);
  t.add("RegexFullMatch", match);
  t.add("StringToNumber", to_number);
  t.add("AsString", as_string);
}

}  // namespace onward::importer::tf
