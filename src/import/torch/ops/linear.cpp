// Products of matrices: linear, matmul, addmm, einsum …
#include <algorithm>
#include <cctype>

#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor
Value* linear(Call& c) {
  Value* x = c.tensor("input");
  Value* weight = c.tensor("weight");
  Value* bias = c.maybe_tensor("bias");
  if (weight->rank() == 1) {
    Value* result = c.b.MatMul(x, weight);
    return bias == nullptr ? result : c.b.Add(result, bias);
  }
  const bool gemm =
      x->shape && x->shape->size() == 2 && bias != nullptr && bias->rank() == 1 && ir::is_floating(x->dtype);
  if (gemm) return c.b.op("Gemm", {x, weight, bias}, {{"transB", 1}});
  Value* result = c.b.MatMul(x, c.b.Transpose(weight, {1, 0}));
  return bias == nullptr ? result : c.b.Add(result, bias);
}

Value* matmul(Call& c) {
  const bool other = c.signature().find("other") != nullptr;
  const char* second = other                                   ? "other"
                       : c.signature().find("mat2") != nullptr ? "mat2"
                       : c.signature().find("vec") != nullptr  ? "vec"
                                                               : "tensor";
  return c.b.MatMul(c.tensor("self"), c.tensor(second));
}

Value* scaled(Call& c, Value* x, std::string_view name) {
  if (c.known(name) && c.number(name) == 1) return x;
  return c.b.Mul(x, c.scalar(name, x->dtype));
}
Value* add_product(Call& c, Value* product) {
  Value* x = c.tensor("self");
  Value* result = scaled(c, product, "alpha");
  if (c.known("beta") && c.number("beta") == 0) return result;
  return c.b.Add(scaled(c, x, "beta"), result);
}
// aten::addmm(Tensor self, Tensor mat1, Tensor mat2, *, Scalar beta=1, Scalar alpha=1) -> Tensor
Value* addmm(Call& c) {
  Value* x = c.tensor("self");
  Value* mat1 = c.tensor("mat1");
  if (ir::is_floating(x->dtype) && c.known("alpha") && c.known("beta")) {
    double beta = c.number("beta");
    // ONNX Runtime forgets beta where there is nothing to multiply.
    if (beta != 1 && beta != 0 && (!mat1->dim(1).is_known() || mat1->dim(1).value() == 0)) {
      x = c.b.Mul(x, beta);
      beta = 1;
    }
    return c.b.op("Gemm", {mat1, c.tensor("mat2"), x}, {{"alpha", c.number("alpha")}, {"beta", beta}});
  }
  return add_product(c, c.b.MatMul(mat1, c.tensor("mat2")));
}
Value* baddbmm(Call& c) { return add_product(c, c.b.MatMul(c.tensor("batch1"), c.tensor("batch2"))); }
Value* addbmm(Call& c) {
  return add_product(c, c.b.ReduceSum(c.b.MatMul(c.tensor("batch1"), c.tensor("batch2")), {0}, false));
}
Value* addmv(Call& c) { return add_product(c, c.b.MatMul(c.tensor("mat"), c.tensor("vec"))); }
Value* outer_product(Call& c, Value* a, Value* d) { return c.b.Mul(c.b.Unsqueeze(a, {1}), c.b.Unsqueeze(d, {0})); }
Value* outer(Call& c) { return outer_product(c, c.tensor("self"), c.tensor("vec2")); }
Value* addr(Call& c) { return add_product(c, outer_product(c, c.tensor("vec1"), c.tensor("vec2"))); }

// What stands for "..." in the operands, brought to one shape: ONNX doesn't broadcast there.
void broadcast_ellipses(ir::Builder& b, const std::string& equation, ir::Values& operands) {
  std::vector<size_t> starts;  // where an operand's ellipsis begins
  std::vector<size_t> counts;  // and how many dimensions it stands for
  size_t most = 0;
  std::string_view left = std::string_view(equation).substr(0, equation.find("->"));
  for (const Value* operand : operands) {
    const size_t comma = left.find(',');
    const std::string_view term = left.substr(0, comma);
    left = comma == std::string_view::npos ? std::string_view() : left.substr(comma + 1);
    const size_t dots = term.find("...");
    starts.push_back(dots);
    counts.push_back(dots == std::string_view::npos ? 0 : operand->rank() - (term.size() - 3));
    most = std::max(most, counts.back());
  }
  Value* common = nullptr;
  for (size_t i = 0; i < operands.size(); ++i) {
    if (starts[i] == std::string_view::npos || most == 0) continue;
    std::vector<int64_t> fresh;
    for (size_t k = counts[i]; k < most; ++k) fresh.push_back(static_cast<int64_t>(starts[i] + k - counts[i]));
    operands[i] = b.Unsqueeze(operands[i], fresh);
    const auto start = static_cast<int64_t>(starts[i]);
    Value* own = b.Slice(b.Shape(operands[i]), start, start + static_cast<int64_t>(most), 0);
    common = common == nullptr ? own : b.Max(common, own);
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    if (starts[i] == std::string_view::npos || most == 0) continue;
    const auto start = static_cast<int64_t>(starts[i]);
    Value* shape = b.Shape(operands[i]);
    const auto end = start + static_cast<int64_t>(most);
    Value* whole = b.Concat({b.Slice(shape, 0, start, 0), common, b.Slice(shape, end, kToEnd, 0)}, 0);
    if (whole->is_constant() && shape->is_constant() && whole->constant()->same_content(*shape->constant())) continue;
    operands[i] = b.Expand(operands[i], whole);
  }
}

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
  if (operands.size() > 1 && equation.find("...") != std::string::npos) broadcast_ellipses(c.b, equation, operands);
  return c.b.op("Einsum", operands, {{"equation", equation}});
}

// Over the last dimensions of both; the others follow each other.
Value* inner(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted({"self", "other"});
  const size_t rank = x[1]->rank();
  if (rank == 0 || x[0]->rank() == 0) return b.Mul(x[0], x[1]);
  if (rank == 1) return b.MatMul(x[0], x[1]);
  if (rank == 2) return b.MatMul(x[0], b.Transpose(x[1], {1, 0}));
  Value* flat = b.Reshape(x[1], b.Concat({b.ints({-1}), b.dim(x[1], -1)}, 0));
  Value* shape = b.Concat({b.Slice(b.Shape(x[0]), 0, -1, 0), b.Slice(b.Shape(x[1]), 0, -1, 0)}, 0);
  return b.Reshape(b.MatMul(x[0], b.Transpose(flat, {1, 0})), shape);
}

// --- grouped products ------------------------------------------------------------------------------------------------

// Groups of rows of `x` (along `axis`): group i ends before ends[i]. Behind them, where something is left, the rest.
ir::Values groups_of(ir::Builder& b, Value* x, Value* ends, size_t groups, int64_t axis, bool rest) {
  ends = b.Cast(ends, DType::kInt64);
  Value* starts = b.Concat({b.ints({0}), b.Slice(ends, 0, -1, 0)}, 0);
  Value* sizes = b.Sub(ends, starts);
  if (!rest) {
    x = b.Slice(x, b.ints({0}), b.Slice(ends, -1, kToEnd, 0), b.ints({axis}));
    return b.ops("Split", {x, sizes}, groups, {{"axis", axis}});
  }
  sizes = b.Concat({sizes, b.Sub(b.dim(x, axis), b.Slice(ends, -1, kToEnd, 0))}, 0);
  return b.ops("Split", {x, sizes}, groups + 1, {{"axis", axis}});
}

// The products of group i of `x` and matrix i of `matrices` [groups, k, n], one below the other; rows of no group give
// 0.
Value* rows_by_matrices(ir::Builder& b, Value* x, Value* matrices, Value* ends, size_t groups) {
  ir::Values parts = groups_of(b, x, ends, groups, 0, true);
  for (size_t i = 0; i < groups; ++i) parts[i] = b.MatMul(parts[i], b.Select(matrices, static_cast<int64_t>(i), 0));
  Value* rest = b.Concat({b.dim(parts[groups], 0), b.dim(matrices, 2)}, 0);
  parts[groups] = b.Expand(b.number_like(0, x), rest);
  return b.Concat(parts, 0);
}

size_t group_count(Call& c, Value* ends, Value* stacked) {
  ir::Dim count = ends->dim(0);
  if (!count.is_known() && stacked != nullptr) count = stacked->dim(0);
  c.require(count.is_known() && count.value() > 0, "the number of groups is only known when the model runs");
  return static_cast<size_t>(count.value());
}

// aten::_grouped_mm(Tensor self, Tensor mat2, Tensor? offs=None, Tensor? bias=None, ScalarType? out_dtype=None)
Value* grouped_mm(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  Value* y = c.tensor("mat2");
  c.require(!c.given("bias"), "a bias is not supported");
  Value* result = nullptr;
  if (x->rank() == 3 && y->rank() == 3) {
    result = b.MatMul(x, y);
  } else {
    Value* ends = c.tensor("offs");
    const size_t groups = group_count(c, ends, x->rank() == 3 ? x : y->rank() == 3 ? y : nullptr);
    if (x->rank() == 2 && y->rank() == 3) {
      result = rows_by_matrices(b, x, y, ends, groups);
    } else if (x->rank() == 3) {  // groups of columns
      ir::Values columns = groups_of(b, y, ends, groups, 1, false);
      for (size_t i = 0; i < groups; ++i) columns[i] = b.MatMul(b.Select(x, static_cast<int64_t>(i), 0), columns[i]);
      result = b.Concat(columns, 1);
    } else {  // groups of what is summed over
      const ir::Values left = groups_of(b, x, ends, groups, 1, false);
      ir::Values right = groups_of(b, y, ends, groups, 0, false);
      for (size_t i = 0; i < groups; ++i) right[i] = b.Unsqueeze(b.MatMul(left[i], right[i]), {0});
      result = b.Concat(right, 0);
    }
  }
  return c.given("out_dtype") ? b.Cast(result, *c.dtype("out_dtype")) : result;
}

// transformers::grouped_mm_fallback(Tensor input, Tensor weight, Tensor offs): how Hugging Face's mixtures of experts
// say the same.
Value* grouped_rows(Call& c) {
  Value* weight = c.tensor("weight");
  Value* ends = c.tensor("offs");
  return rows_by_matrices(c.b, c.tensor("input"), weight, ends, group_count(c, ends, weight));
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
  t.add("aten::inner(Tensor self, Tensor other) -> Tensor", inner);
  t.add("aten::vdot(Tensor self, Tensor other) -> Tensor", matmul);
  const std::string scales = ", *, Scalar beta=1, Scalar alpha=1) -> Tensor";
  t.add("aten::addmm(Tensor self, Tensor mat1, Tensor mat2" + scales, addmm);
  t.add("aten::baddbmm(Tensor self, Tensor batch1, Tensor batch2" + scales, baddbmm);
  t.add("aten::addbmm(Tensor self, Tensor batch1, Tensor batch2" + scales, addbmm);
  t.add("aten::addmv(Tensor self, Tensor mat, Tensor vec" + scales, addmv);
  t.add("aten::addr(Tensor self, Tensor vec1, Tensor vec2" + scales, addr);
  t.add("aten::outer(Tensor self, Tensor vec2) -> Tensor", outer);
  t.add("aten::ger(Tensor self, Tensor vec2) -> Tensor", outer);
  t.add(
      "aten::_grouped_mm(Tensor self, Tensor mat2, Tensor? offs=None, Tensor? bias=None, ScalarType? out_dtype=None) "
      "-> "
      "Tensor",
      grouped_mm);
  t.add("transformers::grouped_mm_fallback(Tensor input, Tensor weight, Tensor offs) -> Tensor", grouped_rows);
  t.add("aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor", einsum);
}

}  // namespace onward::importer::torch
