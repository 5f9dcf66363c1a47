// Add, Subtract, Multiply, Average, Maximum, Minimum, Concatenate, Dot.
#include <algorithm>

#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

// Inputs of different ranks line up at the batch axis: the smaller ones get axes of 1 behind it.
ir::Values aligned(const Context& ctx) {
  ir::Values values = ctx.inputs();
  ctx.require(!values.empty(), "has no inputs");
  size_t rank = 0;
  for (const Value* value : values) rank = std::max(rank, value->rank());
  for (Value*& value : values) {
    std::vector<int64_t> axes;
    for (size_t i = value->rank(); i < rank; ++i) axes.push_back(static_cast<int64_t>(axes.size()) + 1);
    value = ctx.b.Unsqueeze(value, axes);
  }
  return values;
}

Value* folded(const Context& ctx, const char* op) {
  const ir::Values values = aligned(ctx);
  Value* result = values.front();
  for (size_t i = 1; i < values.size(); ++i) result = ctx.b.op(op, {result, values[i]});
  return result;
}

ir::Values add(Context& ctx) { return {folded(ctx, "Add")}; }
ir::Values subtract(Context& ctx) { return {folded(ctx, "Sub")}; }
ir::Values multiply(Context& ctx) { return {folded(ctx, "Mul")}; }
ir::Values maximum(Context& ctx) { return {folded(ctx, "Max")}; }
ir::Values minimum(Context& ctx) { return {folded(ctx, "Min")}; }
ir::Values average(Context& ctx) { return {ctx.b.Div(folded(ctx, "Add"), static_cast<double>(ctx.inputs().size()))}; }

// Concatenate(axis=-1)
ir::Values concatenate(Context& ctx) { return {ctx.b.Concat(ctx.inputs(), ctx.config.get("axis", -1))}; }

Value* l2_normalized(ir::Builder& b, Value* x, int64_t axis) {
  return b.Div(x, b.Sqrt(b.Max(b.ReduceSumSquare(x, {axis}), 1e-12)));
}

// Dot(axes, normalize=False): contracts one axis of each, batch first
ir::Values dot(Context& ctx) {
  ir::Builder& b = ctx.b;
  ir::Values values = ctx.inputs();
  ctx.require(values.size() == 2, "needs two inputs");
  const Json& given = ctx.config["axes"];
  std::vector<int64_t> axes = given.is_array() ? given.as_ints() : std::vector<int64_t>{given.as_int(), given.as_int()};
  for (size_t i = 0; i < 2; ++i) {
    if (axes[i] < 0) axes[i] += static_cast<int64_t>(values[i]->rank());
    if (ctx.config.get("normalize", false)) values[i] = l2_normalized(b, values[i], axes[i]);
  }
  std::string left = "a";
  std::string right = "a";
  std::string out = "a";
  char next = 'b';
  for (size_t i = 1; i < values[0]->rank(); ++i) {
    const bool contracted = static_cast<int64_t>(i) == axes[0];
    left += contracted ? 'z' : next;
    if (!contracted) out += next++;
  }
  for (size_t i = 1; i < values[1]->rank(); ++i) {
    const bool contracted = static_cast<int64_t>(i) == axes[1];
    right += contracted ? 'z' : next;
    if (!contracted) out += next++;
  }
  Value* result = b.op("Einsum", values, {{"equation", left + "," + right + "->" + out}});
  return {out.size() == 1 ? b.Unsqueeze(result, {1}) : result};
}

}  // namespace

void register_merging(OpTable& table) {
  table.add("Add", {add, nullptr, Masking::kPassed});
  table.add("Subtract", {subtract, nullptr, Masking::kPassed});
  table.add("Multiply", {multiply, nullptr, Masking::kPassed});
  table.add("Average", {average, nullptr, Masking::kPassed});
  table.add("Maximum", {maximum, nullptr, Masking::kPassed});
  table.add("Minimum", {minimum, nullptr, Masking::kPassed});
  table.add("Concatenate", {concatenate, nullptr, Masking::kPassed});
  table.add("Dot", {dot});
}

}  // namespace onward::importer::keras
