// Matrix products and biases.
#include "import/tensorflow/ops/dtypes.h"
#include "import/tensorflow/ops/families.h"

namespace onward::importer::tf {
namespace {

using ir::Value;

// The last two axes swapped.
Value* transposed(Call& c, Value* x) {
  c.require(x->has_rank(), "a matrix of unknown rank is to be transposed");
  std::vector<int64_t> perm(x->rank());
  for (size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<int64_t>(i);
  c.require(perm.size() >= 2, "its operand is no matrix");
  std::swap(perm[perm.size() - 1], perm[perm.size() - 2]);
  return c.b.Transpose(x, perm);
}

ir::DType product_dtype(ir::DType dtype) { return arithmetic_dtype(dtype); }

// MatMul(a: T, b: T, transpose_a: bool = false, transpose_b: bool = false) -> product
Value* mat_mul(Call& c) {
  Value* x = c.input(0);
  Value* y = c.input(1);
  if (c.flag("transpose_a")) x = transposed(c, x);
  if (c.flag("transpose_b")) y = transposed(c, y);
  return computed(c.b, &ir::Builder::MatMul, x, y, product_dtype);
}

// BatchMatMulV2(x: T, y: T, adj_x: bool = false, adj_y: bool = false) -> output
// BatchMatMulV3(x: Ta, y: Tb, adj_x: bool = false, adj_y: bool = false) -> output: Tout, in which it is computed
Value* batch_mat_mul(Call& c) {
  Value* x = c.input(0);
  Value* y = c.input(1);
  if (c.flag("adj_x")) x = transposed(c, x);
  if (c.flag("adj_y")) y = transposed(c, y);
  const ir::DType out =
      c.dtype("Tout", tensorflow::DataType::kInvalid == c.type("Tout") ? c.type("T") : c.type("Tout"));
  const auto is_byte = [](const Value* one) {
    return one->dtype == ir::DType::kInt8 || one->dtype == ir::DType::kUInt8;
  };
  if (out == ir::DType::kInt32 && is_byte(x) && is_byte(y)) return c.b.op("MatMulInteger", {x, y});
  return computed(c.b, &ir::Builder::MatMul, c.b.Cast(x, out), c.b.Cast(y, out), product_dtype);
}

// BiasAdd(value: T, bias: T, data_format: string = "NHWC") -> output
Value* bias_add(Call& c) {
  Value* x = c.input(0);
  Value* bias = c.input(1);
  if (c.text("data_format", "NHWC") == "NCHW") {
    // The bias belongs to axis 1.
    std::vector<int64_t> axes;
    for (size_t i = 1; i + 1 < x->rank(); ++i) axes.push_back(static_cast<int64_t>(i));
    bias = c.b.Unsqueeze(bias, axes);
  }
  return computed(c.b, static_cast<BinaryNode>(&ir::Builder::Add), x, bias, arithmetic_dtype);
}

// Einsum(inputs: N * T, equation: string) -> output
Value* einsum(Call& c) { return c.b.op("Einsum", c.inputs(), {{"equation", c.text("equation")}}); }

// Cross(a: T, b: T) -> product: of vectors along the last axis
Value* cross(Call& c) {
  ir::Builder& b = c.b;
  const auto turned = [&](Value* x, int64_t first, int64_t second) {
    return b.Gather(x, b.ints({first, second, 3 - first - second}), -1);
  };
  Value* x = c.input(0);
  Value* y = c.input(1);
  return b.Sub(b.Mul(turned(x, 1, 2), turned(y, 2, 0)), b.Mul(turned(x, 2, 0), turned(y, 1, 2)));
}

}  // namespace

void register_linear(OpTable& t) {
  t.add("Cross", cross);
  t.add("MatMul", mat_mul);
  t.add("SparseMatMul", mat_mul);
  t.add("BatchMatMul", batch_mat_mul);
  t.add("BatchMatMulV2", batch_mat_mul);
  t.add("BatchMatMulV3", batch_mat_mul);
  t.add("BiasAdd", bias_add);
  t.add("BiasAddV1", bias_add);
  t.add("Einsum", einsum);
}

}  // namespace onward::importer::tf
