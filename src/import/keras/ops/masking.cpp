// Masking.
#include "import/keras/context.h"
#include "import/keras/op_table.h"

namespace onward::importer::keras {
namespace {

using ir::Value;

// Masking(mask_value=0.0): a step counts where any of its features differs; the others become 0
ir::Values masking(Context& ctx) {
  ir::Builder& b = ctx.b;
  Value* x = ctx.x();
  Value* differs = b.Not(b.Equal(x, b.number_like(ctx.config.get("mask_value", 0.0), x)));
  Value* any = b.ReduceMax(b.Cast(differs, ir::DType::kInt32), {-1});
  Value* y = b.Mul(x, b.Cast(any, x->dtype));
  ctx.set_mask(y, b.Cast(b.Squeeze(any, {-1}), ir::DType::kBool));
  return {y};
}

}  // namespace

void register_masking(OpTable& table) { table.add("Masking", {masking, nullptr, Masking::kOwn}); }

}  // namespace onward::importer::keras
