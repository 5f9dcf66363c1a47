// Products: matmul, dot, tensordot, einsum, outer, cross, kron.
#include <numeric>

#include "import/common/axes.h"
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
  if (x->dtype == DType::kInt8 && !a.tensorflow() && x->rank() > 1 && y->rank() > 1) {
    return {a.b.MatMul(a.b.Cast(x, DType::kInt32), a.b.Cast(y, DType::kInt32))};
  }
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

// cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None): vectors of three, or of two in the plane; of two such, the
// third coordinate alone
ir::Values cross(const Arguments& a) {
  Builder& b = a.b;
  const auto [x, y] = a.operands("x1", "x2");
  const auto last = [&](Value* v, const char* own) {
    return move_axis(b, v, a.integer(a.has("axis") ? "axis" : own, -1), -1);
  };
  Value* first = last(x, "axisa");
  Value* second = last(y, "axisb");
  const auto flat = [&](const Value* v) {
    const ir::Dim size = v->dim(v->rank() - 1);
    a.require(size.is_known(), "of vectors of unknown size is not supported");
    return size.value() == 2;
  };
  const bool plane = flat(first) && flat(second);
  const auto at = [&](Value* v, int64_t i) { return b.Select(v, i, -1); };
  if (plane) return {b.Sub(b.Mul(at(first, 0), at(second, 1)), b.Mul(at(first, 1), at(second, 0)))};
  const auto three = [&](Value* v) {
    if (!flat(v)) return v;
    std::vector<int64_t> pads(2 * v->rank());
    pads.back() = 1;
    return b.Pad(v, pads);
  };
  first = three(first);
  second = three(second);
  const auto turned = [&](Value* v, const std::vector<int64_t>& order) { return b.Gather(v, b.ints(order), -1); };
  Value* result = b.Sub(b.Mul(turned(first, {1, 2, 0}), turned(second, {2, 0, 1})),
                        b.Mul(turned(first, {2, 0, 1}), turned(second, {1, 2, 0})));
  return {move_axis(b, result, -1, a.integer(a.has("axis") ? "axis" : "axisc", -1))};
}

// The diagonal `offset` above the main one of the matrices along two axes, along a new last axis.
Value* diagonal_of(const Arguments& a, Value* x) {
  Builder& b = a.b;
  const auto rank = static_cast<int64_t>(x->rank());
  a.require(rank >= 2, "needs a matrix");
  const int64_t rows = a.axis("axis1", x, 0);
  const int64_t columns = a.axis("axis2", x, 1);
  a.require(rows != columns, "axis1 and axis2 are the same");
  const int64_t offset = a.integer("offset", 0);
  std::vector<int64_t> perm{rows, columns};
  for (int64_t i = 0; i < rank; ++i) {
    if (i != rows && i != columns) perm.push_back(i);
  }
  Value* front = b.Transpose(x, perm);
  const int64_t down = std::max<int64_t>(-offset, 0);
  const int64_t right = std::max<int64_t>(offset, 0);
  Value* count = b.Min(b.Sub(b.dim(front, 0), b.ints({down})), b.Sub(b.dim(front, 1), b.ints({right})));
  Value* steps = b.Unsqueeze(counting(b, b.Max(count, b.ints({0}))), {1});
  Value* places = b.Concat({b.Add(steps, b.i64(down)), b.Add(steps, b.i64(right))}, 1);
  return move_axis(b, b.op("GatherND", {front, places}), 0, -1);
}

// diagonal(x, offset=0, axis1=0, axis2=1)
ir::Values diagonal(const Arguments& a) { return {diagonal_of(a, a.value("x"))}; }

// trace(x, offset=0, axis1=0, axis2=1)
ir::Values trace(const Arguments& a) {
  Builder& b = a.b;
  Value* diagonal = diagonal_of(a, a.value("x"));
  const DType dtype = diagonal->dtype;
  if (ir::is_floating(dtype) || ir::dtype_bits(dtype) >= 32) return {b.ReduceSum(diagonal, {-1}, false)};
  const DType result = ir::is_signed_integer(dtype) || dtype == DType::kBool ? DType::kInt32 : DType::kUInt32;
  return {b.Cast(b.ReduceSum(b.Cast(diagonal, DType::kInt32), {-1}, false), result)};
}

// A matrix of zeros but for the vector on its diagonal `offset` above the main one.
Value* matrix_with(Builder& b, Value* vector, int64_t offset) {
  const int64_t down = std::max<int64_t>(-offset, 0);
  const int64_t right = std::max<int64_t>(offset, 0);
  Value* place = counting(b, b.Add(b.dim(vector, 0), b.ints({down + right})));
  Value* on = b.Equal(b.Sub(b.Unsqueeze(place, {1}), b.i64(down)), b.Sub(place, b.i64(right)));
  return b.Where(on, b.Pad(vector, {right, down}), b.number_like(0, vector));
}

// diag(x, k=0): of a vector the matrix, of a matrix the diagonal
ir::Values diag(const Arguments& a) {
  Value* x = a.value("x");
  if (x->rank() == 1) return {matrix_with(a.b, x, a.integer("offset", 0))};
  return {diagonal_of(a, x)};
}

// diagflat(x, k=0)
ir::Values diagflat(const Arguments& a) {
  return {matrix_with(a.b, a.b.Reshape(a.value("x"), {-1}), a.integer("offset", 0))};
}

// kron(x1, x2)
ir::Values kron(const Arguments& a) {
  Builder& b = a.b;
  auto [x, y] = a.operands("x1", "x2");
  const size_t rank = std::max(x->rank(), y->rank());
  const auto grown = [&](Value* v) { return b.Unsqueeze(v, all_axes(rank - v->rank())); };
  x = grown(x);
  y = grown(y);
  std::vector<int64_t> odd;
  std::vector<int64_t> even;
  for (size_t i = 0; i < rank; ++i) {
    even.push_back(static_cast<int64_t>(2 * i));
    odd.push_back(static_cast<int64_t>(2 * i) + 1);
  }
  Value* product = b.Mul(b.Unsqueeze(x, odd), b.Unsqueeze(y, even));
  return {b.Reshape(product, b.Mul(b.Shape(x), b.Shape(y)))};
}

// correlate(x1, x2, mode="valid") of two vectors
ir::Values correlate(const Arguments& a) {
  Builder& b = a.b;
  auto [x, y] = a.operands("x1", "x2");
  const DType dtype = x->dtype == DType::kInt64 ? DType::kDouble : ir::is_floating(x->dtype) ? x->dtype : DType::kFloat;
  const std::string mode = a.text("mode", "valid");
  Value* length = b.dim(x, 0);
  Value* filter = b.dim(y, 0);
  Value* signal = b.Reshape(b.Cast(x, dtype), {1, 1, -1});
  if (mode != "valid") {
    Value* rim = b.Sub(filter, b.ints({1}));
    signal = b.op("Pad", {signal, b.Concat({rim, rim}, 0), nullptr, b.ints({2})}, {{"mode", "constant"}});
  }
  Value* all = b.Reshape(b.op("Conv", {signal, b.Reshape(b.Cast(y, dtype), {1, 1, -1})}), {-1});
  if (mode != "same") return {all};
  Value* wanted = b.Max(length, filter);
  Value* start = b.Div(b.Sub(b.Sub(b.Add(length, filter), b.ints({1})), wanted), b.ints({2}));
  return {b.Slice(all, start, b.Add(start, wanted), b.ints({0}))};
}

// corrcoef(x): of the rows
ir::Values corrcoef(const Arguments& a) {
  Builder& b = a.b;
  Value* x = floating(b, a.value("x"));
  a.require(x->rank() == 2, "of other than a matrix is not supported");
  Value* centred = b.Sub(x, b.ReduceMean(x, {-1}));
  Value* products = b.MatMul(centred, b.Transpose(centred, {1, 0}));
  Value* lengths = b.ReduceL2(centred, {-1});
  Value* shares = b.Div(products, b.Mul(lengths, b.Transpose(lengths, {1, 0})));
  return {b.Clip(shares, b.number_like(-1, x), b.number_like(1, x))};
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
  table.add("Diagonal", {"x offset axis1 axis2", diagonal});
  table.add("Diag", {"x offset:k", diag});
  table.add("Diagflat", {"x offset:k", diagflat});
  table.add("Kron", {"x1 x2", kron});
  table.add("Correlate", {"x1 x2", correlate});
  table.add("Corrcoef", {"x", corrcoef});
}

}  // namespace onward::importer::keras
