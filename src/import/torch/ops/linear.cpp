// Products of matrices: linear, matmul, addmm, einsum …
#include <cctype>

#include "import/torch/ops/families.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// ONNX's MatMul knows int32, int64, uint32, uint64 and floats.
Value* product(Call& c, Value* a, Value* d) {
  const DType dtype = a->dtype;
  if (dtype == DType::kBFloat16) {  // ONNX Runtime's CPU kernels have no bfloat16 product
    return c.b.Cast(c.b.MatMul(c.b.Cast(a, DType::kFloat), c.b.Cast(d, DType::kFloat)), dtype);
  }
  const bool narrow = !ir::is_floating(dtype) && ir::dtype_bits(dtype) < 32;
  if (!narrow) return c.b.MatMul(a, d);
  return c.b.Cast(c.b.MatMul(c.b.Cast(a, DType::kInt32), c.b.Cast(d, DType::kInt32)), dtype);
}

// aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor
Value* linear(Call& c) {
  Value* x = c.tensor("input");
  Value* weight = c.tensor("weight");
  Value* bias = c.maybe_tensor("bias");
  if (weight->rank() == 1) {
    Value* result = c.b.MatMul(x, weight);
    return bias == nullptr ? result : c.b.Add(result, bias);
  }
  const bool gemm = x->shape && x->shape->size() == 2 && bias != nullptr && bias->rank() == 1 &&
                    ir::is_floating(x->dtype) && x->dtype != DType::kBFloat16;
  if (gemm) return c.b.op("Gemm", {x, weight, bias}, {{"transB", 1}});
  Value* result = product(c, x, c.b.Transpose(weight, {1, 0}));
  return bias == nullptr ? result : c.b.Add(result, bias);
}

Value* matmul(Call& c) {
  const bool other = c.signature().find("other") != nullptr;
  const char* second = other                                   ? "other"
                       : c.signature().find("mat2") != nullptr ? "mat2"
                       : c.signature().find("vec") != nullptr  ? "vec"
                                                               : "tensor";
  return product(c, c.tensor("self"), c.tensor(second));
}

Value* scaled(Call& c, Value* x, std::string_view name) {
  if (c.known(name) && c.number(name) == 1) return x;
  return c.b.Mul(x, c.scalar(name, x->dtype));
}
Value* add_product(Call& c, Value* product_value) {
  Value* x = c.tensor("self");
  Value* result = scaled(c, product_value, "alpha");
  if (c.known("beta") && c.number("beta") == 0) return result;
  return c.b.Add(scaled(c, x, "beta"), result);
}
// aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor
Value* addmm(Call& c) {
  Value* x = c.tensor("self");
  if (ir::is_floating(x->dtype) && x->dtype != DType::kBFloat16 && c.known("alpha") && c.known("beta")) {
    return c.b.op("Gemm", {c.tensor("mat1"), c.tensor("mat2"), x},
                  {{"alpha", c.number("alpha")}, {"beta", c.number("beta")}});
  }
  return add_product(c, product(c, c.tensor("mat1"), c.tensor("mat2")));
}
Value* baddbmm(Call& c) { return add_product(c, product(c, c.tensor("batch1"), c.tensor("batch2"))); }
Value* addbmm(Call& c) {
  return add_product(c, c.b.ReduceSum(product(c, c.tensor("batch1"), c.tensor("batch2")), {0}, false));
}
Value* addmv(Call& c) { return add_product(c, product(c, c.tensor("mat"), c.tensor("vec"))); }
Value* outer_product(Call& c, Value* a, Value* d) { return c.b.Mul(c.b.Unsqueeze(a, {1}), c.b.Unsqueeze(d, {0})); }
Value* outer(Call& c) { return outer_product(c, c.tensor("self"), c.tensor("vec2")); }
Value* addr(Call& c) { return add_product(c, outer_product(c, c.tensor("vec1"), c.tensor("vec2"))); }

// aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor
Value* einsum(Call& c) {
  std::string equation;
  for (const char letter : c.text("equation")) {
    if (letter != ' ') equation += letter;
  }
  // ONNX Runtime wants lower-case letters; PyTorch allows both.
  std::string free = "abcdefghijklmnopqrstuvwxyz";
  for (const char letter : equation) std::erase(free, letter);
  for (size_t i = 0; i < equation.size(); ++i) {
    const char letter = equation[i];
    if (std::isupper(static_cast<unsigned char>(letter)) == 0) continue;
    c.require(!free.empty(), "the equation has more than 26 letters");
    const char other = free.back();
    free.pop_back();
    for (char& place : equation) {
      if (place == letter) place = other;
    }
  }
  const DType dtype = c.promoted_dtype({"tensors"});
  ir::Values operands = c.tensors("tensors");
  for (Value*& operand : operands) operand = c.b.Cast(operand, dtype);
  return c.b.op("Einsum", operands, {{"equation", equation}});
}

Value* cosine_similarity(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted_float({"x1", "x2"});
  const int64_t axis = c.integer("dim");
  Value* eps = c.scalar("eps", x[0]->dtype);
  Value* dot = b.ReduceSum(b.Mul(x[0], x[1]), {axis}, false);
  Value* norms = b.Mul(b.Max(b.ReduceL2(x[0], {axis}, false), eps), b.Max(b.ReduceL2(x[1], {axis}, false), eps));
  return b.Div(dot, norms);
}

}  // namespace

void register_linear(OpTable& t) {
  t.add("aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor", linear);
  t.add("aten::matmul(Tensor self, Tensor other) -> Tensor", matmul);
  t.add("aten::linalg_matmul(Tensor self, Tensor other) -> Tensor", matmul);
  t.add("aten::mm(Tensor self, Tensor mat2) -> Tensor", matmul);
  t.add("aten::bmm(Tensor self, Tensor mat2) -> Tensor", matmul);
  t.add("aten::mv(Tensor self, Tensor vec) -> Tensor", matmul);
  t.add("aten::dot(Tensor self, Tensor tensor) -> Tensor", matmul);
  t.add("aten::inner(Tensor self, Tensor other) -> Tensor", [](Call& c) {
    Value* other = c.tensor("other");
    const size_t rank = other->rank();
    if (rank < 2 || c.rank("self") == 0)
      return rank == 0 || c.rank("self") == 0 ? c.b.Mul(c.tensor("self"), other) : product(c, c.tensor("self"), other);
    std::vector<int64_t> perm;
    for (size_t i = 0; i + 1 < rank; ++i) perm.push_back(static_cast<int64_t>(i));
    c.require(rank == 2, "tensors of more than two dimensions are not supported");
    return product(c, c.tensor("self"), c.b.Transpose(other, {1, 0}));
  });
  t.add("aten::vdot(Tensor self, Tensor other) -> Tensor", matmul);
  const std::string scales = ", *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  t.add("aten::addmm(Tensor self, Tensor mat1, Tensor mat2" + scales, addmm);
  t.add("aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2" + scales, baddbmm);
  t.add("aten::addbmm(Tensor self, Tensor batch1, Tensor batch2" + scales, addbmm);
  t.add("aten::addmv(Tensor self, Tensor mat, Tensor vec" + scales, addmv);
  t.add("aten::addr(Tensor self, Tensor vec1, Tensor vec2" + scales, addr);
  t.add("aten::outer(Tensor self, Tensor vec2) -> Tensor", outer);
  t.add("aten::ger(Tensor self, Tensor vec2) -> Tensor", outer);
  t.add("aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor", einsum);
  t.add("aten::cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor", cosine_similarity);
}

}  // namespace onward::importer::torch
