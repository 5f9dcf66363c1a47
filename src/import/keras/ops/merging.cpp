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

// Keras 2 keeps what every mask keeps; Keras 3 what any does, where all inputs have one.
void merge_masks(const Context& ctx, const Value* result) {
  ir::Builder& b = ctx.b;
  Value* merged = nullptr;
  for (const Value* input : ctx.inputs()) {
    Value* mask = ctx.mask_of(input);
    if (mask == nullptr && ctx.session.legacy) continue;
    if (mask == nullptr) return;
    if (merged == nullptr) {
      merged = mask;
    } else {
      merged = ctx.session.legacy ? b.And(merged, mask) : b.Or(merged, mask);
    }
  }
  ctx.set_mask(result, merged);
}

Value* folded(const Context& ctx, const char* op) {
  const ir::Values values = aligned(ctx);
  Value* result = values.front();
  for (size_t i = 1; i < values.size(); ++i) result = ctx.b.op(op, {result, values[i]});
  merge_masks(ctx, result);
  return result;
}

ir::Values add(Context& ctx) { return {folded(ctx, "Add")}; }
ir::Values subtract(Context& ctx) { return {folded(ctx, "Sub")}; }
ir::Values multiply(Context& ctx) { return {folded(ctx, "Mul")}; }
ir::Values maximum(Context& ctx) { return {folded(ctx, "Max")}; }
ir::Values minimum(Context& ctx) { return {folded(ctx, "Min")}; }
ir::Values average(Context& ctx) {
  Value* mean = ctx.b.Div(folded(ctx, "Add"), static_cast<double>(ctx.inputs().size()));
  merge_masks(ctx, mean);
  return {mean};
}

// Inputs joined behind the step axis join their masks; joined along it, the masks lie one behind the other.
void concatenate_masks(const Context& ctx, const Value* result, int64_t axis) {
  ir::Builder& b = ctx.b;
  const ir::Values inputs = ctx.inputs();
  ir::Values masks;
  bool any = false;
  for (Value* input : inputs) {
    Value* mask = ctx.mask_of(input);
    any = any || mask != nullptr;
    masks.push_back(mask);
  }
  if (!any || axis == 0) return;
  if (axis != 1) {
    Value* merged = nullptr;
    for (Value* mask : masks) {
      if (mask != nullptr) merged = merged == nullptr ? mask : b.And(merged, mask);
    }
    return ctx.set_mask(result, merged);
  }
  for (size_t i = 0; i < masks.size(); ++i) {
    if (masks[i] == nullptr) masks[i] = b.Expand(b.boolean(true), b.op("Shape", {inputs[i]}, {{"end", 2}}));
  }
  ctx.set_mask(result, b.Concat(masks, 1));
}

// Concatenate(axis=-1)
ir::Values concatenate(Context& ctx) {
  int64_t axis = ctx.config.get("axis", -1);
  const ir::Values inputs = ctx.inputs();
  ctx.require(!inputs.empty(), "has no inputs");
  Value* result = ctx.b.Concat(inputs, axis);
  if (axis < 0) axis += static_cast<int64_t>(result->rank());
  concatenate_masks(ctx, result, axis);
  return {result};
}

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
  table.add("Add", {add, nullptr, Masking::kOwn});
  table.add("Subtract", {subtract, nullptr, Masking::kOwn});
  table.add("Multiply", {multiply, nullptr, Masking::kOwn});
  table.add("Average", {average, nullptr, Masking::kOwn});
  table.add("Maximum", {maximum, nullptr, Masking::kOwn});
  table.add("Minimum", {minimum, nullptr, Masking::kOwn});
  table.add("Concatenate", {concatenate, nullptr, Masking::kOwn});
  table.add("Dot", {dot});
}

}  // namespace onward::importer::keras
