// Products: matmul, dot, tensordot, einsum, outer, cross, kron.
#include <numeric>

#include "import/keras/operations.h"

namespace onward::importer::keras {
namespace {

using ir::Builder;
using ir::DType;
using ir::Value;

Value* swapped(Builder& b, Value* x) {
  std::vector<int64_t> perm(x->rank());
  std::iota(perm.begin(), perm.end(), 0);
  std::swap(perm.at(perm.size() - 1), perm.at(perm.size() - 2));
  return b.Transpose(x, perm);
}

// matmul(x1, x2)
ir::Values matmul(const Arguments& a) {
  auto [x, y] = a.operands("x1", "x2");
  if (a.flag("transpose_a", false)) x = swapped(a.b, x);
  if (a.flag("transpose_b", false)) y = swapped(a.b, y);
  return {a.b.MatMul(x, y)};
}

// Sums over the pairs of axes; what is left of x comes before what is left of y.
Value* contracted(Builder& b, Value* x, Value* y, const std::vector<int64_t>& left, const std::vector<int64_t>& right) {
  std::string first(x->rank(), ' ');
  std::string second(y->rank(), ' ');
  char next = 'a';
  for (size_t i = 0; i < left.size(); ++i) {
    first.at(static_cast<size_t>(left[i])) = next;
    second.at(static_cast<size_t>(right[i])) = next++;
  }
  std::string out;
  for (char& c : first) {
    if (c == ' ') out += c = next++;
  }
  for (char& c : second) {
    if (c == ' ') out += c = next++;
  }
  return b.op("Einsum", {x, y}, {{"equation", first + "," + second + "->" + out}});
}

// dot(x1, x2): over the last axis of x1 and the second last of x2
ir::Values dot(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  if (x->rank() == 0 || y->rank() == 0) return {a.b.Mul(x, y)};
  if (y->rank() <= 2) return {a.b.MatMul(x, y)};
  const auto last = static_cast<int64_t>(x->rank()) - 1;
  return {contracted(a.b, x, y, {last}, {static_cast<int64_t>(y->rank()) - 2})};
}

// tensordot(x1, x2, axes=2)
ir::Values tensordot(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  const auto rank_x = static_cast<int64_t>(x->rank());
  const auto rank_y = static_cast<int64_t>(y->rank());
  std::vector<int64_t> left;
  std::vector<int64_t> right;
  const Json& axes = a.json("axes");
  if (axes.is_array()) {
    const auto list = [](const Json& json) {
      return json.is_number() ? std::vector<int64_t>{json.as_int()} : json.as_ints();
    };
    left = list(axes.at(size_t{0}));
    right = list(axes.at(size_t{1}));
  } else {
    const int64_t count = axes.is_null() ? 2 : axes.as_int();
    for (int64_t i = 0; i < count; ++i) {
      left.push_back(rank_x - count + i);
      right.push_back(i);
    }
  }
  a.require(left.size() == right.size(), "the axes differ in number");
  for (size_t i = 0; i < left.size(); ++i) {
    left[i] += left[i] < 0 ? rank_x : 0;
    right[i] += right[i] < 0 ? rank_y : 0;
    a.require(left[i] >= 0 && left[i] < rank_x && right[i] >= 0 && right[i] < rank_y, "an axis is out of range");
  }
  return {contracted(a.b, x, y, left, right)};
}

// inner(x1, x2): over the last axes
ir::Values inner(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  if (x->rank() == 0 || y->rank() == 0) return {a.b.Mul(x, y)};
  return {contracted(a.b, x, y, {static_cast<int64_t>(x->rank()) - 1}, {static_cast<int64_t>(y->rank()) - 1})};
}

// outer(x1, x2)
ir::Values outer(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  return {a.b.Mul(a.b.Reshape(x, {-1, 1}), a.b.Reshape(y, {1, -1}))};
}

// einsum(subscripts, *operands)
ir::Values einsum(const Arguments& a) {
  std::string equation;
  const Json& given = a.json("subscripts");
  if (given.is_string()) equation = given.as_string();
  a.require(!equation.empty(), "the equation is not in the file");
  ir::Values operands = a.rest(a.tensorflow() ? 1 : 0);
  a.require(!operands.empty(), "the operands are not in the file (Keras 2 does not save them)");
  DType dtype = operands.front()->dtype;
  for (const Value* value : operands) dtype = common_dtype(dtype, value->dtype);
  for (Value*& value : operands) value = a.b.Cast(value, dtype);
  return {a.b.op("Einsum", operands, {{"equation", equation}})};
}

// vdot(x1, x2): of everything
ir::Values vdot(const Arguments& a) {
  const auto [x, y] = a.operands("x1", "x2");
  return {a.b.MatMul(a.b.Reshape(x, {-1}), a.b.Reshape(y, {-1}))};
}

// cross(x1, x2): along the last axis, of three
ir::Values cross(const Arguments& a) {
  Builder& b = a.b;
  const auto [x, y] = a.operands("x1", "x2");
  for (const char* axis : {"axisa", "axisb", "axisc", "axis"}) {
    a.require(a.integer(axis, -1) == -1, "along another axis than the last is not supported");
  }
  const auto turned = [&](Value* v, const std::vector<int64_t>& order) { return b.Gather(v, b.ints(order), -1); };
  return {b.Sub(b.Mul(turned(x, {1, 2, 0}), turned(y, {2, 0, 1})), b.Mul(turned(x, {2, 0, 1}), turned(y, {1, 2, 0})))};
}

// trace(x, offset=0, axis1=0, axis2=1) of matrices
ir::Values trace(const Arguments& a) {
  Builder& b = a.b;
  Value* x = a.value("x");
  a.require(x->rank() == 2 && a.integer("offset", 0) == 0,
            "of more than a matrix, or with an offset, is not supported");
  Value* rows = b.Range(b.i64(0), b.dim_scalar(x, 0), b.i64(1));
  Value* columns = b.Range(b.i64(0), b.dim_scalar(x, 1), b.i64(1));
  Value* on = b.Cast(b.Equal(b.Unsqueeze(rows, {1}), b.Unsqueeze(columns, {0})), x->dtype);
  return {b.ReduceSum(b.Mul(x, on), {}, false)};
}

}  // namespace

void register_matrix_operations(OperationTable& table) {
  table.add("Matmul", {"x1 x2", matmul});
  for (const char* name : {"tf.linalg.matmul", "tf.matmul"}) {
    table.add(name, {"x1:a x2:b transpose_a transpose_b", matmul});
  }
  table.add("tf.__operators__.matmul", {"x1:x x2:y", matmul});
  table.add("Dot", {"x1 x2", dot});
  table.add("Tensordot", {"x1 x2 axes", tensordot});
  table.add("tf.tensordot", {"x1:a x2:b axes", tensordot});
  table.add("Inner", {"x1 x2", inner});
  table.add("Outer", {"x1 x2", outer});
  table.add("Einsum", {"operands", einsum});
  table.add("tf.einsum", {"subscripts:equation operands:inputs", einsum});
  table.add("Vdot", {"x1 x2", vdot});
  table.add("Cross", {"x1 x2", cross});
  table.add("Trace", {"x offset axis1 axis2", trace});
}

}  // namespace onward::importer::keras
