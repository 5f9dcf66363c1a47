// Products and norms of vectors and matrices: kron, tensordot, cross, bilinear, matrix_power, linalg_norm …
#include <algorithm>
#include <cmath>

#include "import/common/solving.h"
#include "import/torch/ops/families.h"
#include "import/torch/ops/helpers.h"

namespace onward::importer::torch {
namespace {

using ir::DType;
using ir::Value;

// --- products --------------------------------------------------------------------------------------------------------

Value* vecdot(Call& c) {
  const ir::Values x = c.promoted({"x", "y"});
  return c.b.ReduceSum(c.b.Mul(x[0], x[1]), {c.integer("dim")}, false);
}
// aten::cross(Tensor self, Tensor other, int? dim=None): the first dimension of size 3 where none is named.
Value* cross(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted({"self", "other"});
  Value* sum = b.Add(x[0], x[1]);
  const size_t rank = sum->rank();
  int64_t axis = -1;
  if (c.given("dim")) {
    axis = c.axis("dim", rank);
  } else {
    for (size_t i = rank; i-- > 0;) {
      if (is_size(sum, i, 3)) axis = static_cast<int64_t>(i);
    }
    c.require(axis >= 0, "no dimension is of size 3");
  }
  const int64_t behind = axis - static_cast<int64_t>(rank);
  Value* next = b.ints({1, 2, 0});
  Value* after = b.ints({2, 0, 1});
  const auto at = [&](Value* value, Value* order) { return b.Gather(value, order, behind); };
  return b.Sub(b.Mul(at(x[0], next), at(x[1], after)), b.Mul(at(x[0], after), at(x[1], next)));
}
Value* kron(Call& c) {
  ir::Builder& b = c.b;
  ir::Values x = c.promoted({"self", "other"});
  const size_t rank = std::max(x[0]->rank(), x[1]->rank());
  std::vector<int64_t> even;
  std::vector<int64_t> odd;
  for (Value*& value : x) {
    std::vector<int64_t> front = all_axes(rank - value->rank());
    value = b.Unsqueeze(value, front);
  }
  for (size_t i = 0; i < rank; ++i) {
    even.push_back(static_cast<int64_t>(2 * i));
    odd.push_back(static_cast<int64_t>(2 * i + 1));
  }
  Value* shape = b.Mul(b.Shape(x[0]), b.Shape(x[1]));
  return b.Reshape(b.Mul(b.Unsqueeze(x[0], odd), b.Unsqueeze(x[1], even)), shape);
}
// aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor
Value* tensordot(Call& c) {
  ir::Builder& b = c.b;
  const ir::Values x = c.promoted({"self", "other"});
  const std::vector<int64_t> own = c.axes("dims_self", x[0]->rank());
  const std::vector<int64_t> others = c.axes("dims_other", x[1]->rank());
  const auto kept = [](size_t rank, const std::vector<int64_t>& gone) {
    std::vector<int64_t> rest;
    for (const int64_t axis : all_axes(rank)) {
      if (std::find(gone.begin(), gone.end(), axis) == gone.end()) rest.push_back(axis);
    }
    return rest;
  };
  const std::vector<int64_t> left = kept(x[0]->rank(), own);
  const std::vector<int64_t> right = kept(x[1]->rank(), others);
  const auto joined = [](std::vector<int64_t> a, const std::vector<int64_t>& z) {
    a.insert(a.end(), z.begin(), z.end());
    return a;
  };
  ir::Values dims;
  for (const int64_t axis : left) dims.push_back(b.dim(x[0], axis));
  for (const int64_t axis : right) dims.push_back(b.dim(x[1], axis));
  Value* size = count_along(b, x[0], own.empty() ? std::vector<int64_t>{} : own);
  if (own.empty()) size = b.i64(1);
  Value* width = b.Unsqueeze(size, {0});
  Value* a = b.Reshape(b.Transpose(x[0], joined(left, own)), b.Concat({b.ints({-1}), width}, 0));
  Value* d = b.Reshape(b.Transpose(x[1], joined(others, right)), b.Concat({width, b.ints({-1})}, 0));
  Value* product = b.MatMul(a, d);
  return b.Reshape(product, dims.empty() ? b.ints({}) : b.Concat(dims, 0));
}
Value* multi_dot(Call& c) {
  const ir::Values tensors = c.tensors("tensors");
  Value* product = tensors.at(0);
  for (size_t i = 1; i < tensors.size(); ++i) product = c.b.MatMul(product, tensors[i]);
  return product;
}
// aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None): x1' W_o x2 for every output o.
Value* bilinear(Call& c) {
  ir::Builder& b = c.b;
  Value* left = c.tensor("input1");
  Value* right = c.tensor("input2");
  Value* weight = c.tensor("weight");
  Value* shape = b.Slice(b.Shape(left), 0, -1, 0);
  const auto flat = [&](Value* x) { return b.Reshape(x, b.Concat({b.ints({-1}), b.dim(x, -1)}, 0)); };
  // [n, 1, i] × [o, i, j] → [o, n, j]; times x2, summed over j.
  Value* half = b.MatMul(flat(left), weight);
  Value* result = b.Transpose(b.ReduceSum(b.Mul(half, flat(right)), {2}, false), {1, 0});
  if (Value* bias = c.maybe_tensor("bias")) result = b.Add(result, bias);
  return b.Reshape(result, b.Concat({shape, b.dim(weight, 0)}, 0));
}
// aten::_trilinear(i1, i2, i3, expand1, expand2, expand3, sumdim, int unroll_dim=1): the product of the three, each
// with new dimensions, summed.
Value* trilinear(Call& c) {
  ir::Builder& b = c.b;
  const auto expanded = [&](const char* tensor, const char* axes) {
    return b.Unsqueeze(c.tensor(tensor), c.integers(axes));
  };
  Value* product = b.Mul(b.Mul(expanded("i1", "expand1"), expanded("i2", "expand2")), expanded("i3", "expand3"));
  const std::vector<int64_t> axes = c.integers("sumdim");
  return axes.empty() ? product : b.ReduceSum(product, axes, false);
}
Value* vander(Call& c) {
  ir::Builder& b = c.b;
  Value* x = at_least_1d(b, c.tensor("x"));
  Value* count = c.given("N") ? b.Unsqueeze(c.int_scalar("N"), {0}) : b.dim(x, -1);
  if (!ir::is_floating(x->dtype)) x = b.Cast(x, DType::kInt64);
  return b.Pow(b.Unsqueeze(x, {-1}), b.Cast(counting(b, count), x->dtype));
}

// --- powers and exponentials -----------------------------------------------------------------------------------------

Value* matrix_power(Call& c) {
  ir::Builder& b = c.b;
  Value* x = c.tensor("self");
  int64_t n = c.integer("n");
  if (n == 0) return identity_matrix(b, x);
  if (n < 0) {
    x = inverse_of(b, x);
    n = -n;
  }
  Value* result = nullptr;
  for (Value* square = x; n > 0; n /= 2) {
    if (n % 2 != 0) result = result == nullptr ? square : b.MatMul(result, square);
    if (n > 1) square = b.MatMul(square, square);
  }
  return result;
}
// A Taylor polynomial of the scaled matrix, squared back.
Value* matrix_exp(Call& c) {
  ir::Builder& b = c.b;
  Value* given = c.tensor("self");
  Value* x = b.Cast(given, DType::kDouble);  // each squaring doubles the error
  Value* norm = b.ReduceMax(b.ReduceSum(b.Abs(x), {-2}, false), {}, false);
  Value* power = b.Max(b.Ceil(b.Div(b.Log(b.Max(norm, 1e-30)), std::log(2.0))), -1.0);
  Value* squarings = b.Add(power, 1);  // a norm of at most 1/2 is left
  Value* scaled = b.Div(x, b.Pow(b.number_like(2, x), squarings));
  Value* one = identity_matrix(b, x);
  constexpr int kTerms = 16;
  Value* sum = one;
  for (int k = kTerms; k > 0; --k) sum = b.Add(one, b.Div(b.MatMul(scaled, sum), k));
  const auto square = [](ir::Builder& inner, Value*, Value*, const ir::Values& state) -> ir::Builder::LoopResult {
    return {nullptr, {inner.MatMul(state[0], state[0])}, {}};
  };
  return b.Cast(b.Loop(b.Cast(squarings, DType::kInt64), nullptr, {sum}, square)[0], given->dtype);
}

// --- norms -----------------------------------------------------------------------------------------------------------

Value* vector_norm(ir::Builder& b, Value* x, double p, const std::vector<int64_t>& axes, bool keepdim) {
  if (p == 2) return b.ReduceL2(x, axes, keepdim);
  if (p == 1) return b.ReduceL1(x, axes, keepdim);
  if (std::isinf(p)) return b.reduce(p > 0 ? "ReduceMax" : "ReduceMin", b.Abs(x), axes, keepdim);
  if (p == 0) return b.ReduceSum(b.Cast(b.Cast(x, DType::kBool), x->dtype), axes, keepdim);
  return b.Pow(b.ReduceSum(b.Pow(b.Abs(x), p), axes, keepdim), 1 / p);
}
// Over two dimensions: the largest (smallest) sum of a row or column, or by singular values.
Value* matrix_norm_of(Call& c, Value* x, double p, std::vector<int64_t> axes, bool keepdim) {
  ir::Builder& b = c.b;
  if (std::abs(p) == 2) {
    Value* matrices = move_axis(b, move_axis(b, x, axes[0], -1), axes[1] - (axes[1] > axes[0] ? 1 : 0), -1);
    Value* values = singular_values(b, matrices);
    Value* result = b.reduce(p > 0 ? "ReduceMax" : "ReduceMin", values, {-1}, false);
    std::sort(axes.begin(), axes.end());
    return keepdim ? b.Unsqueeze(result, axes) : result;
  }
  c.require(std::abs(p) == 1 || std::isinf(p), "this order of a matrix norm is not defined");
  const int64_t summed = std::isinf(p) ? axes[1] : axes[0];
  const int64_t chosen = std::isinf(p) ? axes[0] : axes[1];
  Value* sums = b.ReduceSum(b.Abs(x), {summed}, true);
  Value* result = b.reduce(p > 0 ? "ReduceMax" : "ReduceMin", sums, {chosen}, true);
  return keepdim ? result : b.Squeeze(result, axes);
}
Value* nuclear_norm_of(Call& c, Value* x, std::vector<int64_t> axes, bool keepdim) {
  ir::Builder& b = c.b;
  Value* matrices = move_axis(b, move_axis(b, x, axes[0], -1), axes[1] - (axes[1] > axes[0] ? 1 : 0), -1);
  Value* result = b.ReduceSum(singular_values(b, matrices), {-1}, false);
  std::sort(axes.begin(), axes.end());
  return keepdim ? b.Unsqueeze(result, axes) : result;
}
Value* as_float(Call& c) {
  Value* x = c.tensor(c.has("A") ? "A" : "self");
  if (c.has("dtype") && c.dtype()) return c.b.Cast(x, *c.dtype());
  return ir::is_floating(x->dtype) ? x : c.b.Cast(x, DType::kFloat);
}
std::vector<int64_t> norm_axes(Call& c, size_t rank) {
  if (c.has("dim") && c.given("dim") && !(c.arg("dim").list() != nullptr && c.arg("dim").list()->empty())) {
    return c.axes("dim", rank);
  }
  return {};
}
Value* named_norm(Call& c, const std::string& name) {
  ir::Builder& b = c.b;
  Value* x = as_float(c);
  std::vector<int64_t> axes = norm_axes(c, x->rank());
  const bool keepdim = c.has("keepdim") && c.flag("keepdim");
  if (name == "fro") return b.ReduceL2(x, axes, keepdim);
  c.require(name == "nuc", "the norm \"" + name + "\" is unknown");
  if (axes.empty()) axes = {static_cast<int64_t>(x->rank()) - 2, static_cast<int64_t>(x->rank()) - 1};
  return nuclear_norm_of(c, x, axes, keepdim);
}
// aten::linalg_norm(Tensor self, Scalar? ord=None, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None)
Value* linalg_norm(Call& c) {
  ir::Builder& b = c.b;
  if (std::holds_alternative<std::string>(c.arg("ord").data)) return named_norm(c, c.text("ord"));
  Value* x = as_float(c);
  std::vector<int64_t> axes = norm_axes(c, x->rank());
  const bool keepdim = c.flag("keepdim");
  if (!c.given("ord")) return x->rank() == 0 ? b.Abs(x) : b.ReduceL2(x, axes, keepdim);
  const double p = c.number("ord");
  if (axes.empty() && x->rank() == 2) axes = {0, 1};
  if (axes.size() == 2) return matrix_norm_of(c, x, p, axes, keepdim);
  return vector_norm(b, x, p, axes, keepdim);
}
Value* matrix_norm(Call& c) {
  if (std::holds_alternative<std::string>(c.arg("ord").data)) return named_norm(c, c.text("ord"));
  Value* x = as_float(c);
  return matrix_norm_of(c, x, c.number("ord"), c.axes("dim", x->rank()), c.flag("keepdim"));
}
Value* frobenius_norm(Call& c) { return named_norm(c, "fro"); }
Value* nuclear_norm(Call& c) { return named_norm(c, "nuc"); }

}  // namespace

void register_linalg(OpTable& t) {
  t.add("aten::linalg_vecdot(Tensor x, Tensor y, *, int dim=-1) -> Tensor", vecdot);
  t.add("aten::cross(Tensor self, Tensor other, int? dim=None) -> Tensor", cross);
  t.add("aten::linalg_cross(Tensor self, Tensor other, *, int dim=-1) -> Tensor", cross);
  t.add("aten::kron(Tensor self, Tensor other) -> Tensor", kron);
  t.add("aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor", tensordot);
  t.add("aten::linalg_multi_dot(Tensor[] tensors) -> Tensor", multi_dot);
  t.add("aten::chain_matmul(Tensor[] matrices) -> Tensor", [](Call& c) {
    const ir::Values tensors = c.tensors("matrices");
    Value* product = tensors.at(0);
    for (size_t i = 1; i < tensors.size(); ++i) product = c.b.MatMul(product, tensors[i]);
    return product;
  });
  t.add("aten::bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor", bilinear);
  t.add(
      "aten::_trilinear(Tensor i1, Tensor i2, Tensor i3, int[] expand1, int[] expand2, int[] expand3, int[] sumdim, "
      "int unroll_dim=1) -> Tensor",
      trilinear);
  t.add("aten::linalg_vander(Tensor x, *, SymInt? N=None) -> Tensor", vander);
  for (const char* name : {"aten::linalg_matrix_power", "aten::matrix_power"}) {
    t.add(name + std::string("(Tensor self, int n) -> Tensor"), matrix_power);
  }
  for (const char* name : {"aten::linalg_matrix_exp", "aten::matrix_exp"}) {
    t.add(name + std::string("(Tensor self) -> Tensor"), matrix_exp);
  }
  const std::string end = ", int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  t.add("aten::linalg_norm(Tensor self, Scalar? ord=None" + end, linalg_norm);
  t.add("aten::linalg_norm.ord_str(Tensor self, str ord" + end, linalg_norm);
  const std::string planes = "int[] dim=[-2,-1], bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  t.add("aten::linalg_matrix_norm(Tensor self, Scalar ord, " + planes, matrix_norm);
  t.add("aten::linalg_matrix_norm.str_ord(Tensor self, str ord='fro', " + planes, matrix_norm);
  t.add("aten::frobenius_norm.dim(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", frobenius_norm);
  t.add("aten::nuclear_norm(Tensor self, bool keepdim=False) -> Tensor", nuclear_norm);
  t.add("aten::nuclear_norm.dim(Tensor self, int[2] dim, bool keepdim=False) -> Tensor", nuclear_norm);
}

}  // namespace onward::importer::torch
