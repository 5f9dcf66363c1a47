// Builds graphs in the words of ONNX: `return b.Mul(x, b.Sigmoid(x));`.
//
// Every call infers the dtype, shape and (for computed shapes) content of its results at once, so a translator can look
// at what it just made. What can be computed now is: an operator whose inputs are all constants becomes a constant,
// `Shape` of a static shape too. Translators therefore write the general, dynamic form; static models come out static.
// Operators follow opset 18 (see src/passes/opset for other targets). Not thread safe.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "ir/graph.h"
#include "ir/inference.h"

namespace onward::ir {

using Values = std::vector<Value*>;

class Builder {
 public:
  // Appends to `graph`, or inserts before `before`.
  Builder(Graph& graph, const Inference& inference, Node* before = nullptr)
      : graph_(&graph), inference_(&inference), before_(before) {}

  Graph& graph() const { return *graph_; }
  const Inference& inference() const { return *inference_; }
  // Every node made from now on comes from `origin`.
  void set_origin(std::shared_ptr<const Origin> origin) { origin_ = std::move(origin); }
  const std::shared_ptr<const Origin>& origin() const { return origin_; }

  // --- any operator -----------------------------------------------------------------------------------------------
  // ONNX's own domain; null inputs are optional ones left out.
  Value* op(std::string_view type, const Values& inputs, Attrs attrs = {});
  Values ops(std::string_view type, const Values& inputs, size_t outputs, Attrs attrs = {});
  // Another domain ("com.microsoft", or "tf"/"keras"/"torch" for what can't be translated). Nothing is inferred.
  Values foreign(std::string_view domain, std::string_view type, const Values& inputs, size_t outputs,
                 Attrs attrs = {});

  // --- constants --------------------------------------------------------------------------------------------------
  Value* constant(Tensor tensor, std::string name = {});
  Value* i64(int64_t value);                            // rank 0
  Value* ints(const std::vector<int64_t>& values);      // rank 1
  Value* number(double value, DType dtype);             // rank 0
  Value* number_like(double value, const Value* like);  // rank 0, dtype of `like`
  Value* boolean(bool value);                           // rank 0

  // --- shapes -----------------------------------------------------------------------------------------------------
  Value* Shape(Value* x);                     // rank 1, int64
  Value* dim(Value* x, int64_t axis);         // rank 1 with one element; axis may be negative
  Value* dim_scalar(Value* x, int64_t axis);  // rank 0
  Value* Size(Value* x) { return op("Size", {x}); }
  // One int64 vector out of rank 0 or 1 parts.
  Value* join(const Values& parts);

  // --- element-wise -----------------------------------------------------------------------------------------------
#define ONWARD_UNARY(NAME) \
  Value* NAME(Value* x) { return op(#NAME, {x}); }
  ONWARD_UNARY(Abs)
  ONWARD_UNARY(Acos)
  ONWARD_UNARY(Acosh)
  ONWARD_UNARY(Asin)
  ONWARD_UNARY(Asinh)
  ONWARD_UNARY(Atan)
  ONWARD_UNARY(Atanh)
  ONWARD_UNARY(BitwiseNot)
  ONWARD_UNARY(Ceil)
  ONWARD_UNARY(Cos)
  ONWARD_UNARY(Cosh)
  ONWARD_UNARY(Erf)
  ONWARD_UNARY(Exp)
  ONWARD_UNARY(Floor)
  ONWARD_UNARY(HardSwish)
  ONWARD_UNARY(Identity)
  ONWARD_UNARY(IsInf)
  ONWARD_UNARY(IsNaN)
  ONWARD_UNARY(Log)
  ONWARD_UNARY(Mish)
  ONWARD_UNARY(Neg)
  ONWARD_UNARY(NonZero)
  ONWARD_UNARY(Not)
  ONWARD_UNARY(Reciprocal)
  ONWARD_UNARY(Relu)
  ONWARD_UNARY(Round)
  ONWARD_UNARY(Sigmoid)
  ONWARD_UNARY(Sign)
  ONWARD_UNARY(Sin)
  ONWARD_UNARY(Sinh)
  ONWARD_UNARY(Softplus)
  ONWARD_UNARY(Softsign)
  ONWARD_UNARY(Sqrt)
  ONWARD_UNARY(Tan)
  ONWARD_UNARY(Tanh)
#undef ONWARD_UNARY
#define ONWARD_BINARY(NAME) \
  Value* NAME(Value* a, Value* c) { return op(#NAME, {a, c}); }
  ONWARD_BINARY(Add)
  ONWARD_BINARY(And)
  ONWARD_BINARY(BitwiseAnd)
  ONWARD_BINARY(BitwiseOr)
  ONWARD_BINARY(BitwiseXor)
  ONWARD_BINARY(Div)
  ONWARD_BINARY(Equal)
  ONWARD_BINARY(Greater)
  ONWARD_BINARY(GreaterOrEqual)
  ONWARD_BINARY(Less)
  ONWARD_BINARY(LessOrEqual)
  ONWARD_BINARY(MatMul)
  ONWARD_BINARY(Max)
  ONWARD_BINARY(Min)
  ONWARD_BINARY(Mul)
  ONWARD_BINARY(Or)
  ONWARD_BINARY(PRelu)
  ONWARD_BINARY(Pow)
  ONWARD_BINARY(Sub)
  ONWARD_BINARY(Xor)
#undef ONWARD_BINARY
  // With a number of `a`'s dtype on the right.
  Value* Add(Value* a, double c) { return Add(a, number_like(c, a)); }
  Value* Sub(Value* a, double c) { return Sub(a, number_like(c, a)); }
  Value* Mul(Value* a, double c) { return Mul(a, number_like(c, a)); }
  Value* Div(Value* a, double c) { return Div(a, number_like(c, a)); }
  Value* Pow(Value* a, double c) { return Pow(a, number_like(c, a)); }
  Value* Max(Value* a, double c) { return Max(a, number_like(c, a)); }
  Value* Min(Value* a, double c) { return Min(a, number_like(c, a)); }
  Value* Where(Value* condition, Value* a, Value* c) { return op("Where", {condition, a, c}); }
  // `x` itself when it has the dtype already.
  Value* Cast(Value* x, DType dtype);
  Value* Clip(Value* x, Value* low, Value* high) { return op("Clip", {x, low, high}); }
  Value* Mod(Value* a, Value* c, bool fmod = false) { return op("Mod", {a, c}, {{"fmod", fmod}}); }

  // --- layout -----------------------------------------------------------------------------------------------------
  // `x` itself when nothing would change. Axes may be negative.
  Value* Transpose(Value* x, const std::vector<int64_t>& perm);
  Value* Reshape(Value* x, Value* shape) { return op("Reshape", {x, shape}); }
  Value* Reshape(Value* x, const std::vector<int64_t>& shape) { return Reshape(x, ints(shape)); }
  Value* Unsqueeze(Value* x, const std::vector<int64_t>& axes);
  Value* Squeeze(Value* x, const std::vector<int64_t>& axes);
  Value* Expand(Value* x, Value* shape) { return op("Expand", {x, shape}); }
  Value* Tile(Value* x, Value* repeats) { return op("Tile", {x, repeats}); }
  // The only part itself when there is one.
  Value* Concat(const Values& parts, int64_t axis);
  Values Split(Value* x, const std::vector<int64_t>& sizes, int64_t axis);
  // Python's x[start:end:step] along one axis; an `end` of INT64_MAX means to the end.
  Value* Slice(Value* x, int64_t start, int64_t end, int64_t axis, int64_t step = 1);
  Value* Slice(Value* x, Value* starts, Value* ends, Value* axes, Value* steps = nullptr) {
    return op("Slice", {x, starts, ends, axes, steps});
  }
  Value* Gather(Value* x, Value* indices, int64_t axis) { return op("Gather", {x, indices}, {{"axis", axis}}); }
  // x[…, index, …] without the axis.
  Value* Select(Value* x, int64_t index, int64_t axis) { return Gather(x, i64(index), axis); }
  Value* Range(Value* start, Value* limit, Value* delta) { return op("Range", {start, limit, delta}); }
  // `shape` filled with `value`.
  Value* Fill(Value* shape, double value, DType dtype);
  // `pads`: all begins, then all ends.
  Value* Pad(Value* x, const std::vector<int64_t>& pads, double value = 0, const char* mode = "constant");

  // --- reductions -------------------------------------------------------------------------------------------------
#define ONWARD_REDUCE(NAME)                                                       \
  Value* NAME(Value* x, const std::vector<int64_t>& axes, bool keepdims = true) { \
    return reduce(#NAME, x, axes, keepdims);                                      \
  }
  ONWARD_REDUCE(ReduceL1)
  ONWARD_REDUCE(ReduceL2)
  ONWARD_REDUCE(ReduceLogSumExp)
  ONWARD_REDUCE(ReduceMax)
  ONWARD_REDUCE(ReduceMean)
  ONWARD_REDUCE(ReduceMin)
  ONWARD_REDUCE(ReduceProd)
  ONWARD_REDUCE(ReduceSum)
  ONWARD_REDUCE(ReduceSumSquare)
#undef ONWARD_REDUCE
  // No axes: over all of them.
  Value* reduce(std::string_view type, Value* x, const std::vector<int64_t>& axes, bool keepdims);
  Value* ArgMax(Value* x, int64_t axis, bool keepdims) {
    return op("ArgMax", {x}, {{"axis", axis}, {"keepdims", keepdims}});
  }
  Value* ArgMin(Value* x, int64_t axis, bool keepdims) {
    return op("ArgMin", {x}, {{"axis", axis}, {"keepdims", keepdims}});
  }
  Value* Softmax(Value* x, int64_t axis) { return op("Softmax", {x}, {{"axis", axis}}); }
  Value* LogSoftmax(Value* x, int64_t axis) { return op("LogSoftmax", {x}, {{"axis", axis}}); }

  // --- control flow -----------------------------------------------------------------------------------------------
  // A branch builds into the builder it is given (using outer values freely) and returns the branch's results.
  using Branch = std::function<Values(Builder&)>;
  Values If(Value* condition, const Branch& then_branch, const Branch& else_branch);
  // The body gets the iteration number (rank 0, int64), the condition, and the carried values; it returns the next
  // condition, the carried values, then `scan_outputs` values to be stacked. `trips` and `condition` may be null. The
  // body may be called several times, until the carried shapes no longer change, so it must not have side effects.
  struct LoopResult {
    Value* condition;
    Values carried;
    Values scans;
  };
  using LoopBody = std::function<LoopResult(Builder&, Value* iteration, Value* condition, const Values& carried)>;
  Values Loop(Value* trips, Value* condition, const Values& initial, const LoopBody& body, size_t scan_outputs = 0);
  // Over the leading axis of each of `scanned`; the body returns the next state, then the values to be stacked.
  struct ScanResult {
    Values state;
    Values scans;
  };
  using ScanBody = std::function<ScanResult(Builder&, const Values& state, const Values& slices)>;
  Values Scan(const Values& initial, const Values& scanned, const ScanBody& body, size_t scan_outputs);

  // A builder for a subgraph of this one, with the same inference and origin.
  Builder inner(Graph& subgraph) const;
  // Adds `results` as outputs of `subgraph`; those that it doesn't compute itself, or twice, go through an Identity.
  void finish(Graph& subgraph, const Values& results);

 private:
  Node* make(std::string_view domain, std::string_view type, const Values& inputs, size_t outputs, Attrs attrs);
  bool fold(std::string_view type, const Values& inputs, size_t outputs, const Attrs& attrs, Values& results);

  Graph* graph_;
  const Inference* inference_;
  Node* before_;
  std::shared_ptr<const Origin> origin_;
};

}  // namespace onward::ir
