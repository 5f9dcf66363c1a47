// The few gradients that saved graphs hold.
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// aten::native_dropout_backward(Tensor grad_output, Tensor mask, float scale) -> Tensor
Value* dropout_backward(Call& c) {
  Value* gradient = c.tensor("grad_output");
  Value* kept = c.b.Mul(gradient, c.b.Cast(c.tensor("mask"), gradient->dtype));
  return c.b.Mul(kept, c.number("scale"));
}
Value* softmax_backward(Call& c) {
  ir::Builder& b = c.b;
  Value* gradient = c.tensor("grad_output");
  Value* output = c.tensor("output");
  if (output->rank() == 0) return b.Mul(gradient, 0.0);
  const int64_t axis = c.axis("dim", output->rank());
  Value* product = b.Mul(gradient, output);
  return b.Cast(b.Sub(product, b.Mul(output, b.ReduceSum(product, {axis}))), *c.dtype("input_dtype"));
}
Value* log_softmax_backward(Call& c) {
  ir::Builder& b = c.b;
  Value* gradient = c.tensor("grad_output");
  Value* output = c.tensor("output");
  const int64_t axis = c.axis("dim", output->rank());
  Value* spread = b.Mul(b.Exp(output), b.ReduceSum(gradient, {axis}));
  return b.Cast(b.Sub(gradient, spread), *c.dtype("input_dtype"));
}
Value* threshold_backward(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* gradient = c.tensor("grad_output");
  return b.Where(b.Greater(x, c.scalar("threshold", x->dtype)), gradient, b.number_like(0, gradient));
}
Value* sigmoid_backward(Call& c) {
  ir::Builder& b = c.b;
  Value* output = c.tensor("output");
  return b.Mul(c.tensor("grad_output"), b.Mul(b.Sub(b.number_like(1, output), output), output));
}
Value* tanh_backward(Call& c) {
  ir::Builder& b = c.b;
  Value* output = c.tensor("output");
  return b.Mul(c.tensor("grad_output"), b.Sub(b.number_like(1, output), b.Mul(output, output)));
}

// Each gradient goes to the place its maximum came from, counted within a channel's plane.
Value* max_pool_backward(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  const auto spatial = c.signature().name.find("3d") != std::string::npos ? 3 : 2;
  const auto front = static_cast<int64_t>(x->rank()) - spatial;
  Value* outer = b.Slice(b.Shape(x), 0, front, 0);
  const auto flat = [&](Value* value) { return b.Reshape(value, b.Concat({outer, b.ints({-1})}, 0)); };
  Value* zeros = flat(b.Fill(b.Shape(x), 0, x->dtype));
  Value* sums = b.op("ScatterElements", {zeros, flat(c.tensor("indices")), flat(c.tensor("grad_output"))},
                     {{"axis", front}, {"reduction", "add"}});
  return b.Reshape(sums, b.Shape(x));
}

}  // namespace

void register_backward(OpTable& t) {
  t.add("aten::native_dropout_backward(Tensor grad_output, Tensor mask, float scale) -> Tensor", dropout_backward);
  const std::string softmax = "(Tensor grad_output, Tensor output, int dim, ScalarType input_dtype) -> Tensor";
  t.add("aten::_softmax_backward_data" + softmax, softmax_backward);
  t.add("aten::_log_softmax_backward_data" + softmax, log_softmax_backward);
  t.add("aten::threshold_backward(Tensor grad_output, Tensor self, Scalar threshold) -> Tensor", threshold_backward);
  t.add("aten::sigmoid_backward(Tensor grad_output, Tensor output) -> Tensor", sigmoid_backward);
  t.add("aten::tanh_backward(Tensor grad_output, Tensor output) -> Tensor", tanh_backward);
  for (const char* n : {"2", "3"}) {
    t.add(
        "aten::max_pool" + std::string(n) +
            "d_with_indices_backward(Tensor grad_output, Tensor self, int[] kernel_size, int[] stride, int[] padding, "
            "int[] dilation, bool ceil_mode, Tensor indices) -> Tensor",
        max_pool_backward);
  }
}

}  // namespace onward::importer::torch
